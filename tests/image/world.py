"""What is around the board: office, broker with the example's list, radio with its devices, and who listens.

QEMU's guest sees this machine's loopback as 10.0.2.2.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.image.tools import REPOSITORY
from homenode.config.model import SIGNERS
from tests.image.machine import LINK, SIDE, SIDE_NET
from tests.system.brokers import Mosquitto, free_port
from tests.system.nodes import Receiver

HOST = "10.0.2.2"
STICK = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_1-0000:00:04.0-1-if00-port0"
DEVICES = 2
MODELS = ("contact", "plug", "motion", "thermometer", "water", "smoke")
APARTMENT = """
timezone: Europe/Stockholm
pairing: open
zigbee:
"""
HOME = """
home: HOME
timezone: Europe/Stockholm
language: sv
broker: {url: "mqtts://HOST:PORT", ca: ca.pem, cert: node.pem, key: node.key}
clock: {trust: always}
radios:
  zigbee: {driver: zigbee, port: STICK, adapter: ezsp}
devices:
DEVICES
rules:
  - use: door
    bind: {door: front_door.contact}
"""
RULE = """
rule: door
version: 1
severity: alarm
to: [care]
roles:
  door: {kind: contact}
when: door == open
says: {sv: "TEXT"}
"""
HOMENODE = [sys.executable, "-m", "homenode.cli"]


class World:
    """Runs while the `with` lasts, in a folder of its own."""

    def __init__(self, folder: Path, home: str = "flat-1", *, devices: int = DEVICES) -> None:
        self.folder, self.home, self.devices = folder, home, devices
        self.office, self.key = folder / "office", folder / "service"
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.office_port = free_port()
        self._homenode(
            "office", "init", str(self.office), "--name", HOST, "--listen", f"127.0.0.1:{self.office_port}"
        )
        self.broker = self._broker()
        self.bundles = self.folder / "bundles"
        self.bundles.mkdir()
        with (self.office / "office.yaml").open("a") as settings:
            settings.write(f"bundles: {self.bundles}\n")
        for party in SIGNERS:
            homes = str(self.office / "homes")
            self._homenode("configure", "key", party, str(self._signs(party)), "--homes", homes)
        self.files = self.office / "homes" / self.home
        (self.files / "rules").mkdir(parents=True)
        text = HOME.replace("HOME", self.home).replace("HOST", HOST).replace("STICK", STICK)
        known = "\n".join(
            f'  {name}: {{via: zigbee, ieee: "{ieee}", room: hall}}' for name, _, ieee in self._flat()
        )
        text = text.replace("DEVICES", known).replace("PORT", str(self.broker.port))
        (self.files / "home.yaml").write_text(text)
        self.says("Dörren är öppen")
        self.start_office()
        self._sim()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._ends.close()

    def _flat(self) -> Iterator[tuple[str, str, str]]:
        """Name, model and address of each device: a door, a lamp, and more of both and of other kinds."""
        names = ["front_door", "lamp"]
        for nth in range(self.devices):
            model = MODELS[nth % len(MODELS)]
            yield (
                names[nth] if nth < len(names) else f"{model}_{nth}",
                model,
                f"00:15:8d:00:02:aa:bb:{nth + 1:02x}",
            )

    def provisioning(self, *words: str) -> str:
        """The file for a card, with a new code; `words` in place of ``box add``, such as ``swap HOME``."""
        file = self.folder / "provision.yaml"
        self.office_does(*(words or ("box", "add", "--home", self.home)), "--file", str(file))
        lines = [
            f"service_key: {self.key.with_suffix('.pub').read_text().strip()}",
            f"network: {{interface: {LINK}}}",
            f"apartment: {{interface: {SIDE}, address: {SIDE_NET}.1/24}}\n",
        ]
        return file.read_text() + "\n".join(lines)

    def party(self, name: str) -> Receiver:
        """Who listens as a party, through the broker's list."""
        certificate, key = self._certify(f"{name}@example")
        keys = {"ca_certs": str(self.office / "ca.pem"), "certfile": str(certificate), "keyfile": str(key)}
        topics = [
            f"hn1/{self.home}/link",
            *(f"hn1/{self.home}/{name}/{what}" for what in ("alerts", "status", "reply")),
        ]
        return Receiver(self.broker.port, *topics, name=name, keys=keys)

    def says(self, text: str) -> None:
        """What the door's alert says from now on, signed by both."""
        (self.files / "rules/door.yaml").write_text(RULE.replace("TEXT", text))
        for party in SIGNERS:
            self._homenode("configure", "sign", str(self.files), "--key", str(self._signs(party)))

    def _signs(self, party: str) -> Path:
        return self.folder / f"{party}.sign"

    def sending(self) -> subprocess.Popen[str]:
        """Sends what was signed last to the home; 0 if it took it."""
        certificate, key = self._certify("operator@example")
        file = self.folder / "operator.yaml"
        broker = f'url: "mqtts://127.0.0.1:{self.broker.port}", ca: {self.office / "ca.pem"}'
        file.write_text(f"party: operator\nbroker: {{{broker}, cert: {certificate}, key: {key}}}\n")
        command = [*HOMENODE, "configure", "send", str(self.files), str(file), "--wait", "2min"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def _certify(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """A certificate of the office's authority, and its key."""
        made, key = (self.folder / f"{name}.{kind}" for kind in ("pem", "key"))
        if not made.exists():
            named = [word for host in hosts for word in ("--host", host)]
            self.office_does("certify", name, *named, "--to", str(self.folder))
        return made, key

    def _broker(self) -> Mosquitto:
        """Mosquitto as the example in deploy/ has it."""
        port, example = free_port(), REPOSITORY / "deploy/mosquitto"
        self._certify("broker", HOST, "127.0.0.1")
        text = (example / "mosquitto.conf").read_text()
        changes = {
            "listener 8883": f"listener {port} 127.0.0.1",
            "/etc/mosquitto/homenode/acl": str(example / "acl"),
            "/etc/mosquitto/homenode/ca.pem": str(self.office / "ca.pem"),
            "/etc/mosquitto/homenode/broker": str(self.folder / "broker"),
            "/etc/mosquitto/homenode/crl.pem": str(self.office / "crl.pem"),
            "/var/lib/mosquitto/": f"{self.folder}/",
        }
        for old, new in changes.items():
            text = text.replace(old, new)
        broker = Mosquitto.as_configured(self.folder / "mosquitto", text, port)
        self._ends.callback(broker.stop)
        return broker.start()

    def do(self, words: str) -> Any:
        """Something happens in the flat."""
        with (
            socket.create_connection(("127.0.0.1", self.sim["control"]), 20) as line,
            line.makefile("rwb") as io,
        ):
            io.write(json.dumps({"do": words}).encode() + b"\n")
            io.flush()
            answer = json.loads(io.readline())
        assert answer["ok"], answer
        return answer["result"]

    def url(self, bundle: str) -> str:
        """Of an update's bundle, at the office."""
        return f"https://{HOST}:{self.office_port}/bundles/{bundle}"

    def boxes(self) -> Any:
        """What the office knows."""
        return json.loads(self.office_does("list", "--json"))

    def office_does(self, *words: str) -> str:
        """What a command of the office prints."""
        return self._homenode("office", *words, "--office", str(self.office))

    def _homenode(self, *words: str) -> str:
        """
        Raises:
            AssertionError: It didn't end well; with what it said.
        """
        done = subprocess.run([*HOMENODE, *words], capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def settle(self, line: str) -> None:
        """Another line in office.yaml, from now on."""
        with (self.office / "office.yaml").open("a") as settings:
            settings.write(f"{line}\n")
        self._office.send_signal(signal.SIGHUP)

    def start_office(self) -> None:
        """It answers boxes."""
        with (self.folder / "office.log").open("ab") as log:
            command = [*HOMENODE, "office", "serve", "--office", str(self.office)]
            self._office = subprocess.Popen(command, stdout=log, stderr=log)
        self._ends.callback(self.stop_office)

    def stop_office(self) -> None:
        """It answers nobody."""
        self._office.terminate()
        self._office.wait()

    def _sim(self) -> None:
        file = self.folder / "apartment.yaml"
        there = "".join(
            f'  {name}: {{model: {model}, ieee: "{ieee}", room: hall}}\n'
            for name, model, ieee in self._flat()
        )
        file.write_text(APARTMENT + there)
        command = [*HOMENODE, "sim", "run", str(file), "--control", "0", "--tcp", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=self.folder)
        self._ends.callback(process.wait)
        self._ends.callback(process.terminate)
        assert process.stdout is not None
        self.sim = json.loads(process.stdout.readline().removeprefix("ready "))
