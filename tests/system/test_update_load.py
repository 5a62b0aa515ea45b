"""Loading a bundle over real TLS: where it was cut it goes on, and only what was ordered is ever kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from homenode.update import load
from homenode.update.load import Keys, Loader, Stopped
from homenode.update.order import Order
from tests.system.disks import memory
from tests.system.shelves import Shelf, make_certificate, sha256

SIZE_B = 300_000


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ca", "node", "stranger"):
        make_certificate(folder, name)
    return folder


@pytest.fixture
def shelf(tmp_path: Path, keys: Path) -> Iterator[Shelf]:
    (tmp_path / "b.raucb").write_bytes(os.urandom(SIZE_B))
    (tmp_path / "own").mkdir()
    with Shelf(tmp_path, keys) as made:
        yield made


def loader(shelf: Shelf, keys: Path, name: str = "node") -> Loader:
    mine = Keys(keys / "ca.pem", keys / f"{name}.pem", keys / f"{name}.key")
    return Loader(shelf.folder / "own", mine, 64 << 20, lambda part: None)


def order(shelf: Shelf) -> Order:
    bundle = shelf.folder / "b.raucb"
    return Order("1", "home-1", 1, version="0.2.0", url=shelf.url(bundle), sha256=sha256(bundle))


def left(shelf: Shelf) -> list[str]:
    return sorted(path.name for path in (shelf.folder / "own").iterdir())


def test_it_comes_whole_and_is_known_as_that(shelf: Shelf, keys: Path) -> None:
    wanted = order(shelf)
    assert loader(shelf, keys).load(wanted).code == ""
    assert loader(shelf, keys).is_loaded(wanted)
    assert not loader(shelf, keys).is_loaded(replace(wanted, sha256="0" * 64))
    assert loader(shelf, keys).path.read_bytes() == (shelf.folder / "b.raucb").read_bytes()
    loader(shelf, keys).forget()
    assert left(shelf) == []


def test_cut_at_any_place_it_goes_on_there(shelf: Shelf, keys: Path) -> None:
    shelf.cut_after = 70_000
    wanted, tries = order(shelf), 0
    while (found := loader(shelf, keys).load(wanted)).code:
        assert (found.code, tries := tries + 1) == ("cut", tries)
        assert tries < 10
    assert tries == 4
    assert shelf.sent == SIZE_B
    assert shelf.asked == ["", *(f"bytes={nth * 70_000}-" for nth in range(1, 5))]


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_server_that_drips_is_hung_up_on_and_what_came_stays(
    shelf: Shelf, keys: Path, monkeypatch: pytest.MonkeyPatch, tells_length: bool
) -> None:
    monkeypatch.setattr(load, "MOST_S", 0.5)
    shelf.tells_length, shelf.drip_after = tells_length, SIZE_B - 100
    wanted = order(shelf)
    assert loader(shelf, keys).load(wanted).code == "cut"
    assert SIZE_B - 100 <= (shelf.folder / "own/bundle.part").stat().st_size < SIZE_B
    shelf.drip_after = 0
    assert loader(shelf, keys).load(wanted).code == ""


def test_a_server_that_gives_a_range_in_parts_is_asked_for_the_next_one_at_once(
    shelf: Shelf, keys: Path
) -> None:
    shelf.cut_after = 70_000
    wanted = order(shelf)
    assert loader(shelf, keys).load(wanted).code == "cut"
    shelf.cut_after, shelf.part_b = 0, 90_000
    assert loader(shelf, keys).load(wanted).code == ""
    assert shelf.sent == SIZE_B
    assert len(shelf.asked) == 4


def test_a_range_in_parts_comes_no_faster_and_can_be_stopped(shelf: Shelf, keys: Path) -> None:
    told: list[float] = []
    mine = Keys(keys / "ca.pem", keys / "node.pem", keys / "node.key")
    shelf.cut_after = 100_000
    wanted = order(shelf)
    assert loader(shelf, keys).load(wanted).code == "cut"
    shelf.cut_after, shelf.part_b = 0, 10_000
    began_s = time.perf_counter()
    assert Loader(shelf.folder / "own", mine, 60_000, told.append).load(wanted).code == ""
    assert time.perf_counter() - began_s >= 2.0, "200 kB, of which 60 may come at once"
    assert told


def test_where_no_length_is_told_that_of_the_order_says_whether_it_was_cut(shelf: Shelf, keys: Path) -> None:
    shelf.tells_length, shelf.cut_after = False, 200_000
    wanted = replace(order(shelf), size=SIZE_B)
    assert loader(shelf, keys).load(wanted).code == "cut"
    assert loader(shelf, keys).load(wanted).code == ""
    assert shelf.sent == SIZE_B


def test_a_file_that_changed_meanwhile_begins_anew(shelf: Shelf, keys: Path) -> None:
    shelf.cut_after = 100_000
    assert loader(shelf, keys).load(order(shelf)).code == "cut"
    (shelf.folder / "b.raucb").write_bytes(os.urandom(SIZE_B))
    shelf.cut_after = 0
    wanted = order(shelf)
    assert loader(shelf, keys).load(wanted).code == ""
    assert loader(shelf, keys).is_loaded(wanted)


def test_a_file_that_changed_unnoticed_is_found_by_its_sum(shelf: Shelf, keys: Path) -> None:
    shelf.tells_etag, shelf.cut_after = False, 100_000
    before = order(shelf)
    assert loader(shelf, keys).load(before).code == "cut"
    (shelf.folder / "b.raucb").write_bytes(os.urandom(SIZE_B))
    shelf.cut_after = 0
    assert loader(shelf, keys).load(before).code == "sum"
    assert left(shelf) == []
    assert loader(shelf, keys).load(order(shelf)).code == ""


def test_a_server_that_knows_no_ranges_begins_anew(shelf: Shelf, keys: Path) -> None:
    shelf.cut_after = 100_000
    assert loader(shelf, keys).load(order(shelf)).code == "cut"
    shelf.cut_after, shelf.ranges = 0, False
    assert loader(shelf, keys).load(order(shelf)).code == ""
    assert shelf.sent == 100_000 + SIZE_B


def test_what_a_power_cut_spoiled_is_loaded_anew(shelf: Shelf, keys: Path) -> None:
    shelf.cut_after = 100_000
    wanted = order(shelf)
    assert loader(shelf, keys).load(wanted).code == "cut"
    part = shelf.folder / "own/bundle.part"
    part.write_bytes(bytes(50_000) + part.read_bytes()[50_000:])
    shelf.cut_after = 0
    assert loader(shelf, keys).load(wanted).code == "sum"
    assert left(shelf) == []
    assert loader(shelf, keys).load(wanted).code == ""


def test_more_than_was_ordered_is_never_taken(shelf: Shelf, keys: Path) -> None:
    found = loader(shelf, keys).load(replace(order(shelf), size=SIZE_B - 1))
    assert (found.code, found.more) == ("large", str(SIZE_B - 1))
    assert shelf.folder.joinpath("own/bundle.part").exists() is False


def test_what_leaves_no_room_for_the_journal_is_not_begun(
    shelf: Shelf, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "RESERVE_B", 1 << 62)
    assert loader(shelf, keys).load(order(shelf)).code == "room"


def test_what_is_loaded_anew_may_have_the_room_of_what_was_there(
    shelf: Shelf, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "RESERVE_B", 100_000)
    with memory(shelf.folder / "own", "600k"):
        shelf.cut_after = 250_000
        assert loader(shelf, keys).load(order(shelf)).code == "cut"
        shelf.cut_after, shelf.ranges = 0, False
        assert loader(shelf, keys).load(order(shelf)).code == ""


@pytest.mark.parametrize("tells", [True, False], ids=["known size", "unknown size"])
def test_a_disk_that_gets_full_is_given_its_room_back_at_once(
    shelf: Shelf, keys: Path, monkeypatch: pytest.MonkeyPatch, tells: bool
) -> None:
    monkeypatch.setattr(load, "RESERVE_B", 150_000)
    monkeypatch.setattr(load, "SYNC_B", 32 * 1024)
    shelf.tells_length = tells
    with memory(shelf.folder / "own", "512k") as disk:
        other = disk / "journal"
        other.write_bytes(bytes(100_000))
        found = loader(shelf, keys).load(order(shelf))
        assert (found.code, int(found.more) > 0) == ("room", True)
        assert [path.name for path in disk.iterdir() if path.suffix != ".json"] == ["journal"]
        other.unlink()
        assert loader(shelf, keys).load(order(shelf)).code == ""


def test_a_disk_that_is_full_all_the_same_is_given_its_room_back(
    shelf: Shelf, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "RESERVE_B", -1 << 40)
    with memory(shelf.folder / "own", "256k") as disk:
        found = loader(shelf, keys).load(order(shelf))
        assert found.code == "room"
        assert left(shelf) in ([], ["bundle.json"])
        assert os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize > 200_000


def test_a_file_that_is_not_there_is_told(shelf: Shelf, keys: Path) -> None:
    wanted = order(shelf)
    (shelf.folder / "b.raucb").unlink()
    found = loader(shelf, keys).load(wanted)
    assert (found.code, found.more) == ("gone", "HTTP 404")


def test_without_a_certificate_of_the_link_nothing_is_loaded(shelf: Shelf, keys: Path) -> None:
    wanted = order(shelf)
    assert loader(shelf, keys, "stranger").load(wanted).code == "cut"
    wrong = Keys(keys / "stranger.pem", keys / "node.pem", keys / "node.key")
    found = Loader(shelf.folder / "own", wrong, 64 << 20, lambda part: None).load(wanted)
    assert found.code == "cut"
    assert "certificate" in found.more
    assert shelf.sent == 0


def test_who_waits_for_it_may_stop_it_and_what_came_stays(shelf: Shelf, keys: Path) -> None:
    def stop(part: float) -> None:
        raise Stopped

    mine = Keys(keys / "ca.pem", keys / "node.pem", keys / "node.key")
    slow = Loader(shelf.folder / "own", mine, 100_000, stop)
    with pytest.raises(Stopped):
        slow.load(order(shelf))
    came_b = (shelf.folder / "own/bundle.part").stat().st_size
    assert 100_000 <= came_b < SIZE_B
    assert loader(shelf, keys).load(order(shelf)).code == ""
