"""Signals that follow each other: a node changes only when something it reads changes, or at its deadline.

Each node holds the truth value of one expression at the instant last settled. Equal expressions of
several rules (with the same `bridge`) are one node. Nodes settle level by level, parts before wholes, and
at most once an instant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from homenode.engine.timers import Timer, Timers
from homenode.engine.truth import FALSE, TRUE, UNKNOWN
from homenode.reading import Instant

if TYPE_CHECKING:
    from homenode.engine.rule import RuleState

T = TypeVar("T")


class Node(Timer, ABC):
    """One expression over time.

    Attributes:
        value: Its truth value at the last settled instant, while it is read; UNKNOWN before the first start.
        level: Above that of every part.
        wholes: Nodes that read it.
        rules: Rules that want to know when it changes.
        queued: It waits to be settled.
        seldom: Whether its kind changes seldom.
    """

    __slots__ = ("level", "queued", "rules", "value", "wholes")

    seldom = False

    def __init__(self, *parts: Node) -> None:
        super().__init__()
        self.value = UNKNOWN
        self.level: int = 1 + max((part.level for part in parts), default=-1)
        self.wholes: tuple[Node, ...] = ()
        self.rules: tuple[RuleState, ...] = ()
        self.queued = False
        for part in parts:
            part.read(self)

    def read(self, by: Node | RuleState, at: Instant = 0) -> None:
        """From `at` on `by` wants to know when it changes; 0 while the network is built."""
        if isinstance(by, Node):
            self.wholes += (by,)
        else:
            self.rules += (by,)

    def unread(self, by: Node | RuleState) -> None:
        """`by` no longer wants to know."""
        if isinstance(by, Node):
            self.wholes = _without(self.wholes, by)
        else:
            self.rules = _without(self.rules, by)

    @abstractmethod
    def settle(self, at: Instant) -> int:
        """Its value at `at`; sets `due` to the instant at which it may change by itself."""

    def dump(self) -> list[Any]:
        """What it must remember, as JSON-able data; `value` and `due` stand first."""
        return [self.value, self.due]

    def restore(self, memory: Sequence[Any]) -> None:
        """Take over what `dump` gave."""
        self.value, self.due = memory

    def shift(self, by_ms: int) -> None:
        """Move everything it remembers in time (a downtime turned out longer than believed)."""


def _without(them: tuple[T, ...], one: T) -> tuple[T, ...]:
    place = them.index(one)
    return them[:place] + them[place + 1 :]


class Formula(Node):
    """A node without a memory: it follows its parts only while somebody reads it."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Node) -> None:
        super().__init__()
        self._parts = tuple(dict.fromkeys(parts))
        self.level = 1 + max(part.level for part in parts)

    def read(self, by: Node | RuleState, at: Instant = 0) -> None:
        if not self.wholes and not self.rules:
            self._follow(at)
            self.value = self.settle(at)
        super().read(by, at)

    def unread(self, by: Node | RuleState) -> None:
        super().unread(by)
        if not self.wholes and not self.rules:
            self._leave()

    def _follow(self, at: Instant) -> None:
        for part in self._parts:
            part.read(self, at)

    def _leave(self) -> None:
        for part in self._parts:
            part.unread(self)


class NotNode(Formula):
    """Kleene negation."""

    __slots__ = ()

    def settle(self, at: Instant) -> int:
        return 2 - self._parts[0].value


class AndNode(Formula):
    """Kleene conjunction. While its gate (a part that changes seldom) is FALSE it follows no other."""

    __slots__ = ("_gate", "_open")

    def __init__(self, *parts: Node) -> None:
        super().__init__(*parts)
        self._gate = next((part for part in self._parts if part.seldom), None)
        self._open = self._gate is None

    def settle(self, at: Instant) -> int:
        gate = self._gate
        if gate is not None and (gate.value != FALSE) is not self._open:
            self._open = not self._open
            for part in self._parts:
                if part is gate:
                    continue
                if self._open:
                    part.read(self, at)
                else:
                    part.unread(self)
        if not self._open:
            return FALSE
        least = TRUE
        for part in self._parts:
            if part.value < least:
                least = part.value
                if least == FALSE:
                    break  # no mutant: for speed
        return least

    def _follow(self, at: Instant) -> None:
        if self._gate is None:
            super()._follow(at)
        else:
            self._gate.read(self, at)

    def _leave(self) -> None:
        if self._open:
            super()._leave()
        elif self._gate is not None:
            self._gate.unread(self)
        self._open = self._gate is None


class OrNode(Formula):
    """Kleene disjunction."""

    __slots__ = ()

    def settle(self, at: Instant) -> int:
        most = FALSE
        for part in self._parts:
            if part.value > most:
                most = part.value
                if most == TRUE:
                    break  # no mutant: for speed
        return most


class Network:
    """All nodes.

    Attributes:
        waiting: Whether nodes wait to be settled.
        touched: Rules that are to be judged.
    """

    __slots__ = ("_levels", "nodes", "timers", "touched", "waiting")

    def __init__(self, timers: Timers) -> None:
        self.timers = timers
        self.nodes: list[Node] = []
        self.touched: set[RuleState] = set()
        self.waiting = False  # no mutant: for speed
        self._levels: list[list[Node]] = []  # those that wait

    def add(self, node: Node) -> Node:
        """A node whose parts were added before."""
        self.nodes.append(node)
        while len(self._levels) <= node.level:
            self._levels.append([])
        return node

    def stir(self, node: Node) -> None:
        """`node` must be settled at the coming instant."""
        if not node.queued:
            node.queued = True  # no mutant: for speed
            self.waiting = True
            self._levels[node.level].append(node)

    def change(self, node: Node, value: int) -> None:
        """`node` has this value from the coming instant on: what reads it waits, rules are `touched`."""
        if value == node.value:
            return
        node.value = value
        for whole in node.wholes:
            if not whole.queued:
                whole.queued = True  # no mutant: for speed
                self.waiting = True
                self._levels[whole.level].append(whole)
        if node.rules:
            self.touched.update(node.rules)

    def settle(self, at: Instant) -> None:
        """Settle what waits, and all that changes by it; rules concerned end up in `touched`."""
        for level in self._levels:
            if not level:
                continue  # no mutant: for speed
            for node in level:
                node.queued = False
                node.due = None  # no mutant: to look once more does no harm
                value = node.settle(at)
                if node.due is not None:
                    self.timers.book(node)
                if value != node.value:
                    self.change(node, value)
            level.clear()  # no mutant: for speed
        self.waiting = False  # no mutant: for speed
