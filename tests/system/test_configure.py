"""Signed configurations, from the office's folder through a real broker to a running node."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from homenode.cli import main
from homenode.configure import sending
from homenode.journal import Journal
from homenode.listen.line import Line
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver, homenode
from tests.system.receivers import Homes
from tests.system.test_broker_acl import Example, authority
from tests.system.test_node import a_home

pytestmark = needs_mosquitto


class Said(NamedTuple):
    """What a command of the office ended with."""

    status: int
    out: str
    err: str


@dataclass
class Office:
    """A folder of homes, and who signs there."""

    folder: Path
    broker: Mosquitto

    @property
    def home(self) -> Path:
        return self.folder / "test-1"

    def edit(self, old: str, new: str) -> None:
        file = self.home / "home.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def configure(self, *words: str) -> Said:
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main(["configure", *words])
        return Said(status, out.getvalue(), err.getvalue())

    def sign(self, party: str) -> str:
        done = self.configure(
            "sign", str(self.home), "--key", str(self.folder / f"{party}.key"), "--by", "Eva"
        )
        assert done.status == 0, done.err
        return done.out

    def send(self, party: str = "operator", *, over: bool = False) -> Said:
        more = ("--party", party, *(("--over",) if over else ()))
        return self.configure("send", str(self.home), "--broker", self.broker.url, *more)


@pytest.fixture
def office(tmp_path: Path, broker: Mosquitto) -> Office:
    office = Office(tmp_path / "homes", broker)
    for party in ("operator", "care"):
        key = str(office.folder / f"{party}.key")
        office.folder.mkdir(exist_ok=True)
        assert office.configure("key", party, key, "--homes", str(office.folder)).status == 0
    return office


def numbers(receiver: Receiver) -> list[int]:
    """What the operator's status said that the node runs on."""
    told = [body.get("configuration") for topic, body, _ in receiver.messages if topic.endswith("/status")]
    return [one["number"] for one in told if one]


def test_the_operator_changes_an_address_and_care_signs_what_is_shared_and_a_bad_file_stops_nothing(
    tmp_path: Path, office: Office, broker: Mosquitto
) -> None:
    home = a_home(tmp_path / "node", broker.port, [(600.0, True)])
    shutil.copytree(home.parent, office.home)
    shutil.copytree(office.folder / "trust", home.parent / "trust")
    before = home.read_text()
    with (
        NodeProcess(home, tmp_path / "data") as node,
        Receiver(broker.port, "hn1/test-1/operator/status", "hn1/test-1/operator/reply") as operator,
    ):
        node.until("ready")
        for party in ("operator", "care"):
            office.sign(party)
        assert office.send().out.startswith("test-1: 1 is taken; reloaded")
        assert home.read_text() == before
        operator.until(lambda r: numbers(r)[-1:] == [1], "that 1 runs")

        office.edit("sensor: door", "sensor: the_other_door")
        assert office.sign("operator").splitlines()[0] == (
            "changed  devices.front_door.sensor: door -> the_other_door  [operator]"
        )
        assert "2 is taken" in office.send().out
        assert "the_other_door" in home.read_text()
        second = (office.home / "signed.json").read_text()

        office.edit('["*.*"]', '["*.*"], property: [front_door.contact]')
        assert "care must sign, too" in office.sign("operator")
        assert "not signed by care" in office.send().err
        jws = (office.home / "signed.json").read_text()
        error = operator.command("test-1/operator", "configure", {"jws": jws}, by="Olle")["error"]
        assert error["code"] == "unsigned"
        assert error["text"].startswith("share.property, share.property.front_door: that needs the signature")
        assert "property" not in home.read_text()

        assert "it can be sent" in office.sign("care")
        assert "3 is taken" in office.send("care").out
        operator.until(lambda r: numbers(r)[-1:] == [3], "that 3 runs")

        taken = (office.home / "signed.json").read_text()
        office.edit("broker: {", "broker: {ca: gone.pem, ")  # what is on the node only the node can tell
        office.sign("operator")
        refused = office.send()
        assert refused.status == 1
        assert "4 is refused (mistakes): home.yaml:5:14: broker.ca: found 'gone.pem'" in refused.out
        assert "gone.pem" not in home.read_text()
        refused_too = operator.command("test-1/operator", "configure", {"jws": second}, by="Olle")
        assert refused_too["error"]["code"] == "old"

        told = office.configure("status", str(office.home), "--broker", broker.url)
        assert told.status == 1
        away = office.folder / "away-1"
        shutil.copytree(office.home, away)
        all_of_them = [str(one) for one in sorted(office.folder.iterdir()) if one.is_dir()]
        (away / "home.yaml").write_text(
            (away / "home.yaml").read_text().replace("home: test-1", "home: away-1")
        )
        for name in away.glob("signed*"):
            name.unlink()
        every = office.configure("status", *all_of_them, "--broker", broker.url)
        assert (every.status, every.out) == (1, f"away-1: not heard of; not signed\n{told.out}")
        every = office.configure("send", *all_of_them, "--broker", broker.url)
        assert (every.status, "nothing is signed here" in every.err) == (1, True)
        assert "test-1: 4 is refused (mistakes)" in every.out, "it is tried, too"
        for party in ("operator", "care"):
            office.configure("sign", str(away), "--key", str(office.folder / f"{party}.key"))
        unheard = office.configure("send", str(away), "--broker", broker.url)
        assert (unheard.status, "the status of away-1 was not heard" in unheard.err) == (1, True)
        waits = ("--broker", broker.url, "--wait", "1s", "--over")
        silent = office.configure("send", str(away), *waits)
        assert (silent.status, "away-1 has not answered within 1 s" in silent.err) == (1, True)
        assert "not sent" not in silent.err
        every = office.configure("send", *all_of_them, *waits)
        assert (every.status, every.out) == (1, ""), "what one home doesn't get over no other gets"
        assert every.err.endswith(f"not sent: {office.home}\n")
        assert told.out.startswith("test-1: runs 3 of ")
        assert told.out.endswith("; 4 is signed\n")
        assert "signed=" in node.log
        node.kill()
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("ready")
        (office.home / "signed.json").write_text(taken)
        assert "this node runs on it already" in office.send().out
        assert [fault["why"] for fault in node.status()["faults"]] == []

        office.edit("ca: gone.pem, ", "")
        office.edit("the_other_door", "door")
        office.sign("operator")
        home.write_text(home.read_text() + "# a new sensor\n")  # who installs, at the node
        assert node.ask("reload").returncode == 0
        assert "changed its files since 3, and this would undo it" in office.send().err
        taken_over = office.send(over=True).out
        assert taken_over.startswith("test-1: 4 is taken; reloaded")
        kept = taken_over.rpartition("is kept in ")[2].partition(" ")[0]
        assert (home.parent / kept / "home.yaml").read_text().endswith("# a new sensor\n")
        assert node.stop() == 0
    replayed = homenode("replay", str(home), "--journal", str(tmp_path / "data"))
    assert replayed.returncode == 0, replayed.stderr
    with Journal.open(tmp_path / "data") as journal:
        records = [record for _, record in journal.read() if record["t"] == "configured"]
    assert records.pop()["number"] == 4
    assert [(one["number"], one["signed"], one["made_by"]) for one in records] == [
        (1, ["care", "operator"], "Eva"), (2, ["operator"], "Eva"), (3, ["care", "operator"], "Eva"),
    ]  # fmt: skip
    assert records[2]["by"].startswith("care: ")
    assert records[2]["places"] == ["share.property", "share.property.front_door"]


def test_what_somebody_changed_at_the_node_goes_for_nobody_who_did_not_say_so(
    tmp_path: Path, office: Office, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = a_home(tmp_path / "node", broker.port, [(600.0, True)])
    shutil.copytree(home.parent, office.home)
    shutil.copytree(office.folder / "trust", home.parent / "trust")
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("ready")
        for party in ("operator", "care"):
            office.sign(party)
        assert "1 is taken" in office.send().out
        home.write_text(home.read_text() + "# a new sensor\n")  # who installs, at the node
        assert node.ask("reload").returncode == 0
        office.edit("sensor: door", "sensor: the_other_door")
        for party in ("operator", "care"):
            office.sign(party)

        connected = Line._connected

        def late(*words: Any) -> None:
            time.sleep(1.0)
            connected(*words)

        with monkeypatch.context() as patch:  # a link on which a broker answers late
            patch.setattr(Line, "_connected", late)
            patch.setattr(sending, "SETTLED_S", 0.5)
            assert "changed its files since 1, and this would undo it" in office.send().err
        with monkeypatch.context() as patch:
            patch.setattr(sending, "SETTLED_S", 0.0)
            assert "the status of test-1 was not heard" in office.send().err
        refused = office.send("care")  # which is told no number
        assert refused.status == 1
        words = "test-1: 2 is refused (changed): somebody at the node changed its files since 1"
        assert refused.out.startswith(words)
        assert "# a new sensor" in home.read_text()
        assert "2 is taken" in office.send("care", over=True).out
        assert "# a new sensor" not in home.read_text()


def test_a_node_that_does_not_know_over_gets_it_as_before(
    tmp_path: Path, office: Office, broker: Mosquitto
) -> None:
    shutil.copytree(a_home(tmp_path / "node", broker.port, []).parent, office.home)
    for party in ("operator", "care"):
        office.sign(party)
    sent = list[Said]()
    refused = {"code": "malformed", "text": "args.over is not known; accepted: jws"}
    with Receiver(broker.port, "hn1/test-1/operator/command") as node:
        sending = threading.Thread(target=lambda: sent.append(office.send(over=True)))
        sending.start()
        for nth, answer in enumerate(({"ok": False, "error": refused}, {"ok": True})):
            _, asked, _ = node.until(lambda r, nth=nth: r.messages[nth : nth + 1], "the command")[0]
            node.send("hn1/test-1/operator/reply", {"id": asked["id"], **answer})
        sending.join()
    assert [sorted(body["args"]) for _, body, _ in node.messages] == [["jws", "over"], ["jws"]]
    assert sent[0].out.startswith("test-1: 1 is taken")


def test_a_broker_that_shows_nothing_is_not_taken_for_a_home_that_is_away(
    tmp_path: Path, office: Office, broker: Mosquitto
) -> None:
    shutil.copytree(a_home(tmp_path / "node", broker.port, []).parent, office.home)
    for party in ("operator", "care"):
        office.sign(party)

    def told(url: str) -> tuple[str, str]:
        where = ("--broker", url, "--party", "care")
        sent = office.configure("send", str(office.home), *where, "--wait", "1 s")
        return sent.err, homenode("listen", "ack", "x", *where).stderr

    (tmp_path / "acl").write_text(
        "topic write hn1/#\n"
    )  # what is not to be heard mosquitto just doesn't send
    with Mosquitto(tmp_path / "closed", f"acl_file {tmp_path / 'acl'}") as closed:
        assert all("check whose certificate or user" in one for one in told(closed.url))
        for folders in ((), (str(office.home),)):
            asked = office.configure("status", *folders, "--broker", closed.url)
            assert (asked.status, asked.out) == (1, "")
            assert "the broker shows no home (check whose certificate or user" in asked.err
    with Homes(broker.port) as homes:
        homes.send("hn1/test-1/care/status", {"open": []})
        away, unknown = told(broker.url)
    assert "it may be offline" in away
    assert "stands in data.alert" in unknown


def test_who_has_a_revoked_certificate_is_told_so_by_every_command(tmp_path: Path, office: Office) -> None:
    shutil.copytree(a_home(tmp_path / "node", 1, []).parent, office.home)
    for party in ("operator", "care"):
        office.sign(party)
    (tmp_path / "deployed").mkdir()
    example = Example(tmp_path / "deployed")
    authority(example.folder, "-revoke", "operator@example.pem")
    authority(example.folder, "-gencrl", "-out", "crl.pem")
    file = example.folder / "operator.yaml"
    where = f'url: "mqtts://127.0.0.1:{example.port}", ca: ca.pem'
    who = "cert: operator@example.pem, key: operator@example.key"
    file.write_text(f"party: operator\nbroker: {{{where}, {who}}}\n")
    with example.mosquitto:
        said = [
            office.configure("send", str(office.home), str(file)),
            office.configure("status", str(file)),
            office.configure("status", str(office.home), str(file)),
        ]
    for one in said:
        assert (one.status, one.out) == (1, "")
        assert (
            "check broker.cert and key: its authority must be the broker's, and not have revoked" in one.err
        )


def test_status_ends_though_homes_say_something_all_the_time(
    office: Office, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SETTLED_S", 0.5)
    body = {"open": [], "configuration": {"number": 7, "at": "2026-01-05T06:12:03.250+01:00"}}
    told, ended = list[Said](), threading.Event()

    def ask() -> None:
        told.append(office.configure("status", "--broker", broker.url))
        ended.set()

    asking = threading.Thread(target=ask)
    with Receiver(broker.port, "nothing") as homes:
        asking.start()
        for nth in range(100):  # 10 s
            homes.send(f"hn1/busy-{nth % 3}/operator/status", body)
            if ended.wait(0.1):
                break
        busy = not ended.is_set()
        asking.join()
    assert not busy, "it ended only when they were silent"
    assert [line.partition(":")[0] for line in told[0].out.splitlines()] == ["busy-0", "busy-1", "busy-2"]
