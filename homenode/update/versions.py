"""Which of two versions is the later one (pure; semver 2.0.0, section 11).

Of two builds of one version (``0.1.0+20261127.211312.gacda880``), which semver has in no order, the later one
is that made later, as Debian has it: a node is updated from one to the other.
"""

from __future__ import annotations

import re

PATTERN = (
    r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?"
    r"(\+[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$"
)
LONGEST = 64

_Parts = tuple[tuple[bool, int, str], ...]
_Key = tuple[tuple[int, ...], bool, _Parts, _Parts]


def key(version: str) -> _Key:
    """What versions are ordered by.

    Raises:
        ValueError: It isn't one.
    """
    if not re.fullmatch(PATTERN, version) or len(version) > LONGEST:
        raise ValueError(f"{version[:LONGEST]!r} is no version such as 0.3.0 or 0.3.0-rc.1")
    released, _, build = version.partition("+")
    core, _, before = released.partition("-")
    numbers = [int(part) for part in core.split(".")]
    while len(numbers) > 1 and not numbers[-1]:  # 1.0 is 1
        numbers.pop()
    return tuple(numbers), not before, _parts(before), _parts(build)


def _parts(text: str) -> _Parts:
    return tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, "" if part.isdigit() else part)
        for part in text.split(".")
        if part
    )


def is_later(one: str, other: str) -> bool:
    """Whether `one` is later than `other`; everything is later than "". Raises ValueError as `key`."""
    return not other or key(one) > key(other)


def same(one: str, other: str) -> bool:
    """Whether both are the same version. Raises ValueError as `key`."""
    return bool(other) and key(one) == key(other)
