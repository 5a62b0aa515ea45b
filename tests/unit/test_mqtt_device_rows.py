"""The rows of devices that speak MQTT: ours are whole, and a mistake in home.yaml or in one's own is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drivers.mqtt_device import DRIVER
from drivers.mqtt_device.rows import NOTHING, Mistaken, Point, families, points
from homenode.config.model import Device

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
