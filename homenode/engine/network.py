"""Signals that follow each other: a node changes only when something it reads changes, or at its deadline.

Each node holds the truth value of one expression at the instant last settled. Equal expressions of
several rules (with the same `bridge`) are one node. Nodes settle in order of rank, parts before wholes,
and at most once an instant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from homenode.engine.timers import Timer, Timers
from homenode.engine.truth import FALSE, TRUE, UNKNOWN
from homenode.reading import Instant

if TYPE_CHECKING:
    from homenode.engine.rule import RuleState


class Node(Timer, ABC):
    """One expression over time.

    Attributes:
        value: Its truth value at the last settled instant; UNKNOWN before the first start.
        rank: Place in the order of settling.
        wholes: Nodes that read it.
        rules: Rules that want to know when it changes.
        queued: It waits to be settled.
    """

    __slots__ = ("queued", "rank", "rules", "value", "wholes")

    def __init__(self, *parts: Node) -> None:
        super().__init__()
        self.value = UNKNOWN
        self.rank = -1  # no mutant: the network gives it one
        self.wholes: tuple[Node, ...] = ()
        self.rules: tuple[RuleState, ...] = ()
        self.queued = False
        for part in parts:
            part.wholes += (self,)

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


class NotNode(Node):
    """Kleene negation."""

    __slots__ = ("_part",)

    def __init__(self, part: Node) -> None:
        super().__init__(part)
        self._part = part

    def settle(self, at: Instant) -> int:
        return 2 - self._part.value


class AndNode(Node):
    """Kleene conjunction."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Node) -> None:
        super().__init__(*parts)
        self._parts = parts

    def settle(self, at: Instant) -> int:
        least = TRUE
        for part in self._parts:
            if part.value < least:
                least = part.value
                if least == FALSE:
                    break
        return least


class OrNode(Node):
    """Kleene disjunction."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Node) -> None:
        super().__init__(*parts)
        self._parts = parts

    def settle(self, at: Instant) -> int:
        most = FALSE
        for part in self._parts:
            if part.value > most:
                most = part.value
                if most == TRUE:
                    break
        return most


class Network:
    """All nodes.

    Attributes:
        waiting: Ranks of those that wait to be settled, as a heap.
        touched: Rules that are to be judged.
    """

    __slots__ = ("nodes", "timers", "touched", "waiting")

    def __init__(self, timers: Timers) -> None:
        self.timers = timers
        self.nodes: list[Node] = []
        self.touched: set[RuleState] = set()
        self.waiting: list[int] = []

    def add(self, node: Node) -> Node:
        """A node whose parts were added before."""
        node.rank = len(self.nodes)
        self.nodes.append(node)
        return node

    def stir(self, node: Node) -> None:
        """`node` must be settled at the coming instant."""
        if not node.queued:
            node.queued = True  # no mutant: for speed
            heappush(self.waiting, node.rank)

    def change(self, node: Node, value: int) -> None:
        """`node` has this value from the coming instant on: what reads it waits, rules are `touched`."""
        if value == node.value:
            return
        node.value = value
        for whole in node.wholes:
            if not whole.queued:
                whole.queued = True  # no mutant: for speed
                heappush(self.waiting, whole.rank)
        if node.rules:
            self.touched.update(node.rules)

    def settle(self, at: Instant) -> None:
        """Settle what waits, and all that changes by it; rules concerned end up in `touched`."""
        waiting, nodes = self.waiting, self.nodes
        while waiting:
            node = nodes[heappop(waiting)]
            node.queued = False
            node.due = None
            value = node.settle(at)
            if node.due is not None:
                self.timers.book(node)
            if value != node.value:
                self.change(node, value)
