"""`homenode check` tells what is wrong with home.yaml and with its rules in one run."""

from __future__ import annotations

import io
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from homenode.config.check import check, check_home, look_closer
from homenode.config.registry import GROUP, DriverTypes
from homenode.config.rule_files import Texts
from homenode.errors import Mistake
from homenode.speech import silence
from tests.unit.config.some_drivers import DRIVERS

HOME = """\
home: a
timezone: UTC
language: en
devices:
  eye: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:02", room: kitchen}
radios: {zigbee: {driver: zigbee, port: /dev/null}}
rules:
  - use: seen
    bind: {eye: eye.motion}
"""
RULE = """\
rule: seen
version: 1
severity: info
to: [care]
roles:
  eye: {kind: motion}
when: eye for 5 min
says: {en: "Somebody was there", sv: "Någon var där"}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "seen.yaml").write_text(RULE, encoding="utf-8")
    (tmp_path / "home.yaml").write_text(HOME)
    return tmp_path / "home.yaml"


def test_a_good_home_comes_with_its_rules_ready(home: Path) -> None:
    report = check_home(home, drivers=DRIVERS)
    assert report.mistakes == ()
    assert report.home is not None
    assert [rule.name for rule in report.rules] == ["seen"]


def test_a_rules_folder_that_cant_be_looked_into_is_told_and_no_shipped_rule_stands_in(home: Path) -> None:
    home.write_text(HOME.replace("use: seen\n    bind: {eye: eye.motion}", "use: tamper"))
    shutil.rmtree(home.parent / "rules")
    (home.parent / "rules").symlink_to("rules")  # for root, too, a folder that can't be entered
    files = {mistake.file for mistake in check_home(home, drivers=DRIVERS).mistakes}
    assert str(home.parent / "rules" / "tamper.yaml") in files


def test_a_rule_in_a_folder_without_permission_may_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.lstat", forbidden)
    assert Texts().has(Path("/etc/homenode/rules/tamper.yaml"))


@pytest.mark.parametrize("name", ["seen.yaml", "rules/seen.yml", "rules/Seen.yaml", "Rules/seen.yaml"])
def test_a_rule_file_in_the_wrong_place_is_found_and_told(home: Path, name: str) -> None:
    stray = home.parent / name
    (home.parent / "rules" / "seen.yaml").unlink()
    stray.parent.mkdir(exist_ok=True)
    stray.write_text(RULE, encoding="utf-8")
    (mistake,) = check_home(home, drivers=DRIVERS).mistakes
    assert mistake.found == f"'seen', and {stray}"
    assert mistake.accepted == f"that file as {home.parent / 'rules' / 'seen.yaml'}"


def test_a_bare_number_for_a_duration_is_told_with_the_unit_of_the_default(home: Path) -> None:
    (home.parent / "rules" / "seen.yaml").write_text(
        RULE.replace("for 5 min", "for $long") + "parameters: {long: {default: 5 min}}\n", encoding="utf-8"
    )
    for given, likely in (("7", "7 min"), ("7 minuter", "7 min"), ("7 W", "")):
        home.write_text(HOME + f"    set: {{long: {given}}}\n")
        (mistake,) = check_home(home, drivers=DRIVERS).mistakes
        assert mistake.suggestion == likely


def test_mistakes_of_the_home_and_of_its_rules_are_told_together(home: Path) -> None:
    home.write_text(HOME.replace("timezone: UTC", "timezone: UTZ").replace("room: kitchen", "rom: kitchen"))
    rule = home.parent / "rules" / "seen.yaml"
    rule.write_text(RULE.replace("for 5 min", "for 5 mn"), encoding="utf-8")
    found = check_home(home, drivers=DRIVERS).mistakes
    assert {Path(mistake.file).name for mistake in found} == {"home.yaml", "seen.yaml"}
    assert {mistake.field for mistake in found} >= {"timezone", "devices.eye.rom", "devices.eye.room"}


def test_one_slip_in_a_use_is_one_mistake(home: Path) -> None:
    home.write_text(HOME.replace("eye.motion", "eye.moton"))
    (mistake,) = check_home(home, drivers=DRIVERS).mistakes
    assert (mistake.line, mistake.suggestion) == (9, "eye.motion")


def test_two_slips_in_one_line_are_two_mistakes_under_the_name_that_was_given(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = "rules: [{use: seen, bind: {eye: eye.moton}, set: {foo: 1}}]\n"
    home.write_text(HOME[: HOME.index("rules:")] + uses)
    monkeypatch.chdir(home.parent)
    found = check_home("home.yaml", drivers=DRIVERS).mistakes
    assert [(mistake.file, mistake.line) for mistake in found] == [("home.yaml", 7)] * 2
    assert {mistake.field.rpartition(".")[2] for mistake in found} == {"eye", "foo"}


@pytest.mark.parametrize("how", ["a folder", "a link to nothing"])
def test_a_rule_of_ones_own_that_cannot_be_read_is_not_passed_over_for_the_shipped_one(
    home: Path, how: str
) -> None:
    own = home.parent / "rules" / "cold.yaml"
    if how == "a folder":
        own.mkdir()
    else:
        own.symlink_to("nowhere.yaml")
    home.write_text(HOME.replace("use: seen", "use: cold"))
    (mistake,) = check_home(home, drivers=DRIVERS).mistakes
    assert (mistake.file, mistake.field) == (str(own), "file")


def test_a_broken_driver_that_the_home_does_not_use_is_a_warning(home: Path) -> None:
    points = {
        "zigbee": EntryPoint("zigbee", "tests.unit.config.some_drivers:RADIO", GROUP),
        "laser": EntryPoint("laser", "no_such_package:DRIVER", GROUP),
    }
    report = check_home(home, drivers=DriverTypes(points))
    assert report.mistakes == ()
    assert [warning.field for warning in report.warnings] == ["broker", "driver laser"]


def test_the_command_says_in_its_last_line_and_status_how_it_went(tmp_path: Path) -> None:
    file = tmp_path / "home.yaml"
    file.write_text('home: a\ntimezone: UTC\ndevices: {}\nbroker: {url: "mqtt://localhost"}\n')
    out = io.StringIO()
    assert check(file, out) == 0
    assert out.getvalue().splitlines()[-1] == f"{file}: home a, 0 devices, 0 rules; 0 mistakes, 3 warnings"
    told = out.getvalue()
    assert all(f" {field}: found" in told for field in ("broker.url", "devices", "rules"))
    file.write_text("home: A\ntimezone: UTC\ndevices: {}\n")
    out = io.StringIO()
    assert check(file, out) == 2
    lines = out.getvalue().splitlines()
    assert lines[0].startswith(f"{file}:1:7: home: found 'A'")
    assert lines[-1] == f"{file}: 1 mistake, 0 warnings"
    assert check(tmp_path / "nowhere.yaml", out) == 2


def test_recordings_that_nobody_would_hear_are_told(home: Path) -> None:
    rule, voice = home.parent / "rules" / "seen.yaml", home.parent / "karin"
    rule.write_text(
        RULE + 'steps: [{after: 0 s, do: say, text: {sv: "Hej", en: "Hello"}}]\n', encoding="utf-8"
    )
    home.write_text(HOME + "voice: {recordings: karin}\n")
    voice.mkdir()
    for name in ("seen.1.sv.wav", "seen.1.se.wav", "seen.2.sv.WAV"):
        (voice / name).write_bytes(silence(1.0))
    (voice / "seen.1.en.wav").write_bytes(silence(61.0))
    (voice / "notes.txt").write_text("by Karin")
    told = [
        warning for warning in check_home(home, drivers=DRIVERS).warnings if "recordings" in warning.field
    ]
    assert [(warning.found, warning.suggestion) for warning in told] == [
        ("seen.1.en.wav: it is longer than 60 s", ""),
        ("seen.1.se.wav", "seen.1.sv.wav"),
        ("seen.2.sv.WAV", "seen.1.sv.wav"),
    ]


def test_a_file_that_moves_the_terminal_is_shown_without_that(home: Path) -> None:
    home.write_text(HOME.replace("home: a", 'home: "\x1b[31ma"'))
    out = io.StringIO()
    assert check(home, out) == 2
    assert "\x1b" not in out.getvalue()


def test_a_recording_that_isnt_there_is_told_at_its_radio(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    path.write_text(
        "home: a\ntimezone: UTC\nradios:\n  tape: {driver: recording, file: day.csv}\n"
        'devices:\n  door: {via: tape, sensor: "12", kind: contact, room: hall}\n'
    )
    file = tmp_path / "day.csv"

    def told(files: bool = True) -> list[str]:
        found = check_home(path, files=files).warnings
        return [f"{one.line} {one.field} {one.found}" for one in found if "tape" in one.field]

    assert told() == [f"4 radios.tape.file '{file}', which doesn't exist"]
    assert told(files=False) == []
    file.write_text("")
    assert told() == []


LOOKED_INTO = """\
home: a
timezone: Europe/Stockholm
broker: {url: "mqtts://broker.example"}
devices:
  help: {driver: gpio, pin: 17, kind: button, room: bedroom}
  yes:  {driver: gpio, pin: 27, kind: button, room: bedroom}
  sign: {driver: gpio, pin: 6, kind: light, room: bedroom}
cameras: {bed: {room: bedroom, source: scene, indicator: sign.light}}
video: {night: {cameras: [bed], from: 2026-01-01, to: 2026-06-30, views: [clear], ask: yes}}
resident: {ok: yes.button}
rules: [{use: help_button, bind: {button: [help.button], eye: bed}}]
"""
SUMMER_MS = 1_782_856_799_999
"""The last instant of 2026-06-30 in Stockholm."""


def looked_into(folder: Path, text: str, now_ms: int = SUMMER_MS) -> list[Mistake]:
    """Warnings of such a home."""
    (folder / "home.yaml").write_text(text)
    report = check_home(folder / "home.yaml", drivers=DRIVERS)
    assert report.mistakes == ()
    return list(look_closer(report, "home.yaml", now_ms=now_ms).warnings)


def test_a_home_in_which_a_look_is_asked_for_is_warned_of_nothing(tmp_path: Path) -> None:
    assert looked_into(tmp_path, LOOKED_INTO) == []


def test_a_help_button_that_would_also_say_yes_to_a_look_is_a_warning(tmp_path: Path) -> None:
    text = LOOKED_INTO.replace("ok: yes.button", "ok: help.button")
    (warning,) = (one for one in looked_into(tmp_path, text) if "resident.ok" in one.found)
    assert (warning.field, warning.line) == ("rules.help_button", 11)
    assert warning.found == "help.button: a press would also say yes to a look (resident.ok)"
    never = looked_into(tmp_path, text.replace("ask: yes", "ask: never"))
    assert not [one for one in never if "resident.ok" in one.found], "nobody asks"


def test_the_button_that_ends_a_look_is_no_help_button_without_a_rule(tmp_path: Path) -> None:
    assert looked_into(tmp_path, LOOKED_INTO.replace("ok: yes.button", "stop: yes.button")) == []
    assert looked_into(tmp_path, LOOKED_INTO.replace("resident: {ok: yes.button}\n", "")) != []


def test_a_decision_that_ended_is_a_warning_with_its_day(tmp_path: Path) -> None:
    (warning,) = looked_into(tmp_path, LOOKED_INTO, SUMMER_MS + 1)
    assert (warning.field, warning.line, warning.column) == ("video.night.to", 9, 55)
    assert "2026-06-30" in warning.found
