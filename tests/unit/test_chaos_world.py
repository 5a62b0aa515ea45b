"""The world of the chaos rig counts only what a node that runs has had the time to see."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.chaos.home import SENSORS
from tests.chaos.world import World
from tests.system.soak_home import until


def test_what_a_node_said_before_it_was_frozen_does_not_wake_it(tmp_path: Path) -> None:
    with World(tmp_path / "world", "seed") as world, socket.socket(socket.AF_UNIX) as node:
        node.connect(str(tmp_path / "world"))
        lines = node.makefile("rwb", buffering=0)
        first = [lines.readline() for _ in SENSORS]
        world.asleep()
        lines.write(b"".join(first))  # was under way
        until(lambda: len(world._told) == len(SENSORS), what="the lines")
        assert not world.watched
        world.awake()
        assert world.watched
