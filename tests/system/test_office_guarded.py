"""What an office does not give, to whom it does not give it, and what it says about that."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from homenode.cli import main
from homenode.enrol import keys, visit
from homenode.enrol.client import Office, Unreachable
from homenode.enrol.proof import signed
from homenode.enrol.steps import State
from homenode.office.store import Emptying, Store
from tests.system.offices import Box, OfficeProcess
from tests.system.soak_home import until
from tests.system.test_enrolment import enrolled


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProcess]:
    with OfficeProcess(tmp_path_factory.mktemp("guarded") / "office") as running:
        yield running


def calling(box: Box, office: OfficeProcess) -> Office:
    """With the box's certificate."""
    return Office(office.url, office.ca, (box.places.certificate, box.places.key))


def test_a_stolen_box_is_not_let_in_again_by_the_code_on_its_label(
    office: OfficeProcess, tmp_path: Path
) -> None:
    office.describe("label-1")
    code = office.code("box", "add", "--home", "label-1")
    box = Box(tmp_path, "20000000aaaa0001").provisioned(office, code)
    assert box.once().state is State.ENROLLED
    office.says("revoke", box.serial, "--why", "stolen")
    box.provisioned(office, code)
    outcome = box.once()
    assert (outcome.state, outcome.why.key) == (State.FAILED, "revoked")
    assert box.visit.once().state is State.APPROVAL  # in the same run, with neither
    box.places.certificate.unlink()
    assert box.provisioned(office, code).once().why.key == "code"
    assert office.box(box.serial)["home"] == ""


def test_a_code_for_a_home_that_has_a_box_by_now_is_answered_in_words(
    office: OfficeProcess, tmp_path: Path
) -> None:
    office.describe("two-1")
    code = office.code("box", "add", "--home", "two-1")
    office.says("assign", "20000000aaaa0002", "two-1")
    box = Box(tmp_path, "20000000aaaa0003").provisioned(office, code)
    outcome = box.once()
    assert (outcome.state, outcome.why.key) == (State.FAILED, "home_taken")
    assert "20000000aaaa0002" in outcome.why.facts["text"]


def test_a_copy_that_renews_for_a_key_of_its_own_is_refused_and_reported(
    office: OfficeProcess, tmp_path: Path
) -> None:
    box = enrolled(office, tmp_path, "renew-1", "20000000aaaa0004")
    present = keys.held(box.places.certificate, keys.own_key(box.places.key).public_key())
    assert present is not None
    own = ec.generate_private_key(ec.SECP256R1())
    for again in (True, False):
        answer = calling(box, office).enrol(keys.renewing_request(own, present[1]), again=again)
        assert answer.status == 403, answer.text
    assert office.reports()[0] == "two boxes, one identity"
    assert box.once().state is State.ENROLLED


def test_a_certificate_that_was_revoked_is_reported_when_it_is_shown(
    office: OfficeProcess, tmp_path: Path
) -> None:
    box = enrolled(office, tmp_path, "shown-1", "20000000aaaa0005")
    office.says("revoke", box.serial, "--why", "stolen")
    assert calling(box, office).ask("GET", "/homenode/v1/backup").status == 403
    told = office.listed()["reports"][0]
    assert (told["serial"], told["what"]) == (box.serial, "shut out")
    assert "stolen" in told["text"]


def test_a_partys_certificate_opens_nothing_that_is_a_boxs(office: OfficeProcess, tmp_path: Path) -> None:
    office.says("certify", "care@example", "--to", str(tmp_path))
    party = Office(office.url, office.ca, (tmp_path / "care@example.pem", tmp_path / "care@example.key"))
    before = len(office.reports())
    for path in ("assignment", "backup"):
        answer = party.ask("GET", f"/homenode/v1/{path}")
        assert answer.status == 403
        assert "a party's" in answer.text
    assert len(office.reports()) == before
    request = keys.first_request(keys.own_key(tmp_path / "mine.key"), "20000000aaaa0012")
    assert party.enrol(request, again=True).status == 400


def test_what_a_box_tells_steers_no_terminal(office: OfficeProcess, tmp_path: Path) -> None:
    box = enrolled(office, tmp_path, "told-1", "20000000aaaa0006")
    assert calling(box, office).told("\x1b[2J", "gone\x1b]0;x\x07\x9b31m\nsecond line").status == 200
    shown = office.says("list")
    assert not any(sign in shown for sign in "\x1b\x07\x9b")
    assert "\n    second line" in shown


def test_a_link_in_the_homes_folder_brings_no_file_of_the_office(
    office: OfficeProcess, tmp_path: Path
) -> None:
    office.describe("link-1")
    rules = office.folder / "homes" / "link-1" / "rules"
    rules.mkdir()
    (rules / "mine.yaml").symlink_to(office.folder / "ca.key")
    box = Box(tmp_path, "20000000aaaa0007")
    box.provisioned(office, office.code("box", "add", box.serial, "--home", "link-1"))
    outcome = box.once()
    assert "is a link" in outcome.why.facts["text"]
    assert "PRIVATE" not in json.dumps(office.listed())


def test_the_list_of_revoked_certificates_is_not_made_anew_for_everybody_who_asks(
    office: OfficeProcess,
) -> None:
    stranger = Office(office.url, office.ca)
    first = stranger.ask("GET", "/homenode/v1/crl").body
    assert first[:1] == b"0"
    assert all(stranger.ask("GET", "/homenode/v1/crl").body == first for _ in range(3))


def test_an_odd_request_costs_an_answer_and_not_a_mistake(office: OfficeProcess, tmp_path: Path) -> None:
    box = enrolled(office, tmp_path, "odd-1", "20000000aaaa0008")
    deep = b"[" * 50_000
    assert calling(box, office).ask("PUT", "/homenode/v1/backup", deep).status == 400
    assert calling(box, office).ask("POST", "/homenode/v1/told", deep).status == 400


def test_a_proof_is_on_the_disk_before_the_box_forgets_it(office: OfficeProcess, tmp_path: Path) -> None:
    box = enrolled(office, tmp_path, "proof-1", "20000000aaaa0009")
    office.says("leave", "proof-1")
    proof = signed({"home": "proof-1", "serial": box.serial, "left": 2}, box.places.key.read_bytes())
    assert calling(box, office).told("erased", "", proof=proof).status == 200
    assert office.reports()[0].startswith("not all erased")
    assert office.box(box.serial)["state"] == "leaving"
    (kept,) = (office.folder / "proofs").glob("proof-1-*.jws")
    assert kept.read_text() == proof
    assert kept.stat().st_mode & 0o777 == 0o640


def test_a_box_has_nothing_emptied_but_what_its_home_left(office: OfficeProcess, tmp_path: Path) -> None:
    box = enrolled(office, tmp_path, "left-1", "20000000aaaa0011")
    office.says("leave", "left-1")
    kept = ["hn1/left-1/care/readings/eye/motion", "ha/x/care/sensor/left-1/eye_power/config"]
    others = [
        "hn1/left-2/care/readings/eye/motion",
        "hn1/left-1/care/readings/+/motion",
        "hn1/left-1/#",
        "x",
        7,
    ]
    others += ["ha/care/sensor/left-2/eye_power/config", "#/care/sensor/left-1/eye_power/config", "$SYS/x"]
    others += ["hn1/left-1/care/readings/\x1b[2J/motion"]
    brokers = ["mqtt://[", 7, "mqtt://\x1b[2J", f"mqtt://{'a' * 64}.example"]
    said = {"home": "left-1", "serial": box.serial, "topics": [*kept, *others], "brokers": brokers}
    proof = signed(said, box.places.key.read_bytes())
    assert calling(box, office).told("erased", "", proof=proof).status == 200
    office.until(lambda: all(one.why for one in _emptyings(office, "left-1")))
    one, other = sorted(_emptyings(office, "left-1"), key=lambda one: len(one.url))
    statuses = [f"hn1/left-1/{party}/status" for party in ("care", "property", "resident", "operator")]
    assert sorted(one.topics) == sorted([*kept, *statuses, "hn1/left-1/link"])
    assert "is no broker" in one.why
    assert "label" in other.why


def _emptyings(office: OfficeProcess, home: str) -> list[Emptying]:
    store = Store(office.folder)
    try:
        return store.emptyings(home)
    finally:
        store.close()


def test_a_former_authority_is_ended_when_boxes_have_called_and_no_sooner(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office") as office:
        box = enrolled(office, tmp_path / "box", "old-1", "20000000aaaa0010")
        office.says("roll")
        finish = ["office", "roll", "--office", str(office.folder), "--finish"]
        assert main(finish) == 1
        office.reload()
        assert box.once().state is State.ENROLLED
        assert main(finish) == 0
        office.reload()
        assert box.once().state is State.ENROLLED
        assert office.reports() == []


def test_who_holds_a_brokers_certificate_is_no_office_that_dns_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = OfficeProcess(tmp_path / "office")
    office.says("certify", "broker", "--host", "localhost", "--to", str(tmp_path))
    pem = (tmp_path / "broker.key").read_text() + (tmp_path / "broker.pem").read_text()
    (office.folder / "server.pem").write_text(pem)
    monkeypatch.setattr(visit, "offices", lambda: [office.url])
    box = Box(tmp_path / "box", "20000000aaaa0011")
    (box.places.trust / "ca.pem").write_text(office.ca)
    with office:
        assert box.once().why.key == "not_trusted"
    (office.folder / "server.pem").unlink()
    with office:
        assert box.once().why.key == "approval"


def test_who_has_a_code_is_no_stranger(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office", "unknown: false\n") as office:
        stranger = Box(tmp_path / "stranger", "40000000aaaa0001").provisioned(office)
        assert stranger.once().state is State.APPROVAL
        box = Box(tmp_path / "box", "40000000aaaa0002").provisioned(office, office.code("box", "add"))
        assert box.once().state is State.APPROVAL
        assert [one["serial"] for one in office.listed()["boxes"]] == [box.serial]


def answers(office: OfficeProcess) -> bool:
    try:
        return Office(office.url, office.ca).cacerts().status == 200
    except Unreachable:
        return False


def test_told_anew_again_and_again_it_goes_on(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office") as office:
        for _ in range(100):
            office.hang_up()
            time.sleep(0.005)
        office.reload()
        until(lambda: answers(office), what="it answers")


def test_mistakes_in_office_yaml_end_no_office(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office") as office:
        with (office.folder / "office.yaml").open("a") as file:
            file.write("life: soon\n")
        office.reload()
        assert Office(office.url, office.ca).cacerts().status == 200
        assert "office.yaml has mistakes" in office.log.read_text()
