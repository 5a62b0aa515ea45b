"""The count after a soak test: journal, subscriber and apartment must tell one story (pure)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

UP_MS = 5000
"""Node, stick and pins must have worked so long before a trip that is judged."""
LASTS_MS = 10_000
"""A trip that is judged lasts at least so long."""
WITHIN_MS, LATE_MS = 2000, 10_000
"""How long after the rule's deadline an alert may come, and while the serial line is bad."""
HEARD_MS = 1000
"""A trip is on the disk so long after it."""
NEVER = 1 << 62
TOLD_LATER = ("stove_left_on",)
"""Rules whose alerts may end before anybody hears of them."""


@dataclass
class Trip:
    """Something that a rule must notice; wall times in ms."""

    device: str
    rule: str
    path: str
    hold_ms: int
    on: int
    off: int = NEVER


@dataclass
class Outage:
    """When something was not heard through `path`; `bridged`: rules go on over it (``node`` only)."""

    path: str
    begin: int
    end: int = NEVER
    bridged: bool = True


@dataclass
class Journal:
    """What `homenode journal show` says.

    Attributes:
        raised: Alert to its rule, and from when to when it was open.
        notified: Alerts of which a party was to be notified.
        messages: Id of each message to its party.
        readings: (point, value, wall ms) of each reading.
    """

    raised: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    notified: set[str] = field(default_factory=set)
    messages: dict[str, str] = field(default_factory=dict)
    readings: set[tuple[str, object, int]] = field(default_factory=set)


def read_journal(shown: str) -> Journal:
    """From the lines of `homenode journal show`.

    What happened while the clock was slow happened, for this count, when it was last right.
    """
    journal, latest = Journal(), 0
    for line in shown.splitlines():
        when, said = line.split(" ", 2)[1], line[line.index("{") :]
        if not any(f'"t": "{kind}"' in said for kind in ("tr", "msg", "r")):
            continue
        record = json.loads(said)
        if record["t"] == "msg":
            journal.messages[record["m"][1]] = record["m"][2]
            continue
        at = _ms(when)
        if record["t"] == "r":
            journal.readings.add((record["p"], record["v"], at))
            continue
        alert, at = record["alert"], max(at, latest)
        latest = at
        if record["event"] == "raised":
            journal.raised[alert] = (record["rule"], at, NEVER)
        elif record["event"] == "resolved":
            rule, begin, _ = journal.raised[alert]
            journal.raised[alert] = (rule, begin, at)
        elif record.get("do") == "notify":
            journal.notified.add(alert)
    return journal


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def unheard(journal: Journal, came: Iterable[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, object, int]]:
    """Readings in the journal that no subscriber got; `came`: (topic, body) of shared readings."""
    heard = {(".".join(topic.split("/")[-2:]), body["value"], _ms(body["at"])) for topic, body in came}
    return sorted(journal.readings - heard, key=lambda reading: reading[2])


def judged(
    trips: Sequence[Trip], outages: Sequence[Outage], late: Sequence[Outage], journal: Journal
) -> tuple[int, int, list[str]]:
    """How many trips were judged, how many of them over a restart, and which raised no alert in time."""
    open_: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for rule, begin, end in journal.raised.values():
        open_[rule].append((begin, end))
    count = restarted = 0
    missed = []
    for trip in trips:
        due = _due(trip, outages, late)
        if due is None or trip.off - trip.on < LASTS_MS or trip.off < due:
            continue
        count += 1
        restarted += any(o.path == "node" and trip.on < o.begin < due for o in outages)
        if not any(begin <= due and end >= trip.on for begin, end in open_[trip.rule]):
            text = datetime.fromtimestamp(trip.on / 1000).isoformat(timespec="milliseconds")
            missed.append(f"{trip.device} tripped {text} for {trip.off - trip.on} ms raised no {trip.rule}")
    return count, restarted, missed


def _due(trip: Trip, outages: Sequence[Outage], late: Sequence[Outage]) -> int | None:
    """When its alert must be there; None if nobody can have heard the trip."""
    node = [o for o in outages if o.path == "node"]
    mine = [o for o in outages if o.path in ("node", trip.path)]
    seen = trip.on
    if trip.path == "gpio":  # a level that lasts is seen whenever somebody looks
        while blind := _overlapping(mine, seen - UP_MS, seen + trip.hold_ms + WITHIN_MS):
            if (end := max(o.end for o in blind)) >= trip.off:
                return None
            seen = end + UP_MS + 1
    elif _overlapping(mine, seen - UP_MS, seen + HEARD_MS):
        return None
    slow = _overlapping(late, seen - UP_MS, seen + trip.hold_ms + WITHIN_MS)
    within_ms = LATE_MS if slow else WITHIN_MS
    due = seen + trip.hold_ms + within_ms
    if slow and _overlapping(mine, seen, due):
        return None  # it may have been under way
    while down := _overlapping(node, seen, due):
        if any(o.end == NEVER or not o.bridged for o in down):
            return None
        later = max(o.end for o in down) + within_ms
        if later <= due:
            break
        due = later
    return due


def _overlapping(outages: Sequence[Outage], begin: int, end: int) -> list[Outage]:
    return [o for o in outages if o.begin <= end and o.end >= begin]


_STORY = re.compile(r"(n+(an*)*)r?|(f+a?)+(r|$)")
"""One alert for one party: notified … acknowledged … (again: notified …) resolved; or a fault."""
_LETTERS = {"notified": "n", "acknowledged": "a", "resolved": "r", "fault": "f", "recovered": "r"}


def told_wrong(journal: Journal, came: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """What is wrong with the alerts that a subscriber got: (topic, body) as they came, repeats too."""
    first: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for topic, body in came:
        before = first.setdefault(body["id"], (topic, body))
        if before != (topic, body):
            yield f"{body['id']} came again with other contents"
    yield from (f"{one} is in the journal and never came" for one in journal.messages.keys() - first.keys())
    yield from (f"{one} came and is not in the journal" for one in first.keys() - journal.messages.keys())
    told = {body["data"]["alert"] for _, body in first.values() if body["data"]["event"] == "notified"}
    at_once = {alert for alert, (rule, _, _) in journal.raised.items() if rule not in TOLD_LATER}
    for alert in sorted((journal.notified | at_once) - told):
        yield f"{alert} was to be notified and was not"
    numbers, stories = defaultdict(list), defaultdict(list)
    for topic, body in first.values():
        numbers[topic].append(int(body["sequence"]))
        stories[topic, body["data"]["alert"]].append(body)
    for topic, given in numbers.items():
        if sorted(given) != list(range(1, len(given) + 1)):
            holes = sorted(set(range(1, max(given) + 1)) - set(given))
            yield f"{topic}: sequence has holes {holes[:9]} or places given twice"
    if len(epochs := {body["epoch"] for _, body in first.values()}) > 1:
        yield f"several epochs {epochs}"
    for (topic, alert), bodies in stories.items():
        order = [int(body["sequence"]) for body in bodies]
        if order != sorted(order):
            yield f"{topic} {alert}: came in the order {order}"
        story = "".join(_LETTERS[body["data"]["event"]] for body in bodies)
        if not _STORY.fullmatch(story):
            yield f"{topic} {alert}: told as {story}"
