"""Which of two versions is the later one (pure; semver 2.0.0, section 11)."""

from __future__ import annotations

import re

PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$"
LONGEST = 40

_Key = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


def key(version: str) -> _Key:
    """What versions are ordered by.

    Raises:
        ValueError: It isn't one.
    """
    if not re.fullmatch(PATTERN, version) or len(version) > LONGEST:
        raise ValueError(f"{version[:LONGEST]!r} is no version such as 0.3.0 or 0.3.0-rc.1")
    core, _, before = version.partition("-")
    numbers = [int(part) for part in core.split(".")]
    while len(numbers) > 1 and not numbers[-1]:  # 1.0 is 1
        numbers.pop()
    parts = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, "" if part.isdigit() else part)
        for part in before.split(".")
        if part
    )
    return tuple(numbers), not before, parts


def is_later(one: str, other: str) -> bool:
    """Whether `one` is later than `other`; everything is later than "". Raises ValueError as `key`."""
    return not other or key(one) > key(other)


def same(one: str, other: str) -> bool:
    """Whether both are the same version. Raises ValueError as `key`."""
    return bool(other) and key(one) == key(other)
