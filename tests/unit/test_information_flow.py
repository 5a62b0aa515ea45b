"""Who learns what, over random homes and days: what a party may not know changes no byte of what it gets."""

from __future__ import annotations

import json
from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

import pytest

from homenode.config.model import PARTIES
from tests.unit.flow import ZONE, Run
from tests.unit.flow_home import MIN, START, Day, Draw, heard_by
from tests.unit.flow_known import WHO_IS_HOME, Known, kind

DAYS = 25
TRIES = 4
"""Other days that each day is compared with."""


def shared(day: Day, party: str) -> set[str]:
    """Points that are shared with the party at some time of the day."""
    if party == "operator":
        return set()
    patterns = [pattern for share in day.shares() for pattern in share.get(party, ())]
    return {point for point in day.points() if any(fnmatchcase(point, pattern) for pattern in patterns)}


def hidden(day: Day, party: str) -> list[str]:
    """Points that rules for the party read, and of which it is told no value."""
    read = {point for rule in day.rules if party in rule.to for point in rule.points}
    return sorted(p for p in read - shared(day, party) if party == "property" and kind(p) in WHO_IS_HOME)


@pytest.mark.parametrize("party", PARTIES)
def test_what_a_party_may_not_know_changes_no_byte_that_it_gets(party: str) -> None:
    """Two days that are one for all that the party may know, and differ in everything else."""
    same = 0
    for seed in range(DAYS):
        draw = Draw(seed)
        day = draw.day()
        run = Run(day)
        known, secret = Known(run, party).all, sorted(set(day.points()) - shared(day, party))
        others = [draw.renamed(day, party), draw.disturbed(day, hidden(day, party), ways=("value", "time"))]
        for _ in range(TRIES):
            some = draw.random.sample(secret, min(len(secret), draw.pick((1, 1, 2, 9))))
            others.append(draw.disturbed(day, some))
        for other in others:
            again = Run(other)
            if other != day and Known(again, party).all == known:
                same += 1
                assert again.got[party] == run.got[party], seed
    assert same > DAYS, "too few of the days can be compared"


@pytest.mark.parametrize("party", PARTIES)
def test_points_that_are_none_of_a_partys_change_no_byte_that_it_gets(party: str) -> None:
    """What feeds no rule of the party's, and is not shared, may say anything: told is only a fault's end."""
    compared = 0
    for seed in range(DAYS, 3 * DAYS):
        draw = Draw(seed)
        day = draw.day()
        mine = [
            rule
            for rule in day.rules
            if party == "operator" or party in (*rule.to, *day.audience(rule)) or day.sets_mode(rule)
        ]
        read = {point for rule in mine for point in rule.points}
        secret = sorted(set(day.points()) - shared(day, party) - read)
        other = draw.disturbed(day, secret, ways=("value",))
        run, again = Run(day), Run(other)
        if other != day and Known(run, party).health == Known(again, party).health:
            compared += 1
            assert again.got[party] == run.got[party], seed
    assert compared > DAYS // 4, "too few of the days can be compared"


@pytest.mark.parametrize("party", PARTIES)
def test_no_mark_of_what_is_not_a_partys_stands_in_any_byte_that_it_gets(party: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(3 * DAYS, 8 * DAYS):
        day = Draw(seed).day()
        run = Run(day)
        known = Known(run, party)
        told = "\n".join(f"{topic} {payload.decode()}" for topic, payload, _ in run.got[party])
        for topic, payload, _ in run.got[party]:
            if topic.endswith("/alerts"):
                no_more_is_said_than_shown(json.loads(payload)["data"])
        for mark, what in marks(day, run, known, party):
            assert mark not in told, (seed, what, mark)
            seen[what] += 1
    expected = {"value", "time", "point", "alert", "person", "fault"}
    if party == "operator":  # it hears of every fault, and which points blind a rule
        expected -= {"point", "fault"}
    assert {what for what, times in seen.items() if times >= DAYS} >= expected, seen


def no_more_is_said_than_shown(data: dict[str, Any]) -> None:
    """The sentence speaks of those points only that are shown with their quality."""
    shown = [one for one in data["evidence"] if "quality" in one]
    parts = [part for part in data.get("why", {}).get("en", "").split("; ") if part]
    assert len(parts) == min(len(shown), 8), data


def marks(day: Day, run: Run, known: Known, party: str) -> list[tuple[str, str]]:
    """What gives away that something leaked, and what that is."""
    granted = json.dumps(known.all, default=str)
    found = []
    evident = {point for rule in day.rules if party in rule.to for point in rule.points}
    if party == "property":
        evident = {point for point in evident if kind(point) not in WHO_IS_HOME}
    mine = shared(day, party)
    for one in day.inputs:
        if one.what == "reading" and one.data[0] not in mine:
            point, value = one.data
            if isinstance(value, float) and point not in evident:
                found.append((str(value), "value"))
            if str(one.at) not in granted and one.at > START + MIN:
                found.append((ZONE.text(one.at), "time"))
        if one.what == "ack" and one.data[0] != party:
            found.append((one.data[2], "person"))
        if one.what == "fault" and party not in heard_by(one):
            found.append((one.data[2], "fault"))
    named = {point for rule in day.rules if party in day.audience(rule) | {*rule.to} for point in rule.points}
    if party != "operator":
        found += [(point.replace(".", "/"), "point") for point in day.points() if point not in mine]
        found += [(point, "point") for point in day.points() if point not in mine | named]
    found += [(f"was sent to {other}", "answer") for other in PARTIES if other != party]
    for alert in {call.args[0].alert for call in run.calls if call.what == "transition"}:
        if alert not in known.alerts and alert not in granted:
            found.append((f'"{alert}"', "alert"))
    return found
