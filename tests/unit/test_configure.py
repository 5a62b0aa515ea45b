"""What differs between two configurations, and whose signature that needs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml

from homenode.config import rows
from homenode.config.check import check_home
from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.config.rule_files import Texts
from homenode.configure.differences import CARE, OPERATOR, SIGNED_BY, differences, needed, signer_of
from homenode.configure.facts import _leaves, blank, facts
from tests.unit.configure_examples import FOLDER, HOME, OTHER, TYPES, other, read

SECTION_OF = {
    "TOP": "", "BROKER": "broker", "LOST": "broker.lost", "RADIO": "radios.*", "DEVICE": "devices.*",
    "USE": "rules.*", "MODE": "modes.*", "MACHINE": "machine", "CLOCK": "clock", "RESIDENT": "resident",
    "VOICE": "voice", "CAMERA": "cameras.*", "VIDEO": "video.*", "ICE": "ice", "PANEL": "panel.*",
    "EXPORT": "export",
}  # fmt: skip
BY_HAND = (
    "broker.url", "broker.interfaces", "ice.urls", "cameras.*.masks", "modes.*.quiet", "rules.*.bind",
    "rules.*.set", "share.*", "radios.*.port", "devices.*.pin", "devices.*.ieee",
)  # fmt: skip
"""Fields that no row of config/rows.py has: they are read otherwise, or are a driver's."""
OWN = ("radios.*.port", "devices.*.pin", "devices.*.ieee")
NO_EXAMPLE = ("drivers", "video.*.party")
"""A folder must be there; and one value alone is accepted."""

BASE = read(HOME)


def fields() -> list[str]:
    """Every field that home.yaml has, with * for names."""
    found = []
    for name, table in vars(rows).items():
        if isinstance(table, tuple) and table and all(isinstance(row, Field) for row in table):
            section = SECTION_OF.get(name, f"unknown to this test: {name}")
            found += [f"{section}.{row.name}".lstrip(".") for row in table]
    return [*found, *BY_HAND]


def said(field: str) -> str | None:
    """Whose somebody has said that it is; None if nobody has. A section of care's speaks for its fields."""
    if field in OWN:
        field = f"{field.rpartition('.')[0]}.options"
    if field in SIGNED_BY:
        return SIGNED_BY[field]
    section = field
    while section := section.rpartition(".")[0]:
        if SIGNED_BY.get(section) == CARE:
            return CARE
        if section in SIGNED_BY:
            return None
    return None


def fits(path: str, field: str) -> bool:
    """Whether an example is one of a field."""
    names = [name if name else "*" for name in field.split(".")]
    pattern = "".join(f"(?:{re.escape(name) if name != '*' else '[^.]+'})\\." for name in names)
    return re.fullmatch(pattern, f"{path}.") is not None


@pytest.mark.parametrize("field", fields())
def test_somebody_has_said_who_signs_for_each_field_of_home_yaml(field: str) -> None:
    assert said(field) is not None, "a new field: who must sign when it changes? (configure/differences.py)"


@pytest.mark.parametrize("section", rows.SECTIONS)
def test_somebody_has_said_who_signs_for_each_section(section: str) -> None:
    assert any(kind == section or kind.startswith(f"{section}.") for kind in SIGNED_BY)


def test_what_nobody_has_thought_of_is_cares() -> None:
    assert signer_of("teleport") == CARE
    assert signer_of("devices.*.teleport") == CARE


@pytest.mark.parametrize("path", OTHER)
def test_a_field_that_changes_is_seen_and_needs_the_signature_that_was_said(path: str) -> None:
    found = differences(BASE, read(other(path, OTHER[path])))
    field = next((field for field in fields() if fits(path, field)), path.partition(".")[0])
    wanted = said(field) or said(f"{field}.*.driver")
    assert needed(found) == {wanted}, [one.place for one in found]


def test_there_is_such_an_example_of_each_field() -> None:
    whole = {
        "clock.trust": "clock", "export.homeassistant": "export",
        "modes.*.longest": "modes.visit", "radios.*.driver": "radios.second",
        "devices.*.driver": "devices.sink", "rules.*.use": "rules.0",
    }  # fmt: skip
    assert [
        field
        for field in fields()
        if field not in NO_EXAMPLE
        if whole.get(field) not in OTHER and not any(fits(path, field) for path in OTHER)
    ] == []


def test_other_drivers_are_cares_as_they_are_programs() -> None:
    texts = Texts({FOLDER / "home.yaml": yaml.safe_dump(HOME)})
    report = check_home(FOLDER / "home.yaml", drivers=TYPES, files=False, texts=texts)
    assert report.home is not None
    after = facts(replace(report.home, drivers=FOLDER / "own"), report.rules)
    assert needed(differences(facts(report.home, report.rules), after)) == {CARE}


def changed(**sections: Any) -> list[str]:
    return [one.place for one in differences(BASE, read(HOME | sections))]


def test_comments_and_the_order_of_devices_are_no_difference() -> None:
    devices = dict(reversed(HOME["devices"].items()))
    assert changed(devices=devices, voice={"volume": 90, "rate": 140}) == []


def test_the_order_of_rules_and_of_what_the_panel_shows_is_one() -> None:
    assert changed(rules=HOME["rules"][::-1]) == ["rules"]
    assert changed(panel=dict(reversed(HOME["panel"].items()))) == ["panel"]
    assert changed(rules=HOME["rules"][:1]) == ["rules.stove_left_on"]


def test_a_device_that_nothing_names_comes_and_goes_with_the_operators_signature() -> None:
    plain = {"driver": "gpio", "pin": 25, "kind": "motion", "room": "hall"}
    more = HOME | {"devices": HOME["devices"] | {"new": plain}}
    came, went = differences(BASE, read(more)), differences(read(more), BASE)
    assert [(one.place, one.how, one.signer) for one in came] == [("devices.new", "new", OPERATOR)]
    assert [(one.place, one.how, one.signer) for one in went] == [("devices.new", "gone", OPERATOR)]


def test_a_device_whose_readings_leave_by_a_star_of_share_is_cares() -> None:
    wet = {"driver": "gpio", "pin": 25, "kind": "water", "room": "hall"}
    found = differences(BASE, read(HOME | {"devices": HOME["devices"] | {"new": wet}}))
    assert [(one.place, one.signer) for one in found] == [
        ("devices.new", OPERATOR), ("share.property.new", CARE),
    ]  # fmt: skip


def test_a_second_gang_that_leaves_by_a_star_of_share_is_cares_too() -> None:
    device = Device("plug", "zigbee", "hall", via="zigbee")
    assert _leaves(device, ["*.switch_2", "*.current_1?"]) == {"switch_2"}
    assert _leaves(device, ["*.current_12"]) == {"current_12"}
    assert "power_3" in _leaves(device, ["plug.*"])


def test_a_kind_that_turns_into_a_shared_one_is_cares() -> None:
    eye = HOME["devices"]["nose"] | {"kind": "water"}
    devices = HOME["devices"] | {"nose": eye}
    modes = HOME["modes"] | {"away": {}}
    before = HOME | {"modes": modes}
    found = differences(read(before), read(before | {"devices": devices}))
    assert [one.place for one in found] == ["devices.nose.kind", "share.property.nose"]


def test_no_broker_any_more_and_one_without_encryption_are_cares() -> None:
    safe = HOME | {"broker": {"url": "mqtts://one.example"}}
    assert needed(differences(read(safe), read({**safe, "broker": {"url": "mqtts://two.example"}}))) == {
        OPERATOR
    }
    assert CARE in needed(differences(read(safe), read({**safe, "broker": {"url": "mqtt://one.example"}})))
    without = {name: value for name, value in safe.items() if name != "broker"}
    assert [(one.place, one.signer) for one in differences(read(safe), read(without))] == [("broker", CARE)]


def test_the_first_one_differs_from_a_home_of_which_nothing_is_known() -> None:
    found = differences(blank(FOLDER), BASE)
    assert {"home", "timezone", "broker", "rules.water_leak", "devices.stove"} <= {one.place for one in found}
    assert not {"voice.rate", "modes.visit", "hats"} & {one.place for one in found}
