"""A new box for a home, with a new stick: the office brings the network, and no device is paired again."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from homenode.enrol import radios
from homenode.enrol.steps import State
from homenode.errors import Refused, SetupError
from homenode.office.backups import MOST_BYTES, plain
from tests.system.offices import Box, OfficeProcess
from tests.system.test_enrolment import enrolled
from tests.system.zigbee_bed import NEW_STICK, Heard, Interviewed, interviewed


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProcess]:
    with OfficeProcess(tmp_path_factory.mktemp("swap") / "office") as running:
        yield running


def another(office: OfficeProcess, folder: Path, home: str, serial: str) -> Box:
    """A box that takes the place of a home's."""
    return Box(folder, serial).provisioned(office, office.code("swap", home, serial))


def test_a_new_box_with_a_new_stick_hears_the_devices_of_the_old_one(
    office: OfficeProcess, tmp_path: Path
) -> None:
    pytest.importorskip("bellows", reason="the extra zigbee is not installed")

    async def scene(home: Interviewed) -> None:
        await home.radio.keeper.keep()
        await home.stop()
        key = home.stick.network.key
        old = enrolled(office, tmp_path / "old", "swap-1", "30000000aaaa0001")
        shutil.copytree(home.host.data, old.places.data / "stick")
        assert old.once().state is State.ENROLLED
        box = another(office, tmp_path / "new", "swap-1", "30000000aaaa0002")
        assert box.once().state is State.ENROLLED

        home.host = Heard(box.places.data / "stick")
        home.stick._unplug()  # nobody has plugged it in yet
        with pytest.raises(SetupError, match="no such port"):
            await home.start()
        await home.stick.swap(tmp_path / "new.json", NEW_STICK)
        await home.start()
        assert home.stick.network.key == key
        assert not home.stick.permitting
        assert not (home.host.data / "backups" / "given.json").exists()
        home["button"].press()
        await home.host.reading("button", "button", True)
        home["plug"].measure("power", 1234.0, at_once=True)
        await home.host.reading("plug", "power", 1234.0)
        await home.radio.switch("plug", "switch", True)
        assert home["plug"].outputs["switch"] is True
        await home.restart()
        home["plug"].measure("power", 50.0, at_once=True)
        await home.host.reading("plug", "power", 50.0)
        assert old.once().why.key == "left"

    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(tmp_path, ["plug", "button"]) as home:
            await scene(home)

    asyncio.run(whole())


def cut(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_network_of_another_home_is_put_aside_and_the_own_one_stays(
    office: OfficeProcess, tmp_path: Path
) -> None:
    old = enrolled(office, tmp_path / "old", "swap-2", "30000000aaaa0003")
    old.keeps("stick", {"extended_pan_id": "aa"})
    assert old.once().state is State.ENROLLED
    box = another(office, tmp_path / "new", "swap-2", "30000000aaaa0004")
    box.keeps("stick", {"extended_pan_id": "bb"})  # it served another home before
    assert box.once().state is State.ENROLLED
    assert radios.newest(box.places.data) == {"stick": {"extended_pan_id": "aa"}}
    former = box.places.data / "stick.former" / "backups" / "2026-01-05.json"
    assert json.loads(former.read_text()) == {"extended_pan_id": "bb"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(radios, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            radios.put(box.places, {"stick": {"extended_pan_id": "cc"}}, 0)
    assert radios.newest(box.places.data) == {"stick": {"extended_pan_id": "aa"}}
    assert json.loads(former.read_text()) == {"extended_pan_id": "bb"}
    assert radios.put(box.places, {"stick": {"extended_pan_id": "aa"}}, 0) == []
    assert radios.put(box.places, {"../x": {}, "y": []}, 0) == []


def test_a_home_of_many_devices_is_kept_whole(office: OfficeProcess, tmp_path: Path) -> None:
    old = enrolled(office, tmp_path / "old", "swap-4", "30000000aaaa0007")
    old.keeps("stick", {"extended_pan_id": "aa"})
    file = old.places.data / "stick" / "backups" / "2026-01-05.json"
    many = {"extended_pan_id": "aa", "devices": [f"{nth:064x}" for nth in range(2_000)]}
    file.write_text(json.dumps(many))
    assert old.once().state is State.ENROLLED
    box = another(office, tmp_path / "new", "swap-4", "30000000aaaa0008")
    assert box.once().state is State.ENROLLED
    assert radios.newest(box.places.data) == {"stick": many}


@pytest.mark.parametrize(
    "packed",
    [b"x", gzip.compress(b'{"radios": {}}')[:-9], gzip.compress(bytes(MOST_BYTES + 1))],
    ids=["none", "cut", "too much"],
)
def test_a_backup_that_can_not_be_unpacked_is_refused(packed: bytes) -> None:
    with pytest.raises(Refused):
        plain(packed)


def test_a_box_that_gets_no_backup_takes_no_home_without_it(office: OfficeProcess, tmp_path: Path) -> None:
    old = enrolled(office, tmp_path / "old", "swap-3", "30000000aaaa0005")
    old.keeps("stick", {"extended_pan_id": "aa"})
    assert old.once().state is State.ENROLLED
    box = another(office, tmp_path / "new", "swap-3", "30000000aaaa0006")
    kept = office.folder / "backups" / "swap-3.json"
    body = kept.read_bytes()
    kept.unlink()
    kept.mkdir()  # a disk that gives an error
    assert box.once().state is State.WAITING
    assert not box.places.home.exists()
    kept.rmdir()
    kept.write_bytes(body)
    assert box.once().state is State.ENROLLED
    given = json.loads((box.places.data / "stick" / "backups" / "given.json").read_bytes())
    assert given["at_ms"] > 1_767_225_600_000
