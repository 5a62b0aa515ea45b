"""Sets of what a point, the clock or the mode can be; their meeting shows what can't be at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from homenode.kinds import Kind, Shape

QUALITIES = frozenset(("stale", "unknown"))
"""What a point can be beside having a value."""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, each included or not, without some."""

    low: float
    high: float
    low_in: bool = True
    high_in: bool = True
    without: frozenset[float] = frozenset()

    def __and__(self, other: Range) -> Range:
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Range(
            low,
            high,
            all(side.low_in for side in (self, other) if side.low == low),
            all(side.high_in for side in (self, other) if side.high == high),
            self.without | other.without,
        )

    def __bool__(self) -> bool:
        if self.low == self.high:
            return self.low_in and self.high_in and self.low not in self.without
        return self.low < self.high


ANY_NUMBER = Range(float("-inf"), float("inf"))
NO_NUMBER = Range(1, 0)


@dataclass(frozen=True, slots=True)
class State:
    """Values of a thing (a set, or a range of numbers), and which qualities instead of a value."""

    values: Range | frozenset[object]
    qualities: frozenset[str] = frozenset()

    def __and__(self, other: State) -> State:
        return State(self.values & other.values, self.qualities & other.qualities)  # type: ignore[operator]  # of one thing

    def __bool__(self) -> bool:
        return bool(self.values) or bool(self.qualities)


def whole(kind: Kind) -> State:
    """Everything that a point of a kind can be."""
    if kind.shape is Shape.NUMBER:
        return State(Range(kind.low, kind.high), QUALITIES)
    return State(frozenset((True, False)), QUALITIES)


def compared(op: str, number: float) -> Range:
    """The numbers for which a comparison is true."""
    match op:
        case "<" | "<=":
            return replace(ANY_NUMBER, high=number, high_in=op == "<=")
        case ">" | ">=":
            return replace(ANY_NUMBER, low=number, low_in=op == ">=")
        case "==":
            return Range(number, number)
    return replace(ANY_NUMBER, without=frozenset((number,)))


INVERSE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
"""What is true where a comparison is false."""


@dataclass(frozen=True, slots=True)
class Need:
    """What must be so at an instant for something to be true (or false) then.

    Attributes:
        each: All of the things must be so, else at least one.
        states: Thing to what it must be.
        said: How the condition reads, such as ``stove > 50 W``.
        positive: Whether it must be true, else false.
        at: Its place in the text.
    """

    each: bool
    states: Mapping[str, State]
    said: str
    positive: bool
    at: int


@dataclass(slots=True)
class Together:
    """Needs gathered until they can't all be met."""

    states: dict[str, State] = field(default_factory=dict)
    """Thing to what is left of it; begins as all it can be."""
    _some: list[Need] = field(default_factory=list)

    def take(self, need: Need) -> bool:
        """Whether they can still be met with one more."""
        if not need.each:
            self._some.append(need)
            return self._met(need)
        for thing, state in need.states.items():
            self.states[thing] = self.states[thing] & state
            if not self.states[thing]:
                return False
        return all(self._met(some) for some in self._some)

    def _met(self, need: Need) -> bool:
        return any(self.states[thing] & state for thing, state in need.states.items())


def clash(needs: Iterable[Need], wholes: Mapping[str, State]) -> tuple[Need, Need | None] | None:
    """The need that can't be met, with the one before it that it contradicts (None: it alone, or several).

    Args:
        needs: All at one instant.
        wholes: Thing to all that it can be.
    """
    together = Together(dict(wholes))
    before: list[Need] = []
    for need in needs:
        if not together.take(need):
            if not Together(dict(wholes)).take(need):
                return need, None
            for other in before:
                pair = Together(dict(wholes))
                if not (pair.take(other) and pair.take(need)):
                    return need, other
            return need, None
        before.append(need)
    return None
