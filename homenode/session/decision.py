"""Whether a care decision allows a look, now (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from homenode.config.model import VIEWS, Camera, Decision
from homenode.config.notes import listed
from homenode.errors import NoLook

_DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class Wish:
    """What a party asks for.

    Attributes:
        by: The person, as the party names them.
        reason: In their words.
    """

    party: str
    by: str
    reason: str
    camera: str
    view: str


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is, as the home's calendar and clock say, and the mode that the home is in."""

    day: date
    minute: int
    mode: str


def holds(decision: Decision, moment: Moment) -> bool:
    """Whether it is its day, hour and mode."""
    return not _why_not_now(decision, moment)


def allowing(
    wish: Wish, cameras: Mapping[str, Camera], decisions: Mapping[str, Decision], moment: Moment
) -> Decision:
    """The decision by which it may be done.

    Raises:
        NoLook: There is none, and which of its terms isn't met.
    """
    if wish.camera not in cameras:
        raise NoLook("no_camera", f"there is no camera {wish.camera}")
    ours = [one for one in decisions.values() if one.party == wish.party and wish.camera in one.cameras]
    if not ours:
        raise NoLook("no_decision", f"no decision lets {wish.party} look through {wish.camera}")
    now = [one for one in ours if holds(one, moment)]
    if not now:
        whys = "; ".join(f"{one.id}: {_why_not_now(one, moment)}" for one in ours)
        raise NoLook("not_now", f"no decision holds now ({whys})")
    for one in now:
        if wish.view in one.views:
            return one
    views = listed(dict.fromkeys(view for one in now for view in one.views))
    raise NoLook("view", f"the view {wish.view} of {wish.camera} is not allowed; allowed: {views}")


def terms(cameras: Mapping[str, Camera], decisions: Mapping[str, Decision]) -> list[dict[str, Any]]:
    """What a party is told of the decisions, as JSON types; each with its `party`."""
    return [
        {
            "decision": one.id,
            "party": one.party,
            "cameras": [{"camera": name, "room": cameras[name].room} for name in one.cameras],
            "views": list(one.views),
            "from": str(one.first),
            "to": str(one.last),
            "ask": one.ask,
            "longest_s": one.longest_ms / 1000,
        }
        | ({"hours": _span(one.hours)} if one.hours is not None else {})
        | ({"modes": list(one.modes)} if one.modes else {})
        for one in decisions.values()
    ]


def of_terms(told: Mapping[str, Any]) -> Decision:
    """What `terms` told of a decision: all but how the resident is asked and told.

    Raises:
        ValueError: It can't be read.
    """
    try:
        hours = told.get("hours")
        return Decision(
            str(told["decision"]),
            tuple(str(one["camera"]) for one in told["cameras"]),
            date.fromisoformat(told["from"]),
            date.fromisoformat(told["to"]),
            tuple(view for view in VIEWS if view in told["views"]),
            told["ask"] is not False,
            party=str(told["party"]),
            hours=None if hours is None else _minutes(hours),
            modes=tuple(map(str, told.get("modes", ()))),
            longest_ms=int(told["longest_s"] * 1000),
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ValueError("no terms of a decision") from error


def _minutes(span: str) -> tuple[int, int]:
    first, end = (time.fromisoformat(one) for one in span.split("-"))
    return first.hour * 60 + first.minute, end.hour * 60 + end.minute


def when(decision: Decision) -> str:
    """Its days, hours and modes, in no language."""
    said = [f"{decision.first} – {decision.last}"]
    if decision.hours is not None:
        said.append(_span(decision.hours))
    return ", ".join([*said, *decision.modes])


def _why_not_now(decision: Decision, moment: Moment) -> str:
    """What keeps it from holding; "" if nothing does."""
    if moment.day < decision.first:
        return f"from {decision.first}"
    if moment.day > decision.last:
        return f"it ended on {decision.last}"
    if decision.hours is not None:
        first, end = decision.hours
        if (moment.minute - first) % _DAY_MIN >= (end - first) % _DAY_MIN:  # over midnight, too
            return f"only {_span(decision.hours)}"
    if decision.modes and moment.mode not in decision.modes:
        return f"only in mode {listed(decision.modes)}"
    return ""


def _span(hours: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in hours)
