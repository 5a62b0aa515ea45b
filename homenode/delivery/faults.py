"""Faults on their way to people: joined where they have one cause or come within a minute, told once.

A fault of a rule (blind) goes to those the rule is for and to the operator; one of the node or a device to
the operator, and to property if it is a sensor's battery or silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from homenode.reading import Instant

JOIN_MS = 60_000
"""Faults raised, and due, within this of each other are one message (design section 5)."""


@dataclass(frozen=True, slots=True)
class NodeFault:
    """The node cannot know something; the gateway or a driver says so.

    Attributes:
        source: What fails, such as ``hall_eye``, ``zigbee`` or ``clock``; one fault per source is open.
        text: Language to one plain sentence.
        causes: Devices behind it, or ``downtime``: faults that share one are one message.
        to_property: A sensor's battery or silence, which the landlord's technician mends.
        at_once: Told without waiting for others (a restart).
    """

    source: str
    text: Mapping[str, str]
    causes: tuple[str, ...] = ()
    to_property: bool = False
    at_once: bool = False

    @property
    def parties(self) -> tuple[str, ...]:
        """Who hears of it."""
        return ("property", "operator") if self.to_property else ("operator",)


def blind_text(rule: str, because: Sequence[str]) -> dict[str, str]:
    """How a blind rule is told."""
    points = ", ".join(because)
    return {"sv": f"blind: {rule}, eftersom {points} inte hörs", "en": f"blind: {rule}, because {points}"}


@dataclass(slots=True)
class Fault:
    """One fault. `rule` "" if it is the node's or a device's, `source` "" if it is a rule's."""

    alert: str
    at: Instant
    text: dict[str, str]
    causes: list[str]
    rule: str = ""
    source: str = ""
    because: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """Faults that one party hears of in one message, as one alert.

    Attributes:
        id: The alert's; of its first fault.
        due: When it is told, or told again because it changed; None while there is nothing new.
        told: "" not yet, ``test`` only as a test, ``real``.
        since: When it was first told.
        acknowledged: Who took care of all that is `listed`, "" if nobody.
        listed: Alerts of the faults that it was last told with.
    """

    id: str
    party: str
    first: Instant
    faults: list[Fault]
    due: Instant | None
    told: str = ""
    since: Instant = 0
    acknowledged: str = ""
    messages: int = 0
    listed: list[str] = field(default_factory=list)

    def list_all(self) -> None:
        """It is being told. Who took care of it did so of what was listed then, not of what joined."""
        now = [fault.alert for fault in self.faults]
        if not set(now) <= set(self.listed):
            self.acknowledged = ""
        self.listed = now

    def rule(self) -> str:
        """The rule all of them are about, else ``node``."""
        names = {fault.rule for fault in self.faults}
        return names.pop() or "node" if len(names) == 1 else "node"

    def text(self) -> dict[str, str]:
        """All their sentences."""
        languages = {language: None for fault in self.faults for language in fault.text}
        return {
            language: "; ".join(fault.text[language] for fault in self.faults if language in fault.text)
            for language in languages
        }


class FaultBook:
    """Every open fault, by party."""

    def __init__(self) -> None:
        self._groups: list[Group] = []

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def raised(self, fault: Fault, parties: Sequence[str], due: Instant) -> None:
        """Put a fault where each party will hear of it when it is `due`, or before, with what it joins."""
        for party in parties:
            group = self._joins(fault, party, due)
            if group is None:
                self._groups.append(Group(fault.alert, party, fault.at, [fault], due))
            else:
                group.faults.append(fault)
                group.due = due if group.due is None else min(group.due, due)

    def reworded(self, fault: Fault, due: Instant) -> None:
        """The open fault of this source is another one now, of which its parties hear when it is `due`."""
        for group in self._groups:
            for nth, one in enumerate(group.faults):
                if one.source and one.source == fault.source:
                    group.faults[nth] = fault
                    group.due = due if group.due is None else min(group.due, due)

    def _joins(self, fault: Fault, party: str, due: Instant) -> Group | None:
        mine = [group for group in self._groups if group.party == party]
        for group in mine:
            if any(set(fault.causes) & set(other.causes) for other in group.faults):
                return group
        untold = ((group, group.due) for group in mine if not group.told and group.due is not None)
        together = (
            group for group, told in untold if max(fault.at - group.first, abs(told - due)) <= JOIN_MS
        )
        return next(together, None)

    def recovered(self, alert: str, at: Instant) -> list[tuple[Group, Fault]]:
        """A fault is over. Returns those groups, told before, of which it was the last, with that fault."""
        closed: list[tuple[Group, Fault]] = []
        for group in list(self._groups):
            gone = next((fault for fault in group.faults if fault.alert == alert), None)
            if gone is None:
                continue
            group.faults.remove(gone)
            if not group.faults:
                self._groups.remove(group)
                if group.told:
                    closed.append((group, gone))
            elif group.told and group.due is None:
                group.due = at + JOIN_MS
        return closed

    def of_source(self, source: str) -> Fault | None:
        """The open fault of a source, None if it has none."""
        faults = (fault for group in self._groups for fault in group.faults)
        return next((fault for fault in faults if fault.source == source), None)

    def find(self, party: str, alert: str) -> Group | None:
        """What a party was told under this id."""
        return next((g for g in self._groups if g.party == party and g.id == alert and g.told), None)

    def dump(self) -> list[dict[str, Any]]:
        """As JSON types."""
        return [asdict(group) for group in self._groups]

    def load(self, groups: Sequence[Mapping[str, Any]]) -> None:
        """What `dump` gave."""
        self._groups = [
            Group(**{**group, "faults": [Fault(**fault) for fault in group["faults"]]}) for group in groups
        ]
