"""Nodes that remember: `for`, `within`, `since`, `count`. Each remembers a few instants, not a history."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from homenode.engine.network import Network, Node
from homenode.engine.truth import FALSE, TRUE, UNKNOWN
from homenode.reading import Instant

COMPARE: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


class History(Node):
    """When `part` last was what it is asked not to be; answers `for` (`within` if `dual`) of any length.

    `φ within D` is `not ((not φ) for D)` also with three values, so that one class serves both: *denied* is
    the value of `part` that decides at once (FALSE for `for`, TRUE for `within`), *wanted* the opposite.
    The windows over one `part` differ by their length only: in its order the first are wanted, then come
    those that can't know, then the denied. So a change costs work only for the windows that it changes.
    """

    __slots__ = (
        "_denied", "_known", "_last_denied", "_last_other", "_lengths_ms", "_network", "_part", "_seen",
        "_sure", "_wanted", "_windows",
    )  # fmt: skip

    def __init__(self, part: Node, network: Network, *, dual: bool) -> None:
        super().__init__(part)
        self._part, self._network = part, network
        self._denied, self._wanted = (TRUE, FALSE) if dual else (FALSE, TRUE)
        self._windows: list[WindowNode] = []
        self._lengths_ms: list[int] = []
        self._known = 0  # no mutant: how many are not denied; looked at where `_sure` was set
        self._sure = -1  # no mutant: how many are wanted; less than none: look at all
        self._seen = UNKNOWN
        self._last_denied: Instant | None = None  # last instant at which `part` was denied
        self._last_other: Instant = 0  # no mutant: last at which it was not wanted; the first value sets it

    def add(self, window: WindowNode, length_ms: int) -> None:
        """One more window over `part`."""
        place = bisect_left(self._lengths_ms, length_ms)
        self._lengths_ms.insert(place, length_ms)
        self._windows.insert(place, window)

    def settle(self, at: Instant) -> int:
        now, before = self._part.value, self._seen
        if now != before:
            if before == self._denied:
                self._last_denied = at - 1
            if before != self._wanted:
                self._last_other = at - 1
            self._seen = now
        sure = known = 0
        if now != self._denied:
            lengths_ms, last = self._lengths_ms, self._last_denied
            known = many = len(lengths_ms)
            if last is not None:
                known = bisect_left(lengths_ms, at - last)
                if known < many:
                    self.due = last + lengths_ms[known] + 1
            if now == self._wanted:
                sure = bisect_left(lengths_ms, at - self._last_other)
                if sure < known:
                    due = self._last_other + lengths_ms[sure] + 1
                    self.due = due if self.due is None else min(self.due, due)
        if sure != self._sure or known != self._known:
            self._tell(sure, known)
        return UNKNOWN

    def _tell(self, sure: int, known: int) -> None:
        """Change those windows whose place among the others changed its meaning."""
        windows = self._windows
        if self._sure < 0:
            places: Iterable[int] = range(len(windows))
        else:
            places = (*_between(sure, self._sure), *_between(known, self._known))
        self._sure, self._known = sure, known
        for place in places:
            value = self._wanted if place < sure else UNKNOWN if place < known else self._denied
            self._network.change(windows[place], value)

    def dump(self) -> list[Any]:
        return [*super().dump(), self._seen, self._last_denied, self._last_other]

    def restore(self, memory: Sequence[Any]) -> None:
        _, self.due, self._seen, self._last_denied, self._last_other = memory
        self._sure = -1  # no mutant: any less than none

    def shift(self, by_ms: int) -> None:
        self._last_other += by_ms
        if self._last_denied is not None:
            self._last_denied += by_ms


def _between(one: int, other: int) -> range:
    return range(min(one, other), max(one, other))


class WindowNode(Node):
    """`part` at every (`within`: some) instant of [t - length, t], as its history tells it."""

    __slots__ = ("_history",)

    seldom = True

    def __init__(self, history: History, length_ms: int) -> None:
        super().__init__()
        self.level = history.level
        self._history = history
        history.add(self, length_ms)

    def settle(self, at: Instant) -> int:
        return self.value

    def dump(self) -> list[Any]:
        return [self.value, *self._history.dump()[1:]]

    def restore(self, memory: Sequence[Any]) -> None:
        self.value = memory[0]
        self._history.restore(memory)


class SinceNode(Node):
    """`anchor`, or `part` ever since: its own value one instant earlier is the one it still holds.

    One look per change suffices, since x -> anchor or (part and x) applied twice is the same as once.
    """

    __slots__ = ("_anchor", "_part")

    seldom = True

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

    seldom = True

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
        return [*super().dump(), self._seen, self._last_unknown, list(self._turns)]

    def restore(self, memory: Sequence[Any]) -> None:
        self.value, self.due, self._seen, self._last_unknown, turns = memory
        self._turns.clear()
        self._turns.extend(turns)

    def shift(self, by_ms: int) -> None:
        self._last_unknown += by_ms
        self._turns = deque((turn + by_ms for turn in self._turns), maxlen=self._turns.maxlen)
