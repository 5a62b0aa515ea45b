"""A network that outlives its stick: kept as a file, given to another one, and never to the wrong one."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bellows", reason="the extra zigbee is not installed")

from zigpy.appdb import DB_VERSION

from drivers.zigbee import keeper
from drivers.zigbee.backup import newest
from homenode.cli import main
from homenode.errors import SetupError
from tests.system.zigbee_bed import NEW_STICK, Interviewed, interviewed

MODELS = ["contact", "plug", "water", "smoke"]
Scene = Callable[[Interviewed], Coroutine[Any, Any, None]]


def play(folder: Path, scene: Scene, models: list[str] = MODELS) -> None:
    """A home whose devices are paired and whose network was kept, and then the scene."""

    async def whole() -> None:
        async with asyncio.timeout(110), interviewed(folder, models) as home:
            await home.radio.keeper.keep()
            await home.stop()
            await scene(home)

    asyncio.run(whole())


async def radio(folder: Path, *words: str) -> int:
    """`homenode radio …` as a person types it; the node of the tests keeps its files in `data`."""
    (folder / "home.yaml").write_text(
        "home: try-1\ntimezone: Europe/Stockholm\nradios:\n"
        f"  stick: {{driver: zigbee, port: '{folder / 'tty'}'}}\n"
        'devices: {contact: {via: stick, ieee: "00:15:8d:00:00:00:01:00", room: hall}}\n'
    )
    (folder / "homenode-data").mkdir(exist_ok=True)
    here = folder / "homenode-data/stick"
    if not here.exists():
        here.symlink_to(folder / "data")
    return await asyncio.to_thread(main, ["radio", *words, "--data", str(folder / "homenode-data")])


async def all_heard(home: Interviewed) -> None:
    home.host.readings.clear()
    home["contact"].trip()
    home["water"].trip()
    home["smoke"].trip()
    home["plug"].measure("power", 1234.0, at_once=True)
    await home.host.reading("contact", "contact", True)
    await home.host.reading("water", "water", True)
    await home.host.reading("smoke", "smoke", True)
    await home.host.reading("plug", "power", 1234.0)


def test_a_new_stick_takes_the_place_of_a_broken_one_and_no_device_is_paired_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(home: Interviewed) -> None:
        await home.stick.swap(tmp_path / "new.json", NEW_STICK)
        with pytest.raises(SetupError, match="homenode radio restore"):
            await home.start()
        assert not home.stick.network.formed, "a network was formed in the place of the home's"
        assert await radio(tmp_path, "restore") == 0
        assert "need no pairing" in capsys.readouterr().out
        await home.start()
        await all_heard(home)
        await home.radio.switch("plug", "switch", True)
        assert home["plug"].outputs["switch"] is True

    play(tmp_path, scene)


def test_a_backup_of_the_user_restores_a_node_whose_disk_was_lost_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(home: Interviewed) -> None:
        kept = tmp_path / "kept.json"
        assert await radio(tmp_path, "backup", str(kept)) == 0
        assert "keep it safe" in capsys.readouterr().out
        for file in sorted((tmp_path / "data").rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        await home.stick.swap(tmp_path / "new.json", NEW_STICK)
        assert await radio(tmp_path, "restore", "--backup", str(kept)) == 0
        await home.start()
        home["plug"].measure("power", 10.0, at_once=True)
        for name in ("contact", "water", "smoke"):
            home[name].trip()
        await home.interviews_done()
        for name in ("contact", "water", "smoke"):
            home[name].trip(False)
        await all_heard(home)

    play(tmp_path, scene)


def test_a_stick_of_another_home_is_neither_used_nor_erased(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(home: Interviewed) -> None:
        other = tmp_path / "other"
        other.mkdir()
        async with interviewed(other, ["contact"]) as another:
            theirs = another.stick.network.key
        await home.stick.swap(other / "stick.json", NEW_STICK)
        with pytest.raises(SetupError, match="another network"):
            await home.start()
        assert await radio(tmp_path, "restore") == 1
        said = capsys.readouterr().err
        assert "holds another network" in said
        assert "--overwrite" in said
        assert home.stick.network.key == theirs
        assert await radio(tmp_path, "restore", "--overwrite") == 0
        await home.start()
        await all_heard(home)

    play(tmp_path, scene)


def test_a_stick_that_lost_its_network_gets_it_back_by_itself(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        key, ieee = home.stick.network.key, home.stick.network.ieee
        await home.stick.swap(tmp_path / "empty.json", ieee)
        await home.start()
        assert home.stick.network.key == key
        await all_heard(home)

    play(tmp_path, scene)


def test_a_database_that_is_lost_costs_no_interview(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        for file in home.host.data.glob("*.db*"):
            file.unlink()
        await home.start()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)
        await all_heard(home)

    play(tmp_path, scene, ["contact", "plug", "water", "smoke"])


@pytest.mark.parametrize("said", ["x", {"devices": [{"ieee": 5}], "facts": {"version": "?"}}, {"facts": []}])
def test_what_a_backup_says_of_devices_may_be_damaged(tmp_path: Path, said: object) -> None:
    async def scene(home: Interviewed) -> None:
        file = newest(home.host.data)
        assert file is not None
        kept = json.loads(file.read_text())
        kept["metadata"]["internal"]["homenode"] = said
        file.write_text(json.dumps(kept))
        for one in (*home.host.data.glob("*.db*"), home.host.data / "stick-devices.json"):
            one.unlink()
        await home.start()
        home["plug"].measure("power", 10.0, at_once=True)
        await home.interviews_done()
        home["plug"].measure("power", 1234.0, at_once=True)
        await home.host.reading("plug", "power", 1234.0)

    play(tmp_path, scene, ["plug"])


def test_a_database_that_a_later_zigpy_has_migrated_still_knows_its_devices(tmp_path: Path) -> None:
    """A new version was on trial, and the old one is back: tables of its own stand beside the later ones."""

    async def scene(home: Interviewed) -> None:
        now, later = f"_v{DB_VERSION}", f"_v{DB_VERSION + 1}"
        with sqlite3.connect(tmp_path / "data/stick.db") as base:
            tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            for name in tables:
                if name.endswith(now):
                    base.execute(f"CREATE TABLE {name.removesuffix(now)}{later} AS SELECT * FROM {name}")
            base.execute(f"PRAGMA user_version = {DB_VERSION + 1}")
        await home.start()
        home.host.readings.clear()
        home["contact"].trip()
        await home.host.reading("contact", "contact", True)

    play(tmp_path, scene, ["contact"])


def test_without_any_backup_no_network_is_formed_in_the_place_of_the_lost_one(tmp_path: Path) -> None:
    async def scene(home: Interviewed) -> None:
        for file in (tmp_path / "data/backups").iterdir():
            file.unlink()
        with sqlite3.connect(tmp_path / "data/stick.db") as base:
            tables = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            for name in tables:
                if name.startswith("network_backups"):
                    base.execute(f"DELETE FROM {name}")
        await home.stick.swap(tmp_path / "empty.json", home.stick.network.ieee)
        with pytest.raises(SetupError, match="no backup"):
            await home.start()
        assert not home.stick.network.formed

    play(tmp_path, scene, ["contact"])


def test_the_stick_in_use_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scene(home: Interviewed) -> None:
        counter = home.stick.network.key_counter
        assert await radio(tmp_path, "restore") == 0
        assert "holds this network already" in capsys.readouterr().out
        assert home.stick.network.key_counter - counter < 1000

    play(tmp_path, scene, ["contact"])


def test_what_is_kept_is_whole_for_the_user_alone_and_shown_without_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(home: Interviewed) -> None:
        (file,) = (tmp_path / "data/backups").iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        kept = json.loads(file.read_text())
        assert kept["metadata"]["format"] == "zigpy/open-coordinator-backup"
        assert await radio(tmp_path, "show") == 0
        said = capsys.readouterr().out
        assert kept["network_key"]["key"] not in said
        assert f"channel {kept['channel']}" in said

    play(tmp_path, scene, ["contact"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "No such file"),
        ("{", "is no JSON"),
        ('{"metadata": {}}', "is no backup"),
        ("[1]", "is no backup"),
    ],
)
def test_a_file_that_is_no_backup_is_told_before_the_stick_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, told: str
) -> None:
    (tmp_path / "data").mkdir()
    if text is not None:
        (tmp_path / "kept.json").write_text(text)
    assert asyncio.run(radio(tmp_path, "restore", "--backup", str(tmp_path / "kept.json"))) == 1
    said = capsys.readouterr().err
    assert told in said
    assert "kept.json" in said


def test_nothing_kept_yet_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    for words in (["show"], ["restore"], ["backup", str(tmp_path / "x")]):
        assert asyncio.run(radio(tmp_path, *words)) == 1
        assert "no backup was kept yet" in capsys.readouterr().err


def test_a_network_is_kept_soon_after_its_first_start_and_when_devices_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "FIRST_S", 0.1)
    monkeypatch.setattr(keeper, "SETTLED_S", 0.1)

    async def whole() -> None:
        async with asyncio.timeout(60), interviewed(tmp_path, ["contact"]) as home:
            folder = tmp_path / "data/backups"
            while not list(folder.glob("*.json")):  # noqa: ASYNC110 - a file that another task writes
                await asyncio.sleep(0.05)
            (kept,) = folder.glob("*.json")
            kept.unlink()
            plug = home.add("plug")
            await home.restart()
            while not kept.exists():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
            kept.write_text("old")
            await home.radio.pair(60)
            assert plug.join()
            while kept.read_text() == "old":  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)

    asyncio.run(whole())
