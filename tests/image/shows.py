"""What is shown of the image, each from a card fresh from it."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.image import boot_state
from deploy.image.tools import Tools
from tests.image.flat import Flat, flat
from tests.image.versions import BAD, version

FIRST_S = 120.0
"""A first start takes about so long here; cuts fall anywhere in it."""
UPDATE_S = 3600.0
OVER = ("good", "failed", "refused")
MOST_CUTS = 3
"""In a row, before it is let to come back."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a show is given: the tools, the image, a folder of its own, how many power cuts, and their
    seed."""

    made: Tools
    image: Path
    folder: Path
    cuts: int
    seed: int


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table."""

    show: str
    well: bool
    saw: str


def first(given: Given) -> Iterator[Result]:
    """From the flash to the first alert, and what the system needs for it."""
    with flat(given.made, given.image, given.folder) as home:
        yield Result("first start, enrolled, online", True, f"{home.start():.0f} s from power on")
        paired = _paired(home)
        yield Result("sensors paired", paired == {"front_door", "lamp"}, ", ".join(sorted(paired)))
        yield Result("a door's alert at care", True, f"{home.trip():.2f} s")
        gone = "homenode-provision.yaml" not in home.ask("ls /boot/firmware")
        yield Result("provisioning file taken and wiped", gone, "")
        used = int(home.ask("free -m").splitlines()[1].split()[2])
        yield Result("memory used", used <= 220, f"{used} MB")
        failed = home.ask("systemctl --failed --no-legend --plain").strip()
        yield Result("no unit failed", not failed, failed)
        open_ports = home.ask("ss -Hltun | awk '$5 !~ /127\\.|::1/ {print $1, $5}'").split("\n")
        yield Result("what listens beyond the machine", True, "; ".join(filter(None, open_ports)))
        home.ask("systemctl reboot || true")
        online = len(_online(home))
        home.until(lambda: len(_online(home)) > online, "online again")
        yield Result("started anew, orderly", True, "")
        home.until(lambda: _radio(home) == "running", "radio up")
        yield Result("a door's alert, no pairing anew", True, f"{home.trip():.2f} s")
        order = boot_state.newest(
            [home.machine.card.peek(at, boot_state.RECORD_B) for at in boot_state.AT_B]
        )[0]
        left = boot_state.left(order, "A")
        yield Result("this slot is good", left == boot_state.GOOD, f"{left} starts left")


def cuts_first(given: Given) -> Iterator[Result]:
    """The plug is pulled at any moment of a first start, up to three times in a row."""
    done = 0
    while done < given.cuts:
        with flat(given.made, given.image, given.folder / str(done), given.seed + done) as home:
            chance, fell = home.machine.card.chance, []
            for _ in range(chance.randint(1, MOST_CUTS)):
                home.machine.start()
                fell.append(chance.uniform(1, FIRST_S))
                time.sleep(fell[-1])
                home.machine.cut()
                done += 1
            took = home.start()
            when = ", ".join(f"{at:.0f} s" for at in fell)
            yield Result(f"power cut at {when} of a first start", True, f"online {took:.0f} s after the last")


def cuts_running(given: Given) -> Iterator[Result]:
    """The plug is pulled while a door is open that the broker has not heard of."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.start()
        _paired(home)
        home.trip()
        chance, epochs = home.machine.card.chance, {_last(home)["epoch"]}
        for nth in range(given.cuts):
            home.world.broker.freeze()
            heard = len(home.care.alerts("notified"))
            home.world.do("open front_door")
            wait_s = chance.uniform(3, 20)
            time.sleep(wait_s)
            kept, cached = home.machine.cut()
            home.world.broker.thaw()
            took = home.start()
            home.until(lambda heard=heard: len(home.care.alerts("notified")) > heard, "the alert")
            home.until(lambda: _radio(home) == "running", "radio up")
            home.world.do("close front_door")
            home.until(lambda: _last(home)["type"].endswith("resolved"), "resolved", 120)
            epochs.add(_last(home)["epoch"])
            saw = f"online after {took:.0f} s, {cached - kept} of {cached} cached sectors lost"
            yield Result(f"cut {nth + 1}, {wait_s:.0f} s after a door", len(epochs) == 1, saw)
        sequences = [int(body["sequence"]) for body in home.care.alerts()]
        missing = set(range(min(sequences), max(sequences) + 1)) - set(sequences)
        yield Result(
            "no message of an alert is missing", not missing, f"{len(set(sequences))} of {max(sequences)}"
        )


def updates(given: Given) -> Iterator[Result]:
    """A good version stays; each bad one is gone again, and the operator reads why."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.start()
        _paired(home)
        good = version(given.made, "9.0.0")
        started = time.perf_counter()
        told = _updated(home, good, "9.0.0")
        took = time.perf_counter() - started
        yield Result("a good version is good", told["state"] == "good", f"{took:.0f} s, slot {told['slot']}")
        yield Result("a door's alert by it", True, f"{home.trip():.2f} s")
        for nth, (what, change) in enumerate(BAD.items(), 1):
            number = f"9.0.{nth}"
            told = _updated(home, version(given.made, number, change), number)
            home.until(lambda: _radio(home) == "running", "radio up")
            yield Result(f"{what}: the old one is back", told["state"] == "failed", told["why"]["en"])
            yield Result("and alerts", True, f"{home.trip():.2f} s")


def _updated(home: Flat, bundle: Path, number: str) -> Mapping[str, Any]:
    """How an update ended, as the operator reads it."""
    shutil.move(bundle, home.world.bundles / bundle.name)
    digest = hashlib.sha256((home.world.bundles / bundle.name).read_bytes()).hexdigest()
    order = {"version": number, "url": home.world.url(bundle.name), "sha256": digest}
    answer = home.order("update", order)
    assert answer["ok"], answer

    def ended() -> Mapping[str, Any]:
        told = [
            body.get("update", {}) for topic, body, _ in home.operator.messages if topic.endswith("/status")
        ]
        over = [
            one
            for one in told
            if one.get("version") == number and one["state"] in ("good", "failed", "refused")
        ]
        return over[-1] if over else {}

    return home.until(ended, f"the end of update {number}", UPDATE_S)


def _last(home: Flat) -> Mapping[str, Any]:
    return home.care.alerts()[-1]


def _online(home: Flat) -> list[Any]:
    return [body for topic, body, _ in home.care.messages if topic.endswith("/link") and body.get("online")]


def _radio(home: Flat) -> str:
    return str(home.status()["drivers"]["zigbee"])


def _paired(home: Flat) -> set[str]:
    """Opens the radio until both devices are known."""
    home.until(lambda: _radio(home) == "running", "radio up")
    home.until(lambda: home.order("pair", {"for": "5min"})["ok"], "open for pairing")

    def heard() -> set[str]:
        good = {
            point["point"].partition(".")[0]
            for point in home.status()["points"]
            if point["quality"] == "good"
        }
        return good if len(good) == 2 else set()

    return home.until(heard, "devices heard")


SHOWS: Mapping[str, Callable[[Given], Iterator[Result]]] = {
    "first": first,
    "cuts-first": cuts_first,
    "cuts-running": cuts_running,
    "updates": updates,
}
