"""A flat with a panel by its door: wires, node, broker, the panel's server, and tablets that look at it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from homenode.gateway.ask import answer
from homenode.gateway.clock import Clock
from homenode.panel.paired import Paired
from tests.system.brokers import Mosquitto
from tests.system.looks import STAND_IN, until
from tests.system.nodes import PATIENCE_S, NodeProcess, Receiver, in_an_hour
from tests.system.test_sim_run import Apartment, apartment

PATIENCE_MS = 20_000
FLAT = """
timezone: Europe/Stockholm
gpio:
  stove:         {pin: 26, kind: contact, room: kök}
  iron:          {pin: 16, kind: switch, room: sovrum}
  coffee_maker:  {pin: 12, kind: switch, room: kök}
  front_door:    {pin: 17, kind: contact, room: hall}
  balcony_door:  {pin: 5, kind: contact, room: vardagsrum}
  window:        {pin: 27, kind: contact, room: sovrum}
  front_lock:    {pin: 6, kind: lock, room: hall}
  sink:          {pin: 13, kind: water, room: kök}
  smoke:         {pin: 19, kind: smoke, room: hall}
  ir:            {pin: 22, kind: light, room: sovrum}
  sign:          {pin: 23, kind: light, room: sovrum}
  ok:            {pin: 24, kind: button, room: hall}
"""
HOME = """
home: panel-1
timezone: Europe/Stockholm
language: sv
broker: {url: "URL"}
clock: {trust: always}
voice: {device: none}
devices:
  stove:         {driver: gpio, pin: 26, kind: contact, room: kök, is: stove}
  iron:          {driver: gpio, pin: 16, kind: switch, room: sovrum}
  coffee_maker:  {driver: gpio, pin: 12, kind: switch, room: kök}
  front_door:    {driver: gpio, pin: 17, kind: contact, room: hall}
  balcony_door:  {driver: gpio, pin: 5, kind: contact, room: vardagsrum}
  window:        {driver: gpio, pin: 27, kind: contact, room: sovrum}
  front_lock:    {driver: gpio, pin: 6, kind: lock, room: hall}
  sink:          {driver: gpio, pin: 13, kind: water, room: kök}
  smoke:         {driver: gpio, pin: 19, kind: smoke, room: hall}
  ir:            {driver: gpio, pin: 22, kind: light, room: sovrum}
  sign:          {driver: gpio, pin: 23, kind: light, room: sovrum}
  ok:            {driver: gpio, pin: 24, kind: button, room: hall}
  MORE
resident: {ok: ok.button}
cameras:
  bed: {room: sovrum, source: "file:good", lamp: ir.light, indicator: sign.light}
video:
  days: {cameras: [bed], from: 2020-01-01, to: 2099-12-31, views: [silhouette], ASK, announce: light}
rules:
  - {use: stove_on, bind: {burner: [stove.contact]}}
  - {use: balcony, bind: {door: balcony_door.contact}}
  - {use: smoke_alarm, bind: {smoke: [smoke.smoke]}, set: {quiet: 0 s}}
PANEL
"""
RULES = {
    "stove_on": """\
rule: stove_on
version: 1
severity: alarm
to: [care]
roles: {burner: {kind: contact, many: true}}
parameters: {cycle: {default: 1 s, min: 0 s, max: 15 min}}
when: (any(burner) within $cycle) for 1 s
steps:
  - {after: 0 s, do: say, text: {sv: "Spisen är på.", en: "The stove is on."}}
  - {after: 30 min, do: notify}
says: {sv: "Spisen har varit på länge.", en: "The stove has been on for long."}
""",
    "balcony": """\
rule: balcony
version: 1
severity: warning
to: [care]
roles: {door: {kind: contact}}
when: door == open for 1 s
steps: [{after: 30 min, do: notify}]
says: {sv: "Balkongdörren står öppen.", en: "The balcony door is open."}
""",
}


class Panel:
    """`homenode panel`, as a process; `within`: a command that executes it somewhere else."""

    def __init__(
        self,
        data: Path,
        python: str = sys.executable,
        *,
        listen: str = "127.0.0.1:0",
        within: Sequence[str] = (),
    ) -> None:
        self.data, self.log = data, ""
        command = [*within, python, "-m", "homenode.cli", "panel", "--data", str(data), "--listen", listen]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        with self._news:
            assert self._news.wait_for(lambda: re.search(r"url=(\S+)", self.log), PATIENCE_S), self.log
        self.url = re.search(r"url=(\S+)", self.log)[1]  # type: ignore[index]  # it was just found
        self.host = self.url.removeprefix("http://")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.log += line
                self._news.notify_all()

    def __enter__(self) -> Panel:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def code(self) -> str:
        """A code that lets one in, as `homenode panel pair` shows it."""
        return Paired(self.data, Clock()).new_code()

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any], str]:
        """What no browser would send: status, answer, cookie."""
        given = {"Origin": self.url, **{name.replace("_", "-"): text for name, text in headers.items()}}
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE_S)
        try:
            data = json.dumps(body).encode() if not isinstance(body, bytes) else body
            connection.request(method, path, data if method == "POST" else None, given)
            answer = connection.getresponse()
            text = answer.read().decode()
            found = json.loads(text) if "json" in (answer.getheader("Content-Type") or "") else {"text": text}
            return answer.status, found, (answer.getheader("Set-Cookie") or "").partition(";")[0]
        finally:
            connection.close()

    def paired(self) -> str:
        """The cookie of a tablet that was just paired."""
        status, _, cookie = self.ask("POST", "/pair", {"code": self.code()})
        assert status == 200
        return cookie


def homenode_panel(data: Path, *words: str, within: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """One of its commands, to its end."""
    command = [*within, sys.executable, "-m", "homenode.cli", "panel", *words, "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Flat:
    """All of it."""

    def __init__(self, folder: Path, sim: Apartment, broker: Mosquitto) -> None:
        self.folder, self.sim, self.broker = folder, sim, broker
        self.data = folder / "data"
        self.node: NodeProcess
        self.describe()

    def describe(self, *, more: str = "", panel: str = "", ask: str = "ask: never") -> None:
        """Write home.yaml."""
        text = HOME.replace("URL", self.broker.url).replace("MORE", more)
        (self.folder / "home.yaml").write_text(text.replace("PANEL", panel).replace("ASK", ask))

    def change(self, **how: str) -> None:
        """Write it anew, and have the node read it."""
        self.describe(**how)
        self.ask("reload")

    def start(self) -> None:
        """The node."""
        pins = {"GPIOZERO_PIN_FACTORY": "pigpio", "PIGPIO_ADDR": "127.0.0.1", "HOMENODE_CAPTURE": STAND_IN}
        pins["PIGPIO_PORT"] = str(self.sim.places["gpio"])
        self.node = NodeProcess(self.folder / "home.yaml", self.data, env=pins, watched=False)
        self.node.until("link up")

    def ask(self, do: str, **more: str) -> Any:
        """What commands ask the node for, without the start of a process."""
        return answer(self.data, {"do": do, **more}, PATIENCE_S)

    def shut(self) -> None:
        """Everything is off and shut."""
        for door in ("stove", "front_door", "balcony_door", "window"):
            self.sim.do(f"close {door}")
        for what in ("sink", "smoke"):
            self.sim.do(f"clear {what}")
        self.sim.do("trip front_lock")
        for plug in ("iron", "coffee_maker"):
            self.ask("switch", point=f"{plug}.switch", to="off")

    def calm(self) -> None:
        """As before a test, however it ended: all shut, nobody out, no alert open, the broker there."""
        self.node.process.send_signal(signal.SIGCONT)
        self.change()
        self.shut()
        self.ask("mode", mode="home")
        self.status(lambda known: not known["alerts"] and known["link"]["state"] == "up")

    def status(self, what: Callable[[dict[str, Any]], object]) -> None:
        """Wait until the node's status says so."""
        until(lambda: what(self.ask("status")), PATIENCE_S, lambda: str(self.ask("status")))


@contextmanager
def flat(folder: Path) -> Iterator[Flat]:
    """The hardware and the broker, which outlive a node; and the node."""
    (folder / "rules").mkdir()
    for name, text in RULES.items():
        (folder / "rules" / f"{name}.yaml").write_text(text)
    with ExitStack() as stack:
        sim = stack.enter_context(apartment(folder, "--gpio", "0", text=FLAT))
        broker = stack.enter_context(Mosquitto(folder / "broker"))
        made = Flat(folder, sim, broker)
        made.start()
        stack.callback(lambda: made.node.__exit__())
        made.shut()
        yield made


@contextmanager
def tablet(browser: Any, panel: Panel, **how: Any) -> Iterator[Any]:
    """A paired tablet; anything that its browser complains of fails the test."""
    name, _, value = panel.paired().partition("=")
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "has_touch": True, **how})
    context.add_cookies([{"name": name, "value": value, "url": panel.url}])
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    try:
        page.goto(panel.url)
        yield page
    finally:
        print(panel.log)
        context.close()
    assert not complaints


def now_s() -> float:
    """A clock that only runs."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def shows(page: Any, state: str, text: str) -> None:
    """Wait for that headline."""
    page.locator(f".head.{state}", has_text=text).wait_for()


def ask_to_look(heard: Receiver, id: str, reason: str = "hör dig inte") -> None:
    """Care wants to look into the bedroom."""
    args = {"camera": "bed", "view": "silhouette", "reason": reason, "sdp": "offer"}
    wish = {"id": id, "do": "video", "by": "Eva Lind", "expires": in_an_hour(), "args": args}
    heard.send("hn1/panel-1/care/command", wish)


@contextmanager
def care(flat: Flat) -> Iterator[Receiver]:
    """Somebody at care who hears and commands."""
    with Receiver(flat.broker.port, "hn1/panel-1/care/#") as receiver:
        yield receiver
