"""What a second configuration would have made different on the same recording.

Rules are matched by the name of their use. Two alerts are the same occasion if both are open at some instant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from homenode.engine.transition import Happening, Transition
from homenode.language.bound import BoundRule
from homenode.reading import Instant
from homenode.replay_report import SHOWN, Covered, Told, alerts, span, table

MARKS = ("A", "B")
"""How the report calls the two."""


@dataclass(slots=True)
class _Open:
    """An alert that is open, and whether it is the same occasion as one of the other configuration."""

    start: Instant
    matched: bool = False


@dataclass(slots=True)
class Pair:
    """One rule in both configurations; `told` has None where it isn't.

    Attributes:
        alone: Alerts that only one configuration has, by configuration.
        later_ms: Of alerts that both have: by how much B is later, to how many.
        notes: The first differences: when, and what.
    """

    told: list[Told | None]
    open: list[_Open | None] = field(default_factory=lambda: [None, None])
    alone: list[int] = field(default_factory=lambda: [0, 0])
    later_ms: Counter[int] = field(default_factory=Counter)
    notes: list[tuple[Instant, str]] = field(default_factory=list)
    differences: int = 0

    def add(self, index: int, change: Transition) -> None:
        """One transition of one configuration."""
        told = self.told[index]
        assert told is not None
        told.add(change)
        if change.event is Happening.RAISED:
            self.open[index] = _Open(change.at)
        elif change.event is Happening.RESOLVED:
            self._close(index)

    @property
    def second(self) -> Told:
        """What the rule did in the second configuration, which has it."""
        assert self.told[1] is not None
        return self.told[1]

    @property
    def both(self) -> int:
        """How many occasions were told by both."""
        return self.later_ms.total()

    def settle(self) -> None:
        """Everything of an instant was told."""
        one, other = self.open
        if one is None or other is None or one.matched or other.matched:
            return
        one.matched = other.matched = True
        later_ms = other.start - one.start
        self.later_ms[later_ms] += 1
        if later_ms:
            self._note(one.start, f"B {_later(later_ms)}")

    def _close(self, index: int) -> None:
        alert, self.open[index] = self.open[index], None
        if alert is not None and not alert.matched:
            self.alone[index] += 1
            self._note(alert.start, f"only in {MARKS[index]}")

    def _note(self, at: Instant, what: str) -> None:
        self.differences += 1
        if len(self.notes) < SHOWN:
            self.notes.append((at, what))

    def end(self) -> None:
        """The recording is over: what is still open is judged as it stands."""
        self.settle()
        for index in (0, 1):
            self._close(index)


class Difference:
    """Collects the transitions of two configurations over one recording.

    Args:
        names: How the user called them.
        rules: Of each, in its order.
    """

    def __init__(self, names: Sequence[str], rules: Sequence[Sequence[BoundRule]]) -> None:
        self._names = names
        by_name = [{rule.name: Told(rule) for rule in some} for some in rules]
        self._pairs = {
            name: Pair([told.get(name) for told in by_name]) for name in {**by_name[0], **by_name[1]}
        }
        self._at: Instant | None = None
        self._touched: dict[str, None] = {}

    def add(self, index: int, change: Transition) -> None:
        """One transition of one configuration; those of both in order of time."""
        if change.at != self._at:
            self._settle()
            self._at = change.at
        self._touched[change.rule] = None
        self._pairs[change.rule].add(index, change)

    def _settle(self) -> None:
        for name in self._touched:
            self._pairs[name].settle()
        self._touched.clear()

    def lines(self, covered: Covered) -> Iterator[str]:
        """The report: a table of all rules, then the differences of each."""
        self._settle()
        for pair in self._pairs.values():
            pair.end()
        for mark, name in zip(MARKS, self._names, strict=True):
            yield f"{mark}: {name}\n"
        yield from covered.heading()
        yield "\n"
        heads = ("rule", "alerts", "only A", "only B", "earlier", "later", "steps", "blind")
        yield from table(heads, [self._row(name, pair, covered) for name, pair in self._pairs.items()])
        yield "(earlier, later: alerts that both have, as B has them)\n"
        for name, pair in self._pairs.items():
            details = list(_details(pair, covered))
            if details:
                yield f"\n{name}\n"
                yield from (f"  {line}\n" for line in details)

    def _row(self, name: str, pair: Pair, covered: Covered) -> tuple[str, ...]:
        return (
            name,
            _both([None if told is None else str(told.count) for told in pair.told]),
            str(pair.alone[0] or "-"),
            str(pair.alone[1] or "-"),
            str(sum(count for ms, count in pair.later_ms.items() if ms < 0) or "-"),
            str(sum(count for ms, count in pair.later_ms.items() if ms > 0) or "-"),
            _both([None if told is None else str(told.steps.total()) for told in pair.told]),
            _both([None if t is None else covered.share(t.blind_until(covered.end)) for t in pair.told]),
        )


def _both(said: Sequence[str | None]) -> str:
    one, other = (text if text is not None else "–" for text in said)
    return one if one == other else f"{one} → {other}"


def _details(pair: Pair, covered: Covered) -> Iterator[str]:
    one, other = pair.told
    if one is None or other is None:
        told, mark = (one, "A") if other is None else (other, "B")
        assert told is not None
        yield f"only in {mark}: {alerts(told.count)}"
        return
    differ = sorted(do for do in one.steps | other.steps if one.steps[do] != other.steps[do])
    if differ:
        yield "steps: " + ", ".join(f"{do} {one.steps[do]} → {other.steps[do]}" for do in differ)
    if moved := [ms for ms in pair.later_ms if ms]:
        least, most = _later(min(moved)), _later(max(moved))
        yield f"where both have one: B {least}" + ("" if least == most else f" to {most}")
    for at, what in sorted(pair.notes):
        yield f"{covered.when(at)}  {what}"
    if pair.differences > len(pair.notes):
        yield f"… and {pair.differences - len(pair.notes)} more"


def _later(by_ms: int) -> str:
    return f"{span(abs(by_ms))} {'later' if by_ms > 0 else 'earlier'}"
