"""A tenancy ends: nothing of it is left, whenever the power goes, and the broker is emptied."""

from __future__ import annotations

import os
import shutil
import sqlite3
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from homenode.errors import SetupError, StorageError
from homenode.journal import Journal, Limits
from homenode.journal.erase import BEGUN, PLAN, erase, finish, to_empty
from homenode.journal.lock import FolderLock
from homenode.journal.report import verify
from homenode.journal.segment import find
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver, homenode
from tests.system.test_node import a_home

WALL = 1_767_610_800_000
SECRET = "Karin was in the bathroom"


def a_tenancy(data: Path) -> str:
    """A journal of several files, one damaged and kept aside, and one of a later homenode; its epoch."""
    with Journal.open(data, limits=Limits(segment_bytes=16 * 1024)) as journal:
        for nth in range(400):
            text = {"t": "tr", "alert": f"stove_left_on:{nth}", "text": SECRET, "at": 1000 + nth}
            journal.append(text, klass="alert")
        journal.append({"t": "shown", "topic": "hn1/h/care/readings/a/power", "key": ""}, klass="system")
        journal.commit().result(20)
        epoch = journal.epoch
    damaged = sorted((data / "journal").glob("*.log"))[0]
    content = bytearray(damaged.read_bytes())
    content[3000] ^= 1
    damaged.write_bytes(content)
    with Journal.open(data, limits=Limits(segment_bytes=16 * 1024)) as journal:
        while journal._chores:
            pass
    assert (data / "journal" / "damaged").exists()
    (data / "journal.later-1").mkdir()
    (data / "journal.later-1" / "00000001.log").write_text(f"homenode {SECRET}")
    (data / "good.home").write_text("home: h")
    return epoch


def traces(data: Path, epoch: str) -> list[Path]:
    wanted = [SECRET.encode(), b"stove_left_on:3", bytes.fromhex(epoch)]
    return [p for p in data.rglob("*") if p.is_file() and any(word in p.read_bytes() for word in wanted)]


def test_nothing_is_erased_without_being_sure(tmp_path: Path) -> None:
    epoch = a_tenancy(tmp_path)
    out = StringIO()
    assert erase(tmp_path, [], WALL, sure=False, out=out) == 0
    assert "say --yes" in out.getvalue()
    assert traces(tmp_path, epoch)


def test_nothing_of_it_is_left_and_the_new_journal_begins_with_the_proof(tmp_path: Path) -> None:
    epoch = a_tenancy(tmp_path)
    out = StringIO()
    assert erase(tmp_path, [], WALL, sure=True, out=out) == 0
    assert traces(tmp_path, epoch) == []
    assert "no files with traces" in out.getvalue()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal", "lock"]
    with Journal.open(tmp_path) as journal:
        (_, proof), (_, shown) = journal.read()
        assert journal.epoch != epoch
    assert proof["t"] == "erased"
    assert (proof["epoch"], proof["records"], proof["left"]) == (epoch, 401 - 1, 0)  # one was damaged
    assert shown == {"t": "shown", "topic": "hn1/h/care/readings/a/power", "key": "erased"}
    assert to_empty(tmp_path) == ["hn1/h/care/readings/a/power"]
    assert "topics to be emptied at the broker, when the node starts or by the office: 1" in out.getvalue()


def test_what_is_left_somewhere_is_told(tmp_path: Path) -> None:
    a_tenancy(tmp_path)
    (tmp_path / "copy.txt").write_text("stove_left_on:17 and so on")
    out = StringIO()
    assert erase(tmp_path, [], WALL, sure=True, out=out) == 1
    assert "NOT erased" in out.getvalue()
    assert "copy.txt" in out.getvalue()


def test_a_running_node_is_not_erased(tmp_path: Path) -> None:
    epoch = a_tenancy(tmp_path)
    with FolderLock.take(tmp_path), pytest.raises(SetupError, match="already running"):
        erase(tmp_path, [], WALL, sure=True, out=StringIO())
    assert traces(tmp_path, epoch)


def test_without_a_journal_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no journal is here"):
        erase(tmp_path, [], WALL, sure=True, out=StringIO())


def test_the_end_of_the_process_before_any_step_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, states = tmp_path / "data", []
    epoch = a_tenancy(data)
    with monkeypatch.context() as patch:
        for name in ("rename", "unlink", "rmdir", "replace"):
            call = getattr(os, name)

            def step(*args: Any, call: Any = call, **more: Any) -> Any:
                states.append(tmp_path / f"state-{len(states)}")
                shutil.copytree(data, states[-1])
                return call(*args, **more)

            patch.setattr(os, name, step)
        assert erase(data, [], WALL, sure=True, out=StringIO()) == 0
    assert len(states) > 15
    for state in states:
        begun = (state / PLAN).exists()
        assert finish(state, [], StringIO()) == 0
        assert bool(traces(state, epoch)) is not begun
        if begun:
            with Journal.open(state) as journal:
                kinds = [record["t"] for _, record in journal.read()]
            assert kinds in (["erased", "shown"], ["erased", "shown", "erased", "shown"])
            assert not (state / PLAN).exists()


def test_what_was_overwritten_before_an_interruption_is_not_said_to_be_in_the_sum(tmp_path: Path) -> None:
    a_tenancy(tmp_path)
    whole, rest = StringIO(), StringIO()
    assert erase(tmp_path, [], WALL, sure=True, out=whole) == 0
    assert "it was interrupted" not in whole.getvalue()
    (tmp_path / "journal").rename(tmp_path / f"{BEGUN}1")
    (tmp_path / PLAN).write_text('{"wall_ms": 1767610800000}')
    with pytest.raises(SetupError, match="it was being erased"):
        verify(tmp_path, StringIO(), StringIO())
    assert erase(tmp_path, [], WALL, sure=True, out=rest) == 0
    assert "it was interrupted: what had been overwritten before is not in" in rest.getvalue()


@pytest.mark.parametrize("damaged", ["", '{"wall_ms": 17', '{"wall_ms": 17, "x": 1}'])
def test_a_damaged_plan_keeps_no_node_from_starting_and_erases_nothing_that_stands(
    tmp_path: Path, damaged: str
) -> None:
    epoch = a_tenancy(tmp_path)
    (tmp_path / PLAN).write_text(damaged)
    out = StringIO()
    assert finish(tmp_path, [], out) == 0
    assert "say erase again" in out.getvalue()
    assert not (tmp_path / PLAN).exists()
    assert traces(tmp_path, epoch)
    (tmp_path / PLAN).write_text(damaged)
    assert erase(tmp_path, [], WALL, sure=True, out=out) == 0
    assert traces(tmp_path, epoch) == []


def test_what_may_not_be_read_is_said_before_anything_is_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_tenancy(tmp_path)

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("homenode.journal.erase.records", refused)
    with pytest.raises(StorageError, match="it can't be read: Permission denied"):
        erase(tmp_path, [], WALL, sure=False, out=StringIO())


def test_zigbee_forgets_what_was_measured_and_stays_paired(tmp_path: Path) -> None:
    pytest.importorskip("zigpy")
    from zigpy import appdb_schemas

    from drivers.zigbee import DRIVER

    newest = max(appdb_schemas.SCHEMAS)
    file = tmp_path / "zigbee.db"
    ieee = "00:15:8d:00:02:aa:bb:01"
    with sqlite3.connect(file) as base:
        base.executescript(appdb_schemas.SCHEMAS[newest])
        device = "(ieee, nwk, status, last_seen) VALUES (?, 1, 2, 1e9)"
        base.execute(f"INSERT INTO devices_v{newest} {device}", (ieee,))
        attribute = (
            "(ieee, endpoint_id, cluster_type, cluster_id, attr_id, manufacturer_code, value, last_updated)"
            " VALUES (?, 1, 0, ?, ?, NULL, ?, 1e9)"
        )
        for row in ((0x0000, 4, "LUMI"), (0x0406, 0, 1), (0x0500, 1, 13), (0x0500, 2, 1)):
            base.execute(f"INSERT INTO attributes_cache_v{newest} {attribute}", (ieee, *row))
    base.close()
    assert DRIVER.forget(tmp_path) == 2
    with sqlite3.connect(file) as base:
        left = base.execute(f"SELECT cluster_id, attr_id FROM attributes_cache_v{newest}").fetchall()
        seen = base.execute(f"SELECT ieee, last_seen FROM devices_v{newest}").fetchall()
    base.close()
    assert sorted(left) == [(0, 4), (0x0500, 1)]
    assert seen == [(ieee, 0)]
    assert DRIVER.forget(tmp_path / "nowhere") == 0


@needs_mosquitto
def test_the_next_tenancy_starts_afresh_and_the_broker_keeps_nothing(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        home, data = a_home(tmp_path, broker.port, [(0.2, True)]), tmp_path / "node"
        with NodeProcess(home, data) as node, Receiver(broker.port, "hn1/test-1/#") as before:
            before.until(lambda r: r.alerts("notified"), "the alert")
            before.until(lambda r: r.readings("front_door.contact"), "the reading")
            epoch = before.alerts()[0]["epoch"]
            refused = homenode("journal", "erase", "--yes", "--data", str(data))
            assert refused.returncode
            assert "already running" in refused.stderr
            node.stop()
        done = homenode("journal", "erase", "--yes", "--data", str(data))
        assert done.returncode == 0, done.stderr
        assert f"epoch {epoch}" in done.stdout
        (tmp_path / "tape.jsonl").write_text(
            '{"at": "2026-01-05T06:00:00.000+01:00", "point": "x", "value": 1}\n'
        )
        with NodeProcess(home, data) as node:
            node.until("taken back")
            assert [fault["source"] for fault in node.status()["faults"]] == []
            with Receiver(broker.port, "hn1/test-1/#", name="new") as after:
                after.until(
                    lambda r: any(topic.endswith("care/status") for topic, _, _ in r.messages), "status"
                )
                assert after.readings("front_door.contact") == []
                status = next(body for topic, body, _ in after.messages if topic.endswith("care/status"))
                assert status["open"] == []
    assert len(find(data / "journal")) == 1
