"""One alert as people see to it: what its home said, who has it, what they did, how it ended (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from homenode.listen import told
from homenode.listen.event import BEGINS, ENDS, of_party
from homenode.listen.told import Kind

LONGEST_NOTE = 2_000
MOST_HISTORY = 100
"""Lines of a case that are shown, the first always; the journal has them all."""
MOST_SEEN = 50
"""Newest messages of a case that are known again, as a receiver may hand over twice what it did at a kill."""
RANK = {"alarm": 0, "warning": 1, "info": 2}
OWN: Mapping[Kind, str] = {Kind.SILENT: "alarm", Kind.HOLE: "warning", Kind.NOBODY: "alarm"}
"""What a receiver itself tells, as severity of the case that it begins."""
OWN_ENDS: Mapping[Kind, Kind] = {Kind.BACK: Kind.SILENT, Kind.FILLED: Kind.HOLE, Kind.SOMEBODY: Kind.NOBODY}


class Done(NamedTuple):
    """One line of a case's history; `by` is a person's name, "" for the home or the receiver."""

    at: int
    what: str
    by: str = ""
    note: str = ""


@dataclass(slots=True)
class Case:
    """One alert, or something that a receiver itself told.

    Attributes:
        key: In addresses; says nothing about the home.
        since: When its first message came here, ms.
        body: The newest message that told of it, with its evidence.
        home_says: ``open``, ``acknowledged`` or ``over``.
        acknowledged_by: Whom the home names.
        taken_by: Name of who has it; `taken_id` that person's id.
        asked: A person acknowledged it here and the home has not yet answered.
        refused: Why the home took no acknowledgement.
        stage: How often it was escalated.
        version: Grows with each change of any case.
    """

    key: str
    party: str
    home: str
    alert: str
    since: int
    body: Mapping[str, Any]
    severity: str = "alarm"
    home_says: str = "open"
    acknowledged_by: str = ""
    taken_by: str = ""
    taken_id: str = ""
    asked: bool = False
    refused: str = ""
    stage: int = 0
    closed: bool = False
    history: list[Done] = field(default_factory=list)
    version: int = 0
    seen: dict[str, None] = field(default_factory=dict)

    @property
    def own(self) -> bool:
        """Of the receiver itself: there is no home that could be told of an acknowledgement."""
        return ".listen." in str(self.body.get("type", ""))

    @property
    def handled(self) -> bool:
        """Somebody has said that they see to it."""
        return self.home_says == "acknowledged" or bool(self.acknowledged_by) or self.asked

    @property
    def home_waits(self) -> bool:
        """The home is to be told that somebody has it."""
        return not self.own and not self.handled and self.home_says != "over"

    @property
    def to_do(self) -> bool:
        """On the worklist. An alarm of a home that ended by itself stays until a person has looked."""
        over = self.home_says == "over" and (self.severity != "alarm" or self.handled or self.own)
        return not self.closed and not over

    @property
    def calls(self) -> bool:
        """It asks for a person with sound: nobody has it, and it is no test."""
        waits = self.to_do and not self.handled and not self.taken_by
        return waits and self.severity != "info" and not self.test

    @property
    def test(self) -> bool:
        """Sent in the mode `service`."""
        return self.body["data"].get("test") is True

    def order(self) -> tuple[bool, int, bool, int, str]:
        """What is no test first, of that the worst, of these what nobody has, of these the oldest."""
        return self.test, RANK[self.severity], bool(self.taken_by) or self.handled, self.since, self.key

    # --- what happened

    def came(self, kind: Kind, stage: int, body: Mapping[str, Any], at: int) -> None:
        """A message of it. One that came before changes nothing."""
        mark = f"{kind.value} {stage} {body['id']}"
        if mark in self.seen:
            return
        self.seen[mark] = None
        if len(self.seen) > MOST_SEEN:
            del self.seen[next(iter(self.seen))]
        del self.history[1 : 2 - MOST_HISTORY]
        data = body["data"]
        what = str(body.get("type", "")).rpartition(".")[2]
        if kind is Kind.ESCALATED:
            self.stage = max(self.stage, stage)
            self.history.append(Done(at, "escalated", note=str(stage)))
        elif kind is Kind.REFUSED:
            self.asked, self.refused = False, str(data.get("why", ""))
            self.history.append(Done(at, "refused", str(data.get("by", "")), self.refused))
        elif kind in OWN_ENDS or what in ENDS:
            self.home_says = "over"
            self.history.append(Done(at, "over", note=str(data.get("reason", ""))))
        elif begins(kind, body):
            self.body, self.closed, self.refused, self.asked = body, False, "", False
            self.home_says, self.acknowledged_by = "open", ""
            self.severity = severity_of(kind, body)
            self.history.append(Done(at, "came"))
        elif what == "acknowledged":
            by = str(data.get("by", ""))
            self.history.append(Done(at, "home_said_acknowledged", by))
            if of_party(by, self.party):
                self.asked, self.acknowledged_by = False, by
                if self.home_says != "over":
                    self.home_says = "acknowledged"

    def did(self, what: str, at: int, by: str, who: str, note: str) -> None:
        """A person did something."""
        match what:
            case "take":
                self.taken_by, self.taken_id = by, who
            case "release":
                self.taken_by = self.taken_id = ""
            case "acknowledge":
                self.refused = ""
                self.asked = not self.own and self.home_says == "open"  # its answer may have been quicker
                if self.own:
                    self.acknowledged_by = by
                if not self.taken_by:
                    self.taken_by, self.taken_id = by, who
            case "close":
                self.closed = True
            case "reopen":
                self.closed = False
        del self.history[1 : 2 - MOST_HISTORY]
        self.history.append(Done(at, f"did_{what}", by, note))


ACTIONS = ("take", "release", "acknowledge", "escalate", "close", "reopen", "note")
"""What a person may do with a case."""


def begins(kind: Kind, body: Mapping[str, Any]) -> bool:
    """Whether a message tells of something that goes on, and not of its end."""
    return kind in OWN or str(body.get("type", "")).rpartition(".")[2] in BEGINS


def severity_of(kind: Kind, body: Mapping[str, Any]) -> str:
    """A severity that nobody knows is the worst."""
    found = OWN.get(kind) or str(body["data"].get("severity"))
    return found if found in RANK else "alarm"


def key_of(party: str, home: str, alert: str) -> str:
    """Of a case: the same over restarts."""
    return told.digest(f"{party} {home} {alert}", 10)


def alert_of(kind: Kind, body: Mapping[str, Any]) -> str:
    """What the messages of one case have in common."""
    data = body["data"]
    begun = OWN_ENDS.get(kind, kind)
    if begun is Kind.HOLE:
        return f"hole:{data.get('epoch')}:{data.get('first')}" if kind is Kind.HOLE else ""
    if begun in OWN:
        return f"{begun.value}:{data.get('since')}"
    return str(data["alert"])
