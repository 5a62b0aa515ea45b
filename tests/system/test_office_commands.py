"""What an operator does at an office, and what it says when that is not done."""

from __future__ import annotations

import contextlib
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import homenode.office
from homenode.cli import main
from homenode.office.authority import Authority, pem, pem_of_key
from tests.system import nodes
from tests.system.disks import mounted
from tests.system.offices import Box, OfficeProcess
from tests.system.test_enrolment import enrolled


@pytest.fixture
def office(tmp_path: Path) -> OfficeProcess:
    return OfficeProcess(tmp_path / "office")


def refused(office: OfficeProcess, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command says that does nothing."""
    capsys.readouterr()
    assert main(["office", words[0], "--office", str(office.folder), *words[1:]]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    return told.err


def test_a_former_authority_is_not_ended_while_a_broker_or_party_has_a_certificate_of_it(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = ("certify", "broker", "--host", "localhost", "--to", str(tmp_path))
    office.says(*broker)
    office.says("certify", "care@example", "--to", str(tmp_path))
    office.says("certify", "left@example", "--to", str(tmp_path))
    told = office.says("roll")
    assert "broker, care@example, left@example" in told
    assert "certify NAME" in told
    told = refused(office, capsys, "roll", "--finish")
    assert "3 broker(s) and parties: broker, care@example, left@example" in told
    office.says("certify", "care@example", "--to", str(tmp_path), "--replace")
    office.says("revoke", "left@example")
    assert "care@example" not in refused(office, capsys, "roll", "--finish")
    office.says(*broker, "--replace")
    office.says("roll", "--finish")
    assert not (office.folder / "former.pem").exists()


def test_the_certificate_made_last_counts_though_a_former_one_lives_longer(
    office: OfficeProcess, tmp_path: Path
) -> None:
    office.says("certify", "care@example", "--to", str(tmp_path))
    office.says("roll")
    with (office.folder / "office.yaml").open("a") as file:
        file.write("life: 30 d\n")
    office.says("certify", "care@example", "--to", str(tmp_path), "--replace")
    office.says("roll", "--finish")


def test_an_authority_that_nobody_rolled_over_is_not_ended(
    office: OfficeProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no former authority" in refused(office, capsys, "roll", "--finish")
    assert "no former authority" in refused(office, capsys, "roll", "--finish", "--anyway")


def test_whom_the_end_of_an_authority_cut_off_is_listed_so(office: OfficeProcess, tmp_path: Path) -> None:
    with office:
        box = enrolled(office, tmp_path / "box", "cut-1", "50000000aaaa0001")
    office.says("certify", "care@example", "--to", str(tmp_path))
    (before,) = office.listed()["parties"]
    assert (before["name"], before["state"]) == ("care@example", "certified")
    office.says("roll")
    assert office.box(box.serial)["state"] == "enrolled"
    office.says("roll", "--finish", "--anyway")
    row = office.box(box.serial)
    assert (row["state"], row["home"], row["not_after"]) == ("cut off", "cut-1", None)
    assert office.listed()["parties"] == [{"name": "care@example", "state": "cut off", "not_after": None}]
    shown = office.says("list")
    assert shown.count("cut off") == 2
    assert "enrolled" not in shown
    office.says("roll")
    office.says("roll", "--finish")  # nobody is cut off who isn't already


def test_a_former_authority_is_not_ended_while_a_card_knows_no_other(
    office: OfficeProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["SN-0001", "--home", "h-1"], ["--home", "h-2"], []):
        office.says("box", "add", *words)
    told = office.says("roll")
    named = "SN-0001 and h-1, h-2, whichever box comes first"
    assert f"3 unused code(s): {named}" in told
    assert "anew before --finish" in told
    assert f"3 unused code(s), on cards and labels: {named}" in refused(office, capsys, "roll", "--finish")
    office.says("box", "add", "SN-0001", "--home", "h-1")
    office.says("withdraw")
    told = refused(office, capsys, "roll", "--finish")
    assert "1 unused code(s), on cards and labels: h-2" in told
    assert "homenode office box add" in told
    assert "--anyway" in told
    office.says("roll", "--finish", "--anyway")
    assert not (office.folder / "former.pem").exists()


def test_a_code_made_after_the_roll_over_keeps_no_authority(office: OfficeProcess) -> None:
    assert "code" not in office.says("roll")
    office.says("box", "add", "--home", "h-1")
    office.says("roll", "--finish")


COMMANDS = (
    ["box", "add", "SN-0001"], ["withdraw"], ["assign", "SN-0001", "h-1"], ["approve", "SN-0001", "0" * 16],
    ["swap", "h-1"], ["leave", "h-1"], ["empty"], ["proof", "none"], ["revoke", "care@example"],
    ["certify", "a@b"], ["roll"], ["roll", "--finish"], ["restored"], ["list"], ["seen", "1"], ["serve"],
)  # fmt: skip


@pytest.mark.parametrize("how", ["missing", "no byte", "no table"])
def test_an_office_that_lost_its_database_forgets_no_revocation(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    office.says("certify", "care@example", "--to", str(tmp_path))
    office.says("revoke", "care@example")
    before, database = (office.folder / "crl.pem").read_bytes(), office.folder / "office.db"
    copy = database.read_bytes()
    database.unlink()
    if how == "no byte":
        database.touch()
    elif how == "no table":
        with contextlib.closing(sqlite3.connect(database)) as db:
            db.execute("pragma journal_mode=wal")
    for words in COMMANDS:
        told = refused(office, capsys, *words)
        assert str(database) in told
        assert "bring back a copy of it and then run homenode office restored" in told
        assert database.exists() is (how != "missing")
    assert main(["office", "init", str(office.folder), "--name", "localhost"]) == 1
    assert "an authority is here" in capsys.readouterr().err
    assert database.exists() is (how != "missing")
    assert (office.folder / "crl.pem").read_bytes() == before
    database.write_bytes(copy)
    office.says("restored")
    assert office.listed()["parties"] == []


def test_a_database_whose_tables_are_in_its_wal_file_is_there(office: OfficeProcess) -> None:
    database = office.folder / "office.db"
    database.unlink()
    make = f"""
import os, pathlib
from homenode.office.store import Store
store = Store(pathlib.Path({str(office.folder)!r}))
store.new_code(0, "SN-0001")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", make], check=True)
    assert database.with_name("office.db-wal").stat().st_size
    assert b"create table" not in database.read_bytes().lower()
    assert [one["serial"] for one in office.listed()["codes"]] == ["SN-0001"]


@pytest.mark.parametrize("step", ["check_none", "found", "Authority.server"])
def test_an_office_whose_making_was_cut_short_is_made_again_or_works(tmp_path: Path, step: str) -> None:
    folder, words = tmp_path / "office", ["office", "init", str(tmp_path / "office"), "--name", "localhost"]
    with (
        patch(f"homenode.office.authority.{step}", side_effect=KeyboardInterrupt),
        contextlib.suppress(KeyboardInterrupt),
    ):
        main(words)
    if not (folder / "office.yaml").exists():
        assert main(words) == 0
    assert main(["office", "list", "--office", str(folder)]) == 0


def test_a_key_in_use_is_replaced_only_when_that_is_said(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("certify", "care@example", "--to", str(tmp_path))
    office.says(*words)
    key = tmp_path / "care@example.key"
    before = key.read_bytes()
    assert f"{key}: it is there" in refused(office, capsys, *words)
    assert key.read_bytes() == before
    office.says(*words, "--replace")
    assert key.read_bytes() != before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("care@example", "--to", "/nowhere"), "/nowhere is no folder"),
        (("op å@x",), "is no name of a party"),
        (("care",), "has no @"),
        (("../broker", "--host", "localhost"), "is no name of a broker"),
    ],
)
def test_what_cant_be_handed_out_is_not_certified(
    office: OfficeProcess, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert told in refused(office, capsys, "certify", *words)
    assert office.listed()["parties"] == []


def test_what_the_readme_and_init_say_comes_next_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    readme = Path(homenode.office.__file__).with_name("README.md").read_text()
    said = [line.partition("#")[0].split() for line in readme.partition("```\n")[2].splitlines()]
    init, add = (next(words for words in said if words[:3] == ["homenode", "office", name])
                 for name in ("init", "box"))  # fmt: skip
    assert main(init[1:]) == 0
    assert main(add[1:]) == 0
    assert (tmp_path / "homenode-provision.yaml").exists()
    capsys.readouterr()
    assert main(["office", "init", "two words", "--name", "localhost"]) == 0
    shown = capsys.readouterr().out
    (adds,) = (shlex.split(line) for line in shown.splitlines() if "box add" in line)
    assert main([word.replace("HOME", "h-1") for word in adds[1:]]) == 0
    assert main(["office", "list", "--office", "nowhere"]) == 1
    assert "--office DIR says where it is" in capsys.readouterr().err


def test_a_serial_number_may_stand_after_options(office: OfficeProcess) -> None:
    assert main(["office", "box", "add", "--office", str(office.folder), "SN-0001", "--home", "h-1"]) == 0
    assert office.box("SN-0001")["home"] == "h-1"
    with pytest.raises(SystemExit):
        main(["office", "box", "add", "SN-0002", "--office", str(office.folder), "SN-0003"])
    swap = ["office", "swap", "h-1", "--office", str(office.folder), "SN-0004"]
    assert main(swap) == 0
    assert office.box("SN-0004")["home"] == "h-1"


def test_a_box_that_is_let_in_waits_for_a_home_and_for_no_approval(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with office:
        coded = Box(tmp_path / "coded", "50000000aaaa0002").provisioned(office, office.code("box", "add"))
        asking = Box(tmp_path / "asking", "50000000aaaa0003").provisioned(office)
        assert coded.once().why.key == "unassigned"
        assert asking.once().why.key == "approval"
        assert "assign it to a home" in refused(office, capsys, "approve", coded.serial, "0" * 16)
        office.says("approve", asking.serial, office.box(asking.serial)["asks_with"])
        for _ in range(2):
            shown = office.says("list")
            assert "asks to be approved" not in shown
            assert shown.count("waits for a home") == 2
            assert asking.once().why.key == "unassigned"
        office.says("assign", asking.serial, "wait-1")
        office.describe("wait-1")
        assert asking.once().done
        assert office.says("list").count("waits for a home") == 1
        office.says("assign", coded.serial, "wait-2")
        assert coded.once().why.key == "no_home"


def test_a_code_that_nobody_used_is_listed_and_can_be_withdrawn(
    office: OfficeProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [office.code("box", "add", *words) for words in (["SN-0001"], ["--home", "h-1"], [])]
    shown = office.says("list")
    assert not any(code in shown for code in codes)
    assert shown.count("unused, to ") == 3
    listed = [(one["serial"], one["home"]) for one in office.listed()["codes"]]
    assert listed == [("SN-0001", ""), ("", "h-1"), ("", "")]
    assert "whichever box comes first" in office.says("withdraw")
    office.says("withdraw", "SN-0001")
    assert [one["home"] for one in office.listed()["codes"]] == ["h-1"]
    assert "no unused one-time code is for h-2" in refused(office, capsys, "withdraw", "--home", "h-2")
    assert "for h-1" in office.says("withdraw", "--home", "h-1")
    assert office.listed()["codes"] == []
    assert "no unused" in refused(office, capsys, "withdraw")


def test_a_code_for_a_home_that_nobody_described_is_told(office: OfficeProcess) -> None:
    assert "h-1 has no homes/h-1/home.yaml yet" in office.says("box", "add", "--home", "h-1")
    office.describe("h-1")
    assert "home.yaml" not in office.says("box", "add", "--home", "h-1")
    assert "home.yaml" not in office.says("box", "add")


def test_reports_that_somebody_has_looked_at_are_cleared_and_no_later_ones(
    office: OfficeProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    for nth in (1, 2):
        office.says("assign", f"SN-000{nth}", f"h-{nth}")
        office.says("leave", f"h-{nth}")
    first, second = (one["number"] for one in reversed(office.listed()["reports"]))
    assert f"homenode office seen {second} clears them" in office.says("list")
    assert "1 report(s) cleared" in office.says("seen", str(first))
    assert [one["number"] for one in office.listed()["reports"]] == [second]
    assert "no report" in refused(office, capsys, "seen", str(first))
    office.says("seen", str(second))
    assert office.listed()["reports"] == []
    assert "seen" not in office.says("list").replace("seen never", "")


def test_what_is_refused_is_reported_and_once_a_day(office: OfficeProcess, tmp_path: Path) -> None:
    with office:
        known = enrolled(office, tmp_path / "known", "h-1", "50000000aaaa0010")
        for serial in (known.serial, "50000000aaaa0011", "50000000aaaa0012"):
            box = Box(tmp_path / serial, serial).provisioned(office, "AAAA-AAAA-AAAA-AAAA")
            for _ in range(2):
                assert box.once().why.key == "code"
        told = [(one["serial"], one["home"], one["what"]) for one in office.listed()["reports"]]
        assert told == [("", "", "refused"), (known.serial, "h-1", "refused")]  # strangers have one name
        assert "from 127.0.0.1" in office.listed()["reports"][0]["text"]
        assert "code is not known" in office.says("list")


def test_what_has_ended_is_listed_as_that(office: OfficeProcess, tmp_path: Path) -> None:
    with office:
        box = enrolled(office, tmp_path / "box", "h-1", "50000000aaaa0013")
    office.says("certify", "care@example", "--to", str(tmp_path))
    office.code("box", "add", "SN-0001")
    with sqlite3.connect(office.folder / "office.db") as db:
        db.execute("update certificates set not_after_ms = 1")
        db.execute("update codes set until_ms = 1 where used_by = ''")
    assert office.box(box.serial)["state"] == "expired"
    (party,) = office.listed()["parties"]
    assert (party["name"], party["state"]) == ("care@example", "expired")
    (code,) = office.listed()["codes"]
    assert (code["serial"], code["state"]) == ("SN-0001", "expired")
    assert office.says("list").count("expired") == 3
    office.says("withdraw", "SN-0001")
    office.says("revoke", "care@example")
    assert (office.listed()["codes"], office.listed()["parties"]) == ([], [])


def test_a_home_or_box_that_is_not_known_is_told_with_the_nearest(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office.describe("vaxjo-0412")
    office.says("assign", "SN-0001", "vaxjo-0412")
    for words in (("leave", "vaxjo-0421"), ("swap", "vaxjo-0421")):
        assert "did you mean vaxjo-0412?" in refused(office, capsys, *words)
    assert "did you mean SN-0001?" in refused(office, capsys, "revoke", "SN-001")
    office.code("box", "add", "SN-0002")
    assert "did you mean SN-0002?" in refused(office, capsys, "withdraw", "SN-002")
    told = office.says("box", "add", "--home", "vaxjo-0421")
    assert "vaxjo-0421 has no homes/vaxjo-0421/home.yaml yet: did you mean vaxjo-0412?" in told
    assert "did you mean vaxjo-0421?" in refused(office, capsys, "withdraw", "--home", "vaxjo-421")
    with office:
        box = Box(tmp_path, "50000000aaaa0014").provisioned(office, office.code("box", "add"))
        assert box.once().why.key == "unassigned"
        assert Box(tmp_path / "asks", "60000000bbbb0001").provisioned(office).once().why.key == "approval"
    told = refused(office, capsys, "approve", "6000000bbbb0001", "0" * 16)
    assert "did you mean 60000000bbbb0001?" in told
    told = office.says("assign", "50000000aaaa0041", "h-1")
    assert "box 50000000aaaa0041 never came: did you mean 50000000aaaa0014?" in told
    assert "never came" not in office.says("assign", box.serial, "h-2")


def test_what_is_done_already_is_refused_and_a_codes_end_is_told(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with office:
        box = enrolled(office, tmp_path, "h-1", "50000000aaaa0015")
        office.says("leave", "h-1")
        told = f"box {box.serial} has to erase h-1 before"
        assert told in refused(office, capsys, "assign", box.serial, "h-1")
        assert "h-1 is being left already" in refused(office, capsys, "leave", "h-1")
        assert "nobody waits for its proof any more" in office.says("revoke", box.serial)
        assert [row["home"] for row in office.listed()["emptyings"]] == ["h-1"]
        assert "revoked or ended already" in refused(office, capsys, "revoke", box.serial)
    told = office.says("box", "add", "--home", "h-1")
    (code,) = office.listed()["codes"]
    assert f"counts until {code['until'][:10]}" in told


def test_a_home_that_nobody_signed_is_told_from_one_that_nobody_described(
    office: OfficeProcess, tmp_path: Path
) -> None:
    homes = office.folder / "homes"
    for party in ("operator", "care"):
        assert nodes.homenode(*_key(party, tmp_path), "--homes", str(homes)).returncode == 0
    office.describe("h-1")
    office.describe("h-2")
    sign = f"homenode configure sign {homes / 'h-1'} --key"
    for words in (("box", "add", "SN-0001", "--home", "h-1"), ("assign", "SN-0001", "h-1"), ("list",)):
        told = office.says(*words)
        assert f"h-1 is described, but not signed: {sign}" in told
        assert "home.yaml yet" not in told
    assert "h-2 is described, but not signed" in office.says("list")  # it has no box
    assert "h-3 has no homes/h-3/home.yaml yet" in office.says("assign", "SN-0003", "h-3")
    assert "h-3 has no homes/h-3/home.yaml yet" in office.says("list")
    _sign(office, "h-1", tmp_path, "operator")
    assert "h-1 is not signed by care yet" in office.says("assign", "SN-0001", "h-1")
    _sign(office, "h-1", tmp_path, "care")
    assert "signed" not in office.says("assign", "SN-0001", "h-1")


def test_a_new_box_that_gets_an_older_configuration_is_told(office: OfficeProcess, tmp_path: Path) -> None:
    homes = office.folder / "homes"
    for party in ("operator", "care"):
        assert nodes.homenode(*_key(party, tmp_path), "--homes", str(homes)).returncode == 0
    office.describe("h-1")
    for party in ("operator", "care"):
        _sign(office, "h-1", tmp_path, party)
    office.says("assign", "SN-0001", "h-1")
    told = office.says("swap", "h-1", "SN-0002")
    assert "the new box gets configuration 1 of h-1" in told
    assert "older" not in told
    assert "what was changed at the old box itself" in told
    file = homes / "h-1" / "home.yaml"
    file.write_text(file.read_text().replace("pin: 27", "pin: 22"))
    told = office.says("swap", "h-1", "SN-0003")
    assert "older: homes/h-1 was changed since 1 was signed" in told
    assert f"homenode configure sign {homes / 'h-1'} --key" in told
    _sign(office, "h-1", tmp_path, "operator")
    told = office.says("swap", "h-1", "SN-0004")
    assert "the new box gets configuration 1 of h-1" in told
    assert "older: 2 is not signed by care" in told
    assert "older: 2 is not signed by care" in office.says("box", "add", "SN-0004")
    _sign(office, "h-1", tmp_path, "care")
    told = office.says("swap", "h-1", "SN-0005")
    assert "the new box gets configuration 2 of h-1" in told
    assert "older" not in told


def _key(party: str, folder: Path) -> tuple[str, ...]:
    return "configure", "key", party, str(folder / f"{party}.key")


def _sign(office: OfficeProcess, home: str, folder: Path, party: str) -> None:
    words = str(office.folder / "homes" / home), "--key", str(folder / f"{party}.key"), "--by", "Eva"
    done = nodes.homenode("configure", "sign", *words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "option", [("--file", "/nowhere/x"), ("--label", "/nowhere/x.svg"), ("--label", "l.png")]
)
def test_what_cant_be_written_costs_no_code_and_no_box(
    office: OfficeProcess, capsys: pytest.CaptureFixture[str], option: tuple[str, str]
) -> None:
    office.says("assign", "SN-0001", "h-1")
    assert option[1] in refused(office, capsys, "box", "add", "SN-0002", "--home", "h-2", *option)
    assert option[1] in refused(office, capsys, "swap", "h-1", "SN-0002", *option)
    assert office.listed()["codes"] == []
    assert [row["serial"] for row in office.listed()["boxes"]] == ["SN-0001"]


def test_a_file_with_a_code_in_it_is_its_owners_alone(office: OfficeProcess, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    (card / "config.txt").touch()
    (tmp_path / "l.svg").touch(0o644)
    office.says("box", "add", "--file", str(tmp_path / "f.yaml"), "--label", str(tmp_path / "l.pdf"))
    office.says("box", "add", "--label", str(tmp_path / "l.svg"))
    assert main(["provision", "--file", str(tmp_path / "f.yaml"), "--card", str(card)]) == 0
    written = [tmp_path / "f.yaml", tmp_path / "l.pdf", tmp_path / "l.svg", card / "homenode-provision.yaml"]
    assert [path.stat().st_mode & 0o777 for path in written] == [0o600] * 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--name", "räksmörgås.se"), "xn--rksmrgs-5wao1o.se"),
        (("--name", "http://x"), "without https:// and port"),
        (("--name", "localhost:8453"), "without https:// and port"),
        (("--name", "fe80::1%eth0"), "is no host"),
        (("--name", ""), "is no host"),
        (("--name", "x", "--listen", "8453"), "ADDRESS:PORT"),
        (("--name", "x", "--listen", "http://x:8453"), "ADDRESS:PORT"),
        (("--name", "x", "--title", "x" * 40), "--title"),
        (("--name", "x", "--ca-cert", "nix.pem"), "--ca-key is missing"),
        (("--name", "x", "--ca-cert", "nix.pem", "--ca-key", "nix.key"), "nix.pem: it can't be read"),
        (("--name", "x", "--ca-cert", __file__, "--ca-key", __file__), "can't be read"),
    ],
)
def test_an_office_that_nobody_could_call_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert main(["office", "init", str(tmp_path / "off"), *words]) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "off").exists()


def test_without_git_no_authority_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["office", "init", str(tmp_path / "off"), "--name", "x"]) == 1
    assert "apt install git" in capsys.readouterr().err
    assert not (tmp_path / "off").exists()


def test_a_file_is_no_folder_for_an_office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "off").touch()
    assert main(["office", "init", str(tmp_path / "off"), "--name", "x"]) == 1
    assert "no office can be made there" in capsys.readouterr().err


def test_a_given_authority_is_taken_with_its_key_and_no_other(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def init(name: str, key: Path) -> int:
        given = ("--ca-cert", str(office.folder / "ca.pem"), "--ca-key", str(key))
        return main(["office", "init", str(tmp_path / name), "--name", "::1", *given])

    assert init("good", office.folder / "ca.key") == 0
    assert (tmp_path / "good" / "ca.pem").read_text().strip() == office.ca.strip()
    assert init("bad", office.folder / "server.pem") == 1
    assert "is not the one (EC)" in capsys.readouterr().err
    assert not (tmp_path / "bad").exists()


def test_a_given_authority_is_one_and_comes_with_its_root(
    office: OfficeProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Authority(office.folder)
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "between")])
    made = (
        x509.CertificateBuilder().subject_name(names).issuer_name(root.certificate.subject)
        .public_key(key.public_key()).serial_number(1).not_valid_before(root.certificate.not_valid_before_utc)
        .not_valid_after(root.certificate.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root._key, hashes.SHA256())
    )  # fmt: skip
    (tmp_path / "between.pem").write_bytes(pem(made))
    (tmp_path / "between.key").write_bytes(pem_of_key(key))

    def init(name: str, certificate: Path, secret: Path, *words: str) -> int:
        given = ("--ca-cert", str(certificate), "--ca-key", str(secret), *words)
        return main(["office", "init", str(tmp_path / name), "--name", "::1", *given])

    between = tmp_path / "between.pem", tmp_path / "between.key"
    assert init("bare", *between) == 1
    assert "--chain" in capsys.readouterr().err
    assert init("whole", *between, "--chain", str(office.folder / "ca.pem")) == 0
    office.says("certify", "b", "--host", "b", "--to", str(tmp_path))
    assert init("leaf", tmp_path / "b.pem", tmp_path / "b.key") == 1
    assert "may not certify" in capsys.readouterr().err
    assert not (tmp_path / "leaf").exists()


def test_the_list_of_revoked_certificates_is_there_from_the_start(office: OfficeProcess) -> None:
    assert "BEGIN X509 CRL" in (office.folder / "crl.pem").read_text()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("names: [http://x]", "without https://"),
        ("names: [x]\nlisten: 8453", "ADDRESS:PORT"),
        ("names: [x]\nlife: 365", "did you mean 365 d?"),
    ],
)
def test_office_yaml_is_checked_as_init_is(
    office: OfficeProcess, capsys: pytest.CaptureFixture[str], said: str, told: str
) -> None:
    (office.folder / "office.yaml").write_text(f"{said}\n")
    assert main(["office", "list", "--office", str(office.folder)]) == 2
    assert told in capsys.readouterr().err


def test_a_folder_that_may_not_be_written_to_gets_no_office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mounted("-t", "tmpfs", "-o", "ro", "tmpfs", at=tmp_path / "office") as folder:
        assert main(["office", "init", str(folder), "--name", "localhost"]) == 1
    assert f"this user may not write into {folder} (name another file or folder)" in capsys.readouterr().err
