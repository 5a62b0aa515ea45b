"""A driver of one file in the folder of home.yaml, on a real node: in a thread, and in a process."""

from __future__ import annotations

import os
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest

from homenode.kit.new import new
from tests.system.nodes import NodeProcess

HOME = """home: test-1
timezone: Europe/Stockholm
clock: {trust: always}
drivers: own
devices:
  meter: {driver: wattmeter, port: tty, room: kitchen}
"""
APART = 'open=own_process(f"{__name__}:make")'


@contextmanager
def _meter(link: Path) -> Iterator[None]:
    """A meter on a serial port; sends twenty lines a second."""
    master, slave = os.openpty()
    tty.setraw(slave)
    link.symlink_to(os.ttyname(slave))
    over = threading.Event()

    def send() -> None:
        while not over.wait(0.05):
            os.write(master, b"P=412 W\r\n")

    sends = threading.Thread(target=send)
    sends.start()
    try:
        yield
    finally:
        over.set()
        sends.join()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("apart", [False, True], ids=["in a thread", "in a process of its own"])
def test_a_file_in_the_folder_tells_its_readings(tmp_path: Path, apart: bool) -> None:
    new("wattmeter", "serial", tmp_path / "package", StringIO())
    text = (tmp_path / "package" / "homenode_wattmeter.py").read_text()
    if apart:
        text = text.replace("open=each_device(listen)", APART)
        text = text.replace("DRIVER =", "make = each_device(listen)\nDRIVER =")
        text = text.replace("import re\n", "import re\n\nfrom homenode.apart import own_process\n")
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    (own / "wattmeter.py").write_text(text)
    (own / "wattmeter.py").chmod(0o644)
    home = tmp_path / "home.yaml"
    home.write_text(HOME)
    with _meter(tmp_path / "tty"), NodeProcess(home, tmp_path / "data") as node:
        node.until("ready")
        for _ in range(300):
            if points := _points(node):
                break
            time.sleep(0.1)
        assert points == {"meter.power": 412}
        lists = Path(f"/proc/{node.process.pid}/task").glob("*/children")
        children = [child for file in lists for child in file.read_text().split()]
        names = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
        assert any(b"homenode.apart.child" in name for name in names) is apart
        assert node.stop() == 0


def test_a_reload_takes_a_changed_file_and_refuses_a_broken_one(tmp_path: Path) -> None:
    new("wattmeter", "serial", tmp_path / "package", StringIO())
    text = (tmp_path / "package" / "homenode_wattmeter.py").read_text()
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    file = own / "wattmeter.py"
    file.write_text(text)
    file.chmod(0o644)
    (tmp_path / "home.yaml").write_text(HOME)
    with _meter(tmp_path / "tty"), NodeProcess(tmp_path / "home.yaml", tmp_path / "data") as node:
        node.until("ready")
        assert _until(node, "meter.power", 412)
        file.write_text(text.replace("int(match[1])", "2 * int(match[1])"))
        assert "drivers started anew 1" in node.ask("reload").stdout
        assert _until(node, "meter.power", 824)
        file.write_text(text.replace("int(match[1])", "int(match[1]"))
        refused = node.ask("reload")
        assert refused.returncode == 2
        assert "own/wattmeter.py:18: SyntaxError" in refused.stdout + refused.stderr
        assert _until(node, "meter.power", 824)
        assert node.stop() == 0


def _until(node: NodeProcess, point: str, value: object) -> bool:
    for _ in range(300):
        if _points(node).get(point) == value:
            return True
        time.sleep(0.1)
    return False


def _points(node: NodeProcess) -> dict[str, object]:
    return {it["point"]: it["value"] for it in node.status()["points"] if it["value"] is not None}
