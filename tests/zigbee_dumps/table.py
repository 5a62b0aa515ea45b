"""What each dumped device ought to have (expected.yaml) beside what it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from homenode.kinds import kind_of

FILE = Path(__file__).with_name("expected.yaml")
ALWAYS = frozenset({"battery", "link_quality"})
HAZARDS = frozenset({"contact", "smoke", "water", "co", "gas", "heat", "lock", "occupancy"})
"""A point of these kinds on a device that is none of it is dangerous, not only untidy."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a device has to have (kind to how many), what else it may, and why."""

    must: Mapping[str, int]
    may: frozenset[str]
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """One device of the table.

    Attributes:
        missing: Kinds that it has to have and hasn't.
        wrong: Kinds that it has and is not.
    """

    model: str
    expected: Expected | None
    found: tuple[str, ...]
    missing: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether it is what it ought to be."""
        return self.expected is not None and not self.missing and not self.wrong

    @property
    def dangerous(self) -> bool:
        """Whether it claims to watch over something that it doesn't."""
        return bool(HAZARDS & set(self.wrong))

    def __str__(self) -> str:
        verdict = "right" if self.right else "DANGEROUS" if self.dangerous else "WRONG"
        if self.expected is None:
            verdict = "nobody said what it is"
        kinds = ", ".join(f"{kind} x{n}" if n > 1 else kind for kind, n in Counter(plain(self.found)).items())
        more = [f"lacks {', '.join(self.missing)}"] if self.missing else []
        more += [f"is no {', '.join(self.wrong)}"] if self.wrong else []
        return f"{self.model:58}  {kinds or '-':66}  {verdict}{': ' if more else ''}{'; '.join(more)}"


def plain(kinds: Iterable[str]) -> list[str]:
    """Kinds without their numbers, link quality left out."""
    return [
        kind.rpartition("_")[0] if kind[-1].isdigit() else kind for kind in kinds if kind != "link_quality"
    ]


def expectations() -> dict[str, Expected]:
    """By model. Raises ValueError for a kind that isn't one or a model that is named twice."""
    found: dict[str, Expected] = {}
    for group in yaml.safe_load(FILE.read_text(encoding="utf-8")):
        must = {}
        for one in group["must"]:
            kind, _, least = str(one).partition(" ")
            must[kind] = int(least or 1)
        may = frozenset(group.get("may", ()))
        for kind in (*must, *may):
            if kind_of(kind) is None:
                raise ValueError(f"{kind!r} is not a kind ({group['why']})")
        for model in group["models"]:
            if model in found:
                raise ValueError(f"{model!r} is expected twice")
            found[model] = Expected(must, may, str(group["why"]))
    return found


def line(model: str, kinds: tuple[str, ...], expected: Expected | None) -> Line:
    """Compare a device with what it ought to be."""
    count = Counter(plain(kinds))
    if expected is None:
        return Line(model, None, kinds, (), ())
    missing = tuple(kind for kind, least in expected.must.items() if count[kind] < least)
    allowed = {*expected.must, *expected.may, *ALWAYS}
    return Line(model, expected, kinds, missing, tuple(kind for kind in count if kind not in allowed))


def summary(lines: list[Line]) -> str:
    """The count at the end: devices, and how many have points of each kind."""
    right = sum(each.right for each in lines)
    unsaid = sum(each.expected is None for each in lines)
    kinds: Counter[str] = Counter()
    for each in lines:
        must = set(plain(each.found) if each.expected is None else each.expected.must)
        kinds.update(set(plain(each.found)) & must)
    told = ", ".join(f"{kind} {n}" for kind, n in kinds.most_common())
    dangerous = sum(each.dangerous for each in lines)
    return (
        f"{right} of {len(lines)} right, {len(lines) - right - unsaid} wrong, {dangerous} dangerous"
        f"{f', {unsaid} of which nobody said what they are: see for yourself' if unsaid else ''}\n"
        f"devices by kind: {told}"
    )
