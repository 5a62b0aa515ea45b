"""A rule file in short, for tests: what is given stands in a file that is otherwise right."""

from __future__ import annotations

from pathlib import Path

from homenode.config.model import Device, Home, Mode, RuleUse
from homenode.errors import Mistake
from homenode.language import BoundRule, try_rule
from homenode.language.binding import bind

ROLES = """
  stove: {kind: power}
  door: {kind: contact}
  eye: {kind: motion, many: true}
  help: {kind: button}
  guard: {kind: switch, optional: true}
  view: {kind: camera, optional: true}
"""
PARAMETERS = """
  hot: {default: 50 W, min: 10 W, max: 500 W}
  alone: {default: 20 min, min: 1 min, max: 2 h}
  from: {default: 22:00}
  often: {default: 3, min: 1, max: 9}
"""
BINDS = {
    "stove": ("s.power",),
    "door": ("d.contact",),
    "eye": ("e.motion", "f.motion"),
    "help": ("h.button",),
}


def rule_text(when: str = "door", rest: str = "") -> str:
    return f"rule: case\nroles:{ROLES}parameters:{PARAMETERS}when: {when}\n{rest}"


def mistakes_of(when: str = "door", rest: str = "") -> list[Mistake]:
    return try_rule(rule_text(when, rest), "case.yaml")[1]


def home_with(cameras: tuple[str, ...] = ()) -> Home:
    devices = {name: Device(name, "zigbee", "kitchen") for name in "sdefhg"}
    modes = {name: Mode(name, 1) for name in ("home", "away", "night")}
    path = Path("/home.yaml")
    named: dict[str, dict[str, object]] = {camera: {} for camera in cameras}
    return Home(path, "case", "UTC", "en", None, {}, devices, (), {}, modes, cameras=named)


def bound(
    when: str = "door",
    rest: str = "",
    binds: dict[str, tuple[str, ...]] | None = None,
    sets: dict[str, str] | None = None,
    lists: frozenset[str] = frozenset(),
) -> tuple[BoundRule | None, list[Mistake]]:
    rule, mistakes = try_rule(rule_text(when, rest), "case.yaml")
    assert rule is not None, mistakes
    places = {"set.hot": (9, 3)}
    use = RuleUse("case", "case", Path("case.yaml"), binds or BINDS, sets or {}, 7, 5, lists, places)
    return bind(rule, use, home_with())


def meaning_of(when: str, **given: dict[str, str]) -> object:
    """`when` as the engine gets it."""
    rule, mistakes = bound(when, sets=given.get("sets"))
    assert rule is not None, mistakes
    return rule.when
