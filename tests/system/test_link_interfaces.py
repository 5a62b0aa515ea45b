"""A node with two network interfaces: it goes over the second while the first is dead, and back."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.net import why_not
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import PATIENCE_S, ImpatientNode, NodeProcess, Receiver
from tests.system.test_node import a_home

pytestmark = [
    needs_mosquitto,
    pytest.mark.skipif(
        bool(why_not()) or os.geteuid() != 0, reason=why_not() or "a network of one's own needs root"
    ),
]


def _ip(*words: str) -> None:
    done = subprocess.run(("ip", *words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class TwoCables:
    """A namespace with eth0 and wwan0, each a cable to here; the broker's address is behind both."""

    def __init__(self) -> None:
        pid = os.getpid()
        self.name = f"two-{pid}"
        self._net = f"10.{192 + (pid >> 8) % 32}.{pid % 256}"
        self.broker = f"{self._net}.100"

    def __enter__(self) -> TwoCables:
        _ip("netns", "add", self.name)
        try:
            _ip("address", "add", f"{self.broker}/32", "dev", "lo")
            for nth, end in enumerate(("eth0", "wwan0")):
                here, there = f"{self._net}.{4 * nth + 1}", f"{self._net}.{4 * nth + 2}"
                outside = f"tw{os.getpid()}n{nth}"
                _ip("link", "add", outside, "type", "veth", "peer", "name", end, "netns", self.name)
                _ip("address", "add", f"{here}/30", "dev", outside)
                _ip("link", "set", outside, "up")
                _ip("-n", self.name, "address", "add", f"{there}/30", "dev", end)
                _ip("-n", self.name, "link", "set", end, "up")
                _ip(
                    "-n",
                    self.name,
                    "route",
                    "add",
                    self.broker,
                    "via",
                    here,
                    "dev",
                    end,
                    "metric",
                    f"{nth + 1}",
                )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for words in (
            ("netns", "delete", self.name),
            ("address", "delete", f"{self.broker}/32", "dev", "lo"),
        ):
            subprocess.run(("ip", *words), capture_output=True, check=False)

    def dead(self, end: str) -> None:
        """Its modem has no coverage: what goes in comes out nowhere, and nobody is told."""
        chains = "".join(
            f"chain {way} {{ type filter hook {way} priority 0; {word} {end} drop; }};"
            for way, word in (("input", "iifname"), ("output", "oifname"))
        )
        self._nft(f"table inet dead {{ {chains} }};")

    def alive(self) -> None:
        self._nft("flush ruleset")

    def _nft(self, rules: str) -> None:
        inside = ("nsenter", f"--net=/run/netns/{self.name}", "nft", "-f", "-")
        subprocess.run(inside, input=rules, text=True, check=True, capture_output=True)


@pytest.fixture
def cables() -> Iterator[TwoCables]:
    with TwoCables() as both:
        yield both


def _over(node: NodeProcess, receiver: Receiver, interface: str) -> None:
    def so(_: Any) -> bool:
        link = node.status()["link"]
        return link["state"] == "up" and link["url"].endswith(f"over {interface}")

    deadline = iter(range(int(2 * PATIENCE_S)))
    while not so(receiver):
        assert next(deadline, None) is not None, node.log
        receiver.until(lambda _: True, "a moment", 0.5)
        node.process.poll()


def test_the_second_interface_carries_the_link_while_the_first_is_dead(
    tmp_path: Path, cables: TwoCables
) -> None:
    broker = Mosquitto(tmp_path / "broker")
    text = broker._config.read_text().replace(" 127.0.0.1", "")
    broker._config.write_text(text)
    with broker:
        home = a_home(tmp_path, broker.port, [(0.2, True)])
        url = f'{{url: "mqtt://{cables.broker}:{broker.port}", interfaces: [eth0, wwan0]}}'
        home.write_text(re.sub(r"broker: .*", f"broker: {url}", home.read_text()))
        within = ("nsenter", f"--net=/run/netns/{cables.name}")
        with (
            Receiver(broker.port, "hn1/test-1/#") as receiver,
            ImpatientNode(home, tmp_path / "node", within=within, watched=False) as node,
        ):
            node.until("over eth0")
            receiver.until(lambda r: r.alerts("notified"), "the alert")
            cables.dead("eth0")
            node.until("over wwan0")
            _over(node, receiver, "wwan0")
            assert node.ask("ack", "door").returncode == 0
            receiver.until(
                lambda r: r.alerts("acknowledged"), "its acknowledgement, over the second interface"
            )
            cables.alive()
            node.until("over eth0")
            _over(node, receiver, "eth0")
            assert node.stop() == 0
    told = [body["sequence"] for body in receiver.alerts() if body["data"]["rule"] == "door"]
    assert sorted(set(told), key=int) == [str(nth + 1) for nth in range(len(set(told)))]


def test_an_interface_that_is_not_there_is_told_by_its_name(tmp_path: Path, cables: TwoCables) -> None:
    home = a_home(tmp_path, 1883, [(0.2, True)])
    home.write_text(home.read_text().replace("}\nradios", ", interfaces: usb7}\nradios"))
    with NodeProcess(home, tmp_path / "node", watched=False) as node:
        line = node.until("no link")
    assert "usb7" in line
    assert "no such device" in line
