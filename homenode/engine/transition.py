"""What the engine tells: one change in the life of an alert or of a blind fault."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from homenode.reading import Instant


class Happening(StrEnum):
    """What happened; the value is the word of replay and journal.

    Within an instant and a rule they are told in this order.
    """

    LAPSED = "lapsed"
    ACKNOWLEDGED = "acknowledged"
    RAISED = "raised"
    RESOLVED = "resolved"
    STEP = "step"
    FAULT = "fault"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Transition:
    """One change.

    Attributes:
        at: Instant it happened.
        rule: Name of the rule's use in the home.
        alert: ID shared by all lines of one alert (or of one fault) and by nothing else; the same
            input gives the same ID.
        event: What happened.
        step: Number of the step in the rule file, from 1; 0 if it isn't a step.
        do: Word of the step (``say``, ``notify``, ``switch`` …), "" if it isn't a step.
        run: Which run of a repeated step this is, from 1; 0 if it isn't a step.
        parties: Of a ``notify`` step: who is told (not those who acknowledged). Of ``acknowledged``:
            who did. Empty means everybody the alert is for.
        because: Of a fault: the stale or unknown points, sorted; ``clock`` among them if it is untrusted.
        reason: Why, where it is not the rule's own doing (``rule changed``); who acknowledged.
    """

    at: Instant
    rule: str
    alert: str
    event: Happening
    step: int = 0
    do: str = ""
    run: int = 0
    parties: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    reason: str = ""
