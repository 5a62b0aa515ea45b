"""Cards with something else on them: a factory's certificate, mistakes, data that are damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from homenode.enrol import card
from homenode.enrol.blink import code
from homenode.enrol.boot import absent, boot
from homenode.enrol.command import _once
from homenode.enrol.places import FACTORY, FILE, TOLD
from homenode.enrol.provision_file import Machine
from homenode.enrol.steps import State, Why
from homenode.enrol.words import said
from homenode.errors import Refused
from homenode.gateway.clock import Clock
from homenode.office.authority import found, moment, pem, pem_of_key
from tests.system.nodes import PATIENCE_S
from tests.system.offices import Box, OfficeProcess
from tests.system.openssl import EC, openssl, self_signed
from tests.system.test_enrolment import enrolled


def test_a_factorys_certificate_on_the_card_lets_a_box_in_without_a_code(tmp_path: Path) -> None:
    serial, box = "10000000aaaa0042", Box(tmp_path / "box", "10000000aaaa0042")
    self_signed(tmp_path, "factory")
    pem, own = (box.places.boot / name for name in FACTORY)
    subject = f"/serialNumber={serial}/CN=box"
    openssl(tmp_path, "req", *EC, "-subj", subject, "-keyout", own, "-out", "csr")
    signs = ("-CA", "factory.pem", "-CAkey", "factory.key", "-CAcreateserial")
    openssl(tmp_path, "x509", "-req", "-in", "csr", *signs, "-out", pem)
    with OfficeProcess(tmp_path / "office", f"factory: {tmp_path / 'factory.pem'}\n") as office:
        office.describe("made-1")
        office.says("box", "add", serial, "--home", "made-1")
        (box.places.boot / FILE).write_text(
            f"office: {office.url}\nca: |\n  {office.ca.replace(chr(10), f'{chr(10)}  ')}"
        )
        assert boot(box.places, run=tmp_path / "run", lamps=()) == 0
        assert not [*box.places.boot.glob("factory*")]
        assert box.once().state is State.ENROLLED


@pytest.mark.parametrize("wrong", ["unknown", "ended", "damaged"])
def test_a_factorys_certificate_that_the_office_does_not_take_keeps_no_box_out(
    tmp_path: Path, wrong: str
) -> None:
    box, now, factory = (
        Box(tmp_path / "box", "10000000aaaa0044"),
        moment(Clock().wall()),
        tmp_path / "factory",
    )
    factory.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    life = timedelta(days=1) if wrong == "unknown" else timedelta(seconds=-1)
    made = found(factory, "factory", now).issue(key.public_key(), box.serial, "box", now, life)
    certificate, own = (box.places.config / name for name in FACTORY)
    certificate.write_bytes(pem(made))
    own.write_bytes(pem_of_key(key) if wrong != "damaged" else b"")
    with OfficeProcess(
        tmp_path / "office", "" if wrong == "unknown" else f"factory: {factory}/ca.pem\n"
    ) as office:
        office.describe("made-2")
        office.says("box", "add", box.serial, "--home", "made-2")
        box.provisioned(office)
        assert box.once().why.key == "approval"
        office.says("approve", box.serial, office.box(box.serial)["asks_with"])
        assert box.once().why.key == "enrolled"


def test_a_key_that_is_not_the_boxs_kind_is_told_as_that_and_stays(tmp_path: Path) -> None:
    box = Box(tmp_path)
    openssl(tmp_path, "genrsa", "-out", box.places.key, "2048")
    before = box.places.key.read_bytes()
    assert box.run("once").returncode == 1
    assert box.state["key"] == "key_wrong"
    assert box.state["why"]["sv"].startswith(f"Nyckeln kan inte användas: {box.places.key}: ")
    assert code(box.state["state"], box.state["key"]) == 4
    assert box.places.key.read_bytes() == before
    box.places.key.unlink()
    box.places.key.mkdir()
    assert _once(box.visit).why.key == "key_wrong"


@pytest.mark.parametrize("has", ["none", "its own", "one with a password"])
def test_a_node_by_hand_gets_no_key_before_an_office_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has: str
) -> None:
    urls: list[str] = []
    monkeypatch.setattr("homenode.enrol.visit.offices", lambda: iter(urls))
    box = Box(tmp_path / "box", "10000000aaaa0045")
    box.places.home.write_text("home: by-hand\n")
    if has != "none":
        aes = ["-aes128", "-passout", "pass:word"] if has != "its own" else []
        openssl(tmp_path, "genrsa", *aes, "-out", box.places.key, "2048")
    before = [path.read_bytes() for path in (box.places.key,) if path.exists()]
    outcome = box.once()
    assert (outcome.state, outcome.why.key) == (State.ENROLLED, "alone")
    assert box.places.key.exists() == (has != "none")
    with OfficeProcess(tmp_path / "office") as office:
        urls.append(office.url)
        (box.places.trust / "ca.pem").write_text(office.ca)
        done = box.visit.once() if has == "none" else _once(box.visit)
        assert done.why.key == ("approval" if has == "none" else "key_wrong")
    assert [path.read_bytes() for path in (box.places.key,) if has != "none"] == before


def test_a_home_on_the_card_reads_well_when_the_code_was_used(tmp_path: Path) -> None:
    """Its mistake is its own, at each try, and not that it has a sign beyond the first 65536."""
    with OfficeProcess(tmp_path / "office") as office:
        box = Box(tmp_path / "box", "10000000aaaa0046")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", "sign-1"))
        said = box.places.provision.read_text()
        files = {"home.yaml": "home: sign-1 # \N{HOUSE BUILDING}\n"}
        box.places.provision.write_text(
            json.dumps({**json.loads(said), "home": {"files": files}}, ensure_ascii=False)
        )
        for _ in range(2):
            assert box.once().why.key == "card_home_wrong"


@pytest.fixture(params=["folder", "device"])
def a_card(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, Path]]:
    """A card, mounted or not, and the file behind it: what changes there the machine doesn't hear of."""
    behind, folder = tmp_path / "behind.img", tmp_path / "folder"
    behind.write_bytes(bytes(4 << 20))
    folder.mkdir()
    mounted = request.param == "folder"
    if mounted:
        made = subprocess.run(["mkfs.ext4", "-q", behind], check=False)  # not each kernel here knows FAT
    else:
        made = subprocess.run(["mkfs.vfat", behind], check=False, capture_output=True)
        onto = ["mcopy", "-i", behind, "-", "::config.txt"]
        subprocess.run(onto, input=b"arm_64bit=1\n", check=True)
    assert made.returncode == 0
    found = subprocess.run(["losetup", "-f", "--show", behind], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip("no loop device")
    device = Path(found.stdout.strip())
    try:
        if mounted:
            subprocess.run(["mount", device, folder], check=True)
            (folder / "config.txt").touch()
        with device.open("rb"):  # as udev may have it
            yield (folder if mounted else device), behind
        if mounted:
            subprocess.run(["umount", folder], check=True)
    finally:
        subprocess.run(["losetup", "-d", device], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("mcopy", "mkfs.vfat", "mkfs.ext4", "losetup")),
    reason="mtools, dosfstools or e2fsprogs missing",
)
def test_a_card_that_keeps_nothing_is_found_out(
    monkeypatch: pytest.MonkeyPatch, a_card: tuple[Path, Path]
) -> None:
    where, behind = a_card
    said, loses, sync = b"office: https://o\n" * 200, False, os.sync

    def synced(*_: object) -> None:
        sync()
        if loses:
            with behind.open("r+b") as image:
                image.write(behind.read_bytes().replace(said, bytes(len(said))))

    for name in ("fsync", "sync"):
        monkeypatch.setattr(os, name, synced)
    card.put(where, FILE, said)
    loses = True
    with pytest.raises(Refused, match="doesn't keep"):
        card.put(where, FILE, said)


def test_of_a_file_with_mistakes_the_apartments_side_counts_so_that_the_panel_can_tell(
    tmp_path: Path,
) -> None:
    box, run = Box(tmp_path), tmp_path / "run"
    side = "apartment: {interface: eth1, address: 192.168.77.1/24}\n"
    text = f"ofice: https://o\nnetwork: {{interface: eth0}}\n{side}"
    (box.places.boot / FILE).write_text(text)
    boot(box.places, run=run, lamps=())
    assert (box.places.boot / FILE).exists()
    assert box.state["key"] == "file_wrong"
    assert (run / "homenode-machine/panel.env").read_text() == "LISTEN=192.168.77.1:8650\n"
    (box.places.boot / FILE).write_text(text.replace("192.168.77.1/24", "192.168.7/24"))
    boot(box.places, run=run, lamps=())
    assert (run / "homenode-machine/panel.env").read_text() == "LISTEN=192.168.77.1:8650\n"


def test_an_interface_that_is_not_there_is_told_when_it_had_its_time_to_come(tmp_path: Path) -> None:
    machine = Machine(
        network={"interface": "eth0"}, apartment={"interface": "usb9", "address": "10.0.0.1/24"}
    )
    for name in ("wlan0", "eth0", "lo"):
        (tmp_path / name).mkdir()
    told = absent(machine, 0, tmp_path)
    assert [(one.field, one.found, one.accepted) for one in told] == [
        ("apartment.interface", "usb9", "one of eth0, lo, wlan0")
    ]
    assert not absent(None, 0, tmp_path)
    late = threading.Timer(0.5, (tmp_path / "usb9").mkdir)
    late.start()
    assert not absent(machine, PATIENCE_S, tmp_path)
    late.join()


def test_a_card_whose_data_are_lost_says_that_another_one_is_needed(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.places.partition.write_text("lost 7000\n")
    boot(box.places, run=tmp_path / "run", lamps=())
    told = (box.places.boot / TOLD).read_text("utf-8-sig")
    assert "Minneskortets data är skadade" in told
    assert "Use another card." in told
    box.places.state.write_text(
        json.dumps({"state": "enrolled", **said(Why("enrolled", {"home": "lost-1"}))})
    )
    boot(box.places, run=tmp_path / "run", lamps=())
    assert "inskriven för lost-1" in (box.places.boot / TOLD).read_text("utf-8-sig")


def test_a_card_whose_data_are_damaged_is_taken_for_no_copy_of_itself(tmp_path: Path) -> None:
    """What it would be told now is gone with its next start."""
    with OfficeProcess(tmp_path / "office") as office:
        box = enrolled(office, tmp_path / "box", "worn-1", "10000000aaaa0043")
        turn = box.places.turn.read_bytes()
        box.places.partition.write_text("readonly 7000\n")
        for _ in range(3):
            outcome = box.once()
            assert (outcome.state, outcome.why.key, outcome.done) == (State.ENROLLED, "forgets", True)
        assert box.places.turn.read_bytes() == turn
        box.places.partition.write_text("repaired 7000\n")
        assert box.once().why.key == "enrolled"
        assert not office.reports()
