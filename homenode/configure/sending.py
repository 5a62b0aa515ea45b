"""`homenode configure send` and `status`: to the homes, and back from them, over the broker."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, TextIO

from homenode.config.model import SIGNERS
from homenode.configure.office import Sheet
from homenode.contract import topics
from homenode.contract.times import Zone
from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.listen.event import split
from homenode.listen.line import NOTHING_SHOWN, Line
from homenode.listen.opening import Opening
from homenode.listen.settings import Settings

CONNECTING_S = 10.0
SETTLED_S = 2.0
"""What the broker keeps comes at once; so long after the last home's first status no other is awaited."""


class Unanswered(Refused):
    """Nobody knows what became of what was sent."""


def send(settings: Settings, sheet: Sheet, by: str, wait_s: float, out: TextIO, *, over: bool = False) -> int:
    """Send what is signed, and tell what the node answers. 0 if it was taken, 1 if it was refused.

    Args:
        over: What somebody changed at the node goes.

    Raises:
        NoLink: The broker can't be reached.
        Unanswered: No answer came.
        Refused: Somebody changed the files at the node since, or may have (the operator is told that);
            or the broker doesn't let us hear the answer.
        SetupError: There is no broker, or only care and the operator may send it.
    """
    party, home = settings.party, sheet.configuration.home
    if settings.broker is None or party not in SIGNERS:
        raise SetupError(f"{party} sends no configuration", do=f"as {' or '.join(SIGNERS)}, over a broker")
    opening, clock = Opening(party, settings.keys), Clock()
    topic = topics.reply(home, party)
    state = topics.status(home, party)

    def heard(at: str, payload: bytes) -> Mapping[str, Any] | None:
        return opening.status(home, payload) if at == state else None

    with Line(settings.broker, "configure", (state, topic)) as line:

        def asked(args: Mapping[str, object]) -> Mapping[str, Any] | None:
            name = f"configure-{secrets.token_hex(8)}"
            expires = Zone("UTC").text(clock.wall() + int(wait_s * 1000))
            body = {"id": name, "do": "configure", "expires": expires, "by": by, "args": args}
            line.say(topics.command(home, party), json.dumps(body).encode(), CONNECTING_S)
            return line.first(lambda _topic, payload: _answer(opening.plain(topic, payload), name), wait_s)

        line.ready(CONNECTING_S)
        if party == "operator" and not over:
            _unchanged(home, line.first(heard, SETTLED_S))
        args = {"jws": sheet.jws}
        answer = asked({**args, "over": True} if over else args)
        if over and answer is not None and _is_older(answer):
            answer = asked(args)
    if answer is None:
        away = "it may be offline, or answers by another broker if this names one; the same may be sent again"
        do = away if line.came else NOTHING_SHOWN
        raise Unanswered(f"{home} has not answered within {wait_s:.0f} s", do=do)
    number = sheet.configuration.number
    if answer.get("ok") is True:
        result = answer.get("result", {})
        print(f"{home}: {number} is taken; {result.get('told', '')}", file=out)
        return 0
    error = answer.get("error", {})
    print(f"{home}: {number} is refused ({error.get('code', '')}): {error.get('text', '')}", file=out)
    for mistake in error.get("mistakes", ()):
        print(f"  {mistake}", file=out)
    return 1


def _unchanged(home: str, told: Mapping[str, Any] | None) -> None:
    """Refuse to undo what somebody changed at the node; the node does so, too, unless it is an older one."""
    if told is None:
        do = "whether somebody changed its files nobody knows: try again, or send with --over"
        raise Refused(f"the status of {home} was not heard", do=do)
    now = told.get("configuration")
    if isinstance(now, dict) and now.get("changed"):
        what = f"somebody at {home} changed its files since {now.get('number')}, and this would undo it"
        raise Refused(what, do="take it over and sign it, or send with --over")


def _is_older(answer: Mapping[str, Any]) -> bool:
    """Whether a homenode answers that knows no `over`, and asks for none."""
    error = answer.get("error", {})
    return error.get("code") == "malformed" and str(error.get("text")).startswith("args.over ")


def _answer(payload: bytes, name: str) -> Mapping[str, Any] | None:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and body.get("id") == name else None


def status(settings: Settings, signed: Mapping[str, int | str], out: TextIO) -> int:
    """Print which home runs which number. 1 if any runs another than is signed, or none is, else 0.

    Args:
        signed: Home to the number that is signed for it, or why none is; others are told if they answer.

    Raises:
        NoLink: The broker can't be reached.
        Refused: It doesn't let us hear the homes.
        SetupError: There is no broker, or we aren't the operator.
    """
    if settings.broker is None or settings.party != "operator":
        raise SetupError(
            "only the operator is told which configuration runs", do="as party: operator, over a broker"
        )
    opening, running = Opening("operator", settings.keys), dict[str, Mapping[str, Any] | None]()

    def heard(topic: str, payload: bytes) -> bool | None:
        where = split(topic)
        body = opening.status(where[0], payload) if where is not None else None
        if where is None or body is None:
            return None
        told, new = body.get("configuration"), where[0] not in running
        running[where[0]] = told if isinstance(told, dict) else None
        return new or None

    with Line(settings.broker, "configure", (topics.status("+", "operator"),)) as line:
        line.ready(CONNECTING_S)
        within_s = CONNECTING_S
        while line.first(heard, within_s):
            within_s = SETTLED_S
    if not line.came:
        do = "check whose certificate or user this is, the broker's ACL, and that homes are there"
        raise Refused("the broker shows no home", where=settings.broker.urls[0], do=do)
    behind = 0
    for home in sorted({*running, *signed}):
        now, wanted = running.get(home), signed.get(home)
        number = now.get("number") if now else None
        what = "not heard of" if home not in running else f"runs {number}" if now else "runs none signed"
        if now and now.get("changed"):
            what += f" of {now.get('at')}, changed at the node since"
        elif now:
            what += f" of {now.get('at')}"
        if wanted is not None and number != wanted:
            what, behind = f"{what}; {wanted}{' is signed' * isinstance(wanted, int)}", behind + 1
        print(f"{home}: {what}", file=out)
    return 1 if behind else 0
