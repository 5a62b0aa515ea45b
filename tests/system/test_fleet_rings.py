"""Updates ring by ring with the real tool, which is killed, and a broker; the watched table in a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from select import select
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families

from homenode.fleet.ears import LONGEST_S
from homenode.fleet.kept import wish
from homenode.update.files import write_json
from tests.system.brokers import Mosquitto, free_port, needs_mosquitto
from tests.system.fleet_homes import Homes
from tests.system.nodes import PATIENCE_S, NodeProcess, Program, homenode
from tests.system.test_node import a_home

pytestmark = needs_mosquitto

RINGS = """\
rings:
  pilot: {homes: ["p-*"]}
  rest: {homes: ["*"], at_once: 3}
soak: 0 s
settle: 1 s
allow: 0
window: 01:00-05:00
"""
ORDER = ("https://office.example/bundles/2.raucb", "--version", "2.0", "--sha256", "5e" * 32)


def fleet(folder: Path, *words: str) -> Program:
    """`homenode fleet`, and what it prints."""
    return Program(sys.executable, "-m", "homenode.cli", "fleet", *words, both=True, cwd=folder)


def test_an_update_outlives_its_tool_halts_where_a_home_fails_and_goes_on_when_told(tmp_path: Path) -> None:
    (tmp_path / "rings.yaml").write_text(RINGS)
    with Mosquitto(tmp_path / "broker") as broker, Homes(broker.port, "p-1", "a", "b", "c") as homes:
        where = ("--broker", broker.url)
        order = ("update", *ORDER, *where)
        with fleet(tmp_path, *order) as tool:
            homes.ordered("p-1")
            second = homenode("fleet", *order, "--data", str(tmp_path / "homenode-fleet"))
            assert (second.returncode, "already running" in second.stderr) == (1, True)
            homes.update("p-1", "installing")
            homes.update("p-1", "good")
            tool.until("ring pilot: done")
            homes.ordered("a", "b", "c")
            tool.until("c: ordered")
            homes.update("c", "waiting")
            tool.process.kill()
            assert tool.ended() == -9
        homes.update("a", "good")
        with fleet(tmp_path, *order) as tool:
            tool.until("a: good")
            homes.update("b", "failed", en="the radio was never up")
            line = tool.until("HALTED")
            assert "ring rest: 1 of 3 homes are worse: b (failed: the radio was never up)" in line
            homes.cancelled("c")
            assert not [body for _, body in homes.asked if "url" in body["args"]], "nobody was ordered twice"
            data = ("--data", str(tmp_path / "homenode-fleet"))
            said = homenode("fleet", "progress", *data).stdout
            assert "HALTED" in said
            assert "ring rest (now): 1 good, 1 failed, 1 planned, 1 worse" in said
            assert "b: failed, worse: failed: the radio was never up" in said
            other = homenode("fleet", *order[:-2], *where, *data, "--rings", "x", "--sha256", "00" * 32)
            assert "already running" in other.stderr
            homes.asked.clear()
            assert homenode("fleet", "resume", *data, *where).stdout == "resume: told the tool that runs\n"
            homes.ordered("c")
            tool.until("c: ordered")
            homes.update("c", "good")
            tool.until("2.0: done")
            assert tool.ended() == 0
        args = json.loads((tmp_path / "homenode-fleet/update.json").read_text())["args"]
        assert args == {"version": "2.0", "url": ORDER[0], "sha256": "5e" * 32, "window": "01:00-05:00"}
        assert "is done" in homenode("fleet", "cancel", *data, *where).stderr


def test_a_real_node_takes_the_order_gives_it_back_and_its_word_halts_the_ring(tmp_path: Path) -> None:
    """Only the updater stands in."""
    (tmp_path / "rings.yaml").write_text(RINGS.replace("p-*", "test-1"))
    data, folder = tmp_path / "data", tmp_path / "homenode-fleet"
    (data / "update").mkdir(parents=True)
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Homes(broker.port, "a") as homes,
        NodeProcess(a_home(tmp_path / "home", broker.port, [(0.2, False)]), data) as node,
    ):
        node.until("link up")
        with fleet(tmp_path, "update", *ORDER, "--broker", broker.url) as tool:
            tool.until("test-1: ordered")
            first = json.loads((data / "update/order.json").read_text())
            assert (first["version"], first["window"], first["cancel"]) == ("2.0", [60, 300], False)
            wish(folder, "halt")
            tool.until("HALTED")
            tool.until("homenode fleet resume goes on, cancel ends it")
            node.until("cancel=True")
            wish(folder, "resume")
            tool.until("test-1: ordered")
            second = json.loads((data / "update/order.json").read_text())
            assert second["id"] != first["id"]
            told = {"id": second["id"], "version": "2.0", "state": "failed", "slot": "A",
                    "at_ms": 1_800_000_000_000, "why": {"sv": "ingen radio", "en": "no radio"}}  # fmt: skip
            write_json(data / "update/state.json", told)
            assert "ring pilot: 1 of 1 homes are worse: test-1 (failed: no radio)" in tool.until("HALTED")
            assert not [home for home, body in homes.asked if "url" in body["args"]], "the next ring waits"
            assert tool.stop() == 1
        assert node.stop() == 0


def test_a_tool_that_was_stopped_can_still_call_an_update_off(tmp_path: Path) -> None:
    (tmp_path / "rings.yaml").write_text(RINGS)
    with Mosquitto(tmp_path / "broker") as broker, Homes(broker.port, "p-1", "a") as homes:
        with fleet(tmp_path, "update", *ORDER, "--broker", broker.url) as tool:
            homes.ordered("p-1")
            tool.until("p-1: ordered")
            assert tool.stop() == 0
        assert "the same command goes on" in tool.lines[-1]
        data = ("--data", str(tmp_path / "homenode-fleet"), "--broker", broker.url)
        assert "2.0: cancelled" in homenode("fleet", "cancel", *data).stdout
        homes.cancelled("p-1")
        assert "2.0 is cancelled" in homenode("fleet", "halt", *data).stderr


def test_news_have_the_day_and_time_of_the_machine_as_its_log_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rings.yaml").write_text(RINGS)
    zone = ZoneInfo("Asia/Kolkata")
    monkeypatch.setenv("TZ", zone.key)
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Homes(broker.port, "p-1"),
        fleet(tmp_path, "update", *ORDER, "--broker", broker.url) as tool,
    ):
        told = tool.until("p-1: ordered")
        at = datetime.strptime(told[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
        assert abs(at.timestamp() - time.time()) < 10 * PATIENCE_S  # noqa: TID251 - no node
        broker.stop()
        tool.until("link lost")
        broker.start()
        tool.until("link up")


def test_a_bundle_of_a_home_that_nobody_knows_is_not_waited_for(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker, Homes(broker.port, "a"):
        for name in ("b", "+"):
            asked = homenode("fleet", "diagnose", name, "--broker", broker.url)
            assert asked.stderr == f"homenode: there is no home {name} (homenode fleet list shows all)\n"


@contextmanager
def terminal(*words: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A command in a terminal of 24 lines of 130 signs: its other end."""
    ours, theirs = pty.openpty()
    os.environ.pop("COLUMNS", None)
    subprocess.run(["stty", "rows", "24", "cols", "130"], stdin=theirs, check=True)
    command = [sys.executable, "-m", "homenode.cli", *words]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        yield ours, process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(ours: int, text: str) -> str:
    """What the terminal was sent, up to a text."""
    shown = ""
    while text not in shown:
        assert select([ours], [], [], PATIENCE_S)[0], shown
        shown += os.read(ours, 65_536).decode(errors="replace")
    return shown


def test_the_watched_table_draws_only_what_changes_and_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    names = [f"h-{nth:02d}" for nth in range(40)]
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Homes(broker.port, *names) as homes,
        terminal("fleet", "watch", "--broker", broker.url) as (ours, process),
    ):
        first = read_until(ours, "40 of 40 homes, 40 online")
        assert first.count("h-") == 22, "as many as fit"
        os.write(ours, b" ")
        second = read_until(ours, "23–40")
        assert "h-39" in second
        homes.say("h-17", health={"state": "fault", "silent": 3})
        os.write(ours, b"g")
        third = read_until(ours, "1 to look after")
        assert third.index("h-17") < third.index("h-00"), "who asks for somebody comes first"
        while select([ours], [], [], 0.2)[0]:
            os.read(ours, 65_536)
        os.write(ours, b"q")
        last = read_until(ours, "\x1b[?1049l")
        assert "h-" not in last, "what doesn't change isn't drawn"
        assert process.wait(PATIENCE_S) == 0


def test_a_lost_link_is_told_below_the_table_and_in_the_log_when_it_is_gone(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Homes(broker.port, "h-01"),
        terminal("fleet", "watch", "--broker", broker.url) as (ours, process),
    ):
        read_until(ours, "1 of 1 homes")
        broker.stop()
        shown = read_until(ours, "NO LINK")
        assert "warning" not in shown
        os.write(ours, b"q")
        last = read_until(ours, "link lost")
        assert last.index("\x1b[?1049l") < last.index("link lost")
        assert process.wait(PATIENCE_S) == 0


def test_prometheus_asks_at_a_port_and_gets_nothing_of_homes_that_nobody_hears(tmp_path: Path) -> None:
    port = free_port()
    where = f"http://127.0.0.1:{port}/metrics"
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Homes(broker.port, "a", "b") as homes,
        fleet(tmp_path, "prometheus", f":{port}", "--broker", broker.url) as tool,
    ):
        homes.say("a", health={"state": "fault", "silent": 2})
        told = until(
            lambda: asked(where), lambda told: "homenode_up" in told and 'silent{home="a"} 2' in told
        )
        assert 'homenode_up{home="b"} 1' in told
        assert {family.name for family in text_string_to_metric_families(told)} >= {"homenode_devices_silent"}
        with chatter(homes):
            begun = time.perf_counter()
            assert "2 of 2 homes" in homenode("fleet", "list", "--broker", broker.url).stdout
            assert time.perf_counter() - begun < LONGEST_S, "who speaks all the time is no reason to wait"
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{port}/", timeout=10)
        broker.kill()
        until(
            lambda: asked(where),
            lambda told: "homenode_fleet_connected 0" in told and "homenode_up" not in told,
        )
        tool.stop()


@pytest.mark.parametrize("form", ["file", "port"])
def test_figures_are_told_whether_or_not_there_is_a_broker_or_a_home(tmp_path: Path, form: str) -> None:
    port, at = free_port(), free_port()
    file = tmp_path / "homes.prom"
    file.write_text("homenode_fleet_connected 1\n")
    to = str(file) if form == "file" else f":{port}"

    def told() -> str:
        return file.read_text() if form == "file" else asked(f"http://127.0.0.1:{port}/metrics")

    words = ["fleet", "prometheus", to, "--broker", f"mqtt://127.0.0.1:{at}"]
    often = "from homenode.cli import main; from homenode.fleet import exporter; exporter.EACH_S = 0.1"
    with Program(sys.executable, "-c", f"{often}; main({words})") as tool:
        until(told, lambda text: "homenode_fleet_connected 0" in text)
        with Mosquitto(tmp_path / "broker", port=at) as broker:
            until(told, lambda text: "homenode_fleet_connected 1" in text and "homenode_up" not in text)
            with Homes(broker.port, "a"):
                until(told, lambda text: 'homenode_up{home="a"} 1' in text)
            broker.kill()
            until(told, lambda text: "homenode_fleet_connected 0" in text and "homenode_up" not in text)
        assert tool.process.poll() is None, "it goes on"
        tool.stop()


def test_figures_that_are_written_once_say_how_it_was_and_why(tmp_path: Path) -> None:
    file = tmp_path / "homes.prom"
    file.write_text("homenode_fleet_connected 1\n")
    away = ("--once", "--broker", f"mqtt://127.0.0.1:{free_port()}")
    once = homenode("fleet", "prometheus", str(file), *away)
    assert (once.returncode, "nothing listens there" in once.stderr) == (1, True)
    assert "homenode_fleet_connected 0" in file.read_text()
    assert "--once with a port" in homenode("fleet", "prometheus", ":9469", *away).stderr


@contextmanager
def chatter(homes: Homes) -> Iterator[None]:
    """A home has something to say twenty times a second."""
    ended = threading.Event()

    def speak() -> None:
        while not ended.wait(0.05):
            homes.link("a")

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def asked(where: str) -> str:
    """What is told there; "" before anybody listens."""
    try:
        with urlopen(where, timeout=10) as answer:
            return str(answer.read().decode())
    except URLError:
        return ""


def until(ask: Callable[[], str], fits: Callable[[str], bool]) -> str:
    """Ask until the answer fits."""
    for _ in range(300):
        if fits(told := ask()):
            return told
        threading.Event().wait(0.1)
    raise AssertionError(f"never told: {told}")
