"""What changes, to every open page as it happens: rows of the worklist, a case, the bar."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from homenode.console.case import Case
from homenode.console.desk_pages import pictures, rows_of, several
from homenode.console.video_pages import offers_of
from homenode.console.visit import Page, Visit
from homenode.console.worklist import Row, rows
from homenode.web import Response

PULSE_S = 5.0
"""So often a page hears something: without, it says that it is cut off."""
TOGETHER_S = 0.05
"""Between two pictures: a flood of alerts is not one of pages."""


async def events(visit: Visit) -> Response:
    """``/events?show=list``, ``?show=homes``, ``?show=case&key=…``, with the version that the page has."""
    return Response(type="text/event-stream", events=_events(visit), headers={"X-Accel-Buffering": "no"})


async def _events(visit: Visit) -> AsyncIterator[Mapping[str, Any]]:
    show, key = visit.request.query.get("show", ""), visit.request.query.get("key", "")
    home, seen = visit.request.query.get("home", ""), dict[str, object]()
    shown = int(asked) if (asked := visit.request.query.get("version", "")[:15]).isdecimal() else -1
    bar, called, offers = "", frozenset[str](), ""
    async with visit.room.news(visit.caller) as news:
        while not news.over:
            news.clear()
            if visit.pages.sign.known(visit.token, used=False) is None:
                yield {"ended": visit.t("signed_out")}
                return
            board, told = visit.room.board, dict[str, Any](now=visit.now)
            person = visit.person
            cases = person.cases(board)
            if show == "list":
                listed = rows_of(visit, home)
                told |= {"order": [row.key for row in listed], "rows": _rows(visit, listed, seen)}
            elif show == "homes" and (changed := _homes(visit, shown)):
                told |= changed
                shown = board.version
            elif show == "case" and (case := person.case(board, key)) and case.version > shown:
                told["case"], shown = visit.part("_case.html", case=case), case.version
                now_offers = visit.part("_offers.html", case=case, offers=offers_of(visit, case))
                if now_offers != offers:
                    offers = told["offers"] = now_offers
            part = "bar" if person.works else "pictures"
            now_bar = visit.part(f"_{part}.html", pictures=pictures(visit))
            if now_bar != bar:
                bar = told[part] = now_bar
            calls = {case.key: case for case in cases if case.calls}
            told["calls"] = len(calls)
            told["loud"] = bool(calls or any(person.acts_for(party) for party in board.deaf))
            new = calls.keys() - called
            listed = rows(cases, person.id) if new else []
            told["news"] = [_news(visit, calls[row.key]) for row in listed if row.key in new]
            called = frozenset(calls)
            yield told
            await asyncio.sleep(TOGETHER_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(PULSE_S):
                    await news.wait()


def _rows(visit: Visit, listed: list[Row], seen: dict[str, object]) -> dict[str, str]:
    """Those that changed since they were last sent."""
    changed = {}
    for row in listed:
        if seen.get(row.key) != row.version:
            seen[row.key] = row.version
            changed[row.key] = visit.part("_listed.html", row=row)
    return changed


def _homes(visit: Visit, shown: int) -> dict[str, Any]:
    """Those that changed since; nothing if none did."""
    homes = {f"{one.party}-{one.home}": one for one in visit.person.homes(visit.room.board)}
    more = several(visit)
    rows = {
        key: visit.part("_home.html", one=one, several=more)
        for key, one in homes.items()
        if one.version > shown
    }
    return {"order": list(homes), "rows": rows} if rows else {}


def _news(visit: Visit, case: Case) -> dict[str, str]:
    """For a notification of the browser: no more than who looks over a shoulder may read."""
    return {"key": case.key, "text": f"{visit.t(case.severity)}: {case.home}", "url": f"/alert/{case.key}"}


ROUTES: Mapping[tuple[str, str], Page] = {("GET", "/events"): events}
