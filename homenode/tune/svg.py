"""A drawing as SVG."""

from __future__ import annotations

from xml.sax.saxutils import escape

from homenode.tune.drawing import PAPER, Dot, Drawing, Line, Text


def svg(drawing: Drawing) -> str:
    """The whole file."""
    width, height = drawing.width, drawing.height
    body = "\n".join(_part(part) for part in drawing.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif">\n'
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )


def _part(part: Line | Dot | Text) -> str:
    match part:
        case Line(points, colour, width, dashed):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            dash = ' stroke-dasharray="4 4"' if dashed else ""
            return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dash}/>'
        case Dot(x, y, radius, colour):
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"/>'
        case Text(x, y, text, size, colour, anchor):
            place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
            return f"<text {place}>{escape(text)}</text>"
