"""Who takes which pin: devices, buses that devices use, HATs, serial ports of the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gpio import DRIVER as GPIO
from drivers.gpio.pins import chip_labels, header_chip, why_not_on
from homenode.boards import board_here, boards
from homenode.config.check import check_home, look_closer
from homenode.config.fields import Field
from homenode.config.load import read_home
from homenode.config.rows import BOARDS, BUSES
from homenode.errors import Mistake

HOME = """\
home: try-1
timezone: Europe/Stockholm
{top}devices:
  {devices}
"""
SINK = "sink: {driver: gpio, adc: mcp3008, channel: 0, kind: water, room: kitchen}"
SMOKE = "smoke: {driver: gpio, adc: ads1115, channel: 0, kind: smoke, room: hall}"
WARM = "warm: {driver: gpio, sensor: 28-0316a2f1c4ff, kind: temperature, room: hall}"


def _pin(name: str, pin: int) -> str:
    return f"{name}: {{driver: gpio, pin: {pin}, kind: contact, room: hall}}"


def _mistakes(tmp_path: Path, devices: Sequence[str], top: str = "") -> tuple[Mistake, ...]:
    file = tmp_path / "home.yaml"
    file.write_text(HOME.format(top=top, devices="\n  ".join(devices)), encoding="utf-8")
    return check_home(file).mistakes


def test_the_words_of_home_yaml_are_those_of_the_data() -> None:
    assert set(BOARDS) == set(boards().boards)
    assert set(BUSES) == set(boards().buses)


def test_the_header_has_each_gpio_once() -> None:
    header = boards().header
    assert sorted(header) == list(range(1, 41))
    assert sorted(pin for pin in header.values() if isinstance(pin, int)) == list(range(28))
    assert sum(pin == "GND" for pin in header.values()) == 8
    assert (boards().physical(17), boards().physical(21)) == (11, 40)


def test_gpiozero_knows_the_same_header() -> None:
    """Its table is another source than ours."""
    gpiozero = pytest.importorskip("gpiozero.pins.pi", reason="the extra gpio is not installed")
    header = gpiozero.PiBoardInfo.from_revision(0x902120).headers["J8"].pins
    words = {"3V3": "3V3", "5V": "5V", "GND": "GND"}
    theirs = {n: words.get(pin.name) or int(pin.name.removeprefix("GPIO")) for n, pin in header.items()}
    assert theirs == dict(boards().header)


@pytest.mark.parametrize(
    ("devices", "field", "found"),
    [
        ([_pin("door", 17), _pin("window", 17)], "devices.window.pin", "GPIO 17, a pin, which door uses"),
        ([_pin("door", 9), SINK], "devices.door.pin", "MISO of SPI, which sink uses"),
        ([_pin("door", 7), SINK], "devices.door.pin", "CE1 of SPI, which sink uses"),
        ([SMOKE, _pin("door", 3)], "devices.door.pin", "SCL of I²C, which smoke uses"),
        ([WARM, _pin("door", 4)], "devices.door.pin", "DATA of 1-Wire, which warm uses"),
    ],
)
def test_a_pin_that_two_want_is_told_with_line_owner_and_free_pins(
    tmp_path: Path, devices: list[str], field: str, found: str
) -> None:
    (mistake,) = _mistakes(tmp_path, devices)
    assert mistake.field == field
    assert found in mistake.found
    assert mistake.line == 4 + next(
        n for n, text in enumerate(devices) if text.startswith(field.split(".")[1])
    )
    taken = {17} if "17" in found else set()
    accepted = {int(word) for word in mistake.accepted.split(": ")[1].replace(" or", ",").split(", ")}
    assert accepted
    assert not accepted & (taken | {0, 1})


@pytest.mark.parametrize(("hat", "pin"), [("i2c1", 2), ("spi0", 8), ("uart0", 15), ("pcm", 18), ("w1", 4)])
def test_a_hat_takes_its_pins(tmp_path: Path, hat: str, pin: int) -> None:
    (mistake,) = _mistakes(tmp_path, [_pin("door", pin)], f"hats: [{hat}]\n")
    assert "a HAT uses" in mistake.found
    assert not _mistakes(tmp_path, [_pin("door", 22)], f"hats: [{hat}]\n")


def test_a_bus_is_shared_by_what_hangs_on_it(tmp_path: Path) -> None:
    other = "floor: {driver: gpio, adc: ads1115, chip: 1, channel: 0, kind: water, room: bathroom}"
    assert not _mistakes(tmp_path, [SMOKE, other, SINK, WARM], "hats: [i2c1]\n")


def test_a_pin_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    (mistake,) = _mistakes(tmp_path, [_pin("door", 28)])
    assert (mistake.line, mistake.field, mistake.accepted) == (
        4,
        "devices.door.pin",
        "a whole number from 2 to 27",
    )


def _stick(port: str) -> str:
    return f"radios:\n  zigbee: {{driver: zigbee, port: {port}, adapter: ezsp}}\n"


def test_a_serial_port_of_the_board_takes_its_pins(tmp_path: Path) -> None:
    (mistake,) = _mistakes(tmp_path, [_pin("door", 14)], _stick("/dev/ttyAMA0"))
    assert "TXD of serial port, which zigbee uses" in mistake.found
    assert not _mistakes(tmp_path, [_pin("door", 14)], _stick("/dev/ttyUSB0"))


def test_a_serial_port_that_only_another_board_has_is_a_mistake(tmp_path: Path) -> None:
    (mistake,) = _mistakes(tmp_path, [_pin("door", 17)], f"board: zero2w\n{_stick('/dev/ttyAMA5')}")
    assert mistake.field == "radios.zigbee.port"
    assert mistake.accepted.endswith("/dev/serial0, /dev/ttyAMA0 or /dev/ttyS0")
    (mistake,) = _mistakes(tmp_path, [_pin("door", 12)], f"board: pi4\n{_stick('/dev/ttyAMA5')}")
    assert mistake.field == "devices.door.pin"


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize(
    "port", ["/dev/serial/by-id/usb-ITead_Sonoff-if00-port0", "/dev/ttyUSB0", "/dev/ttyACM1"]
)
def test_a_stick_takes_no_pin_whatever_the_board(tmp_path: Path, board: str, port: str) -> None:
    devices = [_pin(f"door_{pin}", pin) for pin in range(2, 28)]
    assert not _mistakes(tmp_path, devices, f"board: {board}\n{_stick(port)}")


def test_the_debug_port_of_a_pi_5_is_not_on_the_header(tmp_path: Path) -> None:
    assert not _mistakes(tmp_path, [_pin("door", 14)], f"board: pi5\n{_stick('/dev/serial0')}")


@pytest.mark.parametrize("top", ["board: pi9\n", "hats: [spi9]\n"])
def test_an_unknown_board_or_bus_is_told_with_those_there_are(tmp_path: Path, top: str) -> None:
    (mistake,) = _mistakes(tmp_path, [_pin("door", 17)], top)
    assert mistake.line == 3
    assert "zero2w" in mistake.accepted or "spi0" in mistake.accepted


@settings(max_examples=30)  # each reads a file
@given(st.lists(st.integers(2, 27), min_size=1, max_size=12))
def test_each_pin_that_is_wanted_again_is_one_mistake(
    tmp_path_factory: pytest.TempPathFactory, pins: list[int]
) -> None:
    devices = [_pin(f"door_{n}", pin) for n, pin in enumerate(pins)]
    found = _mistakes(tmp_path_factory.getbasetemp(), devices)
    assert len(found) == len(pins) - len(set(pins))


MODELS = {
    "pi3": "Raspberry Pi 3 Model B Plus Rev 1.3",
    "pi4": "Raspberry Pi 4 Model B Rev 1.5",
    "pi5": "Raspberry Pi 5 Model B Rev 1.0",
    "zero2w": "Raspberry Pi Zero 2 W Rev 1.0",
}


@pytest.mark.parametrize("here", MODELS)
def test_on_another_board_than_home_yaml_says_the_check_fails(tmp_path: Path, here: str) -> None:
    model = tmp_path / "model"
    model.write_text(MODELS[here] + "\0")
    assert (board := board_here(model)) is not None
    assert board.word == here
    for said in BOARDS:
        _mistakes(tmp_path, [_pin("door", 17)], f"board: {said}\n")
        file = str(tmp_path / "home.yaml")
        report = look_closer(check_home(file), file, model)
        told = [(mistake.line, mistake.field, mistake.suggestion) for mistake in report.mistakes]
        assert told == ([] if said == here else [(3, "board", here)])


def test_a_machine_that_is_no_pi_says_nothing_about_the_board(tmp_path: Path) -> None:
    _mistakes(tmp_path, [_pin("door", 17)], "board: pi4\n")
    file = str(tmp_path / "home.yaml")
    assert not look_closer(check_home(file), file, tmp_path / "no such file").mistakes


@pytest.mark.parametrize(("pin", "its"), [(0, "ID_SD"), (1, "ID_SC")])
def test_what_only_the_eeprom_of_a_hat_may_use_is_refused_to_any_driver(
    tmp_path: Path, pin: int, its: str
) -> None:
    fields = (Field("pin", "whole", "Any"), Field("kind", "word", "Any"))
    careless = replace(GPIO, device_fields=fields, check=lambda devices: ())
    (tmp_path / "home.yaml").write_text(
        f"home: h\ntimezone: UTC\ndevices:\n  door: {{driver: gpio, pin: {pin}, kind: contact, room: hall}}\n"
    )
    _, notes = read_home(tmp_path / "home.yaml", drivers={"gpio": careless})
    (mistake,) = notes.mistakes
    assert (mistake.line, mistake.field) == (4, "devices.door.pin")
    assert f"which is {its} of the EEPROM of a HAT" in mistake.found


SEEN = {  # raspberrypi/linux pull 6144, WiringPi issue 280
    "pi3": {0: "pinctrl-bcm2835", 1: "raspberrypi-exp-gpio"},
    "pi4": {0: "pinctrl-bcm2711", 1: "raspberrypi-exp-gpio"},
    "pi5 before 6.6.45": {0: "gpio-brcmstb@107d508500", 1: "gpio-brcmstb@107d508520", 4: "pinctrl-rp1"},
    "pi5 since": {0: "pinctrl-rp1", 10: "gpio-brcmstb@107d508500", 11: "gpio-brcmstb@107d508520"},
    "no Raspberry Pi": {0: "INT34C5:00"},
}


@pytest.mark.parametrize(("seen", "chip"), [*zip(SEEN, (0, 0, 4, 0, None), strict=True)])
def test_the_chip_with_the_header_is_found_by_its_name(seen: str, chip: int | None) -> None:
    assert header_chip(SEEN[seen]) == chip


def test_a_library_that_can_not_move_the_pins_of_the_board_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pi5 = boards().boards["pi5"]
    assert why_not_on(pi5, "rpigpio") == "rpigpio can't move the pins of a Raspberry Pi 5; lgpio can"
    assert why_not_on(pi5, "lgpio") == why_not_on(None, "pigpio") == ""
    monkeypatch.delenv("PIGPIO_ADDR", raising=False)
    assert why_not_on(pi5, "pigpio")
    monkeypatch.setenv("PIGPIO_ADDR", "192.168.1.2")
    assert not why_not_on(pi5, "pigpio")


def test_a_machine_without_pins_has_no_such_chip(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").write_text("no chip")
    assert chip_labels(tmp_path) == {}
