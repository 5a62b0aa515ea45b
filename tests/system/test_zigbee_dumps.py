"""Dumps of real devices, joined, interviewed and driven through the real stack."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.unit.zigbee.devices_at_hand import DUMPS, index
from tests.zigbee_dumps.stack import drive_all, subset


def _files() -> list[Path]:
    index()  # skips where the dumps are not at hand
    return sorted((DUMPS / "json").glob("*.json"))


def test_a_device_of_each_kind_is_interviewed_and_says_what_is_done_to_it(tmp_path: Path) -> None:
    found = asyncio.run(asyncio.wait_for(drive_all(tmp_path, list(subset(_files()))), 110))
    assert [str(one) for one in found if not one.sound] == []
    assert sum(one.driven for one in found) > 40


@pytest.mark.soak
def test_every_dumped_device_is_interviewed_and_says_what_is_done_to_it(tmp_path: Path) -> None:
    found = asyncio.run(drive_all(tmp_path, _files(), tell=print))
    assert [str(one) for one in found if not one.sound] == []
