"""The engine's memory as JSON-able data: over a restart, a changed rule, or to look ahead."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homenode.engine import events as events_module
from homenode.engine.events import Event, Heard, ModeSet, Reading
from homenode.errors import Refused
from homenode.home import HomeState
from homenode.language.bound import BoundRule
from homenode.reading import Instant

if TYPE_CHECKING:
    from homenode.engine.rule import RuleState

VERSION = 2
"""Of the dump. A newer program reads every older one; an older one refuses a newer."""


def fingerprint(rule: BoundRule) -> str:
    """The same exactly as long as nothing that decides or is said has changed."""
    said = (
        rule.name, rule.rule, rule.version, rule.severity, rule.to, rule.when, rule.clear, rule.steps,
        sorted(rule.says.items()), rule.bridge_ms, rule.grace_ms, rule.again_ms, rule.hold,
        *((step.number, step.mode) for step in rule.steps if step.mode),
    )  # fmt: skip
    return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()


def dump_rule(state: RuleState) -> dict[str, Any]:
    """One rule: its alert and what its nodes remember, in the order of `RuleState.nodes`."""
    return {
        "is": fingerprint(state.rule),
        **state.dump(),
        "nodes": [node.dump() for node in state.nodes],
        "cut": [view.state.name for view in state.all_views if view.cut],
    }


def restore_rule(state: RuleState, data: Mapping[str, Any]) -> None:
    """What `dump_rule` wrote of the same rule."""
    state.restore(data)
    for node, memory in zip(state.nodes, data["nodes"], strict=True):
        node.restore(memory)
    cut = set(data["cut"])
    for view in state.all_views:
        view.cut = view.state.name in cut


def dump_event(event: Event) -> list[Any]:
    """An event that waits for its instant."""
    fields: list[Any] = list(event)
    if isinstance(event, Reading):
        fields = [event.point, event.value, event.at]
    return [type(event).__name__, *fields]


def load_event(data: Sequence[Any]) -> Event:
    """What `dump_event` wrote."""
    name, *fields = data
    kind = getattr(events_module, name)
    if kind is events_module.Acknowledge:
        fields[2] = tuple(fields[2])
    event: Event = kind(*fields)
    return event


def check_version(data: Mapping[str, Any]) -> None:
    """Raises Refused if a newer program wrote it."""
    if not isinstance(data.get("version"), int) or data["version"] > VERSION:
        raise Refused(
            f"the engine's state has version {data.get('version')!r}; this program reads up to {VERSION}",
            do="run the version of homenode that wrote it, or start on an empty data folder",
        )


class Unmeasured:
    """A downtime whose length nobody knows yet.

    Attributes:
        before: The engine as it was while down.
        up: Instant of the end of the downtime.
        since: Everything that came after it.
    """

    __slots__ = ("before", "since", "up")

    def __init__(self, before: Mapping[str, Any], up: Instant, since: Sequence[Event]) -> None:
        self.before, self.up = {**before, "queue": [], "unmeasured": None}, up
        self.since = list(since)

    def dump(self) -> list[Any]:
        """As JSON-able data."""
        return [self.before, self.up, [dump_event(event) for event in self.since]]

    @classmethod
    def load(cls, data: Sequence[Any] | None) -> Unmeasured | None:
        """What `dump` wrote."""
        if data is None:
            return None
        return cls(data[0], data[1], [load_event(event) for event in data[2]])


def remembered(home: HomeState, mode: tuple[str, Instant | None], now: Instant) -> list[Event]:
    """What a home state still knows of the past, as events, for a rule that begins now."""
    past: list[Event] = []
    for device in home.devices.values():
        if device.heard is not None:
            past.append(Heard(device.name, device.heard))
    for point in home.points.values():
        if point.pressed is not None:
            past.append(Reading(point.name, True, point.pressed))
        if point.at is not None and not point.momentary:
            past.append(Reading(point.name, point.value, point.at))
    past.sort(key=lambda event: event.at)
    start, (name, until) = past[0].at if past else now, mode
    longest_ms = None if until is None else until - start
    return [ModeSet(name, start, longest_ms), *past]
