"""What home.yaml may say of a pin, and what a cut wire reads."""

from __future__ import annotations

import pytest

from drivers.gpio import DRIVER
from drivers.gpio.driver import _Line
from drivers.gpio.kinds import WIRINGS
from homenode.config.model import Device
from homenode.kinds import KINDS


def _device(name: str, **options: object) -> Device:
    return Device(name, "gpio", "hall", options=options)


def test_every_kind_is_in_the_table_of_kinds() -> None:
    assert set(WIRINGS) <= set(KINDS)


@pytest.mark.parametrize("kind", ["contact", "smoke", "co", "gas", "heat", "tamper", "vibration"])
def test_a_cut_wire_reads_as_an_alarm_or_an_open_door(kind: str) -> None:
    wiring = WIRINGS[kind]
    assert (wiring.pull, wiring.active) == ("up", "high")


@pytest.mark.parametrize("kind", [kind for kind, wiring in WIRINGS.items() if not wiring.output])
def test_each_row_says_what_a_cut_wire_reads(kind: str) -> None:
    assert "cut wire" in WIRINGS[kind].usual


@pytest.mark.parametrize("pull", ["up", "down", "none"])
@pytest.mark.parametrize("active", ["high", "low"])
@pytest.mark.parametrize("high", [True, False])
def test_a_point_is_true_at_its_active_level_whatever_the_pull(pull: str, active: str, high: bool) -> None:
    class Pin:  # what gpiozero says: an input with a pull-up is active when low
        value = int(not high) if pull == "up" else int(high)

    line = _Line(_device("door", pin=17, kind="contact", pull=pull, active=active))
    line.pin = Pin()
    assert line.value() is (high is (active == "high"))


def test_two_devices_on_one_pin_are_a_mistake() -> None:
    devices = [_device("door", pin=17, kind="contact"), _device("sink", pin=17, kind="water")]
    assert [wrong[:2] for wrong in DRIVER.check(devices)] == [("sink", "pin")]


def test_an_output_has_no_pull() -> None:
    wrong = DRIVER.check([_device("siren", pin=22, kind="siren", pull="up")])
    assert [one[:2] for one in wrong] == [("siren", "pull")]


@pytest.mark.parametrize(("pin", "fine"), [(2, False), (3, False), (4, True)])
def test_pins_with_a_resistor_on_the_board_take_no_other_pull(pin: int, fine: bool) -> None:
    assert (not DRIVER.check([_device("eye", pin=pin, kind="motion")])) is fine


def test_an_unfinished_device_breaks_no_check() -> None:
    assert not DRIVER.check([_device("door", pin=None, kind="contact"), _device("x", pin=17, kind=None)])
