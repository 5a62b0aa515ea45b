"""The trials of a parameter as a table for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homenode.replay_against import Pair
from homenode.replay_report import Covered, span, table
from homenode.tune.delay import told_after_ms
from homenode.tune.trials import Measured

NOW = "now"


def lines(rows: Sequence[Measured], covered: Covered) -> Iterator[str]:
    """A parameter's table.

    Args:
        rows: Its trials, the one in force among them.
        covered: The recording.
    """
    present = next(row for row in rows if row.trial.present)
    heads = (present.trial.parameter, "alerts", "a week", "notified", "open", "still", "later", "told after")
    yield from table(heads, [_row(row, covered) for row in rows])


def legend(covered: Covered) -> Iterator[str]:
    """What the columns mean."""
    yield "notified: alerts that reached somebody before they ended; open: how long, in the median\n"
    yield f"still: of the alerts with the value in force ({NOW}) so many are raised, too;\n"
    yield "later: those by so much at most (- is earlier)\n"
    yield "told after: from the beginning of a hazard to notify, at the soonest; by the rule alone\n"
    if covered.rate(1) == "-":
        yield "a week: is said of recordings of a week or more\n"


def _row(row: Measured, covered: Covered) -> tuple[str, ...]:
    told, pair = row.told, row.pair
    median_ms, after_ms = told.median_ms(), told_after_ms(row.trial.rule)
    return (
        f"{row.trial.value} ({NOW})" if row.trial.present else row.trial.value,
        str(told.count),
        covered.rate(told.count),
        str(told.notified),
        "-" if median_ms is None else span(median_ms),
        str(told.count if pair is None else pair.both),
        "" if pair is None else _later(pair),
        "never" if after_ms is None else span(after_ms),
    )


def _later(pair: Pair) -> str:
    if not pair.later_ms:
        return ""
    return _signed(max(pair.later_ms, key=abs))


def _signed(ms: int) -> str:
    return f"-{span(-ms)}" if ms < 0 else span(ms)
