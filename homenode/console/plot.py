"""The points that decided, as lanes over time: since when each was what it was (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homenode.console.case import Case
from homenode.console.shown import at_ms, valued
from homenode.console.words import say
from homenode.tune.drawing import ALERTS, GRID, INK, NOTIFIED, SOFT, Anchor, Dot, Drawing, Line, Text
from homenode.tune.svg import svg

WIDTH, LANE, TOP, LEFT, RIGHT = 720, 46, 30, 10, 14
MOST = 12
"""Points; a rule reads two to six."""
BESIDE = 0.06
"""Of the width, left of the earliest mark."""


def plot(case: Case, language: str) -> str:
    """An SVG, "" if the alert says nothing of points."""
    data = case.body["data"]
    evidence = data.get("evidence")
    rows = [one for one in evidence if isinstance(one, dict)][:MOST] if isinstance(evidence, list) else []
    told = at_ms(data.get("at"))
    if not rows or told is None:
        return ""
    raised = at_ms(data.get("raised")) or told
    marks = [at for row in rows for name in ("at", "since") if (at := at_ms(row.get(name))) is not None]
    begin, end = min([*marks, raised]), max([*marks, told])
    span = max(end - begin, 60_000)
    begin = end - span

    def x(at: int) -> float:
        lead = BESIDE + (1 - BESIDE) * (at - begin) / span
        return LEFT + lead * (WIDTH - LEFT - RIGHT)

    drawing = Drawing(WIDTH, TOP + LANE * len(rows) + 26)
    bottom = TOP + LANE * len(rows)
    for at, word, colour in _instants(raised, told, language):
        anchor: Anchor = "end" if x(at) > WIDTH * 0.7 else "start"
        drawing.parts.append(Line(((x(at), TOP - 6), (x(at), bottom)), colour, 1.5, dashed=True))
        drawing.parts.append(Text(x(at) + (-4 if anchor == "end" else 4), TOP - 12, word, 12, colour, anchor))
    for nth, row in enumerate(rows):
        _lane(drawing, row, TOP + LANE * nth, x, told, language)
    drawing.parts.append(Text(x(begin), bottom + 18, _clock(data, begin), 12, SOFT))
    drawing.parts.append(Text(x(end), bottom + 18, _clock(data, end), 12, SOFT, "end"))
    return svg(drawing)


def _instants(raised: int, told: int, language: str) -> list[tuple[int, str, str]]:
    if told - raised < 1000:
        return [(told, say("plot_raised", language), NOTIFIED)]
    return [(raised, say("plot_raised", language), ALERTS), (told, say("plot_told", language), NOTIFIED)]


def _lane(drawing: Drawing, row: Mapping[str, Any], y: float, x: Any, told: int, language: str) -> None:
    """One point: a bar from since when, a dot where it was heard last, its value in words."""
    known = row.get("quality") == "good" and isinstance(row.get("value"), bool | int | float)
    words = f"{row.get('point', '?')}: {valued(row, language)}"
    drawing.parts.append(Text(LEFT, y + 14, words, 13, INK))
    line = y + 26
    drawing.parts.append(Line(((LEFT, line), (WIDTH - RIGHT, line)), GRID, 2))
    heard, since = at_ms(row.get("at")), at_ms(row.get("since"))
    if known and (heard is not None or since is not None):
        first = since if since is not None else heard
        assert first is not None
        colour, width = (SOFT, 3) if row["value"] is False else (ALERTS, 7)
        drawing.parts.append(Line(((x(first), line), (x(told), line)), colour, width))
    if heard is not None:
        drawing.parts.append(Dot(x(heard), line, 5, ALERTS if known else SOFT))


def _clock(data: Mapping[str, Any], at: int) -> str:
    """By the clock in the home, whose offset stands in its own time."""
    text = str(data.get("at"))
    sign = -1 if text[-6:-5] == "-" else 1
    offset_min = 0 if text.endswith("Z") else sign * (int(text[-5:-3]) * 60 + int(text[-2:]))
    minutes = (at // 60_000 + offset_min) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{at // 1000 % 60:02d}"
