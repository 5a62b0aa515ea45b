"""`homenode listen` as processes, NATS servers, and homes that only send."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt import client as mqtt

from homenode.contract import alert, topics
from homenode.gateway.clock import Clock
from tests.system.brokers import free_port
from tests.system.nodes import PATIENCE_S

_CLOCK = Clock()
NATS = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
needs_nats = pytest.mark.skipif(NATS is None, reason="nats-server is not installed")
AT = "2026-01-05T06:12:03.250+01:00"


class Listener:
    """One receiver; what it prints and logs goes to files, so that a kill loses nothing of it."""

    def __init__(self, folder: Path, *words: str, name: str = "listener") -> None:
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        self._command = [sys.executable, "-m", "homenode.cli", "listen", *words]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, stdout: int | None = None) -> Self:
        """Start it, or start it again; it listens when this returns.

        Args:
            stdout: subprocess.PIPE if somebody else reads what it prints.
        """
        before = self.log.count(" listen: listening ")
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self._process = subprocess.Popen(self._command, stdout=stdout or out, stderr=err)
        self.until(lambda: self.log.count(" listen: listening ") > before, "listening")
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        """Everything it logged."""
        return self.err.read_text() if self.err.exists() else ""

    @property
    def lines(self) -> list[str]:
        """Every whole line that it printed."""
        return self._whole().decode().splitlines() if self.out.exists() else []

    def _whole(self) -> bytes:
        said = self.out.read_bytes()
        return said[: said.rfind(b"\n") + 1]

    @property
    def ids(self) -> list[str]:
        """Of the alerts it printed with --json."""
        return [event["id"] for event in map(json.loads, self.lines) if ".alert." in event["type"]]

    def until(self, fits: Any, what: str, within_s: float = PATIENCE_S) -> None:
        """Wait until `fits` says yes."""
        deadline = _CLOCK.now() + within_s * 1000
        while not fits():
            assert _CLOCK.now() < deadline, f"never: {what}\n{self.log}\n{self.lines[-20:]}"
            assert self._process is None or self._process.poll() is None, f"ended\n{self.log}"
            time.sleep(0.02)

    def until_printed(self, text: str) -> None:
        """Wait for a line with `text`."""
        self.until(lambda: any(text in line for line in self.lines), text)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()
        os.truncate(self.out, len(self._whole()))  # half a line is none, and the next life's begins anew

    def freeze(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


class Homes:
    """Homes that send alerts as nodes do: each message again until it is acknowledged, with id and number.

    Args:
        ports: Of brokers; at a loss the next one is tried.
    """

    def __init__(self, *ports: int) -> None:
        self._ports, self._numbers = ports, dict[str, int]()
        self.sent: list[str] = []
        self._acknowledged: set[str] = set()
        self._news = threading.Condition()
        self._mids: dict[int, str] = {}
        self._done: set[int] = set()
        self._bodies: dict[str, tuple[str, bytes]] = {}
        self._nth = 0
        self._connect()

    def _connect(self) -> None:
        """A new session on the next broker; what is not acknowledged goes again."""
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        client.max_inflight_messages_set(0)
        client.on_publish = self._published
        up = threading.Event()
        client.on_connect = lambda *_: up.set()
        while True:
            try:
                client.connect("127.0.0.1", self._ports[self._nth % len(self._ports)])
                break
            except OSError:
                self._nth += 1
        client.loop_start()
        self._client, self._mids, self._done = client, {}, set()
        assert up.wait(PATIENCE_S)
        for key in self._owed():
            self._publish(key)

    def _owed(self) -> list[str]:
        """What no broker has acknowledged."""
        self._acknowledged |= {self._mids[mid] for mid in self._done & self._mids.keys()}
        return [key for key in self.sent if key not in self._acknowledged]

    def _published(self, client: Any, _data: Any, mid: int, *_: object) -> None:
        with self._news:
            if client is self._client:
                self._done.add(mid)
            self._news.notify_all()

    def alert(self, home: str, told: str = "notified", *, name: str = "", **data: Any) -> str:
        """Send one; returns its id."""
        number = self._numbers[home] = self._numbers.get(home, 0) + 1
        key = f"{home}.{number}"
        body = {
            "alert": name or f"door:{home}", "rule": "door", "severity": "alarm", "event": told, "at": AT,
            "room": "hall", "text": {"sv": "Dörren är öppen", "en": "The door is open"},
            "evidence": [], "test": False, **data,
        }  # fmt: skip
        kind = alert.Told(told)
        message = alert.payload(home=home, message_id=key, told=kind, subject="door", time=AT, data=body)
        self._bodies[key] = (topics.alerts(home, "care"), alert.numbered(message, number, f"epoch-{home}"))
        self.sent.append(key)
        self._publish(key)
        return key

    def skip(self, home: str) -> None:
        """A message that never comes."""
        self._numbers[home] = self._numbers.get(home, 0) + 1

    def link(self, home: str, online: bool) -> None:
        """As the heartbeat or the will."""
        self.send(topics.link(home), {"online": online, "at": AT})

    def looks(self, home: str, *views: str) -> None:
        """A status by which care may always look through the bedroom's camera."""
        decision = {
            "decision": "always", "party": "care", "cameras": [{"camera": "bedroom", "room": "bedroom"}],
            "views": list(views), "from": "2020-01-01", "to": "2099-12-31", "ask": False, "longest_s": 120.0,
        }  # fmt: skip
        more = {"health": {"state": "good"}, "versions": {"homenode": "1"}, "looks": [decision]}
        body = {"home": home, "at": AT, "open": [], "mode": "home", **more}
        self.send(topics.status(home, "care"), body)

    def send(self, topic: str, body: Mapping[str, Any], *, retain: bool = True) -> None:
        """Anything; a broker keeps it for whoever comes."""
        self._client.publish(topic, json.dumps(body), 1, retain=retain)

    def _publish(self, key: str) -> None:
        self._mids[self._client.publish(*self._bodies[key], qos=1).mid] = key  # maybe acknowledged already

    def until_acknowledged(self) -> None:
        """All of it; over to another broker if this one doesn't answer."""
        deadline = _CLOCK.now() + 4 * PATIENCE_S * 1000
        while True:
            with self._news:
                if self._news.wait_for(lambda: not self._owed(), 5.0):
                    return
            assert _CLOCK.now() < deadline, "the broker does not acknowledge"
            self._owed()
            self._client.loop_stop()
            self._nth += 1
            self._connect()

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Nats:
    """NATS servers with JetStream and MQTT, as a cluster if there are three; `more`: of the configuration."""

    def __init__(self, folder: Path, servers: int, more: str = "") -> None:
        ports = [(free_port(), free_port(), free_port()) for _ in range(servers)]
        self.mqtt = [mqtt_port for _, mqtt_port, _ in ports]
        self.url = [f"nats://127.0.0.1:{port}" for port, _, _ in ports]
        self._folder, self._servers = folder, list[Any]([None] * servers)
        folder.mkdir(parents=True, exist_ok=True)
        routes = ", ".join(f'"nats://127.0.0.1:{route}"' for *_, route in ports)
        for nth, (port, mqtt_port, route) in enumerate(ports):
            cluster = f"cluster {{ name: c, listen: 127.0.0.1:{route}, routes: [{routes}] }}"
            (folder / f"{nth}.conf").write_text(f"""\
server_name: n{nth}
listen: 127.0.0.1:{port}
jetstream {{ store_dir: "{folder}/{nth}", sync_interval: always }}
mqtt {{ listen: 127.0.0.1:{mqtt_port} }}
{cluster if servers > 1 else ""}
{more}
""")

    def start(self, nth: int) -> None:
        """Start one; it listens when this returns."""
        assert NATS is not None
        with (self._folder / f"{nth}.log").open("ab") as log:
            self._servers[nth] = subprocess.Popen([NATS, "-c", self._folder / f"{nth}.conf"], stderr=log)
        deadline = _CLOCK.now() + PATIENCE_S * 1000
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.mqtt[nth]), timeout=1).close()
                return
            except OSError:
                assert _CLOCK.now() < deadline, (self._folder / f"{nth}.log").read_text()
                time.sleep(0.02)

    def kill(self, nth: int) -> None:
        """kill -9."""
        self._servers[nth].kill()
        self._servers[nth].wait()
        self._servers[nth] = None

    def __enter__(self) -> Self:
        for nth in range(len(self._servers)):
            self.start(nth)
        return self

    def __exit__(self, *_: object) -> None:
        for nth, server in enumerate(self._servers):
            if server is not None:
                self.kill(nth)

    @property
    def pids(self) -> dict[str, int]:
        """Of the servers that run."""
        return {f"NATS {nth}": server.pid for nth, server in enumerate(self._servers) if server is not None}

    def words(self) -> Sequence[str]:
        """For the command line of a receiver."""
        return [word for url in self.url for word in ("--nats", url)]
