"""What a driver says of its devices: only what can be becomes a value, and only of its own devices."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from homenode.driver import Driver, Host
from homenode.errors import SetupError
from homenode.gateway import supervisor
from homenode.gateway.clock import Clock
from homenode.gateway.inbox import Alive, Inbox, Item, Trouble
from homenode.gateway.supervisor import Supervised, _DriverHost
from homenode.reading import Reading


def a_host(*open_before: str) -> tuple[_DriverHost, Inbox]:
    loop = asyncio.new_event_loop()
    inbox = Inbox(loop, lambda: None)
    loop.close()  # nobody is woken here
    clock = Clock(start_ms=1_767_600_000_000)
    return _DriverHost("zigbee", ["eye", "stove"], Path(), clock, inbox, lambda: 7, open_before), inbox


def said(inbox: Inbox) -> list[Item]:
    inbox._woken = True  # nobody is to be woken here
    return inbox.take(100)


def test_a_reading_goes_through_as_it_is() -> None:
    host, inbox = a_host()
    host.heard("stove", "power", 5.5, 1234)
    assert said(inbox) == [Reading("stove.power", 5.5, 1234)]


def test_a_finer_time_stamp_is_cut_to_whole_milliseconds() -> None:
    host, inbox = a_host()
    host.heard("stove", "power", 5.5, 1234.9)  # type: ignore[arg-type]  # as a driver that divides
    (reading,) = said(inbox)
    assert isinstance(reading, Reading)
    assert repr(reading.at) == "1234"


@pytest.mark.parametrize("at", ["2026-01-01", float("nan"), [1]])
def test_a_time_stamp_that_is_none_is_its_drivers_own_mistake_and_goes_no_further(at: object) -> None:
    host, inbox = a_host()
    with pytest.raises((TypeError, ValueError)):
        host.heard("stove", "power", 5.5, at)  # type: ignore[arg-type]  # as a driver with a mistake
    assert said(inbox) == []


@pytest.mark.parametrize("value", ["hot", True, 1e9, float("nan"), [1], 10**400])
def test_a_value_that_can_not_be_is_a_fault_once_and_null_each_time(value: object) -> None:
    host, inbox = a_host()
    for _ in range(3):
        host.heard("stove", "power", value, 5)  # type: ignore[arg-type]  # as a driver with a mistake
    items = said(inbox)
    assert [item for item in items if isinstance(item, Reading)] == [Reading("stove.power", None, 5)] * 3
    troubles = [item for item in items if isinstance(item, Trouble)]
    assert [(trouble.source, trouble.devices) for trouble in troubles] == [("stove.power value", ("stove",))]
    assert "the value was not used" in troubles[0].why


def test_the_next_value_that_can_be_ends_the_fault() -> None:
    host, inbox = a_host()
    host.heard("stove", "power", True, 5)
    host.heard("stove", "power", 7.0, 6)
    assert [item.why for item in said(inbox) if isinstance(item, Trouble)][1:] == [""]


def test_a_kind_that_is_none_is_a_fault_and_no_reading() -> None:
    host, inbox = a_host()
    host.heard("stove", "warmth", 1.0)
    (trouble,) = said(inbox)
    assert isinstance(trouble, Trouble)
    assert "is not in the table of kinds" in trouble.why


def test_a_device_of_somebody_else_is_passed_over() -> None:
    host, inbox = a_host()
    host.heard("front_door", "contact", False)
    host.alive("front_door")
    assert said(inbox) == []
    host.alive("eye")
    assert [type(item) for item in said(inbox)] == [Alive]


def test_a_loss_is_told_once_and_what_is_said_after_it_ends_it() -> None:
    host, inbox = a_host()
    for _ in range(3):
        host.lost("zigbee", "the stick is gone", ["eye"])
    host.alive("eye")
    told = [(item.source, item.why) for item in said(inbox) if isinstance(item, Trouble)]
    assert told == [("zigbee", "the stick is gone"), ("zigbee", "")]


def test_a_loss_says_whether_a_battery_is_to_be_changed() -> None:
    host, inbox = a_host()
    host.lost("eye battery", "the battery of eye is low", ["eye"], battery=True)
    host.lost("zigbee", "the stick is gone")
    assert [item.battery for item in said(inbox) if isinstance(item, Trouble)] == [True, False]


def test_one_that_is_lost_again_soon_is_back_only_when_it_has_spoken_and_lasted() -> None:
    host, inbox = a_host()
    host.lost("zigbee", "the stick is gone")
    host.opened(host.now() + 60_000)
    host.alive("eye")
    host.steady()
    assert [item.why for item in said(inbox) if isinstance(item, Trouble)] == ["the stick is gone"]
    host.opened(host.now())
    host.steady()
    assert said(inbox) == [], "it has not spoken yet"
    host.alive("eye")
    assert [item.why for item in said(inbox) if isinstance(item, Trouble)] == [""]


def test_what_was_never_lost_is_not_back() -> None:
    host, inbox = a_host()
    host.back("zigbee")
    assert said(inbox) == []


def test_what_is_still_lost_after_a_restart_is_not_called_back_in_between() -> None:
    host, inbox = a_host("zigbee", "eye battery")
    host.opened(host.now())
    host.lost("zigbee", "the stick is gone", ["eye"])
    assert [(item.source, item.why) for item in said(inbox) if isinstance(item, Trouble)] == [
        ("zigbee", "the stick is gone")
    ]


def test_a_fault_of_the_run_before_ends_with_what_ends_one_of_this_run() -> None:
    host, inbox = a_host("zigbee", "stove.power value", "eye battery", "eye left", "storage")
    host.opened(host.now())
    host.heard("stove", "power", 7.0)
    host.back("eye battery")
    host.back("eye battery")
    told = [(item.source, item.why) for item in said(inbox) if isinstance(item, Trouble)]
    assert sorted(told) == [("eye battery", ""), ("stove.power value", ""), ("zigbee", "")]


def test_a_time_stamp_is_moved_by_what_the_clocks_differ() -> None:
    host, _ = a_host()
    assert abs(host.wall_to_instant(1_767_600_000_000) - host.now()) < 60_000
    assert host.waiting() == 7


class _Holds(Driver):
    """Holds its loop as soon as it runs, as a long import does; and once more."""

    def __init__(self, host: Host, holds: list[threading.Event]) -> None:
        self._holds = holds

    async def run(self) -> None:
        for hold in self._holds:
            hold.wait()
            await asyncio.sleep(0.1)
        await asyncio.Event().wait()


def test_a_driver_may_import_for_long_and_hangs_later(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("BEAT_S", 0.01), ("HANGS_AFTER_S", 0.05), ("FIRST_S", 0.6)):
        monkeypatch.setattr(supervisor, name, seconds)
    monkeypatch.setattr(supervisor.time, "process_time", lambda: 5.0)

    async def watched() -> list[list[str]]:
        inbox, holds = Inbox(asyncio.get_running_loop(), lambda: None), [threading.Event(), threading.Event()]
        one = Supervised("zigbee", lambda host: _Holds(host, holds), (), Path(), Clock(), inbox, lambda: 0)
        one.start()
        watch, told = asyncio.ensure_future(one.watch()), []
        for hold, held_s in zip(holds, (0.3, 0.9), strict=True):
            await asyncio.sleep(held_s)
            told.append([item.why for item in said(inbox) if isinstance(item, Trouble)])
            hold.set()
        await one.stop()
        watch.cancel()
        return told

    first, later = asyncio.run(watched())
    assert first == []
    assert later[0].startswith("zigbee hangs")


class _Lacks(Driver):
    """Finds its stick at the third try."""

    def __init__(self, tries: list[int], found: threading.Event) -> None:
        self._tries, self._found = tries, found

    async def run(self) -> None:
        self._tries.append(1)
        if len(self._tries) < 3:
            raise SetupError("there is no such port", where="/dev/ttyUSB0")
        self._found.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize(("starts_s", "faults"), [(1e12, 0), (0.0, 1)])
def test_what_a_driver_lacks_just_after_the_machines_start_is_no_fault_yet(
    monkeypatch: pytest.MonkeyPatch, starts_s: float, faults: int
) -> None:
    for name, seconds in (("MACHINE_STARTS_S", starts_s), ("RETRY_FIRST_S", 0.01), ("SETUP_RETRY_S", 0.01)):
        monkeypatch.setattr(supervisor, name, seconds)
    tries: list[int] = []
    found = threading.Event()

    async def watched() -> list[Item]:
        inbox = Inbox(asyncio.get_running_loop(), lambda: None)
        one = Supervised("zigbee", lambda host: _Lacks(tries, found), (), Path(), Clock(), inbox, lambda: 0)
        one.start()
        assert await asyncio.to_thread(found.wait, 5)
        await one.stop()
        return said(inbox)

    told = [item for item in asyncio.run(watched()) if isinstance(item, Trouble) and item.why]
    assert len({item.source for item in told}) == faults
