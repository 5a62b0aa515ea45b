"""Looks through cameras: asked with a reason and a view, answered by the home; night rounds; who looked.

The browser makes the offer and gets the answer; the console carries both as commands of the contract, and
sees no picture. A lease that the page no longer renews runs out in the home.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from homenode.config.model import VIEWS
from homenode.console.cameras import CARE, Camera, of_home, offered
from homenode.console.case import Case
from homenode.console.control_room import ANSWER_S
from homenode.console.looks import Look
from homenode.console.rounds import Stop, queue, stops
from homenode.console.shown import at_ms, readable, text_of
from homenode.console.visit import Page, Visit
from homenode.console.whys import in_words, why_of
from homenode.contract.command import why_not_args
from homenode.listen.event import Reply
from homenode.web import Response, as_json

LINES = 300
LONGEST_SESSION = 80
ASKED_S = 300.0 + ANSWER_S
"""The longest that a home gives its resident to answer, and for the camera after that."""


async def look(visit: Visit) -> Response:
    """The page in front of a camera: nothing is asked of the home yet."""
    query = visit.request.query
    home, name = query.get("home", ""), query.get("camera", "")
    camera = cameras_of(visit, home).get(name)
    stop = next((one for one in _stops(visit) if one.id == query.get("round")), None)
    if camera is None and stop is None:
        return visit.nothing()
    case = visit.person.case(visit.room.board, query.get("for", ""))
    return visit.page("video.html", home=home, of=name, camera=camera, stop=stop, case=case, show="")


async def ask(visit: Visit) -> Response:
    """Carry the offer to the home, and its answer back."""
    asked = visit.json()
    args = {name: asked.get(name) for name in ("camera", "view", "reason", "sdp")}
    camera = cameras_of(visit, str(asked.get("home", ""))).get(str(args["camera"]))
    if camera is None:
        return visit.nothing()
    if args["view"] not in VIEWS or why_not_args("video", args):
        return visit.refuse(409, "video_wrong")
    within_s = ASKED_S if camera.asks else ANSWER_S
    name, note = f"look-{secrets.token_hex(8)}", f"{args['view']}: {args['reason']}"
    visit.room.record(
        "looked", id=name, party=CARE, home=camera.home, camera=camera.camera, view=args["view"],
        reason=args["reason"], by=visit.person.name, who=visit.person.id, note=note,
        until=visit.now + int(within_s * 1000),
    )  # fmt: skip
    await visit.room.written()  # who looks is written down before they can
    reply = await visit.room.ask(CARE, camera.home, "video", visit.person.name, args, within_s)
    if reply is not None and reply.ok and not 0 < len(_session(reply)) <= LONGEST_SESSION:
        reply = None
    if reply is not None and reply.ok:
        about = {"by": visit.person.name, "note": "", "session": _session(reply)}
        until = at_ms(reply.result.get("until")) or visit.now
        visit.room.record("look_granted", id=name, home=camera.home, until=until, **about)
    else:
        _ended(visit, visit.room.board.looks.looks[name], why_of(reply))
    await visit.room.written()
    return _answered(visit, name, reply)


async def view(visit: Visit) -> Response:
    """The same look goes on in another view."""
    asked, known = visit.json(), _on(visit)
    if known is None:
        return visit.nothing()
    args = {"session": known.session, "view": asked.get("view"), "sdp": asked.get("sdp")}
    if args["view"] not in VIEWS or why_not_args("video", args):
        return visit.refuse(409, "video_wrong")
    reply = await visit.room.ask(CARE, known.home, "video", known.by, args)
    if reply is not None and reply.ok:
        about = {"home": known.home, "view": args["view"], "by": known.by, "note": args["view"]}
        visit.room.record("look_view", id=known.id, **about)
    return _answered(visit, known.id, reply)


def _answered(visit: Visit, name: str, reply: Reply | None) -> Response:
    if reply is None or not reply.ok:
        return _refused(visit, reply)
    return as_json({"session": name, "sdp": reply.result.get("sdp")})


def _refused(visit: Visit, reply: Reply | None) -> Response:
    return as_json({"error": readable(in_words(why_of(reply), visit.language))}, 409)


def _session(reply: Reply) -> str:
    return str(reply.result.get("session", ""))


def _ended(visit: Visit, look: Look, why: str, by: str = "") -> None:
    if not look.ended:  # while we waited for the home
        visit.room.record("look_ended", id=look.id, home=look.home, why=why, by=by, note=why)


async def renew(visit: Visit) -> Response:
    """The page is still there; one that is refused has ended."""
    known = _on(visit)
    if known is None:
        return visit.nothing()
    reply = await _ask(visit, known, "renew")
    if reply is None or not reply.ok:
        if reply is not None:
            _ended(visit, known, why_of(reply))
        return _refused(visit, reply)
    known.until = at_ms(reply.result.get("until")) or known.until
    warning = reply.result.get("warning")
    told = text_of({"text": warning}, visit.language) if isinstance(warning, dict) else ""
    return as_json({"warning": readable(told)})


async def end(visit: Visit) -> Response:
    """The page says goodbye."""
    known = _on(visit)
    if known is None:
        return visit.nothing()
    reply = await _ask(visit, known, "end")
    done = reply is not None and reply.ok
    _ended(visit, known, "ended" if done else why_of(reply), known.by if done else "")
    return as_json({"ok": done})


def _on(visit: Visit) -> Look | None:
    """The look that is meant, if it is this person's and goes on."""
    known = visit.room.board.looks.looks.get(str(visit.json().get("session", "")))
    if known is None or known.who != visit.person.id or known.ended or not known.session:
        return None
    return known


async def _ask(visit: Visit, look: Look, what: str) -> Reply | None:
    return await visit.room.ask(CARE, look.home, "video", look.by, {"session": look.session, what: True})


async def rounds(visit: Visit) -> Response:
    """What is to be looked at, one home after the other."""
    if not visit.person.acts_for(CARE):
        return visit.nothing()
    found, gone = _stops(visit), visit.room.board.looks.rounds
    due = queue(found, gone, visit.now)
    coming = [stop for stop in found if stop.at > visit.now]
    done = [(stop, *gone[stop.id]) for stop in found if stop.id in gone]
    return visit.page("rounds.html", due=due, coming=coming, done=done, show="")


async def gone(visit: Visit) -> Response:
    """One stop is seen to; on to the next."""
    stop = next((one for one in _stops(visit) if one.id == visit.parts[0]), None)
    if stop is None:
        return visit.nothing()
    note = visit.field("note", 1_000)
    if visit.field("skip") and not note:
        return visit.refuse(409, "note_first", _page_of(stop))
    visit.room.record("round", id=stop.id, home=stop.round.home, by=visit.person.name, note=note)
    await visit.room.written()
    return visit.redirect(_next(visit))


async def views(visit: Visit) -> Response:
    """Who looked, when, why, which view, for how long."""
    person = visit.person
    if not person.acts_for(CARE):
        return visit.nothing()
    shown = [one for one in visit.room.board.looks.newest() if person.sees(one.party, one.home)]
    return visit.page("views.html", looks=shown[:LINES], show="")


def cameras_of(visit: Visit, home: str) -> dict[str, Camera]:
    """Those that this person may ask for, as the home says."""
    if not visit.person.sees(CARE, home):
        return {}
    return of_home(visit.room.board, home, visit.room.settings.timezone, visit.now)


def offers_of(visit: Visit, case: Case) -> list[Camera]:
    """Those through which a case's home offers a look; what is seen to is no reason for one."""
    if not case.to_do:
        return []
    return offered(cameras_of(visit, case.home), case.body["data"].get("offers"))


def _stops(visit: Visit) -> list[Stop]:
    settings, person = visit.room.settings, visit.person
    mine = [one for one in settings.rounds if person.sees(CARE, one.home)]
    return stops(mine, settings.timezone, visit.now)


def _next(visit: Visit) -> str:
    """Where the queue goes on: the page of the next home, or that there is none."""
    due = queue(_stops(visit), visit.room.board.looks.rounds, visit.now)
    return _page_of(due[0]) if due else "/rounds"


def _page_of(stop: Stop) -> str:
    return f"/video?home={stop.round.home}&camera={stop.round.camera}&round={stop.id}"


ROUTES: Mapping[tuple[str, str], Page] = {
    ("GET", "/video"): look,
    ("POST", "/video/ask"): ask,
    ("POST", "/video/view"): view,
    ("POST", "/video/renew"): renew,
    ("POST", "/video/end"): end,
    ("GET", "/rounds"): rounds,
    ("POST", "/rounds/*"): gone,
    ("GET", "/views"): views,
}
