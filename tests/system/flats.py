"""A flat that is being installed: a node on a simulated stick, its receivers, and an installer."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import Mosquitto
from tests.system.nodes import NodeProcess, Receiver, in_an_hour
from tests.system.test_sim_run import Apartment, apartment

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

SENSORS = {
    "a_door": ("contact", "hall"),
    "a_second_door": ("contact", "hall"),
    "a_water": ("water", "kitchen"),
    "a_button": ("button", "bedroom"),
    "a_lamp": ("lamp", "hall"),
}
IEEE = {name: f"00:15:8d:00:02:aa:bb:{nth:02x}" for nth, name in enumerate(SENSORS, 1)}
APARTMENT = "timezone: Europe/Stockholm\npairing: asked\nzigbee:\n" + "".join(
    f'  {name}: {{model: {model}, ieee: "{IEEE[name]}", room: {room}}}\n'
    for name, (model, room) in SENSORS.items()
)
HOME = """\
# Flat 1203. The spare key hangs at the caretaker's.
home: flat-1203
timezone: Europe/Stockholm
language: sv
clock: {{trust: always}}
voice: {{device: none}}
broker: {{url: "mqtt://127.0.0.1:{port}"}}   # in the cellar
radios:
  zigbee: {{driver: zigbee, port: "{stick}", adapter: ezsp}}

devices:        # by room

# what they are for
share: {{}}     # nothing leaves
"""
PATIENCE_S = 40.0


@dataclass
class Flat:
    """Everything of it, outside the installer's hands."""

    folder: Path
    home: Path
    data: Path
    sim: Apartment
    node: NodeProcess
    receivers: dict[str, Receiver] = field(default_factory=dict)

    def text(self) -> str:
        """home.yaml as it stands."""
        return self.home.read_text()

    def shows(self, point: str, shown: str) -> bool:
        """Whether the node shows that."""
        points = self.node.status()["points"]
        return any((one["point"], one["shown"]) == (point, shown) for one in points)

    def restart(self) -> None:
        """The node is killed and started again."""
        self.node.kill()
        self.node = NodeProcess(self.home, self.data)
        self.node.until("network up")

    def acknowledge(self) -> None:
        """Every receiver answers what it was sent, as somebody there would, and is told that it counts."""
        asked = [
            (party, _acknowledge(alert["data"]["alert"]))
            for party, receiver in self.receivers.items()
            for alert in receiver.alerts("notified")
        ]
        for party, wish in asked:
            self.receivers[party].send(f"hn1/flat-1203/{party}/command", wish)
        for party, wish in asked:
            answer = self.receivers[party].until(
                lambda one, id=wish["id"]: one.reply(id), f"{party}'s answer"
            )
            assert answer["ok"], answer

    def tells(self) -> str:
        """What the node logged and receivers got; of a test that fails it is shown."""
        heard = "\n".join(
            f"{party}: {topic} {json.dumps(body, ensure_ascii=False)}"
            for party, receiver in self.receivers.items()
            for topic, body, _ in list(receiver.messages)
        )
        return f"\n-- the node\n{self.node.log}\n-- receivers\n{heard}"


def _acknowledge(alert: str) -> dict[str, Any]:
    wish = {"id": uuid.uuid4().hex, "do": "acknowledge", "by": "Karin, larmcentralen"}
    return {**wish, "expires": in_an_hour(), "args": {"alert": alert}}


@contextmanager
def flat(folder: Path, sensors: str = APARTMENT) -> Iterator[Flat]:
    """A flat with a network that has been formed, and nobody in it."""
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "broker"))
        stick = folder / "stick"
        sim = stack.enter_context(apartment(folder, "--pty", str(stick), text=sensors))
        home, data = folder / "home.yaml", folder / "data"
        home.write_text(HOME.format(port=broker.port, stick=stick))
        found = Flat(folder, home, data, sim, NodeProcess(home, data))
        stack.callback(lambda: found.node.__exit__())
        found.node.until("network up")
        for party in ("care", "property"):
            topics = [f"hn1/flat-1203/{party}/{name}" for name in ("alerts", "reply")]
            receiver = Receiver(broker.port, *topics, name=party)
            found.receivers[party] = stack.enter_context(receiver)
        yield found


class Installer:
    """`homenode install` on a terminal: what is typed, and what came back."""

    def __init__(self, flat: Flat, *words: str, command: str = "install") -> None:
        self.said = ""
        line = [sys.executable, "-u", "-m", "homenode.cli", command, *words]
        self.process = subprocess.Popen(
            [*line, "--data", str(flat.data), "--language", "en"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._news = threading.Condition()
        self._seen = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while letters := os.read(self.process.stdout.fileno(), 65536):
            with self._news:
                self.said += letters.decode()
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def until(self, pattern: str, within_s: float = PATIENCE_S) -> re.Match[str]:
        """Wait for what is said after what was waited for before."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.said[self._seen :])

        with self._news:
            assert self._news.wait_for(found, within_s), f"never said: {pattern}\n{self.said}"
            match = found()
            assert match is not None
            self._seen += match.end()
            return match

    def type_until(self, line: str, pattern: str) -> None:
        """Type a line again and again, as somebody does who waits for something."""
        for _ in range(int(PATIENCE_S)):
            self.type(line)
            with contextlib.suppress(AssertionError):
                self.until(pattern, 1.0)
                return
        self.until(pattern, 0)

    def type(self, *lines: str) -> None:
        """Type lines, each with Enter."""
        assert self.process.stdin is not None
        for line in lines:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()

    def end(self) -> int:
        """Hang up."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> Installer:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
