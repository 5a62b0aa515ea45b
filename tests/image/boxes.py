"""A box after its first day: its certificate is renewed, a copy of it is refused, another takes its place."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from typing import Any

from tests.image.card import Card
from tests.image.flat import CARD_B, Flat, flat, provisioned
from tests.image.machine import Machine
from tests.image.show import Given, Result

RENEW = "systemctl start homenode-enrol.service"


def boxes(given: Given) -> Iterator[Result]:
    """Renewal; a copied card; a new box for the same home; moving out."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.world.settle("life: 10min")
        home.start()
        home.pair()
        before = _certificate(home)
        home.until(lambda: (home.ask(RENEW), _certificate(home) != before)[1], "renewed", 900)
        yield Result("certificate renewed", True, f"{before} then {_certificate(home)}")
        yield Result("and alerts", True, f"{home.trip():.2f} s")
        yield from _copied(home, given)
        yield from _swapped(home, given)


def _copied(home: Flat, given: Given) -> Iterator[Result]:
    """The card is copied, and both are there."""
    home.ask("sync")
    home.machine.card.sync()
    path = given.folder / "copy.img"
    shutil.copyfile(home.machine.card.path, path)
    copy = Machine(given.made, given.folder / "copy", Card(path, path, CARD_B, random.Random(2)))
    copy.start()
    try:
        reports = home.until(
            lambda: [one for one in _reports(home) if "identity" in json.dumps(one)], "reported"
        )
        yield Result("a copied card", True, str(reports[0])[:100])
    finally:
        copy.off()
        copy.card.close()


def _swapped(home: Flat, given: Given) -> Iterator[Result]:
    """A new box with the old one's stick."""
    old = home.machine
    old.off()
    card = provisioned(home.world, given.image, given.folder / "new.img", given.seed, "swap", home.world.home)
    home.machine = Machine(given.made, given.folder, card, stick=home.world.sim["stick tcp"])
    try:
        took = home.come_back()
        yield Result("a new box, the old one's stick", True, f"online {took:.0f} s from power on")
        yield Result("and alerts, no pairing anew", True, f"{home.trip():.2f} s")
        home.world.office_does("leave", home.world.home)
        home.until(lambda: (home.ask(RENEW), [*home.world.office.glob("proofs/*")])[1], "the proof", 600)
        left = home.ask("ls /var/lib/homenode /etc/homenode").split()
        yield Result("moved out", not {"home.yaml", "journal"} & set(left), ", ".join(left))
    finally:
        home.machine.off()
        card.close()
        home.machine = old


def _certificate(home: Flat) -> str:
    return (
        home.ask("openssl x509 -in /etc/homenode/node.pem -noout -serial -enddate").replace("\n", " ").strip()
    )


def _reports(home: Flat) -> list[Any]:
    return list(home.world.boxes().get("reports", ()))
