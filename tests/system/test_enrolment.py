"""From a card to a home: boxes and an office over real TLS, and what goes wrong on the way."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from homenode.enrol import keys, leaving
from homenode.enrol.client import Office
from homenode.enrol.steps import State, short
from homenode.office.provisioning import ca_print
from tests.system.brokers import free_port
from tests.system.clocks import NodeClock
from tests.system.offices import HOME, HOME_YAML, Box, OfficeProcess


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProcess]:
    with OfficeProcess(tmp_path_factory.mktemp("office") / "office") as running:
        yield running


def enrolled(office: OfficeProcess, folder: Path, home: str, serial: str) -> Box:
    """A box that lives in its home."""
    office.describe(home)
    box = Box(folder, serial).provisioned(office, office.code("box", "add", serial, "--home", home))
    outcome = box.once()
    assert outcome.state is State.ENROLLED, outcome
    return box


def subject(path: Path) -> str:
    command = ["openssl", "x509", "-in", str(path), "-noout", "-subject", "-nameopt", "RFC2253"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_card_with_a_code_becomes_a_node_with_a_home(office: OfficeProcess, tmp_path: Path) -> None:
    office.describe(HOME)
    box = Box(tmp_path, "10000000aaaa0001")
    box.provisioned(office, office.code("box", "add", box.serial, "--home", HOME))
    done = box.run("once")
    assert done.returncode == 0, done.stderr
    assert box.state["state"] == "enrolled"
    assert box.state["home"] == HOME
    assert subject(box.places.certificate) == f"subject=serialNumber={box.serial},CN={HOME}"
    assert box.places.home.read_text().startswith(f"home: {HOME}")
    assert stat.S_IMODE(box.places.key.stat().st_mode) == 0o640
    assert not box.places.provision.exists()
    assert office.box(box.serial)["state"] == "enrolled"


def test_a_code_is_for_one_key_and_no_other(office: OfficeProcess, tmp_path: Path) -> None:
    office.describe("once-1")
    code = office.code("box", "add", "--home", "once-1")
    first = Box(tmp_path / "first", "10000000aaaa0002").provisioned(office, code)
    assert first.once().state is State.ENROLLED
    second = Box(tmp_path / "second", "10000000aaaa0003").provisioned(office, code)
    outcome = second.once()
    assert (outcome.state, outcome.why.key) == (State.FAILED, "code_used")
    assert "used before" in outcome.why.facts["text"]


def test_an_answer_that_was_lost_costs_no_new_code(office: OfficeProcess, tmp_path: Path) -> None:
    office.describe("lost-1")
    box = Box(tmp_path, "10000000aaaa0004")
    code = office.code("box", "add", box.serial, "--home", "lost-1")
    request = keys.first_request(keys.own_key(box.places.key), box.serial)
    for _ in range(2):
        assert Office(office.url, office.ca).enrol(request, serial=box.serial, code=code).status == 200
    assert box.provisioned(office, code).once().state is State.ENROLLED
    box.places.certificate.unlink()
    assert (
        box.provisioned(office, code).once().why.key == "code_used"
    )  # it got there: now a copy may be asking


def test_a_code_that_counts_no_more_keeps_no_box_from_its_daily_visit(
    office: OfficeProcess, tmp_path: Path
) -> None:
    box = enrolled(office, tmp_path, "stale-1", "10000000aaaa0014")
    box.provisioned(office, "ABCD-EFGH-JKMN-PQRS")
    assert box.once().state is State.ENROLLED
    assert not box.places.provision.exists()


def test_what_an_office_gave_to_show_and_is_damaged_ends_no_visit(
    office: OfficeProcess, tmp_path: Path
) -> None:
    office.describe("turn-1")
    box = Box(tmp_path, "10000000aaaa0015")
    box.provisioned(office, office.code("box", "add", box.serial, "--home", "turn-1"))
    box.places.turn.write_text("x\r\nHost: y")
    assert box.once().state is State.ENROLLED


def test_without_a_code_somebody_approves_the_key_that_the_box_shows(
    office: OfficeProcess, tmp_path: Path
) -> None:
    office.describe("asks-1")
    box = Box(tmp_path, "10000000aaaa0005").provisioned(office)
    assert box.run("once").returncode == 1
    assert box.state["state"] == "approval"
    shown = box.state["fingerprint"]
    assert shown in box.state["why"]["sv"]
    assert office.box(box.serial)["asks_with"] == shown
    office.says("assign", box.serial, "asks-1")
    assert box.once().state is State.APPROVAL
    office.says("approve", box.serial, shown)
    assert box.once().state is State.ENROLLED


def test_a_second_box_with_one_identity_is_refused_and_reported(
    office: OfficeProcess, tmp_path: Path
) -> None:
    first = enrolled(office, tmp_path / "first", "twin-1", "10000000aaaa0006")
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "first", copy)
    copied = Box(copy, first.serial)
    assert copied.once().state is State.ENROLLED  # nobody can tell yet
    assert copied.once().state is State.ENROLLED
    outcome = first.once()
    assert (outcome.state, outcome.why.key) == (State.FAILED, "twin")
    assert office.reports()[0] == "two boxes, one identity"
    other = Box(tmp_path / "other", first.serial).provisioned(office)
    assert other.once().state is State.FAILED
    assert office.reports()[:2] == ["two boxes, one identity"] * 2
    shown = short(other.visit.print)  # its card was new: the office can let it in by what its panel shows
    assert office.box(first.serial)["asks_with"] == shown
    office.says("approve", first.serial, shown)
    assert other.once().state is State.ENROLLED
    assert first.once().state is State.FAILED


def test_a_label_of_another_office_counts_for_a_box_that_knows_one(
    office: OfficeProcess, tmp_path: Path
) -> None:
    """Only the fingerprint is on it; ca.pem is of who had the box before."""
    box = Box(tmp_path / "box", "10000000bbbb0040")
    (tmp_path / "other").mkdir()
    other = OfficeProcess(tmp_path / "other" / "office")
    shutil.copy(other.folder / "ca.pem", box.places.ca)
    office.describe("label-1")
    said = {
        "office": office.url, "ca_sha256": ca_print(office.folder),
        "code": office.code("box", "add", box.serial, "--home", "label-1"),
    }  # fmt: skip
    box.places.provision.write_text(json.dumps(said))
    assert box.once().done
    box.places.provision.write_text(json.dumps({**said, "ca_sha256": "0" * 64}))
    assert box.once().done  # a label of before the office's roll-over: who is trusted already goes on


def test_a_network_whose_names_come_and_go_ends_no_enrolment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([[f"https://127.0.0.1:{free_port()}"], []])
    monkeypatch.setattr("homenode.enrol.visit.offices", lambda: next(found))
    box = Box(tmp_path)
    shutil.copy(Path(__file__).parents[1] / "unit" / "office-ca.pem", box.places.trust)
    assert box.visit.once().why.key == "network"
    assert box.visit.once().why.key == "no_office"


@pytest.mark.parametrize("leaving", [False, True])
def test_a_box_of_a_home_is_given_to_no_other_before_that_one_is_left(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, leaving: bool
) -> None:
    serial = f"10000000bbbb000{leaving:d}"
    box = enrolled(office, tmp_path, f"moves-{leaving:d}", serial)
    enrolled(office, tmp_path / "other", f"next-{leaving:d}", f"10000000bbbb001{leaving:d}")
    if leaving:
        office.says("leave", f"moves-{leaving:d}")
    for words in (
        ("box", "add", serial, "--home", "else"),
        ("assign", serial, "else"),
        ("swap", f"next-{leaving:d}", serial),
    ):
        with pytest.raises(AssertionError):
            office.says(*words)
        assert f"moves-{leaving:d}" in capsys.readouterr().err
        assert office.box(serial)["home"] == f"moves-{leaving:d}"
    if leaving:
        box.once()
        assert office.box(serial)["state"] == "gone"
        assert "is for else" in office.says("assign", serial, "else")


def test_a_box_that_is_left_is_erased_while_its_office_is_away(tmp_path: Path) -> None:
    """The order came while the gateway still ran; then somebody pulled the plug of the network."""
    with OfficeProcess(tmp_path / "office") as office:
        box = enrolled(office, tmp_path / "box", "away-1", "10000000bbbb0050")
        office.says("leave", "away-1")
        leaving.order(box.places, "away-1", box.serial)
        (box.places.config / ".home.yaml.812").write_text("home: away-1")  # of a power cut
        (box.places.config / ".node.key.812").write_text("secret")
    assert box.visit.once().why.key == "network"  # it has heard from the office what time it is
    names = sorted(path.name for path in box.places.config.iterdir())
    assert names == [".node.key.812", "ca.pem", "node.key", "node.pem"]
    with office:
        assert box.once().why.key == "left"
        assert office.box(box.serial)["state"] == "gone"
    box.once()
    assert not (box.places.config / ".node.key.812").exists()


def test_who_moved_out_long_ago_is_erased_though_the_certificate_ended(
    office: OfficeProcess, tmp_path: Path
) -> None:
    """The box lay in a drawer; it shows what it shows who has none any more."""
    box = enrolled(office, tmp_path / "box", "drawer-1", "10000000bbbb0060")
    office.says("leave", "drawer-1")
    box.places.certificate.unlink()
    stranger = Box(tmp_path / "stranger", box.serial).provisioned(office)
    assert stranger.once().why.key == "approval"
    assert box.once().why.key == "left"
    assert not box.places.home.exists()
    assert office.box(box.serial)["state"] == "gone"
    assert list((office.folder / "proofs").glob("drawer-1-*.jws"))


def test_a_home_whose_box_never_came_waits_for_no_proof(office: OfficeProcess) -> None:
    office.says("box", "add", "10000000bbbb0020", "--home", "never-1")
    assert "proof" not in office.says("leave", "never-1")
    assert office.box("10000000bbbb0020")["state"] == "gone"


def test_a_link_in_git_gives_a_box_no_file_of_the_office(office: OfficeProcess, tmp_path: Path) -> None:
    box = enrolled(office, tmp_path, "link-1", "10000000bbbb0030")
    trust = office.folder / "homes" / "link-1" / "trust"
    trust.mkdir()
    for name in ("care.pem", "care.successors"):
        (trust / name).symlink_to("../../../ca.key")
        outcome = box.once()
        assert outcome.why.key == "odd"
        assert "link" in outcome.why.facts["text"]
        (trust / name).unlink()
    assert box.once().done


def test_a_card_in_another_box_asks_in_its_own_name(office: OfficeProcess, tmp_path: Path) -> None:
    first = enrolled(office, tmp_path, "moved-1", "10000000aaaa0007")
    moved = Box(tmp_path, "10000000aaaa0008")
    assert moved.once().state is State.APPROVAL
    assert office.box(moved.serial)["state"] == "asking"
    assert office.reports()[0] == "two boxes, one identity"
    assert first.once().state is State.ENROLLED


def test_a_certificate_is_renewed_in_the_last_third_of_its_life(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office", "life: 90 min\n") as office:
        box = enrolled(office, tmp_path / "box", "short-1", "10000000aaaa0009")
        clock, before = NodeClock(tmp_path), box.places.certificate.read_text()
        clock.off_by(
            30 * 60
        )  # a certificate counts from an hour before it was issued: of 150 min 90 are past
        assert box.run("once", env=clock.env).returncode == 0
        assert box.places.certificate.read_text() == before
        clock.off_by(45 * 60)
        assert box.run("once", env=clock.env).returncode == 0
        renewed = box.places.certificate.read_text()
        assert renewed != before
        assert subject(box.places.certificate) == f"subject=serialNumber={box.serial},CN=short-1"
        clock.off_by(3 * 3600)
        assert box.run("once", env=clock.env).returncode == 1
        assert box.state["state"] == "approval"  # it ended: somebody has to look


def test_who_moves_out_when_the_certificate_is_to_be_renewed_is_erased_too(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office", "life: 90 min\n") as office:
        box = enrolled(office, tmp_path / "box", "short-2", "10000000aaaa0019")
        clock = NodeClock(tmp_path)
        clock.off_by(45 * 60)
        office.says("leave", "short-2")
        box.run("once", env=clock.env)
        assert box.state["key"] == "left", box.state
        assert not box.places.home.exists()
        assert office.box(box.serial)["state"] == "gone"


def test_a_clock_in_1970_is_no_hindrance_and_no_excuse(office: OfficeProcess, tmp_path: Path) -> None:
    office.describe("old-1")
    clock = NodeClock(tmp_path)
    clock.in_1970()
    box = Box(tmp_path / "box", "10000000aaaa0010")
    box.provisioned(office, office.code("box", "add", box.serial, "--home", "old-1"))
    done = box.run("once", env=clock.env)
    assert done.returncode == 0, done.stderr
    assert "time of the office taken" in done.stderr
    assert box.state["at"] > "2026"
    assert box.state["clock"][0] > 1_767_225_600_000
    stranger = Box(tmp_path / "stranger", "10000000aaaa0011")
    with OfficeProcess(tmp_path / "other") as other:
        stranger.provisioned(office)
        said = json.loads(stranger.places.provision.read_text())
        stranger.places.provision.write_text(json.dumps({**said, "office": other.url}))
        assert stranger.run("once", env=clock.env).returncode == 1
    assert stranger.state["key"] == "not_trusted"


def test_a_home_of_another_box_is_refused_and_told(office: OfficeProcess, tmp_path: Path) -> None:
    office.describe("wrong-1", "home: other-1\ntimezone: Europe/Stockholm\ndevices: {}\n")
    box = Box(tmp_path, "10000000aaaa0012")
    box.provisioned(office, office.code("box", "add", box.serial, "--home", "wrong-1"))
    outcome = box.once()
    assert (outcome.state, outcome.why.key) == (State.FAILED, "other_home")
    assert not box.places.home.exists()
    assert office.reports()[0] == "home refused"
    told = office.listed()["reports"][0]["text"]
    assert told == "The file is for the home other-1, but the box is for wrong-1."
    office.describe("wrong-1")
    assert box.once().state is State.ENROLLED


def test_a_home_on_the_card_that_gives_way_to_the_offices_is_told(
    office: OfficeProcess, tmp_path: Path
) -> None:
    office.describe("both-1")
    box = Box(tmp_path, "10000000aaaa0031")
    code = office.code("box", "add", box.serial, "--home", "both-1")
    own = HOME_YAML.format(home="both-1")
    box.provisioned(office, code, home={"files": {"home.yaml": f"# mine\n{own}"}})
    outcome = box.once()
    assert (outcome.state, outcome.why.key) == (State.ENROLLED, "office_home")
    assert box.places.home.read_text() == own
    box.provisioned(office, home={"files": {"home.yaml": own}})
    assert box.once().why.key == "enrolled"


def test_a_revoked_box_asks_anew(office: OfficeProcess, tmp_path: Path) -> None:
    box = enrolled(office, tmp_path, "stolen-1", "10000000aaaa0013")
    office.says("revoke", box.serial, "--why", "stolen")
    assert box.once().state is State.FAILED
    outcome = box.visit.once()  # in the same run, after the no
    assert outcome.state is State.APPROVAL
    listed = subprocess.run(
        ["openssl", "crl", "-in", str(office.folder / "crl.pem"), "-noout", "-text"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "Serial Number:" in listed
