"""The good configuration: whole or not at all, and what a start on mistaken files makes of it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from homenode.config.registry import driver_types
from homenode.config.rule_files import shipped_folder
from homenode.engine.snapshot import fingerprint
from homenode.errors import FileMistakes
from homenode.gateway import kept
from homenode.gateway.kept import Kept
from homenode.gateway.load import keep, load, load_for_start

HOME = """\
home: kept-1
timezone: Europe/Stockholm
language: sv
broker: {url: "mqtts://localhost", username: anna, password_file: password}
devices:
  eye: {driver: gpio, pin: 17, kind: motion, room: hall}
rules:
  - {use: seen, bind: {eye: eye.motion}}
  - {use: tamper, bind: {tamper: [box.tamper]}}
"""
DEVICES = HOME.replace("rules:", "  box: {driver: gpio, pin: 18, kind: tamper, room: hall}\nrules:")
SEEN = """\
rule: seen
version: 1
severity: info
to: [care]
roles:
  eye: {kind: motion}
when: eye for 5 s
says: {sv: "Sedd", en: "Seen"}
"""
GOOD = Kept({Path("/etc/home.yaml"): "home: åäö\n", Path("/etc/rules/a.yaml"): ""}, 1_767_600_000_000)
TYPES = driver_types()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of one rule of its own and a shipped one, kept in ``data``."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "password").write_text("secret")
    (tmp_path / "rules" / "seen.yaml").write_text(SEEN)
    file = tmp_path / "home.yaml"
    file.write_text(DEVICES)
    keep(tmp_path / "data", load(file, TYPES), 1_767_600_000_000)
    return file


def start(home: Path) -> Any:
    return load_for_start(home, TYPES, home.parent / "data")


def test_what_is_kept_is_read_again() -> None:
    assert kept.decode(kept.encode(GOOD)) == GOOD
    assert kept.decode(kept.encode(Kept(GOOD.texts, None))).at_ms is None


def test_no_changed_byte_and_no_cut_is_taken_for_a_configuration() -> None:
    whole = kept.encode(GOOD)
    for at in range(len(whole) - 1):
        with pytest.raises(ValueError, match=r"damaged|later"):
            kept.decode(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(ValueError, match="damaged"):
            kept.decode(whole[:at])


def test_what_a_later_homenode_kept_is_told_as_that() -> None:
    later = kept.encode(GOOD).replace(b"configuration 1", b"configuration 2")
    with pytest.raises(ValueError, match=r"later homenode.*version 2, this one reads 1"):
        kept.decode(later)


def test_only_the_node_reads_what_is_kept_and_an_equal_one_is_not_written_again(tmp_path: Path) -> None:
    assert kept.read(tmp_path) is None
    kept.keep(tmp_path, GOOD)
    file = tmp_path / kept.NAME
    assert file.stat().st_mode & 0o777 == 0o600
    kept.keep(tmp_path, Kept(GOOD.texts, 1_800_000_000_000))
    assert kept.read(tmp_path) == GOOD, "it is as old as its texts"
    file.write_bytes(file.read_bytes()[:-9])
    kept.keep(tmp_path, GOOD)
    assert kept.read(tmp_path) == GOOD, "a damaged one is"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_ends_at_any_step_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    kept.keep(tmp_path, GOOD)

    def cut(*_: object) -> None:
        raise OSError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(os if step == "fsync" else Path, step, cut)
        with pytest.raises(OSError, match="power"):
            kept.keep(tmp_path, Kept({Path("/etc/home.yaml"): "other"}, 1))
    assert kept.read(tmp_path) == GOOD
    kept.keep(tmp_path, other := Kept({Path("/etc/home.yaml"): "other"}, 1))
    assert kept.read(tmp_path) == other, "what was left of it is in nobody's way"


def test_a_good_file_is_what_it_says_and_no_fault(home: Path) -> None:
    home.write_text(DEVICES.replace("language: sv", "language: en"))
    loaded = start(home)
    assert loaded.home.language == "en"
    assert loaded.fault is None


@pytest.mark.parametrize("broken", ["home.yaml", "seen.yaml", "half", "gone", "password"])
def test_from_mistaken_files_the_rules_of_before_are_the_same(
    home: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = load(home, TYPES)
    rule = home.parent / "rules" / "seen.yaml"
    match broken:
        case "home.yaml":
            home.write_text(DEVICES.replace("room: hall", "rom: hall"))
        case "seen.yaml":
            rule.write_text(SEEN.replace("5 s", "5 apples"))
        case "half":
            home.write_text(DEVICES[: len(DEVICES) // 2])
        case "gone":
            rule.unlink()
        case "password":
            (home.parent / "password").unlink()
    with pytest.raises(FileMistakes) as wrong:
        load(home, TYPES)
    caplog.clear()
    loaded = start(home)
    assert loaded.home == before.home, "paths are beside the real home.yaml"
    assert [fingerprint(one) for one in loaded.rules] == [fingerprint(one) for one in before.rules]
    assert [record.getMessage() for record in caplog.records] == [str(one) for one in wrong.value.mistakes]
    assert loaded.fault is not None
    names = ", ".join(dict.fromkeys(Path(mistake.file).name for mistake in wrong.value.mistakes))
    count = len(wrong.value.mistakes)
    assert loaded.fault.text["en"] == (
        f"{count} mistake{'s' * (count > 1)} in {names} (homenode check shows them); "
        "the node runs on its last good configuration, of 2026-01-05 09:00"
    )
    assert loaded.fault.text["sv"].startswith(f"{count} fel i {names} ")
    assert loaded.fault.text["sv"].endswith(", från 2026-01-05 09:00")
    assert loaded.fault.parties == ("operator",)


def test_no_time_is_told_if_the_clock_was_not_trusted(home: Path) -> None:
    home.write_text(DEVICES.replace("language: sv", "language: en"))
    keep(home.parent / "data", load(home, TYPES), None)
    home.write_text("")
    assert start(home).fault.text["en"].endswith("its last good configuration")


def test_a_rule_that_came_later_does_not_stand_before_the_shipped_one(home: Path) -> None:
    (home.parent / "rules" / "tamper.yaml").write_text("rule: [")
    assert start(home).rules[1].file == str(shipped_folder() / "tamper.yaml")


@pytest.mark.parametrize("kind", ["none", "damaged", "of another file", "with mistakes", "unreadable"])
def test_without_a_good_one_the_mistakes_end_the_start(
    home: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = home.parent / "data" / kept.NAME
    told = "the good configuration can't be used"
    match kind:
        case "none":
            file.unlink()
        case "damaged":
            file.write_bytes(file.read_bytes().replace(b"Sedd", b"Sett"))
        case "of another file":
            home = home.rename(home.parent / "other.yaml")
        case "with mistakes":
            file.write_bytes(kept.encode(Kept({home: "home: 1\n"}, None)))
        case "unreadable":
            file.unlink()
            file.mkdir()
    home.write_text(DEVICES.replace("room: hall", "rom: hall"))
    with pytest.raises(FileMistakes, match="did you mean room"):
        start(home)
    assert (told in caplog.text) is (kind not in ("none", "of another file"))


def test_a_disk_that_takes_nothing_is_told_and_stops_no_start(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    keep(home.parent / "nowhere", load(home, TYPES), None)
    assert "configuration not kept" in caplog.text
