"""Nodes that remember: `for`, `within`, `since`, `count`. Each remembers a few instants, not a history."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from homenode.engine.network import Node
from homenode.engine.truth import FALSE, TRUE, UNKNOWN
from homenode.reading import Instant

COMPARE: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


class ForNode(Node):
    """`part` at every instant of [t - window, t]; with `dual` set, `part` at some instant of it (`within`).

    `φ within D` is `not ((not φ) for D)` also with three values, so that one node serves both:
    *denied* is the value that decides at once (FALSE for `for`, TRUE for `within`), *wanted* the opposite.
    """

    __slots__ = ("_denied", "_last_denied", "_last_other", "_part", "_seen", "_wanted", "_window_ms")

    def __init__(self, part: Node, window_ms: int, *, dual: bool = False) -> None:
        super().__init__(part)
        self._part = part
        self._window_ms = window_ms
        self._denied, self._wanted = (TRUE, FALSE) if dual else (FALSE, TRUE)
        self._seen = UNKNOWN
        self._last_denied: Instant | None = None  # last instant at which `part` was denied
        self._last_other: Instant = 0  # no mutant: last at which it was not wanted; the first value sets it

    def settle(self, at: Instant) -> int:
        now, before = self._part.value, self._seen
        if now != before:
            if before == self._denied:
                self._last_denied = at - 1
            if before != self._wanted:
                self._last_other = at - 1
            self._seen = now
        if now == self._denied:
            return self._denied
        since = at - self._window_ms
        if self._last_denied is not None and self._last_denied >= since:
            self.due = self._last_denied + self._window_ms + 1
            return self._denied
        if now == UNKNOWN:
            return UNKNOWN
        if self._last_other >= since:
            self.due = self._last_other + self._window_ms + 1
            return UNKNOWN
        return self._wanted

    def dump(self) -> list[Any]:
        return [self._seen, self._last_denied, self._last_other]

    def restore(self, memory: list[Any]) -> None:
        self._seen, self._last_denied, self._last_other = memory

    def shift(self, by_ms: int) -> None:
        self._last_other += by_ms
        if self._last_denied is not None:
            self._last_denied += by_ms


class SinceNode(Node):
    """`anchor`, or `part` ever since: its own value one instant earlier is the one it still holds.

    One look per change suffices, since x -> anchor or (part and x) applied twice is the same as once.
    """

    __slots__ = ("_anchor", "_part")

    def __init__(self, part: Node, anchor: Node) -> None:
        super().__init__(part, anchor)
        self._part, self._anchor = part, anchor

    def settle(self, at: Instant) -> int:
        return max(self._anchor.value, min(self._part.value, self.value))


class CountNode(Node):
    """How often `part` turned from FALSE to TRUE in [t - window, t], compared with a number.

    It keeps the newest ``number + 1`` turns: more of them can't change the answer.
    """

    __slots__ = ("_compare", "_last_unknown", "_number", "_op", "_part", "_seen", "_turns", "_window_ms")

    def __init__(self, part: Node, window_ms: int, op: str, number: int) -> None:
        super().__init__(part)
        self._part = part
        self._window_ms = window_ms
        self._op, self._number = op, number
        self._compare = COMPARE[op]
        self._turns: deque[Instant] = deque(maxlen=max(0, number) + 1)
        self._seen = UNKNOWN
        self._last_unknown: Instant = 0  # no mutant: the first value of `part` sets it

    def settle(self, at: Instant) -> int:
        now, before = self._part.value, self._seen
        if now != before:
            if before == UNKNOWN:
                self._last_unknown = at - 1
            elif before == FALSE and now == TRUE:
                self._turns.append(at)
            self._seen = now
        since = at - self._window_ms
        turns = self._turns
        while turns and turns[0] < since:
            turns.popleft()
        sure = now != UNKNOWN and self._last_unknown < since
        if turns:
            self.due = turns[0] + self._window_ms + 1
        if not sure and now != UNKNOWN:
            known_at = self._last_unknown + self._window_ms + 1
            self.due = known_at if self.due is None else min(self.due, known_at)
        if sure:
            return TRUE if self._compare(len(turns), self._number) else FALSE
        return self._at_least(len(turns))

    def _at_least(self, number: int) -> int:
        """The comparison if the count is only known to be `number` or more."""
        reached, passed = number >= self._number, number > self._number
        if self._op == ">=":
            return TRUE if reached else UNKNOWN
        if self._op == "<":
            return FALSE if reached else UNKNOWN
        if self._op in (">", "!="):
            return TRUE if passed else UNKNOWN
        return FALSE if passed else UNKNOWN

    def dump(self) -> list[Any]:
        return [self._seen, self._last_unknown, list(self._turns)]

    def restore(self, memory: list[Any]) -> None:
        self._seen, self._last_unknown, turns = memory
        self._turns.clear()
        self._turns.extend(turns)

    def shift(self, by_ms: int) -> None:
        self._last_unknown += by_ms
        self._turns = deque((turn + by_ms for turn in self._turns), maxlen=self._turns.maxlen)
