"""Each radio fault of the simulator is over within a minute (`python -m tests.radio` prints the table)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("bellows", reason="the extra zigbee is not installed")

from drivers.zigbee import usb
from tests.radio.faults import FAULTS, play_all


def test_events_flow_again_within_a_minute_of_every_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but those for which it is learnt first, for a minute, how often sleepers poll."""
    monkeypatch.setattr(usb, "SYSFS", tmp_path / "sys")
    played = asyncio.run(play_all([fault for fault in FAULTS if fault.models], tmp_path))
    wrong = [
        (told.fault.name, round(told.seconds), told.cycles, told.why) for told in played if not told.right
    ]
    assert not wrong
