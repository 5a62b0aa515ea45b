"""What the node knows → what the panel shows, in words (pure).

The only green is "all is off and shut", and it needs every thing to be known so (`headline`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from homenode.panel.things import Known, Quiet, State, Thing, state_of
from homenode.panel.words import DAYS, LANGUAGES, say, word_of

Picture = dict[str, Any]

NIGHT_H = (21, 7)
"""Hours from and to which the panel is dark, whatever the mode."""
OUT = ("away", "hospital")
AT_HOME = ("home", "night")
SEVERITIES = ("alarm", "warning", "info")


def picture(told: Mapping[str, Any], quiet: Quiet, language: str) -> Picture:
    """One picture.

    Args:
        told: What the node answers to ``panel`` (`homenode.gateway.panel`).
        quiet: Of this follower of the node, and no other.
    """
    language = language if language in LANGUAGES else told["language"]
    things = [thing_of(row) for row in told["things"]]
    known = {
        point: Known(*one)
        for row in told["things"]
        for point, one in zip(row["points"], row["known"], strict=True)
    }
    known = quiet.look(things, known, told["now"])
    tiles = [tile(thing, state_of(thing, known), language) for thing in things]
    at = datetime.fromisoformat(told["at"])
    alerts = sorted(told["alerts"], key=lambda one: SEVERITIES.index(one["severity"]))
    return {
        "language": language,
        "clock": f"{at:%H:%M}" if told["clock"] else "",
        "day": DAYS[language][at.weekday()] if told["clock"] else "",
        "night": told["mode"] == "night" or bool(told["clock"] and is_night(at.hour)),
        "headline": headline(
            tiles, language, out=told["mode"] in OUT, alerted=any(one["severity"] != "info" for one in alerts)
        ),
        "tiles": tiles,
        "alerts": [_alert(one, language) for one in alerts],
        "answerable": told["answerable"],
        "mode": _mode(told["mode"], language),
        "notes": _notes(told, language),
        "camera": _camera(told, language) if told["cameras"] or told["looks"]["log"] else None,
    }


def thing_of(row: Mapping[str, Any]) -> Thing:
    """As the node tells it."""
    fields = {name: row[name] for name in ("symbol", "called", "room", "name", "above", "hold_ms")}
    return Thing(points=tuple(row["points"]), **fields)


def headline(
    tiles: Sequence[Mapping[str, Any]], language: str, *, out: bool, alerted: bool
) -> dict[str, str]:
    """The one sentence that is read at 3 m, and what there is to see to.

    Args:
        out: The resident has left, or is about to.
        alerted: An alarm or a warning is open: no green above a smoke alarm.
    """
    rows = [row for row in tiles if row["state"] != "off"]
    if tiles and not rows and not alerted:
        return {"state": "off", "text": say("all_off", language), "more": ""}
    on = alerted or any(row["state"] == "on" for row in rows)
    key = "before_you_go" if out and rows else "see_to" if on else "not_sure" if tiles else "nothing"
    more = " · ".join(f"{row['name']}: {row['word']}" for row in rows)
    return {"state": "on" if on else "unknown", "text": say(key, language), "more": more}


def to_see_to(shown: Picture) -> str:
    """What is said to who leaves; "" if there is nothing."""
    rows = [row for row in shown["tiles"] if row["state"] != "off"]
    if not rows:
        return ""
    told = [f"{row['name']}, {row['room']}: {row['word']}." for row in rows]
    return " ".join([f"{say('before_you_go', shown['language'])}:", *told])


def is_night(hour: int) -> bool:
    """Whether people sleep at this hour."""
    first, end = NIGHT_H
    return hour >= first or hour < end


def tile(thing: Thing, state: State, language: str) -> dict[str, str]:
    """How a thing is shown."""
    return {
        "key": thing.points[0],
        "symbol": thing.symbol,
        "state": "unknown" if state is State.JUST else state.value,
        "name": thing.name or say(thing.called, language),
        "room": thing.room,
        "word": word_of(thing.symbol, state, language),
    }


def _alert(one: Mapping[str, Any], language: str) -> dict[str, Any]:
    text = one["text"].get(language) or next(iter(one["text"].values()), one["alert"])
    state = ""
    if one["acknowledged"]:
        state = "answered" if one["answered"] else "seen_to"
    elif one["told"]:
        state = "told" if "care" in one["told"] else "told_property"
    elif one["answered"]:
        state = "answered_alarm" if "care" in one["to"] else "answered"
    elif not one["may_answer"] and "care" in one["to"]:
        state = "will_be_told"
    return {
        "key": one["alert"],
        "severity": one["severity"],
        "text": text,
        "state": say(state, language) if state else "",
        "may_answer": one["may_answer"],
    }


def _mode(mode: str, language: str) -> dict[str, Any]:
    named = f"mode_{mode}"
    text = say(named, language) if mode in (*OUT, "visit") else say("mode_other", language, mode=mode)
    if mode in AT_HOME:
        text = ""
    elif mode == "service":
        text = say("service", language)
    return {"text": text, "leave": mode not in OUT, "back": mode not in AT_HOME}


def _notes(told: Mapping[str, Any], language: str) -> list[str]:
    return [say("no_link", language)] if told["link"] == "down" else []


def _camera(told: Mapping[str, Any], language: str) -> dict[str, Any]:
    looks = told["looks"]
    rows = [_look(one, language) for one in looks["sessions"]]
    if any(row["state"] in ("granted", "live") for row in rows):
        state = "camera_on"
    else:
        state = "camera_ending" if any(row["state"] == "ended" for row in rows) else "camera_off"
    entries = [
        row
        for entry in reversed(looks["log"])
        if (row := _entry(entry, told["cameras"], language)) is not None
    ]
    return {
        "on": state == "camera_on",
        "text": say(state, language),
        "looks": [row for row in rows if row["state"] != "ended"],
        "log": entries,
        "nobody": say("nobody_looked", language),
    }


def _look(one: Mapping[str, Any], language: str) -> dict[str, Any]:
    asked = one["state"] == "asked"
    by = _by(one, language)
    room = one["room"]
    return {
        "key": one["session"],
        "state": one["state"],
        "asked": asked,
        "text": say("may_look" if asked else "looks", language, by=by, room=room),
        "more": [
            say("why", language, reason=one["reason"]),
            say("how", language, view=say(one["view"], language)),
            *([] if asked else [say("until", language, time=one["until"][11:16])]),
        ],
    }


def _entry(entry: Mapping[str, Any], cameras: Mapping[str, str], language: str) -> dict[str, str] | None:
    """A line of the log that says something to the resident; None for what is only a step on the way."""
    if entry["event"] not in ("refused", "ended"):
        return None
    room = cameras.get(entry["camera"], entry["camera"])
    view = (
        say(entry["view"], language) if entry["view"] in ("silhouette", "blurred", "clear") else entry["view"]
    )
    seen = entry.get("from")
    what = "not_allowed" if entry["event"] == "refused" else "looked" if seen else "saw_nothing"
    why = {"stopped": "you_stopped", "refused": "you_refused", "unanswered": "no_answer"}.get(
        entry.get("why", ""), ""
    )
    day, first = entry["at"][:10], (seen or entry["at"])[11:16]
    last = entry["to"][11:16] if seen else first
    text = say(what, language, by=_by(entry, language), room=room, view=view)
    reason = say("why", language, reason=entry["reason"])
    return {
        "key": str(entry["n"]),
        "when": f"{day} {first}" + (f"–{last}" if last != first else ""),
        "text": text,
        "more": f"{reason} · {say(why, language)}" if why else reason,
    }


def _by(one: Mapping[str, Any], language: str) -> str:
    return say("by_care", language, by=one["by"]) if one["party"] == "care" else str(one["by"])
