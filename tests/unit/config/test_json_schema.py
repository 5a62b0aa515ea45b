"""The schema that editors use agrees with what the node accepts."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import homenode.demo
from homenode.config.model import Home
from homenode.config.rule_files import shipped_folder
from homenode.config.schema import home_schema, print_schema, rule_schema
from homenode.config.yaml12 import compose, plain
from homenode.language.steps import DOES
from tests.unit.config.some_drivers import DRIVERS, HOME
from tests.unit.config.test_home_yaml_mistakes import ONE_MISTAKE

# These need the disk, the zones of the world, arithmetic, or what stands elsewhere in the file.
BEYOND_A_SCHEMA = set(
    [
        "timezone",
        "broker.url",
        "broker.ca",
        "broker.key",
        "broker.username",
        "devices.stove.via",
        "devices.kitchen_eye.ieee",
        "devices.kitchen_eye.stale_after",
        "devices.sink.pin",
        "devices.sink.debounce",
        "sink",
        "rules.1.use",
        "rules.1.bind.stove",
        "rules.2.as",
        "share.property",
        "resident.ok",
        "resident.stop",
        "voice.recordings",
        "cameras.hall.password_file",
        "cameras.hall.lamp",
        "panel.snk.water",
        "cameras.hall.masks",
        "video.night.cameras",
        "video.night.from",
        "video.night.to",
        "video.night.hours",
        "video.night.views",
        "video.night.modes",
        "video.night.longest",
        "video.night.answer_within",
        "ice.password_file",
        "modes.night",
        "modes.night.to",
        "modes.away.from",
        "modes.away",
        "modes.away.door",
        "modes.away.after",
        "modes.guests.after",
        "modes.home.longest",
    ]
)


def problems(text: str) -> list[Any]:
    return list(Draft202012Validator(home_schema(DRIVERS)).iter_errors(plain(compose(text, "f", []))))


def test_both_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(home_schema(DRIVERS))
    Draft202012Validator.check_schema(home_schema({}))
    Draft202012Validator.check_schema(rule_schema())


@pytest.mark.parametrize(
    "text",
    [
        HOME,
        "home: a\ntimezone: UTC\ndevices: {}\n",
        "home: 17\ntimezone: UTC\ndevices:\nrules:\nshare:\nmodes:\n",
    ],
)
def test_what_the_node_takes_the_schema_takes(load: Callable[[str], Home], text: str) -> None:
    load(text)
    assert problems(text) == []


@pytest.mark.parametrize(("before", "after", "field", "suggestion"), ONE_MISTAKE)
def test_what_one_field_shows_to_be_wrong_the_schema_refuses(
    before: str, after: str, field: str, suggestion: str
) -> None:
    if not problems(HOME.replace(before, after, 1)):
        assert field in BEYOND_A_SCHEMA


@pytest.mark.parametrize("what", ["home", "rule"])
def test_the_command_prints_json(what: str) -> None:
    out = io.StringIO()
    assert print_schema(what, out) == 0
    assert json.loads(out.getvalue())["$schema"].startswith("https://json-schema.org")


RULE = """
rule: stove_left_on
version: 1
severity: alarm
to: [care]
roles:
  stove: {kind: power}
  presence: {kind: [motion, contact], many: true}
  guard: {kind: switch, optional: true}
parameters:
  hot: {default: 50 W, min: 10 W, max: 500 W}
when: (stove > $hot) for 20 min
steps:
  - {after: 0 s, do: say, text: {sv: "Spisen", en: "Stove"}}
  - {after: $alone, do: switch, role: guard, to: off}
  - {after: 3 min, do: notify, every: 5 min, times: 3}
  - {at: resolve, do: notify}
says: {sv: "x", en: "y"}
"""


@pytest.mark.parametrize(
    ("before", "after", "fine"),
    [
        ("version: 1", "version: 1", True),
        ("version: 1", "vresion: 1", False),
        ("severity: alarm", "severity: bad", False),
        ("kind: power", "kind: pwer", False),
        ("to: off", "to: of", False),
        ("do: notify,", "do: notfy,", False),
        ("after: 3 min, ", "", False),
        (", times: 3", "", False),
        ("to: [care]", "to: []", True),
    ],
)
def test_rule_files_have_a_schema_too(before: str, after: str, fine: bool) -> None:
    text = RULE.replace(before, after, 1)
    assert Draft202012Validator(rule_schema()).is_valid(plain(compose(text, "f"))) is fine


STEPS = {
    "say": 'text: {sv: "x"}',
    "light": "role: guard, to: on",
    "switch": "role: guard, to: true",
    "valve": "role: guard, to: closed",
    "siren": "role: guard, to: off",
    "notify": "to: property",
    "offer_video": "role: Guard",
    "mode": "to: away",
}


@pytest.mark.parametrize("do", DOES)
def test_a_step_of_each_sort_has_its_own_keys(do: str) -> None:
    """An editor that knows `do` offers what goes with it."""

    def fits(step: str) -> bool:
        text = RULE.replace("{at: resolve, do: notify}", f"{{{step}}}")
        return Draft202012Validator(rule_schema()).is_valid(plain(compose(text, "f")))

    assert fits(f"after: $alone, do: {do}, {STEPS[do]}, every: 1 min, times: $often")
    assert fits(f"at: resolve, do: {do}, {STEPS[do]}")
    assert fits(f"at: resolve, do: {do}") is (do == "notify")
    assert not fits(f"at: resolve, do: {do}, {STEPS[do]}, colour: red")
    wrong = {"light": "role: guard, to: open", "notify": "to: operator", "valve": "role: guard, to: on"}
    assert not fits(f"at: resolve, do: {do}, {wrong.get(do, 'view: all')}")


def undescribed(schema: dict[str, Any], place: str) -> list[str]:
    own = [
        f"{place}.{name}" for name, one in schema.get("properties", {}).items() if "description" not in one
    ]
    inner = list(schema.get("properties", {}).items()) + list(schema.get("patternProperties", {}).items())
    inner += [
        (key, schema[key]) for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)
    ]
    inner += [(str(number), one) for number, one in enumerate(schema.get("anyOf", ()))]
    return own + [found for name, one in inner for found in undescribed(one, f"{place}.{name}")]


def test_an_editor_has_a_sentence_for_every_key() -> None:
    assert undescribed(rule_schema(), "rule") == []
    assert undescribed(home_schema(), "home") == []


@pytest.mark.parametrize("file", sorted(shipped_folder().glob("*.yaml")), ids=lambda file: file.stem)
def test_the_shipped_rules_fit_their_schema(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert list(Draft202012Validator(rule_schema()).iter_errors(plain(compose(text, file.name)))) == []


def test_the_demos_home_fits_the_schema_with_the_real_drivers() -> None:
    demo = Path(homenode.demo.__path__[0]) / "home.yaml"
    root = plain(compose(demo.read_text(encoding="utf-8"), "home.yaml"))
    assert list(Draft202012Validator(home_schema()).iter_errors(root)) == []
