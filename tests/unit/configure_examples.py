"""A home with everything in it, and for each field of home.yaml another value than it has there."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from homenode.config.check import check_home
from homenode.config.registry import driver_types
from homenode.config.rule_files import Texts
from homenode.configure.facts import Fact, facts

TYPES = driver_types()
FOLDER = Path("/home-of-a-test")
HOME: dict[str, Any] = {
    "home": "h-1",
    "timezone": "Europe/Stockholm",
    "language": "sv",
    "board": "pi4",
    "broker": {
        "url": "mqtts://one.example",
        "username": "h-1",
        "cert": "a.pem",
        "key": "a.key",
        "lost": {"lamp": "lamp.light"},
    },
    "radios": {
        "zigbee": {"driver": "zigbee", "port": "/dev/ttyACM0", "adapter": "ezsp"},
        "second": {"driver": "zigbee", "port": "/dev/ttyACM2", "adapter": "ezsp"},
        "tape": {"driver": "recording", "file": "tape.jsonl"},
    },
    "devices": {
        "stove": {"via": "zigbee", "ieee": "00:15:8d:00:02:aa:bb:01", "room": "kitchen"},
        "eye": {"driver": "gpio", "pin": 5, "kind": "motion", "room": "kitchen"},
        "sink": {"driver": "gpio", "pin": 27, "kind": "water", "room": "kitchen"},
        "back": {"driver": "gpio", "pin": 23, "kind": "contact", "room": "hall"},
        "door": {"driver": "gpio", "pin": 22, "kind": "contact", "room": "hall"},
        "nose": {"driver": "gpio", "pin": 24, "kind": "motion", "room": "hall"},
        "bell": {"driver": "gpio", "pin": 6, "kind": "button", "room": "hall"},
        "bed": {"driver": "gpio", "pin": 12, "kind": "button", "room": "bedroom"},
        "lamp": {"driver": "gpio", "pin": 13, "kind": "light", "room": "hall"},
        "sign": {"driver": "gpio", "pin": 16, "kind": "light", "room": "hall"},
    },
    "rules": [
        {"use": "water_leak", "bind": {"water": ["sink.water"]}},
        {"use": "stove_left_on", "bind": {"stove": "stove.power", "presence": ["eye.motion"]}},
    ],
    "share": {"property": ["*.water"]},
    "resident": {"ok": "bell.button"},
    "voice": {"volume": 90},
    "modes": {"night": {"from": "22:00", "to": "06:00"},
              "away": {"door": "door.contact", "quiet": ["eye.motion"], "after": "30 min"}},
    "cameras": {"bed": {"room": "bedroom", "source": "scene", "indicator": "sign.light"},
                "hall": {"room": "hall", "source": "scene", "indicator": "sign.light"}},
    "video": {"d-1": {"cameras": ["hall"], "from": "2026-01-01", "to": "2026-12-31",
                      "views": ["silhouette"], "ask": "yes"}},
    "panel": {"door.contact": {"name": "Dörren"}, "stove.power": {"above": 20}},
    "ice": {"urls": ["turn:one.example"], "username": "h-1"},
}  # fmt: skip

OTHER: dict[str, Any] = {
    "home": "h-2",
    "timezone": "Europe/Oslo",
    "language": "en",
    "board": "pi5",
    "hats": ["i2c1"],
    "broker.url": "mqtts://two.example",
    "broker.username": "other",
    "broker.password_file": "password",
    "broker.ca": "ca.pem",
    "broker.cert": "node.pem",
    "broker.key": "node.key",
    "broker.interfaces": ["eth0"],
    "broker.heartbeat": "30 s",
    "broker.lost.after": "5 min",
    "broker.lost.lamp": "sign.light",
    "broker.lost.say": False,
    "radios.second": {"driver": "recording", "file": "other.jsonl"},
    "radios.zigbee.port": "/dev/ttyACM1",
    "devices.stove.via": "second",
    "devices.stove.ieee": "00:15:8d:00:02:aa:bb:02",
    "devices.stove.model": "LUMI/lumi.plug",
    "devices.sink": {"via": "tape", "sensor": "1", "kind": "water", "room": "kitchen"},
    "devices.sink.pin": 26,
    "devices.sink.room": "bathroom",
    "devices.sink.is": "sink",
    "devices.sink.stale_after": "2 h",
    "rules.0": {"use": "battery_low", "bind": {"battery": ["stove.battery"]}},
    "rules.0.as": "leak",
    "rules.0.bind": {"water": ["sink.water"], "lamp": "lamp.light"},
    "rules.1.set": {"alone": "15 min"},
    "share.property": ["sink.water"],
    "share.care": ["door.contact"],
    "modes.visit": {"longest": "6 h"},
    "modes.night.from": "21:00",
    "modes.night.to": "07:00",
    "modes.away.door": "back.contact",
    "modes.away.quiet": ["nose.motion"],
    "modes.away.after": "1 h",
    "clock": {"trust": "always"},
    "machine.endurance_tb": 40,
    "resident.ok": "bed.button",
    "resident.stop": "bed.button",
    "voice.device": "none",
    "voice.volume": 50,
    "voice.rate": 100,
    "voice.recordings": "recordings",
    "cameras.hall.room": "kitchen",
    "cameras.hall.source": "csi",
    "cameras.hall.username": "me",
    "cameras.hall.password_file": "password",
    "cameras.hall.lamp": "lamp.light",
    "cameras.hall.indicator": "lamp.light",
    "cameras.hall.enhance": False,
    "cameras.hall.masks": [[[0, 0], [1, 0], [0, 0.5]]],
    "video.d-1.cameras": ["hall", "bed"],
    "video.d-1.from": "2026-02-01",
    "video.d-1.to": "2027-12-31",
    "video.d-1.hours": "08:00-20:00",
    "video.d-1.modes": ["away"],
    "video.d-1.views": ["silhouette", "blurred"],
    "video.d-1.ask": "never",
    "video.d-1.no_answer": "grant",
    "video.d-1.answer_within": "1 min",
    "video.d-1.announce": "light",
    "video.d-1.longest": "5 min",
    "panel": {"stove.power": {"above": 20}, "door.contact": {"name": "Dörren"}},
    "panel.door/contact.name": "Ute",
    "panel.door/contact.symbol": "window",
    "panel.stove/power.above": 40,
    "panel.stove/power.hold": "8 min",
    "ice.urls": ["turn:two.example"],
    "ice.username": "other",
    "ice.password_file": "password",
    "export": {"homeassistant": "homeassistant"},
}


def read(home: dict[str, Any]) -> dict[str, Fact]:
    """What it says; it has no mistakes."""
    texts = Texts({FOLDER / "home.yaml": yaml.safe_dump(home, sort_keys=False, allow_unicode=True)})
    report = check_home(FOLDER / "home.yaml", drivers=TYPES, files=False, texts=texts)
    assert report.home is not None
    assert [str(mistake) for mistake in report.mistakes] == []
    return facts(report.home, report.rules)


def other(path: str, value: Any) -> dict[str, Any]:
    """HOME with another value there."""
    home: Any = deepcopy(HOME)
    *way, last = (name.replace("/", ".") for name in path.split("."))
    at: Any = home
    for name in way:
        at = at[int(name)] if isinstance(at, list) else at.setdefault(name, {})
    at[int(last) if isinstance(at, list) else last] = value
    return dict(home)
