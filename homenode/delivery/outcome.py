"""What the gateway is to do after a transition: messages to queue, things to do in the home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from homenode.message import Message


@dataclass(frozen=True, slots=True)
class Say:
    """Speak in the home. `text` by language; `rule` is the use of the rule that does."""

    text: Mapping[str, str]
    alert: str
    step: int
    run: int
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """Turn a light, switch, valve or siren; `to` True = on, open."""

    point: str
    to: bool
    alert: str
    step: int
    run: int


@dataclass(frozen=True, slots=True)
class OfferVideo:
    """The alert allows a look through this camera, where a care decision does."""

    camera: str
    alert: str
    step: int
    run: int


Action = Say | Switch | OfferVideo


@dataclass(slots=True)
class Outcome:
    """In order.

    Attributes:
        messages: To be appended to the journal with the transition, then to the outbox.
        actions: To be done once the journal has the transition.
        acknowledge: Alerts that the resident answered: to be fed to the engine as acknowledged by all.
    """

    messages: list[Message] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    acknowledge: list[str] = field(default_factory=list)

    def extend(self, other: Outcome) -> None:
        """Append what came of something later."""
        self.messages += other.messages
        self.actions += other.actions
        self.acknowledge += other.acknowledge
