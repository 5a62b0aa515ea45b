"""The two programs that are compared, each on a stick of its own of the same simulator."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import settle
from tests.benchmarks.zigbee_apartment import ieee_text, names
from tests.system.brokers import Mosquitto
from tests.system.nodes import NodeProcess
from tests.system.peers import Zigbee2Mqtt

INTERVIEWS_S = 600.0
_WIRE = {"power": 10, "temperature": 100}
"""What a value is multiplied with to be as on the wire."""


class Apartment:
    """The simulator's process, told what to do."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        command = [sys.executable, "-m", "tests.benchmarks.zigbee_apartment", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        places = self.answer()
        self.gpio: int = places["gpio"]
        self.port: str = places["port"]

    def order(self, do: str, **more: Any) -> None:
        """Tell it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What it says next."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the simulator has ended"
        said: dict[str, Any] = json.loads(line)
        return said

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Tell it, and wait for its answer."""
        self.order(do, **more)
        return self.answer()

    def close(self) -> None:
        """Power it off."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


_RULES = """
voice: {device: none}
rules:
  - {use: stove_left_on, bind: {stove: plug_10.power, presence: [hall_eye.motion], guard: plug_10.switch}}
  - {use: door_open_at_night, bind: {door: front_door.contact}}
  - {use: door_left_open, bind: {door: contact_1.contact}}
  - {use: water_leak, bind: {water: [sink.water]}}
  - {use: cold, bind: {temperature: [thermometer_15.temperature, thermometer_16.temperature]}}
  - {use: battery_low, bind: {battery: [contact_0.battery, contact_1.battery]}}
"""


class Homenode:
    """homenode with Zigbee, GPIO, MQTT, a journal and six rules; every reading is shared."""

    name = "homenode"
    topics = "hn1/bench/care/readings/#"

    def __init__(self, folder: Path, apartment: Apartment, broker: Mosquitto) -> None:
        self.apartment = apartment
        self._folder = folder
        self._node: NodeProcess | None = None
        devices = "\n".join(
            f'  {name}: {{via: zigbee, ieee: "{ieee_text(ieee)}", room: hall}}'
            for name, (_, ieee) in names().items()
        )
        self._home = folder / "home.yaml"
        self._home.write_text(
            "home: bench\ntimezone: Europe/Stockholm\nclock: {trust: always}\n"
            f"broker: {{url: '{broker.url}'}}\n"
            f"radios:\n  zigbee: {{driver: zigbee, port: {apartment.port}, adapter: ezsp}}\n"
            f"devices:\n{devices}\n"
            "  front_door: {driver: gpio, pin: 17, kind: contact, room: hall}\n"
            "  sink: {driver: gpio, pin: 27, kind: water, room: hall}\n"
            "  hall_eye: {driver: gpio, pin: 22, kind: motion, room: hall}\n"
            f"{_RULES}share: {{care: ['*.*']}}\n"
        )
        self._environment = {
            "GPIOZERO_PIN_FACTORY": "pigpio",
            "PIGPIO_ADDR": "127.0.0.1",
            "PIGPIO_PORT": str(apartment.gpio),
        }

    @property
    def pid(self) -> int:
        """Of the process under test."""
        assert self._node is not None
        return self._node.process.pid

    def start(self) -> None:
        """Start; doesn't wait."""
        self._node = NodeProcess(self._home, self._folder / "data", env=self._environment)

    def ready(self) -> None:
        """Wait until its network is up."""
        assert self._node is not None
        self._node.until("network up")

    def stop(self) -> None:
        """As a service manager does."""
        assert self._node is not None
        self._node.stop()

    def pair(self) -> None:
        """Form a network and interview all devices."""
        self.start()
        self.ready()
        assert self._node is not None
        permitted = self._node.ask("pair", "--for", "4min")
        assert permitted.returncode == 0, permitted.stderr
        assert len(self.apartment.ask("join")["joined"]) == len(names())
        until = time.monotonic() + INTERVIEWS_S  # noqa: TID251 - a benchmark is about real time
        while True:
            done = [
                name
                for name in names()
                if any(f"interviewed device={name} " in line for line in self._node.lines)
            ]
            if len(done) == len(names()):
                break
            assert time.monotonic() < until, f"interviewed only {done}\n{self._node.log}"  # noqa: TID251 - likewise
            time.sleep(0.5)
        settle(self.pid)
        self.stop()

    def read(self, topic: str, payload: bytes) -> tuple[str, int] | None:
        """Device and value as on the wire."""
        *_, device, kind = topic.split("/")
        if kind not in ("power", "temperature", "contact") or device not in names():
            return None
        said = json.loads(payload)
        if said["how"] != "live" or said["value"] is None:
            return None
        return device, round(said["value"] * _WIRE.get(kind, 1))


class Peer:
    """zigbee2mqtt as it comes, but for a log that says only errors and goes to no file."""

    name = "zigbee2mqtt"
    topics = "zigbee2mqtt/+"

    def __init__(self, folder: Path, apartment: Apartment, broker: Mosquitto) -> None:
        self.apartment = apartment
        advanced = {"log_level": "error", "log_output": ["console"], "network_key": "GENERATE",
                    "pan_id": "GENERATE", "ext_pan_id": "GENERATE", "channel": 15}  # fmt: skip
        self._peer = Zigbee2Mqtt(folder / "z2m", apartment.port, broker.port, settings={"advanced": advanced})
        self._names = {f"0x{ieee:016x}": name for name, (_, ieee) in names().items()}

    @property
    def pid(self) -> int:
        """Of the process under test."""
        assert self._peer.pid is not None
        return self._peer.pid

    def start(self) -> None:
        """Start; doesn't wait."""
        self._peer.launch()

    def ready(self) -> None:
        """Wait until it is online."""
        self._peer.online()
        self._peer.hush()

    def stop(self) -> None:
        """As a service manager does."""
        self._peer.stop()

    def pair(self) -> None:
        """Form a network and interview all devices."""
        self._peer.start()
        self._peer.permit()
        assert len(self.apartment.ask("join")["joined"]) == len(names())
        done: set[str] = set()
        for topic, said in self._peer.heard(within_s=INTERVIEWS_S):
            if topic == "bridge/event" and said["data"].get("status") == "successful":
                done.add(said["data"]["ieee_address"])
            if len(done) == len(names()):
                break
        assert len(done) == len(names()), f"interviewed only {done}"
        settle(self.pid)
        self.stop()

    def read(self, topic: str, payload: bytes) -> tuple[str, int] | None:
        """Device and value as on the wire."""
        device = self._names.get(topic.rpartition("/")[2])
        if device is None:
            return None
        said = json.loads(payload)
        if device.startswith("contact"):
            return (device, int(not said["contact"])) if "contact" in said else None
        kind = "power" if device.startswith("plug") else "temperature"
        return (device, round(said[kind] * _WIRE[kind])) if said.get(kind) is not None else None


Stack = Homenode | Peer
