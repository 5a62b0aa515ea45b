"""A good home.yaml becomes the home that it describes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from homenode.config.load import load_home, read_home
from homenode.config.model import NEVER, Camera, Decision, Home, Ice, Shown, Silence, Voice
from homenode.errors import FileMistakes
from tests.unit.config.some_drivers import DRIVERS, HOME

Load = Callable[[str], Home]
MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LEAST = "home: a\ntimezone: UTC\ndevices: {}\n"


def test_the_whole_file_is_read(load: Load, folder: Path) -> None:
    home = load(HOME)
    assert (home.home, home.timezone, home.language) == ("vaxjo-0412", "Europe/Stockholm", "sv")
    assert home.path == folder / "home.yaml"
    assert home.broker is not None
    assert home.broker.urls == ("mqtts://broker.example:8883",)
    assert (home.broker.ca, home.broker.key) == (folder / "ca.pem", folder / "node.key")
    assert home.radios["zigbee"].options == {"port": "/dev/serial/by-id/usb-stick", "channel": 15}
    assert home.clock_trusted
    assert (home.resident_ok, home.resident_stop) == ("bed_button.button", "no_button.button")
    assert home.voice == Voice("plughw:CARD=Device,DEV=0", 80, 130, folder / "karin")
    corner = ((0.0, 0.0), (1.0, 0.0), (0.0, 0.5))
    assert home.cameras["hall"] == Camera("hall", "hall", "csi", indicator="sign.light", masks=(corner,))
    days, hours = (date(2026, 1, 1), date(2026, 6, 30)), (22 * 60, 6 * 60)
    views = ("blurred", "clear")
    assert home.panel == {"sink.water": Shown("Diskbänken"), "front_door.contact": Shown()}
    assert home.video == {"night": Decision("night", ("hall",), *days, views, True, "care", hours)}
    assert home.ice == Ice(("turn:turn.example:3478",), "home")
    assert home.exports == {"homeassistant": "homeassistant"}
    assert home.share == {"property": ("sink.water", "*.battery")}


def test_devices_come_with_their_drivers_fields_and_points(load: Load) -> None:
    devices = load(HOME).devices
    stove, eye, door, sink = (devices[name] for name in ("stove", "kitchen_eye", "front_door", "sink"))
    assert (stove.driver, stove.via, stove.thing, stove.kinds) == ("zigbee", "zigbee", "stove", None)
    assert stove.stale_after_ms is None
    assert eye.stale_after_ms == 90 * MIN
    assert (door.driver, door.via, door.kinds, door.stale_after_ms) == ("gpio", "", ("contact",), NEVER)
    assert sink.options == {"pin": 27, "kind": "water", "pull": "up", "debounce": 50, "inverted": False}
    assert sink.line == 11


def test_a_use_of_a_rule_keeps_its_points_values_and_lines(load: Load, folder: Path) -> None:
    (use,) = load(HOME).rules
    assert (use.name, use.use, use.file) == ("cooking", "cooking", folder / "rules" / "cooking.yaml")
    assert use.bind == {"stove": ("stove.power",), "presence": ("kitchen_eye.motion",)}
    assert use.lists == {"presence"}
    assert use.set == {"alone": "15 min", "hot": "60"}
    assert use.places["set.alone"] == (use.line + 2, 11)


def test_a_use_is_named_by_as_or_by_the_rule_itself(load: Load) -> None:
    home = load(LEAST + "rules: [{use: damp}, {use: damp, as: cellar}]")
    assert [use.name for use in home.rules] == ["water_where_none_should_be", "cellar"]


def test_modes_have_the_longest_durations_of_the_design_unless_changed(load: Load) -> None:
    modes = load(HOME).modes
    assert {name: mode.longest_ms for name, mode in modes.items()} == {
        "home": None,
        "away": 3 * DAY,
        "hospital": 90 * DAY,
        "visit": 12 * HOUR,
        "night": 14 * HOUR,
        "service": 2 * HOUR,
        "guests": None,
    }
    assert (modes["night"].start, modes["night"].end) == (22 * 60, 6 * 60 + 30)
    assert load(LEAST).modes["away"].longest_ms == 7 * DAY
    assert modes["away"].silence == Silence("front_door.contact", ("kitchen_eye.motion",), HOUR // 2)
    assert load(LEAST).modes["away"].silence is None


def test_everything_that_may_be_absent_is_absent(load: Load) -> None:
    home = load(LEAST)
    assert (home.broker, home.radios, home.rules, home.share, home.cameras) == (None, {}, (), {}, {})
    assert not home.clock_trusted
    assert (home.resident_ok, home.resident_stop, home.video, home.ice) == ("", "", {}, Ice())
    assert home.voice == Voice("default", 100, 140, None)
    assert not home.voice.silent
    assert load(LEAST + "voice: {device: none}").voice.silent


def test_a_section_with_nothing_in_it_is_as_if_absent(load: Load) -> None:
    empty = ("radios", "rules", "share", "modes", "clock", "resident", "voice", "cameras", "video", "panel")
    empty += ("machine",)
    assert load(LEAST + "".join(f"{name}:\n" for name in (*empty, "ice"))) == load(LEAST)


def test_without_broker_being_encrypted_there_is_a_warning_and_no_mistake(folder: Path) -> None:
    (folder / "home.yaml").write_text(LEAST + 'broker: {url: ["mqtt://a", "mqtts://b:1"]}')
    home, notes = read_home(folder / "home.yaml", drivers=DRIVERS)
    assert home is not None
    assert home.broker is not None
    assert home.broker.urls == ("mqtt://a", "mqtts://b:1")
    assert not notes.mistakes
    (warning,) = (one for one in notes.warnings if one.field.startswith("broker"))
    assert (warning.line, warning.field) == (4, "broker.url.1")


def test_a_replay_needs_no_certificate_on_its_machine(folder: Path) -> None:
    (folder / "home.yaml").write_text(HOME)
    (folder / "node.key").unlink()
    with pytest.raises(FileMistakes, match=r"node\.key"):
        load_home(folder / "home.yaml", drivers=DRIVERS)
    assert load_home(folder / "home.yaml", drivers=DRIVERS, files=False).broker is not None
