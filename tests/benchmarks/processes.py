"""What a process costs, asked of the kernel; and a subscriber that notes when what came."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU seconds of all its threads so far, user and system (/proc/PID/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def memory_mb(pid: int) -> tuple[float, float]:
    """Proportional and resident set size (/proc/PID/smaps_rollup)."""
    sizes = _sizes_mb(pid)
    return sizes["Pss"], sizes["Rss"]


def own_mb(pid: int) -> float:
    """What it shares with no file and no process, however many of them there are."""
    return _sizes_mb(pid)["Pss_Anon"]


def _sizes_mb(pid: int) -> dict[str, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    pairs = (line.partition(":") for line in lines)
    return {name: int(rest.split()[0]) * 1024 / 1e6 for name, _, rest in pairs}


def settle(pid: int, *, below: float = 0.04, within_s: float = 60) -> None:
    """Wait until it has little to do: below that share of a processor for two seconds."""
    until = time.monotonic() + within_s  # noqa: TID251 - a benchmark is about real time
    while time.monotonic() < until:  # noqa: TID251 - likewise
        before = cpu_s(pid)
        time.sleep(2)
        if cpu_s(pid) - before < 2 * below:
            return


class Listener:
    """A subscriber at QoS 0 that notes when each message came, and looks at it later."""

    def __init__(self, port: int, topics: str) -> None:
        self.came: list[tuple[int, str, bytes]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(topics)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if not message.retain:  # retained: from before
            self.came.append((time.monotonic_ns(), message.topic, bytes(message.payload)))

    def clear(self) -> None:
        """Forget what came."""
        self.came = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
