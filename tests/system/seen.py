"""All of it: simulated apartment, real node, what films, a broker, the console, and Chromium at a distance.

Hardware, broker and console are here; the browser is in a network of its own, at the other end of a cable.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.system.brokers import Mosquitto
from tests.system.consoles import Console
from tests.system.filming import Cabled
from tests.system.looks import FLAT, Flat, flat

CAPTURE = f"{sys.executable} -m homenode.video.capture"
BED = FLAT + "  wrist: {pin: 26, kind: button, room: bedroom}\n"
HOME = """\
home: looks-1
timezone: Europe/Stockholm
language: en
broker: {{url: "{url}"}}
clock: {{trust: always}}
voice: {{device: none}}
devices:
  ir:    {{driver: gpio, pin: 22, kind: light, room: bedroom}}
  sign:  {{driver: gpio, pin: 23, kind: light, room: bedroom}}
  ok:    {{driver: gpio, pin: 24, kind: button, room: bedroom}}
  no:    {{driver: gpio, pin: 25, kind: button, room: bedroom}}
  wrist: {{driver: gpio, pin: 26, kind: button, room: bedroom}}
resident: {{ok: ok.button, stop: no.button}}
rules:
  - {{use: help_button, bind: {{button: [wrist.button], eye: bed}}}}
cameras:
  bed: {{room: bedroom, source: scene, lamp: ir.light, indicator: sign.light}}
video:
  calls: {{cameras: [bed], from: 2020-01-01, to: 2099-12-31, views: [silhouette, clear], {more}}}
"""


class Seen(Flat):
    """A flat with a camera that really films; it is found by what is unique to its node."""

    sections = ""
    """Of home.yaml, beside those of every such home."""

    def describe(self, mood: str = "", more: str = "ask: never, announce: light") -> None:
        """Write home.yaml with terms of the decision."""
        text = HOME.format(url=self.broker.url, more=more) + self.sections
        (self.folder / "home.yaml").write_text(text)

    def films(self) -> dict[int, int]:
        """Processes that film, each with a port, or 0 before it has one."""
        found = dict.fromkeys(self.ours(b"homenode.video.capture"), 0)
        for port, pid in _ports(set(found)).items():
            found[pid] = port
        return found

    def ports(self) -> set[int]:
        """UDP ports that what films has open."""
        return set(_ports(set(self.films())))


def _ports(of: set[int]) -> dict[int, int]:
    """Port to process, as `ss` says."""
    shown = subprocess.run(["ss", "-Hanup"], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in shown.splitlines():
        for pid in of:
            if f"pid={pid}," in line:
                found[int(line.split()[3].rpartition(":")[2])] = pid
    return found


@contextmanager
def seen(folder: Path) -> Iterator[Seen]:
    """Hardware and broker."""
    with flat(folder, text=BED, kind=Seen) as made:
        assert isinstance(made, Seen)
        yield made


def shots() -> Any:
    """Keeps what was seen in the folder SCREENSHOTS, if there is one."""
    kept = os.environ.get("SCREENSHOTS")

    def shot(page: Any, name: str) -> None:
        if kept:
            page.screenshot(path=Path(kept) / f"{name}.png")

    return shot


@contextmanager
def desk(folder: Path, cabled: Cabled, broker: Mosquitto, lines: str = "") -> Iterator[Console]:
    """A console that the far browser reaches."""
    with Console(folder, broker.port, "roster: false\n" + lines, host=cabled.here) as console:
        yield console
