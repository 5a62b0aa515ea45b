"""The table that lives: which lines of the terminal change, and to what (pure).

Only lines that differ are written, all in one piece, between the marks that have a terminal show it at once
(mode 2026; one that doesn't know it passes over them). So nothing flickers, and an idle fleet writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"
"""To the other screen and back; meanwhile the cursor is hidden, and no line goes on in the next."""
_BEGIN, _END, _CLEAR = "\x1b[?2026h", "\x1b[?2026l", "\x1b[K"


class Screen:
    """What the terminal shows now."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = (0, 0)

    def draw(self, lines: Sequence[str], columns: int, rows: int) -> str:
        """What to write so that it shows these; "" if it does."""
        wanted = [cut(line, columns) for line in lines[:rows]]
        wanted += [""] * (rows - len(wanted))
        if self._size != (columns, rows):
            self._lines, self._size = ["\0"] * rows, (columns, rows)
        changed = [
            f"\x1b[{nth}H{line}{_CLEAR}"
            for nth, (line, before) in enumerate(zip(wanted, self._lines, strict=True), 1)
            if line != before
        ]
        self._lines = wanted
        return f"{_BEGIN}{''.join(changed)}{_END}" if changed else ""


def cut(line: str, columns: int) -> str:
    """As much of a line as fits; its colours take no room, and end with it."""
    shown, made, at = 0, [], 0
    while at < len(line) and shown < columns:
        if line[at] == "\x1b":
            end = line.index("m", at) + 1
            made.append(line[at:end])
            at = end
        else:
            made.append(line[at])
            shown, at = shown + 1, at + 1
    return "".join(made) + ("\x1b[0m" if at < len(line) and "\x1b" in line[:at] else "")


def page(count: int, rows: int, first: int, key: str) -> int:
    """The first row shown after a key: space or n forward, b back, g to the beginning."""
    moved = {" ": rows, "n": rows, "b": -rows, "g": -count}.get(key, 0)
    return max(0, min(first + moved, (max(0, count - 1) // rows) * rows)) if rows else 0
