"""Nodes without parts: what the points and the clock say (the mode: `homenode.engine.mode`)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from homenode.engine.network import Network, Node
from homenode.engine.temporal import COMPARE
from homenode.engine.timers import Timers
from homenode.engine.truth import FALSE, TRUE, UNKNOWN
from homenode.engine.wall import WallClock
from homenode.home import PointState
from homenode.reading import Instant, Quality

if TYPE_CHECKING:
    from homenode.engine.rule import RuleState


class View:
    """A point as rules with one `bridge` see it.

    Attributes:
        state: What the home knows of it.
        cut: A downtime was too long for this `bridge`, and the point has not been read since.
        bad: Stale or unknown, when last looked at.
        atoms: Nodes that ask for presses and changes.
        doubts: Nodes that ask for its quality.
        steps, heights: Comparisons in the order of their constants, and these.
        between: Where among `heights` its value stood when last looked at, as first and last place; None if
            it was bad, () if all comparisons are to be looked at.
        readers: Rules whose `when` reads it.
    """

    __slots__ = (
        "atoms",
        "bad",
        "between",
        "bridge_ms",
        "cut",
        "doubts",
        "heights",
        "readers",
        "state",
        "steps",
    )

    def __init__(self, state: PointState, bridge_ms: int) -> None:
        self.state = state
        self.bridge_ms = bridge_ms
        self.cut = False
        self.bad = True
        self.atoms: list[Node] = []
        self.doubts: list[Node] = []
        self.steps: list[CompareNode] = []
        self.heights: list[float] = []
        self.between: tuple[int, ...] | None = ()
        self.readers: list[RuleState] = []

    def quality(self, at: Instant) -> Quality:
        """Whether these rules may believe it."""
        return Quality.UNKNOWN if self.cut else self.state.quality(at)

    def look(self, at: Instant, network: Network) -> None:
        """The point, or what is known of it, may have changed. Comparisons not passed stay."""
        state = self.state
        if state.momentary:
            bad = self.quality(at) is not Quality.GOOD
        else:
            between: tuple[int, ...] | None = None
            value, heights = state.value, self.heights
            if value is not None and not state.stale and not self.cut:
                between = (bisect_left(heights, value), bisect_right(heights, value))
            bad = between is None
            if between != self.between:
                passed = self.steps
                if between and self.between:
                    passed = passed[min(between[0], self.between[0]) : max(between[1], self.between[1])]
                self.between = between  # no mutant: for speed
                for step in passed:
                    network.change(step, step.settle(at))
        if bad or self.bad:
            for doubt in self.doubts:
                network.stir(doubt)
            if bad is not self.bad:
                self.bad = bad
                network.touched.update(self.readers)
        for atom in self.atoms:
            if atom.wholes or atom.rules:
                network.stir(atom)


class CompareNode(Node):
    """A point's value compared with a constant."""

    __slots__ = ("_compare", "_constant", "_view")

    def __init__(self, view: View, op: str, constant: float) -> None:
        super().__init__()
        self._view = view
        self._compare, self._constant = COMPARE[op], constant
        place = bisect_right(view.heights, constant)
        view.heights.insert(place, constant)
        view.steps.insert(place, self)

    def settle(self, at: Instant) -> int:
        view = self._view
        state = view.state
        if state.value is None or state.stale or view.cut:
            return UNKNOWN
        return TRUE if self._compare(state.value, self._constant) else FALSE


class MomentNode(Node):
    """TRUE at an instant only; looked at while somebody reads it."""

    __slots__ = ("_timers", "_view")

    def __init__(self, view: View, timers: Timers) -> None:
        super().__init__()
        self._view, self._timers = view, timers
        view.atoms.append(self)

    def read(self, by: Node | RuleState, at: Instant = 0) -> None:
        if not self.wholes and not self.rules:
            self.due = None  # no mutant: to look once more does no harm
            self.value = self.settle(at)
            self._timers.book(self)
        super().read(by, at)


class PressNode(MomentNode):
    """A momentary point: TRUE at the instant of a press. `of` is the answer at a press."""

    __slots__ = ("_of",)

    def __init__(self, view: View, timers: Timers, of: bool = True) -> None:
        super().__init__(view, timers)
        self._of = TRUE if of else FALSE

    def settle(self, at: Instant) -> int:
        view = self._view
        if view.state.pressed == at:  # also if a downtime too long begins at this instant
            self.due = at + 1
            return self._of
        return 2 - self._of if view.quality(at) is Quality.GOOD else UNKNOWN


class ChangesNode(MomentNode):
    """A boolean point: TRUE at the instant of a reading unlike the last known value."""

    __slots__ = ()

    def settle(self, at: Instant) -> int:
        view = self._view
        if view.state.changed == at:
            self.due = at + 1
            return TRUE
        return FALSE if view.quality(at) is Quality.GOOD else UNKNOWN


class QualityNode(Node):
    """`is stale`, `is unknown`: itself never UNKNOWN."""

    __slots__ = ("_quality", "_view")

    def __init__(self, view: View, quality: Quality) -> None:
        super().__init__()
        self._view, self._quality = view, quality
        view.doubts.append(self)

    def settle(self, at: Instant) -> int:
        return TRUE if self._view.quality(at) is self._quality else FALSE


class BetweenNode(Node):
    """The wall clock reads in [start, end), minutes of the day, over midnight if end < start."""

    __slots__ = ("_end", "_start", "_wall")

    seldom = True

    def __init__(self, wall: WallClock, start: int, end: int) -> None:
        super().__init__()
        self._wall, self._start, self._end = wall, start, end

    def settle(self, at: Instant) -> int:
        if not self._wall.trusted:
            return UNKNOWN
        self.due = self._wall.next_reading(at, (self._start, self._end))
        return TRUE if self._wall.reads_between(at, self._start, self._end) else FALSE
