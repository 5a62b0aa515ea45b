"""The power goes before any change of a file while a box enrols or is left: it goes on, nothing is lost."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from homenode.enrol.boot import boot
from homenode.enrol.places import FILE
from homenode.journal import Journal
from tests.system.offices import Box, OfficeProcess


class Cut(BaseException):
    """Nothing catches it, as nothing catches a power cut."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeProcess]:
    with OfficeProcess(tmp_path_factory.mktemp("cuts") / "office") as running:
        yield running


@contextmanager
def cut_before(nth: int) -> Iterator[None]:
    """The process ends before the nth change of a name (from 0) of a file."""
    steps = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("rename", "unlink", "replace"):
            call = getattr(os, name)

            def step(*args: Any, call: Callable[..., Any] = call, **more: Any) -> Any:
                if threading.current_thread() is threading.main_thread() and next(steps) == nth:
                    raise Cut
                return call(*args, **more)

            patch.setattr(os, name, step)
        yield


def cut(nth: int, work: Callable[[], object]) -> bool:
    """Whether it was cut short, before it was through."""
    try:
        with cut_before(nth):
            work()
    except Cut:
        return True
    return False


@pytest.mark.parametrize("each", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_a_first_boot_that_is_cut_short_goes_on(office: OfficeProcess, tmp_path: Path, each: int) -> None:
    """From the card's file to the home, by a code that counts once."""
    for nth in itertools.count(each // 2, each):
        home, serial = f"cut-{nth}-{each}", f"7{each}000000{nth:08}"
        office.describe(home)
        box = Box(tmp_path / home, serial)
        office.code("box", "add", serial, "--home", home, "--file", str(box.places.boot / FILE))

        def first_boot(box: Box = box) -> None:
            boot(box.places, run=tmp_path / "run", lamps=())
            box.once()

        was_cut = cut(nth, first_boot)
        first_boot()
        assert box.once().done, nth
        assert f"home: {home}" in box.places.home.read_text()
        assert not (box.places.boot / FILE).exists()
        assert not box.places.provision.exists()
        if not was_cut:
            break
    assert nth > 10


@pytest.mark.parametrize("each", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_a_box_that_begins_anew_and_is_cut_short_is_no_copy_of_itself(
    office: OfficeProcess, tmp_path: Path, each: int
) -> None:
    office.describe(f"anew-{each}")
    box = Box(tmp_path, f"9{each}00000000000001")
    for nth in itertools.count(-1, each):
        box.provisioned(office, office.code("box", "add", box.serial, "--home", f"anew-{each}"))
        was_cut = cut(nth, box.once)
        assert box.once().done, nth
        assert box.once().done, nth
        if nth >= 0 and not was_cut:
            break
    assert nth > 5
    assert "two boxes, one identity" not in [
        one["what"] for one in office.listed()["reports"] if one["serial"] == box.serial
    ]


@pytest.mark.parametrize("each", [8, pytest.param(1, marks=pytest.mark.soak)])
def test_a_tenancy_whose_end_is_cut_short_ends(office: OfficeProcess, memory: Path, each: int) -> None:
    """From the office's word to the proof; what was erased before the cut is not erased twice."""
    for nth in itertools.count(each // 2, each):
        home, serial = f"left-{nth}-{each}", f"8{each}000000{nth:08}"
        office.describe(home)
        box = Box(memory / home, serial).provisioned(
            office, office.code("box", "add", serial, "--home", home)
        )
        assert box.once().done
        with Journal.open(box.places.data) as journal:
            journal.append({"t": "tr", "alert": "stove:1", "text": "Karin", "at": 1}, klass="alert")
            journal.commit().result(20)
        office.says("leave", home)
        was_cut = cut(nth, box.once)
        with contextlib.suppress(FileNotFoundError):
            before = box.places.key.read_bytes()
        for _ in range(2):
            if office.box(serial)["state"] != "gone" or box.places.erase.exists():
                box.once()
        assert office.box(serial)["state"] in ("gone", "asking"), nth  # for another home
        assert not box.places.erase.exists()
        assert not box.places.key.exists() or box.places.key.read_bytes() != before
        assert list((office.folder / "proofs").glob(f"{home}-*.jws")), nth
        assert not box.places.home.exists()
        assert not any(b"Karin" in path.read_bytes() for path in (memory / home).rglob("*") if path.is_file())
        if not was_cut:
            break
    assert nth > 10
