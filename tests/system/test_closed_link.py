"""Nothing on the card: a box finds the office by DNS, trusts those of its image, and is approved."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from homenode.enrol.finding import ask
from homenode.office.label import _rows, as_svg, on_terminal, payload
from tests.system.brokers import free_port
from tests.system.looks import until
from tests.system.nodes import homenode
from tests.system.offices import HOME_YAML, Box

needs_dnsmasq = pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="dnsmasq is not installed")
HOST, SERIAL, HOME = "office.homes.example", "60000000ffff0001", "closed-1"


@contextmanager
def process(*command: str, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(command, **how)
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


@needs_dnsmasq
def test_a_service_is_found_as_a_name_server_has_it(tmp_path: Path) -> None:
    port = free_port()
    rows = (f"{HOST},8453,10,5", f"second.{HOST},8454,10,9", f"last.{HOST},8455,20,9")
    records = [f"--srv-host=_homenode-office._tcp.homes.example,{row}" for row in rows]
    alone = (
        "--no-resolv",
        "--no-hosts",
        "--conf-file=/dev/null",
        "--keep-in-foreground",
        "--bind-interfaces",
    )
    with process("dnsmasq", *alone, f"--port={port}", "--listen-address=127.0.0.1", "--user=root", *records):
        service = "_homenode-office._tcp.homes.example"
        until(lambda: ask("127.0.0.1", service, port), 30, lambda: "no answer")
        found = sorted(ask("127.0.0.1", service, port))
        assert [row[3] for row in found] == [f"second.{HOST}", HOST, f"last.{HOST}"]
        assert ask("127.0.0.1", "_homenode-office._tcp.other.example", port) == []
    assert ask("127.0.0.1", "_homenode-office._tcp.homes.example", port) == []


@pytest.fixture
def net() -> Iterator[str]:
    """A network that nothing else is in, with a name server's address in its resolv.conf."""
    name = f"closed{os.getpid()}"
    etc = Path("/etc/netns") / name
    etc.mkdir(parents=True)
    (etc / "resolv.conf").write_text("nameserver 127.0.0.1\nsearch homes.example\n")
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)
    shutil.rmtree(etc)


@needs_dnsmasq
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None, reason="namespaces need root and iproute2"
)
def test_a_box_with_an_empty_card_finds_its_office_and_is_approved(tmp_path: Path, net: str) -> None:
    office, within = tmp_path / "office", ("ip", "netns", "exec", net)
    assert (
        homenode("office", "init", str(office), "--name", HOST, "--listen", "127.0.0.1:8453").returncode == 0
    )
    (office / "homes" / HOME).mkdir()
    (office / "homes" / HOME / "home.yaml").write_text(HOME_YAML.format(home=HOME))
    box = Box(tmp_path / "box", SERIAL)
    shutil.copy(office / "ca.pem", box.places.trust / "county.pem")  # of the image

    def tries() -> str:
        subprocess.run([*within, *box.words("once")], capture_output=True, check=False, timeout=60)
        return str(box.state["key"])

    assert tries() == "no_office"
    records = (
        f"--srv-host=_homenode-office._tcp.homes.example,{HOST},8453",
        f"--host-record={HOST},127.0.0.1",
    )
    alone = ("--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--keep-in-foreground", "--user=root")
    serve = (sys.executable, "-m", "homenode.cli", "office", "serve", "--office", str(office))
    with (
        process(*within, "dnsmasq", *alone, "--listen-address=127.0.0.1", "--bind-interfaces", *records),
        process(*within, *serve, stderr=subprocess.DEVNULL),
    ):
        until(lambda: tries() == "approval", 30, lambda: str(box.state))
        assert homenode("office", "assign", SERIAL, HOME, "--office", str(office)).returncode == 0
        shown = box.state["fingerprint"]
        assert homenode("office", "approve", SERIAL, shown, "--office", str(office)).returncode == 0
        assert tries() == "enrolled"
    assert f"home: {HOME}" in box.places.home.read_text()
    known = json.loads((box.places.folder / "office.json").read_text())
    assert known == {"url": f"https://{HOST}:8453", "home": HOME}


def test_a_label_can_be_scanned() -> None:
    text = payload(f"https://{HOST}:8453", SERIAL, "ABCD-EFGH-JKMN-PQRS", "ab" * 32)
    dark = np.array(_rows(text), dtype=bool)
    picture = np.kron(np.where(dark, 0, 255).astype(np.uint8), np.ones((8, 8), np.uint8))
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == text
    lines = on_terminal(text).splitlines()
    blocks = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    seen = [[blocks[sign][half] for sign in line] for line in lines for half in (0, 1)]
    assert np.array_equal(np.array(seen, dtype=bool)[: len(dark)], dark)
    assert "<text" in as_svg(text, ["A & B"])
