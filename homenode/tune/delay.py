"""How long a rule takes to say something of a hazard that begins now: exact, from the rule alone."""

from __future__ import annotations

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
)


def told_after_ms(rule: BoundRule) -> int | None:
    """From the begin of a hazard to the first `notify`, at the soonest.

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

    Before that instant each atom had the other value, for ever.
    """
    match expr:
        case Not(part):
            return delay_ms(part, not to)
        case And(parts):
            return (max if to else min)(delay_ms(part, to) for part in parts)
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
