"""Cards at their end: too small, worn out, with garbage where the data was."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.image import card
from homenode.enrol.places import TOLD
from tests.image.flat import Flat, flat, provision
from tests.image.machine import SERIAL
from tests.image.show import Given, Result

CARD_B = 2304 << 20
DATA_B = (card.FIRST_MIB + card.BOOT_MIB + 2 * card.SLOT_MIB) * card.MIB
"""Where the data partition begins."""


def damage(given: Given) -> Iterator[Result]:
    """The node goes on as long as it can, and says what is wrong."""
    with flat(given.made, given.image, given.folder, given.seed, card_b=CARD_B) as home:
        home.start()
        home.pair()
        yield Result("a card that is too small", True, _fault(home, "too small"))
        there = home.machine.card
        there.worn_out = True
        yield Result("it takes nothing any more", True, f"alert {home.trip():.2f} s")
        home.machine.off()
        took = home.come_back()
        yield Result("a start from it", True, f"online {took:.0f} s later, alert {home.trip():.2f} s")
        yield Result("the operator reads it", True, _fault(home, "data are damaged"))
        home.machine.off()
        there.worn_out = False
        with there.path.open("r+b") as stream:
            stream.seek(DATA_B)
            while stream.tell() < CARD_B:
                stream.write(there.chance.randbytes(card.MIB))
        home.machine.start()
        home.until(lambda: "skadade" in _on_card(there.path), "that the data are damaged")
        yield Result("its data is garbage: it starts, and says", True, _on_card(there.path).splitlines()[2])
        home.machine.off()
        provision(home.world, there.path, "box", "add", SERIAL, "--home", home.world.home)
        took = home.come_back()
        yield Result("and with a new file", True, f"online {took:.0f} s later, alert {home.trip():.2f} s")


def _fault(home: Flat, words: str) -> str:
    """What the operator reads."""

    def told() -> list[str]:
        return [text for _, body, _ in list(home.operator.messages) if words in (text := json.dumps(body))]

    return str(home.until(told, words, 900)[0])


def _on_card(path: Path) -> str:
    """What an installer reads of it on a laptop."""
    command = ["mtype", "-i", f"{path}@@{card.FIRST_MIB}M", f"::{TOLD}"]
    read = subprocess.run(command, check=False, capture_output=True)  # it may just be written
    return read.stdout.decode("utf-8-sig", "replace")
