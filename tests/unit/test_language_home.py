"""What only a whole home shows: rules that switch against each other, hazards that no rule watches."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from homenode.config.check import check, check_home, look_closer
from homenode.config.rule_files import find_rule
from homenode.errors import Mistake
from homenode.kinds import KINDS
from homenode.language import read_rule
from homenode.language.hazards import HAZARDS, Hazard
from homenode.rule_tools import check_rules
from tests.unit.config.some_drivers import DRIVERS

TOP = 'home: a\ntimezone: UTC\nbroker: {url: "mqtts://b.example"}\n'
RADIO = "radios: {zigbee: {driver: zigbee, port: /dev/null}}\ndevices:\n"


def device(name: str, number: int, more: str = "") -> str:
    return f'  {name}: {{via: zigbee, ieee: "00:15:8d:00:02:aa:bb:{number:02}", room: hall{more}}}\n'


def closer(folder: Path, devices: str, rules: str = "") -> list[Mistake]:
    """What a closer look adds."""
    file = folder / "home.yaml"
    file.write_text(TOP + RADIO + devices + (f"rules:\n{rules}" if rules else ""), encoding="utf-8")
    report = check_home(file, drivers=DRIVERS)
    assert report.mistakes == ()
    looked = look_closer(report, str(file))
    assert looked.mistakes == ()
    return [warning for warning in looked.warnings if warning not in report.warnings]


def rule(folder: Path, name: str, steps: str) -> None:
    text = f"rule: {name}\nroles: {{door: {{kind: contact}}, lamp: {{kind: light}}}}\nwhen: door for 5 min\n"
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / f"{name}.yaml").write_text(f"{text}to: []\nsteps: [{steps}]\n", encoding="utf-8")


ON, OFF = "{after: 0 s, do: light, role: lamp, to: on}", "{after: 0 s, do: light, role: lamp, to: off}"
OFF_AT_END = "{at: resolve, do: light, role: lamp, to: off}"
DOOR_AND_LAMPS = device("d", 1) + device("l", 2) + device("m", 3)
BIND = "    bind: {door: d.contact, lamp: l.light}\n"
USES = f"  - use: one\n{BIND}  - use: two\n{BIND}"


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        (ON, OFF, "l.light: two turns it off, and one turns it on"),
        (f"{ON}, {OFF_AT_END}", OFF, "l.light: two turns it off, and one turns it on"),
        (
            f"{OFF_AT_END}, {ON}",
            f"{ON.replace('0 s', '1 s')}, {OFF}",
            "l.light: two turns it off, and one turns it on",
        ),
        (f"{ON}, {OFF_AT_END}", f"{OFF_AT_END}, {OFF}", "l.light: two turns it off, and one turns it on"),
    ],
)
def test_two_rules_that_switch_against_each_other_are_named(
    tmp_path: Path, one: str, two: str, told: str
) -> None:
    rule(tmp_path, "one", one)
    rule(tmp_path, "two", two)
    (warning,) = closer(tmp_path, DOOR_AND_LAMPS, USES)
    assert warning.found == told
    assert (warning.line, warning.column) == (13, 35)
    assert closer(tmp_path, DOOR_AND_LAMPS, USES.replace("l.light", "m.light", 1)) == []


def test_rules_that_agree_and_a_lamp_that_one_rule_turns_off_again_are_left_alone(tmp_path: Path) -> None:
    rule(tmp_path, "one", ON)
    rule(tmp_path, "two", ON)
    assert closer(tmp_path, DOOR_AND_LAMPS, USES) == []
    rule(tmp_path, "one", f"{ON}, {OFF_AT_END}")
    assert closer(tmp_path, DOOR_AND_LAMPS, USES) == []


def test_two_roles_of_one_rule_that_are_bound_to_one_lamp_are_seen(tmp_path: Path) -> None:
    roles = "{door: {kind: contact}, lamp: {kind: light}, other: {kind: light}}"
    off = OFF.replace("lamp", "other")
    text = f"rule: one\nroles: {roles}\nwhen: door for 5 min\nto: []\nsteps: [{ON}, {off}]\n"
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "one.yaml").write_text(text, encoding="utf-8")
    use = "  - use: one\n    bind: {door: d.contact, lamp: l.light, other: l.light}\n"
    (warning,) = closer(tmp_path, DOOR_AND_LAMPS, use)
    assert warning.found == "l.light: step 2 turns it off, step 1 the other way"
    assert closer(tmp_path, DOOR_AND_LAMPS, use.replace("other: l.light", "other: m.light")) == []
    (tmp_path / "rules" / "one.yaml").write_text(text.replace("{after: 0 s", "{after: 1 s", 1))
    assert closer(tmp_path, DOOR_AND_LAMPS, use) == []


def test_what_can_never_be_true_is_a_mistake_once_however_many_use_it(tmp_path: Path) -> None:
    rule(tmp_path, "one", ON)
    file = tmp_path / "rules" / "one.yaml"
    file.write_text(file.read_text().replace("door for 5 min", "door and not door"))
    home = tmp_path / "home.yaml"
    uses = USES.replace("use: two", "use: one\n    as: two")
    home.write_text(f"{TOP}{RADIO}{DOOR_AND_LAMPS}rules:\n{uses}", encoding="utf-8")
    report = check_home(home, drivers=DRIVERS)
    assert report.mistakes == ()
    (mistake,) = look_closer(report, str(home)).mistakes
    assert (mistake.file, mistake.line, mistake.column) == (str(file), 3, 20)
    assert len(report.rules) == 2, "a node runs with it all the same"


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard.rule)
def test_what_a_hazard_is_told_to_be_watched_by_is_a_shipped_rule_that_can(hazard: Hazard) -> None:
    file = find_rule(hazard.rule, Path("/nowhere"))
    assert file is not None
    roles = read_rule(file.read_text(encoding="utf-8"), file.name).roles
    assert hazard.kind in KINDS
    assert hazard.kind in roles[hazard.role].kinds
    assert roles[hazard.role].many is hazard.many
    needed = {role.name for role in roles.values() if not role.optional}
    assert needed == {hazard.role, hazard.presence} - {""}


@pytest.mark.parametrize(
    ("devices", "use"),
    [
        (
            device("x", 1, ", is: stove"),
            "{use: stove_left_on, bind: {stove: x.power, presence: [DEVICE.motion]}}",
        ),
        (device("spis", 1), "{use: stove_left_on, bind: {stove: spis.power, presence: [DEVICE.motion]}}"),
        (device("smoke_hall", 1), "{use: smoke_alarm, bind: {smoke: [smoke_hall.smoke]}}"),
        (
            device("smoke", 1) + device("smoke_2", 2),
            "{use: smoke_alarm, bind: {smoke: [smoke.smoke, smoke_2.smoke]}}",
        ),
        (
            "  sink: {driver: gpio, pin: 27, kind: water, room: kitchen}\n",
            "{use: water_leak, bind: {water: [sink.water]}}",
        ),
        (device("front_door", 1), "{use: door_open_at_night, bind: {door: front_door.contact}}"),
        (device("x", 1, ", is: bed"), "{use: out_of_bed_at_night, bind: {bed: [x.occupancy]}}"),
        (device("mains", 1), "{use: power_cut, bind: {mains: mains.mains}}"),
        (device("gas", 1), "{use: gas_alarm, bind: {gas: [gas.gas]}}"),
        (device("help_button", 1), "{use: help_button, bind: {button: [help_button.button]}}"),
    ],
)  # fmt: skip
def test_a_hazard_that_no_rule_watches_comes_with_the_use_that_would(
    tmp_path: Path, devices: str, use: str
) -> None:
    (warning,) = closer(tmp_path, devices)
    assert warning.accepted == f"under rules: - {use}"
    assert "which no rule watches" in warning.found
    assert (warning.line, warning.column) == (6, 3)
    if "DEVICE" not in use:  # the use that is told is one that works, and then nothing is told any more
        assert closer(tmp_path, devices, f"  - {use}\n") == []


def test_a_point_that_only_share_names_is_known(tmp_path: Path) -> None:
    share = "share: {care: [x.co]}\n"
    file = tmp_path / "home.yaml"
    file.write_text(TOP + share + RADIO + device("x", 1))
    told = look_closer(check_home(file, drivers=DRIVERS), str(file)).warnings
    assert [warning.found for warning in told][-1] == "x.co, which no rule watches"


def test_one_detector_that_was_forgotten_is_told_with_the_use_that_it_belongs_to(tmp_path: Path) -> None:
    devices = device("smoke", 1) + device("smoke_2", 2)
    (warning,) = closer(tmp_path, devices, "  - {use: smoke_alarm, bind: {smoke: [smoke.smoke]}}\n")
    assert warning.accepted == "bind: {smoke: [smoke.smoke, smoke_2.smoke]} of smoke_alarm in line 9"


def test_a_second_stove_gets_a_use_of_its_own(tmp_path: Path) -> None:
    devices = device("stove", 1) + device("x", 2, ", is: hob") + device("eye", 3)
    use = "  - {use: stove_left_on, bind: {stove: stove.power, presence: [eye.motion]}}\n"
    (warning,) = closer(tmp_path, devices, use)
    told = "{use: stove_left_on, as: stove_left_on_x, bind: {stove: x.power, presence: [eye.motion]}}"
    assert warning.accepted == f"under rules: - {told}"


@pytest.mark.parametrize(
    "devices",
    [
        device("lamp_bed", 1)
        + device("stove_lamp", 2)
        + device("water_heater", 3)
        + device("fridge_door", 4),
        device("x", 1, ", is: lamp") + device("eye", 2),
        "  door: {driver: gpio, pin: 27, kind: contact, room: kitchen, is: fridge}\n",
    ],
)
def test_what_is_no_hazard_is_left_alone(tmp_path: Path, devices: str) -> None:
    assert closer(tmp_path, devices) == []


def test_a_cooker_on_three_phases_is_told_of_when_its_currents_are_known(tmp_path: Path) -> None:
    devices = device("x", 1, ", is: cooker") + device("eye", 2)
    share = "share: {care: [x.current, x.current_2, x.current_3]}\n"
    (told,) = closer(tmp_path, f"{devices}{share}")
    bind = "{current: [x.current, x.current_2, x.current_3], presence: [DEVICE.motion]}"
    assert told.accepted == f"under rules: - {{use: cooker_left_on, bind: {bind}}}"


def test_the_residents_ok_button_needs_no_rule(tmp_path: Path) -> None:
    file = tmp_path / "home.yaml"
    file.write_text(TOP + "resident: {ok: x.button}\n" + RADIO + device("x", 1, ", is: help button"))
    told = look_closer(check_home(file, drivers=DRIVERS), str(file)).warnings
    assert not [warning for warning in told if "watches" in warning.found]


def test_the_line_is_shown_with_a_mark_under_the_place(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("rule: bad\nroles: {door: {kind: contact}}\nwhen: >-\n  door\n  and dor\n")
    out = io.StringIO()
    assert check_rules([str(file)], out) == 2
    assert out.getvalue().splitlines() == [
        f"{file}:5:7: when: found 'dor', which is no role; accepted: door; did you mean door?",
        "    5 |   and dor",
        "      |       ^",
        f"{file}: 1 mistake, 0 warnings",
    ]


def test_files_of_both_sorts_are_checked_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = "steps: [{at: resolve, do: say, text: {sv: a}}]\n"
    good = f"rule: good\nto: []\nroles: {{d: {{kind: contact}}}}\nwhen: d for 5 min\n{steps}"
    (tmp_path / "good.yaml").write_text(good)
    (tmp_path / "home.yaml").write_text("home: A\ntimezone: UTC\ndevices: {}\n")
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    assert check_rules(["good.yaml"], out) == 0
    assert check_rules(["home.yaml", "good.yaml"], out) == 2
    assert [line for line in out.getvalue().splitlines() if "warnings" in line] == [
        "good.yaml: rule good; 0 mistakes, 0 warnings",
        "home.yaml: 1 mistake, 0 warnings",
        "good.yaml: rule good; 0 mistakes, 0 warnings",
    ]
    again, same = io.StringIO(), io.StringIO()
    assert check_rules([], again) == check("home.yaml", same) == 2
    assert again.getvalue() == same.getvalue()
