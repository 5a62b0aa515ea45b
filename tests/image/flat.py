"""A flat in QEMU: the world around, the card, the board, and care and operator who listen."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from deploy.image.tools import Tools
from tests.image.card import Card
from tests.image.machine import Machine
from tests.image.world import World
from tests.system.test_bad_input_asks import in_an_hour

PATIENCE_S = 600
"""For a start; the machine is in software, and its host may be busy."""
CARD_B = 4 << 30


class Flat:
    """Where one node lives."""

    def __init__(self, world: World, machine: Machine, ends: ExitStack) -> None:
        self.world, self.machine = world, machine
        self.care, self.operator = (ends.enter_context(world.party(name)) for name in ("care", "operator"))
        self._asked = 0

    def start(self) -> float:
        """Power on; seconds until the broker hears that it is online."""
        before = len(self.care.messages)
        self.machine.start()
        self.until(
            lambda: any(body.get("online") for topic, body, _ in self.care.messages[before:]), "online"
        )
        return time.perf_counter() - self.machine.started

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

    def order(self, do: str, args: dict[str, Any], party: str = "operator") -> dict[str, Any]:
        """A command and what it was answered."""
        self._asked += 1
        asked, who = f"{do}-{self._asked}", self.operator if party == "operator" else self.care
        body = {"id": asked, "do": do, "by": "test", "expires": in_an_hour(), "args": args}
        who.send(f"hn1/{self.world.home}/{party}/command", body)
        return self.until(lambda: who.reply(asked), f"reply to {do}", 60)

    def trip(self) -> float:
        """The door is opened and shut; seconds until care has the alert."""
        before = len(self.care.alerts("notified"))
        at = time.perf_counter()
        self.world.do("open front_door")
        self.until(lambda: len(self.care.alerts("notified")) > before, "alert", 60)
        took = time.perf_counter() - at
        self.world.do("close front_door")
        return took

    def ask(self, command: str) -> str:
        """What a technician sees."""
        return self.machine.ask(self.world.key, command)

    def status(self) -> dict[str, Any]:
        """`homenode status` there."""
        found = self.ask("runuser -u homenode -- homenode status --json --data /var/lib/homenode")
        return json.loads(found)


@contextmanager
def flat(made: Tools, image: Path, folder: Path, seed: int = 1) -> Iterator[Flat]:
    """A flat with a card fresh from the image, provisioned, and not switched on yet."""
    with ExitStack() as ends:
        world = ends.enter_context(World(folder))
        path = folder / "card.img"
        shutil.copyfile(image, path)
        (folder / "given.yaml").write_text(world.provisioning())
        command = [sys.executable, "-m", "homenode.cli", "provision", "--card", str(path)]
        subprocess.run([*command, "--file", str(folder / "given.yaml")], check=True, capture_output=True)
        card = Card(path, path, CARD_B, random.Random(seed))
        ends.callback(card.close)
        machine = Machine(made, folder, card, stick=world.sim["stick tcp"])
        ends.callback(machine.off)
        yield Flat(world, machine, ends)
