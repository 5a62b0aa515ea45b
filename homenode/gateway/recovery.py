"""A start: what the journal says is decided again, so that nothing is lost and nothing is done twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from homenode import __version__, records
from homenode.config.model import Home
from homenode.contract.times import Zone
from homenode.delivery import Delivery
from homenode.driver import DriverType
from homenode.engine.engine import Engine
from homenode.engine.wall import WallClock
from homenode.errors import Refused
from homenode.gateway.clock import Clock
from homenode.home import OFTEN, silence_limits
from homenode.journal.journal import Journal
from homenode.judge import Action, Decided, Judge
from homenode.language.bound import BoundRule
from homenode.message import decode
from homenode.outbox import Numbered, Outbox
from homenode.reading import Instant
from homenode.records import Record


@dataclass(slots=True)
class Recovered:
    """What a start finds.

    Attributes:
        judge: Ready to go on.
        outbox: With what the broker has not acknowledged.
        decided: What was decided again and stands in no record: to be written, sent and done now.
        undone: Local actions that were decided but perhaps not done, of alerts that are still open.
        down: Last durable sign of life; None at the first start ever.
        down_wall_ms: The wall clock then.
        first: Number of the first record that was read.
    """

    judge: Judge
    outbox: Outbox
    decided: Decided = field(default_factory=Decided)
    undone: list[Action] = field(default_factory=list)
    down: Instant | None = None
    down_wall_ms: int = 0
    first: int = 1


def limits_of(
    home: Home, rules: Sequence[BoundRule], types: Mapping[str, DriverType], rows_ms: Mapping[str, int]
) -> dict[str, int]:
    """How long each device, and each point that a device on the mains reports often, may be silent."""
    often = [f"{device}.{kind}" for device in home.devices for kind in OFTEN]
    read = [point for rule in rules for point in rule.points]
    wired = {
        name for name in {d.driver for d in home.devices.values()} if name in types and types[name].wired
    }
    return silence_limits(home.devices.values(), [*often, *read], wired=wired, rows_ms=rows_ms)


def recover(
    journal: Journal,
    home: Home,
    rules: Sequence[BoundRule],
    types: Mapping[str, DriverType],
    clock: Clock,
) -> Recovered:
    """Go on where the journal ends.

    Raises:
        Refused: A newer homenode wrote it.
    """
    since = journal.newest_state
    told = journal.read(since) if since else journal.read()
    state: Record | None = None
    if since:
        number, first = next(told, (0, {}))
        state = first if number == since and first.get("t") == "state" else None
        if state is None:  # the newest state is damaged: begin with all there is
            told = journal.read()
    zone = Zone(home.timezone)
    rows_ms = state["judge"]["rows_ms"] if state is not None else {}
    engine = _engine(state, home, rules, limits_of(home, rules, types, rows_ms), clock)
    rooms = {name: device.room for name, device in home.devices.items()}
    delivery = Delivery(
        home.home, zone, rooms, {rule.name: rule for rule in rules}, {"homenode": __version__}
    )
    judge = Judge(home, rules, engine, delivery, zone)
    outbox = Outbox(journal.epoch)
    found = Recovered(judge, outbox, first=since or 1)
    if state is not None:
        judge.load(state["judge"])
        outbox.load(state["outbox"])
        found.down, found.down_wall_ms = state["at"], state["wall"]
    _again(found, told)
    return found


def _engine(
    state: Record | None, home: Home, rules: Sequence[BoundRule], limits: Mapping[str, int], clock: Clock
) -> Engine:
    if state is not None:
        wall = WallClock(home.timezone)
        try:
            return Engine.load(state["judge"]["engine"], rules, limits, modes=home.modes, wall=wall)
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(
                f"the engine's state in the journal can't be read: {error!r}",
                do="run the version of homenode that wrote it",
            ) from error
    wall = WallClock(home.timezone, clock.wall_offset_ms(), clock.trusted())
    return Engine(rules, limits, start=clock.now(), modes=home.modes, wall=wall)


def _again(found: Recovered, told: object) -> None:
    judge, outbox = found.judge, found.outbox
    known: set[tuple[object, ...]] = set()
    messages: set[str] = set()
    done: set[tuple[str, int, int]] = set()
    numbers: list[Numbered] = []
    got: list[str] = []
    results: list[Decided] = []
    offset_ms = judge.offset_ms
    for _, record in told:  # type: ignore[attr-defined]  # an iterator of (number, record)
        match record["t"]:
            case "tr":
                known.add(records.transition_key(record))
            case "msg":
                message = decode(record["m"])
                messages.add(message.id)
                outbox.add(message)
            case "seq":
                numbers.append(Numbered(record["id"], record["party"], record["n"]))
            case "got":
                got += record["ids"]
            case "did":
                done.add((record["alert"], record["step"], record["run"]))
            case "state":
                continue
            case _:
                results.append(judge.again(record))
        offset_ms = judge.offset_ms
        found.down = max(found.down or 0, record.get("at", 0))
        found.down_wall_ms = found.down + offset_ms
    if found.down is not None:
        results.append(judge.advance(max(found.down, judge.engine.now)))
    for number in numbers:
        outbox.restore_number(number)
    outbox.restore_acknowledged(got)
    for result in results:
        _keep_new(found, result, known, messages, done)


def _keep_new(
    found: Recovered,
    result: Decided,
    known: set[tuple[object, ...]],
    messages: set[str],
    done: set[tuple[str, int, int]],
) -> None:
    """Of what was decided again, what the journal doesn't have yet."""
    decided = found.decided
    for record in result.records:
        new_transition = record["t"] == "tr" and records.transition_key(record) not in known
        new_message = record["t"] == "msg" and decode(record["m"]).id not in messages
        if new_transition or new_message:
            decided.records.append(record)
    decided.messages += [m for m in result.messages if m.id and m.id not in messages]
    still_open = {alert.alert for alert in found.judge.engine.open_alerts() if not alert.fault}
    found.undone += [
        action
        for action in result.actions
        if (action.alert, action.step, action.run) not in done and action.alert in still_open
    ]
    for change in result.transitions:
        if records.transition_key(records.of_transition(change)) not in known:
            decided.transitions.append(change)
