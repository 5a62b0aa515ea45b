"""One home as its receiver knows it, for tests: messages that come, all that waits taken, and the time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from homenode.gateway.clock import Clock
from homenode.listen.event import Event, parse_alert
from homenode.listen.plan import Plan, Stage
from homenode.listen.told import Kind
from homenode.listen.watch import Watch

NOW = 1_767_651_193_000
PLAN = Plan("care", ("desk",))
MIN = 60_000


def message(
    number: int, told: str = "notified", *, epoch: str = "e", alert: str = "stove:1", **data: Any
) -> Event:
    body = {
        "specversion": "1.0",
        "type": f"hn1.alert.{told}",
        "source": "hn1/a",
        "id": f"{epoch}.{number}",
        "data": {"alert": alert, "severity": "alarm", "event": told, "test": False} | data,
        "sequence": str(number),
        "epoch": epoch,
    }
    event = parse_alert("a", json.dumps(body).encode())
    assert isinstance(event, Event)
    return event


def handed(watch: Watch, now: int = NOW) -> list[tuple[Kind, str]]:
    """Take all that waits, as (why, target)."""
    found = []
    while heads := watch.waiting():
        for target, task in heads.items():
            found.append((task.kind, target))
            assert watch.taken(task.number, target, now)
    return found


def again(watch: Watch) -> Watch:
    """As after a restart."""
    return Watch.restore(watch.home, watch.plan, json.loads(json.dumps(watch.dump())))


ESCALATING = Plan(
    "care",
    ("desk",),
    (Stage(5 * MIN, ("nurse",)), Stage(15 * MIN, ("duty", "desk"), ("alarm",))),
    {"nurse": "the nurse"},
)


def called(watch: Watch, now: int) -> list[tuple[Kind, str]]:
    watch.due(now)
    return handed(watch, now)


class Wall(Clock):
    """Stands where it is put."""

    def __init__(self) -> None:
        super().__init__()
        self.ms = NOW

    def now(self) -> int:
        return self.ms


async def until_done() -> None:
    """What was begun beside the scene has ended."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
