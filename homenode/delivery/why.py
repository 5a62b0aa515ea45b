"""The evidence of an alert as a sentence that a caregiver understands, in Swedish and English (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from homenode.config.durations import UNITS_MS, words
from homenode.delivery.evidence import Evidence, told_to
from homenode.kinds import Kind, Shape, kind_of
from homenode.language.words import LANGUAGES
from homenode.reading import Instant, Quality

MOST = 8
"""Points in one sentence; those that can't be believed come first."""

_PHRASES: dict[str, dict[str, str]] = {
    "sv": {
        "since": "{what} (sedan {time})",
        "heard": "{what} (hörd {time})",
        "pressed": "{name} trycktes in {time}",
        "not pressed": "{name} har inte tryckts in",
        "number": "{noun} {name} är {value}",
        "stuck": "{what} utan avbrott sedan {time} ({span}) och räknas inte: sensorn kan ha hängt sig",
        "stale": "{name} är tyst och räknas inte: hördes senast {time}",
        "unknown": "{name} går inte att lita på: hördes senast {time}",
        "never": "{name} har aldrig hörts",
        "more": "och {count} till",
    },
    "en": {
        "since": "{what} (since {time})",
        "heard": "{what} (heard {time})",
        "pressed": "{name} was pressed at {time}",
        "not pressed": "{name} was not pressed",
        "number": "{noun} {name} is {value}",
        "stuck": "{what} without a break since {time} ({span}) and is not counted: the sensor may hang",
        "stale": "{name} is silent and not counted: it was last heard {time}",
        "unknown": "{name} can't be believed: it was last heard {time}",
        "never": "{name} was never heard",
        "more": "and {count} more",
    },
}


def why(
    evidence: Sequence[Sequence[Any]],
    party: str,
    at: Instant,
    rooms: Mapping[str, str],
    time: Callable[[Instant], str],
) -> dict[str, str]:
    """A sentence by language; {} if there is nothing to tell this party.

    Args:
        evidence: As `homenode.delivery.evidence.stored`.
        party: Property hears nothing of points that tell who was home when, not even that they are silent.
        at: Instant of the message.
        rooms: Device to room.
        time: An instant as RFC 3339 text in the home's zone.
    """
    points = [one for one in map(Evidence.of, evidence) if told_to(party, one.point)]
    points.sort(key=lambda one: one.quality is Quality.GOOD and not one.stuck)
    if not points:
        return {}
    today = time(at)[:10]

    def clock(instant: Instant) -> str:
        text = time(instant)
        return text[11:16] if text[:10] == today else f"{text[:10]} {text[11:16]}"

    told = {}
    for language, phrases in _PHRASES.items():
        parts = [_part(one, language, phrases, at, rooms, clock) for one in points[:MOST]]
        rest = f", {phrases['more'].format(count=len(points) - MOST)}" if len(points) > MOST else ""
        told[language] = f"{'; '.join(parts)}{rest}."
    return told


def _part(
    one: Evidence,
    language: str,
    phrases: Mapping[str, str],
    at: Instant,
    rooms: Mapping[str, str],
    clock: Callable[[Instant], str],
) -> str:
    """What is known of one point."""
    name, kind = _name(one.point, rooms), kind_of(one.point)

    def say(phrase: str, what: str = "", instant: Instant | None = None, **more: str) -> str:
        shown = "" if instant is None else clock(instant)
        return phrases[phrase].format(name=name, what=what, time=shown, **more)

    if one.quality is not Quality.GOOD or kind is None:
        return say("never") if one.at is None else say(one.quality.value, instant=one.at)
    if kind.shape is Shape.MOMENTARY:
        return say("pressed", instant=one.since) if one.since is not None else say("not pressed")
    what = _state(kind, one, name, language, phrases)
    if one.stuck and one.since is not None:
        span = words(max(UNITS_MS["min"], (at - one.since) // UNITS_MS["min"] * UNITS_MS["min"]))
        return say("stuck", what, one.since, span=span)
    if kind.shape is Shape.BOOLEAN and one.since is not None:
        return say("since", what, one.since)
    return say("heard", what, one.at)


def _state(kind: Kind, one: Evidence, name: str, language: str, phrases: Mapping[str, str]) -> str:
    said = LANGUAGES[language].kinds[kind.name]
    if kind.shape is Shape.BOOLEAN:
        return f"{name} {said.yes if one.value else said.no}"
    value = f"{one.value:g} {kind.unit or ''}".rstrip()
    return phrases["number"].format(noun=said.noun, name=name, value=value)


def _name(point: str, rooms: Mapping[str, str]) -> str:
    """A device as this home calls it, with its room unless the name says it."""
    device, _, kind = point.rpartition(".")
    nth = kind.rpartition("_")[2]
    name = f"{device} {nth}" if nth.isdecimal() else device
    room = rooms.get(device, "")
    return name if not room or room.lower() in device.lower() else f"{name} ({room})"
