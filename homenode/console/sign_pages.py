"""Signing in, with a password or by somebody else's word, and out."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from homenode.console.case import LONGEST_NOTE
from homenode.console.signin import Session
from homenode.console.visit import Page, Visit
from homenode.errors import Refused
from homenode.web import Response

log = logging.getLogger("homenode.console")

BACK = "/sign-in/back"
FLOW_S = 600
"""So long somebody may take to sign in elsewhere."""


async def form(visit: Visit) -> Response:
    """Where one signs in."""
    if visit.session is not None:
        return visit.redirect("/")
    elsewhere = visit.pages.elsewhere if "out" in visit.request.query else None
    out = "" if elsewhere is None else await elsewhere.out(visit.now)
    return visit.page("sign_in.html", why="", user="", out=out)


def first(visit: Visit) -> Response:
    """One has to sign in. What was to be done is not done by itself afterwards; what was written is shown."""
    if visit.request.method == "GET":
        return visit.redirect("/sign-in")
    note = visit.field("note", LONGEST_NOTE)
    return visit.page("sign_in.html", 401, why="ended_midway", user="", note=note)


async def sign_in(visit: Visit) -> Response:
    """A name and a password."""
    user = visit.field("user", 64)
    right = await visit.pages.sign.password(user, visit.field("password", 500), visit.address)
    if right is None:
        return visit.page("sign_in.html", 429, why="too_many", user=user)
    if not right:
        known_name = user if user in visit.room.settings.users else "?"  # it may be a password
        visit.room.record("sign_in_failed", who=known_name, by="", note=visit.address)
        return visit.page("sign_in.html", 403, why="wrong_password", user=user)
    known = visit.room.settings.users[user]
    return begin(visit, user, known.name, (), local=True)


def begin(visit: Visit, who: str, name: str, roles: tuple[str, ...], *, local: bool) -> Response:
    """Signed in: with a new token, whatever the browser brought."""
    if visit.session:
        _end(visit, visit.session)
    token, kept = visit.pages.sign.begin(who, name, roles, local=local)
    visit.room.record("signed_in", **kept, note=visit.address)
    visit.set_cookie(visit.cookie, token, visit.room.settings.session_ms // 1000)
    return visit.redirect("/")


async def sign_out(visit: Visit) -> Response:
    """The session ends here, not only in the browser; that of a provider is the provider's."""
    session = visit.session
    if session is not None:
        if not visit.is_own_form():
            return visit.refuse(403, "other_page")
        _end(visit, session)
    visit.set_cookie(visit.cookie, "", 0)
    return visit.redirect("/sign-in" if session is None or session.local else "/sign-in?out=1")


def _end(visit: Visit, session: Session) -> None:
    hashed = visit.pages.sign.end(visit.token)
    visit.room.record("signed_out", who=session.who, by=session.name, hash=hashed, note=visit.address)


async def away(visit: Visit) -> Response:
    """Off to the provider."""
    if visit.pages.elsewhere is None:
        return visit.nothing()
    try:
        token, to = await visit.pages.elsewhere.begin(f"{visit.url}{BACK}", visit.now)
    except Refused as error:
        return _refused(visit, error)
    visit.set_cookie(f"{visit.cookie}-flow", token, FLOW_S)
    return visit.redirect(to)


async def back(visit: Visit) -> Response:
    """Back from it."""
    if visit.pages.elsewhere is None:
        return visit.nothing()
    token = visit.request.cookies.get(f"{visit.cookie}-flow", "")
    try:
        known = await visit.pages.elsewhere.end(token, visit.request.query, f"{visit.url}{BACK}", visit.now)
    except Refused as error:
        visit.room.record("sign_in_failed", who="", by="", note=visit.address)
        return _refused(visit, error)
    return begin(visit, known.id, known.name, known.roles, local=False)


def _refused(visit: Visit, error: Refused) -> Response:
    log.warning("sign-in elsewhere failed", extra={"why": str(error)})
    return visit.page("sign_in.html", 403, why=error.what, user="")


ROUTES: Mapping[tuple[str, str], Page] = {
    ("GET", "/sign-in"): form,
    ("POST", "/sign-in"): sign_in,
    ("POST", "/sign-out"): sign_out,
    ("GET", "/sign-in/elsewhere"): away,
    ("GET", BACK): back,
}
