"""`homenode console` as a process, and people at it: browsers, and clients that do what no browser does."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from argon2 import PasswordHasher

from homenode.gateway.clock import Clock
from tests.system.brokers import free_port
from tests.system.nodes import PATIENCE_S

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
PATIENCE_MS = 30_000
_CLOCK = Clock()

PEOPLE = f"""\
roles:
  night: {{sees: care, homes: all}}
  north: {{sees: care, homes: [north-1, north-2]}}
  landlord: {{sees: property, homes: all}}
  daughter: {{sees: relative, homes: [north-1]}}
users:
  eva: {{name: Eva Lind, password: "{HASH}", roles: [night]}}
  nils: {{name: Nils Norr, password: "{HASH}", roles: [north]}}
  lars: {{name: Lars Lund, password: "{HASH}", roles: [landlord]}}
  dora: {{name: Dora Dal, password: "{HASH}", roles: [daughter]}}
"""


class Console:
    """One console; `lines` go into console.yaml, `listen` into the listen.yaml of each party."""

    def __init__(
        self,
        folder: Path,
        port: int,
        lines: str = "roster: false\n",
        *,
        listen: str = "",
        parties: tuple[str, ...] = ("care",),
        people: str = PEOPLE,
        host: str = "127.0.0.1",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for party in parties:
            text = f"party: {party}\nlanguage: en\nbroker: {{url: mqtt://127.0.0.1:{port}}}\n{listen}"
            (folder / f"{party}.yaml").write_text(text)
        self.file, self.err = folder / "console.yaml", folder / "console.err"
        self.host = f"{host}:{free_port()}"
        self.url = f"http://{self.host}"
        files = ", ".join(f"{party}.yaml" for party in parties)
        self.file.write_text(f"listen: [{files}]\naddress: {self.host}\nlanguage: en\n{lines}{people}")
        self._parties = len(parties)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, heard: bool = True) -> Self:
        """Start it, or start it again; `heard`: and wait until it hears its brokers."""
        before = self.log.count(" listen: listening ")
        pages = self.log.count(" console: console ")
        with self.err.open("ab") as err:
            command = [sys.executable, "-m", "homenode.cli", "console", str(self.file)]
            self._process = subprocess.Popen(command, stdout=err, stderr=err)
        self.until(lambda: self.log.count(" console: console ") > pages, "pages")
        if heard:
            self.until(lambda: self.log.count(" listen: listening ") >= before + self._parties, "listening")
        return self

    @property
    def log(self) -> str:
        """Everything it logged."""
        return self.err.read_text() if self.err.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def until(self, fits: Any, what: str, within_s: float = PATIENCE_S) -> None:
        """Wait until `fits` says yes."""
        deadline = _CLOCK.now() + within_s * 1000
        while not fits():
            assert _CLOCK.now() < deadline, f"never: {what}\n{self.log}"
            assert self._process is not None
            assert self._process.poll() is None, f"ended\n{self.log}"
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; returns its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        assert "page failed" not in self.log, self.log
        assert "Unhandled exception" not in self.log, self.log


class Answer:
    """What a server answered."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers = response.status, response.headers
        self.text = "" if "event-stream" in (self.headers["Content-Type"] or "") else response.read().decode()
        self.to = self.headers["Location"] or ""


class Client:
    """Somebody at a console with a tool of their own: sends what they like, and keeps cookies."""

    def __init__(self, console: Console) -> None:
        self._host = console.host
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """One request; names of headers with _ for -."""
        link = http.client.HTTPConnection(self._host, timeout=PATIENCE_S)
        sent = {"Host": self._host, "Origin": f"http://{self._host}"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None and not body.startswith("{"):
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        link.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        data = (body or "").encode()
        if body is not None:
            sent["Content-Length"] = str(len(data))
        for name, value in {
            **sent,
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }.items():
            link.putheader(name, value)
        link.endheaders(data or None)
        answer = Answer(link.getresponse())
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, fields: Mapping[str, str] = {}, **headers: str) -> Answer:
        """A form of the console's own page, unless `fields` has another csrf."""
        return self.ask("POST", path, urlencode({"csrf": self.csrf(), **fields}), **headers)

    def csrf(self) -> str:
        """What the pages have in their forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/").text)
        return found[1] if found else ""

    def sign_in(self, user: str) -> Self:
        """With a password; fails if that is refused."""
        answer = self.ask("POST", "/sign-in", urlencode({"user": user, "password": PASSWORD}))
        assert answer.status == 303, answer.text
        return self

    def worklist(self, home: str = "") -> list[str]:
        """Of the cases on the worklist, in order; or on that of one home."""
        return re.findall(r'<tr id="c-([0-9a-f]+)"', self.get(f"/?home={home}").text)


@contextmanager
def person(browser: Any, console: Console, user: str, **how: Any) -> Iterator[Any]:
    """A browser in which somebody signed in; anything that its console complains of fails the test."""
    context = browser.new_context(**{"locale": "en-GB", **how})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    page.goto(console.url)
    page.get_by_label("User").or_(page.get_by_label("Användare")).fill(user)
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    page.locator("nav .name").wait_for()
    yield page
    context.close()
    assert not complaints
