"""A rule file as read: everything checked that can be without knowing the home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from homenode.kinds import KINDS, Kind
from homenode.language.places import Placed
from homenode.language.syntax import Constant, Parameter, Syntax
from homenode.language.values import Value

CAMERA = "camera"
"""The kind of a role that is bound to a name under ``cameras:``; only ``offer_video`` uses it."""

SWITCHES = ("light", "switch", "valve", "siren")
"""Steps that switch a point of the kind of the same name."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a home binds points to.

    Attributes:
        kinds: Words of the table of kinds, or ``camera``.
        many: Bound to a list, asked by ``any`` and ``all``.
        optional: May stay unbound; only steps use it.
    """

    name: str
    kinds: tuple[str, ...]
    many: bool = False
    optional: bool = False

    @property
    def point_kinds(self) -> tuple[Kind, ...]:
        """Its kinds, without ``camera``."""
        return tuple(KINDS[kind] for kind in self.kinds if kind in KINDS)


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter: its default, and the range within which a home may set it; `text` as in the file."""

    name: str
    default: Value
    text: str
    low: Value | None = None
    high: Value | None = None
    low_text: str = ""
    high_text: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """`when` or `clear` with its text, and where that stands in the file."""

    expr: Syntax
    text: str
    places: Placed = field(compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One step as written; see `homenode.language.bound.BoundStep`."""

    number: int
    do: str
    after: Constant | None
    every: Constant | None = None
    times: Constant | None = None
    role: str = ""
    turn: str = ""
    text: Mapping[str, str] = field(default_factory=dict)
    to: tuple[str, ...] | None = None
    mode: str = ""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One rule file. Durations are constants or parameters; None where the file has no such key."""

    file: str
    rule: str
    version: int
    severity: str
    to: tuple[str, ...]
    roles: Mapping[str, Role]
    parameters: Mapping[str, Setting]
    when: Condition
    clear: Condition | None = None
    steps: tuple[Step, ...] = ()
    says: Mapping[str, str] = field(default_factory=dict)
    bridge: Constant | None = None
    grace: Constant | None = None
    again: Constant | None = None
    hold: bool = False
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, compare=False)
    """``when``, ``roles.NAME``, ``parameters.NAME`` and ``steps.N`` to line and column."""

    def parties(self, step: Step) -> tuple[str, ...]:
        """Whom a `notify` step tells."""
        return self.to if step.to is None else step.to

    @property
    def tells(self) -> bool:
        """Whether anybody hears of it."""
        notifies = [step for step in self.steps if step.do == "notify"]
        return any(self.parties(step) for step in notifies) if notifies else bool(self.to)


def value_of(constant: Constant, settings: Mapping[str, Setting], given: Mapping[str, Value]) -> Value | None:
    """The value that a constant has with what a home sets; None if it names no parameter."""
    if not isinstance(constant.value, Parameter):
        return constant.value
    name = constant.value.name
    if name in given:
        return given[name]
    return settings[name].default if name in settings else None
