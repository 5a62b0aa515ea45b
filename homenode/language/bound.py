"""A rule as it applies in one home: parameters and roles are replaced by values and points.

Expressions are frozen and hashable, so that the engine can share equal ones between rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

OPERATORS = ("<", "<=", ">", ">=", "==", "!=")
DEFAULT_BRIDGE_MS = 15 * 60_000
"""A longer downtime ends what was known, for rules that say nothing else and for what people are shown."""


@dataclass(frozen=True, slots=True)
class Compare:
    """``stove > 50 W``; of a boolean or momentary point only ``== True`` and ``== False``."""

    point: str
    op: str
    value: bool | int | float


@dataclass(frozen=True, slots=True)
class Changes:
    """The instant a boolean point turns, or a button is pressed."""

    point: str


@dataclass(frozen=True, slots=True)
class HasQuality:
    """``is stale`` or ``is unknown``: never UNKNOWN itself."""

    point: str
    quality: str


@dataclass(frozen=True, slots=True)
class Count:
    """How often the point turned from FALSE to TRUE in the last `window_ms`, compared with `number`."""

    point: str
    window_ms: int
    op: str
    number: int


@dataclass(frozen=True, slots=True)
class Between:
    """The local wall clock reads in [start, end), in minutes of the day; over midnight if end < start."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ModeIs:
    """The home is in this mode."""

    mode: str


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene negation."""

    part: Expr


@dataclass(frozen=True, slots=True)
class And:
    """Kleene conjunction."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Kleene disjunction."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class For:
    """`part` at every instant of the last `window_ms` (both ends included)."""

    part: Expr
    window_ms: int


@dataclass(frozen=True, slots=True)
class Within:
    """`part` at some instant of the last `window_ms` (both ends included)."""

    part: Expr
    window_ms: int


@dataclass(frozen=True, slots=True)
class Since:
    """`anchor`, or `part` ever since the last `anchor`."""

    part: Expr
    anchor: Expr


Expr = Compare | Changes | HasQuality | Count | Between | ModeIs | Not | And | Or | For | Within | Since


def parts_of(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside `expr`."""
    if isinstance(expr, And | Or):
        return expr.parts
    if isinstance(expr, Not | For | Within):
        return (expr.part,)
    if isinstance(expr, Since):
        return (expr.part, expr.anchor)
    return ()


def atoms_of(expr: Expr) -> Iterator[Expr]:
    """Every atom in `expr`, from left to right."""
    parts = parts_of(expr)
    if not parts:
        yield expr
    for part in parts:
        yield from atoms_of(part)


def points_of(expr: Expr) -> tuple[str, ...]:
    """The points that `expr` reads, sorted."""
    return tuple(sorted({p for atom in atoms_of(expr) if (p := getattr(atom, "point", ""))}))


@dataclass(frozen=True, slots=True)
class BoundStep:
    """One step of a rule.

    Attributes:
        number: Its place in the rule file, from 1.
        do: ``say``, ``light``, ``switch``, ``valve``, ``siren``, ``notify``, ``offer_video`` or ``mode``.
        after_ms: From the raise (of `notify` after a lapse: from the lapse); None runs at the resolve.
        every_ms, times: It runs `times` times in all, `every_ms` apart.
        point: What a switching step switches; "" otherwise.
        turn: What it switches to (True = on, open).
        text: Language to what is said, parameters filled in.
        parties: Whom `notify` tells; those of the rule unless the step names others.
        camera: What `offer_video` offers.
        mode: What `mode` sets, from the next instant on.
    """

    number: int
    do: str
    after_ms: int | None
    every_ms: int = 0
    times: int = 1
    point: str = ""
    turn: bool = False
    text: Mapping[str, str] = field(default_factory=dict)
    parties: tuple[str, ...] = ()
    camera: str = ""
    mode: str = field(default="", repr=False)  # not in the fingerprint of rules from before there was one


@dataclass(frozen=True, slots=True)
class BoundRule:
    """One use of a rule in one home, ready for the engine.

    Attributes:
        name: Of this use (``as:`` or the rule's own), unique in the home.
        rule: The rule file's own name.
        version: Of the rule file.
        severity: ``info``, ``warning`` or ``alarm``.
        to: Parties that hear of it; empty stays in the home.
        when, clear: Conditions; `clear` is ``not when`` where the file has none.
        steps: Without those left out, each with its number.
        says: Language to the sentence of the alert, parameters filled in.
        bridge_ms: Longest downtime that changes nothing.
        grace_ms: How long it may be blind before that is a fault.
        again_ms: An acknowledgement lapses after this; None never.
        hold: Resolves only once acknowledged.
        roles: Role to the points (or the camera) bound to it.
        parameters: Parameter to its text in force, such as ``15 min``.
        file: Where it was read.
    """

    name: str
    rule: str
    version: int
    severity: str
    to: tuple[str, ...]
    when: Expr
    clear: Expr
    steps: tuple[BoundStep, ...] = ()
    says: Mapping[str, str] = field(default_factory=dict)
    bridge_ms: int = DEFAULT_BRIDGE_MS
    grace_ms: int = 10 * 60_000
    again_ms: int | None = None
    hold: bool = False
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""

    @property
    def points(self) -> tuple[str, ...]:
        """The points that `when` and `clear` read, sorted: the evidence of an alert."""
        return tuple(sorted({*points_of(self.when), *points_of(self.clear)}))

    def step(self, number: int) -> BoundStep:
        """The step of that number; it is not one that was left out."""
        return next(step for step in self.steps if step.number == number)
