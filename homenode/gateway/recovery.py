"""A start: what the journal says is decided again, so that nothing is lost and nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from homenode import records
from homenode.config.model import Home
from homenode.contract.reply import Answered
from homenode.contract.times import Zone
from homenode.delivery import Action, Delivery, NodeFault
from homenode.driver import DriverType
from homenode.engine.engine import Engine
from homenode.engine.wall import WallClock
from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.home import OFTEN, silence_limits
from homenode.journal.journal import Journal
from homenode.judge import Decided, Judge
from homenode.language.bound import BoundRule
from homenode.message import decode
from homenode.outbox import Numbered, Outbox
from homenode.reading import Instant
from homenode.records import Record
from homenode.release import versions
from homenode.session.decision import terms
from homenode.session.log import Log
from homenode.shown import Shown


@dataclass(slots=True)
class Recovered:
    """What a start finds.

    Attributes:
        judge: Ready to go on.
        outbox: With what the broker has not acknowledged.
        answered: Commands that were done, with their answers.
        shown: What the broker keeps of readings, and what was shared.
        looks: The log of looks, and what of them may be lit still.
        decided: What was decided again and stands in no record: to be written, sent and done now.
        undone: Local actions that were decided but perhaps not done, of alerts that are still open.
        down: Last durable sign of life; None at the first start ever.
        down_wall_ms: The wall clock then.
        boot: The boot of the machine in which that was (`Clock.boot`).
        first: Number of the first record that was read.
        heartbeat_s: As the operator set it, 0 if not.
        faults: What of the journal could not be read.
    """

    judge: Judge
    outbox: Outbox
    answered: Answered = field(default_factory=Answered)
    shown: Shown = field(default_factory=Shown)
    looks: Log = field(default_factory=Log)
    decided: Decided = field(default_factory=Decided)
    undone: list[Action] = field(default_factory=list)
    down: Instant | None = None
    down_wall_ms: int = 0
    boot: Sequence[str | int] = ()
    first: int = 1
    heartbeat_s: float = 0.0
    faults: list[NodeFault] = field(default_factory=list)


_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What records of another homenode's shape run into."""


def limits_of(
    home: Home, rules: Sequence[BoundRule], types: Mapping[str, DriverType], rows_ms: Mapping[str, int]
) -> dict[str, int]:
    """How long each device, and each point that a device on the mains reports often, may be silent."""
    often = [f"{device}.{kind}" for device in home.devices for kind in OFTEN]
    read = [point for rule in rules for point in rule.points]
    return silence_limits(home.devices.values(), [*often, *read], types, rows_ms)


def recover(
    journal: Journal,
    home: Home,
    rules: Sequence[BoundRule],
    types: Mapping[str, DriverType],
    clock: Clock,
) -> Recovered:
    """Go on where the journal ends: from its newest state that can be read, or else from its first record.

    What can't be read (a newer homenode wrote it) is a fault and stops nothing.
    """
    faults: list[NodeFault] = []
    for since, state in _states(journal):
        try:
            found = _from(since, state, journal, home, rules, types, clock)
        except (Refused, *_UNREADABLE) as error:
            if not faults:
                faults.append(_unreadable("journal state", since, error))
            continue
        found.faults = faults + found.faults
        return found
    raise AssertionError("a start without a state reads what it can")


def _states(journal: Journal) -> Iterator[tuple[int, Record | None]]:
    """Where a start may begin to read, the best first."""
    newest = journal.newest_state
    if newest:
        if (state := _state_at(journal, newest)) is not None:
            yield newest, state
        older = [n for n, record in journal.read() if record.get("t") == "state" and n < newest]
        for since in reversed(older):
            if (state := _state_at(journal, since)) is not None:
                yield since, state
    yield 0, None


def _state_at(journal: Journal, number: int) -> Record | None:
    """The state of that number, if it is there with all its parts."""
    told = journal.read(number)
    at, state = next(told, (0, {}))
    parts = state.get("parts", 0)
    if at != number or state.get("t") != "state" or not isinstance(parts, int):
        return None
    return state if all(record.get("t") == "part" for _, record in islice(told, parts)) else None


def _from(
    since: int,
    state: Record | None,
    journal: Journal,
    home: Home,
    rules: Sequence[BoundRule],
    types: Mapping[str, DriverType],
    clock: Clock,
) -> Recovered:
    zone = Zone(home.timezone)
    rows_ms = state["judge"]["rows_ms"] if state is not None else {}
    limits = limits_of(home, rules, types, rows_ms)
    engine = _engine(state, home, rules, limits, clock, _first_at(journal) if state is None else None)
    rooms = {name: device.room for name, device in home.devices.items()}
    uses, looks = {rule.name: rule for rule in rules}, terms(home.cameras, home.video)
    delivery = Delivery(home.home, zone, rooms, uses, versions(), looks)
    judge = Judge(home, rules, engine, delivery, zone)
    outbox = Outbox(journal.epoch, before=journal.epoch_before)
    found = Recovered(judge, outbox, first=since or 1)
    if state is not None:
        judge.load(state["judge"])
        outbox.load(state["outbox"])
        if "shown" in state:
            found.shown.load(state["shown"])
        if "looks" in state:
            found.looks.load(state["looks"])
        found.down, found.down_wall_ms = state["at"], state["wall"]
        found.boot = state.get("boot", ())
        found.heartbeat_s = state.get("heartbeat_s", 0.0)
    undone = [records.to_action(told) for told in state["undone"]] if state is not None else []
    _again(found, journal.read(since), Decided(actions=undone))
    if home.broker is None:
        outbox.forget_alerts()
    return found


def _first_at(journal: Journal) -> Instant | None:
    """The instant of the first record that has one: the first start, as far as anybody knows."""
    return next((at for _, record in journal.read() if type(at := record.get("at")) is int), None)


def _engine(
    state: Record | None,
    home: Home,
    rules: Sequence[BoundRule],
    limits: Mapping[str, int],
    clock: Clock,
    start: Instant | None,
) -> Engine:
    if state is not None:
        wall = WallClock(home.timezone)
        return Engine.load(state["judge"]["engine"], rules, limits, modes=home.modes, wall=wall)
    wall = WallClock(home.timezone, clock.wall_offset_ms(), clock.trusted())
    start = clock.now() if start is None else start
    return Engine(rules, limits, start=start, modes=home.modes, wall=wall)


@dataclass(slots=True)
class _Done:
    """What the records say was written, sent and done already."""

    transitions: set[tuple[object, ...]] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    actions: set[tuple[str, int, int]] = field(default_factory=set)
    numbers: list[Numbered] = field(default_factory=list)
    got: list[str] = field(default_factory=list)


def _again(found: Recovered, told: Iterable[tuple[int, Record]], before: Decided) -> None:
    judge, outbox, done = found.judge, found.outbox, _Done()
    results = [before]
    for number, record in told:
        try:
            if not _outcome(record, found, done):
                results.append(judge.again(record))
            if (at := record.get("at")) is not None:
                found.down = max(found.down or 0, at)
        except _UNREADABLE as error:
            if not found.faults:
                found.faults.append(_unreadable("journal record", number, error))
        found.down_wall_ms = (found.down or 0) + judge.offset_ms
    if found.down is not None:
        results.append(judge.advance(max(found.down, judge.engine.now)))
    for place in done.numbers:
        outbox.restore_number(place)
    outbox.restore_acknowledged(done.got)
    for result in results:
        _keep_new(found, result, done)


def _outcome(record: Record, found: Recovered, done: _Done) -> bool:
    """Take note of what is no input; False if it is one."""
    outbox = found.outbox
    match record["t"]:
        case "tr":
            done.transitions.add(records.transition_key(record))
        case "msg":
            message = decode(record["m"])
            done.messages.add(message.id)
            outbox.add(message)
        case "watch":
            what = "this is the folder of a receiver (homenode listen), and a node keeps another one"
            raise SetupError(what, do="name a folder of its own with --data")
        case "part":
            outbox.restore_waiting(record.get("alerts", ()))
            found.answered.restore(record.get("answers", ()))
        case "seq":
            done.numbers.append(Numbered(record["id"], record["party"], record["n"], record.get("e", "")))
        case "got":
            done.got += record["ids"]
        case "shown":
            found.shown.add(record["topic"], record["key"])
        case "gone":
            found.shown.gone(record["topic"], record["key"])
        case "share":
            found.shown.shared_from(record["share"], record["last"])
        case "ans":
            found.answered.restore(record["answers"])
        case "did":
            done.actions.add((record["alert"], record["step"], record["run"]))
        case "look":
            found.looks.take(record["entry"], record["lit"])
        case "dark":
            found.looks.dark(record["session"])
        case "heartbeat":
            found.heartbeat_s = record["s"]
        case "state" | "configured":
            pass
        case _:
            return False
    return True


def _unreadable(source: str, number: int, error: Exception) -> NodeFault:
    why = str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
    where = f"record {number}"
    return NodeFault(
        source,
        {
            "sv": f"{where} i journalen kan inte läsas och togs inte med: {why}",
            "en": f"{where} of the journal can't be read and was passed over: {why}",
        },
        ("storage",),
        at_once=True,
    )


def _keep_new(
    found: Recovered,
    result: Decided,
    done: _Done,
) -> None:
    """Of what was decided again, what the journal doesn't have yet."""
    decided = found.decided
    for record in result.records:
        new_transition = record["t"] == "tr" and records.transition_key(record) not in done.transitions
        new_message = record["t"] == "msg" and decode(record["m"]).id not in done.messages
        if new_transition or new_message:
            decided.records.append(record)
    decided.messages += [m for m in result.messages if m.id and m.id not in done.messages]
    still_open = {alert.alert for alert in found.judge.engine.open_alerts() if not alert.fault}
    found.undone += [
        action
        for action in result.actions
        if (action.alert, action.step, action.run) not in done.actions and action.alert in still_open
    ]
    for change in result.transitions:
        if records.transition_key(records.of_transition(change)) not in done.transitions:
            decided.transitions.append(change)
