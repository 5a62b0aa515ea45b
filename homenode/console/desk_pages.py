"""The worklist, a case, homes, the log, and the small picture for a relative."""

from __future__ import annotations

import re
from collections.abc import Mapping

from homenode.config.model import HOME_ID
from homenode.console.case import ACTIONS, LONGEST_NOTE
from homenode.console.plot import plot
from homenode.console.shown import Pictured, pictured
from homenode.console.video_pages import cameras_of, offers_of
from homenode.console.visit import Page, Visit
from homenode.console.worklist import MOST_ALONE, MOST_OF_HOME, MOST_ON_WALL, Row, rows
from homenode.listen.told import ALL
from homenode.web import Response

LINES = 500


async def worklist(visit: Visit) -> Response:
    """What is to be done, the worst first; of one home with `home`."""
    if not visit.person.works:
        return visit.page("picture.html", pictures=pictures(visit), show="")
    home = visit.request.query.get("home", "")
    if home and not re.fullmatch(HOME_ID, home):
        return visit.nothing()
    show = f"list&home={home}" if home else "list"
    return visit.page("list.html", rows=rows_of(visit, home), home=home, show=show)


def rows_of(visit: Visit, home: str) -> list[Row]:
    """The worklist of this person, or what they have of one home."""
    person = visit.person
    cases = person.cases(visit.room.board)
    if not home:
        return rows(cases, person.id, MOST_ON_WALL if person.screen else MOST_OF_HOME)
    return rows([case for case in cases if case.home == home], person.id, MOST_ALONE)


async def alert(visit: Visit) -> Response:
    """One case."""
    case = visit.person.case(visit.room.board, visit.parts[0])
    if case is None:
        return _not_theirs(visit, f"/alert/{visit.parts[0]}")
    others = [one for one in visit.room.board.of_home(case.party, case.home) if one is not case][:20]
    cameras, offers = cameras_of(visit, case.home), offers_of(visit, case)
    show = f"case&key={case.key}&version={case.version}"
    drawing = plot(case, visit.language)
    return visit.page(
        "alert.html", case=case, others=others, cameras=cameras, offers=offers, show=show, drawing=drawing
    )


async def act(visit: Visit) -> Response:
    """Do something with a case."""
    key, what = visit.parts
    case = visit.person.case(visit.room.board, key)
    if case is None or what not in ACTIONS:
        return _not_theirs(visit, f"/alert/{key}/{what}")
    note = visit.field("note", LONGEST_NOTE)
    if what in ("close", "note") and not note:
        return visit.refuse(409, "note_first", f"/alert/{key}")
    await visit.room.act(visit.person, case, what, note)
    return visit.redirect("/" if visit.field("back") == "list" else f"/alert/{key}")


async def homes(visit: Visit) -> Response:
    """All homes: link, health, open faults, what is blind."""
    if not visit.person.works:
        return visit.nothing()
    found = visit.person.homes(visit.room.board)
    show = f"homes&version={visit.room.board.version}"
    return visit.page("homes.html", homes=found, several=several(visit), show=show)


def several(visit: Visit) -> bool:
    """Whether it has to be said for which party a home is there."""
    return sum(visit.person.acts_for(party) for party in visit.room.branches) > 1


async def home(visit: Visit) -> Response:
    """One home, for who works with it or is related to who lives there."""
    name, person, board = visit.parts[0], visit.person, visit.room.board
    if not re.fullmatch(HOME_ID, name):
        return visit.nothing()
    known = [one for one in person.homes(board) if one.home == name]
    if known:
        cases = [case for one in known for case in board.of_home(one.party, one.home)]
        cameras = cameras_of(visit, name)
        return visit.page("home.html", home=name, known=known, cameras=cameras, cases=cases[:100], show="")
    if person.related(name):
        return visit.page("picture.html", pictures={name: _picture(visit, name)}, show="")
    return _not_theirs(visit, f"/home/{name}")


def pictures(visit: Visit) -> dict[str, Pictured]:
    """What a relative sees of each home."""
    names = sorted({home for grant in visit.person.grants for home in grant.homes or ()})
    return {name: _picture(visit, name) for name in names if visit.person.related(name)}


def _picture(visit: Visit, home: str) -> Pictured:
    board = visit.room.board
    known = board.homes.get(("care", home))
    if known is None or "care" in board.deaf:
        return Pictured("unknown")
    return pictured(known, board.of_home("care", home), visit.language, visit.now)


async def log(visit: Visit) -> Response:
    """Who did what, in the homes that one works with."""
    person = visit.person
    if not person.works:
        return visit.nothing()

    def theirs(home: str) -> bool:
        return any(person.sees(party, home) for party in visit.room.branches)

    facts = [fact for fact in reversed(visit.room.board.log) if theirs(fact.get("home", ALL))]
    return visit.page("log.html", facts=facts[:LINES], cases=visit.room.board.cases, show="")


def _not_theirs(visit: Visit, what: str) -> Response:
    """Told as if it was not there, and noted: somebody may be trying."""
    visit.room.record("refused", by=visit.person.name, who=visit.person.id, note=what[:200])
    return visit.nothing()


ROUTES: Mapping[tuple[str, str], Page] = {
    ("GET", "/"): worklist,
    ("GET", "/alert/*"): alert,
    ("POST", "/alert/*/*"): act,
    ("GET", "/homes"): homes,
    ("GET", "/home/*"): home,
    ("GET", "/log"): log,
}
