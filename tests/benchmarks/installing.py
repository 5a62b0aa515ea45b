"""A flat of 40 Zigbee devices installed with `homenode install`: what an installer waits for at each.

``python -m tests.benchmarks.installing``. Nobody types slower than this; what is left is the node's own part.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

from tests.benchmarks.flat import apartment_yaml, ieee, names
from tests.system.flats import Flat, Installer, flat

FLAT_S = 30 * 60
OPENED_S = 200.0
"""The network is opened again after so long; it stays open for 240 s."""


def installed(person: Installer, here: Flat) -> tuple[list[float], list[float]]:
    """Seconds from the pairing button to a card that says what it is, and from Enter to the next menu."""
    shown, named = [], []
    opened_s = -OPENED_S
    for nth, name in enumerate(names()):
        if time.monotonic() - opened_s >= OPENED_S:  # noqa: TID251 - a benchmark is about real time
            person.type("1")
            person.until("network is open for 4 minutes")
            opened_s = time.monotonic()  # noqa: TID251 - likewise
        began = time.monotonic()  # noqa: TID251 - likewise
        here.sim.do(f"join {name}")
        person.until(rf"\+ (?!new device)[^\n]*{ieee(nth)}", 120)
        shown.append(time.monotonic() - began)  # noqa: TID251 - likewise
        person.type("2")
        person.until("Which")
        person.type("1", "hall", name)
        person.until("What it is, such as")
        began = time.monotonic()  # noqa: TID251 - likewise
        person.type("")
        person.until("how it looks now")
        named.append(time.monotonic() - began)  # noqa: TID251 - likewise
        person.type("d")
        person.until(r"none\): |Choose")
        person.type("")
        person.until("Choose")
    return shown, named


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, flat(Path(folder), apartment_yaml()) as here:
        began = time.monotonic()  # noqa: TID251 - likewise
        with Installer(here) as person:
            person.until("Choose")
            shown, named = installed(person, here)
        whole_s = time.monotonic() - began  # noqa: TID251 - likewise
        starts = len(re.findall("network up", here.node.log))
    for what, found in (
        ("devices joined, named and placed", f"{len(named)}"),
        ("starts of the radio", f"{starts}"),
        ("button to what it is, median / slowest", _spans(shown)),
        ("name and room to the next question", _spans(named)),
        ("the node's part of the flat", f"{(sum(shown) + sum(named)) / 60:.1f} min"),
        ("all of it, typed by a program", f"{whole_s / 60:.1f} min (a person has {FLAT_S // 60})"),
    ):
        print(f"{what:44} {found:>28}")


def _spans(found: list[float]) -> str:
    return f"{sorted(found)[len(found) // 2]:.1f} / {max(found):.1f} s"


if __name__ == "__main__":
    main()
