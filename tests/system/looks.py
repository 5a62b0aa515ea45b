"""A flat with a camera, its lamp and its light: the real node on a real broker, and a caregiver who asks."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import Mosquitto
from tests.system.nodes import PATIENCE_S, NodeProcess, Receiver, in_an_hour
from tests.system.test_sim_run import Apartment, apartment

FLAT = """
timezone: Europe/Stockholm
gpio:
  ir:   {pin: 22, kind: light, room: bedroom}
  sign: {pin: 23, kind: light, room: bedroom}
  ok:   {pin: 24, kind: button, room: bedroom}
  no:   {pin: 25, kind: button, room: bedroom}
"""
HOME = """
home: looks-1
timezone: Europe/Stockholm
language: sv
broker: {{url: "{url}"}}
clock: {{trust: always}}
voice: {{device: none}}
devices:
  ir:   {{driver: gpio, pin: 22, kind: light, room: bedroom}}
  sign: {{driver: gpio, pin: 23, kind: light, room: bedroom}}
  ok:   {{driver: gpio, pin: 24, kind: button, room: bedroom}}
  no:   {{driver: gpio, pin: 25, kind: button, room: bedroom}}
resident: {{ok: ok.button, stop: no.button}}
cameras:
  bed:
    {{room: bedroom, source: "file:{mood}", lamp: ir.light, indicator: sign.light}}
video:
  nights: {{cameras: [bed], from: 2020-01-01, to: 2099-12-31, views: [silhouette, blurred], {more}}}
"""
STAND_IN = f"{sys.executable} {Path(__file__).with_name('capture_stand_in.py')}"

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-socket-activate"), reason="systemd is not installed"
)


@contextmanager
def accepting(path: Path, *command: str) -> Iterator[Path]:
    """A socket at which a process is started for each who connects, as by homenode-video.socket."""
    with subprocess.Popen(["systemd-socket-activate", "--accept", f"--listen={path}", *command]) as systemd:
        until(path.exists, PATIENCE_S, lambda: "no socket")
        try:
            yield path
        finally:
            systemd.kill()


class Flat:
    """All of it, from outside."""

    def __init__(self, folder: Path, sim: Apartment, broker: Mosquitto, care: Receiver) -> None:
        self.folder, self.sim, self.broker, self.care = folder, sim, broker, care
        self.node: NodeProcess

    def describe(self, mood: str = "good", more: str = "ask: never, announce: light") -> None:
        """Write home.yaml: how the camera behaves, and terms of the decision."""
        (self.folder / "home.yaml").write_text(HOME.format(url=self.broker.url, mood=mood, more=more))

    @contextmanager
    def run(self, *, capture: str = STAND_IN, kind: type[NodeProcess] = NodeProcess) -> Iterator[NodeProcess]:
        """The node; killed at the end if it still runs."""
        pins = {"GPIOZERO_PIN_FACTORY": "pigpio", "PIGPIO_ADDR": "127.0.0.1"}
        pins["PIGPIO_PORT"] = str(self.sim.places["gpio"])
        with kind(
            self.folder / "home.yaml", self.folder / "data", env={**pins, "HOMENODE_CAPTURE": capture}
        ) as self.node:
            self.node.until("link up")
            yield self.node

    def ask(self, **args: Any) -> str:
        """What care sends; its id."""
        body = {"id": uuid.uuid4().hex, "do": "video", "by": "Eva", "expires": in_an_hour(), "args": args}
        self.care.send("hn1/looks-1/care/command", body)
        return str(body["id"])

    def reply(self, id: str) -> dict[str, Any]:
        """The answer to it."""
        answer: dict[str, Any] = self.care.until(lambda seen: seen.reply(id), f"the answer to {id}")
        return answer

    def asked(self, **args: Any) -> dict[str, Any]:
        """What care is answered."""
        return self.reply(self.ask(**args))

    def look(self, **more: Any) -> dict[str, Any]:
        """A granted look's answer."""
        wish = {"camera": "bed", "view": "silhouette", "reason": "round", "sdp": "offer", **more}
        answer = self.asked(**wish)
        assert answer["ok"], answer
        result: dict[str, Any] = answer["result"]
        return result

    def refused(self, **more: Any) -> str:
        """The code with which a look is refused."""
        answer = self.asked(
            **{"camera": "bed", "view": "silhouette", "reason": "round", "sdp": "offer", **more}
        )
        assert not answer["ok"], answer
        return str(answer["error"]["code"])

    def lit(self) -> tuple[bool, bool]:
        """Whether lamp and light are on, as the hardware says."""
        return self.sim.do("status ir")["light"], self.sim.do("status sign")["light"]

    def films(self) -> dict[int, int]:
        """Processes that film, each with its port."""
        found = {}
        for noted in (self.folder / "captures").glob("*.json"):
            with contextlib.suppress(OSError):
                state = Path(f"/proc/{noted.stem}/stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found[int(noted.stem)] = json.loads(noted.read_text())["port"]
        return found

    def keepers(self) -> list[int]:
        """Processes of this node that wait for its death, to put out the lights."""
        return list(self.ours(b"drivers/gpio/put_out.py"))

    def ours(self, program: bytes) -> Iterator[int]:
        """Processes that the node has started with this in their command."""
        mark = f"PIGPIO_PORT={self.sim.places['gpio']}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it is gone
                found = program in (process / "cmdline").read_bytes()
                if found and mark in (process / "environ").read_bytes().split(b"\0"):
                    yield int(process.name)

    def ports(self) -> set[int]:
        """Of those that ever filmed, the ports that are open, as the kernel says."""
        noted = {json.loads(one.read_text())["port"] for one in (self.folder / "captures").glob("*.json")}
        rows = Path("/proc/net/udp").read_text().splitlines()[1:]
        return noted & {int(row.split()[1].rpartition(":")[2], 16) for row in rows}

    def dark(self, within_s: float = 1.0) -> float:
        """Nobody films, no port is open, lamp and light are off; within a second of now. After how long?"""
        return until(
            lambda: not self.films() and not self.ports() and self.lit() == (False, False),
            within_s,
            self.seen,
        )

    def seen(self) -> str:
        """What a test that fails says."""
        return f"films {self.films()}, ports {self.ports()}, lit {self.lit()}\n{self.node.log}"

    def entries(self) -> list[dict[str, Any]]:
        """The log of looks, as care exports it."""
        answer = self.node.ask("video", "log", "--json")
        assert answer.returncode == 0, answer.stderr
        return [json.loads(line) for line in answer.stdout.splitlines()]


def until(true: Callable[[], object], within_s: float, what: Callable[[], str]) -> float:
    """Wait until it is true; seconds that it took."""
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    while not true():
        assert time.clock_gettime(time.CLOCK_BOOTTIME) < began + within_s, what()
        time.sleep(0.02)
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


@contextmanager
def flat(folder: Path, text: str = FLAT, kind: type[Flat] = Flat) -> Iterator[Flat]:
    """The hardware and the broker, which outlive a node."""
    with (
        apartment(folder, "--gpio", "0", text=text) as sim,
        Mosquitto(folder / "broker") as broker,
        Receiver(broker.port, "hn1/looks-1/#") as care,
    ):
        made = kind(folder, sim, broker, care)
        made.describe()
        yield made


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
