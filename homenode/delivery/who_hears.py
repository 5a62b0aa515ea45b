"""Who hears what when. A state machine given `now`; the same inputs give the same messages, ids and all.

What falls due between two inputs is told with the instant it was due at, before the later input, so that a
replay of the journal after a crash decides as the node did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from homenode.config.model import LOOKS_KNOWN_TO, PARTIES
from homenode.contract import status as status_contract
from homenode.contract.alert import Told
from homenode.contract.times import Zone
from homenode.delivery import evidence as evidence_of
from homenode.delivery import news as news_of
from homenode.delivery.alerts import ANSWER_DELAYS_MS, NEWS_MS, UNMARKED_MS, OpenAlert, opened, restored
from homenode.delivery.evidence import Evidence
from homenode.delivery.faults import JOIN_MS, Fault, FaultBook, Group, NodeFault, blind_text
from homenode.delivery.outcome import OfferVideo, Outcome, Say, Switch
from homenode.delivery.telling import Teller
from homenode.engine.mode import Over
from homenode.engine.transition import Happening, Transition
from homenode.language.bound import BoundRule, BoundStep
from homenode.message import Message
from homenode.reading import Instant

SERVICE = "service"
"""The mode in which messages are tests."""

_SWITCHING = ("light", "switch", "valve", "siren")


class Delivery:
    """Delivery of one home's alerts and faults.

    Args:
        home: Its id.
        zone: Its time zone.
        rooms: Device to room.
        rules: Uses of rules by name.
        versions: Told in ``status``, such as ``{"homenode": "0.1.0"}``.
        looks: Told there, too: what may be looked at (`homenode.session.decision.terms`).
    """

    def __init__(
        self,
        home: str,
        zone: Zone,
        rooms: Mapping[str, str],
        rules: Mapping[str, BoundRule],
        versions: Mapping[str, str],
        looks: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._teller = Teller(home, zone, rooms, versions, looks)
        self._rules = rules
        self._mode = "home"
        self._alerts: dict[str, OpenAlert] = {}
        self._ended: OpenAlert | None = None
        self._faults = FaultBook()
        self._touched: set[str] = set()
        self._well = True
        self._refused: dict[str, int] = {}
        self._figures: Mapping[str, Any] = {}
        self.configuration: Mapping[str, Any] | None = None

    # --- inputs

    def reload(
        self,
        rooms: Mapping[str, str],
        rules: Mapping[str, BoundRule],
        looks: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """home.yaml changed. Open alerts keep what they were raised with until the engine closes them."""
        self._teller.rooms, self._teller.looks, self._rules = rooms, looks, rules

    def clock(self, offset_ms: int) -> None:
        """Wall time minus instant, from now on."""
        self._teller.offset_ms = offset_ms

    def transition(
        self, change: Transition, evidence: Sequence[Evidence] = (), missing_from: Instant = 0
    ) -> Outcome:
        """Something happened to an alert or a rule.

        Args:
            change: As the engine told it, in its order.
            evidence: The points of the rule as they are now (`BoundRule.points`).
            missing_from: From when on what blinds the rule counts as missing.
        """
        outcome = self.advance(change.at)
        alert = self._alerts.get(change.alert)
        if change.event is Happening.RAISED:
            self._raised(change, evidence, outcome)
        elif change.event is Happening.FAULT:
            self._blind(change, missing_from)
        elif change.event is Happening.RECOVERED:
            self._recovered(change.alert, change.at, outcome)
        elif change.event is Happening.STEP:
            self._step(change, alert or self._just_ended(change.alert), evidence, outcome)
        elif alert is None:
            return self._with_status(outcome, change.at)
        elif change.event is Happening.ACKNOWLEDGED:
            self._acknowledged(alert, change, outcome)
        elif change.event is Happening.LAPSED:
            self._lapsed(alert, change, evidence, outcome)
        elif change.event is Happening.RESOLVED:
            self._resolved(alert, change, outcome)
        return self._with_status(outcome, change.at)

    def fault(self, fault: NodeFault, at: Instant) -> Outcome:
        """The node or a device has a fault; an open one is told again only if its words are others."""
        outcome = self.advance(at)
        before = self._faults.of_source(fault.source)
        if before is None or before.text != fault.text:
            causes = list(fault.causes or (fault.source,))
            record = Fault(f"{fault.source}-{at}", at, dict(fault.text), causes, source=fault.source)
            due = at if fault.at_once else at + JOIN_MS
            if before is None:
                self._faults.raised(record, fault.parties, due)
            else:
                self._faults.reworded(record, due)
            outcome.extend(self.advance(at))
        return self._with_status(outcome, at)

    def recovered(self, source: str, at: Instant) -> Outcome:
        """The fault of that source is over; nothing if there is none."""
        outcome = self.advance(at)
        if (fault := self._faults.of_source(source)) is not None:
            self._recovered(fault.alert, at, outcome)
        return self._with_status(outcome, at)

    def mode(self, mode: str, at: Instant, over: Iterable[Over] = ()) -> Outcome:
        """The mode of the home is now this. What was told as a test and outlives `service` is told again.

        Args:
            over: Modes that lasted their longest and so ended by themselves; that is news.
        """
        outcome = self.advance(at)
        before, self._mode = self._mode, mode
        if before == SERVICE != mode:
            for alert in self._alerts.values():
                self._notify(alert, [p for p, how in alert.told.items() if how == "test"], at, outcome)
            for group in self._faults:
                if group.told == "test":
                    self._tell_group(group, at, outcome)
        for news in (news_of.mode_over(one, at) for one in over):
            if news is not None:
                self._alerts[news.id] = news
                self._notify(news, news.to, at, outcome)
        self._touched.update(status_contract.SEES_MODE)
        return self._with_status(outcome, at)

    def answered(self, at: Instant) -> Outcome:
        """The resident pressed OK: answers what was not yet sent, or holds an alarm back for 5 min, once."""
        outcome = self.advance(at)
        for alert in self._alerts.values():
            if not alert.may_answer:
                continue
            alert.answered = at
            if alert.severity != "alarm":
                outcome.acknowledge.append(alert.id)
        return outcome

    def known(self, alert: str) -> OpenAlert | None:
        """What is remembered of an open alert."""
        return self._alerts.get(alert)

    def may_acknowledge(self, party: str, alert: str) -> bool:
        """Whether a party was sent it and it is open: what was not sent to it does not exist for it."""
        known = self._alerts.get(alert)
        return (known is not None and party in known.told) or self._faults.find(party, alert) is not None

    def acknowledge_fault(self, party: str, alert: str, by: str, at: Instant) -> Outcome | None:
        """A party takes care of a fault or of news; None if it is a rule's, which the engine does."""
        group, known = self._faults.find(party, alert), self._alerts.get(alert)
        if known is not None and known.news:
            outcome = self.advance(at)
            if alert in self._alerts:
                change = Transition(
                    at, known.rule, alert, Happening.ACKNOWLEDGED, parties=(party,), reason=by
                )
                self._acknowledged(known, change, outcome)
                self._resolved(known, replace(change, event=Happening.RESOLVED, reason=""), outcome)
            return self._with_status(outcome, at)
        if group is None or known is not None:
            return None
        outcome = self.advance(at)
        if not group.acknowledged:
            group.acknowledged = by
            self._say_group(group, Told.ACKNOWLEDGED, at, outcome, group.faults, {"by": by})
        return self._with_status(outcome, at)

    def due(self) -> Instant | None:
        """When `advance` has something to tell though nothing happens."""
        if not self._alerts and not self._faults:  # no mutant: for speed, as nearly always nothing is open
            return None
        dues = [due for alert in self._alerts.values() if (due := alert.due()) is not None]
        dues += [group.due for group in self._faults if group.due is not None]
        return min(dues, default=None)

    def advance(self, now: Instant) -> Outcome:
        """Tell what has fallen due."""
        outcome = Outcome()
        while (due := self.due()) is not None and due <= now:
            for alert in list(self._alerts.values()):
                self._alert_due(alert, due, outcome)
            for group in self._faults:
                if group.due is not None and group.due <= due:
                    self._tell_group(group, due, outcome)
            outcome = self._with_status(outcome, due)
        return outcome

    def statuses(self, at: Instant) -> list[Message]:
        """The status of every party, for a start and a link that is up again."""
        return [self._status(party, at) for party in PARTIES]

    def refused(self, party: str, count: int, at: Instant) -> Message:
        """So many commands of the party were refused since the start; its status says so."""
        self._refused[party] = count
        return self._status(party, at)

    def figures(self, figures: Mapping[str, Any], at: Instant) -> Message:
        """How node and machine are, from now on in the operator's status."""
        self._figures = figures
        return self._status("operator", at)

    def configured(self, configuration: Mapping[str, Any] | None, at: Instant) -> Message:
        """The node runs on this signed configuration; the operator's status says so."""
        self.configuration = configuration
        return self._status("operator", at)

    def updated(self, update: Mapping[str, Any], at: Instant) -> Message:
        """The update that the operator ordered stands so; its status says it."""
        self._teller.update = update
        return self._status("operator", at)

    # --- alerts

    def _raised(self, change: Transition, evidence: Sequence[Evidence], outcome: Outcome) -> None:
        rule = self._rules[change.rule]
        alert = self._alerts[change.alert] = opened(rule, change.alert, change.at, self._teller.rooms)
        if not _has_notify(rule):
            self._called(alert, change, alert.to, evidence, outcome)

    def _step(
        self,
        change: Transition,
        alert: OpenAlert | None,
        evidence: Sequence[Evidence],
        outcome: Outcome,
    ) -> None:
        rule = self._rules.get(change.rule)
        step = next((s for s in rule.steps if s.number == change.step), None) if rule else None
        if step is None or alert is None:
            return
        if step.do == "notify":
            parties = change.parties or step.parties or tuple(alert.to)
            if step.after_ms is None:
                self._tell_at_resolve(alert, change, parties, outcome)
            else:
                self._called(alert, change, parties, evidence, outcome)
        elif step.do != "mode" and not self._in_use(step):  # the mode the engine has set
            outcome.actions.append(_action(step, change))
            if step.point:
                alert.wants[step.point] = step.turn
            if step.camera and step.after_ms is not None:
                self._offer(alert, step.camera, change.at, outcome)

    def _offer(self, alert: OpenAlert, camera: str, at: Instant, outcome: Outcome) -> None:
        """The next message offers a look; who was told before it was offered is told once more."""
        if camera not in alert.offers:
            alert.offers.append(camera)
            self._notify(alert, [party for party in LOOKS_KNOWN_TO if party in alert.told], at, outcome)

    def _in_use(self, step: BoundStep) -> bool:
        """Whether a step at a resolve would undo what another open alert wants: its lamp stays lit."""
        wanted = (alert.wants.get(step.point) for alert in self._alerts.values())
        return step.after_ms is None and (not step.turn) in wanted

    def _called(
        self,
        alert: OpenAlert,
        change: Transition,
        parties: Iterable[str],
        evidence: Sequence[Evidence],
        outcome: Outcome,
    ) -> None:
        """A notify step runs."""
        alert.evidence = evidence_of.stored(evidence)
        if alert.answered is not None and alert.severity == "alarm" and not alert.told:
            alert.held.append((change.at + ANSWER_DELAYS_MS, list(parties)))
        else:
            self._notify(alert, parties, change.at, outcome)

    def _notify(self, alert: OpenAlert, parties: Iterable[str], at: Instant, outcome: Outcome) -> None:
        hazard = alert.hazard and at >= alert.raised + UNMARKED_MS
        for party in _heard_by(parties):
            if party in alert.acknowledged and alert.told.get(party) != "test":
                continue
            test = self._mode == SERVICE and not hazard and alert.told.get(party) != "real"
            alert.told[party] = "test" if test else "real"
            alert.since.setdefault(party, at)
            self._say(alert, party, Told.NOTIFIED, at, outcome)

    def _alert_due(self, alert: OpenAlert, due: Instant, outcome: Outcome) -> None:
        for held in [held for held in alert.held if held[0] <= due]:
            alert.held.remove(held)
            self._notify(alert, held[1], due, outcome)
        if alert.hazard and due >= alert.raised + UNMARKED_MS:
            self._notify(alert, [p for p, how in alert.told.items() if how == "test"], due, outcome)
        if alert.news and due >= alert.raised + NEWS_MS:
            self._resolved(alert, Transition(due, alert.rule, alert.id, Happening.RESOLVED), outcome)

    def _acknowledged(self, alert: OpenAlert, change: Transition, outcome: Outcome) -> None:
        for party in change.parties or alert.told or alert.to:
            alert.acknowledged.setdefault(party, change.reason or party)
        alert.held = [
            (due, left)
            for due, parties in alert.held
            if (left := [party for party in parties if party not in alert.acknowledged])
        ]
        for party in alert.told:
            by = ", ".join(alert.acknowledged_by(party))
            self._say(alert, party, Told.ACKNOWLEDGED, change.at, outcome, {"by": by})

    def _lapsed(
        self, alert: OpenAlert, change: Transition, evidence: Sequence[Evidence], outcome: Outcome
    ) -> None:
        for party in change.parties or PARTIES:
            alert.acknowledged.pop(party, None)
        self._touched.update(alert.told)
        rule = self._rules.get(change.rule)
        if rule is not None and not _has_notify(rule):
            self._called(alert, change, change.parties or alert.to, evidence, outcome)

    def _resolved(self, alert: OpenAlert, change: Transition, outcome: Outcome) -> None:
        del self._alerts[alert.id]
        self._ended = alert
        more = {"reason": change.reason} if change.reason else {}
        for party in alert.told:
            self._say(alert, party, Told.RESOLVED, change.at, outcome, more)

    def _just_ended(self, alert: str) -> OpenAlert | None:
        """An alert whose ``at: resolve`` steps follow its resolution."""
        return self._ended if self._ended is not None and self._ended.id == alert else None

    def _tell_at_resolve(
        self, alert: OpenAlert, change: Transition, parties: Iterable[str], outcome: Outcome
    ) -> None:
        """Who was told has heard of the end already."""
        for party in _heard_by(parties):
            if party not in alert.told:
                alert.told[party] = "test" if self._mode == SERVICE else "real"
                self._say(alert, party, Told.RESOLVED, change.at, outcome)

    def _say(
        self,
        alert: OpenAlert,
        party: str,
        told: Told,
        at: Instant,
        outcome: Outcome,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self._touched.add(party)
        outcome.messages.append(self._teller.alert(alert, party, told, at, more))

    # --- faults

    def _blind(self, change: Transition, missing_from: Instant) -> None:
        rule = self._rules[change.rule]
        devices = sorted({point.rpartition(".")[0] or point for point in change.because})
        text = blind_text(change.rule, change.because)
        fault = Fault(change.alert, change.at, text, devices, rule=change.rule, because=list(change.because))
        parties = [party for party in PARTIES if party in (*rule.to, "operator")]
        self._faults.raised(fault, parties, max(change.at + JOIN_MS, missing_from))

    def _recovered(self, alert: str, at: Instant, outcome: Outcome) -> None:
        for group, last in self._faults.recovered(alert, at):
            self._say_group(group, Told.RECOVERED, at, outcome, [last])

    def _tell_group(self, group: Group, at: Instant, outcome: Outcome) -> None:
        group.due = None
        group.told = "test" if self._mode == SERVICE and group.told != "real" else "real"
        group.since = group.since or at
        group.list_all()
        self._say_group(group, Told.FAULT, at, outcome, group.faults)

    def _say_group(
        self,
        group: Group,
        told: Told,
        at: Instant,
        outcome: Outcome,
        faults: Sequence[Fault],
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self._touched.add(group.party)
        outcome.messages.append(self._teller.faults(group, told, at, faults, more))

    # --- status

    def _with_status(self, outcome: Outcome, at: Instant) -> Outcome:
        """Add the status of each party whose picture changed: all, at the first fault and after the last."""
        if self._well == bool(self._faults):
            self._well = not self._faults
            self._touched.update(PARTIES)
        outcome.messages += [self._status(party, at) for party in PARTIES if party in self._touched]
        self._touched.clear()
        return outcome

    def _status(self, party: str, at: Instant) -> Message:
        alerts = [alert for alert in self._alerts.values() if party in alert.told]
        groups = [group for group in self._faults if group.party == party and group.told]
        refused = self._refused.get(party, 0)
        figures = self._figures if party == "operator" else {}
        return self._teller.status(
            party,
            at,
            self._mode,
            alerts,
            groups,
            well=not self._faults,
            refused=refused,
            figures=figures,
            configuration=self.configuration,
        )

    # --- through a restart

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON types."""
        return {
            "offset_ms": self._teller.offset_ms,
            "mode": self._mode,
            "alerts": [alert.dump() for alert in self._alerts.values()],
            "faults": self._faults.dump(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """What `dump` gave."""
        self._teller.offset_ms, self._mode = int(state["offset_ms"]), str(state["mode"])
        alerts = [restored(alert) for alert in state["alerts"]]
        self._alerts = {alert.id: alert for alert in alerts}
        self._faults.load(state["faults"])
        self._well = not self._faults


def _has_notify(rule: BoundRule) -> bool:
    return any(step.do == "notify" for step in rule.steps)


def _heard_by(parties: Iterable[str]) -> list[str]:
    """The operator gets no alert but faults (design section 1)."""
    named = set(parties)
    return [party for party in PARTIES if party in named and party != "operator"]


def _action(step: BoundStep, change: Transition) -> Say | Switch | OfferVideo:
    if step.do == "say":
        return Say(step.text, change.alert, change.step, change.run, change.rule)
    if step.do in _SWITCHING:
        return Switch(step.point, step.turn, change.alert, change.step, change.run)
    return OfferVideo(step.camera, change.alert, change.step, change.run)
