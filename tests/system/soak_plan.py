"""What happens in a soak test and when, from one seed: people who live there, and everything that fails."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

BACK_MS = 10_000
"""The node is back within 10 s of a stick or a daemon that can be used again."""
WEDGE_NOTICED_S = 13.0
"""A stick that owes two answers is wedged (drivers/zigbee/radio.py); then it has BACK_MS."""

TRIPPED = {
    "front_door": "front_open", "balcony": "balcony_open", "smoke": "smoke", "hall_smoke": "hall_smoke",
    "sink": "water_leak", "bathroom_floor": "water_leak",
}  # fmt: skip
"""Device to the rule that its trip must raise."""
HOLD_MS = {"front_open": 7000, "balcony_open": 8000}
"""How long such a rule waits at most; the others don't."""


@dataclass(frozen=True)
class Fault:
    """Something that fails, and heals.

    Attributes:
        begin, end: Words of `Household.do`.
        least_s, most_s: How long it lasts.
        blinds: What is not heard through meanwhile: ``node``, ``zigbee``, ``gpio`` or nothing.
        back_ms: How long after the end it may still be so.
        restarts: Whether the node's process is another one afterwards.
        late: Whether frames may come late.
        bridged: Whether rules go on over it as if it hadn't been.
    """

    name: str
    begin: str
    end: str = ""
    least_s: float = 0.0
    most_s: float = 0.0
    blinds: str = ""
    back_ms: int = BACK_MS
    restarts: bool = False
    late: bool = False
    bridged: bool = True


HARDWARE = (
    Fault("node killed (kill -9)", "node kill", "node start", 0, 4, "node", restarts=True),
    Fault("node killed, at once again", "node kill; node start", blinds="node", restarts=True),
    Fault("node stopped (SIGTERM)", "node stop", "node start", 0, 4, "node", restarts=True),
    Fault("node and stick together", "node kill; sim stick unplug", "sim stick plug; node start", 0, 4,
          "node", restarts=True),
    Fault("clock 8 min slow at a start", "node kill; node start --past 8", "node kill; node start", 6, 12,
          "node", restarts=True, bridged=False),
    Fault("clock 3 h slow at a start", "node stop; node start --past 180", "node stop; node start", 6, 12,
          "node", restarts=True, bridged=False),
    Fault("node frozen", "node freeze", "node thaw", 0.5, 8, "node", 3000),
    Fault("stick resets", "sim stick reset", blinds="zigbee"),
    Fault("stick resets twice", "sim stick reset", "sim stick reset", 0.2, 1.5, "zigbee"),
    Fault("stick unplugged", "sim stick unplug", "sim stick plug", 0.2, 9, "zigbee"),
    Fault("stick wedged", "sim stick wedge", "", WEDGE_NOTICED_S, WEDGE_NOTICED_S, "zigbee"),
    Fault("stick wedged until unplugged", "sim stick wedge hard", "sim stick unplug; sim stick plug", 3, 16,
          "zigbee"),
    Fault("radio deaf", "sim stick deaf", "sim stick well", 1, 8, "zigbee", 0),
    Fault("serial line slow", "sim stick slow", "sim stick well", 2, 10, late=True),
    Fault("frames lost", "sim lose 2", late=True),
    Fault("frames corrupted", "sim corrupt 3", late=True),
    Fault("frames repeated", "sim repeat 5", late=True),
    Fault("5 % of frames lost", "sim lose 5%", "sim stick well", 4, 12, late=True),
    Fault("5 % of frames corrupted", "sim corrupt 5%", "sim stick well", 4, 12, late=True),
    Fault("pin daemon gone", "sim gpio gone", "sim gpio back", 0.2, 6, "gpio"),
    Fault("pin daemon wedged", "sim gpio wedge", "sim gpio well", 0.2, 8, "gpio"),
)  # fmt: skip
"""One at a time, with time to recover between."""

AROUND = (
    Fault("broker killed (kill -9)", "broker kill", "broker start", 0, 6),
    Fault("broker restarted", "broker stop", "broker start", 0, 6),
    Fault("broker frozen", "broker freeze", "broker thaw", 0.5, 8),
    Fault("broker frozen beyond patience", "broker freeze", "broker thaw", 22, 26),
    Fault("subscriber away", "subscriber leave", "subscriber return", 1, 8),
    Fault("rules reloaded, changed", "node reload changed"),
    Fault("rules reloaded, as they were", "node reload same"),
    Fault("home.yaml mistaken at a reload", "node reload mistaken", "node reload same", 1, 4),
    Fault("device out of reach", "sim silence eye", "sim revive eye", 1, 10),
    Fault("device without power", "sim unplug stove", "sim plug stove", 1, 10),
    Fault("device speaks garbage", "sim misbehave warmth garbage", "sim misbehave warmth no", 3, 10),
    Fault("device truncates", "sim misbehave warmth truncated", "sim misbehave warmth no", 3, 10),
    Fault("device out of range", "sim misbehave warmth out_of_range", "sim misbehave warmth no", 3, 10),
    Fault("device floods", "sim misbehave warmth flood", "sim misbehave warmth no", 1, 5),
    Fault("device says all twice", "sim misbehave balcony duplicates", "sim misbehave balcony no", 5, 15),
    Fault("device joins again and again", "sim misbehave stove joins_twice", "sim misbehave stove no",
          10, 25),
    Fault("device rejoins", "sim rejoin bathroom_floor"),
)  # fmt: skip
"""At the same time as those above."""


@dataclass(frozen=True)
class Deed:
    """Something to do, so long after the start. `fault`: of which it is the beginning or (`over`) the end."""

    at_s: float
    words: str
    fault: Fault | None = None
    over: bool = False


Decks = tuple[tuple[Fault, ...], tuple[Fault, ...]]
ALL: Decks = (HARDWARE, AROUND)
QUICK: Decks = (
    tuple(f for f in HARDWARE if f.name in ("node killed (kill -9)", "stick resets", "pin daemon gone")),
    tuple(f for f in AROUND if f.name in ("broker killed (kill -9)", "subscriber away", "device floods")),
)
"""For a short run: those that cost other projects alerts."""


def plan(
    seed: int, length_s: float, restarts_s: float, calm_s: tuple[float, float], decks: Decks = ALL
) -> list[Deed]:
    """Everything in order.

    Args:
        length_s: Faults begin before this, and what was tripped is cleared by then.
        restarts_s: The node's process is not ended from then on.
        calm_s: Shortest and longest time between a fault of the hardware and the next.
        decks: Faults of the hardware, and those around it, that happen at the same time.
    """
    deeds: list[Deed] = []
    for device in TRIPPED:
        deeds += _trips(random.Random(f"{seed} {device}"), device, length_s)
    deeds += _day(random.Random(f"{seed} day"), length_s)
    hardware, around = decks
    timed = sorted(deed.at_s for deed in deeds if deed.words in ("sim trip front_door", "sim trip balcony"))
    deeds += _faults(random.Random(f"{seed} hardware"), hardware, length_s, restarts_s, calm_s, timed)
    deeds += _faults(random.Random(f"{seed} around"), around, length_s, length_s, (1, 9), timed)
    return sorted(deeds, key=lambda deed: deed.at_s)


def _trips(dice: random.Random, device: str, length_s: float) -> Iterator[Deed]:
    at_s = dice.uniform(1, 8)
    while at_s < length_s - 4:
        yield Deed(at_s, f"sim trip {device}")
        at_s += dice.uniform(12, 24) if dice.random() < 0.7 else dice.uniform(0.1, 6)
        yield Deed(min(at_s, length_s), f"sim clear {device}")
        at_s += dice.uniform(3, 14) if dice.random() < 0.9 else dice.uniform(0.05, 0.5)


def _day(dice: random.Random, length_s: float) -> Iterator[Deed]:
    at_s = 0.0
    while (at_s := at_s + dice.uniform(0.3, 3)) < length_s:
        words = dice.choice(
            ["trip eye", "clear eye", "press help", "battery smoke {}", "measure warmth temperature {}"]
            + 4 * ["measure stove power {}"]
        )
        yield Deed(at_s, "sim " + words.format(dice.choice([0, 11, 25, 60, 90])))


def _faults(
    dice: random.Random,
    deck: tuple[Fault, ...],
    length_s: float,
    restarts_s: float,
    calm_s: tuple[float, float],
    timed: list[float],
) -> Iterator[Deed]:
    """`timed`: when a rule begins to count; the node ends while it does."""
    at_s, left = dice.uniform(*calm_s), list[Fault]()
    while at_s < length_s:
        if not left:
            left = [fault for fault in deck if at_s < restarts_s or not fault.restarts]
            dice.shuffle(left)
        fault = left.pop()
        if fault.restarts:
            at_s = next((begun for begun in timed if begun >= at_s), at_s) + dice.uniform(1.5, 6)
            if at_s >= restarts_s:
                continue
        yield Deed(at_s, fault.begin, fault)
        at_s += dice.uniform(fault.least_s, fault.most_s)
        yield Deed(at_s, fault.end, fault, over=True)
        at_s += dice.uniform(*calm_s)
