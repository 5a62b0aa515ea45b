"""Where a character of a YAML text stands in the file, also when the text is folded over several lines."""

from __future__ import annotations

from homenode.config.yaml12 import Scalar


def place_of(source: str, scalar: Scalar, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of ``scalar.text[offset]`` in the file's text.

    Folding changes only white space, so both texts are walked side by side without it. Where they part
    (escapes in double quotes) the place of the scalar itself is the answer.
    """
    lines = source.splitlines()
    line, column = scalar.line - 1, scalar.column - 1
    if line >= len(lines):
        return scalar.line, scalar.column
    if lines[line][column : column + 1] in ("|", ">"):
        line, column = line + 1, 0
    wanted = [character for character in scalar.text[: offset + 1] if not character.isspace()]
    at_end = offset >= len(scalar.text) or scalar.text[offset].isspace()
    last = scalar.line, scalar.column
    begun = False
    for character in wanted:
        while True:
            if line >= len(lines):
                return scalar.line, scalar.column
            if column >= len(lines[line]):
                line, column = line + 1, 0
                continue
            here = lines[line][column]
            if here == character:
                break
            if not here.isspace() and (begun or here not in "'\""):
                return scalar.line, scalar.column
            column += 1
        begun = True
        last = line + 1, column + 1
        column += 1
    return (last[0], last[1] + 1) if at_end and begun else last
