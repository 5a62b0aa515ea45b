"""Turns bound rules into nodes, sharing equal expressions between rules of the same `bridge`."""

from __future__ import annotations

from typing import TypeVar

from homenode.config.model import Silence
from homenode.engine.atoms import (
    BetweenNode,
    ChangesNode,
    CompareNode,
    PressNode,
    QualityNode,
    View,
)
from homenode.engine.away import AwayState, silence_rule
from homenode.engine.mode import ModeNode, ModeState
from homenode.engine.network import AndNode, Network, Node, NotNode, OrNode
from homenode.engine.rule import RuleState
from homenode.engine.temporal import CountNode, History, SinceNode, WindowNode
from homenode.engine.wall import WallClock
from homenode.home import HomeState
from homenode.language.bound import (
    And,
    Between,
    BoundRule,
    Changes,
    Compare,
    Count,
    Expr,
    For,
    HasQuality,
    ModeIs,
    Not,
    Or,
    Since,
    Within,
    parts_of,
    points_of,
)
from homenode.reading import Quality

State = TypeVar("State", bound=RuleState)


class Builder:
    """Makes the nodes of rules.

    Attributes:
        views: Per point, how rules of each `bridge` see it.
    """

    def __init__(self, network: Network, home: HomeState, mode: ModeState, wall: WallClock) -> None:
        self._network, self._home, self._mode, self._wall = network, home, mode, wall
        self._nodes: dict[tuple[Expr, int], Node] = {}
        self._histories: dict[tuple[Node, bool], History] = {}
        self.views: dict[str, list[View]] = {}

    def rule(self, rule: BoundRule, order: int) -> RuleState:
        """The state of a rule, with its nodes in the network."""
        return self._state(RuleState, rule, order)

    def away(self, mode: str, silence: Silence, order: int) -> AwayState:
        """What finds a home to be left and sets a mode then."""
        state = self._state(AwayState, silence_rule(mode, silence), order)
        state.mode, state.becomes, state.door = self._mode, mode, self._home.point(silence.door)
        return state

    def _state(self, made: type[State], rule: BoundRule, order: int) -> State:
        bridge_ms = rule.bridge_ms
        when, clear = self._node(rule.when, bridge_ms), self._node(rule.clear, bridge_ms)
        views = [self._view(point, bridge_ms) for point in points_of(rule.when)]
        state = made(rule, order, when, clear, views, self._wall)
        when.read(state)
        for view in views:
            view.readers.append(state)
        state.all_views = tuple(self._view(point, bridge_ms) for point in rule.points)
        nodes: dict[Node, None] = {}
        for expr in (rule.when, rule.clear):
            self._collect(expr, bridge_ms, nodes)
        state.nodes = list(nodes)
        return state

    def _collect(self, expr: Expr, bridge_ms: int, into: dict[Node, None]) -> None:
        for part in parts_of(expr):
            self._collect(part, bridge_ms, into)
        if isinstance(expr, Count):
            into[self._turning(expr, bridge_ms)] = None
        into[self._node(expr, bridge_ms)] = None

    def _view(self, point: str, bridge_ms: int) -> View:
        views = self.views.setdefault(point, [])
        for view in views:
            if view.bridge_ms == bridge_ms:
                return view
        view = View(self._home.point(point), bridge_ms)
        views.append(view)
        return view

    def _turning(self, expr: Count, bridge_ms: int) -> Node:
        return self._node(Compare(expr.point, "==", True), bridge_ms)

    def _node(self, expr: Expr, bridge_ms: int) -> Node:
        key = (expr, bridge_ms)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = self._network.add(self._make(expr, bridge_ms))
        return node

    def _history(self, part: Expr, bridge_ms: int, *, dual: bool) -> History:
        node = self._node(part, bridge_ms)
        history = self._histories.get((node, dual))
        if history is None:
            history = self._histories[node, dual] = History(node, self._network, dual=dual)
            self._network.add(history)
        return history

    def _make(self, expr: Expr, bridge_ms: int) -> Node:
        timers = self._network.timers
        match expr:
            case Compare(point, op, value):
                view = self._view(point, bridge_ms)
                if view.state.momentary:
                    return PressNode(view, timers, (op == "==") is bool(value))
                return CompareNode(view, op, value)
            case Changes(point):
                view = self._view(point, bridge_ms)
                return (PressNode if view.state.momentary else ChangesNode)(view, timers)
            case HasQuality(point, quality):
                return QualityNode(self._view(point, bridge_ms), Quality(quality))
            case Count(_, window_ms, op, number):
                return CountNode(self._turning(expr, bridge_ms), window_ms, op, number)
            case Between(start, end):
                return BetweenNode(self._wall, start, end)
            case ModeIs(mode):
                return ModeNode(self._mode, mode)
            case Not(part):
                return NotNode(self._node(part, bridge_ms))
            case And(parts):
                return AndNode(*(self._node(part, bridge_ms) for part in parts))
            case Or(parts):
                return OrNode(*(self._node(part, bridge_ms) for part in parts))
            case For(part, window_ms):
                return WindowNode(self._history(part, bridge_ms, dual=False), window_ms)
            case Within(part, window_ms):
                return WindowNode(self._history(part, bridge_ms, dual=True), window_ms)
            case Since(part, anchor):
                return SinceNode(self._node(part, bridge_ms), self._node(anchor, bridge_ms))
