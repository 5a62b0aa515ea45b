"""What the command `report` is answered: how the node is, and nothing of who lives there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homenode.config.durations import milliseconds, words
from homenode.config.rows import LONGEST_HEARTBEAT_MS, SHORTEST_HEARTBEAT_MS
from homenode.errors import Refused
from homenode.gateway.status import missing
from homenode.reading import Instant, Quality
from homenode.release import versions

if TYPE_CHECKING:
    from homenode.gateway.diagnosis import Diagnosis
    from homenode.gateway.node import Node


BUNDLE = "bundle"
"""Of a result: what is sent and not kept."""


def span_ms(text: str) -> int:
    """A duration of a command. Raises Refused."""
    try:
        return milliseconds(text)
    except ValueError as error:
        raise Refused(f"for {text}", do=f"accepted: {error}") from error


class Reports:
    """Answers the command for one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._diagnosis: Diagnosis | None = None

    async def answer(self, party: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is told, and for the operator what it asks to be set or packed.

        Raises:
            Refused: That is for the operator, or can't be.
        """
        if args and party != "operator":
            raise Refused(f"{next(iter(args))} is for the operator")
        if "heartbeat" in args:
            self._beat_each(span_ms(args["heartbeat"]))
        told = report(self._node, party)
        if "diagnose" not in args:
            return told
        if self._diagnosis is None:
            from homenode.gateway.diagnosis import Diagnosis

            self._diagnosis = Diagnosis(self._node)
        return {**told, BUNDLE: await self._diagnosis.bundle(told)}

    def _beat_each(self, beat_ms: int) -> None:
        if beat_ms and not SHORTEST_HEARTBEAT_MS <= beat_ms <= LONGEST_HEARTBEAT_MS:
            most = f"{words(SHORTEST_HEARTBEAT_MS)} to {words(LONGEST_HEARTBEAT_MS)}"
            raise Refused(f"heartbeat {words(beat_ms)}", do=f"{most}, or 0 s for what home.yaml says")
        self._node.uplink.beat_each(beat_ms / 1000)


def report(node: Node, party: str) -> dict[str, Any]:
    """What is open stands in the party's ``status``; this is what else there is to know."""
    now = node.clock.now()
    common = {
        "at": _text(node, now),
        "versions": versions(),
        "up": _text(node, node.time.up),
        "clock": "trusted" if node.clock.trusted() else "not set",
        "devices": {name: _quality(node, name, now).value for name in node.home.devices},
        "missing": missing(node, with_rules=party == "operator"),
        "refused_commands": node.requests.refusals.counted.get(party, 0),
    }
    return common | _technical(node) if party == "operator" else common


def _technical(node: Node) -> dict[str, Any]:
    """No counts of what waits or is written: they would tell of alerts of others, and when somebody moves."""
    uplink = node.uplink
    state = uplink.link.state if uplink.link is not None else None
    return {
        "link": {
            "url": state.url if state is not None else "",
            "heartbeat_s": uplink.beats_each_s,
            "gaps": [
                {"from": _text(node, gap.since), "to": _text(node, gap.until), "why": gap.why}
                for gap in uplink.outage.gaps
                if gap.until is not None
            ],
            "denied": uplink.denied,
        },
        "drivers": {name: driver.shown for name, driver in node.crew.drivers.items()},
        "journal": {"trouble": str(node.journal.trouble or "")},
        "health": node.health.figures,
    } | ({"update": dict(node.updates.shown)} if node.updates.shown else {})


def _quality(node: Node, device: str, now: Instant) -> Quality:
    """The worst of a device's points; unknown if none was heard."""
    home = node.judge.engine.home
    order = (Quality.UNKNOWN, Quality.STALE, Quality.GOOD)
    found = [home.quality(point, now) for name, point in home.points.items() if name.startswith(f"{device}.")]
    return min(found, key=order.index, default=Quality.UNKNOWN)


def _text(node: Node, at: Instant | None) -> str:
    return "" if at is None else node.judge.zone.text(at + node.judge.offset_ms)
