"""What the node tells its panel, and the resident's answer there: no more than is shown by the door."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from homenode.errors import Refused
from homenode.panel.chosen import things_of
from homenode.reading import Quality

if TYPE_CHECKING:
    from homenode.gateway.node import Node


def shown(node: Node) -> dict[str, Any]:
    """Everything of one picture (`homenode.panel.picture`), as JSON types."""
    judge, now, link = node.judge, node.clock.now(), node.uplink.link
    return {
        "language": node.home.language,
        "now": now,
        "at": judge.zone.text(now + judge.offset_ms),
        "clock": node.clock.trusted(),
        "mode": judge.engine.mode,
        "link": "none" if link is None else "up" if link.state.online else "down",
        "things": _things(node),
        "alerts": _alerts(node),
        "answerable": _answerable(node),
        "cameras": {camera.name: camera.room for camera in node.home.cameras.values()},
        "looks": node.looks.shown(),
    }


def answer_alerts(node: Node, seen: str) -> None:
    """The resident says that all is well; counts as a press of ``resident.ok``.

    Args:
        seen: `answerable` of the picture that was answered.

    Raises:
        Refused: There is nothing to answer, or something that was not yet shown.
    """
    answerable = _answerable(node)
    if not answerable:
        raise Refused("no alert waits for an answer")
    if seen != answerable:
        raise Refused("something new has happened", do="look again")
    node.outcomes.carry_out(node.judge.answered(node.time.instant()))


def _things(node: Node) -> list[dict[str, Any]]:
    home, now = node.judge.engine.home, node.clock.now()
    rows = []
    for thing in things_of(node.home, node.judge.rules.values(), home.points):
        known = []
        for point in thing.points:
            state = home.points.get(point)
            good = state is not None and home.quality(state, now) is Quality.GOOD
            since = state.since if state is not None and good else None
            value = state.value if state is not None and good else None
            known.append([value, good, now - since if since is not None else 0])
        rows.append(
            {
                "points": thing.points,
                "known": known,
                "symbol": thing.symbol,
                "called": thing.called,
                "room": thing.room,
                "name": thing.name,
                "above": thing.above,
                "hold_ms": thing.hold_ms,
            }
        )
    return rows


def _alerts(node: Node) -> list[dict[str, Any]]:
    rows = []
    for alert in node.judge.engine.open_alerts():
        known = node.judge.delivery.known(alert.alert)
        if alert.fault or known is None:
            continue
        rows.append(
            {
                "alert": alert.alert,
                "severity": alert.severity,
                "text": alert.said or known.text,
                "to": known.to,
                "told": sorted(known.told),
                "acknowledged": bool(known.acknowledged),
                "answered": known.answered is not None,
                "may_answer": known.may_answer,
            }
        )
    return rows


def _answerable(node: Node) -> str:
    """Stands for the alerts that the resident may answer now; "" if there is none."""
    ids = sorted(row["alert"] for row in _alerts(node) if row["may_answer"])
    return hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16] if ids else ""
