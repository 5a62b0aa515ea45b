"""What is known, as the page shows it: one picture as JSON, in the installer's language (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.install.known import (
    BESIDE,
    STATES,
    kind_called,
    link_verdict,
    look,
    suggested_name,
    value_in_words,
)
from homenode.install.steps import Arrival, Installation, note_of
from homenode.install.walk import Line, Row, Told, Walk, unused
from homenode.install.words import say
from homenode.kinds import kind_of


def view(steps: Installation, language: str, now_ms: int, notices: Sequence[str] = ()) -> dict[str, Any]:
    """The whole of it."""
    status = steps.status
    left_ms = status.get("mode_left_ms")
    return {
        "language": language,
        "home": steps.home.home,
        "node": {
            "troubles": troubles(steps, language),
            "mode": status.get("mode", ""),
            "mode_left_min": left_ms // 60_000 if left_ms is not None else None,
        },
        "open": now_ms < steps.open_until_ms,
        "open_radio": steps.open_radio,
        "open_code": steps.open_code,
        "radios": steps.radios,
        "replacing": steps.replacing,
        "rooms": steps.rooms(language),
        "arrivals": [_arrival(steps, one, language) for one in steps.arrivals.values()],
        "devices": [_device(steps, name, language) for name in steps.home.devices],
        "walk": _walk(steps, steps.walk, language) if steps.walk is not None else None,
        "report": bool(steps.last_report),
        "notices": list(notices)[-3:],
    }


def troubles(steps: Installation, language: str) -> list[str]:
    """What stands in the installer's way now, a sentence each."""
    if steps.node_why:
        return [f"{say('node_down', language)} {steps.node_why}"]  # then nobody knows the rest
    status = steps.status
    found = [steps.file_why] if steps.file_why else []
    for name, state in status.get("drivers", {}).items():
        if state not in ("running", "starting"):
            found.append(f"{say('radio_gone', language)} {name}: {state}")
    link = status.get("link", {})
    if link.get("state") == "down":
        found.append(f"{say('link_down', language)} {link.get('why', '')}".rstrip())
    if status.get("clock", "trusted") != "trusted":
        found.append(say("clock_off", language))
    return found


def _link(lqi: float | None, language: str) -> dict[str, Any]:
    verdict, words = link_verdict(lqi)
    return {"value": lqi, "verdict": verdict, "words": words[language]}


def _arrival(steps: Installation, arrival: Arrival, language: str) -> dict[str, Any]:
    seen, signs = look(arrival.kinds), arrival.signs
    rooms = steps.rooms(language)
    return {
        "address": arrival.address,
        "picture": seen.picture,
        "called": seen.called[language],
        "about": " ".join(part for part in (arrival.manufacturer, arrival.model) if part),
        "note": arrival.note[language],
        "ready": arrival.ready,
        "lqi": arrival.lqi,
        "signs": [f"{value_in_words(kind, value, language)} {at[11:19]}" for kind, value, at in signs],
        "names": {room: suggested_name(room, arrival.kinds, steps.home.devices) for room in rooms},
        "could": [fit.rule for fit in steps.could(arrival)],
    }


def _device(steps: Installation, name: str, language: str) -> dict[str, Any]:
    device, joined = steps.home.devices[name], steps.joined.get(name, {})
    kinds = device.kinds or tuple(joined.get("kinds", ()))
    seen, placing = look(kinds), steps.placing.get(name)
    points = [point for point in steps.status.get("points", ()) if point["point"].rpartition(".")[0] == name]
    radio = "ieee" in device.options
    lqi = placing.last if placing is not None else steps.links.get(name, (None, ""))[0]
    return {
        "name": name,
        "room": device.room,
        "picture": seen.picture,
        "called": seen.called[language],
        "joined": not radio or bool(joined),
        "radio": radio,
        "shown": [
            value_in_words(point["point"].rpartition(".")[2], point["value"], language)
            for point in points
            if (kind := kind_of(point["point"])) and kind.name not in BESIDE
        ],
        "link": _link(lqi, language) if radio else None,
        "placing": {"frames": placing.frames, "weakest": placing.weakest} if placing is not None else None,
        "fits": [{"rule": fit.rule, "says": fit.says.get(language, "")} for fit in steps.fits(name)],
        "rules": [rule.name for rule in steps.rules if _counts(rule.points, name)],
        "unused": [
            say("lacks_unused", language, name=point)
            for point in unused(name, kinds, {point for rule in steps.rules for point in rule.points})
        ],
        "note": note_of(joined)[language] if joined else "",
    }


def _counts(points: Sequence[str], name: str) -> bool:
    return any(point.rpartition(".")[0] == name for point in points)


def _walk(steps: Installation, walk: Walk, language: str) -> dict[str, Any]:
    lacks = walk.lacks()
    return {
        "active": walk.active,
        "begun": walk.begun[:16].replace("T", " "),
        "rows": [_row(row, language) for row in walk.rows.values()],
        "lines": [_line(line, language) for line in walk.lines.values()],
        "accepted": not lacks,
        "lacks": [lack_in_words(sort, name, language) for sort, name in lacks if sort != "device"],
        "passed": sum(row.passed for row in walk.rows.values()),
        "open_alerts": sorted({str(alert["rule"]) for alert in steps.status.get("alerts", ())}),
    }


def lack_in_words(sort: str, name: str, language: str) -> str:
    """One thing that keeps the flat from being handed over."""
    return say(f"lacks_{sort}", language, name=say(f"party_{name}", language) if sort == "party" else name)


def want_in_words(kind: str, want: str, language: str) -> str:
    """What has to be seen of a point: ``open``, ``tripped`` …"""
    known = kind_of(kind)
    if want in ("true", "false") and known is not None and known.true_word:
        return STATES[known.true_word if want == "true" else known.false_word][language == "en"]
    return say(f"want_{want}", language)


def _row(row: Row, language: str) -> dict[str, Any]:
    seen = look(row.kinds)
    return {
        "device": row.device,
        "room": row.room,
        "picture": seen.picture,
        "called": seen.called[language],
        "passed": row.passed,
        "at": row.at[11:19],
        "trouble": row.trouble,
        "remark": row.remark,
        "checks": [
            {
                "point": f"{row.device}.{kind}",
                "called": kind_called(kind, language),
                "output": "works" in check.wants,
                "failed": bool(check.failed),
                "wants": [
                    {"words": want_in_words(kind, want, language), "at": check.seen.get(want, "")[11:19]}
                    for want in check.wants
                ],
            }
            for kind, check in row.checks.items()
        ],
    }


def _line(line: Line, language: str) -> dict[str, Any]:
    return {
        "rule": line.rule,
        "at_once": line.at_once,
        "raised": line.raised[11:19],
        "passed": line.passed,
        "parties": [_told(party, told, language) for party, told in line.parties.items()],
    }


def _told(party: str, told: Told, language: str) -> Mapping[str, Any]:
    return {
        "called": say(f"party_{party}", language),
        "sent": told.sent[11:19],
        "test": told.test,
        "arrived": told.with_broker[11:19],
        "acknowledged": told.acknowledged[11:19],
        "by": told.by,
        "passed": told.passed,
    }
