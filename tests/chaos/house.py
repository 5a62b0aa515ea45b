"""One home of the rig: a real node on a disk, a network and a clock of its own, and the world around it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from homenode.journal.codec import SCHEMA
from tests.chaos import home
from tests.chaos.disk import ROOT, Disk
from tests.chaos.gate import Gate
from tests.chaos.net import Cable
from tests.chaos.parties import Brokerage
from tests.chaos.world import World
from tests.system.clocks import NodeClock
from tests.system.nodes import NodeProcess
from tests.system.soak_home import until

SCHEMAS = (SCHEMA - 1, SCHEMA)
"""A start writes the journal in one of these: an update, one that is taken back, or neither."""


DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Also if the rig is killed."""


def writing(pid: int) -> set[str]:
    """Names of the unfinished files that a process has open."""
    names = set()
    for file in Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):  # closed meanwhile
            names.add(Path(os.readlink(file)).name)
    return {name for name in names if name.endswith(".tmp")}


class Node(NodeProcess):
    """With a journal of small files."""

    module = ("-m", "tests.chaos.small")


class House:
    """`name` is the home's id."""

    def __init__(
        self, folder: Path, name: str, broker: Brokerage, cable: Cable, seed: str, **world: Any
    ) -> None:
        self.folder, self.name, self.cable = folder, name, cable
        self.dice, self._world = random.Random(f"{seed} {name}"), world
        self.lives: list[Node] = []
        self._schema = SCHEMA
        self._stack = ExitStack()
        self._broker, self._boots, self.cached = broker, 0, 0
        self.busy: set[str] = set()
        self.impostor: Callable[[], object] = lambda: None
        folder.mkdir(parents=True)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._stack.close)
            enter = self._stack.enter_context
            enter(self.cable)
            self.gate = enter(Gate(self.cable.here, self._broker.port, self._broker.folder, self.name))
            self._stack.callback(self._ended)
            self.disk = Disk(self.folder)
            self._stack.callback(self.disk.__exit__)
            self.disk.on()
            self.clock = NodeClock(self.folder)
            self.world = enter(World(self.folder / "world", f"{self.dice.random()}", **self._world))
            self.file = home.write(
                self.folder,
                home=self.name,
                url=self.gate.url,
                keys=self._broker.folder,
                socket=self.world.at,
            )
            self._stack.callback(self._end)
            self.start()
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        """Not waited for: it may wait for a disk without power, until that is gone, too."""
        if self.lives:
            self.node.process.kill()

    def _ended(self) -> None:
        if self.lives:
            self.node.kill()

    # --- the node

    @property
    def node(self) -> Node:
        """The one that runs, or ran last."""
        return self.lives[-1]

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return bool(self.lives) and self.node.process.poll() is None

    def start(self) -> None:
        """Of the node."""
        path = os.pathsep.join((str(self.folder / "site"), str(ROOT)))
        self._schema = self.dice.choice(SCHEMAS)
        env = {"PYTHONPATH": path, "JOURNAL_SCHEMA": str(self._schema), **self.clock.env}
        within = (
            *DIES_WITH_US,
            *self.cable.within,
            "env",
            *(f"{name}={value}" for name, value in env.items()),
        )
        self.lives.append(Node(self.file, self.disk.at / "data", "--log", "json", within=within))

    def kill(self) -> None:
        """kill -9."""
        self.world.asleep()
        self.busy = writing(self.node.process.pid)
        self.node.kill()

    def stop(self) -> None:
        """SIGTERM."""
        self.world.asleep()
        assert self.node.stop() == 0, self.node.log

    def freeze(self) -> None:
        """SIGSTOP."""
        self.world.asleep()
        self.node.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self.node.process.send_signal(signal.SIGCONT)
        self.world.awake()

    # --- power

    def cut(self, operations: int | None, within_s: float = 5.0) -> None:
        """The power goes: amid that write or flush of the disk, or now (None), or after so many seconds."""
        if operations is not None:
            self.disk.cut_after(operations)
            self.disk.dark.wait(within_s)
        self.world.asleep()
        self.disk.cut()
        self.busy = writing(self.node.process.pid)
        self.node.process.kill()
        # What a drive that mixes its writes leaves of a commit can be told only from schema 2 on.
        in_order = self._schema < 2
        self.cached = self.disk.gone(self.dice.random(), self.disk.at / "data", in_order=in_order)
        self.node.kill()

    def power(self) -> None:
        """The machine boots: a new boot, an old disk."""
        self._boots += 1
        self.clock.boots(f"boot-{self._boots}")
        self.disk.on()

    def until_watched(self) -> None:
        """A node runs and knows how everything is."""
        until(lambda: self.world.watched, what="a node that watches")

    def start_read_only(self) -> None:
        """Anew, on a disk that takes nothing (the kernel makes none so while a file is open for writing)."""
        self.kill()
        self.disk.remount("ro")
        self.start()

    def wait(self, seconds: float) -> None:
        """Time passes."""
        threading.Event().wait(seconds)

    def say(self, text: str) -> None:
        """To whoever watches."""
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)
