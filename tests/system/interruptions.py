"""Looks that are interrupted in every way there is, after which nothing may be left."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from tests.system.looks import Flat, until
from tests.system.nodes import PATIENCE_S, homenode


def _end(home: Flat) -> None:
    home.ask(session=home.entries()[-1]["session"], end=True)


def _signalled(home: Flat, to: Callable[[], Iterable[int]], number: signal.Signals) -> None:
    """Those of its processes, and then the viewer ends it."""
    for pid in to():
        os.kill(pid, number)
    _end(home)


INTERRUPTIONS: dict[str, Callable[[Flat], object]] = {
    "kill -9 of what films": lambda home: [os.kill(pid, signal.SIGKILL) for pid in home.films()],
    "kill -9 of the node": lambda home: home.node.kill(),
    "restart": lambda home: home.node.stop(),
    "link cut": lambda home: home.broker.kill(),
    "stop button": lambda home: home.sim.do("press no"),
    "panel": lambda home: home.node.ask("video", "stop"),
    "viewer": _end,
    "stopped, and the viewer": lambda home: _signalled(home, home.films, signal.SIGSTOP),
    "kill -9 of what waits for the node's death": lambda home: _signalled(home, home.keepers, signal.SIGKILL),
    "reload": lambda home: (home.describe(more="ask: yes"), home.node.ask("reload")),
}
NODE_ENDS = ("kill -9 of the node", "restart")
WITHIN_S = 1.5
"""A second, and what a busy machine takes to see it."""


def interrupted(
    home: Flat,
    hows: Iterable[str],
    ask: Callable[[], object],
    wait: Callable[[], float],
    *,
    mood: Callable[[], str] = str,
    capture: str,
) -> None:
    """One look after the other; each is interrupted, and nothing of it is left.

    Args:
        hows: Names of INTERRUPTIONS.
        ask: Asks for a look.
        wait: For how long it may then go on, in seconds.
        mood: How the camera behaves.
    """
    left, took = list(hows), defaultdict[str, list[float]](list)
    while left:
        with home.run(capture=capture) as node:
            how = ""
            while how not in NODE_ENDS and left:
                how = left.pop(0)
                home.describe(mood())
                assert node.ask("reload").returncode == 0
                before = node.log.count("state=granted")
                ask()
                if how not in NODE_ENDS:  # else it may come before there is one
                    until(partial(_granted, home, before), PATIENCE_S, home.seen)
                time.sleep(wait())
                INTERRUPTIONS[how](home)
                if how == "kill -9 of what films":  # it may have come before there was one
                    node.ask("video", "stop")
                took[how].append(home.dark(WITHIN_S))
                if how == "link cut":
                    home.broker.start()
                    node.until("link up")
        with home.run(capture=capture) as node:
            entries = home.entries()
            node.stop()
    print(
        "\ninterrupted by",
        *(f"{how}: {len(s)}, dark after {max(s):.2f} s at most" for how, s in took.items()),
        sep="\n  ",
    )
    verified = homenode("journal", "verify", "--data", str(home.folder / "data"))
    assert verified.returncode == 0, verified.stdout
    assert {one["session"] for one in entries if one["event"] == "granted"} <= {
        one["session"] for one in entries if one["event"] == "ended"
    }


def _granted(home: Flat, before: int) -> bool:
    return home.node.log.count("state=granted") > before


def at_random(chance: random.Random, count: int) -> list[str]:
    """Ways, each as often as any."""
    return [chance.choice(sorted(INTERRUPTIONS)) for _ in range(count)]
