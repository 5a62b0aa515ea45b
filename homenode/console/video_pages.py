"""Looks through cameras: asked with a reason and a view, answered by the home; night rounds; who looked.

The browser makes the offer and gets the answer; the console carries both as commands of the contract, and
sees no picture. A lease that the page no longer renews runs out in the home.
"""

from __future__ import annotations

from collections.abc import Mapping

from homenode.config.model import VIEWS
from homenode.console.cameras import CARE, Camera, of_home, offered
from homenode.console.case import Case
from homenode.console.control_room import ANSWER_S
from homenode.console.looks import Look
from homenode.console.rounds import Stop, queue, stops
from homenode.console.shown import at_ms, readable, text_of
from homenode.console.visit import Page, Visit
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
    reply = await visit.room.ask(CARE, camera.home, "video", visit.person.name, args, within_s)
    session = str(reply.result.get("session", "")) if reply is not None and reply.ok else ""
    taken = visit.room.board.looks.looks.get(session)
    if len(session) > LONGEST_SESSION or (taken is not None and taken.home != camera.home):
        reply, session = None, ""  # another home's look is not written over
    known = {
        "party": CARE, "home": camera.home, "camera": camera.camera, "view": args["view"],
        "reason": args["reason"], "by": visit.person.name, "who": visit.person.id,
    }  # fmt: skip
    name = session or f"refused-{visit.now}"
    until = visit.now if reply is None else at_ms(reply.result.get("until")) or visit.now
    visit.room.record("looked", id=name, note=f"{args['view']}: {args['reason']}", until=until, **known)
    if not session:
        why = "no_answer" if reply is None else reply.why
        visit.room.record("look_ended", id=name, home=camera.home, why=why, by="", note=why)
    await visit.room.written()  # who looks is written down before they do
    return _answered(visit, reply)


async def view(visit: Visit) -> Response:
    """The same look goes on in another view."""
    asked, known = visit.json(), _on(visit)
    if known is None:
        return visit.nothing()
    args = {name: asked.get(name) for name in ("session", "view", "sdp")}
    if args["view"] not in VIEWS or why_not_args("video", args):
        return visit.refuse(409, "video_wrong")
    reply = await visit.room.ask(CARE, known.home, "video", known.by, args)
    if reply is not None and reply.ok:
        about = {"home": known.home, "view": args["view"], "by": known.by, "note": args["view"]}
        visit.room.record("look_view", id=known.id, **about)
    return _answered(visit, reply)


def _answered(visit: Visit, reply: Reply | None) -> Response:
    if reply is None or not reply.ok:
        return as_json({"error": visit.t("no_answer") if reply is None else reply.why}, 409)
    return as_json({name: reply.result.get(name) for name in ("session", "sdp", "until")})


async def renew(visit: Visit) -> Response:
    """The page is still there."""
    reply = await _of_session(visit, "renew")
    if reply is None:
        return visit.nothing()
    if not reply.ok:
        return as_json({"error": reply.why}, 409)
    warning = reply.result.get("warning")
    told = text_of({"text": warning}, visit.language) if isinstance(warning, dict) else ""
    return as_json({"until": reply.result.get("until"), "warning": readable(told)})


async def end(visit: Visit) -> Response:
    """The page says goodbye."""
    reply = await _of_session(visit, "end")
    return visit.nothing() if reply is None else as_json({"ok": reply.ok})


def _on(visit: Visit) -> Look | None:
    """The look that is meant, if it is this person's and goes on."""
    known = visit.room.board.looks.looks.get(str(visit.json().get("session", "")))
    return known if known is not None and known.who == visit.person.id and not known.ended else None


async def _of_session(visit: Visit, what: str) -> Reply | None:
    """None if there is none that goes on; a refused one has ended."""
    known = _on(visit)
    if known is None:
        return None
    reply = await visit.room.ask(CARE, known.home, "video", known.by, {"session": known.id, what: True})
    if what == "renew" and reply is not None and reply.ok:
        known.until = at_ms(reply.result.get("until")) or known.until
    elif what == "end" or (reply is not None and not reply.ok):
        why = "ended" if what == "end" else (reply.why if reply else "")
        visit.room.record("look_ended", id=known.id, home=known.home, why=why, by=known.by, note=why)
    return reply or Reply("", False, visit.t("no_answer"))


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
        return visit.refuse(409, "note_first")
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
    """Those through which a case's home offers a look."""
    return offered(cameras_of(visit, case.home), case.body["data"].get("offers"))


def _stops(visit: Visit) -> list[Stop]:
    settings, person = visit.room.settings, visit.person
    mine = [one for one in settings.rounds if person.sees(CARE, one.home)]
    return stops(mine, settings.timezone, visit.now)


def _next(visit: Visit) -> str:
    """Where the queue goes on: the page of the next home, or that there is none."""
    due = queue(_stops(visit), visit.room.board.looks.rounds, visit.now)
    if not due:
        return "/rounds"
    return f"/video?home={due[0].round.home}&camera={due[0].round.camera}&round={due[0].id}"


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
