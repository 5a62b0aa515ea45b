"""Where a character of a YAML text stands in the file, also when the text is folded over several lines."""

from __future__ import annotations

from functools import cached_property

from homenode.config.yaml12 import Scalar


class Placed:
    """A text of a file and where its characters stand there.

    Folding changes only white space, so both texts are walked side by side without it. Where they part
    (escapes in double quotes) the place of the scalar itself is the answer.

    Args:
        source: The whole file.
        scalar: The text in it.
    """

    def __init__(self, source: str, scalar: Scalar) -> None:
        self._source, self._scalar = source, scalar

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of ``scalar.text[offset]``; behind the last character for its end."""
        places = self._places
        return places[offset] if offset < len(places) else (self._scalar.line, self._scalar.column)

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """Of every character and of the end, as far as both texts go together."""
        lines = self._source.splitlines()
        line, column = self._scalar.line - 1, self._scalar.column - 1
        behind = self._scalar.line, self._scalar.column
        if line < len(lines) and lines[line][column : column + 1] in ("|", ">"):
            line, column = line + 1, 0
        found: list[tuple[int, int]] = []
        begun = False
        for character in self._scalar.text:
            if character.isspace():
                found.append(behind)
                continue
            while line < len(lines) and lines[line][column : column + 1] != character:
                here = lines[line][column : column + 1]
                if not here:
                    line, column = line + 1, 0
                elif here.isspace() or (not begun and here in "'\""):
                    column += 1
                else:
                    return found
            if line >= len(lines):
                return found
            begun = True
            found.append((line + 1, column + 1))
            column += 1
            behind = line + 1, column + 1
        return [*found, behind]
