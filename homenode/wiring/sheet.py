"""What a drawing is made of, as SVG. Lengths in pixels, y downwards."""

from __future__ import annotations

from xml.sax.saxutils import escape

INK, SOFT, LINE, PAPER = "#1f2933", "#616e7c", "#cbd2d9", "#ffffff"
RESISTOR_W, RESISTOR_H = 62, 18


class Sheet:
    """A page that grows downwards, or has its height."""

    def __init__(self, width: int, height: int = 0) -> None:
        self.width, self.fixed, self.height = width, height, 0.0
        self._parts: list[str] = []

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str = INK, *, dashed: bool = False
    ) -> None:
        """A straight line; wires are twice as thick as frames."""
        wide = 1.2 if dashed else 2.4
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        place = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
        self._parts.append(f'<line {place} stroke="{colour}" stroke-width="{wide}"{dash}/>')
        self._reach(max(y1, y2))

    def dot(self, x: float, y: float) -> None:
        """Where lines join."""
        self._parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="3.5" fill="{INK}"/>')

    def box(self, x: float, y: float, w: float, h: float, fill: str = PAPER, stroke: str = INK) -> None:
        """A frame with its corners a little round."""
        place = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}"'
        self._parts.append(f'<rect {place} rx="3" fill="{fill}" stroke="{stroke}" stroke-width="1.2"/>')
        self._reach(y + h)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: int = 13,
        colour: str = INK,
        anchor: str = "start",
        *,
        bold: bool = False,
    ) -> None:
        """A line of text; `y` is its baseline."""
        weight = ' font-weight="bold"' if bold else ""
        place = f'x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}'
        self._parts.append(f"<text {place}>{escape(text)}</text>")
        self._reach(y + 4)

    def resistor(self, x: float, y: float, value: str, *, upright: bool = False) -> None:
        """A part with its value, its middle at x, y; an upright one has the value beside it."""
        if upright:
            self.box(x - 6, y - 12, 12, 24)
            self.text(x + 11, y + 4, value, 12)
        else:
            self.box(x - RESISTOR_W / 2, y - RESISTOR_H / 2, RESISTOR_W, RESISTOR_H)
            self.text(x, y + 4, value, 12, anchor="middle")

    def svg(self, title: str) -> str:
        """The whole file."""
        height = self.fixed or round(self.height + 24)
        body = "\n".join(self._parts)
        size = f'viewBox="0 0 {self.width} {height}" width="{self.width}" height="{height}"'
        font = "DejaVu Sans, Arial, sans-serif"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{font}">\n'
            f"<title>{escape(title)}</title>\n"
            f'<rect width="{self.width}" height="{height}" fill="{PAPER}"/>\n{body}\n</svg>\n'
        )

    def _reach(self, y: float) -> None:
        self.height = max(self.height, y)
