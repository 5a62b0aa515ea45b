"""The commands that ask the running node, and how their answers read to a person."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homenode.errors import FileMistakes, HomenodeError, Mistake, Refused, Unanswered
from homenode.gateway.local_socket import ask

if TYPE_CHECKING:
    import argparse

LONGEST_SAYING_S = 150.0
"""Until a sentence was said, or dropped as nobody could hear it in time."""


def answer(data: Path, request: Mapping[str, Any], timeout_s: float = 30.0) -> Any:
    """What the node that runs on `data` answers.

    Raises:
        HomenodeError: Refused, with the node's reason; or nobody answers.
    """
    for reply in ask(data, request, timeout_s):
        if reply.get("ok"):
            return reply.get("result")
        if mistakes := reply.get("mistakes"):
            raise FileMistakes([Mistake(**mistake) for mistake in mistakes])
        raise Refused(str(reply.get("error", "the node gave no reason")))
    raise Unanswered("the node hung up without an answer", where=str(data), do="look at its log")


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """Columns as wide as their longest cell."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heads, *rows]
    ]
    return "\n".join(lines)


def span(ms: float | None) -> str:
    """A duration for a person: ``12 s``, ``4 min``, ``3 h``, ``2 d``; ``-`` for none."""
    if ms is None:
        return "-"
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if abs(ms) >= 2 * size:
            return f"{ms / size:.0f} {unit}"
    return f"{ms / 1000:.0f} s"


def _status(args: argparse.Namespace, data: Path) -> int:
    if args.prometheus:
        _export(data, args.prometheus)
        return 0
    status = answer(data, {"do": "status"})
    if args.json:
        print(json.dumps(status, ensure_ascii=False, indent=1))
        return 0
    mode = status["mode"]
    if status["mode_why"]:
        mode += f" ({status['mode_why']}"
        mode += f", {span(status['mode_left_ms'])} left)" if status["mode_left_ms"] is not None else ")"
    print(f"{status['home']}  mode {mode}  up {span(status['up_ms'])}", end="")
    print(f"  clock {status['clock']}  homenode {status['version']}")
    link, outbox = status["link"], status["outbox"]
    print(
        f"link   {link['state']}"
        + (f" ({link['url']})" if link["url"] else "")
        + (f": {link['why']}" if link["why"] else "")
    )
    print(f"outbox {outbox['alerts']} alerts and {outbox['readings']} readings not yet with the broker")
    for topic in link["deserted"]:
        print(f"nobody listens to {topic}: what was sent there waits")
    for name, state in status["drivers"].items():
        print(f"driver {name}: {state}")
    if update := status["update"]:
        why = update.get("why", {}).get("en", "")
        print(f"update {update['version']}: {update['state']}" + (f" ({why})" if why else ""))
    _voice(status["voice"])
    if status["refused_commands"]:
        told = ", ".join(f"{count} of {party}" for party, count in status["refused_commands"].items())
        print(f"refused commands: {told}")
    if status["unasked"]:
        print(f"messages that nobody asked for: {status['unasked']}")
    if status["journal"]["trouble"]:
        print(f"journal: {status['journal']['trouble']}")
    points = [
        [point["point"], point["shown"], point["quality"], span(point["age_ms"]), point["room"]]
        for point in status["points"]
    ]
    print()
    print(table(points, ["POINT", "VALUE", "QUALITY", "AGE", "ROOM"]))
    rules = [
        [rule["rule"], rule["verdict"], span(rule["left_ms"]), rule["open"] or "-"]
        for rule in status["rules"]
    ]
    if rules:
        print()
        print(table(rules, ["RULE", "VERDICT", "TIME LEFT", "OPEN ALERT"]))
    for alert in status["alerts"]:
        state = state_of(alert)
        print(f"\n{state}: {alert['rule']} ({alert['severity']}) since {alert['at']}, id {alert['alert']}")
        print(f"      {alert['text']}")
        if alert["said"]:
            print(f"      {at_home(alert['said'], status['voice'])}")
    for fault in status["faults"]:
        print(f"\nfault: {fault['source']} since {fault['at']}: {fault['why']}")
    for lack in status["missing"]:
        print(f"\nmissing: {lack}")
    for address in status["unassigned"]:
        print(f"\njoined but not in home.yaml, feeds no rule: {address}")
    return 0


def _export(data: Path, file: Path) -> None:
    """Write the node's health, or nothing but that it isn't there: the former file tells nothing of now.

    Raises:
        HomenodeError: It isn't there, or the file can't be written.
    """
    from homenode.health.prometheus import Sampled, text
    from homenode.health.text_file import put

    try:
        status = answer(data, {"do": "status"})
    except HomenodeError as error:
        is_unknown = isinstance(error.__cause__, PermissionError)  # who may not ask it knows nothing of it
        put(file, text([Sampled(_home_of(data), online=None if is_unknown else False)]))
        raise
    link = {"up": True, "down": False}.get(status["link"]["state"])
    version, update = status["image"] or status["version"], status["update"].get("state", "")
    put(file, text([Sampled(status["home"], version, link, status["health"], update, len(status["faults"]))]))


def _home_of(data: Path) -> str:
    """Its id, as it was when the node last started well; "" if it never did."""
    from homenode.gateway import kept

    with suppress(OSError, ValueError):
        good = kept.read(data)
        for text in good.texts.values() if good is not None else ():
            if found := re.search(r"^home:\s*[\"']?([a-z0-9-]+)", text, re.MULTILINE):
                return found[1]
    return ""


def state_of(alert: Mapping[str, Any]) -> str:
    """Whether somebody has it; not everybody it was sent to need have acknowledged."""
    if alert["acknowledged"]:
        return "acknowledged"
    return f"open, acknowledged for {', '.join(alert['by'])}" if alert["by"] else "open"


def at_home(text: str, voice: Mapping[str, Any]) -> str:
    """What an alert says at home; never as said while nobody can hear it."""
    mute = voice["trouble"] or voice["device"] == "none"
    return f"can't be heard at home: {text}" if mute else f"said at home: {text}"


def _voice(voice: Mapping[str, Any]) -> None:
    """Whether the home can speak, and what it said: it stands here for who didn't hear it."""
    if voice["trouble"]:
        print(f"voice  not heard: {voice['trouble']}")
    elif voice["needed"]:
        print(f"voice  on {voice['device']}")
    for said in voice["said"]:
        heard = "said" if said["heard"] else "not said"
        print(f"{heard} {said['at']}: {said['text']}" + (f" ({said['why']})" if said["why"] else ""))


def _say(args: argparse.Namespace, data: Path) -> int:
    wish = {"do": "say", "text": args.text} | ({"language": args.language} if args.language else {})
    print(answer(data, wish, timeout_s=LONGEST_SAYING_S))
    return 0


def _watch(args: argparse.Namespace, data: Path) -> int:
    for event in ask(data, {"do": "watch"}, timeout_s=None):
        print(json.dumps(event, ensure_ascii=False), flush=True)
    return 0


def _devices(args: argparse.Namespace, data: Path) -> int:
    rows = [
        [
            device["address"],
            device["name"] or "(unassigned)",
            f"{device['manufacturer']}/{device['model']}",
            " ".join(device["kinds"]) or "(not interviewed)",
            device["note"],
        ]
        for device in answer(data, {"do": "devices"})
    ]
    print(table(rows, ["ADDRESS", "NAME", "MODEL", "POINTS", "NOTE"]))
    return 0


def _reload(args: argparse.Namespace, data: Path) -> int:
    try:
        print(answer(data, {"do": "reload"}))
    except FileMistakes:
        print("refused; the node keeps running on what it had", file=sys.stderr)
        raise
    return 0


def _told(
    request: Callable[[argparse.Namespace], dict[str, Any]],
) -> Callable[[argparse.Namespace, Path], int]:
    def command(args: argparse.Namespace, data: Path) -> int:
        print(answer(data, request(args)))
        return 0

    return command


def _pair(args: argparse.Namespace, data: Path) -> int:
    from homenode.config.durations import milliseconds

    try:
        seconds = milliseconds(args.span) / 1000
    except ValueError as error:
        raise Refused(f"--for {args.span}: {error}") from error
    only = {"install_code": args.install_code, "ieee": args.ieee} if args.install_code else {}
    print(answer(data, {"do": "pair", "for_s": seconds, "radio": args.radio, **only}))
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, Path], int]] = {
    "status": _status,
    "watch": _watch,
    "devices": _devices,
    "pair": _pair,
    "say": _say,
    "reload": _reload,
    "ack": _told(lambda args: {"do": "ack", "alert": args.alert, "party": args.party}),
    "mode": _told(lambda args: {"do": "mode", "mode": args.mode}),
    "switch": _told(lambda args: {"do": "switch", "point": args.point, "to": args.to}),
}
