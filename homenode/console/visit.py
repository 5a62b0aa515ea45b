"""One request of one browser: who it is, in which language, and how a page is made for them."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from homenode.console.access import Person
from homenode.console.control_room import ControlRoom
from homenode.console.shown import Bar, alarm_bar, filters, readable
from homenode.console.signin import Session, SignIn, csrf_of
from homenode.console.words import say
from homenode.web import Request, Response

if TYPE_CHECKING:
    from homenode.console.oidc import Elsewhere

LANGUAGES = ("sv", "en")
_YEAR_S = 31_536_000


class Pages:
    """What all visits share."""

    def __init__(self, room: ControlRoom, sign: SignIn) -> None:
        self.room, self.sign = room, sign
        self.elsewhere: Elsewhere | None = None
        if (provider := room.settings.provider) is not None:
            from homenode.console import oidc

            self.elsewhere = oidc.Elsewhere(provider)
        self._jinja = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "page"),
            autoescape=True,
            finalize=readable,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.filters.update(filters(room.settings.timezone))

    def visit(self, request: Request, url: str, address: str) -> Visit:
        """By its cookies."""
        secure = url.startswith("https:")
        cookie = "__Host-console" if secure else "console"
        token = request.cookies.get(cookie, "")
        by_itself = request.path == "/events"
        session = self.sign.known(token, used=not by_itself) if token else None
        asked = request.query.get("language") or request.cookies.get("language", "")
        browser = request.headers.get("accept-language", "")[:2].lower()
        default = browser if browser in LANGUAGES else self.room.settings.language
        language = asked if asked in LANGUAGES else default
        return Visit(self, request, url, address, cookie, token, session, language)

    def render(self, name: str, words: Mapping[str, Any]) -> str:
        """A page, or a part of one."""
        return self._jinja.get_template(name).render(words)


@dataclass(slots=True)
class Visit:
    """One request.

    Attributes:
        address: Where it came from.
        parts: What stands in the path for each ``*``.
    """

    pages: Pages
    request: Request
    url: str
    address: str
    cookie: str
    token: str
    session: Session | None
    language: str
    parts: tuple[str, ...] = ()
    cookies: list[str] = field(default_factory=list)

    @property
    def room(self) -> ControlRoom:
        """What is shown."""
        return self.pages.room

    @property
    def now(self) -> int:
        """ms."""
        return self.room.clock.now()

    @property
    def person(self) -> Person:
        """Who it is; only where somebody has to be signed in."""
        assert self.session is not None
        return self.pages.sign.person(self.session)

    @property
    def caller(self) -> str:
        """Whom to count for."""
        return f"{self.session.who} {self.session.until}" if self.session else self.address

    @property
    def by_script(self) -> bool:
        """Asked by a page's script, which shows what is answered itself."""
        return self.request.path == "/events" or "json" in self.request.headers.get("content-type", "")

    def is_own_form(self) -> bool:
        """Whether it carries what only our own pages know."""
        assert self.session is not None
        given = self.request.headers.get("x-csrf") or self.field("csrf")
        return hmac.compare_digest(given.encode(), csrf_of(self.token).encode())

    def field(self, name: str, most: int = 200) -> str:
        """Of the form, "" without it or if it can't be read."""
        try:
            return self.request.form.get(name, "").strip()[:most]
        except ValueError:
            return ""

    def json(self) -> dict[str, Any]:
        """The body; empty if it is none."""
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    # --- answering

    def t(self, key: str, **more: object) -> str:
        """Words in the visitor's language."""
        return say(key, self.language, **more)

    def words(self, **more: Any) -> dict[str, Any]:
        """What every template may use."""
        known: dict[str, Any] = {
            "t": self.t, "language": self.language, "now": self.now, "path": self.request.path,
            "person": None, "csrf": "", "settings": self.room.settings,
        }  # fmt: skip
        if self.session is not None:
            person = self.person
            known |= {"person": person, "csrf": csrf_of(self.token), "alarm_bar": self._bar}
        return known | more

    def _bar(self) -> Bar:
        return alarm_bar(self.room.board, self.person, self.room.settings.roster, self.now)

    def part(self, name: str, **more: Any) -> str:
        """A part of a page."""
        return self.pages.render(name, self.words(**more))

    def page(self, name: str, status: int = 200, **more: Any) -> Response:
        """A page."""
        if self.request.query.get("language") == self.language:
            self.set_cookie("language", self.language, _YEAR_S)
        body = self.part(name, **more).encode()
        return Response(status, body, "text/html; charset=utf-8", self._headers())

    def redirect(self, to: str) -> Response:
        """To another page of ours."""
        return Response(303, headers={"Location": quote(to, safe="/?=&#%:+,;@"), **self._headers()})

    def refuse(self, status: int, key: str, back: str = "") -> Response:
        """Not done, and why; `back`: the page on which it can be done."""
        if self.by_script:
            body = json.dumps({"error": self.t(key)}, ensure_ascii=False).encode()
            return Response(status, body, "application/json")
        return self.page("refused.html", status, why=key, back=back)

    def nothing(self) -> Response:
        """There is no such page, or it is not for them: the same answer, so that nobody learns which."""
        return self.refuse(404, "no_page")

    def set_cookie(self, name: str, value: str, seconds: int) -> None:
        """One for the answer; the last one wins."""
        secure = "; Secure" if self.url.startswith("https:") else ""
        self.cookies = [f"{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"]

    def _headers(self) -> dict[str, str]:
        return {"Set-Cookie": self.cookies[-1]} if self.cookies else {}


Page = Callable[[Visit], Coroutine[Any, Any, Response]]
"""Answers one request."""
