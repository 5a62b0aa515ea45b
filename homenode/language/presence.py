"""Presence that stills an alarm: a sensor that is silent must not do that (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from homenode.language.rule_file import RuleFile
from homenode.language.syntax import (
    Ask,
    Bare,
    Comparison,
    Counted,
    Is,
    Joined,
    Negation,
    Syntax,
    Turning,
    inside,
    walk,
)
from homenode.language.values import Word

PRESENCE = frozenset(("motion", "occupancy"))
"""Kinds of points that say that somebody is there."""


def stilled_by_silence(rule: RuleFile) -> Iterator[tuple[Ask, str]]:
    """Where `when` waits for nobody to be there and a silent sensor would keep it waiting.

    A rule that reads nothing but presence is about the absence itself: it becomes blind, and says so.

    Yields:
        The place, and what to write instead; each role once.
    """
    reads = {part.role for part in walk(rule.when.expr) if isinstance(part, Ask | Counted)}
    if all(_is_presence(rule, role) for role in reads):
        return
    told = set()
    for ask in _absences(rule, rule.when.expr, True, frozenset()):
        if ask.role not in told:
            told.add(ask.role)
            role = f"any({ask.role}{{}})" if ask.each else f"{ask.role}{{}}"
            asked = (role.format(more) for more in ("", " is stale", " is unknown"))
            yield ask, f"(not {' or '.join(asked)})"


def _absences(rule: RuleFile, expr: Syntax, positive: bool, guarded: frozenset[str]) -> Iterator[Ask]:
    if isinstance(expr, Negation):
        positive = not positive
    elif isinstance(expr, Joined) and (expr.word == "or") is positive:
        guarded |= _asked(expr, positive, "stale") & _asked(expr, positive, "unknown")
    elif isinstance(expr, Ask) and _is_presence(rule, expr.role) and _means_there(expr) is (not positive):
        yield from () if expr.role in guarded else (expr,)
    for part in inside(expr):
        yield from _absences(rule, part, positive, guarded)


def _is_presence(rule: RuleFile, role: str) -> bool:
    return set(rule.roles[role].kinds) <= PRESENCE


def _means_there(ask: Ask) -> bool | None:
    """Whether it is true when somebody is there, or when nobody is; None if it asks for something else."""
    match ask.test:
        case Bare() | Turning():
            return True
        case Comparison(op, constant) if isinstance(constant.value, Word):
            return (constant.value.text == "true") is (op == "==")
    return None


def _asked(expr: Syntax, positive: bool, quality: str) -> frozenset[str]:
    """Roles whose sensors being so makes a part of it true (false if not `positive`)."""
    if isinstance(expr, Ask):
        is_so = isinstance(expr.test, Is) and expr.test.quality == quality and positive and expr.each != "all"
        return frozenset((expr.role,)) if is_so else frozenset()
    if isinstance(expr, Negation):
        return _asked(expr.part, not positive, quality)
    return frozenset().union(*(_asked(part, positive, quality) for part in inside(expr)))
