"""A drawing as what it consists of, for whoever writes it down (SVG, PNG). Lengths in pixels, y downwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

INK, SOFT, GRID, PAPER = "#1f2933", "#616e7c", "#e4e7eb", "#ffffff"
ALERTS, NOTIFIED, DELAY, NOW = "#1f6feb", "#c2410c", "#0f766e", "#9aa5b1"

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined, dashed or not."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    colour: str


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `y` is its baseline."""

    x: float
    y: float
    text: str
    size: int = 12
    colour: str = INK
    anchor: Anchor = "start"


@dataclass(slots=True)
class Drawing:
    """A picture."""

    width: int
    height: int
    parts: list[Line | Dot | Text] = field(default_factory=list)
