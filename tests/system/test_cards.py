"""An installer's card: written without mounting it, taken at the boot, wiped; what it says to a laptop."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from homenode.cli import main
from homenode.enrol import state
from homenode.enrol.boot import boot
from homenode.enrol.places import FILE, TOLD
from homenode.enrol.provision_file import read_provision, with_home
from tests.system.disks import fill, memory, mounted
from tests.system.nodes import homenode
from tests.system.offices import HOME, HOME_YAML, Box

needs_mtools = pytest.mark.skipif(
    shutil.which("mcopy") is None or shutil.which("mkfs.vfat") is None, reason="mtools or dosfstools missing"
)
FIRST = 8192
CODE = "ABCD-EFGH-JKMN-PQRS"


def a_card(folder: Path, *, flashed: bool = True, larger: int = 0) -> Path:
    """An image with a table and a FAT partition, as a flashed card has them."""
    card, fat = folder / "card.img", folder / "fat.img"
    fat.write_bytes(bytes(4 << 20))
    subprocess.run(["mkfs.vfat", str(fat)], check=True, capture_output=True)
    if flashed:
        subprocess.run(["mcopy", "-i", str(fat), "-", "::config.txt"], input=b"arm_64bit=1\n", check=True)
    sectors = fat.stat().st_size // 512
    row = bytes([0, 0, 0, 0, 0x0C, 0, 0, 0]) + struct.pack("<II", FIRST, sectors + larger)
    table = bytes(446) + row + bytes(48) + b"\x55\xaa"
    card.write_bytes(table + bytes((FIRST - 1) * 512) + fat.read_bytes())
    return card


def on_card(card: Path) -> bytes:
    command = ["mtype", "-i", f"{card}@@{FIRST * 512}", f"::{FILE}"]
    return subprocess.run(command, check=True, capture_output=True).stdout


@needs_mtools
def test_a_home_goes_onto_a_card_that_is_not_mounted(tmp_path: Path) -> None:
    home = tmp_path / "home.yaml"
    home.write_text(HOME_YAML.format(home=HOME))
    done = homenode("provision", str(home), "--card", str(a_card(tmp_path)))
    assert done.returncode == 0, done.stderr
    assert "written and read back" in done.stdout
    (tmp_path / "read").write_bytes(on_card(tmp_path / "card.img"))
    assert read_provision(tmp_path / "read").files["home.yaml"] == home.read_text()


@needs_mtools
def test_a_card_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f"office: https://o\ncode: {CODE}\n")

    def refused(card: Path) -> str:
        done = homenode("provision", "--file", str(file), "--card", str(card))
        assert done.returncode == 1, done.stdout
        return done.stderr

    assert "not the boot partition" in refused(a_card(tmp_path, flashed=False))
    assert "use a larger card" in refused(a_card(tmp_path, larger=100_000))
    (tmp_path / "empty").write_bytes(bytes(1 << 20))
    assert "no boot partition" in refused(tmp_path / "empty")
    assert "no card" in refused(tmp_path / "none")
    assert "not the boot partition" in refused(tmp_path)


LONG = f"office: https://o\ncode: {CODE}\n" + "# of the home\n" * 30_000


@needs_mtools
def test_a_full_card_is_told_as_that_and_keeps_no_half_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(LONG)
    card = a_card(tmp_path)
    at = ["-i", f"{card}@@{FIRST * 512}"]
    subprocess.run(["mcopy", *at, "-", "::pad"], input=bytes((4 << 20) - len(LONG)), check=True)
    done = homenode("provision", "--file", str(tmp_path / "p.yaml"), "--card", str(card))
    assert done.returncode == 1, done.stdout
    assert "is the card locked, or full?" in done.stderr
    assert "another card" not in done.stderr
    assert "::/pad" in (left := subprocess.check_output(["mdir", "-b", *at, "::"], text=True))
    assert FILE not in left


@needs_mtools
def test_what_a_card_had_stays_if_it_has_no_room_for_another(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(LONG)
    card = a_card(tmp_path)
    at = ["-i", f"{card}@@{FIRST * 512}"]
    subprocess.run(["mcopy", *at, "-", f"::{FILE}"], input=b"office: https://old\n", check=True)
    subprocess.run(["mcopy", *at, "-", "::pad"], input=bytes((4 << 20) - len(LONG)), check=True)
    before = subprocess.check_output(["mdir", "-b", *at, "::"])
    done = homenode("provision", "--file", str(tmp_path / "p.yaml"), "--card", str(card))
    assert done.returncode == 1, done.stdout
    assert on_card(card) == b"office: https://old\n"
    assert subprocess.check_output(["mdir", "-b", *at, "::"]) == before


@needs_mtools
def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for folder in (False, True):
        card = tmp_path if folder else a_card(tmp_path)
        (tmp_path / "config.txt").touch()
        for office in ("https://old.example", "https://new.example"):
            assert main(["provision", "--card", str(card), "--office", office]) == 0
        assert b"new.example" in (on_card(card) if not folder else (card / FILE).read_bytes())
        assert not list(tmp_path.glob("*.new"))
    assert b".new" not in subprocess.check_output(
        ["mdir", "-b", "-i", f"{tmp_path}/card.img@@{FIRST * 512}", "::"]
    )


@needs_mtools
def test_a_card_that_fails_while_one_file_takes_the_others_place_tells_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card, bad = a_card(tmp_path), tmp_path / "bin"
    assert main(["provision", "--card", str(card), *OFFICE]) == 0
    bad.mkdir()
    (bad / "mren").write_text(f'#!/bin/sh\nmdel -i "$3" ::{FILE}\necho I/O error >&2\nexit 1\n')
    (bad / "mren").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bad}:{os.environ['PATH']}")
    assert main(["provision", "--card", str(card), *OFFICE]) == 1
    assert f"mren: I/O error; the {FILE} that was there is gone" in capsys.readouterr().err


def test_a_full_folder_is_told_as_that_and_keeps_no_half_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(LONG)
    with memory(tmp_path / "card") as card:
        (card / "config.txt").touch()
        os.truncate(fill(card), (4 << 20) - len(LONG) // 2)
        done = homenode("provision", "--file", str(tmp_path / "p.yaml"), "--card", str(card))
        assert done.returncode == 1, done.stdout
        assert "No space left" in done.stderr
        assert sorted(os.listdir(card)) == ["config.txt", "other"]


def test_what_a_folder_had_stays_if_it_has_no_room_for_another(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(LONG)
    with memory(tmp_path / "card", "64k") as card:
        (card / "config.txt").touch()
        (card / FILE).write_text("office: https://old\n")
        fill(card)
        done = homenode("provision", "--file", str(tmp_path / "p.yaml"), "--card", str(card))
        assert done.returncode == 1, done.stdout
        assert "No space left" in done.stderr
        assert (card / FILE).read_text() == "office: https://old\n"
        assert sorted(os.listdir(card)) == ["config.txt", FILE, "other"]


def test_of_a_home_without_an_office_it_says_that_the_box_is_on_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.txt").touch()
    home = tmp_path / "home.yaml"
    home.write_text(HOME_YAML.format(home=HOME))
    assert main(["provision", str(home), "--card", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "no office is named, so the box is on its own" in told
    assert "approve" not in told
    assert main(["provision", str(home), "--card", str(tmp_path), *OFFICE]) == 0
    assert "it has no code, so the office has to approve the box" in capsys.readouterr().out


def test_a_home_with_mistakes_goes_onto_no_card(tmp_path: Path) -> None:
    (tmp_path / "config.txt").touch()
    home = tmp_path / "home.yaml"
    home.write_text("home: Big Home\ntimezone: Mars\n")
    done = homenode("provision", str(home), "--card", str(tmp_path))
    assert done.returncode == 2
    assert "home.yaml:1" in done.stderr
    assert not (tmp_path / FILE).exists()


LABEL = f"homenode:1;office=https://o.example;code={CODE};ca={'ab' * 32}"
OFFICE = ("--office", "https://o.example")
SERVICE_KEY = f"ssh-ed25519 {'A' * 60} eva@example"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--office", "https://o", "--ca", "private.pem"), "--ca: ca: found a private key"),
        (("--office", "o.example"), "--office: office: found"),
        ((*OFFICE, "--code", "short"), "--code: code: found"),
        ((*OFFICE, "--service-key", "private.pem"), "--service-key: service_key: found a private key"),
        (("--label", LABEL.replace("https", "http")), "--label: office: found"),
        (("--label", LABEL, "--service-key", "private.pem"), "--service-key: service_key: found"),
        (
            ("--file", "plain.yaml", "--service-key", "private.pem"),
            "--service-key: service_key: found a private key",
        ),
        (("--file", "office.yaml", "--service-key", "key.pub"), "--service-key: service_key: found a second"),
        ((), "give HOME.yaml, --file, --label or --office"),
        (("--file", "utf16.yaml"), ":1:1: file: found the byte 0xff, which is not UTF-8 but UTF-16"),
        (("--file", "."), ".: file: found a folder"),
        ((*OFFICE, "--ca", "utf16.yaml"), "--ca utf16.yaml: it is no text (give certificates in PEM)"),
        ((*OFFICE, "--service-key", "none"), "--service-key none: it can't be read: No such file"),
    ],
)
def test_a_mistake_in_an_option_is_told_of_that_and_shows_no_other_boxs_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(FILE).write_text("code: WD4D-EFGH-JKMN-PQRS\n" * 3)
    Path("private.pem").write_text("-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n")
    Path("key.pub").write_text(f"{SERVICE_KEY}\n")
    Path("plain.yaml").write_text("office: https://o.example\n")
    Path("utf16.yaml").write_text("office: https://o.example\n", encoding="utf-16")
    Path("office.yaml").write_text(f"office: https://o.example\nservice_key: {SERVICE_KEY}\n")
    Path("config.txt").touch()
    assert main(["provision", "--card", str(tmp_path / "card"), *words]) in (1, 2)
    told = capsys.readouterr().err
    assert said in told
    assert "codec" not in told
    assert "WD4D" not in told
    assert "MC4C" not in told
    assert FILE not in told


def test_the_offices_file_goes_onto_a_card_with_a_service_key(tmp_path: Path) -> None:
    (tmp_path / "config.txt").touch()
    file, key = tmp_path / "office.yaml", tmp_path / "key.pub"
    file.write_text(f"office: https://o.example\ncode: {CODE}")
    key.write_text(f"{SERVICE_KEY}\n")
    assert main(["provision", "--card", str(tmp_path), "--file", str(file), "--service-key", str(key)]) == 0
    found = read_provision(tmp_path / FILE)
    assert (found.code, found.machine.service_key) == (CODE, SERVICE_KEY)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("--file", FILE), ("--code", CODE)),
        (("--file", FILE), ("--label", LABEL)),
        (("--label", LABEL), ("--code", CODE)),
        (("--label", LABEL), OFFICE),
        (("--label", LABEL), ("--ca", "ca.pem")),
    ],
)
def test_options_that_say_the_same_are_refused(
    capsys: pytest.CaptureFixture[str], one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert main(["provision", "--card", "none", *one, *other]) == 1
    assert f"{one[0]} and {other[0]}: both say" in capsys.readouterr().err


def test_a_boot_takes_the_file_and_wipes_it(tmp_path: Path) -> None:
    box = Box(tmp_path)
    file = box.places.boot / FILE
    key = "ssh-ed25519 " + "A" * 60
    file.write_text(f"office: https://o\ncode: {CODE}\nservice_key: {key}\nnetwork: {{interface: eth0}}\n")
    with file.open("rb") as before:
        assert boot(box.places, run=tmp_path / "run", lamps=()) == 0
        before.seek(0)
        assert set(before.read()) == {0}  # overwritten, not only forgotten
    assert not file.exists()
    assert read_provision(box.places.provision).code == CODE
    assert stat.S_IMODE(box.places.provision.stat().st_mode) == 0o600
    assert (tmp_path / "run/homenode-machine/authorized_keys").read_text() == key + "\n"
    assert "Name=eth0" in (tmp_path / "run/systemd/network/10-homenode.network").read_text()
    shutil.rmtree(tmp_path / "run")
    boot(box.places, run=tmp_path / "run", lamps=())  # the next boot
    assert (tmp_path / "run/homenode-machine/authorized_keys").exists()


def test_a_later_file_changes_what_it_names(tmp_path: Path) -> None:
    box, run = Box(tmp_path), tmp_path / "run"
    key = "ssh-ed25519 " + "A" * 60

    def given(text: str) -> set[str]:
        (box.places.boot / FILE).write_text(text)
        assert boot(box.places, run=run, lamps=()) == 0
        assert not (box.places.boot / FILE).exists()
        return {path.name for path in run.rglob("*") if path.is_file()}

    there = given("network: {interface: eth0, address: 192.168.1.10/24}\ntime: {ntp: [ntp.example]}\n")
    assert there == {"10-homenode.network", "homenode.sources"}
    assert given(f"service_key: {key}\n") == there | {"authorized_keys"}
    assert "192.168.1.10/24" in (run / "systemd/network/10-homenode.network").read_text()
    assert given("apartment: {interface: eth1, address: 192.168.77.1/24}\nnetwork: {interface: eth2}\n") == {
        *there, "authorized_keys", "05-homenode-apartment.network", "apartment.nft", "panel.env",
    }  # fmt: skip
    assert given("service_key: none\nnetwork: {}\n") == {"homenode.sources"}
    shutil.rmtree(run)
    boot(box.places, run=run, lamps=())
    assert {path.name for path in run.rglob("*") if path.is_file()} == {"homenode.sources"}


def test_a_home_that_was_just_copied_to_the_card_is_taken(tmp_path: Path) -> None:
    box = Box(tmp_path)
    (box.places.boot / "home.yaml").write_text(HOME_YAML.format(home=HOME))
    boot(box.places, run=tmp_path / "run", lamps=())
    assert list(box.places.boot.iterdir()) == [box.places.boot / TOLD]
    (box.places.config / "ca.pem").write_text("x")
    for name in ("ca.pem", "node.pem", "node.key"):
        (box.places.config / name).touch()
    outcome = box.once()
    assert (outcome.why.key, outcome.done) == ("alone", True)
    assert box.places.home.read_text() == HOME_YAML.format(home=HOME)


def test_what_a_mac_puts_beside_files_is_no_rule_and_no_wrong_name_and_goes_with_them(tmp_path: Path) -> None:
    box, hidden = Box(tmp_path / "box"), b"\0\5\x16\7\0\2\0\0Mac OS X\xff"
    boot_of = box.places.boot
    (boot_of / "rules").mkdir()
    beside = [boot_of / name for name in (f"._{FILE}", "._home.yaml", "rules/._own.yaml")]
    for path in beside:
        path.write_bytes(hidden)
    boot(box.places, run=tmp_path / "run", lamps=())
    assert not box.places.state.exists()
    (boot_of / "home.yaml").write_text("home: h\n")
    (boot_of / "rules/own.yaml").write_text("rule: own\n")
    boot(box.places, run=tmp_path / "run", lamps=())
    assert sorted(read_provision(box.places.provision).files) == ["home.yaml", "rules/own.yaml"]
    assert [path.name for path in boot_of.rglob("*") if path.is_file()] == [TOLD]


def test_a_home_is_put_on_a_card_without_what_a_mac_puts_beside_it(tmp_path: Path) -> None:
    (tmp_path / "config.txt").touch()
    (tmp_path / "home").mkdir()
    home = tmp_path / "home/home.yaml"
    home.write_text(HOME_YAML.format(home=HOME))
    (tmp_path / "home/rules").mkdir()
    (tmp_path / "home/rules/._own.yaml").write_bytes(b"\0\5\x16\7\xff")
    assert main(["provision", str(home), "--card", str(tmp_path)]) == 0
    assert [*read_provision(tmp_path / FILE).files] == ["home.yaml"]


@pytest.mark.parametrize("office", ["office: https://o\ncode: ABCD-EFGH-JKMN-PQRS\n", ""])
def test_a_power_cut_while_the_card_is_wiped_loses_nothing_of_it(tmp_path: Path, office: str) -> None:
    """Nobody tried anything yet: the next boot takes what is left."""
    for nth in range(4):
        box = Box(tmp_path / str(nth))
        if office:
            (box.places.boot / FILE).write_text(office)
        (box.places.boot / "home.yaml").write_text("home: h\n")
        (box.places.boot / "rules").mkdir()
        (box.places.boot / "rules" / "own.yaml").write_text("rule: own\n")
        box.cut_while_wiping(nth, tmp_path / "run")
        boot(box.places, run=tmp_path / "run", lamps=())
        found = read_provision(box.places.provision)
        assert (found.office, found.code) == (("https://o", CODE) if office else ("", "")), nth
        assert sorted(found.files) == ["home.yaml", "rules/own.yaml"], nth
        assert [path.name for path in box.places.boot.rglob("*") if path.is_file()] == [TOLD]


def test_a_node_without_an_office_waits_for_none_and_says_what_it_does_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("homenode.enrol.visit.offices", lambda: iter(()))
    box, places = Box(tmp_path), Box(tmp_path).places
    for name in ("ca.pem", "node.pem", "node.key"):
        (places.config / name).touch()
    for text, key, done in (
        ("home: h\n", "card_home_wrong", False),
        (HOME_YAML.format(home=HOME), "alone", True),
        ("", "alone", True),  # the next day
        (HOME_YAML.format(home="other"), "has_home", True),
        (HOME_YAML.format(home=HOME), "alone", True),
    ):
        if text:
            (places.boot / "home.yaml").write_text(text)
        boot(places, run=tmp_path / "run", lamps=())
        outcome = box.once()
        assert (outcome.why.key, outcome.done) == (key, done)
    assert places.home.read_text() == HOME_YAML.format(home=HOME)


def _called(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Programs in place of systemd's and chrony's, which aren't here; what they were asked for."""
    asked, programs = folder / "asked", folder / "bin"
    asked.touch()
    programs.mkdir()
    for name in ("systemctl", "busctl", "chronyc"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "{asked}"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    monkeypatch.setattr("homenode.enrol.boot.RUN", folder / "run")
    return lambda: asked.read_text().splitlines()


def test_a_home_that_is_there_starts_whatever_lies_on_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, called = Box(tmp_path), _called(tmp_path, monkeypatch)
    (box.places.boot / FILE).write_text("offise: https://o\n")
    box.places.state.write_text('{"state": "enrolled"}')
    boot(box.places, run=tmp_path / "run", lamps=())
    assert called() == []
    box.places.home.touch()
    box.places.state.write_text('{"state": "enrolled"}')
    boot(box.places, run=tmp_path / "run", lamps=())
    assert called() == ["systemctl start --no-block homenode.service"]


def test_a_home_that_the_box_is_not_for_any_more_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, called = Box(tmp_path), _called(tmp_path, monkeypatch)
    box.places.home.touch()
    box.places.state.write_text('{"state": "failed", "key": "other_home"}')
    boot(box.places, run=tmp_path / "run", lamps=())
    assert called() == ["systemctl stop --no-block homenode.service"]


def test_what_the_nodes_user_says_ends_no_boot(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.places.state.write_text('{"state": "failed", "why": {"sv": "\\ud800"}}')
    assert boot(box.places, run=tmp_path / "run", lamps=()) == 0
    assert (box.places.boot / TOLD).exists()


def test_mistakes_are_told_on_the_card_and_by_the_lamp_and_the_file_stays(tmp_path: Path) -> None:
    box, lamp = Box(tmp_path), tmp_path / "ACT"
    lamp.mkdir()
    (lamp / "trigger").write_text("none [mmc0] timer pattern")
    (box.places.boot / FILE).write_text("offise: https://o\n")
    boot(box.places, run=tmp_path / "run", lamps=(str(lamp),))
    told = (box.places.boot / TOLD).read_text("utf-8-sig")
    assert f"{FILE}:1:1: offise" in told
    assert "did you mean office" in told
    assert (box.places.boot / FILE).exists()
    assert box.state["key"] == "file_wrong"
    assert (lamp / "trigger").read_text() == "pattern"
    assert (lamp / "pattern").read_text().count("1 200") == 4


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("homenode-provision.yaml.txt", FILE),
        ("homenode-provision.yml", FILE),
        ("homenode-provision (1).yaml", FILE),
        ("Homenode-Provision", FILE),
        ("home.yml", "home.yaml"),
        ("Kopia av homenode-provision.yaml", FILE),
        ("homenode_provision.yaml", FILE),
    ],
)
def test_a_file_with_a_wrong_name_is_told_where_there_is_no_home(
    tmp_path: Path, name: str, right: str
) -> None:
    box = Box(tmp_path)
    (box.places.boot / name).write_text(f"office: https://o\ncode: {CODE}\n")
    boot(box.places, run=tmp_path / "run", lamps=())
    told = (box.places.boot / TOLD).read_text("utf-8-sig")
    assert f"Filen på kortet heter {name}, men ska heta {right}." in told
    assert f"has to be called {right}" in box.state["why"]["en"]
    assert (box.places.boot / name).exists()
    box.places.home.touch()
    box.places.state.write_text('{"state": "enrolled"}')
    boot(box.places, run=tmp_path / "run", lamps=())
    assert box.state == {"state": "enrolled"}


def test_a_folder_in_place_of_the_file_is_no_worn_card(tmp_path: Path) -> None:
    box = Box(tmp_path)
    (box.places.boot / FILE).mkdir()
    boot(box.places, run=tmp_path / "run", lamps=())
    assert box.state["key"] == "file_wrong"
    assert f"{FILE}: file: found a folder" in (box.places.boot / TOLD).read_text("utf-8-sig")


FAULTY = "home: kalmar-10\n timezone: Europe/Stockholm\n"


@pytest.mark.parametrize("beside", [True, False])
def test_a_home_that_is_no_yaml_stays_on_the_card_and_is_told_with_its_line(
    tmp_path: Path, beside: bool
) -> None:
    box = Box(tmp_path)
    file, home = box.places.boot / FILE, box.places.boot / "home.yaml"
    file.write_text(with_home(f"office: https://o\ncode: {CODE}\n", {} if beside else {"home.yaml": FAULTY}))
    if beside:
        home.write_text(FAULTY)
        (box.places.boot / "rules").mkdir()
        (box.places.boot / "rules/own.yaml").write_text("- rule\n")
    boot(box.places, run=tmp_path / "run", lamps=())
    told = (box.places.boot / TOLD).read_text("utf-8-sig")
    assert file.exists()
    assert not box.places.provision.exists()
    assert box.state["key"] == "card_home_wrong"
    if beside:
        assert home.read_text() == FAULTY
        assert "Fel i home.yaml, rules/own.yaml:\nhome.yaml:2:10: file: " in told
        assert "\nrules/own.yaml:1:1: file: found" in told
        home.write_text("home: kalmar-10\n")
        (box.places.boot / "rules/own.yaml").write_text("rule: own\n")
        boot(box.places, run=tmp_path / "run", lamps=())
        assert read_provision(box.places.provision).files["home.yaml"] == "home: kalmar-10\n"
        assert not home.exists()
    else:
        assert f"Fel i {FILE}: home.yaml:\n{FILE}: home.yaml:2:10: file: " in told


def test_a_home_that_is_refused_later_is_told_as_it_lay_on_the_card(tmp_path: Path) -> None:
    box = Box(tmp_path)
    (box.places.boot / "home.yaml").write_text("home: h\n")
    boot(box.places, run=tmp_path / "run", lamps=())
    assert box.run("once").returncode == 1
    assert box.state["why"]["sv"].startswith("Det är fel i hemmets fil på kortet: home.yaml:1")


@pytest.mark.parametrize("name", ["config", "data"])
def test_a_folder_that_is_not_there_is_no_worn_card(tmp_path: Path, name: str) -> None:
    box = Box(tmp_path)
    shutil.rmtree(getattr(box.places, name))
    done = box.run("once")
    assert done.returncode == 1
    assert f"{getattr(box.places, name)}: no such folder (make it, or name another: --{name})" in done.stderr


def test_a_folder_that_is_somewhere_else_is_not_written_to(tmp_path: Path) -> None:
    box, elsewhere = Box(tmp_path / "box"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    box.places.folder.rmdir()
    os.symlink(elsewhere, box.places.folder)
    (box.places.boot / FILE).write_text(f"office: https://o\ncode: {CODE}\n")
    boot(box.places, run=tmp_path / "run", lamps=())
    assert list(elsewhere.iterdir()) == []
    assert (box.places.boot / FILE).exists()
    assert "Not a directory" in (box.places.boot / TOLD).read_text()


def test_a_card_that_takes_nothing_is_told_from_memory(tmp_path: Path) -> None:
    box, of_nothing = Box(tmp_path), ("-t", "tmpfs", "-o", "ro", "card")
    places = box.places
    with mounted(*of_nothing, at=places.config), mounted(*of_nothing, at=places.data):
        assert box.run("once").returncode == 1
        told = state.now(places)
        assert (told["state"], told["key"]) == ("failed", "card")
        lamp = tmp_path / "ACT"
        lamp.mkdir()
        (lamp / "trigger").write_text("none [mmc0] timer pattern")
        boot(places, run=tmp_path / "run", lamps=(str(lamp),))
        assert "Read-only file system" in (places.boot / TOLD).read_text("utf-8-sig")
        assert (lamp / "pattern").read_text().count("1 200") == 5
