"""A drawing as PNG, by Pillow (``homenode[plot]``): letters need a font, and a Pi has none for certain."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

from homenode.tune.drawing import PAPER, Dot, Drawing, Line, Text

SCALE = 2
"""Pixels for each of the drawing: it is looked at on screens with small ones."""
SMOOTH = 2
"""Drawn so many times as large and made smaller: lines without steps."""
_DASH = 4.0
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def png(drawing: Drawing) -> bytes:
    """The whole file."""
    factor = SCALE * SMOOTH
    size = drawing.width * factor, drawing.height * factor
    image = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(image)
    for part in drawing.parts:
        match part:
            case Line(points, colour, width, dashed):
                for piece in _dashes(points) if dashed else [points]:
                    scaled = [(x * factor, y * factor) for x, y in piece]
                    pen.line(scaled, fill=colour, width=max(1, round(width * factor)), joint="curve")
            case Dot(x, y, radius, colour):
                box = [
                    (x - radius) * factor,
                    (y - radius) * factor,
                    (x + radius) * factor,
                    (y + radius) * factor,
                ]
                pen.ellipse(box, fill=colour)
            case Text(x, y, text, letters, colour, anchor):
                font = ImageFont.load_default(letters * factor)
                pen.text((x * factor, y * factor), text, fill=colour, font=font, anchor=_ANCHORS[anchor])
    image = image.resize((drawing.width * SCALE, drawing.height * SCALE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _dashes(points: tuple[tuple[float, float], ...]) -> list[tuple[tuple[float, float], ...]]:
    """Of a straight line every other piece."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    pieces = []
    at = 0.0
    while at < length:
        begin, end = at / length, min(1.0, (at + _DASH) / length)
        pieces.append(tuple((x0 + (x1 - x0) * part, y0 + (y1 - y0) * part) for part in (begin, end)))
        at += 2 * _DASH
    return pieces
