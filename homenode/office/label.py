"""The label of a box: its one-time code as text and as QR, for a terminal, as SVG or as PDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from homenode.errors import SetupError
from homenode.install.home_file import replace

if TYPE_CHECKING:
    from segno import QRCode

WIDTH_MM, HEIGHT_MM = 62, 29
"""A common roll of labels."""
_QR_MM, _MARGIN_MM = 25.0, 2.0
_QUIET = 2
"""Modules around it that stay white; the label's own margin is the rest of the 4 that ISO 18004 wants."""


def payload(url: str, serial: str, code: str, ca_sha256: str) -> str:
    """What the QR says: all that `homenode provision --label` needs."""
    return f"homenode:1;office={url};serial={serial};code={code};ca={ca_sha256}"


def on_terminal(text: str) -> str:
    """The QR in half blocks."""
    rows = _rows(text)
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    signs = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join("".join(signs[a, b] for a, b in zip(up, down, strict=True)) for up, down in pairs)


def check(path: Path) -> None:
    """Whether a label can have this name. Raises SetupError."""
    if path.suffix.lower() not in (".svg", ".pdf"):
        what = f"a label ends with .svg or .pdf, not with {path.suffix or 'nothing'}"
        raise SetupError(what, where=str(path), do="name it so")


def write(path: Path, text: str, lines: list[str]) -> None:
    """The label to a file, by the name's end, for nobody else: the code is on it. Raises SetupError."""
    check(path)
    svg = path.suffix.lower() == ".svg"
    data = as_svg(text, lines).encode() if svg else _as_pdf(text, lines)
    try:
        replace(path, data, 0o600)
    except OSError as error:
        raise SetupError(f"it can't be written: {error.strerror}", where=str(path)) from error


def as_svg(text: str, lines: list[str]) -> str:
    """The label."""
    from xml.sax.saxutils import escape

    rows = _rows(text)
    size = _QR_MM / len(rows)
    squares = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    left = _QR_MM + 2 * _MARGIN_MM
    words = "".join(
        f'<text x="{left}" y="{6 + 4.5 * n}" font-size="{3.2 if n else 3.8}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" '
        f'viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}" font-family="monospace"><rect width="100%" height="100%" '
        f'fill="#fff"/><path transform="translate({_MARGIN_MM} {_MARGIN_MM}) scale({size:.4f})" '
        f'd="{squares}"/>{words}</svg>\n'
    )


def _as_pdf(text: str, lines: list[str]) -> bytes:
    from fpdf import FPDF

    paper = FPDF(unit="mm", format=(WIDTH_MM, HEIGHT_MM))
    paper.set_auto_page_break(False)
    paper.add_page()
    rows = _rows(text)
    size = _QR_MM / len(rows)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                paper.rect(_MARGIN_MM + x * size, _MARGIN_MM + y * size, size, size, style="F")
    for n, line in enumerate(lines):
        paper.set_font("courier", size=7 if n else 9)
        paper.text(_QR_MM + 2 * _MARGIN_MM, 6 + 4.5 * n, line.encode("latin-1", "replace").decode("latin-1"))
    return bytes(paper.output())


def _rows(text: str) -> list[list[bool]]:
    import segno

    made: QRCode = segno.make(text, error="m", micro=False)
    return [[bool(module) for module in row] for row in made.matrix_iter(border=_QUIET)]
