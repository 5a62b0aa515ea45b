"""What the running node knows, for `homenode status`: unknown is shown as unknown, never as a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homenode import __version__
from homenode.gateway.refusals import BROKER
from homenode.kinds import Shape, kind_of
from homenode.reading import Instant, Quality, Value
from homenode.release import image_version

if TYPE_CHECKING:
    from homenode.gateway.node import Node


def shown(point: str, value: Value, quality: Quality) -> str:
    """A value as a person reads it, such as ``1420 W`` or ``open``; ``?`` unless it may be believed."""
    kind = kind_of(point)
    if kind is None or quality is not Quality.GOOD:
        return "?"
    if kind.shape is Shape.MOMENTARY:
        return "was pressed" if value else "not pressed"
    if value is None:
        return "?"
    if kind.shape is Shape.NUMBER:
        return f"{value:g} {kind.unit or ''}".rstrip()
    return (kind.true_word or "yes") if value else (kind.false_word or "no")


def missing(node: Node, *, with_rules: bool = True) -> list[str]:
    """What home.yaml counts on and the radios don't have: devices that never joined, points they lack.

    Without the rules for whom those of others are nothing.
    """
    joined = {one.name: one for one in node.joined.values() if one.name}
    told = [
        f"{device.name} has not joined"
        for device in node.home.devices.values()
        if device.name not in joined and node.types[device.driver].kinds(device.options) is None
    ]
    for rule in node.judge.rules.values():
        for point in rule.points:
            name, _, kind = point.rpartition(".")
            kinds = joined[name].kinds if name in joined else ()
            if kinds and kind not in kinds:
                who = f"{rule.name} reads {point}, which " if with_rules else f"{point} is wanted, which "
                told.append(f"{who}{name} doesn't have: it has {', '.join(kinds)}")
    return list(dict.fromkeys(told))


def status(node: Node) -> dict[str, Any]:
    """Everything `homenode status` shows, as JSON types; times in ms are relative to now."""
    judge, now = node.judge, node.clock.now()
    pending, link = node.outbox.pending(), node.uplink.link.state if node.uplink.link is not None else None

    def told(at: Instant) -> str:
        return judge.zone.text(at + judge.offset_ms)

    return {
        "home": node.home.home,
        "file": str(node.home.path),
        "version": __version__,
        "image": image_version(),
        "mode": judge.engine.mode,
        "mode_why": judge.engine.mode_why,
        "mode_left_ms": ends - now if (ends := judge.engine.mode_ends) is not None else None,
        "at": told(now),
        "up_ms": now - node.time.up,
        "clock": "trusted" if node.clock.trusted() else "not set",
        "link": {
            "state": "up" if link and link.online else "down" if link else "no broker in home.yaml",
            "url": link.url if link else "",
            "why": "; ".join(part for part in (link.why, link.do) if part) if link else "",
            "gaps": [
                {"from": told(gap.since), "to": told(gap.until) if gap.until else None, "why": gap.why}
                for gap in node.uplink.outage.gaps
            ],
            "denied": node.uplink.refusals.denied,
            "deserted": list(node.uplink.refusals.deserted),
        },
        "outbox": {
            "alerts": pending.alarms + pending.alerts,
            "readings": pending.readings,
            "in_flight": pending.in_flight,
            "more_in_journal": pending.in_journal,
        },
        "drivers": {name: driver.shown for name, driver in node.crew.drivers.items()},
        "health": node.health.figures,
        "update": dict(node.updates.shown or {}),
        "journal": {"records": node.journal.last, "trouble": str(node.journal.trouble or "")},
        "voice": _voice(node, told),
        "refused_commands": {
            party: count for party, count in node.requests.refusals.counted.items() if party != BROKER
        },
        "unasked": node.requests.refusals.counted.get(BROKER, 0),
        "points": _points(node, now),
        "rules": _rules(node, now),
        "alerts": [
            {
                "alert": alert.alert,
                "rule": alert.rule,
                "severity": alert.severity,
                "at": told(alert.raised_at),
                "acknowledged": alert.acknowledged,
                "by": sorted(alert.by),
                "text": judge.rules[alert.rule].says.get(node.home.language, alert.rule),
                "said": alert.said.get(node.home.language, next(iter(alert.said.values()), "")),
            }
            for alert in judge.engine.open_alerts()
            if not alert.fault
        ],
        "faults": [
            {"source": source, "at": told(at), "why": text.get(node.home.language, source)}
            for source, (at, text) in judge.troubled.items()
        ]
        + [
            {"source": fault.rule, "at": told(fault.raised_at), "why": f"blind: {', '.join(fault.because)}"}
            for fault in judge.engine.open_alerts()
            if fault.fault
        ],
        "missing": missing(node),
        "unassigned": [
            f"{joined.address} ({joined.manufacturer} {joined.model})"
            for joined in node.joined.values()
            if joined.name not in node.home.devices
        ],
    }


def _voice(node: Node, told: Callable[[Instant], str]) -> dict[str, Any]:
    voice = node.actions.voice
    return {
        "device": node.home.voice.device,
        "needed": voice.is_needed,
        "trouble": voice.trouble,
        "said": [
            {
                "at": told(one.at),
                "text": one.text,
                "rule": one.rule,
                "heard": not one.why_not,
                "why": one.why_not,
            }
            for one in voice.said
        ],
    }


def _points(node: Node, now: Instant) -> list[dict[str, Any]]:
    home = node.judge.engine.home
    known = home.points
    names = dict.fromkeys(
        f"{device.name}.{kind}" for device in node.home.devices.values() for kind in device.kinds or ()
    )
    names.update(dict.fromkeys(sorted(p for p in known if p.partition(".")[0] in node.home.devices)))
    rows = []
    for name in names:
        device = node.home.devices.get(name.partition(".")[0])
        point = known.get(name)
        quality = home.quality(point, now) if point else Quality.UNKNOWN
        rows.append(
            {
                "point": name,
                "value": point.value if point and quality is Quality.GOOD else None,
                "shown": shown(name, point.value if point else None, quality),
                "quality": quality.value,
                "age_ms": now - point.at if point and point.at is not None else None,
                "room": device.room if device else "",
            }
        )
    return rows


def _rules(node: Node, now: Instant) -> list[dict[str, Any]]:
    opened = {alert.rule: alert.alert for alert in node.judge.engine.open_alerts() if not alert.fault}
    return [
        {
            "rule": name,
            "verdict": verdict.truth,
            "left_ms": max(0, verdict.true_at - now) if verdict.true_at is not None else None,
            "blind": list(verdict.blind),
            "open": opened.get(name, ""),
        }
        for name, verdict in node.judge.engine.verdicts().items()
    ]
