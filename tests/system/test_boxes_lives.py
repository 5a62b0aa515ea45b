"""What becomes of a box after its first day: swapped, moved out of, under another authority, alone."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from homenode.cli import main
from homenode.enrol import keys, leaving
from homenode.enrol.client import Office
from homenode.enrol.proof import opened, signed
from homenode.enrol.radios import SENT
from homenode.enrol.steps import State
from homenode.gateway.clock import Clock
from homenode.journal import Journal
from homenode.office.authority import Authority, moment, pem
from homenode.office.provisioning import ca_print
from homenode.office.store import Store
from tests.system.nodes import homenode
from tests.system.offices import Box, OfficeProcess
from tests.system.openssl import issued, openssl, self_signed
from tests.system.test_enrolment import enrolled

BACKUP = {"metadata": {"format": "zigpy/open-coordinator-backup"}, "network_key": {"key": "00" * 16}}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProcess]:
    with OfficeProcess(tmp_path_factory.mktemp("lives") / "office") as running:
        yield running


def test_a_new_box_gets_home_and_radio_of_the_old_one_which_counts_no_more(
    office: OfficeProcess, tmp_path: Path
) -> None:
    old = enrolled(office, tmp_path / "old", "swap-1", "30000000cccc0001")
    old.keeps("zigbee", BACKUP)
    assert old.once().done
    new = Box(tmp_path / "new", "30000000cccc0002")
    described = old.places.home.read_text()
    new.provisioned(office, office.code("swap", "swap-1", new.serial))
    assert new.once().state is State.ENROLLED
    (kept,) = (new.places.data / "zigbee" / "backups").glob("????-??-??.json")
    assert json.loads(kept.read_text()) == BACKUP
    assert new.places.home.read_text() == described
    assert office.reports().count("swapped") == 1


def test_a_box_that_was_swapped_erases_the_home_and_proves_it(office: OfficeProcess, memory: Path) -> None:
    old = enrolled(office, memory / "old", "swap-2", "30000000cccc0024")
    old.keeps("zigbee", BACKUP)
    assert old.once().done
    secret = "Karin was in the kitchen"
    with Journal.open(old.places.data) as journal:
        journal.append({"t": "tr", "alert": "stove_left_on:1", "text": secret, "at": 1}, klass="alert")
        journal.commit().result(20)
    new = Box(memory / "new", "30000000cccc0025")
    new.provisioned(office, office.code("swap", "swap-2", new.serial))
    row = office.box(old.serial)
    assert (row["state"], row["home"], row["has_to_erase"]) == ("swapped", "swap-2", True)
    waiting = office.says("list").count("has to erase it")
    assert waiting >= 1
    assert not office.box(new.serial)["has_to_erase"]
    assert new.once().state is State.ENROLLED
    der = x509.load_pem_x509_certificate(old.places.certificate.read_bytes()).public_bytes(Encoding.DER)
    assert old.once().why.key == "left"
    files = [path for path in (memory / "old").rglob("*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    for path in (old.places.home, old.places.key, old.places.certificate):
        assert not path.exists()
    (proof,) = (office.folder / "proofs").glob("swap-2-*.jws")
    assert opened(proof.read_text(), der)["serial"] == old.serial
    assert office.reports()[0] == "erased"
    assert office.box(old.serial)["state"] == "gone"
    assert office.says("list").count("has to erase it") == waiting - 1
    assert (office.box(new.serial)["state"], new.once().done) == ("enrolled", True)  # the home lives on
    assert json.loads((office.folder / "backups" / "swap-2.json").read_text())["radios"] == {"zigbee": BACKUP}


def test_a_swapped_box_is_for_nothing_else_before_it_has_erased_the_home(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = enrolled(office, tmp_path / "old", "swap-3", "30000000cccc0026")
    office.describe("else-1")
    office.says("swap", "swap-3", "30000000cccc0027")
    for words in (
        ("box", "add", old.serial, "--home", "else-1"),
        ("box", "add", old.serial),
        ("assign", old.serial, "else-1"),
        ("swap", "swap-3", old.serial),
    ):
        assert main(["office", words[0], "--office", str(office.folder), *words[1:]]) == 1
        assert f"box {old.serial} has to erase swap-3 before" in capsys.readouterr().err
    office.says("revoke", old.serial)  # it is broken: nobody waits for its proof
    assert office.box(old.serial)["state"] == "gone"
    office.says("swap", "swap-3", "--without-proof")
    assert office.box("30000000cccc0027")["state"] == "gone"


def test_a_renewal_meanwhile_makes_no_code_for_a_fresh_card_worthless(
    office: OfficeProcess, tmp_path: Path
) -> None:
    old = enrolled(office, tmp_path / "old", "fresh-1", "30000000cccc0023")
    code = office.code("box", "add", old.serial)
    present = keys.held(old.places.certificate, keys.own_key(old.places.key).public_key())
    assert present is not None
    request = keys.renewing_request(keys.own_key(old.places.key), present[1])
    own = (old.places.certificate, old.places.key)
    assert Office(office.url, office.ca, own).enrol(request, again=True).status == 200
    fresh = Box(tmp_path / "fresh", old.serial).provisioned(office, code)
    assert fresh.once().why.key == "enrolled"
    assert office.box(old.serial)["home"] == "fresh-1"


def test_a_backup_is_sent_when_it_changed_and_only_then(office: OfficeProcess, tmp_path: Path) -> None:
    box = enrolled(office, tmp_path, "backup-1", "30000000cccc0003")
    box.keeps("zigbee", BACKUP)
    kept = office.folder / "backups" / "backup-1.json"
    assert box.once().done
    first = kept.stat().st_mtime_ns
    assert kept.stat().st_mode & 0o077 == 0
    assert box.once().done
    assert kept.stat().st_mtime_ns == first
    (box.places.data / "zigbee/backups/2026-01-06.json").write_text(json.dumps({**BACKUP, "x": 1}))
    assert box.once().done
    assert json.loads(kept.read_text())["radios"]["zigbee"]["x"] == 1


def test_who_moves_out_leaves_nothing_and_the_office_has_the_proof(
    office: OfficeProcess, memory: Path
) -> None:
    box = enrolled(office, memory, "leave-1", "30000000cccc0004")
    secret = "Karin was in the bathroom"
    with Journal.open(box.places.data) as journal:
        journal.append({"t": "tr", "alert": "stove_left_on:1", "text": secret, "at": 1}, klass="alert")
        journal.commit().result(20)
    (box.places.config / "rules").mkdir()
    (box.places.config / "rules" / "own.yaml").write_text("rule: own")
    update = box.places.data / "update"
    update.mkdir()
    for name in ("order.json", "state.json"):
        (update / name).write_text('{"home": "leave-1"}')
    office.says("leave", "leave-1")
    command = ["openssl", "x509", "-in", str(box.places.certificate), "-outform", "DER"]
    der = subprocess.run(command, capture_output=True, check=True).stdout
    outcome = box.once()
    assert outcome.why.key == "left", outcome
    left = [path for path in memory.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert left == []
    named = [path for path in memory.rglob("*") if path.is_file() and b"leave-1" in path.read_bytes()]
    assert named == []
    assert [*update.iterdir()] == []
    for path in (box.places.home, box.places.key, box.places.certificate, box.places.config / "rules"):
        assert not path.exists()
    (proof,) = (office.folder / "proofs").glob("leave-1-*.jws")
    said = opened(proof.read_text(), der)
    assert (said["home"], said["serial"], said["left"]) == ("leave-1", box.serial, 0)
    assert any("SHA-256 of what was erased" in line for line in said["journal"])
    assert office.box(box.serial)["state"] == "gone"
    office.describe("next-1")  # and the box lives on, in another home
    office.says("assign", box.serial, "next-1")
    box.provisioned(office, office.code("box", "add", box.serial))
    assert box.once().state is State.ENROLLED
    assert "next-1" in box.places.home.read_text()


def test_a_proof_that_was_not_delivered_is_delivered_later(tmp_path: Path) -> None:
    office = OfficeProcess(tmp_path / "office")
    with office:
        box = enrolled(office, tmp_path / "box", "leave-2", "30000000cccc0005")
        office.says("leave", "leave-2")
        leaving.order(box.places, "leave-2", box.serial)
        proof = leaving.carry_out(box.places, 1_767_610_800_000)
        assert not box.places.home.exists()
        assert leaving.carry_out(box.places, 1_767_610_900_000) == proof  # after a power cut: not twice
        assert box.once().why.key == "left"
        (kept,) = (office.folder / "proofs").iterdir()
        assert kept.read_text() == proof


def test_what_another_box_shows_by_now_is_not_emptied(office: OfficeProcess, tmp_path: Path) -> None:
    enrolled(office, tmp_path / "lost", "again-1", "30000000cccc0036")
    assert "homenode office empty" in office.says("leave", "again-1", "--without-proof")
    enrolled(office, tmp_path / "next", "again-1", "30000000cccc0037")
    assert "another box runs this home" in office.says("list")
    assert main(["office", "empty", "--office", str(office.folder)]) == 1
    (row,) = [row for row in office.listed()["emptyings"] if row["home"] == "again-1"]
    assert "another box runs this home" in row["why"]
    office.says("empty", "--done", "again-1")
    assert "again-1" not in [row["home"] for row in office.listed()["emptyings"]]
    assert main(["office", "empty", "--office", str(office.folder), "--done", "again-1"]) == 1


def test_where_nobody_knows_the_broker_somebody_has_to_empty_it(
    office: OfficeProcess, tmp_path: Path
) -> None:
    enrolled(office, tmp_path, "nowhere-1", "30000000cccc0038")
    (office.folder / "homes" / "nowhere-1" / "home.yaml").unlink()
    office.says("leave", "nowhere-1", "--without-proof")
    (row,) = [row for row in office.listed()["emptyings"] if row["home"] == "nowhere-1"]
    assert "neither in its proof nor in its home.yaml" in row["why"]
    office.says("empty", "--done", "nowhere-1")


def ended(office: OfficeProcess, box: Box) -> None:
    """Its certificate is over, as of a van that was on the road for longer."""
    now, key = moment(Clock().wall()), keys.own_key(box.places.key).public_key()
    store = Store(office.folder)
    known = store.box(box.serial)
    assert known is not None
    made = Authority(office.folder).issue(key, box.serial, known.home, now, timedelta(seconds=-1))
    store.add_certificate(
        made.serial_number, known, int(now.timestamp() * 1000) - 1000, made.public_bytes(Encoding.DER)
    )
    store.close()
    box.places.certificate.write_bytes(pem(made))


@pytest.mark.parametrize("begun", [False, True])
def test_a_proof_is_delivered_though_the_certificate_ended_meanwhile(
    office: OfficeProcess, tmp_path: Path, *, begun: bool
) -> None:
    home, serial = f"late-{begun:d}", f"30000000cccc002{begun:d}"
    box = enrolled(office, tmp_path, home, serial)
    office.says("leave", home)
    leaving.order(box.places, home, serial)
    if begun:
        leaving.carry_out(box.places, 1_767_610_800_000)
    ended(office, box)
    assert box.once().why.key == "left"
    assert office.box(serial)["state"] == "gone"
    assert not box.places.erase.exists()


def test_a_box_whose_proof_nobody_waits_for_any_more_is_for_another_home(
    office: OfficeProcess, tmp_path: Path
) -> None:
    box = enrolled(office, tmp_path, "unheard-1", "30000000cccc0022")
    office.says("leave", "unheard-1")
    leaving.order(box.places, "unheard-1", box.serial)
    ended(office, box)
    office.says("leave", "unheard-1", "--without-proof")
    assert box.once().why.key == "approval"
    assert not box.places.home.exists()
    office.describe("heard-1")
    office.says("assign", box.serial, "heard-1")
    office.says("approve", box.serial, office.box(box.serial)["asks_with"])
    (box.places.folder / SENT).write_text("of the tenancy before")
    assert box.once().why.key == "enrolled"
    assert not box.places.erase.exists()  # with it the gateway doesn't start
    assert not (box.places.folder / SENT).exists()


def test_a_swapped_box_that_gets_the_new_ones_card_uses_up_no_code(
    office: OfficeProcess, tmp_path: Path
) -> None:
    old = enrolled(office, tmp_path / "old", "swap-4", "30000000cccc0031")
    code = office.code("swap", "swap-4")
    assert old.provisioned(office, code).once().why.key == "left"
    new = Box(tmp_path / "new", "30000000cccc0032").provisioned(office, code)
    assert new.once().state is State.ENROLLED


def test_anybody_at_the_office_can_read_and_check_a_proof(
    office: OfficeProcess, memory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = enrolled(office, memory / "box", "read-1", "30000000cccc0029")
    with Journal.open(box.places.data) as journal:
        journal.append({"t": "tr", "alert": "stove_left_on:1", "at": 1}, klass="alert")
        journal.commit().result(20)
    office.says("leave", "read-1")
    assert box.once().why.key == "left"
    (path,) = (office.folder / "proofs").glob("read-1-*.jws")
    assert f"homenode office proof {path.name}" in office.says("list")
    for name in (path.name, str(path)):
        told = office.says("proof", name)
        assert f"box {box.serial} erased all that it had of read-1" in told
        assert "signed with the key of the certificate" in told
        assert "SHA-256 of what was erased" in told
        assert "it named 0 topics for the office to empty at mqtt" in told
    lie = json.dumps({"home": "read-1", "serial": box.serial, "left": 0, "at": "2026-01-01", "journal": []})
    other = enrolled(office, memory / "other", "read-2", "30000000cccc0030")
    forged = memory / "forged.jws"
    forged.write_text(signed(json.loads(lie), other.places.key.read_bytes()))
    cut = memory / "cut.jws"
    cut.write_text(path.read_text()[:-9])
    for file, why in ((forged, "not signed by box"), (cut, "not signed by box"), (memory / "no", "read")):
        capsys.readouterr()
        assert main(["office", "proof", "--office", str(office.folder), str(file)]) == 1
        told = capsys.readouterr()
        assert why in told.err
        assert "erased" not in told.out


def test_a_box_that_is_for_another_home_by_now_does_not_run_the_one_before(
    office: OfficeProcess, tmp_path: Path
) -> None:
    box = enrolled(office, tmp_path, "before-1", "30000000cccc0028")
    before = box.places.home.read_text()
    office.says("revoke", box.serial)  # so nobody asked it to erase
    office.describe("after-1")
    box.provisioned(office, office.code("box", "add", box.serial, "--home", "after-1"))
    assert box.once().why.key == "other_home"
    told = office.listed()["reports"][0]
    assert told["what"] == "another home on the box"
    assert "homenode office leave after-1" in told["text"]
    ran = homenode("run", str(box.places.home), "--data", str(box.places.data))
    assert ran.returncode == 1
    assert "describes before-1, but the office has this box for after-1" in ran.stderr
    assert box.places.home.read_text() == before  # nothing is erased that nobody ordered
    office.says("leave", "after-1")
    assert box.once().why.key == "left"
    office.says("assign", box.serial, "after-1")
    box.provisioned(office, office.code("box", "add", box.serial))
    assert box.once().done
    assert box.places.home.read_text().startswith("home: after-1")


def test_a_home_that_cant_be_read_for_now_is_no_other_one(office: OfficeProcess, tmp_path: Path) -> None:
    """Somebody edits it: the gateway goes on with what it read last, and isn't stopped."""
    box = enrolled(office, tmp_path, "edited-1", "30000000cccc0033")
    box.places.home.write_text("home: [edited-1\n")
    assert box.once().why.key == "home_wrong"
    assert office.reports()[0] == "home can't be read"


def test_an_authority_follows_another_and_no_box_is_lost(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office") as office:
        office.describe("roll-2")
        code = office.code("box", "add", "30000000cccc0007", "--home", "roll-2")
        late = Box(tmp_path / "late", "30000000cccc0007").provisioned(office, code)  # knows the old one only
        box = enrolled(office, tmp_path / "box", "roll-1", "30000000cccc0006")
        before = box.places.ca.read_text()
        office.says("roll")
        office.reload()
        assert box.once().done
        assert box.places.ca.read_text().count("BEGIN CERTIFICATE") == 4  # old, new, each by the other
        assert before.strip() in box.places.ca.read_text()
        assert late.once().done
        office.says("box", "add", box.serial)
        box.provisioned(office, office.code("box", "add", box.serial))
        assert box.once().done  # its certificate is by the new one now
        office.says("roll", "--finish")
        office.reload()
        assert box.once().done
        assert box.places.ca.read_text().count("BEGIN CERTIFICATE") == 1


def test_an_office_under_somebody_elses_root(tmp_path: Path) -> None:
    self_signed(tmp_path, "root")
    authority = "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=keyCertSign,cRLSign\n"
    authority += "subjectKeyIdentifier=hash"
    issued(tmp_path, "ca", authority, ca="root", subject="/CN=homes of a county")
    given = [f"--ca-{name}={tmp_path / f'ca.{end}'}" for name, end in (("cert", "pem"), ("key", "key"))]
    init = (*given, f"--chain={tmp_path / 'root.pem'}")
    with OfficeProcess(tmp_path / "office", init=init) as office:
        office.describe("given-1")
        box = Box(tmp_path / "box", "30000000cccc0008")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", "given-1"))
        said = json.loads(box.places.provision.read_text())
        root = (tmp_path / "root.pem").read_text()
        box.places.provision.write_text(json.dumps({**said, "ca": root}))
        assert box.once().done
        openssl(tmp_path, "verify", "-CAfile", "root.pem", "-untrusted", "ca.pem", box.places.certificate)


def test_a_label_is_enough_and_a_wrong_fingerprint_is_not(office: OfficeProcess, tmp_path: Path) -> None:
    office.describe("label-1")
    file = tmp_path / "label.svg"
    code = office.code("box", "add", "--home", "label-1", "--label", str(file))
    assert f">{code}<" in file.read_text()
    box = Box(tmp_path / "box", "30000000cccc0009")
    box.provisioned(office, code, ca="", ca_sha256="ab" * 32)
    assert box.once().why.key == "not_trusted"
    box.provisioned(office, code, ca="", ca_sha256=ca_print(office.folder))
    assert box.once().done


def test_an_office_that_is_away_stops_no_home(tmp_path: Path) -> None:
    office = OfficeProcess(tmp_path / "office")
    with office:
        box = enrolled(office, tmp_path / "box", "away-1", "30000000cccc0010")
    with socket.socket() as nobody:
        nobody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        nobody.bind(("127.0.0.1", office.port))  # so that no other test's office is there
        assert box.run("once").returncode == 1
        assert box.state["state"] == "enrolled"
        assert box.state["key"] == "not_renewed"
        assert box.places.home.exists()
        fresh = Box(tmp_path / "fresh", "30000000cccc0011").provisioned(office)
        assert fresh.run("once").returncode == 1
        assert (fresh.state["state"], fresh.state["key"]) == ("waiting", "network")


def test_a_first_configuration_is_signed_by_all_who_sign_there(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office") as office:
        homes = office.folder / "homes"
        for party in ("operator", "care"):
            done = homenode("configure", "key", party, str(tmp_path / f"{party}.key"), "--homes", str(homes))
            assert done.returncode == 0, done.stderr
        office.describe("signed-1")
        box = Box(tmp_path / "box", "30000000cccc0012")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", "signed-1"))
        outcome = box.once()
        assert (outcome.state, outcome.why.key) == (State.APPROVAL, "no_home")
        for party, key in (("operator", "no_home"), ("care", "enrolled")):
            sign = ("sign", str(homes / "signed-1"), "--key", str(tmp_path / f"{party}.key"), "--by", "Eva")
            done = homenode("configure", *sign)
            assert done.returncode == 0, done.stderr
            assert box.once().why.key == key
        assert box.places.home.is_symlink()  # where signed changes take its place
        care, trusted = homes / "trust" / "care.pem", box.places.config / "trust" / "care.pem"
        before = trusted.read_text()
        care.write_text((homes / "trust" / "operator.pem").read_text())
        assert box.once().done
        assert trusted.read_text() == before  # the office does not become care by saying so
        assert {path.name for path in (box.places.config / "trust").iterdir()} == {"operator.pem", "care.pem"}
        office.says("leave", "signed-1")
        assert box.once().why.key == "left"
        assert sorted(path.name for path in box.places.config.iterdir()) == ["ca.pem"]
