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


def test_an_output_has_no_pull() -> None:
    wrong = DRIVER.check([_device("siren", pin=22, kind="siren", pull="up")])
    assert [one[:2] for one in wrong] == [("siren", "pull")]


@pytest.mark.parametrize(("pin", "fine"), [(2, False), (3, False), (4, True)])
def test_pins_with_a_resistor_on_the_board_take_no_other_pull(pin: int, fine: bool) -> None:
    assert (not DRIVER.check([_device("eye", pin=pin, kind="motion")])) is fine


def test_an_unfinished_device_breaks_no_check() -> None:
    assert not DRIVER.check([_device("x", pin=17, kind=None)])


@pytest.mark.parametrize(
    ("options", "field", "why"),
    [
        ({"kind": "contact"}, "pin", "needs pin"),
        ({"kind": "current", "pin": 17}, "pin", "wired to adc"),
        ({"kind": "current"}, "adc", "needs adc"),
        ({"kind": "temperature", "pin": 4}, "pin", "wired to sensor"),
        ({"kind": "water", "pin": 4, "adc": "mcp3008", "channel": 0}, "adc", "not both"),
        ({"kind": "water", "adc": "mcp3008"}, "channel", "0 to 7"),
        ({"kind": "water", "adc": "ads1115", "channel": 4}, "channel", "0 to 3"),
        ({"kind": "current", "adc": "ads1115", "channel": 2, "phases": 3}, "channel", "0 to 3"),
        ({"kind": "water", "adc": "mcp3008", "channel": 0, "chip": 2}, "chip", "at most 2"),
        ({"kind": "water", "adc": "mcp3008", "channel": 0, "pull": "up"}, "pull", "no meaning"),
        ({"kind": "siren", "adc": "mcp3008", "channel": 0}, "adc", "wired to pin"),
        ({"kind": "contact", "pin": 4, "pulses": 10}, "pulses", "no meaning"),
        ({"kind": "energy", "pin": 4}, "pulses", "needs the pulses"),
        ({"kind": "energy", "pin": 4, "pulses": 1000, "debounce": 30}, "debounce", "30 ms"),
        ({"kind": "flow_volume", "pin": 2, "pulses": 1000, "pull": "none"}, "pin", "fixed pull-up"),
    ],
)
def test_what_does_not_go_together_is_told(options: dict[str, object], field: str, why: str) -> None:
    (wrong,) = DRIVER.check([_device("it", **options)])
    assert wrong[:2] == ("it", field)
    assert why in wrong[2]


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "energy", "pin": 4, "pulses": 1000, "start": 12.5, "debounce": 20},
        {"kind": "current", "adc": "ads1115", "channel": 1, "phases": 3, "amps_per_volt": 30},
        {"kind": "smoke", "adc": "mcp3008", "channel": 7, "chip": 1, "active": "low"},
        {"kind": "temperature", "sensor": "28-0316a2f1c4ff"},
    ],
)
def test_what_goes_together_is_taken(options: dict[str, object]) -> None:
    assert not DRIVER.check([_device("it", **options)])


def test_a_channel_and_a_thermometer_are_each_one_devices() -> None:
    devices = [
        _device("cooker", kind="current", adc="mcp3008", channel=0, phases=3),
        _device("sink", kind="water", adc="mcp3008", channel=2),
        _device("other", kind="water", adc="mcp3008", channel=2, chip=1),
        _device("warm", kind="temperature", sensor="28-0316a2f1c4ff"),
        _device("cold", kind="temperature", sensor="28-0316a2f1c4ff"),
    ]
    assert [wrong[:2] for wrong in DRIVER.check(devices)] == [("sink", "channel"), ("cold", "sensor")]


def test_a_clamp_on_three_phases_has_three_points() -> None:
    assert DRIVER.kinds({"kind": "current", "phases": 3}) == ("current", "current_2", "current_3")
