"""The home of the soak test: everything a process of its own, nothing simulated but the hardware."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from homenode.errors import HomenodeError
from homenode.gateway.clock import Clock
from homenode.gateway.local_socket import ask
from tests.system.brokers import Mosquitto
from tests.system.nodes import PATIENCE_S, NodeProcess, Receiver
from tests.system.test_sim_run import Apartment

ROOT = "hn1/soak-1"
PATHS = {
    "smoke": "zigbee", "bathroom_floor": "zigbee", "balcony": "zigbee", "help": "zigbee",
    "stove": "zigbee", "eye": "zigbee", "warmth": "zigbee",
    "front_door": "gpio", "sink": "gpio", "hall_smoke": "gpio",
}  # fmt: skip
"""Device to what it is heard through."""

APARTMENT = """
timezone: Europe/Stockholm
pairing: open
zigbee:
  smoke:          {model: smoke, ieee: "00:15:8d:00:02:aa:bb:01", room: hall}
  bathroom_floor: {model: water, ieee: "00:15:8d:00:02:aa:bb:02", room: bathroom}
  balcony:        {model: contact, ieee: "00:15:8d:00:02:aa:bb:03", room: kitchen}
  help:           {model: button, ieee: "00:15:8d:00:02:aa:bb:04", room: bedroom}
  stove:          {model: plug, ieee: "00:15:8d:00:02:aa:bb:05", room: kitchen}
  eye:            {model: motion, ieee: "00:15:8d:00:02:aa:bb:06", room: kitchen}
  warmth:         {model: thermometer, ieee: "00:15:8d:00:02:aa:bb:07", room: bedroom}
gpio:
  front_door: {pin: 17, kind: contact, room: hall, bounce: [2, 1, 3, 1]}
  sink:       {pin: 27, kind: water, room: kitchen}
  hall_smoke: {pin: 23, kind: smoke, room: hall}
  siren:      {pin: 22, kind: siren, room: hall}
"""
HOME = """
home: soak-1
timezone: Europe/Stockholm
language: en
clock: {trust: always}
broker: {url: "mqtt://127.0.0.1:%(port)d"}
voice: {device: none}
radios:
  zigbee: {driver: zigbee, port: "%(stick)s", adapter: ezsp}
devices:
  smoke:          {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: hall}
  bathroom_floor: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:02", room: bathroom}
  balcony:        {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:03", room: kitchen}
  help:           {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:04", room: bedroom}
  stove:          {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:05", room: kitchen}
  eye:            {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:06", room: kitchen}
  warmth:         {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:07", room: bedroom}
  front_door: {driver: gpio, pin: 17, kind: contact, room: hall}
  sink:       {driver: gpio, pin: 27, kind: water, room: kitchen}
  hall_smoke: {driver: gpio, pin: 23, kind: smoke, room: hall}
  siren:      {driver: gpio, pin: 22, kind: siren, room: hall}
rules:
  - {use: door, as: front_open, bind: {door: front_door.contact}, set: {open: %(open_s)d s}}
  - {use: door, as: balcony_open, bind: {door: balcony.contact}, set: {open: 8 s}}
  - {use: smoke_alarm, as: smoke, bind: {smoke: [smoke.smoke]}, set: {quiet: 2 s}}
  - {use: smoke_alarm, as: hall_smoke, bind: {smoke: [hall_smoke.smoke], siren: siren.siren},
     set: {quiet: 2 s}}
  - {use: water_leak, bind: {water: [sink.water, bathroom_floor.water]}, set: {dry: 2 s}}
  - {use: help_button, bind: {button: [help.button]}}
  - {use: stove_left_on, bind: {stove: stove.power, presence: [eye.motion], guard: stove.switch},
     set: {alone: 1 min, cycle: 10 s}}
share: {care: ["*.*"], property: [sink.water, "*.battery"]}
"""
DOOR = """
rule: door
version: 1
severity: alarm
to: [care]
roles:
  door: {kind: contact}
parameters:
  open: {default: 3 s, min: 0 s, max: 1 h}
when: door == open for $open
clear: door == closed for 1 s
says: {sv: "Dörren är öppen", en: "The door is open"}
"""
_MISTAKEN = "  - {use: dor, bind: {}}\n"
_CLOCK = Clock()


def wall() -> int:
    """Milliseconds since 1970."""
    return _CLOCK.wall()


class Household:
    """Broker, apartment, node and subscriber, and what can be done to each: the words of `do`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.broker = Mosquitto(folder / "broker", "autosave_on_changes true", "autosave_interval 1")
        self.lives: list[NodeProcess] = []
        self.exits: list[tuple[int, float]] = []
        """Status and seconds of each SIGTERM."""
        self._stack = ExitStack()
        self._open_s = 6

    def __enter__(self) -> Self:
        with ExitStack() as started:
            started.callback(self._stack.close)
            self._move_in()
            started.pop_all()
        return self

    def _move_in(self) -> None:
        (self.folder / "rules").mkdir()
        (self.folder / "rules" / "door.yaml").write_text(DOOR)
        (self.folder / "apartment.yaml").write_text(APARTMENT)
        self._stack.enter_context(self.broker)
        self.sim = self._apartment()
        self.receiver = self._stack.enter_context(Receiver(self.broker.port, f"{ROOT}/#", name="soak"))
        self.broker.save()
        self._write_home()
        self.do("node start")
        self._stack.callback(lambda: self.node.__exit__())
        self.node.until("ready")
        self._pair()

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _apartment(self) -> Apartment:
        words = ("sim", "run", "apartment.yaml", "--pty", "stick", "--gpio", "0", "--control", "0")
        log = self._stack.enter_context((self.folder / "apartment.log").open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-m", "homenode.cli", *words],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        self._stack.callback(process.wait, PATIENCE_S)
        self._stack.callback(process.terminate)
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("ready "), (self.folder / "apartment.log").read_text()
        return Apartment(process, json.loads(first.removeprefix("ready ")))

    def _pair(self) -> None:
        answer = self.node.ask("pair", "--for", "1min")
        assert answer.returncode == 0, answer.stderr + self.node.log
        wanted = sum(path == "zigbee" for path in PATHS.values())
        until(lambda: len([d for d in self.asked(do="devices") if d["name"] and d["kinds"]]) >= wanted, 60)

    # --- the node

    @property
    def node(self) -> NodeProcess:
        """The one that runs, or ran last."""
        return self.lives[-1]

    def asked(self, **request: Any) -> Any:
        """What the node answers; nothing while it doesn't run."""
        try:
            return next(ask(self.data, request, timeout_s=10.0)).get("result") or {}
        except (HomenodeError, StopIteration):
            return {}

    def _start(self, *past: str) -> None:
        """`past`: ``--past MINUTES``, by which the clock is slow."""
        more: tuple[str, ...] = ()
        if past:
            slow = datetime.fromtimestamp(wall() / 1000 - 60 * int(past[1]), UTC)
            more = ("--start", slow.isoformat(timespec="milliseconds"))
        self._write_home()
        env = {
            "GPIOZERO_PIN_FACTORY": "pigpio",
            "PIGPIO_ADDR": "127.0.0.1",
            "PIGPIO_PORT": str(self.sim.places["gpio"]),
        }
        self.lives.append(NodeProcess(self.folder / "home.yaml", self.data, "--log", "json", *more, env=env))

    def _stop(self) -> None:
        before = wall()
        status = self.node.stop()
        self.exits.append((status, (wall() - before) / 1000))

    def _write_home(self, more: str = "") -> None:
        text = HOME % {
            "port": self.broker.port,
            "stick": self.folder / "stick",
            "open_s": self._open_s,
        }
        (self.folder / "home.yaml").write_text(text.replace("share:", more + "share:"))

    def _reload(self, what: str) -> None:
        if what == "changed":
            self._open_s = 13 - self._open_s
        self._write_home(_MISTAKEN if what == "mistaken" else "")
        if any('"ready"' in line for line in self.node.lines):  # before, it would only end the process
            self.node.process.send_signal(signal.SIGHUP)

    def _kill_broker(self) -> None:
        """Not while the subscriber is away: what only the broker has it loses."""
        until(lambda: self.receiver.connected, what="the subscriber is back")
        self.broker.kill()

    # --- what can be done

    def do(self, words: str) -> None:
        """Such as ``node kill``, ``broker freeze``, ``sim stick reset``; several after each other with ;"""
        for one in filter(None, map(str.strip, words.split(";"))):
            whom, _, what = one.partition(" ")
            if whom == "sim":
                self.sim.do(what)
            else:
                verb, _, how = what.partition(" ")
                self._verbs()[f"{whom} {verb}"](*how.split())

    def _verbs(self) -> dict[str, Callable[..., Any]]:
        broker, receiver = self.broker, self.receiver if hasattr(self, "receiver") else None
        verbs: dict[str, Callable[..., Any]] = {
            "node start": self._start,
            "broker start": broker.start, "broker kill": self._kill_broker, "broker stop": broker.stop,
            "broker freeze": broker.freeze, "broker thaw": broker.thaw,
        }  # fmt: skip
        if receiver is not None:
            verbs |= {"subscriber leave": receiver.leave, "subscriber return": receiver.come_back}
        if self.lives:
            process = self.node.process
            verbs |= {
                "node kill": self.node.kill, "node stop": self._stop, "node reload": self._reload,
                "node freeze": lambda: process.send_signal(signal.SIGSTOP),
                "node thaw": lambda: process.send_signal(signal.SIGCONT),
            }  # fmt: skip
        return verbs

    # --- what it costs

    def costs(self) -> dict[str, float]:
        """PSS in MB, open files and threads of the node, by the kernel."""
        proc = Path(f"/proc/{self.node.process.pid}")
        kib = re.search(r"^Pss: +(\d+)", (proc / "smaps_rollup").read_text(), re.MULTILINE)
        assert kib is not None
        return {
            "pss_mb": round(int(kib[1]) * 1024 / 1e6, 2),
            "files": len(list((proc / "fd").iterdir())),
            "threads": len(list((proc / "task").iterdir())),
        }


def until(fits: Callable[[], Any], within_s: float = PATIENCE_S, what: str = "") -> Any:
    """Ask again and again, as there is nothing that tells, until it is so."""
    end = wall() + within_s * 1000
    while not (found := fits()):
        assert wall() < end, f"not within {within_s} s: {what}"
        threading.Event().wait(0.2)
    return found
