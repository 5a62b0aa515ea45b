"""What the walk test wants of each device and rule, by what the rules of this home read and switch."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.install.steps import Arrival
from homenode.install.walk import Walk, is_at_once
from homenode.language.bound import BoundRule
from tests.unit import installing
from tests.unit.installing import AT, NEW, checked, devices, installation, joined, status

LATER = "2026-11-27T10:05:00.000+01:00"
HOME = """\
home: flat-1203
timezone: Europe/Stockholm
devices:
  hob:  {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen}
  cup:  {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:02", room: kitchen}
  door: {driver: gpio, pin: 17, kind: contact, room: hall}
  bulb: {driver: gpio, pin: 22, kind: light, room: hall}
  tap:  {driver: gpio, pin: 23, kind: valve, room: kitchen}
  sink: {driver: gpio, pin: 27, kind: water, room: kitchen}
radios:
  zigbee: {driver: zigbee, port: /dev/null, adapter: ezsp}
rules:
  - {use: hot, bind: {stove: hob.power, lamp: bulb.light}}
share: {}
"""
HOT = """\
rule: hot
version: 1
severity: alarm
to: [care, resident]
roles: {{stove: {{kind: power}}, lamp: {{kind: light}}}}
when: {when}
says: {{sv: "Varm.", en: "Hot."}}
steps:
{steps}
"""
LIGHTS = "  - {after: 0 s, do: light, role: lamp, to: on}"
TELLS = "  - {after: 0 s, do: notify, to: [care]}"


def rules(folder: Path, when: str = "stove > 50 W", steps: str = TELLS) -> tuple[BoundRule, ...]:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "hot.yaml").write_text(HOT.format(when=when, steps=steps))
    return tuple(checked(folder, HOME).rules)


def a_walk(folder: Path, *steps: str, when: str = "stove > 50 W") -> Walk:
    report_rules = rules(folder, when, "\n".join(steps) or TELLS)
    home = checked(folder, HOME).home
    assert home is not None
    walk = Walk("flat-1203", AT, {}, {}, active=True)
    kinds = {"hob": ("power", "switch", "energy", "link_quality"), "cup": ("switch", "power", "energy")}
    walk.set_up(home, report_rules, kinds)
    return walk


def wants(walk: Walk, device: str) -> dict[str, tuple[str, ...]]:
    return {kind: check.wants for kind, check in walk.rows[device].checks.items()}


def test_a_plug_is_to_be_seen_under_load_whether_a_rule_reads_it_or_not(tmp_path: Path) -> None:
    walk = a_walk(tmp_path)
    assert wants(walk, "hob") == wants(walk, "cup") == {"power": ("on",)}


def test_an_output_that_a_rule_reads_is_to_be_seen_in_both_states(tmp_path: Path) -> None:
    walk = a_walk(tmp_path, when="stove > 50 W or lamp")
    assert wants(walk, "bulb") == {"light": ("true", "false")}


def test_an_output_that_a_rule_switches_is_to_be_tried(tmp_path: Path) -> None:
    walk = a_walk(tmp_path, TELLS, LIGHTS)
    assert wants(walk, "bulb") == wants(walk, "tap") | {"light": ("works",)} == {
        "valve": ("works",),
        "light": ("works",),
    } or (wants(walk, "bulb") == {"light": ("works",)})
    assert wants(walk, "tap") == {"valve": ("works",)}, "no rule has it, and it is there to be tried"


def test_a_row_names_the_rules_that_count_on_it_by_reading_and_by_switching(tmp_path: Path) -> None:
    walk = a_walk(tmp_path, TELLS, LIGHTS)
    assert {name: row.rules for name, row in walk.rows.items()} == {
        "hob": ("hot",), "bulb": ("hot",), "cup": (), "door": (), "tap": (), "sink": (),
    }  # fmt: skip


@pytest.mark.parametrize(("value", "counts"), [(9.9, False), (10.0, True), (2000, True)])
def test_a_plug_counts_from_the_least_load_that_a_rule_may_call_hot(
    tmp_path: Path, value: float, counts: bool
) -> None:
    walk = a_walk(tmp_path)
    assert walk.heard("hob.power", value, AT) is counts
    assert walk.rows["hob"].passed is counts


def test_only_what_is_wanted_and_new_is_a_tick(tmp_path: Path) -> None:
    walk = a_walk(tmp_path)
    assert not walk.heard("hob.energy", 5.0, AT)
    assert not walk.heard("nobody.motion", True, AT)
    assert walk.heard("sink.water", True, AT)
    assert not walk.heard("sink.water", True, LATER), "once is enough"
    assert walk.rows["sink"].at == AT


def test_what_a_door_was_before_the_test_tells_a_new_state_from_the_old(tmp_path: Path) -> None:
    walk = a_walk(tmp_path)
    walk.knew("door.contact", True)
    walk.knew("door.contact", False)  # the first word of it holds
    walk.knew("nobody.contact", True)
    walk.knew("door.battery", 80)
    assert not walk.heard("door.contact", True, AT)
    assert walk.heard("door.contact", False, AT)


def test_who_is_never_told_need_not_acknowledge(tmp_path: Path) -> None:
    assert list(a_walk(tmp_path).lines["hot"].parties) == ["care"]


def test_a_rule_without_steps_that_tell_is_told_to_whom_it_is_for(tmp_path: Path) -> None:
    walk = a_walk(tmp_path, LIGHTS)
    assert list(walk.lines["hot"].parties) == ["care", "resident"]


def test_the_first_time_that_a_rule_raised_is_kept(tmp_path: Path) -> None:
    walk = a_walk(tmp_path)
    walk.raised("hot", "hot:1", AT)
    walk.raised("hot", "hot:2", LATER)
    assert walk.lines["hot"].raised == AT
    walk.active = False
    walk.raised("hot", "hot:3", LATER)
    assert list(walk.alerts) == ["hot:1", "hot:2"], "what comes outside the test is no test"


@pytest.mark.parametrize(
    ("when", "steps", "at_once"),
    [
        ("stove > 50 W", TELLS, True),
        ("lamp changes", TELLS, True),
        ("not (stove > 50 W)", TELLS, True),
        ("stove > 50 W and lamp", TELLS, True),
        ("stove > 50 W for 1 min", TELLS, False),
        ("lamp and stove > 50 W for 1 min", TELLS, False),
        ("lamp or stove > 50 W within 8 min", TELLS, False),
        ("stove > 50 W", "  - {after: 10 s, do: notify, to: [care]}", True),
        ("stove > 50 W", "  - {after: 11 s, do: notify, to: [care]}", False),
        ("stove > 50 W", f"{TELLS}\n  - {{after: 5 min, do: notify, to: [resident]}}", True),
        ("stove > 50 W", "  - {after: 5 min, do: light, role: lamp, to: on}", True),
        (
            "stove > 50 W",
            f"  - {{after: 0 s, do: light, role: lamp, to: on}}\n{TELLS.replace('0 s', '3 min')}",
            False,
        ),
    ],
)
def test_a_rule_is_awaited_if_it_tells_somebody_while_the_installer_stands_there(
    tmp_path: Path, when: str, steps: str, at_once: bool
) -> None:
    (rule,) = rules(tmp_path, when, steps)
    assert is_at_once(rule) is at_once


def test_the_test_is_on_only_while_the_home_is_in_service_mode(tmp_path: Path) -> None:
    steps = installation(tmp_path)
    steps.walk = Walk("flat-1203", AT, {}, {})
    for mode, active in (
        ("home", False),
        ("service", True),
        ("service", True),
        ("home", False),
        ("night", False),
    ):
        steps.saw(status(mode=mode), devices())
        assert steps.walk.active is active, mode


def test_a_line_that_is_nothing_to_tick_is_none(tmp_path: Path) -> None:
    steps = installation(tmp_path)
    steps.walk = Walk("flat-1203", AT, {}, {}, active=True)
    steps.set_up_walk()
    assert steps.heard({"rule": "water_leak", "event": "raised", "alert": "w:1", "at": AT})
    assert not steps.heard({"link": "down", "why": "cable", "at": AT})
    assert not steps.heard({"rule": "water_leak", "event": "resolved", "alert": "w:1", "at": AT})


def test_home_yaml_read_again_names_what_was_new(tmp_path: Path) -> None:
    steps = installation(tmp_path)
    steps.saw(status(), devices(joined(NEW, "", "water")))
    assert list(steps.arrivals) == [NEW]
    named = f'  bath: {{via: zigbee, ieee: "{NEW}", room: bathroom}}\nradios:'
    report = checked(tmp_path, installing.HOME.replace("radios:", named))
    assert report.home is not None
    steps.reread(report.home, report.rules)
    assert (list(steps.arrivals), steps.joined["bath"]["kinds"]) == ([], ["water"])


@pytest.mark.parametrize(
    ("maker", "model", "written"),
    [
        ("IKEA of  Sweden", "PARASOLL", "IKEA of Sweden/PARASOLL"),
        ("a/b", "c/d", "a-b/c/d"),
        ("", "PARASOLL", ""),
        ("IKEA", "", ""),
    ],
)
def test_a_model_is_written_with_its_maker_or_not_at_all(maker: str, model: str, written: str) -> None:
    assert Arrival(NEW, maker, model).model_field == written
