"""A mistake with the line it stands in and a mark under its place, for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from homenode.config.yaml12 import lines_shown, read_text
from homenode.errors import FileMistakes, Mistake

WIDEST = 100
"""Characters shown of a long line, around the place."""
_SECRET = re.compile(r"""(pas+w[a-z]*["']?:\s*)\S.*""")
"""Not shown, whatever is wrong beside it: the lines go into logs."""


class Excerpts:
    """Reads each file once; what can't be read is told without its line."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def told(self, mistakes: Iterable[Mistake], prefix: str = "") -> Iterable[str]:
        """Each mistake, then its line and a caret under its column."""
        for mistake in mistakes:
            yield f"{prefix}{mistake}"
            lines = self._of(mistake.file) if mistake.line and mistake.column else []
            if 0 < mistake.line <= len(lines):
                yield from pointed(lines[mistake.line - 1], mistake.line, mistake.column)

    def _of(self, file: str) -> list[str]:
        if file not in self._lines:
            try:
                self._lines[file] = lines_shown(read_text(Path(file), file))
            except FileMistakes:
                self._lines[file] = []
        return self._lines[file]


def pointed(text: str, line: int, column: int) -> tuple[str, str]:
    """A line of a file and, under it, a caret at `column` (both from 1); nothing in it moves a terminal."""
    start = max(0, column - 1 - WIDEST // 2) if len(text) > WIDEST else 0
    shown = _SECRET.sub(r"\1…", text)[start : start + WIDEST]
    safe = "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in shown)
    before = "".join("\t" if character == "\t" else " " for character in text[start : column - 1])
    return f"{line:5} | {safe}", f"{'':5} | {before}^"
