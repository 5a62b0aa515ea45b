"""Home Assistant is told of what is shared, each party of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homenode.config.model import NEVER, Device, Home
from homenode.contract import discovery
from homenode.delivery.exporting import discoveries
from homenode.home import HomeState
from homenode.kinds import KINDS
from tests.contract import CONTRACT

DEVICES = {
    "door": Device("door", "gpio", "hall", kinds=("contact",)),
    "eye": Device("eye", "zigbee", "kitchen", via="zigbee", model="IKEA/E1525"),
}
HOME = Home(
    path=Path("home.yaml"), home="h1", timezone="UTC", language="sv", broker=None, radios={}, devices=DEVICES,
    rules=(), share={"care": ("*.*",), "property": ("*.battery",)}, modes={},
    exports={"homeassistant": "ha/one"},
)  # fmt: skip


def state(**heard: object) -> HomeState:
    made = HomeState({"door": NEVER, "eye": 3_600_001, "eye.battery": 90_000_000})
    for kind, value in heard.items():
        made.point(f"eye.{kind}").hear(value, 1000)  # type: ignore[arg-type]  # values of points
    return made


def told(home: Home = HOME, **heard: object) -> dict[str, dict[str, Any]]:
    made = discoveries(home, state(**heard))
    for topic, payload in made.items():
        assert not CONTRACT.why_not(topic, payload, retain=True)
    return {topic: json.loads(payload) for topic, payload in made.items()}


def test_each_party_is_told_of_what_is_shared_with_it_and_of_nothing_else() -> None:
    assert set(told(motion=True, battery=90)) == {
        "ha/one/care/binary_sensor/h1/door_contact/config",
        "ha/one/care/binary_sensor/h1/eye_motion/config",
        "ha/one/care/sensor/h1/eye_battery/config",
        "ha/one/property/sensor/h1/eye_battery/config",
    }


def test_without_the_export_nothing_is_told_and_of_a_radio_only_what_was_heard() -> None:
    assert discoveries(replace(HOME, exports={}), state(motion=True)) == {}
    assert list(told()) == ["ha/one/care/binary_sensor/h1/door_contact/config"]


def test_a_point_expires_when_its_own_device_may_no_longer_be_silent() -> None:
    found = told(motion=True, battery=90)
    assert found["ha/one/care/binary_sensor/h1/eye_motion/config"]["expire_after"] == 3601
    assert found["ha/one/care/sensor/h1/eye_battery/config"]["expire_after"] == 90_000
    assert "expire_after" not in found["ha/one/care/binary_sensor/h1/door_contact/config"]


def test_a_device_has_its_room_its_model_and_one_identity_for_all_its_points() -> None:
    found = told(motion=True, battery=90)
    one = found["ha/one/care/binary_sensor/h1/eye_motion/config"]
    other = found["ha/one/care/sensor/h1/eye_battery/config"]
    assert one["device"] == other["device"]
    assert one["device"] == {
        "identifiers": ["homenode_h1_eye"], "name": "eye", "suggested_area": "kitchen",
        "manufacturer": "IKEA", "model": "E1525",
    }  # fmt: skip
    assert one["name"] == "rörelse"
    assert one["unique_id"] != other["unique_id"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_point_can_be_told_and_a_second_one_is_another(kind: str) -> None:
    topics = set()
    for name in (kind, f"{kind}_2"):
        topic = discovery.topic("ha", "care", "h1", f"d.{name}")
        payload = discovery.payload(
            "h1", "care", f"d.{name}", language="en", room="hall", model="", stale_after_s=60, version="1"
        )
        assert not CONTRACT.why_not(topic, payload, retain=True)
        topics.add(topic)
    assert len(topics) == 2
