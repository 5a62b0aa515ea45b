"""The plug is pulled, at any moment of each phase; from a card whose cache is lost with the power."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

from tests.image.flat import ENDS, UPDATE_S, Flat, flat
from tests.image.show import Given, Result
from tests.image.updates import quick
from tests.image.versions import version

START_S = 70.0
"""A start takes about so long here; cuts fall anywhere in it."""
IN_A_ROW = 3
"""Cuts, at the most, before it is let to come back."""
PHASES = {"loading": 60.0, "installing": 240.0, "trying": 120.0}
"""Of an update: how long after its begin a cut falls, at the most; installing ends with a start."""


def first(given: Given) -> Iterator[Result]:
    """At any moment of a first start."""
    done = 0
    while done < given.cuts:
        with flat(given.made, given.image, given.folder / str(done), given.seed + done) as home:
            home.machine.start()
            fell = _cut(home, given.cuts - done, START_S)
            done += len(fell)
            took = home.start()
            home.pair()
            alert_s = home.trip()
            yield Result(
                f"power cut {_when(fell)} of a first start",
                True,
                f"online {took:.0f} s later, alert {alert_s:.1f} s",
            )


def running(given: Given) -> Iterator[Result]:
    """While a door is open that the broker has not heard of; then in the starts that follow."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.start()
        home.pair()
        home.trip()
        done, epochs = 0, {home.last()["epoch"]}
        while done < given.cuts:
            home.world.broker.freeze()
            heard = len(home.care.alerts("notified"))
            home.world.do("open front_door")
            fell = _cut(home, 1, 20, least_s=3)  # within 3 s it may not have been heard
            home.world.broker.thaw()
            if done + 1 < given.cuts:
                home.machine.start()
                fell += _cut(home, given.cuts - done - 1, START_S)
            done += len(fell)
            took = home.come_back()
            home.until(lambda heard=heard: len(home.care.alerts("notified")) > heard, "the alert")
            home.shut()
            epochs.add(home.last()["epoch"])
            yield Result(
                f"cut {_when(fell)} of an alert",
                len(epochs) == 1,
                f"online {took:.0f} s later, the alert came",
            )
        yield _none_missing(home)


def configuring(given: Given) -> Iterator[Result]:
    """While a signed configuration is sent and taken."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.start()
        home.pair()
        done, before = 0, ""
        while done < given.cuts:
            text = f"Dörren är öppen, {done}"
            home.world.says(text)
            sending = home.world.sending()
            fell = _cut(home, given.cuts - done, 8)
            done += len(fell)
            took = home.come_back()
            sending.wait()
            home.trip()
            runs = _says(home)
            well = runs in (before, text) or not before
            again = home.world.sending()
            told, _ = again.communicate()
            home.trip()
            well &= again.returncode == 0 and _says(home) == text
            which = "new" if runs == text else "old"
            saw = f"online {took:.0f} s later, ran the {which} one, then {told.strip()[-60:]}"
            yield Result(f"cut {_when(fell)} of a configuration", well, saw)
            before = text
        yield _none_missing(home)


def updating(given: Given) -> Iterator[Result]:
    """While a version is loaded, installed, started and tried: one or the other runs at the end."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.start()
        home.pair()
        done = 0
        for nth in count(1):
            if done >= given.cuts:
                break
            number = f"9.1.{nth}"
            home.order_update(version(given.made, number), number)
            phases: list[str] = []
            fell: list[float] = []
            for phase, within_s in PHASES.items():
                state = _until(home, number, phase)
                if state in ENDS or done + len(fell) == given.cuts:
                    break
                fell += _cut(home, 1, within_s)
                phases.append(_state(home, number))
                home.machine.start()
                if phase == "loading":
                    home.until(lambda: quick(home) or True, "what is left of it, quickly")
            done += len(fell)
            told = home.updated(number)
            home.until(home.radio_up, "radio up")
            alert_s = home.trip()
            saw = f"cut while {', '.join(phases)}: {told['state']}, {told.get('why', {}).get('en', '')}"
            yield Result(
                f"cut {_when(fell)} of an update", told["state"] != "refused", f"{saw}; alert {alert_s:.1f} s"
            )
        yield _none_missing(home)


def _until(home: Flat, number: str, phase: str) -> str:
    """The state of an update, once it is as far as that."""
    order = (*PHASES, *ENDS)
    far = order[order.index(phase) :]
    return home.until(lambda: (state := _state(home, number)) in far and state, f"{number} {phase}", UPDATE_S)


def _state(home: Flat, number: str) -> str:
    return str(home.update_of(number).get("state", "ordered"))


def _cut(home: Flat, most: int, within_s: float, *, least_s: float = 0.3) -> list[float]:
    """Pulls the plug of a machine that is on, up to three times in a row; s after each start."""
    chance, fell = home.machine.card.chance, []
    for _ in range(min(most, chance.randint(1, IN_A_ROW))):
        if fell:
            home.machine.start()
            within_s = START_S
        fell.append(chance.uniform(least_s, within_s))
        time.sleep(fell[-1])
        home.machine.cut()
    return fell


def _when(fell: list[float]) -> str:
    return "at " + ", ".join(f"{at:.1f} s" for at in fell)


def _says(home: Flat) -> str:
    return str(home.care.alerts("notified")[-1]["data"]["text"]["sv"])


def _none_missing(home: Flat) -> Result:
    sequences = {int(body["sequence"]) for body in home.care.alerts()}
    missing = set(range(min(sequences), max(sequences) + 1)) - sequences
    return Result("no message of an alert is missing", not missing, f"{len(sequences)} of {max(sequences)}")
