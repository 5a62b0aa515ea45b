"""A rule's conditions as written: roles and parameters by name, each part with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homenode.language.values import Quantity, Span, TimeOfDay, Word


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$NAME`` in place of a value."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A value, or the parameter that stands for it. `at`: place in the text, from 0."""

    value: Quantity | Span | TimeOfDay | Word | Parameter
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``> 50 W``."""

    op: str
    value: Constant


@dataclass(frozen=True, slots=True)
class Bare:
    """The point itself is TRUE."""


@dataclass(frozen=True, slots=True)
class Turning:
    """``changes``."""


@dataclass(frozen=True, slots=True)
class Is:
    """``is stale`` or ``is unknown``."""

    quality: str


Test = Comparison | Bare | Turning | Is


@dataclass(frozen=True, slots=True)
class Ask:
    """A role and what is asked of it; `each` is ``any`` or ``all`` for a role with many points, else ""."""

    each: str
    role: str
    test: Test
    at: int


@dataclass(frozen=True, slots=True)
class Counted:
    """``count(role, window) op number``."""

    role: str
    window: Constant
    op: str
    number: Constant
    at: int


@dataclass(frozen=True, slots=True)
class Daytime:
    """``between start and end``."""

    start: Constant
    end: Constant
    at: int


@dataclass(frozen=True, slots=True)
class InMode:
    """``mode == WORD``."""

    mode: str
    at: int


@dataclass(frozen=True, slots=True)
class Negation:
    """``not part``."""

    part: Syntax
    at: int


@dataclass(frozen=True, slots=True)
class Joined:
    """``and`` or ``or`` of all parts."""

    word: str
    parts: tuple[Syntax, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Timed:
    """``part for window`` or ``part within window``."""

    word: str
    part: Syntax
    window: Constant
    at: int


@dataclass(frozen=True, slots=True)
class Ever:
    """``part since anchor``."""

    part: Syntax
    anchor: Syntax
    at: int


Syntax = Ask | Counted | Daytime | InMode | Negation | Joined | Timed | Ever


def walk(expr: Syntax) -> Iterator[Syntax]:
    """`expr` and everything in it, from left to right."""
    yield expr
    for part in inside(expr):
        yield from walk(part)


def inside(expr: Syntax) -> tuple[Syntax, ...]:
    """The expressions directly inside `expr`."""
    if isinstance(expr, Joined):
        return expr.parts
    if isinstance(expr, Negation | Timed):
        return (expr.part,)
    if isinstance(expr, Ever):
        return (expr.part, expr.anchor)
    return ()
