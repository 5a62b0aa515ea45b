"""A flat in QEMU: the world around, the card, the board, and care and operator who listen."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from deploy.image.tools import Tools
from tests.image.card import Card
from tests.image.machine import Machine
from tests.image.world import DEVICES, World
from tests.system.nodes import in_an_hour

PATIENCE_S = 600
"""For a start; the machine is in software, and its host may be busy."""
CARD_B = 4 << 30
PAIRING_S = 120
ENDS = ("good", "failed", "refused")
"""Of an update."""
UPDATE_S = 5400.0


class Flat:
    """Where one node lives."""

    def __init__(self, world: World, machine: Machine, ends: ExitStack) -> None:
        self.world, self.machine = world, machine
        self.care, self.operator = (ends.enter_context(world.party(name)) for name in ("care", "operator"))
        self._asked, self._closed = 0, 0.0

    def start(self) -> float:
        """Power on; seconds until the broker hears that it is online."""
        before = len(self.links())
        self.machine.start()
        self.until(lambda: any(self.links()[before:]), "online")
        return time.perf_counter() - self.machine.started

    def come_back(self) -> float:
        """Power on, and wait for the radio, too; seconds until it was online."""
        took = self.start()
        self.until(self.radio_up, "radio up")
        return took

    def until(self, holds: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
        """What `holds` gives when it is true.

        Raises:
            TimeoutError: It never was; with what the machine said.
        """
        end = time.perf_counter() + within_s
        while time.perf_counter() < end:
            with contextlib.suppress(subprocess.SubprocessError):  # nobody answers there yet
                if found := holds():
                    return found
            time.sleep(0.2)
        raise TimeoutError(f"never: {what}\n{self.machine.said()[-3000:]}")

    def links(self) -> list[bool]:
        """What the broker said of the home, one after the other: online or not."""
        return [
            bool(body.get("online")) for topic, body, _ in list(self.care.messages) if topic.endswith("/link")
        ]

    def order(self, do: str, args: dict[str, Any], party: str = "operator") -> dict[str, Any]:
        """A command and what it was answered."""
        self._asked += 1
        asked, who = f"{do}-{self._asked}", self.operator if party == "operator" else self.care
        body = {"id": asked, "do": do, "by": "test", "expires": in_an_hour(), "args": args}
        who.send(f"hn1/{self.world.home}/{party}/command", body)
        return self.until(lambda: who.reply(asked), f"reply to {do}", 60)

    def pair(self) -> set[str]:
        """Opens the radio until all devices are known; which."""
        self.until(self.radio_up, "radio up")
        self.until(lambda: self.order("pair", {"for": f"{PAIRING_S}s"})["ok"], "open for pairing")
        self._closed = time.perf_counter() + PAIRING_S
        points = self.until(lambda: self._heard(self.world.devices), "devices heard")
        return {point.partition(".")[0] for point in points}

    def _heard(self, at_least: int) -> set[str]:
        good = {point["point"] for point in self.status()["points"] if point["quality"] == "good"}
        return good if len({point.partition(".")[0] for point in good}) >= at_least else set()

    def trip(self) -> float:
        """The door is opened and shut; seconds until care has the alert."""
        before = len(self.care.alerts("notified"))
        at = time.perf_counter()
        self.world.do("open front_door")
        self.until(lambda: len(self.care.alerts("notified")) > before, "alert", 60)
        took = time.perf_counter() - at
        self.shut()
        return took

    def shut(self) -> None:
        """The door, until care knows."""
        self.world.do("close front_door")
        self.until(lambda: self.last()["type"].endswith("resolved"), "resolved", 120)

    def last(self) -> Mapping[str, Any]:
        """What care heard last of an alert."""
        return self.care.alerts()[-1]

    def ask(self, command: str) -> str:
        """What a technician sees."""
        return self.machine.ask(self.world.key, command)

    def status(self) -> dict[str, Any]:
        """`homenode status` there."""
        found = self.ask("runuser -u homenode -- homenode status --json --data /var/lib/homenode")
        return json.loads(found)

    def radio_up(self) -> bool:
        """Whether its network is up: a driver runs for some seconds before."""
        return '"network up"' in self.ask("journalctl -b -u homenode -o cat --no-pager")

    def order_update(self, bundle: Path, number: str) -> None:
        """The operator orders a version; its bundle is at the office from now on."""
        there = self.world.bundles / bundle.name
        shutil.move(bundle, there)
        with there.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        time.sleep(max(0.0, self._closed - time.perf_counter()))  # a home that pairs is busy, for ten minutes
        answer = self.order(
            "update", {"version": number, "url": self.world.url(there.name), "sha256": digest}
        )
        assert answer["ok"], answer

    def update_of(self, number: str) -> Mapping[str, Any]:
        """How the update to a version is, as the operator reads it; nothing before."""
        told = [
            body.get("update", {})
            for topic, body, _ in list(self.operator.messages)
            if topic.endswith("/status")
        ]
        mine = [one for one in told if one.get("version") == number]
        return mine[-1] if mine else {}

    def updated(self, number: str) -> Mapping[str, Any]:
        """How the update to a version ended; the door moves now and then, as people are there."""

        def ended() -> Mapping[str, Any]:
            told = self.update_of(number)
            if told.get("state") == "trying" and self.links()[-1]:
                with contextlib.suppress(TimeoutError):  # the version may be one that hears nothing
                    self.trip()
                time.sleep(20)
            return told if told.get("state") in ENDS else {}

        return self.until(ended, f"the end of update {number}", UPDATE_S)


@contextmanager
def flat(
    made: Tools, image: Path, folder: Path, seed: int = 1, *, devices: int = DEVICES, card_b: int = CARD_B
) -> Iterator[Flat]:
    """A flat with a card fresh from the image, provisioned, and not switched on yet."""
    with ExitStack() as ends:
        world = ends.enter_context(World(folder, devices=devices))
        card = provisioned(world, image, folder / "card.img", seed, card_b=card_b)
        ends.callback(card.close)
        machine = Machine(made, folder, card, stick=world.sim["stick tcp"])
        ends.callback(machine.off)
        yield Flat(world, machine, ends)


def provisioned(world: World, image: Path, path: Path, seed: int, *words: str, card_b: int = CARD_B) -> Card:
    """A card fresh from the image, with a provisioning file of the office; `words`: as of `World`."""
    shutil.copyfile(image, path)
    provision(world, path, *words)
    return Card(path, card_b, random.Random(seed))


def provision(world: World, path: Path, *words: str) -> None:
    """A provisioning file onto a card, as `provisioned`."""
    given = path.with_suffix(".yaml")
    given.write_text(world.provisioning(*words))
    command = [sys.executable, "-m", "homenode.cli", "provision", "--card", str(path), "--file", str(given)]
    subprocess.run(command, check=True, capture_output=True)
