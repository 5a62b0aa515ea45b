"""The rig: a broker, receivers for all, homes; faults from a seed, several at once; then the count."""

from __future__ import annotations

import itertools
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.chaos.caretaker import Caretakers
from tests.chaos.count import missing, wrong
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.house import House
from tests.chaos.net import Cable
from tests.chaos.parties import Brokerage, Everybody
from tests.chaos.world import Occasion

RECOVERED_S = 120.0
"""Everything under way must have come so long after the last fault ended (a wrong certificate: 30 s)."""


class Rig:
    """`homes`: how many; `world`: for `World`."""

    def __init__(self, folder: Path, seed: str, homes: int = 1, **world: Any) -> None:
        self.folder, self.seed = folder, seed
        self.dice, self._world = random.Random(seed), world
        self.names = tuple(f"chaos-{nth + 1}" for nth in range(homes))
        self.times: Counter[str] = Counter()
        self.worst_s: dict[str, float] = defaultdict(float)
        self.rounds = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._stack.close)
            cables = [Cable(nth) for nth in range(len(self.names))]
            keys = self.folder / "keys"
            keys.mkdir(parents=True)
            self.broker = Brokerage(keys, self.names, tuple(cable.here for cable in cables))
            self._stack.enter_context(self.broker.mosquitto)
            self.everybody = self._stack.enter_context(Everybody(self.broker, self.folder, self.names))
            self.everybody.until_back()
            self.caretakers = self._stack.enter_context(
                Caretakers(self.broker, self.everybody.all, self.folder)
            )
            self.broker.mosquitto.save()
            self.houses = [
                House(self.folder / name, name, self.broker, cable, self.seed, **self._world)
                for name, cable in zip(self.names, cables, strict=True)
            ]
            for house in self.houses:
                self._stack.enter_context(house)
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # --- the broker, which is everybody's

    def kill_broker(self, *, gently: bool = False) -> None:
        """Not while a receiver is away: what only the broker has it loses."""
        self.everybody.until_back()
        if gently:
            self.broker.mosquitto.stop()
        else:
            self.broker.mosquitto.kill()

    def start_broker(self, *, forgotten: bool = False) -> None:
        """Nodes are let in when the receivers are back: a message that nobody has asked for goes nowhere."""
        if forgotten:
            (self.broker.folder / "mosquitto.db").unlink(missing_ok=True)
        for house in self.houses:
            house.gate.shut.add("broker")
        for receiver in self.everybody.all.values():
            receiver.unsure()
        self.broker.mosquitto.start()
        self.everybody.until_back()
        for house in self.houses:
            house.gate.shut.discard("broker")

    # --- faults

    def run(self, seconds: float, deck: Sequence[Fault] = FAULTS) -> None:
        """Rounds of faults for so long, then everything is well."""
        end = time.perf_counter() + seconds
        cards = iter(self._cards(deck))
        while time.perf_counter() < end:
            self.wait(self.dice.uniform(0.2, 2.0))
            self._round([next(cards) for _ in range(self.dice.choice((1, 1, 2, 3)))])
        self.rest()

    def _cards(self, deck: Sequence[Fault]) -> Iterator[Fault]:
        """Each as often as the others, or as its `often` says."""
        while True:
            drawn = [fault for fault in deck if self.dice.random() < fault.often]
            yield from self.dice.sample(drawn, len(drawn))

    def _round(self, drawn: list[Fault]) -> None:
        house = self.dice.choice(self.houses)
        faults: list[Fault] = []
        for fault in drawn:  # what doesn't go with the others comes another time
            if all(fault.goes_with(other) for other in faults):
                faults.append(fault)
        deeds = []
        for fault in faults:
            begin = self.dice.uniform(0, 1.5)
            deeds += [(begin, 0, fault), (begin + self.dice.uniform(fault.least_s, fault.most_s), 1, fault)]
        house.say(" + ".join(fault.name for fault in faults))
        began = time.perf_counter()
        for at, over, fault in sorted(deeds, key=lambda deed: deed[:2]):
            self.wait(began + at - time.perf_counter())
            (fault.end if over else fault.begin)(self, house)
        took_s = self.recovered(f"after {', '.join(fault.name for fault in faults)}")
        self.rounds += 1
        for fault in faults:
            self.times[fault.name] += 1
            self.worst_s[fault.name] = max(self.worst_s[fault.name], took_s)

    def recovered(self, when: str) -> float:
        """Wait until all that must have been told by now has come; returns how long that took."""
        began = time.perf_counter()
        due = {house.name: house.world.due() for house in self.houses}
        while True:
            came = self.everybody.came()
            left = {name: missing(name, occasions, came) for name, occasions in due.items()}
            took_s = time.perf_counter() - began
            if not any(left.values()) and all(house.world.watched for house in self.houses):
                return took_s
            assert took_s < RECOVERED_S, f"{when}: missing after {took_s:.0f} s: {_told(left, due)}"
            self.wait(0.05)

    def rest(self) -> None:
        """Nothing turns on any more, and everything comes."""
        for house in self.houses:
            house.world.calm()
        self.caretakers.calm()
        began = time.perf_counter()
        while not (self.caretakers.answered and all(house.world.over for house in self.houses)):
            why = "a node does not watch, or answer"
            assert time.perf_counter() - began < RECOVERED_S, f"{why}: {self.caretakers.summary()}"
            self.wait(0.1)
        self.recovered("at the end")
        self.wait(1.0)  # for what should not come

    def wait(self, seconds: float) -> None:
        """Time passes."""
        if seconds > 0:
            threading.Event().wait(seconds)

    # --- the count

    def wrong(self) -> list[str]:
        """Everything that is."""
        came = self.everybody.written()
        found = []
        for house in self.houses:
            asked = [
                (one.alert, bool(one.ok)) for one in self.caretakers.asked.values() if one.home == house.name
            ]
            found += [
                f"{house.name}: {what}" for what in wrong(house.name, house.world.occasions, came, asked)
            ]
        for house in self.houses:
            for number, life in enumerate(house.lives, 1):
                found += [f"{house.name}, life {number}: {line}" for line in life.lines if _alarming(line)]
        return found

    def table(self) -> str:
        """Faults survived."""
        rows = [f"{'fault':<40} {'times':>5} {'worst recovery':>15}"]
        rows += [
            f"{name:<40} {times:>5} {self.worst_s[name]:>13.1f} s" for name, times in self.times.most_common()
        ]
        rows.append(f"{sum(self.times.values())} faults in {self.rounds} rounds; {self.summary()}")
        return "\n".join(rows)

    def summary(self) -> str:
        """What came of it."""
        happened = sum(len(house.world.occasions) for house in self.houses)
        lives = sum(len(house.lives) for house in self.houses)
        cuts = sum(house.disk.cuts for house in self.houses)
        came = self.everybody.written()
        messages = list(itertools.chain.from_iterable(came.values()))
        ids = {body["id"] for _, body in messages}
        return (
            f"{lives} lives, {cuts} power cuts; {happened} alerts to be raised, "
            f"{len(ids)} messages received, {len(messages) - len(ids)} again; {self.caretakers.summary()}"
        )

    def keep_logs(self) -> None:
        """Of every life of the nodes."""
        for house in self.houses:
            with (house.folder / "node.log").open("w") as log:
                for number, life in enumerate(house.lives, 1):
                    log.write(f"--- life {number}\n{life.log}\n")


def _alarming(line: str) -> bool:
    return "Traceback" in line or "a mistake in homenode" in line


def run(folder: Path, seed: str, seconds: float, *, homes: int = 1, deck: Sequence[Fault] = FAULTS) -> str:
    """A whole run; returns the table. AssertionError says what is wrong, with the seed."""
    print(f"chaos: seed {seed}, {seconds / 60:.1f} min, {homes} homes, {folder}", file=sys.stderr, flush=True)
    with Rig(folder, seed, homes) as rig:
        try:
            rig.recovered("before the first fault")
            rig.run(seconds, deck)
            found = rig.wrong()
        finally:
            rig.keep_logs()
        table = rig.table()
    assert not found, f"seed {seed}, {folder}:\n" + "\n".join(found) + f"\n{table}"
    return table


def _told(left: Mapping[str, Counter[tuple[str, str, str]]], due: Mapping[str, Sequence[Occasion]]) -> str:
    """What is missing, and the last occasions that it may belong to."""
    lines = []
    for name, wanted in left.items():
        for (party, rule, event), number in wanted.items():
            last = [one for one in due[name] if one.sensor.rule == rule][-3:]
            lines.append(f"{name}: {number} {event} of {rule} to {party}; the last occasions: {last}")
    return "; ".join(lines)
