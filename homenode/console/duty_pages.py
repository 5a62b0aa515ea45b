"""The roster: who is on call when, and handing over."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from homenode.console.duty import LONGEST_MS, Shift
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
    mine = [shift for shifts in on.values() for shift in shifts if shift.who == visit.person.id]
    return visit.page(
        "duty.html", parties=parties, on=on, mine=mine,
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
    _record(visit, Shift(secrets.token_hex(6), party, who, people[who], begin, end))
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
    shift, now, person = visit.room.board.duty.shifts.get(visit.parts[0]), visit.now, visit.person
    if shift is None or shift.party not in _parties(visit) or not shift.begin <= now < shift.end:
        return visit.nothing()
    people, to = _people(visit, shift.party), visit.field("who")
    if to not in people:
        return visit.nothing()
    note = visit.field("note", 1_000)
    _record(visit, Shift(secrets.token_hex(6), shift.party, to, people[to], now, shift.end, note))
    _record(visit, replace(shift, end=now))
    for case in person.cases(visit.room.board):
        if case.party == shift.party and case.taken_id == shift.who:
            visit.room.record(
                "did", key=case.key, did="take", by=people[to], who=to, home=case.home,
                note=visit.t("handed_over_by", name=shift.name),
            )  # fmt: skip
    await visit.room.written()
    return visit.redirect("/duty")


def _record(visit: Visit, shift: Shift) -> None:
    visit.room.record(
        "shift", id=shift.id, party=shift.party, who=shift.who, name=shift.name, begin=shift.begin,
        end=shift.end, by=visit.person.name, note=shift.note,
    )  # fmt: skip


def _parties(visit: Visit) -> list[str]:
    return [party for party in visit.room.branches if visit.person.acts_for(party)]


def _people(visit: Visit, party: str) -> dict[str, str]:
    """Who may be on duty: users of this console, and whoever signed in from elsewhere."""
    settings = visit.room.settings

    def fits(roles: tuple[str, ...]) -> bool:
        return any(grant.role == party for grant in settings.grants(roles))

    people = {user.id: user.name for user in settings.users.values() if fits(user.roles)}
    for fact in visit.room.board.log:
        if fact["what"] == "signed_in" and not fact["local"] and fits(tuple(fact["roles"])):
            people[fact["who"]] = fact["by"]
    return dict(sorted(people.items(), key=lambda pair: pair[1]))


def _time(visit: Visit, name: str) -> int:
    """Of a field `datetime-local`, which knows no zone: that of the console is meant."""
    try:
        naive = datetime.fromisoformat(visit.field(name))
    except ValueError:
        raise Refused("shift_wrong") from None
    return int(naive.replace(tzinfo=ZoneInfo(visit.room.settings.timezone)).timestamp() * 1000)


ROUTES: Mapping[tuple[str, str], Page] = {
    ("GET", "/duty"): roster,
    ("POST", "/duty"): enter,
    ("POST", "/duty/*/off"): strike_out,
    ("POST", "/duty/*/hand-over"): hand_over,
}
