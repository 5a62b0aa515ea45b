"""Looks through cameras: asked with a reason and a view, answered by the home; night rounds; who looked.

The browser makes the offer and gets the answer; the console carries both as commands of the contract, and
sees no picture. A lease that the page no longer renews runs out in the home.
"""

from __future__ import annotations

from collections.abc import Mapping

from homenode.console.rounds import Camera, Stop, queue, stops
from homenode.console.visit import Page, Visit
from homenode.contract.command import why_not_args
from homenode.listen.event import Reply
from homenode.web import Response, as_json

CARE = "care"
LINES = 300


async def look(visit: Visit) -> Response:
    """The page in front of a camera: nothing is asked of the home yet."""
    query = visit.request.query
    camera = _camera(visit, query.get("home", ""), query.get("camera", ""))
    if camera is None:
        return visit.nothing()
    stop = next((one for one in _stops(visit) if one.id == query.get("round") and one.camera == camera), None)
    case = visit.person.case(visit.room.board, query.get("for", ""))
    return visit.page("video.html", camera=camera, stop=stop, case=case, show="")


async def ask(visit: Visit) -> Response:
    """Carry the offer to the home, and its answer back."""
    asked = visit.json()
    args = {name: asked.get(name) for name in ("camera", "view", "reason", "sdp")}
    camera = _camera(visit, str(asked.get("home", "")), str(args["camera"]))
    if camera is None:
        return visit.nothing()
    if args["view"] not in camera.views or why_not_args("video", args):
        return visit.refuse(409, "video_wrong")
    reply = await visit.room.ask(CARE, camera.home, "video", visit.person.name, args)
    session = str(reply.result.get("session", "")) if reply is not None and reply.ok else ""
    known = {
        "party": CARE, "home": camera.home, "camera": camera.camera, "view": args["view"],
        "reason": args["reason"], "by": visit.person.name, "who": visit.person.id,
    }  # fmt: skip
    name = session or f"refused-{visit.now}"
    visit.room.record("looked", id=name, note=f"{args['view']}: {args['reason']}", **known)
    if not session:
        why = "no_answer" if reply is None else reply.why
        visit.room.record("look_ended", id=name, home=camera.home, why=why, by="", note=why)
        return as_json({"error": visit.t("no_answer") if reply is None else reply.why}, 409)
    assert reply is not None
    return as_json({name: reply.result.get(name) for name in ("session", "sdp", "until")})


async def renew(visit: Visit) -> Response:
    """The page is still there."""
    reply = await _of_session(visit, "renew")
    if reply is None:
        return visit.nothing()
    if not reply.ok:
        return as_json({"error": reply.why}, 409)
    return as_json({"until": reply.result.get("until")})


async def end(visit: Visit) -> Response:
    """The page says goodbye."""
    reply = await _of_session(visit, "end")
    return visit.nothing() if reply is None else as_json({"ok": reply.ok})


async def _of_session(visit: Visit, what: str) -> Reply | None:
    """None if it is not a look of this person that is on; a refused one has ended."""
    name = str(visit.json().get("session", ""))
    known = visit.room.board.looks.looks.get(name)
    if known is None or known.who != visit.person.id or known.ended:
        return None
    reply = await visit.room.ask(CARE, known.home, "video", known.by, {"session": name, what: True})
    if what == "end" or (reply is not None and not reply.ok):
        why = "ended" if what == "end" else (reply.why if reply else "")
        visit.room.record("look_ended", id=name, home=known.home, why=why, by=known.by, note=why)
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
    visit.room.record("round", id=stop.id, home=stop.camera.home, by=visit.person.name, note=note)
    await visit.room.written()
    return visit.redirect("/rounds")


async def views(visit: Visit) -> Response:
    """Who looked, when, why, which view, for how long."""
    person = visit.person
    if not person.acts_for(CARE):
        return visit.nothing()
    shown = [one for one in visit.room.board.looks.newest() if person.sees(one.party, one.home)]
    return visit.page("views.html", looks=shown[:LINES], show="")


def _camera(visit: Visit, home: str, camera: str) -> Camera | None:
    """One that is configured, in a home that this person cares for."""
    if not visit.person.sees(CARE, home):
        return None
    known = visit.room.settings.cameras
    return next((one for one in known if (one.home, one.camera) == (home, camera)), None)


def _stops(visit: Visit) -> list[Stop]:
    settings, person = visit.room.settings, visit.person
    mine = [camera for camera in settings.cameras if person.sees(CARE, camera.home)]
    return stops(mine, settings.timezone, visit.now)


ROUTES: Mapping[tuple[str, str], Page] = {
    ("GET", "/video"): look,
    ("POST", "/video/ask"): ask,
    ("POST", "/video/renew"): renew,
    ("POST", "/video/end"): end,
    ("GET", "/rounds"): rounds,
    ("POST", "/rounds/*"): gone,
    ("GET", "/views"): views,
}
