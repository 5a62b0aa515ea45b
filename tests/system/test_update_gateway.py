"""What the gateway does of an update: orders passed on, how it goes is told, falling back loses nothing."""

from __future__ import annotations

import ctypes
import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from homenode.gateway.local_socket import ask
from homenode.journal.beside import forget, forget_journal, keep_beside
from homenode.journal.codec import HEAD_BYTES, SCHEMA
from homenode.journal.journal import Journal
from homenode.journal.segment import find
from homenode.update.files import read_json, write_json
from homenode.update.order import order_of
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.disks import memory
from tests.system.nodes import NodeProcess, Receiver, homenode
from tests.system.soak_home import until
from tests.system.test_node import a_home

pytestmark = needs_mosquitto

ORDER = {"version": "0.2.0", "url": "https://office.example/b.raucb", "sha256": "0" * 64}


def command(operator: Receiver, name: str, args: dict[str, Any]) -> dict[str, Any]:
    """What the operator is answered to an order."""
    return operator.command("test-1/operator", "update", args, id=name)


def told(data: Path, **other: Any) -> None:
    """As the updater writes it."""
    state = {"id": "1", "version": "0.2.0", "state": "failed", "at_ms": 1_800_000_000_000, "slot": "A",
             "why": {"sv": "det gick inte", "en": "it failed"}}  # fmt: skip
    write_json(data / "update/state.json", {**state, **other})


@contextmanager
def reads_of(path: Path) -> Iterator[int]:
    """What can be read from once somebody has read this file, wherever it is moved (inotify(7))."""
    kernel, of_reads = ctypes.CDLL(None), 0x1  # IN_ACCESS
    seen = kernel.inotify_init1(os.O_CLOEXEC)
    try:
        assert kernel.inotify_add_watch(seen, os.fsencode(path), of_reads) > 0
        yield seen
    finally:
        os.close(seen)


def status(state: str) -> Any:
    """Of the operator, once it says this of the update."""

    def find_it(receiver: Receiver) -> Any:
        found = receiver.updates
        return found and found[-1].get("state") == state and found[-1]

    return find_it


def test_an_order_is_kept_and_how_it_goes_is_told(tmp_path: Path, broker: Mosquitto) -> None:
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, False)]), tmp_path / "data"
    topics = [f"hn1/test-1/operator/{name}" for name in ("status", "reply", "alerts")]
    with Receiver(broker.port, *topics) as operator, NodeProcess(home, data) as node:
        node.until("link up")
        refused = command(operator, "no slots", ORDER)
        assert refused["error"]["code"] == "no_slots"
        assert "no second slot" in refused["error"]["text"]
        assert node.stop() == 0
        (data / "update").mkdir()
        with NodeProcess(home, data) as node:
            node.until("link up")
            assert (
                "two different times"
                in command(operator, "1", {**ORDER, "window": "02:00-02:00"})["error"]["text"]
            )
            assert command(operator, "2", {**ORDER, "window": "02:00-04:00"})["result"] == {
                "state": "ordered"
            }
            record = read_json(data / "update/order.json")
            assert record is not None
            order = order_of(record)
            assert (order.id, order.home, order.by, order.timezone) == (
                "2",
                "test-1",
                "Ola",
                "Europe/Stockholm",
            )
            assert command(operator, "3", {"cancel": True})["result"] == {"state": "cancelled"}
            told(data, state="loading", progress=0.25)
            shown = operator.until(status("loading"), "loading")
            assert (shown["progress"], shown["slot"], shown["version"]) == (0.25, "A", "0.2.0")
            told(data, state="trying")
            operator.until(status("trying"), "trying")
            late = command(operator, "4", {"cancel": True})
            assert "on trial can't be cancelled" in late["error"]["text"]
            for kept in ("journal", "zigbee"):
                (data / "before" / kept).mkdir(parents=True)
            told(data)
            assert operator.until(status("failed"), "failed")["why"]["sv"] == "det gick inte"
            words = "update to 0.2.0 did not succeed: it failed"
            operator.until(
                lambda r: any(words in one["data"]["text"]["en"] for one in r.alerts("fault")), "a fault"
            )
            assert "update 0.2.0: failed (it failed)" in node.ask("status").stdout
            until(lambda: not (data / "before/journal").exists())
            assert (data / "before/zigbee").exists(), "a person may want to see it"
            told(data, version="0.3.0", why={"sv": "ingen radio", "en": "no radio"})
            again = "update to 0.3.0 did not succeed: no radio"
            operator.until(
                lambda r: [one["data"]["text"]["en"] for one in r.alerts("fault")][-1:] == [again], "another"
            )
            assert again.split(": ")[1] in node.ask("status").stdout
            operator.until(
                lambda r: (
                    again
                    in [
                        one["text"]["en"]
                        for topic, body, _ in r.messages
                        if topic.endswith("/status")
                        for one in body["open"]
                    ]
                ),
                "open",
            )
            told(data, state="good", why={"sv": "bra", "en": "good"})
            operator.until(lambda r: r.alerts("recovered"), "recovered")
            torn = data / "update/torn"
            torn.write_text('{"state": "go')
            with reads_of(torn) as seen:
                torn.rename(data / "update/state.json")
                until(lambda: select.select([seen], [], [], 0)[0], what="a look at it")
            told(data, state="refused")
            operator.until(status("refused"), "refused")
            shown = [state for state, _ in groupby(one.get("state") for one in operator.updates)]
            assert shown[-2:] == ["good", "refused"], "what was shown stays"
            assert node.stop() == 0


def test_whether_the_broker_is_there_and_refuses_or_nobody_answers_is_told(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, False)]), tmp_path / "data"
    with NodeProcess(home, data) as node:
        node.until("link up")
        proof = next(ask(data, {"do": "proof"}))["result"]
        assert proof["link"] == "up"
        broker.kill()
        node.until("nothing listens there")
        proof = next(ask(data, {"do": "proof"}))["result"]
        assert (proof["link"], proof["brokers"]) == ("away", [["127.0.0.1", broker.port]])
        assert node.stop() == 0


def test_whether_home_yaml_is_another_one_is_told(tmp_path: Path, broker: Mosquitto) -> None:
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, False)]), tmp_path / "data"

    def files() -> str:
        return str(next(ask(data, {"do": "proof"}))["result"]["files"])

    with NodeProcess(home, data) as node:
        node.until("ready")
        first = files()
        next(ask(data, {"do": "reload"}))
        assert files() == first
        home.write_text(home.read_text() + "\n# a technician was here\n")
        assert files() == first
        next(ask(data, {"do": "reload"}))
        assert (other := files()) != first
        assert node.stop() == 0
    home.write_text(home.read_text() + "no: such field\n")
    with NodeProcess(home, data) as node:
        node.until("ready")
        assert files() == other, "that on which it runs"
        assert node.stop() == 0


def make_later(journal: Path) -> None:
    """What a later version does to a journal: its newest file is of a schema that this one doesn't know."""
    newest = find(journal)[-1].path
    body = bytearray(newest.read_bytes())
    for at in (0, len(body) - 512):
        body[at + 8 : at + 10] = (SCHEMA + 1).to_bytes(2, "little")
        body[at + HEAD_BYTES - 4 : at + HEAD_BYTES] = crc32(body[at : at + HEAD_BYTES - 4]).to_bytes(
            4, "little"
        )
    newest.write_bytes(body)


@contextmanager
def alarmed(home: Path, data: Path, care: Receiver) -> Iterator[tuple[NodeProcess, dict[str, Any]]]:
    """A node whose door has been reported to care, and that alert."""
    with NodeProcess(home, data) as node:
        node.until("ready")
        yield node, care.until(lambda r: r.alerts("notified"), "an alert")[0]


@pytest.mark.parametrize("cut", [False, True], ids=["", "the power went between the two renames"])
def test_after_a_later_version_an_open_alert_stays_and_is_not_told_twice(
    tmp_path: Path, broker: Mosquitto, cut: bool
) -> None:
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, True)]), tmp_path / "data"
    with Receiver(broker.port, "hn1/test-1/care/alerts") as care:
        with alarmed(home, data, care) as (node, first):
            answer = next(ask(data, {"do": "keep"}))
            assert answer == {"ok": True, "result": "kept"}
            assert node.stop() == 0
        make_later(data / "journal")
        (data / "journal.later-1").mkdir()
        if cut:
            (data / "journal").rename(data / "journal.later-2")
        with NodeProcess(home, data) as node:
            node.until("ready")
            opened = node.status()["alerts"]
            assert [one["alert"] for one in opened] == [first["data"]["alert"]]
            assert "that of before the update is used" in node.log
            assert node.stop() == 0
        assert len({one["id"] for one in care.alerts("notified")}) == 1
    assert [path.name for path in data.glob("journal.later-*")] == ["journal.later-2"], "one is kept"
    assert not (data / "before/journal").exists()


def test_what_a_later_version_says_besides_in_this_schema_is_passed_over(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """On trial it writes the schema of the version before: records and fields that this one doesn't know."""
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, True)]), tmp_path / "data"
    with Receiver(broker.port, "hn1/test-1/care/alerts") as care:
        with alarmed(home, data, care) as (node, told):
            alert = told["data"]["alert"]
            assert node.stop() == 0
        with Journal.open(data) as journal:
            found = [record for _, record in journal.read() if record["t"] in ("state", "part")]
            state = next(record for record in reversed(found) if record["t"] == "state")
            at, later = state["at"], {"later": {"than": ["this"]}}
            for name in ("judge", "outbox"):
                state[name] |= later
            state["judge"]["engine"] |= later
            journal.append({"t": "later", "at": at, **later}, klass="alert")
            journal.append({**state, **later}, klass="state")
            for part in found[found.index(state) + 1 :]:
                journal.append({**part, **later}, klass="part")
            journal.append({"t": "beat", "at": at, **later}, klass="alert")
            journal.flush()
        with NodeProcess(home, data) as node:
            node.until("ready")
            assert [one["alert"] for one in node.status()["alerts"]] == [alert]
            assert next(ask(data, {"do": "proof"}))["result"]["data"]["trouble"] == ""
            assert node.stop() == 0
        assert len({one["id"] for one in care.alerts("notified")}) == 1


def test_on_trial_the_journal_is_written_as_the_version_before_reads_it(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, True)]), tmp_path / "data"
    (data / "update").mkdir(parents=True)
    for state, schema in (("trying", 1), ("good", SCHEMA)):
        told(data, state=state, **({"journal": 1} if state == "trying" else {}))
        with Receiver(broker.port, "hn1/test-1/care/alerts") as care, NodeProcess(home, data) as node:
            node.until("ready")
            if state == "trying":
                care.until(lambda r: r.alerts("notified"), "an alert")
            proof = next(ask(data, {"do": "proof"}))["result"]
            assert proof["data"] == {"journal": schema, "trouble": ""}
            assert node.stop() == 0
        assert find(data / "journal")[-1].schema == schema


def test_a_good_configuration_that_the_new_version_spoiled_is_taken_from_beside(
    tmp_path: Path, broker: Mosquitto
) -> None:
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, False)]), tmp_path / "data"
    with NodeProcess(home, data) as node:
        node.until("ready")
        assert node.stop() == 0
    keep_beside(data)
    home.write_text(home.read_text() + "later: {field: 1}\n")
    (data / "good.home").write_bytes(b"homenode configuration 9 00000000\n{}\n")
    with NodeProcess(home, data) as node:
        node.until("ready")
        assert node.stop() == 0


def test_what_is_kept_beside_is_whole_while_the_journal_goes_on(tmp_path: Path, broker: Mosquitto) -> None:
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, False)]), tmp_path / "data"
    (data / "zigbee/inner").mkdir(parents=True)
    (data / "zigbee/inner/network").write_text("pairs")
    with NodeProcess(home, data) as node:
        node.until("ready")
        for _ in range(3):
            keep_beside(data)
        assert node.stop() == 0
    kept = data / "before"
    assert (kept / "zigbee/inner/network").read_text() == "pairs"
    assert (kept / "good.home").read_bytes() == (data / "good.home").read_bytes()
    names = [file.path.name for file in find(data / "journal")]
    assert [file.path.name for file in find(kept / "journal")] == names
    assert not (kept / "lock").exists()
    assert not list(data.glob("before.*"))


def test_an_order_that_the_updater_has_not_seen_wakes_it_again(tmp_path: Path, broker: Mosquitto) -> None:
    """systemd's path unit passes over what is written while the updater ends."""
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, False)]), tmp_path / "data"
    (data / "update").mkdir(parents=True)
    order = data / "update/order.json"
    write_json(order, order_of({**ORDER, "id": "seen", "home": "test-1", "at_ms": 1}).record())
    told(data, id="another")
    old_ns = order.stat().st_mtime_ns
    with NodeProcess(home, data) as node:
        node.until("ready")
        until(lambda: order.stat().st_mtime_ns != old_ns, what="the order is there anew")
        told(data, id="seen")
        assert node.stop() == 0


def test_a_disk_that_gets_full_keeps_nothing_beside_and_loses_no_room(tmp_path: Path) -> None:
    with memory(tmp_path / "data", "1m") as data:
        (data / "journal").mkdir()
        (data / "zigbee").mkdir()
        (data / "zigbee/network").write_bytes(bytes(300_000))
        keep_beside(data)
        (data / "zigbee/other").write_bytes(bytes(300_000))
        with pytest.raises(OSError, match="No space left"):
            keep_beside(data)
        assert sorted(path.name for path in data.iterdir()) == ["before", "journal", "zigbee"]
        assert (data / "before/zigbee/network").stat().st_size == 300_000, "what was kept stands"


@pytest.mark.parametrize("gone", [forget, forget_journal])
def test_what_a_cut_left_half_kept_goes_with_the_rest(tmp_path: Path, gone: Callable[[Path], None]) -> None:
    """The gateway that keeps it is ended by force after 5 s; with the links, readings would stay for good."""
    (tmp_path / "journal").mkdir()
    keep_beside(tmp_path)
    (tmp_path / "before").rename(tmp_path / "before.new")
    keep_beside(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before", "journal"]
    (tmp_path / "before.new/journal").mkdir(parents=True)
    gone(tmp_path)
    assert not list(tmp_path.glob("before*/journal"))


def test_what_is_kept_beside_goes_when_a_tenancy_ends(tmp_path: Path, broker: Mosquitto) -> None:
    home, data = a_home(tmp_path / "home", broker.port, [(0.2, True)]), tmp_path / "data"
    with NodeProcess(home, data) as node:
        node.until("ready")
        keep_beside(data)
        assert node.stop() == 0
    erased = homenode("journal", "erase", "--yes", "--data", str(data))
    assert erased.returncode == 0, erased.stdout
    assert "no files with traces of it" in erased.stdout
    assert not (data / "before").exists()
