"""The rows of devices that speak MQTT: ours are whole, and a mistake in home.yaml or in one's own is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from drivers.mqtt_device import DRIVER
from drivers.mqtt_device.rows import NOTHING, Mistaken, Point, families, points, there
from homenode.config.model import Device

MESSAGES = yaml.safe_load(Path(__file__).with_name("mqtt_messages.yaml").read_text())
PUMP = """
pump:
  source: a capture
  topic: "{topic}/state"
  points:
    water: {path: sump.alarm, true: [on], false: [off]}
    power: {path: motor.0.kW, scale: 1000}
"""


def mistakes(**options: Any) -> list[tuple[str, str, str]]:
    said = {"family": "zigbee2mqtt", "topic": "zigbee2mqtt/door", "points": ("contact",), **options}
    return list(DRIVER.check([Device("door", "mqtt_device", "hall", options=said)]))


@pytest.mark.parametrize("family", families())
def test_each_row_of_ours_makes_a_point(family: str) -> None:
    kinds = tuple(families()[family]["points"])
    made = points({"family": family, "topic": "a/b", "entity": "c", "points": kinds})
    for point in made:
        said = " ".join([point.topic, *(one.topic for one in (point.ask, point.on, point.off) if one)])
        assert "{" not in said
        assert "a/b" in said


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: f"{message['family']} {message['at']}")
def test_what_devices_say_is_read(message: dict[str, Any]) -> None:
    told = {}
    for point in points({**message, "points": tuple(message["means"])}):
        assert point.topic == message["at"]
        try:
            value = point.value(message["says"].encode())
            told[point.kind] = "nothing" if value is NOTHING else value
        except Mistaken:
            told[point.kind] = "fault"
    assert told == message["means"]


@pytest.mark.parametrize(
    ("options", "field", "word"),
    [
        ({"family": "zigbee2mqt"}, "family", "one of zigbee2mqtt"),
        ({"points": ("contact", "valve")}, "points", "has no valve; it has contact"),
        ({"family": "esphome"}, "entity", "needs entity"),
        ({"rows": Path("/nowhere/rows.yaml")}, "rows", "can't be read"),
    ],
)
def test_a_mistake_is_told_at_its_field(options: dict[str, Any], field: str, word: str) -> None:
    ((_, told, text),) = mistakes(**options)
    assert told == field
    assert word in text


def test_a_row_of_ones_own_is_used_and_on_is_a_word(tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text(PUMP)
    own = {"family": "pump", "topic": "pump", "points": ("water", "power"), "rows": tmp_path / "rows.yaml"}
    assert not mistakes(**own)
    water, power = points(own)
    assert water.value(b'{"sump": {"alarm": "on"}}') is True
    assert power.value(b'{"motor": [{"kW": 1.5}]}') == 1500.0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("  source: a capture\n", ""), "source is missing"),
        (("water:", "wetter:"), "is not a kind"),
        ((", false: [off]", ""), "false must be a list"),
        (("scale", "skale"), "unknown field skale"),
        (("pump:\n", "pump: [\n"), "is no YAML"),
    ],
)
def test_a_mistake_in_a_row_of_ones_own_is_told(tmp_path: Path, change: tuple[str, str], word: str) -> None:
    (tmp_path / "rows.yaml").write_text(PUMP.replace(*change))
    ((_, field, text),) = mistakes(family="pump", points=("water",), rows=tmp_path / "rows.yaml")
    assert field == "rows"
    assert word in text


def test_one_is_not_true_and_no_word_is_a_number() -> None:
    smoke = Point("smoke", "t", "smoke", (True,), (False,))
    assert smoke.value(b'{"smoke": true}') is True
    assert smoke.value(b'{"other": true}') is NOTHING
    assert smoke.value(b'{"smoke": null}') is None
    for wrong in (b'{"smoke": 1}', b'{"smoke": "true"}'):
        with pytest.raises(Mistaken):
            smoke.value(wrong)
    for wrong in (b"on", b"nan", b"1e99", b""):
        with pytest.raises(Mistaken):
            Point("power", "t").value(wrong)


def test_an_error_takes_the_worth_of_a_no_and_never_of_a_yes() -> None:
    water = Point("water", "t", "alarm", (True,), (False,), unless="errors")
    assert water.value(b'{"alarm": false, "errors": []}') is False
    assert water.value(b'{"alarm": false, "errors": ["cable_unplugged"]}') is None
    assert water.value(b'{"alarm": true, "errors": ["cable_unplugged"]}') is True


@pytest.mark.parametrize(
    "stamp", ['"2026-11-27T09:00:01.5+01:00"', '"2026-11-27T08:00:01.500Z"', "1795766401500", "1795766401.5"]
)
def test_last_seen_in_each_form_is_the_same_instant(stamp: str) -> None:
    point = Point("smoke", "t", "smoke", (True,), (False,), seen="last_seen")
    assert point.seen_ms(f'{{"smoke": true, "last_seen": {stamp}}}'.encode()) == 1_795_766_401_500


@pytest.mark.parametrize("stamp", ["null", "true", '"yesterday"', '"2026-11-27T08:00:01"', "1e400", "[]"])
def test_a_last_seen_that_is_no_instant_dates_nothing(stamp: str) -> None:
    point = Point("smoke", "t", "smoke", (True,), (False,), seen="last_seen")
    assert point.seen_ms(f'{{"smoke": true, "last_seen": {stamp}}}'.encode()) is None


def test_a_bridge_is_looked_for_above_a_name_with_slashes() -> None:
    found = {sign.topic for sign in there({"family": "zigbee2mqtt", "topic": "home/z2m/hall/door"})}
    assert found >= {"home/z2m/hall/door/availability", "home/bridge/state", "home/z2m/bridge/state"}


@pytest.mark.parametrize(
    ("payload", "is_there"), [(b"online", True), (b'{"state": "offline"}', False), (b"", NOTHING)]
)
def test_availability_is_text_or_json(payload: bytes, is_there: Any) -> None:
    sign = next(there({"family": "zigbee2mqtt", "topic": "zigbee2mqtt/door"}))
    try:
        assert sign.value(payload) is is_there
    except Mistaken:
        assert is_there is NOTHING
