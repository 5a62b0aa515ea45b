"""Whole nodes as processes, and a receiver that nobody here wrote (paho, on its own thread).

What either sees of a node must fit the AsyncAPI document, or the test fails.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from homenode.contract.times import Zone
from tests.contract import CONTRACT
from tests.system.watch import Watch

PATIENCE_S = 30.0
"""How long a test waits for an event before it fails; the machine may be busy."""


def in_an_hour(hours: float = 1) -> str:
    """An RFC 3339 time, as a party would write it."""
    return Zone("Europe/Stockholm").text(int((time.time() + hours * 3600) * 1000))  # noqa: TID251 - a party's clock


class Receiver:
    """Subscribes and keeps what comes, with a session that outlives its connection.

    `keys`: ``ca_certs``, ``certfile`` and ``keyfile`` of a client that has to say who it is.
    """

    def __init__(
        self, port: int, *topics: str, name: str = "receiver", keys: Mapping[str, Any] | None = None
    ) -> None:
        self.messages: list[tuple[str, dict[str, Any], bool]] = []
        self.complaints: list[str] = []
        self._news = threading.Condition()
        self._ready = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, clean_session=False, protocol=mqtt.MQTTv311
        )
        if keys is not None:
            self._client.tls_set(**keys)
        self._client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in topics])
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._came
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S), "the receiver could not subscribe"

    def _came(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        why = CONTRACT.why_not(
            message.topic, bytes(message.payload), qos=message.qos, retain=message.retain, published=False
        )
        body = json.loads(message.payload or b"{}")  # nothing: taken back
        with self._news:
            if why and not message.topic.endswith("/command"):
                self.complaints.append(why)
            self.messages.append((message.topic, body, message.retain))
            self._news.notify_all()

    def send(self, topic: str, body: Mapping[str, Any]) -> None:
        """As a party does."""
        self._client.publish(topic, json.dumps(body), qos=1)

    def command(
        self, branch: str, do: str, args: Mapping[str, Any], *, by: str = "Ola", id: str = ""
    ) -> dict[str, Any]:
        """Of a party, HOME/PARTY; what it is answered."""
        name = id or uuid.uuid4().hex
        body = {"id": name, "do": do, "by": by, "expires": in_an_hour(), "args": args}
        self.send(f"hn1/{branch}/command", body)
        return dict(self.until(lambda found: found.reply(name), f"a reply to {do}"))

    def until(self, fits: Callable[[Self], Any], what: str, within_s: float = PATIENCE_S) -> Any:
        """Wait until `fits` gives something true, and return it."""
        with self._news:
            assert self._news.wait_for(lambda: fits(self), within_s), f"never came: {what}"
            assert not self.complaints, "\n".join(self.complaints)
            return fits(self)

    def alerts(self, told: str = "") -> list[dict[str, Any]]:
        """Messages on ``alerts``; `told` such as ``notified``."""
        return [
            body
            for topic, body, _ in list(self.messages)
            if topic.endswith("/alerts") and body["type"].endswith(told)
        ]

    def reply(self, id: str) -> dict[str, Any] | None:
        """What a command was answered; None before."""
        replies = (body for topic, body, _ in list(self.messages) if topic.endswith("/reply"))
        return next((body for body in replies if body["id"] == id), None)

    def readings(self, point: str) -> list[dict[str, Any]]:
        """Live messages of a shared point."""
        tail = "/readings/" + point.replace(".", "/")
        return [body for topic, body, _ in list(self.messages) if topic.endswith(tail) and body]

    @property
    def updates(self) -> list[dict[str, Any]]:
        """What the operator's status said of an update, each time."""
        return [body.get("update", {}) for topic, body, _ in list(self.messages) if topic.endswith("/status")]

    @property
    def connected(self) -> bool:
        """Whether it is at the broker now."""
        return self._client.is_connected()

    def leave(self) -> None:
        """Hang up; the broker keeps what comes."""
        self._client.disconnect()
        self._client.loop_stop()

    def come_back(self) -> None:
        """Connect again, as soon as there is a broker."""
        self._client.connect_async("127.0.0.1", self._client.port)
        self._client.loop_start()

    def close(self) -> None:
        """Hang up for good."""
        self._client.disconnect()
        self._client.loop_stop()
        assert not self.complaints, "\n".join(self.complaints)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Program:
    """A command as a process, and what it says, line by line.

    Args:
        both: Also what it prints; else only what it complains of.
    """

    def __init__(self, *command: str, both: bool = False, **how: Any) -> None:
        self.lines: list[str] = []
        self._news: queue.SimpleQueue[str] = queue.SimpleQueue()
        out, err = (subprocess.PIPE, subprocess.STDOUT) if both else (subprocess.DEVNULL, subprocess.PIPE)
        self.process = subprocess.Popen(command, stdout=out, stderr=err, text=True, **how)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or self.process.stderr or ():
            self.lines.append(line.rstrip())
            self._news.put(line)
        self._news.put("")

    @property
    def log(self) -> str:
        """Everything it said so far."""
        return "\n".join(self.lines)

    def until(self, text: str, within_s: float = PATIENCE_S) -> str:
        """Wait for a line with `text`; so long for each line."""
        while True:
            try:
                line = self._news.get(timeout=within_s)
            except queue.Empty:
                raise AssertionError(f"never said: {text}\n{self.log}") from None
            if text in line:
                return line
            assert line, f"ended without saying: {text}\n{self.log}"

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.ended()

    def stop(self) -> int:
        """SIGTERM; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has; its exit status."""
        status = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


class NodeProcess(Program):
    """`homenode run` as a process of its own.

    Args:
        within: A command that executes it somewhere else.
        watched: Whether all that its broker gets under its topics is the node's.
    """

    module = ("-m", "homenode.cli")

    def __init__(
        self,
        home: Path,
        data: Path,
        *more: str,
        env: Mapping[str, str] = {},
        within: Sequence[str] = (),
        watched: bool = True,
    ) -> None:
        self.home, self.data = home, data
        self._watch = _watch(home) if watched else None
        command = [*within, sys.executable, *self.module, "run", str(home), "--data", str(data), *more]
        super().__init__(*command, env={**os.environ, **env})

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command that asks the running node."""
        return homenode(*words, "--data", str(self.data))

    def status(self) -> dict[str, Any]:
        """What `homenode status` knows."""
        answer = self.ask("status", "--json")
        assert answer.returncode == 0, answer.stderr
        known: dict[str, Any] = json.loads(answer.stdout)
        return known

    def ended(self) -> int:
        """Wait until it has; its exit status."""
        status = super().ended()
        if self._watch is not None:
            watch, self._watch = self._watch, None
            complaints = watch.close()
            assert not complaints, "\n".join(complaints)
        return status


class ImpatientNode(NodeProcess):
    """One that waits for seconds only for what may take minutes."""

    module = ("-m", "tests.system.impatient_node")


def _watch(home: Path) -> Watch | None:
    """At the node's first broker, if there is one and anybody may come to it."""
    text = home.read_text() if home.exists() else ""
    name = re.search(r"^home: *([a-z0-9-]+) *$", text, re.MULTILINE)
    port = re.search(r"url: *\[?\"mqtt://127\.0\.0\.1:(\d+)\"\]?[}\n,]", text)
    if name is None or port is None or "username" in text:
        return None
    watch = Watch(int(port[1]), name[1])
    watch.ready()
    return watch


def homenode(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """One homenode command to its end; `said` on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "homenode.cli", *words],
        input=said,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
