"""The roster: who is on call when, and handing over."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from homenode.console.access import Person
from homenode.console.duty import LONGEST_MS, Shift, instant
from homenode.console.visit import Page, Visit
from homenode.errors import Refused
from homenode.web import Response


async def roster(visit: Visit) -> Response:
    """Who is on call when."""
    parties = _parties(visit)
    if not parties:
        return visit.nothing()
    board = visit.room.board
    on = {party: board.duty.on(party, visit.now) for party in parties}
    return visit.page(
        "duty.html", parties=parties, on=on,
        coming={party: [one for one in board.duty.of(party) if one.end > visit.now] for party in parties},
        covered={party: board.duty.covered_until(party, visit.now) for party in parties},
        people={party: _people(visit, party) for party in parties}, show="",
    )  # fmt: skip


async def enter(visit: Visit) -> Response:
    """A shift."""
    party, who = visit.field("party"), visit.field("who")
    people = _people(visit, party)
    if party not in _parties(visit) or who not in people:
        return visit.nothing()
    begin, end = _time(visit, "begin"), _time(visit, "end")
    if not 0 < end - begin <= LONGEST_MS:
        raise Refused("shift_wrong")
    _record(visit, Shift(secrets.token_hex(6), party, who, people[who].name, begin, end))
    await visit.room.written()
    return visit.redirect("/duty")


async def strike_out(visit: Visit) -> Response:
    """A shift that is not to be."""
    shift = visit.room.board.duty.shifts.get(visit.parts[0])
    if shift is None or shift.party not in _parties(visit):
        return visit.nothing()
    visit.room.record(
        "shift_off", id=shift.id, by=visit.person.name, name=shift.name, note="",
    )  # fmt: skip
    await visit.room.written()
    return visit.redirect("/duty")


async def hand_over(visit: Visit) -> Response:
    """What is left of one's shift goes to somebody else, with what one has in hand."""
    shift, now = visit.room.board.duty.shifts.get(visit.parts[0]), visit.now
    if shift is None or shift.party not in _parties(visit) or not shift.begin <= now < shift.end:
        return visit.nothing()
    people, to = _people(visit, shift.party), visit.field("who")
    if to not in people:
        return visit.nothing()
    note = visit.field("note", 1_000)
    _record(visit, Shift(secrets.token_hex(6), shift.party, to, people[to].name, now, shift.end, note))
    _record(visit, replace(shift, end=now))
    for case in visit.room.board.to_do():
        if case.party != shift.party or case.taken_id != shift.who:
            continue
        if people[to].sees(case.party, case.home):
            done = {"did": "take", "by": people[to].name, "who": to}
        else:  # it calls for somebody again, rather than lie with one who does not see it
            done = {"did": "release", "by": visit.person.name, "who": visit.person.id}
        by = visit.t("handed_over_by", name=shift.name)
        visit.room.record("did", key=case.key, home=case.home, note=by, **done)
    await visit.room.written()
    return visit.redirect("/duty")


def _record(visit: Visit, shift: Shift) -> None:
    visit.room.record(
        "shift", id=shift.id, party=shift.party, who=shift.who, name=shift.name, begin=shift.begin,
        end=shift.end, by=visit.person.name, note=shift.note,
    )  # fmt: skip


def _parties(visit: Visit) -> list[str]:
    return [party for party in visit.room.branches if visit.person.acts_for(party)]


def _people(visit: Visit, party: str) -> dict[str, Person]:
    """Who may be on duty: users of this console, and whoever signed in from elsewhere."""
    settings = visit.room.settings
    known = {
        user.id: Person(user.id, user.name, settings.grants(user.roles)) for user in settings.users.values()
    }
    for fact in visit.room.board.log:
        if fact["what"] == "signed_in" and not fact["local"]:
            known[fact["who"]] = Person(fact["who"], fact["by"], settings.grants(tuple(fact["roles"])))
    fit = [one for one in known.values() if one.acts_for(party)]
    return {one.id: one for one in sorted(fit, key=lambda one: one.name)}


def _time(visit: Visit, name: str) -> int:
    try:
        return instant(visit.field(name), visit.room.settings.timezone)
    except ValueError:
        raise Refused("shift_wrong") from None


ROUTES: Mapping[tuple[str, str], Page] = {
    ("GET", "/duty"): roster,
    ("POST", "/duty"): enter,
    ("POST", "/duty/*/off"): strike_out,
    ("POST", "/duty/*/hand-over"): hand_over,
}
