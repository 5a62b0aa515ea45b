"""A node whose disk is full, read-only or failing, or whose journal is damaged judges, sends and says so."""

from __future__ import annotations

import contextlib
import resource
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homenode.errors import SetupError
from homenode.gateway.local_socket import ask
from homenode.journal import Journal
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.disks import fill, memory, must
from tests.system.nodes import PATIENCE_S, NodeProcess, Receiver
from tests.system.test_node import a_home

pytestmark = needs_mosquitto


def tells(seen: Receiver, kind: str, words: str) -> list[dict[str, Any]]:
    """Messages of faults with these words in them."""
    return [alert for alert in seen.alerts(kind) if words in alert["data"]["text"]["en"]]


def status_says(node: NodeProcess, fits: Callable[[dict[str, Any]], Any], what: str) -> Any:
    """Ask the node over its socket until its status fits; returns what `fits` gave."""
    until = time.monotonic() + PATIENCE_S  # noqa: TID251 - a test's own patience
    known: dict[str, Any] = {}
    while time.monotonic() < until:  # noqa: TID251 - likewise
        with contextlib.suppress(SetupError):  # it doesn't listen yet
            (answer,) = ask(node.data, {"do": "status"})
            known = answer["result"]
            if found := fits(known):
                return found
        assert node.process.poll() is None, node.log
        threading.Event().wait(0.05)
    raise AssertionError(f"status never said: {what}\n{known}\n{node.log}")


def fault_known(node: NodeProcess, words: str) -> None:
    """The node knows of a fault. Those that can be joined are told a minute later, so status is asked."""
    status_says(
        node, lambda known: [f for f in known["faults"] if words in f"{f['source']} {f['why']}"], words
    )


def fault_over(node: NodeProcess, words: str) -> None:
    """And no more."""
    status_says(
        node, lambda known: not [f for f in known["faults"] if words in f"{f['source']} {f['why']}"], words
    )


def now_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def kept_waiting_s(node: NodeProcess, known: dict[Path, float]) -> float:
    """How long its threads were ready to run while others had the processors; `known`, also of ended ones."""
    for thread in Path(f"/proc/{node.process.pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, IndexError):  # it ended
            known[thread] = int(thread.read_text().split()[1]) / 1e9
    return sum(known.values())


def stops_in_time(node: NodeProcess) -> None:
    """SIGTERM takes less than two seconds, ends in order, and nothing in the log frightens anybody.

    That the machine is busy with something else is not the node's.
    """
    known: dict[Path, float] = {}
    began_s, kept_s = now_s(), kept_waiting_s(node, known)
    node.process.send_signal(signal.SIGTERM)
    while node.process.poll() is None and now_s() < began_s + PATIENCE_S:
        kept_waiting_s(node, known)
        time.sleep(0.005)
    took_s = now_s() - began_s - (kept_waiting_s(node, known) - kept_s)
    assert node.stop() == 0, node.log
    assert took_s < 2.0, node.log
    assert "Traceback" not in node.log


def test_a_node_starts_on_a_full_disk_sends_alerts_and_writes_when_there_is_room(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, False), (1.0, True)])
    with memory(tmp_path / "disk") as disk:
        data = disk / "data"
        data.mkdir()
        other = fill(disk)
        with Receiver(broker.port, "hn1/test-1/#") as all_of_it, NodeProcess(home, data) as node:
            all_of_it.until(lambda seen: tells(seen, "fault", "the disk is full"), "the fault")
            alert = all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")[0]
            assert "the disk is full" in node.status()["journal"]["trouble"]
            assert "the disk is full" in node.ask("status").stdout
            other.unlink()
            all_of_it.until(lambda seen: tells(seen, "recovered", "the disk is full"), "its end")
            assert node.status()["journal"]["trouble"] == ""
            stops_in_time(node)
        with Journal.open(data) as journal:
            kept = [record for _, record in journal.read() if record["t"] == "tr"]
        assert kept[0]["alert"] == alert["data"]["alert"]


def test_a_disk_that_fills_up_stops_no_alert(tmp_path: Path, broker: Mosquitto) -> None:
    tape = [(at * 1.5, at % 2 == 0) for at in range(8)]
    home = a_home(tmp_path, broker.port, tape)
    with (
        memory(tmp_path / "disk") as disk,
        Receiver(broker.port, "hn1/test-1/#") as all_of_it,
        NodeProcess(home, disk / "data") as node,
    ):
        node.until("ready")
        fill(disk)
        all_of_it.until(lambda seen: len(seen.alerts("resolved")) >= 3, "every alert")
        assert node.status()["link"]["state"] == "up"
        stops_in_time(node)


def test_on_a_read_only_disk_a_node_knows_what_was_before_and_goes_on(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """The alert of the run before is resolved, and what happens meanwhile is kept when the disk is back."""
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with memory(tmp_path / "disk") as disk, Receiver(broker.port, "hn1/test-1/#") as all_of_it:
        data = disk / "data"
        with NodeProcess(home, data) as node:
            first = all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")[0]
            stops_in_time(node)
        must("mount", "-o", "remount,ro", str(disk))
        a_home(tmp_path, broker.port, [(0.0, True), (3.0, False)])
        with NodeProcess(home, data) as node:
            fault = all_of_it.until(lambda seen: tells(seen, "fault", "read-only"), "the fault")[0]
            assert fault["data"]["severity"] == "warning"
            ended = all_of_it.until(lambda seen: seen.alerts("resolved"), "the resolution")[0]
            assert ended["data"]["alert"] == first["data"]["alert"]
            assert ended["epoch"] != first["epoch"]
            assert ended["sequence"] == "1"
            assert "read-only" in node.ask("status").stdout
            assert node.ask("mode", "away").returncode == 0
            must("mount", "-o", "remount,rw", str(disk))
            all_of_it.until(lambda seen: tells(seen, "recovered", "read-only"), "its end")
            stops_in_time(node)
        with NodeProcess(home, data) as node:
            node.until("ready")
            assert node.status()["mode"] == "away"
            assert node.status()["faults"] == []
            stops_in_time(node)


def test_a_disk_that_takes_no_byte_while_the_node_runs_stops_no_alert(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """The kernel refuses every write to a file (by a limit on the process): whatever it says, it is told."""
    tape = [(at * 1.5, at % 2 == 0) for at in range(40)]
    home = a_home(tmp_path, broker.port, tape)
    with (
        Receiver(broker.port, "hn1/test-1/#") as all_of_it,
        NodeProcess(home, tmp_path / "data") as node,
    ):
        all_of_it.until(lambda seen: seen.alerts("notified"), "an alert")
        _, most = resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (0, most))
        all_of_it.until(lambda seen: tells(seen, "fault", "storage is failing"), "the fault")
        before = len(all_of_it.alerts("notified"))
        all_of_it.until(lambda seen: len(seen.alerts("notified")) >= before + 2, "more alerts")
        assert "can't be written" in node.status()["journal"]["trouble"]
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (most, most))
        all_of_it.until(lambda seen: tells(seen, "recovered", "storage is failing"), "its end")
        stops_in_time(node)
    with Journal.open(tmp_path / "data") as journal:
        kept = {record["alert"] for _, record in journal.read() if record["t"] == "tr"}
        assert kept >= {
            alert["data"]["alert"] for alert in all_of_it.alerts("notified") if alert["data"]["rule"]
        }


def flip(file: Path, offset: int) -> None:
    data = bytearray(file.read_bytes())
    data[offset] ^= 0x10
    file.write_bytes(data)


@pytest.mark.parametrize("wound", ["flipped", "cut", "missing", "emptied"])
def test_a_damaged_journal_is_told_and_costs_nothing_but_what_was_hit(
    tmp_path: Path, broker: Mosquitto, wound: str
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    data = tmp_path / "data"
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it:
        with NodeProcess(home, data) as node:
            all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")
            node.ask("mode", "away")
            stops_in_time(node)
        file = data / "journal" / "00000001.log"
        raw = file.read_bytes()
        match wound:
            case "flipped":
                flip(file, raw.index(b'"t":"tr"'))
            case "cut":
                file.write_bytes(raw[: raw.rindex(b'"mode"') + 3])
            case "missing":
                file.rename(data / "journal" / "00000002.log")
            case "emptied":
                file.write_bytes(b"")
        with NodeProcess(home, data) as node:
            all_of_it.until(lambda seen: tells(seen, "fault", "journal"), "the fault")
            if wound in ("flipped", "missing"):
                assert node.status()["mode"] == "away"
            assert any("journal" in fault["source"] for fault in node.status()["faults"])
            stops_in_time(node)
        with NodeProcess(home, data) as node:
            node.until("ready")
            assert node.status()["faults"] == [], "told once, over at the next start"
            stops_in_time(node)


def rewritten(data: Path, change: Any) -> None:
    """The journal as another homenode would have written it."""
    with Journal.open(data) as journal:
        number = journal.newest_state
        state = dict(next(journal.read(number))[1])
        journal.append(change(state), klass="state")


def newer_engine(state: dict[str, Any]) -> dict[str, Any]:
    state["judge"]["engine"]["version"] = 99
    return state


def other_shape(state: dict[str, Any]) -> dict[str, Any]:
    return {"t": "state", "at": state["at"], "wall": state["wall"], "judge": [1, 2], "outbox": None}


@pytest.mark.parametrize("change", [newer_engine, other_shape])
def test_the_state_of_a_newer_homenode_is_passed_over_and_nothing_is_lost(
    tmp_path: Path, broker: Mosquitto, change: Any
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    data = tmp_path / "data"
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it:
        with NodeProcess(home, data) as node:
            first = all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")[0]
            node.ask("mode", "away")
            stops_in_time(node)
        rewritten(data, change)
        a_home(tmp_path, broker.port, [(1.0, False)])
        with NodeProcess(home, data) as node:
            all_of_it.until(lambda seen: tells(seen, "fault", "can't be read"), "the fault")
            assert node.status()["mode"] == "away"
            ended = all_of_it.until(lambda seen: seen.alerts("resolved"), "the resolution")[0]
            assert ended["data"]["alert"] == first["data"]["alert"]
            assert (ended["epoch"], ended["sequence"]) == (first["epoch"], "2")
            stops_in_time(node)
        assert len(all_of_it.alerts("notified")) == 1


def test_records_of_a_newer_homenode_are_passed_over(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, False), (1.0, True)])
    data = tmp_path / "data"
    with Journal.open(data) as journal:
        for record in (
            {"t": "hologram", "at": 5, "colour": "blue"},
            {"t": "mode"},
            {"t": "r", "p": 7, "v": {}, "at": "now"},
        ):
            journal.append(record, klass="system")
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it, NodeProcess(home, data) as node:
        all_of_it.until(lambda seen: tells(seen, "fault", "was passed over"), "the fault")
        all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")
        stops_in_time(node)


def test_a_journal_in_a_later_format_is_put_aside_and_the_home_is_not_left_alone(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, False), (1.0, True)])
    data = tmp_path / "data"
    Journal.open(data).close()
    file = data / "journal" / "00000001.log"
    from homenode.journal import codec

    head = bytearray(file.read_bytes()[: codec.HEAD_BYTES])
    head[8:10] = (99).to_bytes(2, "little")
    body = bytes(head[:-4])
    from zlib import crc32

    head = bytearray(body + crc32(body).to_bytes(4, "little"))
    raw = bytearray(file.read_bytes())
    raw[: len(head)] = head
    raw[-codec.EDGE : -codec.EDGE + len(head)] = head
    file.write_bytes(raw)
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it, NodeProcess(home, data) as node:
        all_of_it.until(lambda seen: tells(seen, "fault", "put aside"), "the fault")
        all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")
        assert (data / "journal.later-1" / "00000001.log").read_bytes() == raw
        stops_in_time(node)


def test_a_data_folder_that_is_not_ours_is_told_in_one_line(tmp_path: Path) -> None:
    home = a_home(tmp_path, 1, [(0.0, False)])
    for place in ("/proc/homenode", str(home / "inside")):
        with NodeProcess(home, Path(place)) as node:
            assert node.process.wait(20) == 1
            node.stop()
        said = [line for line in node.lines if line.startswith("homenode: ")]
        assert len(said) == 1, node.log
        assert "--data" in said[0]
        assert "Traceback" not in node.log
