"""Presence that stills an alarm: a sensor that is silent, faulty or stuck must not do that (pure)."""

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
    Timed,
    Turning,
    inside,
    walk,
)
from homenode.language.values import Word

PRESENCE = frozenset(("motion", "occupancy"))
"""Kinds of points that say that somebody is there."""


def stilled_by_silence(rule: RuleFile) -> Iterator[tuple[Ask, str]]:
    """Where `when` waits for nobody to be there and a silent or stuck sensor would keep it waiting.

    A rule that reads nothing but presence is about the absence itself: it becomes blind, and says so.

    Yields:
        The place, and what to write instead; each role once.
    """
    reads = {part.role for part in walk(rule.when.expr) if isinstance(part, Ask | Counted)}
    if all(_is_presence(rule, role) for role in reads):
        return
    told = set()
    for ask in _absences(rule, rule.when.expr, True, frozenset(), frozenset()):
        if ask.role not in told:
            told.add(ask.role)
            role = f"any({ask.role}{{}})" if ask.each else f"{ask.role}{{}}"
            asked = [role.format(more) for more in ("", " is stale", " is unknown")]
            stuck = "" if isinstance(ask.test, Turning) else f" or {asked[0]} for 1 h"
            yield ask, f"(not {' or '.join(asked)}{stuck})"


def _absences(
    rule: RuleFile, expr: Syntax, positive: bool, guarded: frozenset[str], unstuck: frozenset[str]
) -> Iterator[Ask]:
    """What is so when nobody is there, but where silence and too long a stay count as that, too."""
    if isinstance(expr, Negation):
        positive = not positive
    elif isinstance(expr, Joined) and (expr.word == "or") is positive:
        guarded |= _asked(expr, positive, "stale") & _asked(expr, positive, "unknown")
        unstuck |= _stays(expr, positive)
    elif isinstance(expr, Ask) and _is_presence(rule, expr.role) and _means_there(expr) is (not positive):
        sound = expr.role in guarded and (isinstance(expr.test, Turning) or expr.role in unstuck)
        yield from () if sound else (expr,)
    for part in inside(expr):
        yield from _absences(rule, part, positive, guarded, unstuck)


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


def _stays(expr: Syntax, positive: bool) -> frozenset[str]:
    """Roles of which somebody being there for long makes a part of it true (false if not `positive`)."""
    if isinstance(expr, Timed) and isinstance(expr.part, Ask):
        stays = positive and expr.word == "for" and _means_there(expr.part) is True
        return frozenset((expr.part.role,)) if stays else frozenset()
    if isinstance(expr, Negation):
        return _stays(expr.part, not positive)
    return frozenset().union(*(_stays(part, positive) for part in inside(expr)))


def _asked(expr: Syntax, positive: bool, quality: str) -> frozenset[str]:
    """Roles whose sensors being so makes a part of it true (false if not `positive`)."""
    if isinstance(expr, Ask):
        is_so = isinstance(expr.test, Is) and expr.test.quality == quality and positive and expr.each != "all"
        return frozenset((expr.role,)) if is_so else frozenset()
    if isinstance(expr, Negation):
        return _asked(expr.part, not positive, quality)
    return frozenset().union(*(_asked(part, positive, quality) for part in inside(expr)))
