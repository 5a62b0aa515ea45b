"""The trials of each parameter as a picture: how many alerts above, how soon a hazard is told below."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log10

from homenode.config.durations import UNITS_MS
from homenode.replay_report import WEEK_MS, Covered
from homenode.tune.delay import told_after_ms
from homenode.tune.drawing import ALERTS, DELAY, GRID, INK, NOTIFIED, NOW, SOFT, Dot, Drawing, Line, Text
from homenode.tune.trials import Measured

WIDTH = 720
LEFT, RIGHT = 64, 24
TOP = 56
PANEL, GAP, FOOT = 150, 40, 56
BLOCK = PANEL + GAP + PANEL + FOOT
TICKS = 4
LETTERS = 7
"""Pixels that a letter of a label takes, about."""


def chart(title: str, parameters: Sequence[Sequence[Measured]], covered: Covered) -> Drawing:
    """One picture of all parameters, under each other.

    Args:
        title: What was tuned.
        parameters: The trials of each.
        covered: The recording.
    """
    drawing = Drawing(WIDTH, TOP + len(parameters) * (BLOCK + GAP))
    drawing.parts.append(Text(LEFT, 28, title, 16))
    span = f"{covered.when(covered.start)[:10]} to {covered.when(covered.end)[:10]}"
    drawing.parts.append(Text(WIDTH - RIGHT, 28, span, 12, SOFT, "end"))
    for index, rows in enumerate(parameters):
        _block(drawing, rows, covered, TOP + index * (BLOCK + GAP))
    return drawing


def _block(drawing: Drawing, rows: Sequence[Measured], covered: Covered, top: float) -> None:
    weekly = covered.span_ms >= WEEK_MS
    per = covered.span_ms / WEEK_MS if weekly else 1.0
    unit_ms, unit = _unit(max((told_after_ms(row.trial.rule) or 0) for row in rows))
    xs = [_x(index, len(rows)) for index in range(len(rows))]
    lower = top + PANEL + GAP
    now = xs[next(index for index, row in enumerate(rows) if row.trial.present)]
    for begin in (top, lower):
        drawing.parts.append(Line(((now, begin), (now, begin + PANEL)), NOW, 1.0, True))
    drawing.parts.append(Text(now, top + PANEL + 14, "now", 11, SOFT, "middle"))  # above, other words stand

    counts = [row.told.count / per for row in rows]
    notified = [row.told.notified / per for row in rows]
    of = "a week" if weekly else "in all"
    scale = _axis(drawing, top, max((*counts, *notified)), f"alerts {of}", whole=not weekly)
    _curve(drawing, xs, [scale(count) for count in counts], ALERTS, 2.5)  # seen under the other
    _curve(drawing, xs, [scale(count) for count in notified], NOTIFIED)
    drawing.parts.append(Text(WIDTH - RIGHT, top - 6, "of them notified", 11, NOTIFIED, "end"))
    drawing.parts.append(Text(WIDTH - RIGHT - 100, top - 6, "alerts", 11, ALERTS, "end"))

    delays = [
        (x, ms / unit_ms)
        for x, row in zip(xs, rows, strict=True)
        if (ms := told_after_ms(row.trial.rule)) is not None
    ]
    scale = _axis(
        drawing, lower, max((delay for _, delay in delays), default=0), f"a hazard is told after ({unit})"
    )
    _curve(drawing, [x for x, _ in delays], [scale(delay) for _, delay in delays], DELAY)
    _labels(drawing, xs, rows, lower + PANEL)


def _labels(drawing: Drawing, xs: Sequence[float], rows: Sequence[Measured], bottom: float) -> None:
    """The values, on two lines in turn where they are too long to stand beside each other."""
    room = (xs[1] - xs[0]) / LETTERS if len(xs) > 1 else WIDTH
    longest = max(len(row.trial.value) for row in rows)
    for index, (x, row) in enumerate(zip(xs, rows, strict=True)):
        y = bottom + 18 + (14 if longest > room and index % 2 else 0)
        drawing.parts.append(Text(x, y, row.trial.value, 11, INK, "middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawing.parts.append(Text(middle, bottom + 50, rows[0].trial.parameter, 13, INK, "middle"))


def _x(index: int, count: int) -> float:
    """Values stand at equal distances: they are a choice, and their range is often a hundredfold."""
    inner = WIDTH - LEFT - RIGHT - 40
    return LEFT + 20 + (inner * index / (count - 1) if count > 1 else inner / 2)


class _Scale:
    """From a value to its place in a panel."""

    def __init__(self, top: float, most: float) -> None:
        self._bottom, self._most = top + PANEL, most

    def __call__(self, value: float) -> float:
        return self._bottom - PANEL * value / self._most


def _axis(drawing: Drawing, top: float, most: float, name: str, *, whole: bool = False) -> _Scale:
    """Lines across a panel at round numbers, from 0; `whole`: at whole ones."""
    step = ceil(_step(most)) if whole else _step(most)
    ticks = max(1, ceil(most / step - 1e-9))
    scale = _Scale(top, ticks * step)
    for tick in range(ticks + 1):
        y = scale(tick * step)
        drawing.parts.append(Line(((LEFT, y), (WIDTH - RIGHT, y)), SOFT if tick == 0 else GRID))
        drawing.parts.append(Text(LEFT - 8, y + 4, f"{tick * step:g}", 11, SOFT, "end"))
    drawing.parts.append(Text(LEFT, top - 6, name, 12, INK))
    return scale


def _step(most: float) -> float:
    """A round distance with which few lines reach `most`."""
    if most <= 0:
        return 1.0
    rough = most / TICKS
    power = 10.0 ** int(log10(rough) // 1)
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)


def _unit(most_ms: int) -> tuple[int, str]:
    for unit in ("d", "h", "min"):
        if most_ms >= 2 * UNITS_MS[unit]:
            return UNITS_MS[unit], unit
    return UNITS_MS["s"], "s"


def _curve(
    drawing: Drawing, xs: Sequence[float], ys: Sequence[float], colour: str, wider: float = 0.0
) -> None:
    drawing.parts.append(Line(tuple(zip(xs, ys, strict=True)), colour, 2.0 + wider))
    drawing.parts += [Dot(x, y, 3.5 + wider, colour) for x, y in zip(xs, ys, strict=True)]
