"""What the engine is told. Everything at one instant applies together, in the order it was fed."""

from __future__ import annotations

from typing import NamedTuple

from homenode.reading import Instant, Reading

__all__ = [
    "Acknowledge",
    "ClockSet",
    "Event",
    "Heard",
    "ModeSet",
    "NodeDown",
    "NodeUp",
    "Reading",
    "StaleAfter",
]


class Heard(NamedTuple):
    """A device gave a sign of life without saying anything about a point."""

    device: str
    at: Instant


class ModeSet(NamedTuple):
    """The mode of the home was set; `longest_ms` overrides the mode's own longest duration.

    `why`: by whom (`homenode.engine.mode`); what comes from outside is a command.
    """

    mode: str
    at: Instant
    longest_ms: int | None = None
    why: str = "command"


class Acknowledge(NamedTuple):
    """Somebody takes care of it.

    Attributes:
        target: A rule's name (in this home) or the ID of an alert.
        parties: Who acknowledges; empty means everybody the alert is for (replay).
        by: The person or system, told along.
    """

    target: str
    at: Instant
    parties: tuple[str, ...] = ()
    by: str = ""


class NodeDown(NamedTuple):
    """The last sign of life before a downtime: the node was down from `at` on."""

    at: Instant


class NodeUp(NamedTuple):
    """The node is up again, from `at` on.

    Attributes:
        measured: False while the clock can't be trusted, so that nobody knows how long the downtime
            was; it then counts as too long for every `bridge` until `ClockSet.slept_ms` tells.
    """

    at: Instant
    measured: bool = True


class ClockSet(NamedTuple):
    """What is known about the wall clock from `at` on.

    Attributes:
        offset_ms: Wall clock (UTC, ms since 1970) minus `Instant`.
        trusted: Whether the wall clock may be believed; `between` is UNKNOWN while it may not.
        slept_ms: True length of the last downtime, if that of its `NodeUp` was not `measured`.
    """

    at: Instant
    offset_ms: int = 0
    trusted: bool = True
    slept_ms: int | None = None


class StaleAfter(NamedTuple):
    """How long a device may be silent before its points are stale, in ms; -1 is never."""

    device: str
    at: Instant
    stale_after_ms: int


Event = Reading | Heard | ModeSet | Acknowledge | NodeDown | NodeUp | ClockSet | StaleAfter
