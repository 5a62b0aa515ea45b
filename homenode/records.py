"""The words of the journal: what each record says, written and read in one place (pure).

Inputs, from which everything can be decided again: ``r`` reading, ``a`` sign of life, ``mode``, ``ack``,
``ok`` (the resident's answer), ``clock``, ``stale`` (how long a device may be silent), ``fault`` and
``well``, ``down`` and ``up``, ``beat``. Outcomes, so that nothing is done twice: ``tr`` transition, ``msg``
message, ``seq`` its place, ``got`` the broker has it, ``did`` a local action, ``ans`` what a command was
answered, ``shown`` and ``gone`` a topic under which the broker keeps readings, ``share`` what is shared
from then on, ``heartbeat`` how often the operator wants one, ``look`` an entry of the log of looks with the
lights that were lit, ``dark`` that they are off. ``state`` and the ``part``s behind it (alerts
that wait, answers) carry all of it over, so that a start reads only what came after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from homenode.contract.command import Command
from homenode.delivery import Action, NodeFault, OfferVideo, Say, Switch
from homenode.engine.events import Acknowledge, ClockSet, Event, Heard, ModeSet, NodeDown, NodeUp, StaleAfter
from homenode.engine.transition import Transition
from homenode.kinds import kind_of, why_not
from homenode.message import Message
from homenode.outbox import Numbered
from homenode.reading import How, Instant, Reading

Record = dict[str, Any]


def of_reading(reading: Reading) -> Record:
    """A reading; ``h`` only if it isn't live."""
    record: Record = {"t": "r", "p": reading.point, "v": reading.value, "at": reading.at}
    if reading.how is not How.LIVE:
        record["h"] = reading.how.value
    return record


def to_reading(record: Mapping[str, Any]) -> Reading:
    """What `of_reading` wrote.

    Raises:
        ValueError, KeyError, TypeError: No homenode of this version wrote it.
    """
    point, value, at = record["p"], record["v"], record["at"]
    kind = kind_of(point) if isinstance(point, str) else None
    if kind is None or why_not(kind, value) or type(at) is not int:
        raise ValueError(f"{point} can't be {value!r} at {at!r}")
    return Reading(point, value, at, How(record.get("h", "live")))


def of_event(event: Event) -> Record:
    """What the engine was told."""
    match event:
        case Reading():
            return of_reading(event)
        case Heard(device, at):
            return {"t": "a", "d": device, "at": at}
        case ModeSet(mode, at, longest_ms):
            return {"t": "mode", "mode": mode, "at": at, "longest_ms": longest_ms}
        case Acknowledge(target, at, parties, by):
            return {"t": "ack", "alert": target, "at": at, "parties": list(parties), "by": by}
        case NodeDown(at):
            return {"t": "down", "at": at}
        case NodeUp(at, measured):
            return {"t": "up", "at": at, "measured": measured}
        case ClockSet(at, offset_ms, trusted, slept_ms):
            return {"t": "clock", "at": at, "offset_ms": offset_ms, "trusted": trusted, "slept_ms": slept_ms}
        case StaleAfter(device, at, stale_after_ms):
            return {"t": "stale", "d": device, "at": at, "ms": stale_after_ms}


def to_event(record: Mapping[str, Any]) -> Event | None:
    """What `of_event` wrote; None for records that are not for the engine."""
    at = record.get("at", 0)
    match record["t"]:
        case "r":
            reading = to_reading(record)
            return reading if reading.how is not How.HISTORICAL else None
        case "a":
            return Heard(record["d"], at)
        case "mode":
            return ModeSet(record["mode"], at, record["longest_ms"])
        case "ack":
            return Acknowledge(record["alert"], at, tuple(record["parties"]), record["by"])
        case "down":
            return NodeDown(at)
        case "up":
            return NodeUp(at, record["measured"])
        case "clock":
            return ClockSet(at, record["offset_ms"], record["trusted"], record["slept_ms"])
        case "stale":
            return StaleAfter(record["d"], at, record["ms"])
        case _:
            return None


def of_fault(fault: NodeFault, at: Instant) -> Record:
    """A fault of the node or a device."""
    return {"t": "fault", "at": at, **asdict(fault), "causes": list(fault.causes)}


def to_fault(record: Mapping[str, Any]) -> NodeFault:
    """What `of_fault` wrote."""
    return NodeFault(
        record["source"], record["text"], tuple(record["causes"]), record["to_property"], record["at_once"]
    )


def of_transition(change: Transition) -> Record:
    """What the engine told; fields that say nothing are left out."""
    record: Record = {"t": "tr", "at": change.at, "rule": change.rule, "alert": change.alert}
    record["event"] = change.event.value
    if change.step:
        record |= {"step": change.step, "do": change.do, "run": change.run}
    if change.parties:
        record["parties"] = list(change.parties)
    if change.because:
        record["because"] = list(change.because)
    if change.reason:
        record["reason"] = change.reason
    return record


def transition_key(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes a transition the same one when it is decided again."""
    return record["alert"], record["event"], record["at"], record.get("step", 0), record.get("run", 0)


def of_message(message: Message) -> Record:
    """An alert on its way."""
    return {"t": "msg", "at": message.at, "m": message.encode()}


def of_number(number: Numbered, at: Instant) -> Record:
    """The place that an alert got."""
    place = {"party": number.party, "n": number.sequence, "e": number.epoch}
    return {"t": "seq", "at": at, "id": number.id, **place}


def of_share(share: Mapping[str, Sequence[str]], last: int, at: Instant) -> Record:
    """This is shared from now on, the journal's last record being `last`."""
    return {
        "t": "share",
        "at": at,
        "share": {party: list(some) for party, some in share.items()},
        "last": last,
    }


def of_heartbeat(heartbeat_s: float, at: Instant) -> Record:
    """The operator set how often the node says that it lives."""
    return {"t": "heartbeat", "at": at, "s": heartbeat_s}


def of_configured(
    number: int, signed: Sequence[str], made_by: str, by: str, places: Sequence[str], at: Instant
) -> Record:
    """A signed configuration took the place of the one before.

    Args:
        signed: The parties.
        made_by, by: Who made it, and who sent it.
        places: What it changed.
    """
    who = {"signed": list(signed), "made_by": made_by, "by": by}
    return {"t": "configured", "at": at, "number": number, **who, "places": list(places)}


def of_taken_back(configured: Mapping[str, Any], why: str, at: Instant) -> Record:
    """A signed configuration gave way to the one before it again.

    Args:
        configured: As `of_configured`.
    """
    return {**configured, "at": at, "taken_back": why}


def of_answer(command: Command, answer: bytes, at: Instant) -> Record:
    """A command was done, and this is its answer."""
    row = (command.party, command.id, command.expires_ms, answer.decode())
    return {"t": "ans", "at": at, "answers": [row]}


def of_done(alert: str, step: int, run: int, at: Instant) -> Record:
    """A local action was done."""
    return {"t": "did", "at": at, "alert": alert, "step": step, "run": run}


def of_action(action: Action) -> Record:
    """A local action that was decided and not yet done, for a state."""
    return {"do": type(action).__name__, **asdict(action)}


def to_action(record: Mapping[str, Any]) -> Action:
    """What `of_action` wrote.

    Raises:
        KeyError, TypeError: No homenode of this version wrote it.
    """
    made = {kind.__name__: kind for kind in (Say, Switch, OfferVideo)}[record["do"]]
    return made(**{name: value for name, value in record.items() if name != "do"})


def of_got(ids: Sequence[str], at: Instant) -> Record:
    """The broker has these messages."""
    return {"t": "got", "at": at, "ids": list(ids)}


def of_look(entry: Mapping[str, Any], lit: Sequence[str], at: Instant) -> Record:
    """An entry of the log of looks, and which lights are on from now until `of_dark`."""
    return {"t": "look", "at": at, "entry": dict(entry), "lit": list(lit)}


def of_dark(session: str, at: Instant) -> Record:
    """Nothing of a session is left."""
    return {"t": "dark", "at": at, "session": session}
