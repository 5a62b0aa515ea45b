"""The page of an installation, for a phone at the flat's table, served while an installer asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from homenode.address import address
from homenode.config.durations import milliseconds
from homenode.errors import HomenodeError, Refused, SetupError
from homenode.install.page_words import page_words
from homenode.install.session import Session
from homenode.install.steps import NotSure
from homenode.install.view import view
from homenode.install.words import LANGUAGES, say
from homenode.web import Request, Response, as_json, serve

PORT = 8600
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without those that are mistaken for each other."""
CODE = 8
MOST_TRIES = 10
"""Wrong codes until there is a new one; a code has 40 bits."""
MOST_BROWSERS = 8
EVENTS_S = 0.15
"""Between two pictures of what is known: a flood of readings is not one of pages."""
COOKIE = "homenode"

PAGE = Path(__file__).parent / "page"
FILES: Mapping[str, tuple[str, str]] = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/parts.js": ("parts.js", "text/javascript; charset=utf-8"),
    "/pictures.svg": ("pictures.svg", "image/svg+xml"),
}


class Page:
    """Who may look, and what they see."""

    def __init__(self, session: Session, language: str) -> None:
        self._session, self._language = session, language
        self._hosts: frozenset[str] = frozenset()
        self._browsers: list[str] = []
        self._tries = 0
        self.code = self._new_code()
        self.touched_ms = session.now_ms()
        self.new_code = asyncio.Event()

    def allow(self, hosts: frozenset[str]) -> None:
        """What the browser may call this server, once its port is known."""
        self._hosts = hosts

    def _new_code(self) -> str:
        return "".join(secrets.choice(LETTERS) for _ in range(CODE))

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.headers.get("host", "").lower() not in self._hosts:
            return Response(421, b"this page has another address")
        if request.method == "GET" and request.path in FILES:
            name, kind = FILES[request.path]
            return Response(200, (PAGE / name).read_bytes(), kind)
        if request.method == "GET" and request.path == "/words":
            return as_json(page_words(_language(request, self._language)))
        if request.method == "POST":
            origin = request.headers.get("origin", "")
            if origin.removeprefix("http://") not in self._hosts:
                return Response(403, b"asked by another page")
        try:
            return await self._known(request)
        except Refused as error:
            return as_json({"error": str(error)}, 400)

    async def _known(self, request: Request) -> Response:
        if (request.method, request.path) == ("POST", "/enter"):
            return self._enter(request)
        if request.cookies.get(COOKIE, "") not in self._browsers:
            return as_json({"error": say("enter_first", _language(request, self._language))}, 401)
        match request.method, request.path:
            case "GET", "/events":
                return Response(
                    type="text/event-stream", events=self._events(_language(request, self._language))
                )
            case "GET", "/report.pdf":
                return self._report()
            case "POST", "/do":
                return await self._do(request)
        return Response(404, b"there is no such page")

    def _enter(self, request: Request) -> Response:
        """A browser that knows the code may come in; the code is then used up."""
        language = _language(request, self._language)
        code = str(_body(request).get("code", "")).upper().replace("-", "").replace(" ", "")
        if not secrets.compare_digest(code.encode(), self.code.encode()):
            self._tries += 1
            if self._tries >= MOST_TRIES:
                self._renew()
            return as_json({"error": say("code_wrong", language)}, 403)
        self.touched_ms = self._session.now_ms()
        browser = secrets.token_urlsafe(24)
        self._browsers = [*self._browsers, browser][-MOST_BROWSERS:]
        self._renew()
        cookie = f"{COOKIE}={browser}; HttpOnly; SameSite=Strict; Path=/"
        return as_json({"ok": True}, Set_Cookie=cookie)

    def _renew(self) -> None:
        self.code, self._tries = self._new_code(), 0
        self.new_code.set()

    async def _do(self, request: Request) -> Response:
        self.touched_ms = self._session.now_ms()
        language = _language(request, self._language)
        try:
            return as_json({"ok": True, "told": await self._session.do(_body(request), language)})
        except NotSure as error:
            return as_json({"error": str(error), "sure": True}, 409)
        except HomenodeError as error:
            return as_json({"error": str(error)}, 409)

    async def _events(self, language: str) -> AsyncIterator[Mapping[str, Any]]:
        news, last = self._session.listen(), ""
        try:
            while True:
                shown = view(self._session.steps, language, self._session.now_ms(), self._session.notices)
                text = json.dumps(shown, sort_keys=True)
                if text != last:
                    last = text
                    yield shown
                await news.wait()
                news.clear()
                await asyncio.sleep(EVENTS_S)
        finally:
            self._session.unlisten(news)

    def _report(self) -> Response:
        folder = self._session.steps.last_report
        if not folder:
            return Response(404, b"no report has been written")
        return Response(200, (Path(folder) / "report.pdf").read_bytes(), "application/pdf")


def _language(request: Request, default: str) -> str:
    wanted = request.query.get("language", "")
    return wanted if wanted in LANGUAGES else default


def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused("a request is a JSON object")
    return body


async def serve_page(data: Path, listen: str, idle: str, language: str) -> int:
    """Until nobody has done anything for `idle`, or it is interrupted."""
    host, port = address(listen, PORT)
    try:
        idle_ms = milliseconds(idle)
    except ValueError as error:
        raise SetupError(f"--idle {idle}: {error}") from error
    session = Session(data)
    shown = f"[{host}]" if ":" in host else host
    page = Page(session, language)
    try:
        server = await serve(host, port, page.handle)
    except OSError as error:
        raise SetupError(
            f"{shown}:{port} can't be used: {error.strerror}",
            where="--listen",
            do="name another address or port",
        ) from error
    port = server.sockets[0].getsockname()[1]
    hosts = {f"{shown}:{port}"} | ({f"localhost:{port}"} if ipaddress.ip_address(host).is_loopback else set())
    page.allow(frozenset(hosts))
    if not ipaddress.ip_address(host).is_loopback:
        print(say("in_the_clear", language), flush=True)
    with contextlib.closing(server):  # a phone that looks on is not waited for
        following = asyncio.ensure_future(session.run())
        printing = asyncio.ensure_future(_print_codes(page, f"http://{shown}:{port}", language))
        try:
            while session.now_ms() - max(page.touched_ms, session.ticked_ms) < idle_ms:
                await asyncio.wait([following], timeout=1.0)
                if following.done():
                    following.result()
            print(say("idle", language), flush=True)
        finally:
            for task in (following, printing):
                task.cancel()
            await asyncio.gather(following, printing, return_exceptions=True)
            await session.leave()
    return 0


async def _print_codes(page: Page, url: str, language: str) -> None:
    """Each code lets one browser in; whoever comes next gets the next."""
    while True:
        print(say("page_at", language, url=url, code=page.code), flush=True)
        await page.new_code.wait()
        page.new_code.clear()
