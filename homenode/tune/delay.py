"""How long a rule takes to say something of a hazard that begins now: exact, from the rule alone."""

from __future__ import annotations

from collections.abc import Sequence

from homenode.language.bound import (
    And,
    BoundRule,
    Count,
    Expr,
    For,
    Not,
    Or,
    Since,
    Within,
    parts_of,
)


def told_after_ms(rule: BoundRule) -> int | None:
    """From the beginning of a hazard to the first `notify`, at the soonest.

    The hazard: all that `when` asks of sensors is so from one instant on, and was not before it. Where a rule
    has several ways to fire, the quickest counts. A rule without a `notify` step tells at its raise; one that
    notifies only at its resolve, never: None.
    """
    notify = [step.after_ms for step in rule.steps if step.do == "notify"]
    after = [after_ms for after_ms in notify if after_ms is not None]
    if notify and not after:
        return None
    return delay_ms(rule.when) + min(after, default=0)


def delay_ms(expr: Expr, to: bool = True) -> int:
    """From the instant at which every atom takes the value that leads there, until `expr` is TRUE (or FALSE).

    Before that instant each atom had the other value, for ever; save that what must have been (``within``) of
    an atom that now has to be otherwise was so long enough: who is out of bed had lain in it.
    """
    match expr:
        case And(parts) if to:
            return max(0 if _was_before(part, parts) else delay_ms(part) for part in parts)
        case Not(part):
            return delay_ms(part, not to)
        case And(parts):
            return min(delay_ms(part, to) for part in parts)
        case Or(parts):
            return (min if to else max)(delay_ms(part, to) for part in parts)
        case For(part, window_ms):
            return delay_ms(part, to) + (window_ms if to else 0)
        case Within(part, window_ms):
            return delay_ms(part, to) + (0 if to else window_ms)
        case Since(part, anchor):
            return delay_ms(anchor) if to else max(delay_ms(part, to), delay_ms(anchor, to))
        case Count(_, window_ms, op, _):
            fewer = op in ("<", "<=")
            return window_ms if fewer is to and op not in ("==", "!=") else 0
        case _:
            return 0


def _was_before(part: Expr, parts: Sequence[Expr]) -> bool:
    """Whether it is about a time before what the others ask for now."""
    if not isinstance(part, Within):
        return False
    otherwise = {(atom, not value) for atom, value in _wanted(part, True)}
    return any(otherwise & _wanted(other, True) for other in parts if not isinstance(other, Within))


def _wanted(expr: Expr, to: bool) -> set[tuple[Expr, bool]]:
    """The atoms of `expr`, and the values with which they lead to what is wanted of it."""
    if isinstance(expr, Not):
        return _wanted(expr.part, not to)
    parts = parts_of(expr)
    return set().union(*(_wanted(part, to) for part in parts)) if parts else {(expr, to)}
