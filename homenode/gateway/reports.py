"""What the command `report` is answered: how the node is, and nothing of who lives there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homenode import __version__
from homenode.gateway.status import missing
from homenode.reading import Instant, Quality

if TYPE_CHECKING:
    from homenode.gateway.node import Node


def report(node: Node, party: str) -> dict[str, Any]:
    """What is open stands in the party's ``status``; this is what else there is to know."""
    now = node.clock.now()
    common = {
        "at": _text(node, now),
        "versions": {"homenode": __version__},
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
    }


def _quality(node: Node, device: str, now: Instant) -> Quality:
    """The worst of a device's points; unknown if none was heard."""
    home = node.judge.engine.home
    order = (Quality.UNKNOWN, Quality.STALE, Quality.GOOD)
    found = [home.quality(point, now) for name, point in home.points.items() if name.startswith(f"{device}.")]
    return min(found, key=order.index, default=Quality.UNKNOWN)


def _text(node: Node, at: Instant | None) -> str:
    return "" if at is None else node.judge.zone.text(at + node.judge.offset_ms)
