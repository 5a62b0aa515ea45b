"""What is around the board: office, broker with the example's list, radio with its devices, and who listens.

QEMU's guest sees this machine's loopback as 10.0.2.2.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.image.tools import REPOSITORY
from tests.system.brokers import Mosquitto, free_port
from tests.system.nodes import Receiver

HOST = "10.0.2.2"
STICK = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_1-0000:00:04.0-1-if00-port0"
APARTMENT = """
timezone: Europe/Stockholm
pairing: open
zigbee:
  front_door: {model: contact, ieee: "00:15:8d:00:02:aa:bb:01", room: hall}
  lamp: {model: plug, ieee: "00:15:8d:00:02:aa:bb:02", room: hall}
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
  front_door: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: hall}
  lamp: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:02", room: hall}
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
says: {sv: "Dörren är öppen", en: "The door is open"}
"""


class World:
    """Runs while the `with` lasts, in a folder of its own."""

    def __init__(self, folder: Path, home: str = "flat-1") -> None:
        self.folder, self.home = folder, home
        self.office, self.key = folder / "office", folder / "service"
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.office_port = free_port()
        self._office("init", str(self.office), "--name", HOST, "--listen", f"127.0.0.1:{self.office_port}")
        self.broker = self._broker()
        self.bundles = self.folder / "bundles"
        self.bundles.mkdir()
        with (self.office / "office.yaml").open("a") as settings:
            settings.write(f"bundles: {self.bundles}\n")
        homes = self.office / "homes" / self.home
        (homes / "rules").mkdir(parents=True)
        text = HOME.replace("HOME", self.home).replace("HOST", HOST).replace("STICK", STICK)
        (homes / "home.yaml").write_text(text.replace("PORT", str(self.broker.port)))
        (homes / "rules/door.yaml").write_text(RULE)
        self._run("office", "serve", "--office", str(self.office), log="office.log")
        self._sim()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._ends.close()

    def provisioning(self, serial: str = "") -> str:
        """The file for a card, with a new code."""
        file = self.folder / "provision.yaml"
        said = [serial] if serial else []
        self._office(
            "box", "add", *said, "--home", self.home, "--file", str(file), "--office", str(self.office)
        )
        return file.read_text() + f"service_key: {self.key.with_suffix('.pub').read_text().strip()}\n"

    def party(self, name: str) -> Receiver:
        """Who listens as a party, through the broker's list."""
        certificate, key = self._certify(f"{name}@example")
        keys = {"ca_certs": str(self.office / "ca.pem"), "certfile": str(certificate), "keyfile": str(key)}
        topics = [
            f"hn1/{self.home}/link",
            *(f"hn1/{self.home}/{name}/{what}" for what in ("alerts", "status", "reply")),
        ]
        return Receiver(self.broker.port, *topics, name=name, keys=keys)

    def _certify(self, name: str, more: str = "") -> tuple[Path, Path]:
        """A certificate of the office's authority, as deploy/mosquitto/README.md has it made, and its key."""
        key, asked, made = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        openssl = [
            "openssl",
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            f"/CN={name}",
        ]
        subprocess.run([*openssl, "-keyout", key, "-out", asked], check=True, capture_output=True)
        extra = self.folder / "extensions"
        extra.write_text(more)
        ca = [
            "-CA",
            self.office / "ca.pem",
            "-CAkey",
            self.office / "ca.key",
            "-CAcreateserial",
            "-days",
            "9",
        ]
        sign = ["openssl", "x509", "-req", "-in", asked, *ca, "-extfile", extra, "-out", made]
        subprocess.run(sign, check=True, capture_output=True)
        return made, key

    def _broker(self) -> Mosquitto:
        """Mosquitto as the example in deploy/ has it, without its list of revoked certificates."""
        port, example = free_port(), REPOSITORY / "deploy/mosquitto"
        self._certify("broker", f"subjectAltName=IP:{HOST},IP:127.0.0.1")
        text = (example / "mosquitto.conf").read_text()
        changes = {
            "listener 8883": f"listener {port} 127.0.0.1",
            "/etc/mosquitto/homenode/acl": str(example / "acl"),
            "/etc/mosquitto/homenode/ca.pem": str(self.office / "ca.pem"),
            "/etc/mosquitto/homenode/broker": str(self.folder / "broker"),
            "crlfile": "# crlfile",
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
        return json.loads(self._office("list", "--json", "--office", str(self.office)))

    def _office(self, *words: str) -> str:
        command = [sys.executable, "-m", "homenode.cli", "office", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.folder).stdout

    def _run(self, *words: str, log: str) -> subprocess.Popen[bytes]:
        stream = self._ends.enter_context((self.folder / log).open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-m", "homenode.cli", *words], stdout=stream, stderr=stream
        )
        self._ends.callback(process.wait)
        self._ends.callback(process.terminate)
        return process

    def _sim(self) -> None:
        file = self.folder / "apartment.yaml"
        file.write_text(APARTMENT)
        command = [
            sys.executable,
            "-m",
            "homenode.cli",
            "sim",
            "run",
            str(file),
            "--control",
            "0",
            "--tcp",
            "0",
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=self.folder)
        self._ends.callback(process.wait)
        self._ends.callback(process.terminate)
        assert process.stdout is not None
        self.sim = json.loads(process.stdout.readline().removeprefix("ready "))
