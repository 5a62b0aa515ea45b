"""The panel's page: who may look, what they see each second, what they may do.

A process of its own: it asks the node once a second, however many tablets there are; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from homenode.errors import HomenodeError, Refused, Unanswered
from homenode.gateway.ask import answer
from homenode.gateway.clock import Clock
from homenode.gateway.systemd import notify
from homenode.panel.enrolment import shown
from homenode.panel.paired import Paired
from homenode.panel.picture import Picture, picture, to_see_to
from homenode.panel.things import Quiet
from homenode.panel.words import LANGUAGES, PAGE_WORDS, say
from homenode.tries import Tries
from homenode.web import Request, Response, as_json, network_of, serve

log = logging.getLogger("homenode.panel")

EACH_S = 1.0
ANSWER_S = 3.0
"""A node that is well answers within some ms."""
SAYING_S, SAID = 150.0, 200
"""Until a sentence was said; its longest in characters (`gateway.asked`)."""
WRONG_CODES, DEEDS, MINUTE_MS = 10, 30, 60_000
"""From one address in five minutes; things done from one tablet in a minute."""
MOST_EACH = 20
"""Connections of one address, of 40 in all: a tablet opens six."""
ENROLMENT, MOST_STATE, QUIET_MS = "enrol/state.json", 100_000, 10_000
"""Where enrolment says how far it is, bytes of that; so long silent, a node may not be there at all."""
SPARE = Path("/run/homenode-enrol/state.json")
"""Where it says so while the card takes nothing."""
COOKIE = "panel"
_YEAR_S = 400 * 86_400
"""As long as browsers keep one; it is given anew each time the page is opened."""
PAGE = Path(__file__).parent / "page"
FILES: Mapping[str, tuple[Path, str]] = {
    "/": (PAGE / "index.html", "text/html; charset=utf-8"),
    "/panel.css": (PAGE / "panel.css", "text/css; charset=utf-8"),
    "/panel.js": (PAGE / "panel.js", "text/javascript; charset=utf-8"),
    "/symbols.svg": (PAGE / "symbols.svg", "image/svg+xml"),
    "/parts.js": (PAGE.parents[1] / "install/page/parts.js", "text/javascript; charset=utf-8"),
}
WISHES: Mapping[str, Mapping[str, str]] = {
    "leave": {"do": "mode", "mode": "away"},
    "back": {"do": "mode", "mode": "home"},
    "no": {"do": "answer_look", "to": "no"},
    "stop": {"do": "stop_looks"},
}


class Server:
    """Answers tablets, and asks the node that runs on `data`."""

    def __init__(self, data: Path, paired: Paired) -> None:
        self._data, self._paired, self._clock = data, paired, Clock()
        self._pictures: Mapping[str, Picture] = {}
        self._asked_at = 0  # when the node was asked for them, by the steady clock
        self._quiet = Quiet()
        self._looking, self._why = asyncio.Lock(), ""
        self._wrong, self._deeds = Tries(WRONG_CODES), Tries(DEEDS, MINUTE_MS)
        self._hosts: frozenset[str] = frozenset()
        self._saying: asyncio.Task[None] | None = None
        self._language = LANGUAGES[0]
        self.url = ""

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen. Raises OSError."""
        server = await serve(host, port, self.handle, most_each=MOST_EACH)
        port = server.sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        names = [shown, *(["localhost"] if ipaddress.ip_address(host).is_loopback else [])]
        self._hosts = frozenset(f"{name}:{port}" for name in names) | frozenset(names if port == 80 else [])
        self.url = f"http://{shown}:{port}"
        return server

    async def follow(self) -> None:
        """Ask the node, again and again, whoever looks: what was off for how long is known by that."""
        while True:
            await self._look()
            notify("WATCHDOG=1")
            await asyncio.sleep(EACH_S)

    async def _look(self) -> None:
        async with self._looking:  # one after the other, or an older picture could come last
            asked_at, why = self._clock.now(), ""
            try:
                told = await self._ask({"do": "panel"})
                self._pictures = {one: picture(told, self._quiet, one) for one in LANGUAGES}
                self._language, self._asked_at = told["language"], asked_at
            except HomenodeError as error:
                why = str(error)
            if why != self._why:
                log.warning("the node is silent", extra={"why": why}) if why else log.info("the node answers")
                self._why = why

    async def _ask(self, wish: Mapping[str, str], timeout_s: float = ANSWER_S) -> Any:
        return await asyncio.to_thread(answer, self._data, wish, timeout_s)

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.headers.get("host", "").lower() not in self._hosts:
            return Response(421, b"this page has another address")
        if request.method == "GET" and request.path in FILES:
            file, kind = FILES[request.path]
            return Response(200, file.read_bytes(), kind)
        origin = request.headers.get("origin", "").removeprefix("http://")
        if request.method == "POST" and origin not in self._hosts:
            return Response(403, b"asked by another page")
        language, token = self._language_of(request), request.cookies.get(COOKIE, "")
        known = bool(token) and self._paired.knows(token)
        match request.method, request.path:
            case "GET", "/words":
                words = {key: say(key, language) for key in PAGE_WORDS}
                told = {"paired": known, "language": language, "words": words}
                return as_json(told, Set_Cookie=_cookie(token)) if known else as_json(told)
            case "GET", "/enrolment":
                return as_json({"enrolment": self._enrolment(language)})
            case "POST", "/pair":
                return self._pair(request, language)
        if not known:
            return as_json({"error": say("pair_first", language)}, 401)
        match request.method, request.path:
            case "GET", "/picture":
                age_ms = self._clock.now() - self._asked_at
                return as_json({"picture": self._pictures.get(language), "age_ms": age_ms})
            case "POST", "/do":
                return await self._do(request, token, language)
        return Response(404, b"there is no such page")

    def _enrolment(self, language: str) -> Mapping[str, Any] | None:
        """How far enrolment is, for whoever stands before a box that nobody lives with yet."""
        if self._pictures and self._clock.now() - self._asked_at < QUIET_MS:
            return None
        for path in (SPARE, self._data / ENROLMENT):
            try:
                with path.open("rb") as file:
                    state = json.loads(file.read(MOST_STATE))
            except (OSError, ValueError):
                continue
            return shown(state, language) if isinstance(state, dict) else None
        return None

    def _language_of(self, request: Request) -> str:
        wanted = request.query.get("language", "")
        return wanted if wanted in LANGUAGES else self._language

    def _day(self) -> str:
        at = datetime.fromtimestamp(self._clock.wall() / 1000, UTC)
        return f"{at:%Y-%m-%d}"

    def _pair(self, request: Request, language: str) -> Response:
        now, peer = self._clock.now(), network_of(request.peer)
        if self._wrong.blocked(peer, now):
            return as_json({"error": say("code_wait", language)}, 429)
        token = self._paired.pair(str(_body(request).get("code", "")), self._day())
        if token is None:
            self._wrong.failed(peer, now)
            log.warning("wrong code", extra={"from": request.peer})
            why = "code_wrong" if self._paired.waits() else "code_over"
            return as_json({"error": say(why, language)}, 403)
        log.info("paired", extra={"from": request.peer})
        return as_json({"ok": True}, Set_Cookie=_cookie(token))

    async def _do(self, request: Request, token: str, language: str) -> Response:
        now, body = self._clock.now(), _body(request)
        if self._deeds.blocked(token, now):
            return as_json({"error": say("too_many", language)}, 429)
        self._deeds.failed(token, now)
        do, seen = str(body.get("do", "")), str(body.get("seen", ""))
        if do not in ("ok", "yes", *WISHES):
            return as_json({"error": say("not_done", language)}, 404)
        try:
            if do == "yes" and not await self._asks(seen):
                raise Refused("another look is asked for")
            wish = {"ok": {"do": "ok", "seen": seen}, "yes": {"do": "answer_look", "to": "yes"}}.get(do)
            await self._ask(wish or WISHES[do])
        except HomenodeError as error:
            log.info("not done", extra={"do": do, "why": str(error)})
            return as_json({"error": say(_why_not(do, error), language)}, 409)
        await self._look()
        if do == "leave" and self._saying is None:
            self._saying = asyncio.ensure_future(self._say())
        return as_json({"ok": True})

    async def _asks(self, session: str) -> bool:
        """Whether it is this look, and no other, that the resident is asked about."""
        sessions = (await self._ask({"do": "looks"}))["sessions"]
        return [one["session"] for one in sessions if one["state"] == "asked"] == [session]

    async def _say(self) -> None:
        """Aloud to who leaves: what is still on; nothing where the home has no loudspeaker."""
        try:
            if text := to_see_to(self._pictures[self._language]):
                await self._ask({"do": "say", "text": text[:SAID]}, SAYING_S)
        except HomenodeError as error:
            log.info("not said", extra={"why": str(error)})
        finally:
            self._saying = None


def _why_not(do: str, error: HomenodeError) -> str:
    """What the resident is told: no more than is known."""
    if isinstance(error, Unanswered):
        return "not_known"
    return "something_new" if do in ("ok", "yes") and isinstance(error, Refused) else "not_done"


def _cookie(token: str) -> str:
    return f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={_YEAR_S}"


def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
