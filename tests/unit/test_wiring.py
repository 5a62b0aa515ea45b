"""The plan of a flat is right in its data, its text and its drawing."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drivers.gpio import clamp, loop
from drivers.gpio.kinds import COUNTED, LOOPS, WIRINGS
from homenode.boards import boards
from homenode.cli import main
from homenode.config.fields import Field
from homenode.config.load import load_home
from homenode.driver import DriverType
from homenode.wiring.circuits import circuits
from homenode.wiring.picture import pictures
from homenode.wiring.plan import Plan, plan
from homenode.wiring.power import data
from homenode.wiring.table import table
from homenode.wiring.words import WORDS

HOME = """\
home: vaxjo-0412
timezone: Europe/Stockholm
board: pi4
hats: [i2c1]
radios:
  zigbee: {driver: zigbee, port: /dev/ttyUSB0, adapter: ezsp}
devices:
  stove:      {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen, is: stove}
  front_door: {driver: gpio, pin: 17, kind: contact, room: hall}
  hall_eye:   {driver: gpio, pin: 27, kind: motion, room: hall}
  drain:      {driver: gpio, pin: 6, kind: water, active: high, room: bathroom}
  sink:       {driver: gpio, adc: mcp3008, channel: 0, kind: water, room: kitchen}
  smoke:      {driver: gpio, adc: mcp3008, channel: 1, kind: smoke, room: hall}
  cord:       {driver: gpio, adc: mcp3008, chip: 1, channel: 2, kind: button, room: bathroom}
  cooker:     {driver: gpio, adc: ads1115, channel: 1, phases: 3, kind: current, room: kitchen}
  meter:      {driver: gpio, pin: 5, kind: energy, pulses: 1000, room: hall}
  tap:        {driver: gpio, pin: 13, kind: flow_volume, pulses: 100, room: hall}
  bedroom:    {driver: gpio, sensor: 28-0316a2f1c4ff, kind: temperature, room: bedroom}
  siren:      {driver: gpio, pin: 22, kind: siren, room: hall}
  eye_lamp:   {driver: gpio, pin: 23, kind: light, room: hall}
"""
LANGUAGES = ("sv", "en")
TEXT = "{http://www.w3.org/2000/svg}text"


def _plan(tmp_path: Path, text: str = HOME) -> Plan:
    (tmp_path / "home.yaml").write_text(text, encoding="utf-8")
    return plan(load_home(tmp_path / "home.yaml"))


def test_each_kind_that_the_driver_takes_has_a_circuit() -> None:
    drawn = circuits()
    assert all(drawn.of("pin", kind) for kind in (*WIRINGS, *COUNTED))
    assert all(drawn.of("adc", kind) for kind in (*LOOPS, "current") if kind != "motion")
    assert drawn.of("sensor", "temperature")


def test_closed_at_rest_is_what_the_driver_calls_active_high() -> None:
    for kind, wiring in WIRINGS.items():
        for place in "pin", "adc":
            circuit = circuits().of(place, kind)
            if circuit and any(wire.to == "{contact}" for wire in circuit.wires):
                assert (kind in circuit.closed) is (wiring.active == "high"), kind


def test_outputs_are_those_of_the_driver() -> None:
    for kind, wiring in WIRINGS.items():
        circuit = circuits().of("pin", kind)
        assert circuit is not None
        assert circuit.output is wiring.output


def _ohm(text: str) -> float:
    match = re.fullmatch(r"([0-9.]+) (k?)Ω", text)
    assert match
    return float(match[1]) * (1000 if match[2] else 1)


@pytest.mark.parametrize("word", ["loop", "probe"])
def test_the_drawn_loop_has_the_resistors_that_the_driver_expects(word: str) -> None:
    circuit = next(one for one in circuits().circuits if one.word == word)
    pull, parallel = circuit.across
    assert (pull.at, pull.other, _ohm(pull.value)) == ("node", "3V3", loop.PULL_OHM)
    assert (parallel.at, parallel.other, _ohm(parallel.value)) == ("sensor", 1, loop.PARALLEL_OHM)
    assert _ohm(circuit.wires[0].outer) == loop.SERIES_OHM


def test_the_drawn_clamp_rests_where_the_driver_expects_it() -> None:
    circuit = next(one for one in circuits().circuits if one.word == "clamp")
    drawn = _ohm(circuit.across[0].value)
    rest = 0.5 * drawn / (drawn + 5_000)  # two 10 kΩ feed it
    assert clamp.REST[0] < rest < clamp.REST[1]


def test_every_text_is_there_in_both_languages() -> None:
    texts = [circuit.name for circuit in circuits().circuits]
    texts += [text for circuit in circuits().circuits for text in (circuit.ends, circuit.blind)]
    texts += [colour for colour in circuits().colours.values()] + list(data()["parts"].values())
    assert all(text[language] for text in texts for language in LANGUAGES)
    assert all(text[language] for text in WORDS.values() for language in LANGUAGES)


def test_every_part_that_is_named_is_in_the_list_with_a_price() -> None:
    parts = data()["parts"]
    named = [part.rpartition(" ")[2] for circuit in circuits().circuits for part in circuit.parts]
    named += [part for converter in circuits().converters.values() for part in converter.parts]
    named += [
        *data()["kinds"].values(),
        *data()["radios"].values(),
        *(f"board_{word}" for word in boards().boards),
    ]
    assert set(named) <= set(parts)
    for word, part in parts.items():
        low, high, rests_on = part["price"]
        assert 0 < low < high, word
        assert re.fullmatch(r"(estimate|shop|offer) 20\d\d-(0[1-9]|1[0-2])", rests_on), word
        assert "source" in part or not ({"ma_5v", "ma_3v3"} & set(part)), word


def test_each_wired_device_is_on_its_pin_of_the_header(tmp_path: Path) -> None:
    drawn = _plan(tmp_path)
    assert drawn.uses[11] == "front_door"  # GPIO 17
    assert drawn.uses[29] == "meter"
    assert drawn.uses[7] == "1-Wire"
    assert drawn.uses[3] == "SDA: HAT, ADS1115 0"
    assert drawn.uses[19] == "MOSI: MCP3008 0+1"
    assert drawn.uses[26] == "CE1: MCP3008 1"
    assert not {1, 2, 4, 6, 9} & drawn.uses.keys()
    assert [device.name for device in drawn.unwired] == ["stove"]


def test_a_contact_is_named_by_what_closes_it(tmp_path: Path) -> None:
    text = table(_plan(tmp_path), "en")
    contacts = {
        block.split(" ")[0]: re.search(r"\b(NC|NO)\b", block)
        for block in text.split("\n\n")
        if " · " in block
    }
    found = {name: match[1] for name, match in contacts.items() if match}
    assert found["front_door"] == found["smoke"] == found["drain"] == "NC"
    assert found["cord"] == "NO"
    assert "sink" not in found


@pytest.mark.parametrize(
    ("board", "port", "terminals"),
    [
        ("pi4", "/dev/serial0", ["GPIO 15", "GND", "5V"]),
        ("pi5", "/dev/ttyAMA0", ["GPIO 15", "GND", "5V"]),
        ("pi4", "/dev/serial/by-id/usb-FTDI", ["USB"] * 3),
    ],
)
def test_the_meters_p1_port_is_drawn_with_its_rj12(
    tmp_path: Path, board: str, port: str, terminals: list[str]
) -> None:
    text = f"home: x\ntimezone: UTC\nboard: {board}\nradios: {{p1: {{driver: p1, port: {port}}}}}\n"
    drawn = _plan(tmp_path, text + "devices: {meter: {via: p1, room: hall}}\n")
    (strip,) = drawn.strips
    assert [wire.to for wire in strip.wires] == ["5 DATA", "3 GND", "2 REQ"]
    assert [terminal.label for terminal in strip.terminals] == terminals
    parts = {part.word for part in drawn.parts}
    assert ("p1_cable" in parts) is (terminals[0] == "USB")
    assert ({"inverter", "rj12"} <= parts) is (terminals[0] != "USB")  # its output is an open collector
    assert drawn.uses.get(10, "") == ("" if terminals[0] == "USB" else "meter")


def test_a_port_that_is_not_on_the_header_is_told(tmp_path: Path) -> None:
    text = "home: x\ntimezone: UTC\nboard: pi5\nradios: {p1: {driver: p1, port: /dev/serial0}}\n"
    drawn = _plan(tmp_path, text + "devices: {meter: {via: p1, room: hall}}\n")
    assert not drawn.strips
    assert [device.name for device in drawn.unknown] == ["meter"]


def test_a_technicians_serial_meter_is_drawn_for_what_it_is(tmp_path: Path) -> None:
    field = Field("port", "path", "Its serial port", required=True)
    type_ = DriverType("cooker", "Itself.", (), (field,), lambda options: ("energy",), lambda *given: None)  # type: ignore[arg-type]  # is not opened
    text = "home: x\ntimezone: UTC\nboard: pi4\ndevices:\n"
    text += "  cooker: {driver: cooker, port: /dev/serial0, room: kitchen}\n"
    text += "  other: {driver: cooker, port: /dev/ttyUSB0, room: kitchen}\n"
    (tmp_path / "home.yaml").write_text(text)
    drawn = plan(load_home(tmp_path / "home.yaml", drivers={"cooker": type_}))
    assert [strip.circuit.word for strip in drawn.strips] == ["serial_uart", "serial_usb"]
    assert [terminal.label for terminal in drawn.strips[0].terminals] == ["GPIO 15", "GPIO 14", "GND"]
    assert pictures(drawn, "sv")


def test_no_terminal_of_a_converter_has_two_wires(tmp_path: Path) -> None:
    for chip in _plan(tmp_path).chips:
        terminals = [terminal for terminal, _ in chip.wires]
        assert len(set(terminals)) == len(terminals)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_drawing_has_every_terminal_part_and_colour_of_the_table(tmp_path: Path, language: str) -> None:
    drawn = _plan(tmp_path)
    sheets = [ElementTree.fromstring(sheet) for sheet in pictures(drawn, language)]
    texts = [element.text or "" for sheet in sheets for element in sheet.iter(TEXT)]
    for strip in drawn.strips:
        assert any(text.startswith(f"{strip.label} · {strip.device.room}") for text in texts)
        for wire, terminal in zip(strip.wires, strip.terminals, strict=True):
            assert any(text.startswith(terminal.label) for text in texts)
            assert wire.to in texts
            assert not wire.inner or wire.inner in texts
            assert circuits().colours[wire.colour][language] in texts
        assert all(part.value in texts for part in strip.across)
    pins = {text for text in texts if text.isdigit()}
    assert pins == {str(number) for number in range(1, 41)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_drawing_sticks_out_of_the_page(tmp_path: Path, language: str) -> None:
    long = "  a_balcony_door_of_a_long_name: {driver: gpio, pin: 19, kind: contact, room: balcony}\n"
    for sheet in pictures(_plan(tmp_path, HOME + long), language):
        _fits(ElementTree.fromstring(sheet))


def _fits(svg: ElementTree.Element) -> None:
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert width / height == pytest.approx(297 / 210, rel=0.001)
    for element in svg.iter(TEXT):
        each = 0.66 if "font-weight" in element.attrib else 0.6
        letters = len(element.text or "") * float(element.attrib["font-size"]) * each
        x = float(element.attrib["x"])
        left = {"start": x, "middle": x - letters / 2, "end": x - letters}[element.attrib["text-anchor"]]
        assert left >= 0, element.text
        assert left + letters <= width, element.text
        assert float(element.attrib["y"]) < height


def test_the_power_is_the_sum_of_the_parts_and_too_much_is_told(tmp_path: Path) -> None:
    budget = _plan(tmp_path).budget
    assert budget.own == 600
    assert budget.parts_5v == 100 + 1 + 80  # stick, PIR, relay board
    assert not budget.too_much
    relays = "\n".join(
        f"  relay_{pin}: {{driver: gpio, pin: {pin}, kind: switch, room: hall}}" for pin in range(4, 28)
    )
    many = f"home: x\ntimezone: UTC\nboard: zero2w\ndevices:\n{relays}\n"
    drawn = _plan(tmp_path, many)
    assert set(drawn.budget.too_much) == {"supply", "on_pins"}
    assert table(drawn, "en").count("TOO MUCH") == 2


def test_one_pull_up_serves_all_thermometers(tmp_path: Path) -> None:
    more = "  kitchen: {driver: gpio, sensor: 28-0316a2f1c400, kind: temperature, room: kitchen}\n"
    drawn = _plan(tmp_path, HOME + more)
    pulls = [strip.across for strip in drawn.strips if strip.circuit.word == "thermometer"]
    assert [len(across) for across in pulls] == [1, 0]
    assert [part.count for part in drawn.parts if part.word == "resistor_4k7"] == [1]


def test_a_home_without_wires_says_so(tmp_path: Path) -> None:
    text = "home: x\ntimezone: UTC\nradios: {z: {driver: zigbee, port: /dev/ttyUSB0}}\ndevices:\n"
    text += '  stove: {via: z, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen}\n'
    shown = table(_plan(tmp_path, text), "en")
    assert "Nothing is wired to the header." in shown
    assert "stove (kitchen)" in shown


def test_the_command_prints_or_writes_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "home.yaml"
    file.write_text(HOME, encoding="utf-8")
    assert main(["wiring", str(file)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Kopplingsplan vaxjo-0412")
    assert main(["wiring", str(file), "--out", str(tmp_path / "plan"), "--language", "en"]) == 0
    assert (tmp_path / "plan" / "wiring.txt").read_text().startswith("Wiring plan vaxjo-0412")
    sheets = sorted((tmp_path / "plan").glob("wiring-*.svg"))
    assert len(sheets) == 3
    assert all(sheet.read_text().startswith("<svg") for sheet in sheets)


def test_a_home_with_mistakes_has_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home.yaml").write_text(HOME.replace("pin: 27", "pin: 17"), encoding="utf-8")
    assert main(["wiring", str(tmp_path / "home.yaml")]) == 2
    assert "GPIO 17" in capsys.readouterr().err
