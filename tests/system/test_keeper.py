"""The lamp of a look is off also when the gateway was killed and nobody starts it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.looks import Flat, flat, until
from tests.system.nodes import PATIENCE_S

pytest.importorskip("pigpio", reason="the extra gpio is not installed")
pytestmark = needs_mosquitto


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Flat]:
    with flat(tmp_path) as made:
        yield made


def keepers(home: Flat) -> list[str]:
    """Processes of this node that keep its lights."""
    mark = f"PIGPIO_PORT={home.sim.places['gpio']}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            keeps = b"homenode.gateway.keeper" in (process / "cmdline").read_bytes()
            if keeps and mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(process.name)
        except OSError:  # it is gone
            continue
    return found


def test_a_gateway_that_is_killed_leaves_the_lamp_off_and_no_process(home: Flat) -> None:
    with home.run() as node:
        home.look()
        assert (home.lit(), len(keepers(home))) == ((True, True), 1)
        node.kill()
        home.dark(1.5)
        until(lambda: not keepers(home), PATIENCE_S, home.seen)


def test_a_look_that_ends_in_order_leaves_no_keeper(home: Flat) -> None:
    with home.run():
        look = home.look()
        home.asked(session=look["session"], end=True)
        home.dark()
        until(lambda: not keepers(home), PATIENCE_S, home.seen)
