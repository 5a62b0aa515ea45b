"""What homes left at their brokers when somebody moved out, and `homenode office empty`, which takes it away.

The box can't: its certificate is revoked. The office connects as a party of its own, which may write what
nodes have retained, and read nothing but `link`. Key and certificate are made for each round, and soon end.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec

from homenode.config.load import read_home
from homenode.config.model import PARTIES, Broker, Home
from homenode.contract import discovery, topics
from homenode.contract.times import wall_ms
from homenode.delivery.sharing import names
from homenode.errors import HomenodeError, Refused
from homenode.gateway.clock import Clock
from homenode.kinds import KINDS
from homenode.office.authority import Authority, moment, pem, pem_of_key
from homenode.office.decide import State
from homenode.office.homes import FOLDER
from homenode.office.settings import Settings
from homenode.office.store import Emptying, Store

if TYPE_CHECKING:
    from homenode.listen.line import Line

PARTY = "emptying@office"
"""As the broker's access list calls it."""
LIFE = timedelta(hours=1)
WITHIN_S = 10.0
KEPT_S = 2.0
"""What the broker keeps comes at once."""
ONLINE_MS = 11 * 60_000
"""Since its last sign of life a node may still be there: they come each 10 min at least."""
MOST_BROKERS = 10
LONGEST = 500
"""Characters of a topic or a broker's url."""
UNKNOWN = (
    "where its broker is stands neither in its proof nor in its home.yaml: empty it there, then say --done"
)
RUNS = "another box runs this home: what stands there is its own by now"
STAYS = "its node is still at the broker: copy crl.pem there, and restart it"


def left_behind(folder: Path, home: str, proof: Mapping[str, Any], now_ms: int) -> list[Emptying]:
    """What is to be emptied as a tenancy ended; nothing where the home had no broker.

    Args:
        folder: Of the office.
        proof: What the box says; empty if it is lost.
    """
    described, _ = read_home(folder / FOLDER / home / "home.yaml", files=False)
    urls = _texts(proof.get("brokers"))[:MOST_BROKERS]
    if not urls and described is None:
        urls = [""]
    elif not urls and described is not None and described.broker is not None:
        urls = [*described.broker.urls]
    known = {topics.link(home), *(topics.status(home, party) for party in PARTIES)}
    known |= {one for one in _texts(proof.get("topics")) if _is_of(home, one)}
    known |= set(_shared(home, described)) if described is not None else set()
    every, lost = tuple(sorted(known)), not proof
    return [Emptying(home, url, every, lost, now_ms, "") for url in urls]


def _texts(value: object) -> list[str]:
    """Of what a box says those that can be sent and shown."""
    texts = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    return [one for one in texts if one.isprintable() and 0 < len(one) < LONGEST]


def _is_of(home: str, topic: str) -> bool:
    """Whether a node of this home keeps readings there, or how to show them: a box names no others."""
    party = f"({'|'.join(PARTIES)})"
    reading = rf"{topics.root(home)}/{party}/readings/[^/]+/[^/]+"
    shown = rf"[^/$][^/]*(/[^/]+)*/{party}/[^/]+/{home}/[^/]+/config"
    return re.fullmatch(f"{reading}|{shown}", topic) is not None and not re.search("[+#]", topic)


def _shared(home: str, described: Home) -> Iterator[str]:
    """As home.yaml has it; of a device that tells its points by itself every kind."""
    prefix = described.exports.get(discovery.NAME)
    for device in described.devices.values():
        points = [f"{device.name}.{kind}" for kind in (KINDS if device.kinds is None else device.kinds)]
        for party, point in itertools.product(PARTIES, points):
            if names(described.share, party, point):
                yield topics.reading(home, party, point)
                if prefix is not None:
                    yield discovery.topic(prefix, party, home, point)


def why_not(store: Store, one: Emptying) -> str:
    """Why trying is no use now; "" if it may be."""
    if not one.url:
        return UNKNOWN
    box = store.box_of(one.home)
    return RUNS if box is not None and box.state is State.ENROLLED else ""


def empty(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    """One round over all homes, or what a person emptied; exit status.

    Raises:
        Refused: Nothing of that home is to be emptied.
        SetupError: The authority can't be read.
    """
    now = Clock().wall()
    if args.done is not None:
        return _done(args.done, store, now)
    left = 0
    with TemporaryDirectory(prefix="homenode-") as keys:
        broker = _identity(Path(keys), Authority(settings.folder), now)
        for one, why in _round(store, broker, now):
            where = one.url or "its broker"
            with store.changing():
                if why:
                    store.not_emptied(one, why)
                else:
                    store.emptied(one)
                    store.report(now, "", one.home, "emptied", f"what it left at {where}")
            left += bool(why)
            print(f"{one.home}: NOT emptied at {where}: {why}" if why else f"{one.home}: emptied at {where}")
    return 1 if left else 0


def _done(home: str, store: Store, now_ms: int) -> int:
    with store.changing():
        left = store.emptyings(home)
        if not left:
            raise Refused(f"nothing of {home} is to be emptied", do="homenode office list shows what is")
        for one in left:
            store.emptied(one)
        store.report(now_ms, "", home, "emptied", "by hand")
    print(f"{home}: emptied")
    return 0


def _identity(folder: Path, authority: Authority, now_ms: int) -> Broker:
    """Who we are at any broker; not in the database, as it ends before anybody could revoke it."""
    key, ca, own = ec.generate_private_key(ec.SECP256R1()), folder / "ca.pem", folder / "own.pem"
    made = authority.certify(key.public_key(), PARTY, (), moment(now_ms), LIFE)
    ca.write_bytes(b"".join(map(pem, authority.roots())))
    own.write_bytes(pem_of_key(key) + pem(made))
    return Broker((), ca=ca, cert=own)


def _round(store: Store, broker: Broker, now_ms: int) -> Iterator[tuple[Emptying, str]]:
    """What was tried, and why it could not be emptied."""
    for url, rows in itertools.groupby(store.emptyings(), lambda one: one.url):
        mine = []
        for one in rows:
            if why := why_not(store, one):
                yield one, why
            else:
                mine.append(one)
        if mine:
            yield from at(Broker((url,), ca=broker.ca, cert=broker.cert), mine, now_ms)


def at(broker: Broker, mine: Sequence[Emptying], now_ms: int) -> Iterator[tuple[Emptying, str]]:
    """Empty it at one broker; what was tried, and why it could not be, "" if it was."""
    waiting = [*mine]
    try:
        with _line(broker, [topics.link(one.home) for one in mine if one.lost]) as line:
            online = _online(line, now_ms) if any(one.lost for one in mine) else set()
            while waiting:
                why = STAYS if waiting[0].lost and topics.link(waiting[0].home) in online else ""
                try:
                    if not why:
                        line.keep_nothing(waiting[0].topics, WITHIN_S)
                except Refused as error:
                    why = _said(error)
                yield waiting.pop(0), why
    except (HomenodeError, ValueError) as error:  # ValueError: of a host whose name can't be one
        yield from ((one, _said(error)) for one in waiting)


def _said(error: Exception) -> str:
    """Without the broker's url, which stands beside it."""
    if not isinstance(error, HomenodeError):
        return str(error)
    return error.what + (f" ({error.do})" if error.do else "")


@contextmanager
def _line(broker: Broker, heard: Sequence[str]) -> Iterator[Line]:
    """In MQTT 5, or in 3.1.1, which has no words for what a broker doesn't take. Raises NoLink, Refused."""
    from homenode.link.words import NoLink
    from homenode.listen.line import Line  # not in the process that serves

    with ExitStack() as stack:
        line = stack.enter_context(Line(broker, "office-empty", heard, newest=True))
        try:
            line.ready(WITHIN_S)
        except NoLink:
            stack.close()
            line = stack.enter_context(Line(broker, "office-empty", heard))
            line.ready(WITHIN_S)
        yield line


def _online(line: Line, now_ms: int) -> set[str]:
    """Topics `link` of nodes that gave a sign of life of late."""
    found = set[str]()

    def heard(topic: str, payload: bytes) -> None:
        try:
            said = json.loads(payload)
            if said["online"] is True and abs(now_ms - wall_ms(said["at"])) < ONLINE_MS:
                found.add(topic)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass  # nothing that a node says

    line.first(heard, KEPT_S)
    return found
