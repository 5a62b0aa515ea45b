"""What a gateway's messages mean, by the vendor's examples; what they don't say is not made up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.miio.lan import LONGEST, SORTS, Said, read, values
from homenode.kinds import kind_of, why_not
from homenode.reading import Value

DOCUMENTED = (
    # aqara/aiot-gateway-local-api: magnet.md, motion.md, ht.md, device_heartbeat.md
    (
        '{"cmd":"report","model":"magnet","sid":"89","short_id":4343,"data":"{\\"status\\":\\"open\\"}" }',
        {"contact": True},
    ),
    (
        '{"cmd":"heartbeat","model":"magnet","sid":"15","short_id":2,"data":"{\\"status\\":\\"open\\"}"}',
        {"contact": True},
    ),
    (
        '{"cmd":"report","model":"motion","sid":"11","short_id":4343,"data":"{\\"status\\":\\"motion\\"}" }',
        {"motion": True},
    ),
    (
        '{"cmd":"report","model":"motion","sid":"11","short_id":4343,"data":"{\\"voltage\\":\\"3000\\"}" }',
        {"battery": 40.0},
    ),
    (
        '{"cmd":"report","model":"sensor_ht","sid":"11","data":"{\\"temperature\\":\\"2333\\"}" }',
        {"temperature": 23.33},
    ),
    # home-assistant xiaomi_aqara/binary_sensor.py, captured from firmware 1.4.1_159.0143
    (
        '{"cmd":"report","model":"motion","sid":"158","short_id":26331,"data":"{\\"no_motion\\":\\"120\\"}"}',
        {"motion": False},
    ),
    (
        '{"cmd":"heartbeat","model":"motion","sid":"158","short_id":26331,"data":"{\\"voltage\\":3005}"}',
        {"battery": 41.0},
    ),
    (
        '{"cmd":"heartbeat","model":"motion","sid":"158","short_id":26331,"data":"{\\"status\\":\\"motion\\"}"}',
        {},
    ),
)


@pytest.mark.parametrize(("text", "points"), DOCUMENTED)
def test_the_documented_messages(text: str, points: dict[str, Value]) -> None:
    said = read(text.encode())
    assert said is not None
    assert values(SORTS[said.model], said) == points


@pytest.mark.parametrize(
    ("model", "data", "points"),
    [
        ("sensor_wleak.aq1", {"status": "leak"}, {"water": True}),
        ("sensor_wleak.aq1", {"status": "no_leak"}, {"water": False}),
        ("sensor_wleak.aq1", {"status": "normal"}, {"water": None}),
        ("sensor_wleak.aq1", {"voltage": 3300}, {"battery": 100.0}),
        ("smoke", {"alarm": "1"}, {"smoke": True}),
        ("smoke", {"alarm": 0}, {"smoke": False}),
        ("smoke", {"alarm": "32768"}, {"smoke": None}),
        ("natgas", {"alarm": "2"}, {"gas": True}),
        ("natgas", {"voltage": 3000}, {}),
        ("magnet", {"status": "unknown"}, {"contact": None}),
        ("magnet", {"no_close": "60"}, {}),
        ("motion", {"status": "iam"}, {"motion": None}),
        ("weather.v1", {"temperature": "10000", "humidity": "0"}, {"temperature": None, "humidity": None}),
        ("weather.v1", {"temperature": "warm", "voltage": True}, {"temperature": None, "battery": None}),
        ("switch", {"status": "double_click"}, {"button_2": True}),
        ("switch", {"status": "long_click_release"}, {}),
    ],
)
def test_a_report(model: str, data: dict[str, object], points: dict[str, Value]) -> None:
    assert values(SORTS[model], Said("report", model, "158d", data)) == points


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"cmd":"report"}',
        b'{"data":7}',
        b'{"data":"[]"}',
        b'{"data":"{"}',
        b"[" * 4000,
    ],
)
def test_what_is_no_message(raw: bytes) -> None:
    assert read(raw) is None
    assert read(b'{"data":"{}"}' + b" " * LONGEST + b"x") is not None


@given(
    model=st.sampled_from(sorted(SORTS)),
    command=st.sampled_from(["report", "heartbeat", "read_ack"]),
    data=st.dictionaries(
        st.sampled_from(["status", "alarm", "voltage", "temperature", "humidity", "no_motion"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
    ),
)
def test_whatever_it_says_only_points_of_its_sort_come_of_it(
    model: str, command: str, data: dict[str, object]
) -> None:
    said = read(json.dumps({"cmd": command, "model": model, "sid": "15", "data": json.dumps(data)}).encode())
    assert said is not None
    for name, value in values(SORTS[model], said).items():
        kind = kind_of(name)
        assert name in SORTS[model].kinds
        assert kind is not None
        assert isinstance(value, float) or not why_not(kind, value)  # a number out of range: the host says so
