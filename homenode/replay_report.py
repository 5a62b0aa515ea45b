"""What a replay found, for a person: what would have fired, how often a week, and what was blind how long."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from homenode.config.durations import UNITS_MS, words
from homenode.engine.transition import Happening, Transition
from homenode.language.bound import BoundRule, points_of
from homenode.reading import Instant
from homenode.trace import Downtimes

WEEK_MS = 7 * UNITS_MS["d"]
SHOWN = 20
"""Alerts of a rule that are listed; of more, only how many."""

WIDTH = 80
"""Columns of a terminal."""
NARROWEST = 12
GAP = "  "

PARTS_OF_DAY = ("night 0-6", "morning 6-12", "afternoon 12-18", "evening 18-24")


@dataclass(frozen=True, slots=True)
class Covered:
    """What was replayed.

    Attributes:
        name: As the user gave it.
        start, end: Of the recording.
        lines: Of the recording.
        down: When the node was down.
        heard: Points that were read.
        text: An instant as local time, RFC 3339.
    """

    name: str
    start: Instant
    end: Instant
    lines: int
    down: Downtimes
    heard: Collection[str]
    text: Callable[[Instant], str]

    @property
    def span_ms(self) -> int:
        """Length of the recording."""
        return self.end - self.start

    def when(self, at: Instant) -> str:
        """An instant for a person, to the second."""
        return self.text(at)[:19].replace("T", " ")

    def rate(self, count: int) -> str:
        """How often a week; "-" where the recording is shorter than one."""
        return f"{count * WEEK_MS / self.span_ms:.1f}" if self.span_ms >= WEEK_MS else "-"

    def share(self, part_ms: int) -> str:
        """A part of the recording in percent; "-" for none."""
        if part_ms <= 0:
            return "-"
        percent = 100 * part_ms / self.span_ms if self.span_ms else 100.0
        return "<0.1 %" if percent < 0.1 else f"{percent:.1f} %"

    def heading(self) -> Iterator[str]:
        """What was replayed, in a line or two."""
        first, last = self.when(self.start), self.when(self.end)
        lines = "1 line" if self.lines == 1 else f"{self.lines:,} lines"
        yield f"{lines}, {first} to {last} ({span(self.span_ms)})\n"
        if self.down.count:
            down_ms = self.down.total_ms + (self.end - self.down.since if self.down.since is not None else 0)
            yield f"node down {times(self.down.count)}, {span(down_ms)} in all ({self.share(down_ms)})\n"


@dataclass(slots=True)
class Occasion:
    """One alert or fault."""

    start: Instant
    end: Instant | None = None
    acknowledged: Instant | None = None
    steps: int = 0
    notified: bool = False


@dataclass(slots=True)
class Told:
    """What a rule did. Its size doesn't grow with the alerts, save eight bytes each.

    Attributes:
        rule: The rule.
        count: Alerts raised.
        first: The first of them.
        open: The one that is open.
        open_ms: How long those that ended were open.
        steps: What was done, and how often.
        notified: Of how many alerts somebody was told before they ended.
        raised_at: When.
        faults: How often it was blind.
        blind_since: Since when it is.
        blind_ms: How long it was, those times that ended.
        because: Of what.
    """

    rule: BoundRule
    count: int = 0
    first: list[Occasion] = field(default_factory=list)
    open: Occasion | None = None
    open_ms: array[int] = field(default_factory=lambda: array("q"))
    steps: Counter[str] = field(default_factory=Counter)
    notified: int = 0
    raised_at: array[int] = field(default_factory=lambda: array("q"))
    faults: int = 0
    blind_since: Instant | None = None
    blind_ms: int = 0
    because: set[str] = field(default_factory=set)
    _tells_at_once: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._tells_at_once = not any(step.do == "notify" for step in self.rule.steps)

    def add(self, change: Transition) -> None:
        """One transition of the rule, in order."""
        at, alert = change.at, self.open
        match change.event:
            case Happening.RAISED:
                self.count += 1
                self.open = Occasion(at, notified=self._tells_at_once)
                self.notified += self._tells_at_once
                self.raised_at.append(at)
                if len(self.first) < SHOWN:
                    self.first.append(self.open)
            case Happening.RESOLVED if alert is not None:
                alert.end = at
                self.open_ms.append(at - alert.start)
                self.open = None
            case Happening.ACKNOWLEDGED if alert is not None:
                alert.acknowledged = at
            case Happening.STEP:
                self.steps[change.do] += 1
                if alert is not None:
                    alert.steps += 1
                    if change.do == "notify" and not alert.notified:
                        alert.notified = True
                        self.notified += 1
            case Happening.FAULT:
                self.faults += 1
                self.blind_since = at - self.rule.grace_ms
                self.because.update(change.because)
            case Happening.RECOVERED if self.blind_since is not None:
                self.blind_ms += at - self.blind_since
                self.blind_since = None
            case _:
                pass

    def blind_until(self, end: Instant) -> int:
        """How long it was blind in all, in ms: each time from the first instant of its `grace` on."""
        return self.blind_ms + (0 if self.blind_since is None else end - self.blind_since)

    def median_ms(self) -> int | None:
        """The median of how long alerts were open; None if none has ended."""
        return int(median(self.open_ms)) if self.open_ms else None


class Report:
    """Collects the transitions of a replay.

    Args:
        rules: Of the home, in its order.
    """

    def __init__(self, rules: Sequence[BoundRule]) -> None:
        self.told = {rule.name: Told(rule) for rule in rules}

    def add(self, change: Transition) -> None:
        """One transition, in order."""
        self.told[change.rule].add(change)

    def lines(self, covered: Covered) -> Iterator[str]:
        """The report: what was replayed, a table of all rules, and what there is to say of each."""
        yield from covered.heading()
        rows = [self._row(told, covered) for told in self.told.values()]
        heads = ("rule", "", "alerts", "a week", "median open", "longest", "blind")
        yield "\n"
        yield from table(heads, rows, left=2)
        if covered.span_ms < WEEK_MS:
            yield "(how often a week is said of recordings of a week or more)\n"
        for told in self.told.values():
            details = [*self._alerts(told, covered), *self._blind(told, covered)]
            if details:
                yield f"\n{told.rule.name} ({told.rule.severity}): {alerts(told.count)}\n"
                yield from (f"  {line}\n" for line in details)

    def _row(self, told: Told, covered: Covered) -> tuple[str, ...]:
        median_ms = told.median_ms()
        return (
            told.rule.name,
            told.rule.severity,
            str(told.count or "-"),
            covered.rate(told.count) if told.count else "-",
            "-" if median_ms is None else span(median_ms),
            "-" if median_ms is None else span(max(told.open_ms)),
            covered.share(told.blind_until(covered.end)),
        )

    def _alerts(self, told: Told, covered: Covered) -> Iterator[str]:
        if not told.count:
            return
        parts = Counter(int(covered.text(at)[11:13]) // 6 for at in told.raised_at)
        yield ", ".join(f"{name} {parts[index]}" for index, name in enumerate(PARTS_OF_DAY) if parts[index])
        if told.steps:
            yield "steps: " + ", ".join(f"{do} {count}" for do, count in sorted(told.steps.items()))
        for alert in told.first:
            yield f"{covered.when(alert.start)}  {_course(alert)}"
        if told.count > SHOWN:
            yield f"… and {told.count - SHOWN} more"

    def _blind(self, told: Told, covered: Covered) -> Iterator[str]:
        rule = told.rule
        unheard = [point for point in points_of(rule.when) if point not in covered.heard]
        blind_ms = told.blind_until(covered.end)
        if told.faults:
            said = f"blind {times(told.faults)}, {span(blind_ms)} in all ({covered.share(blind_ms)})"
            yield f"{said}, because of {', '.join(sorted(told.because))}"
        if unheard:
            yield f"not in the recording: {', '.join(unheard)}"
        if told.faults and blind_ms >= covered.span_ms and not told.count:
            yield "it could never decide"


def _course(alert: Occasion) -> str:
    parts = [f"{alert.steps} step{'' if alert.steps == 1 else 's'}"]
    if alert.acknowledged is not None:
        parts.append(f"acknowledged after {span(alert.acknowledged - alert.start)}")
    parts.append("still open" if alert.end is None else f"resolved after {span(alert.end - alert.start)}")
    return ", ".join(parts)


# -- words and columns, also of the other reports


def span(span_ms: int) -> str:
    """A duration for people, rounded to its two largest units; below a minute, to the millisecond."""
    if span_ms < UNITS_MS["min"]:
        return f"{span_ms / 1000:g} s"
    finest = "h" if span_ms >= UNITS_MS["d"] else "min" if span_ms >= UNITS_MS["h"] else "s"
    return words((span_ms + UNITS_MS[finest] // 2) // UNITS_MS[finest] * UNITS_MS[finest])


def times(count: int) -> str:
    """``1 time``, ``2 times``."""
    return f"{count} time{'' if count == 1 else 's'}"


def alerts(count: int) -> str:
    """``no alerts``, ``1 alert``, ``2 alerts``."""
    return f"{count or 'no'} alert{'' if count == 1 else 's'}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Iterator[str]:
    """Lines of a table; the first `left` columns to the left, the others, numbers, to the right.

    Where it would be wider than a terminal, what the first column says is cut.
    """
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    widths[0] = min(widths[0], max(NARROWEST, WIDTH - sum(width + len(GAP) for width in widths[1:])))
    for row in [heads, *rows]:
        cells = [
            short(cell, width).ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield GAP.join(cells).rstrip() + "\n"


def short(text: str, width: int) -> str:
    """A text in at most `width` characters."""
    return text if len(text) <= width else text[: width - 1] + "…"
