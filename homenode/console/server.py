"""The console's pages: who asks, whether they may, which page answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from homenode.console import desk_pages, duty_pages, live, sign_pages, video_pages
from homenode.console.control_room import ControlRoom
from homenode.console.signin import SignIn
from homenode.console.visit import Page, Pages, Visit
from homenode.errors import Refused
from homenode.tries import Tries
from homenode.web import Request, Response, network_of, serve

log = logging.getLogger("homenode.console")

MOST_OPEN = 600
"""Connections at a time: a browser keeps one for news, and opens some for pages."""
MOST_EACH = 200
"""Of one address at a time: a whole office may come from one. A proxy has to see to that itself."""
REQUESTS, DEEDS, WITHIN_MS = 600, 120, 60_000
"""Pages, and things done, of one session or one address in a minute."""

FILES = {
    "/console.css": "text/css; charset=utf-8",
    "/console.js": "text/javascript; charset=utf-8",
    "/video.js": "text/javascript; charset=utf-8",
    "/icon.svg": "image/svg+xml",
}
PAGE = Path(__file__).parent / "page"

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with none a form would come from nowhere
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}

ROUTES: Mapping[tuple[str, str], Page] = {
    **desk_pages.ROUTES, **duty_pages.ROUTES, **video_pages.ROUTES, **live.ROUTES,
}  # fmt: skip
"""Method and path, ``*`` for one part of it."""


class Server:
    """Answers browsers."""

    def __init__(self, room: ControlRoom) -> None:
        self._room, self._settings = room, room.settings
        self._sign = SignIn(self._settings, room.clock.now)
        self._sign.restore(room.board.log)
        self._pages = Pages(room, self._sign)
        self._pace, self._deeds = Tries(REQUESTS, WITHIN_MS), Tries(DEEDS, WITHIN_MS)
        self.url = self._settings.url
        self._files = {path: (PAGE / path[1:]).read_bytes() for path in FILES}

    async def start(self) -> asyncio.Server:
        """Listen. Raises OSError."""
        one = self._settings
        each = MOST_OPEN if one.proxy else MOST_EACH
        server = await serve(
            one.host, one.port, self.handle, most_open=MOST_OPEN, most_each=each, tls=one.tls
        )
        port = server.sockets[0].getsockname()[1]
        host = f"[{one.host}]" if ":" in one.host else one.host
        self.url = self.url or f"{'https' if one.tls else 'http'}://{host}:{port}"
        return server

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        response = await self._answer(request)
        headers = {**HEADERS, **response.headers}
        if self.url.startswith("https:"):
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.path in self._files:
            headers["Cache-Control"] = "no-cache"
        return Response(response.status, response.body, response.type, headers, response.events)

    async def _answer(self, request: Request) -> Response:
        own = urlsplit(self.url)
        if request.headers.get("host", "").lower() != own.netloc.lower():
            return Response(421, f"this page is at {self.url}".encode())
        if request.method not in ("GET", "POST"):
            return Response(405)
        if request.method == "GET" and request.path in self._files:
            return Response(200, self._files[request.path], FILES[request.path])
        visit = self._pages.visit(request, self.url, self._caller(request))
        now = self._room.clock.now()
        for pace in (self._pace, self._deeds) if request.method == "POST" else (self._pace,):
            if pace.blocked(visit.caller, now):
                return visit.refuse(429, "too_many")
            pace.failed(visit.caller, now)
        if request.method == "POST" and request.headers.get("origin", "") != self.url:
            return visit.refuse(403, "other_page")
        try:
            return await self._page(visit)
        except Refused as error:
            return visit.refuse(409, error.what)

    async def _page(self, visit: Visit) -> Response:
        request = visit.request
        if (page := sign_pages.ROUTES.get((request.method, request.path))) is not None:
            return await page(visit)
        found, visit.parts = _route(request)
        if visit.session is None:
            return visit.refuse(401, "sign_in_first") if visit.by_script else sign_pages.first(visit)
        if request.method == "POST" and not visit.is_own_form():
            return visit.refuse(403, "other_page")
        if request.method == "POST" and visit.person.screen:
            return visit.refuse(403, "only_shows")
        return await found(visit) if found is not None else visit.nothing()

    def _caller(self, request: Request) -> str:
        """Who counts as one, when tries are counted; of what came through a proxy only its own word holds."""
        said = request.headers.get("x-forwarded-for") if self._settings.proxy else None
        return network_of(said.rpartition(",")[2].strip()[:45] if said else request.peer)


def _route(request: Request) -> tuple[Page | None, tuple[str, ...]]:
    """The page, and what stands for each ``*``."""
    wanted = request.path.split("/")
    for (method, path), page in ROUTES.items():
        shape = path.split("/")
        if method != request.method or len(shape) != len(wanted):
            continue
        pairs = list(zip(shape, wanted, strict=True))
        if all(one in ("*", other) for one, other in pairs):
            return page, tuple(other for one, other in pairs if one == "*")
    return None, ()
