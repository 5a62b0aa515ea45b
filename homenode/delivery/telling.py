"""The words and fields of what a party hears: alerts, faults and status as messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.model import LOOKS_KNOWN_TO
from homenode.contract import alert as alert_contract
from homenode.contract import status as status_contract
from homenode.contract import topics
from homenode.contract.alert import Told
from homenode.contract.times import Zone
from homenode.delivery import evidence as evidence_of
from homenode.delivery.alerts import OpenAlert
from homenode.delivery.faults import Fault, Group
from homenode.delivery.why import why
from homenode.message import Class, Message
from homenode.reading import Instant


class Teller:
    """Makes messages; what is told to whom is decided elsewhere.

    Args:
        home: Its id.
        zone: Its time zone.
        rooms: Device to room.
        versions: Told in ``status``.
        looks: Told there, too, to who may look.
    """

    def __init__(
        self,
        home: str,
        zone: Zone,
        rooms: Mapping[str, str],
        versions: Mapping[str, str],
        looks: Sequence[Mapping[str, Any]],
    ) -> None:
        self._home, self._zone, self._versions = home, zone, dict(versions)
        self.rooms, self.looks = rooms, looks
        self.offset_ms = 0
        """Wall time minus instant."""
        self.update: Mapping[str, Any] | None = None
        """How the update stands that the operator ordered last."""

    def _time(self, at: Instant) -> str:
        return self._zone.text(at + self.offset_ms)

    def alert(
        self, alert: OpenAlert, party: str, told: Told, at: Instant, more: Mapping[str, Any] | None
    ) -> Message:
        """The next message of an alert for a party. Evidence goes with notifications, to the rule's `to`."""
        shown = alert.evidence if told is Told.NOTIFIED and party in alert.to else ()
        data: dict[str, Any] = {
            "alert": alert.id,
            "rule": alert.rule,
            "severity": alert.severity,
            "event": told.value,
            "at": self._time(at),
            "room": alert.room,
            "text": alert.text,
            "evidence": evidence_of.shown(shown, party, self._zone, self.offset_ms, self.rooms),
            "test": alert.told[party] == "test",
            "raised": self._time(alert.raised),
            **(more or {}),
        }
        if alert.version:
            data["version"] = alert.version
        if shown:
            data["thresholds"] = alert.thresholds
            if said := why(shown, party, at, self.rooms, self._time):
                data["why"] = said
        if alert.offers and told is Told.NOTIFIED and party in LOOKS_KNOWN_TO:
            data["offers"] = list(alert.offers)
        if alert.answered is not None:
            data["answered"] = self._time(alert.answered)
        alert.messages[party] = nth = alert.messages.get(party, 0) + 1
        klass = Class.ALARM if alert.severity == "alarm" else Class.ALERT
        return self._message(party, told, alert.id, nth, alert.rule, at, data, klass)

    def faults(
        self,
        group: Group,
        told: Told,
        at: Instant,
        faults: Sequence[Fault],
        more: Mapping[str, Any] | None,
    ) -> Message:
        """The next message of a group of faults, listing `faults`."""
        about = Group(group.id, group.party, group.first, list(faults), None)
        devices = {cause for fault in faults for cause in fault.causes}
        rooms = {self.rooms.get(device, "") for device in devices}
        data: dict[str, Any] = {
            "alert": group.id,
            "rule": about.rule(),
            "severity": "warning",
            "event": told.value,
            "at": self._time(faults[0].at if told is Told.FAULT else at),
            "room": rooms.pop() if len(rooms) == 1 else "",
            "text": about.text(),
            "evidence": [],
            "test": group.told == "test",
            **(more or {}),
            "faults": [self._fault(fault) for fault in faults],
        }
        if because := sorted({point for fault in faults for point in fault.because}):
            data["because"] = because
        if sources := sorted({fault.source for fault in faults if fault.source}):
            data["source"] = ", ".join(sources)
        group.messages += 1
        return self._message(group.party, told, group.id, group.messages, about.rule(), at, data, Class.ALERT)

    def _fault(self, fault: Fault) -> dict[str, Any]:
        entry: dict[str, Any] = {"alert": fault.alert, "at": self._time(fault.at), "text": fault.text}
        if fault.rule:
            return entry | {"rule": fault.rule, "because": fault.because}
        return entry | {"source": fault.source}

    def _message(
        self,
        party: str,
        told: Told,
        alert: str,
        nth: int,
        subject: str,
        at: Instant,
        data: Mapping[str, Any],
        klass: Class,
    ) -> Message:
        key = f"{self._home}:{alert}.{party}.{nth}"  # also among homes: many drop repeats by this alone
        payload = alert_contract.payload(
            home=self._home, message_id=key, told=told, subject=subject, time=data["at"], data=data
        )
        return Message(key, party, topics.alerts(self._home, party), payload, klass, at, alert)

    def status(
        self,
        party: str,
        at: Instant,
        mode: str,
        alerts: Sequence[OpenAlert],
        groups: Sequence[Group],
        *,
        well: bool,
        refused: int = 0,
        figures: Mapping[str, Any] = {},
        configuration: Mapping[str, Any] | None = None,
    ) -> Message:
        """What is open for a party: what it was told of, and nothing else.

        Args:
            well: No fault is open, told to this party or not: where nobody hears, none may be shown as good.
            refused: How many of its commands were.
            figures: Of node and machine (`homenode.health`), for the operator.
            configuration: The signed one that the node runs on.
        """
        entries = [
            _entry(alert.id, alert.rule, alert.severity, alert.told[party], alert.room, alert.text)
            | {"event": "acknowledged" if party in alert.acknowledged else "notified"}
            | {"at": self._time(alert.since[party])}
            | ({"acknowledged_by": alert.acknowledged_by(party)} if alert.acknowledged else {})
            for alert in alerts
        ]
        entries += [
            _entry(group.id, group.rule(), "warning", group.told, "", group.text())
            | {"event": "acknowledged" if group.acknowledged else "fault", "at": self._time(group.since)}
            for group in groups
        ]
        payload = status_contract.payload(
            home=self._home,
            party=party,
            at=self._time(at),
            open_alerts=entries,
            mode=mode,
            health={"state": "good" if well else "fault", **figures},
            versions=self._versions,
            refused=refused,
            looks=self.looks if party in LOOKS_KNOWN_TO else (),
            configuration=configuration if party == "operator" else None,
            update=self.update if party == "operator" else None,
        )
        topic = topics.status(self._home, party)
        return Message("", party, topic, payload, Class.STATUS, at, retain=True)


def _entry(
    alert: str, rule: str, severity: str, told: str, room: str, text: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "alert": alert,
        "rule": rule,
        "severity": severity,
        "room": room,
        "text": text,
        "test": told == "test",
    }
