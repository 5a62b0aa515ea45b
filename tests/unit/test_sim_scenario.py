"""Scenario sentences and files: what is understood, and what is told of what isn't."""

from __future__ import annotations

import random
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from homenode.errors import FileMistakes
from homenode.sim.apartment import read_apartment
from homenode.sim.appliances import APPLIANCES
from homenode.sim.scenario import read_scenario
from homenode.sim.sentences import Goes, Measures, Presses, Runs, Sets, Words, understand
from homenode.sim.wiring import USUAL

STOCKHOLM = ZoneInfo("Europe/Stockholm")
WORDS = Words(
    rooms=("kitchen", "bathroom", "hall"),
    devices={
        "bed": ("occupancy",),
        "front_door": ("contact",),
        "stove": ("switch", "power", "energy"),
        "help": ("button", "battery"),
    },
    appliances={"hob": "stove"},
    beds=("bed",),
    people=("anna", "bo"),
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("bed empty", Sets("bed", False)),
        ("front_door open", Sets("front_door", True)),
        ("hob on", Runs("stove", True)),
        ("stove on", Sets("stove", True)),
        ("bathroom", Goes("anna", "bathroom")),
        ("bo kitchen", Goes("bo", "kitchen")),
        ("bo in kitchen", Goes("bo", "kitchen")),
        ("bo goes to the kitchen", Goes("bo", "kitchen")),
        ("leaves the kitchen", Goes("anna", "")),
        ("bo leaves home", Goes("bo", "out")),
        ("anna out", Goes("anna", "out")),
        ("anna bed", Goes("anna", "bed")),
        ("help press", Presses("help", "single")),
        ("help press double", Presses("help", "double")),
        ("stove 1400", Measures("stove", "power", 1400.0)),
        ("stove energy 3.5", Measures("stove", "energy", 3.5)),
    ],
)
def test_a_sentence_means(text: str, meant: object) -> None:
    assert understand(text, WORDS) == meant


@pytest.mark.parametrize("text", ["anna cellar", "fridge on", "stove maybe", "stove colour 3", "bed", "anna"])
def test_what_is_not_understood_is_told_with_what_would_be(text: str) -> None:
    if text == "bed":
        assert understand(text, WORDS) == Goes("anna", "bed")
        return
    with pytest.raises(ValueError, match=r"bed|hall|on"):
        understand(text, WORDS)


def _scenario(folder: Path, text: str) -> Path:
    file = folder / "day.yaml"
    file.write_text(text)
    return file


def test_a_time_before_its_predecessor_is_the_next_day(tmp_path: Path) -> None:
    file = _scenario(tmp_path, "day:\n  - 23:00 front_door open\n  - 01:00 front_door closed\n")
    scenario = read_scenario(file, WORDS)
    begins = datetime(2026, 1, 5, 12, 0, tzinfo=STOCKHOLM)
    times = [at.isoformat() for at, _ in islice(scenario.from_time(begins, STOCKHOLM), 3)]
    assert times == ["2026-01-05T23:00:00+01:00", "2026-01-06T01:00:00+01:00", "2026-01-07T23:00:00+01:00"]


def test_what_was_before_the_beginning_is_left_out(tmp_path: Path) -> None:
    file = _scenario(tmp_path, "repeat: false\nday:\n  - 07:10 bed empty\n  - 11:40:30 hob on\n")
    moments = list(read_scenario(file, WORDS).from_time(datetime(2026, 1, 5, 8, tzinfo=STOCKHOLM), STOCKHOLM))
    assert [(at.hour, at.second, moment.text) for at, moment in moments] == [(11, 30, "hob on")]


def test_all_mistakes_of_a_scenario_are_told_at_once(tmp_path: Path) -> None:
    file = _scenario(
        tmp_path,
        "peple: [anna]\nstart: {resident: cellar}\n"
        "day:\n  - 25:00 hob on\n  - 07:00 hub on\n  - 07:10 hob on\n",
    )
    with pytest.raises(FileMistakes) as told:
        read_scenario(file, WORDS)
    assert [(mistake.line, mistake.field) for mistake in told.value.mistakes] == [
        (1, "peple"),
        (2, "start.resident"),
        (4, "day[0]"),
        (5, "day[1]"),
    ]


def test_the_demo_is_without_mistakes() -> None:
    folder = Path(__file__).parents[2] / "homenode" / "demo"
    apartment = read_apartment(folder / "apartment.yaml")
    assert apartment.scenario is not None
    assert set(apartment.zigbee) >= {"stove", "kitchen_eye", "hall_eye"}
    assert apartment.gpio["front_door"].pin == 17


def test_all_mistakes_of_an_apartment_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "apartment.yaml"
    file.write_text(
        "pairing: maybe\n"
        "zigbee:\n"
        '  stove: {model: plugg, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen}\n'
        '  eye: {model: motion, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen}\n'
        "gpio:\n"
        "  door: {pin: 17, kind: contact, room: hall, between: [hall]}\n"
        "  sink: {pin: 17, kind: water, room: kitchen}\n"
        "  eye: {pin: 99, kind: motion, room: hall}\n"
    )
    with pytest.raises(FileMistakes) as told:
        read_apartment(file)
    assert [mistake.field for mistake in told.value.mistakes] == [
        "pairing",
        "zigbee.stove.model",
        "zigbee.eye.ieee",
        "gpio.door.between",
        "gpio.sink.pin",
        "gpio.eye.pin",
    ]
    assert told.value.mistakes[1].suggestion == "plug"


def test_a_hob_pauses_no_longer_than_a_real_thermostat() -> None:
    spans = list(islice(APPLIANCES["hob"].run(random.Random(3)), 200))
    assert spans[0][0] > 1000
    assert max(seconds for watts, seconds in spans if watts < 50) <= 431
    assert min(seconds for watts, seconds in spans if watts < 50) >= 100


def test_a_kettle_turns_itself_off() -> None:
    assert len(list(APPLIANCES["kettle"].run(random.Random(3)))) == 1


@pytest.mark.parametrize("kind", [kind for kind, wiring in USUAL.items() if not wiring.is_output])
def test_the_usual_wiring_is_what_the_gpio_driver_expects(kind: str) -> None:
    from drivers.gpio.kinds import COUNTED, WIRINGS, Wiring

    meter = Wiring(False, "up", "low", "closes to ground for each pulse")
    expected = meter if kind in COUNTED else WIRINGS[kind]
    for active in (True, False):
        forced = USUAL[kind].drives(active)
        level = (expected.pull == "up") if forced is None else forced
        assert (level is (expected.active == "high")) is active
