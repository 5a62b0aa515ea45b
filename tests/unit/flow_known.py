"""What a party may know of a day, read a second time from the design and not from the code that tells it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from homenode.delivery import Evidence
from homenode.engine.transition import Happening, Transition
from homenode.kinds import kind_of
from homenode.language.bound import BoundRule
from tests.unit.flow import Run

WHO_IS_HOME = ("motion", "occupancy", "contact", "lock")


def evidence_for(party: str, rule: BoundRule, evidence: tuple[Evidence, ...]) -> list[Any]:
    """Of the rule's `to`; property gets of presence the name only."""
    if party not in rule.to:
        return []
    return [one.point if party == "property" and kind(one.point) in WHO_IS_HOME else one for one in evidence]


def kind(point: str) -> str:
    """Of a point."""
    known = kind_of(point)
    assert known is not None
    return known.name


class Known:
    """Goes through what was told to the delivering half and keeps what is this party's.

    Attributes:
        all: What it may know, in order.
        health: When a first fault came or a last one went, which everybody is told.
        alerts: Ids it may have heard of.
    """

    def __init__(self, run: Run, party: str) -> None:
        self.party, self.rules = party, {rule.name: rule for rule in run.day.rules}
        self.audience = {rule.name: run.day.audience(rule) for rule in run.day.rules}
        self.all: list[Any] = []
        self.health: list[tuple[int, bool]] = []
        self.alerts: set[str] = set()
        self._untold: dict[str, list[Any]] = {}
        self._faults: dict[str, bool] = {}
        self._news: set[str] = set()
        self._was = "home"
        self._patterns: tuple[str, ...] = ()
        for call in run.calls:
            getattr(self, f"_{call.what}")(*call.args)

    def _healthy(self, at: int, before: int) -> None:
        """Whether any fault is open is told to everybody."""
        if bool(before) != bool(self._faults):
            self.health.append((at, bool(self._faults)))
            self.all.append(("health", at, bool(self._faults)))

    def _transition(self, change: Transition, evidence: tuple[Evidence, ...], missing_from: int) -> None:
        rule, before = self.rules[change.rule], len(self._faults)
        blind_for_me = self.party in (*rule.to, "operator")
        if change.event is Happening.FAULT:
            self._faults[change.alert] = blind_for_me
            if blind_for_me:
                self.all.append((change, missing_from))
        elif change.event is Happening.RECOVERED:
            self._faults.pop(change.alert, None)
            if blind_for_me:
                self.all.append(change)
        elif self.party in self.audience[change.rule]:
            self._of_an_alert(change, rule, evidence)
        self._healthy(change.at, before)

    def _of_an_alert(self, change: Transition, rule: BoundRule, evidence: tuple[Evidence, ...]) -> None:
        notifies = any(step.do == "notify" for step in rule.steps)
        parties: tuple[str, ...] = ()
        if change.event is Happening.STEP:
            step = rule.step(change.step)
            if step.do != "notify":
                return
            parties = change.parties or step.parties or rule.to
        elif not notifies and change.event in (Happening.RAISED, Happening.LAPSED):
            parties = rule.to
        entry: list[Any] = [change.at, change.alert, change.event.value, change.step]
        if change.event is Happening.ACKNOWLEDGED:
            entry += [change.parties, change.reason if self.party in change.parties else ""]
        elif change.event is Happening.RESOLVED:
            entry.append(change.reason)
        elif parties or change.event is Happening.LAPSED:
            entry += [parties, *evidence_for(self.party, rule, evidence)]
        if change.alert in self.alerts:
            self.all.append(entry)
            return
        self._untold.setdefault(change.alert, []).append(entry)
        if self.party in parties:
            self.alerts.add(change.alert)
            self.all += self._untold.pop(change.alert)

    def _fault(self, fault: Any, at: int) -> None:
        before = len(self._faults)
        if fault.source not in self._faults:
            mine = self.party == "operator" or (self.party == "property" and fault.to_property)
            self._faults[fault.source] = mine
            if mine:
                self.all.append((fault, at))
        self._healthy(at, before)

    def _recovered(self, source: str, at: int) -> None:
        before = len(self._faults)
        if self._faults.pop(source, False):
            self.all.append((source, at))
        self._healthy(at, before)

    def _mode(self, mode: str, at: int, over: tuple[Any, ...]) -> None:
        sees = self.party in ("care", "resident")
        if sees or (mode == "service") != (self._was == "service"):
            self.all.append((mode if sees else mode == "service", at))
        self._was = mode
        for one in over:
            if self.party == "care" or (self.party == "property" and one.mode == "service"):
                self.all.append(one)
                self._news.add(f"mode-{one.at}")

    def _answered(self, at: int) -> None:
        """Told with the alerts that it answered."""
        self.all.append(("ok", at))

    def _acknowledge(self, party: str, alert: str, by: str, at: int) -> None:
        if party == self.party:
            self.all.append((party, alert, by, at))
        elif alert in self._news:
            self.all.append((party, alert, at))

    def _share(self, share: Any) -> None:
        self._patterns = share.get(self.party, ()) if self.party != "operator" else ()

    def _reading(self, reading: Any, more: Any) -> None:
        if any(fnmatchcase(reading.point, pattern) for pattern in self._patterns):
            self.all.append((reading, more))
