"""A box after its first day: its certificate is renewed, a copy of it is refused, another takes its place."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

from cryptography import x509

from tests.image.card import Card
from tests.image.flat import CARD_B, Flat, flat, provisioned
from tests.image.machine import Machine
from tests.image.show import Given, Result


def boxes(given: Given) -> Iterator[Result]:
    """Renewal; a copied card; a new box for the same home; moving out."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.world.settle("life: 10min")
        home.start()
        home.pair()
        before = _certificate(home)
        _visits(home, lambda: _certificate(home) != before, "renewed")
        ends = [one.not_valid_after_utc for one in (before, _certificate(home))]
        yield Result("certificate renewed", ends[1] > ends[0], f"good until {ends[0]}, then {ends[1]}")
        yield Result("and alerts", True, f"{home.trip():.2f} s")
        yield from _copied(home, given)
        yield from _swapped(home, given)


def _copied(home: Flat, given: Given) -> Iterator[Result]:
    """The card is copied, and both are there."""
    home.ask("sync")
    home.machine.card.sync()
    path = given.folder / "copy.img"
    shutil.copyfile(home.machine.card.path, path)
    copy = Machine(
        given.made,
        given.folder / "copy",
        Card(path, CARD_B, random.Random(2)),
        serial="10000000c0ffee02",
    )
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
    home.machine = Machine(given.made, given.folder, card, stick=home.world.sim["stick tcp"],
                           serial="10000000c0ffee03")  # fmt: skip
    try:
        took = home.come_back()
        yield Result("a new box, the old one's stick", True, f"online {took:.0f} s from power on")
        yield Result("and alerts, no pairing anew", True, f"{home.trip():.2f} s")
        home.order("update", {"version": "9.9.9", "url": home.world.url("none"), "sha256": "0" * 64})
        home.world.office_does("leave", home.world.home)
        _visits(home, lambda: [*home.world.office.glob("proofs/*")], "the proof")
        home.ask("sync")
        left = home.ask("ls /var/lib/homenode /etc/homenode").split()
        traces = home.ask(f"sleep 20; grep -rlE 'front_door|{home.world.home}' /data || true").split()
        yield Result("moved out", "home.yaml" not in left and not traces, ", ".join(traces or left))
    finally:
        home.machine.off()
        card.close()
        home.machine = old


def _certificate(home: Flat) -> x509.Certificate:
    return x509.load_pem_x509_certificate(home.ask("cat /etc/homenode/node.pem").encode())


def _visits(home: Flat, holds: Callable[[], object], what: str) -> None:
    """The box calls its office, as it does once a day, until this is so."""

    def visited() -> object:
        home.ask("systemctl start homenode-enrol.service")
        time.sleep(15)
        return holds()

    home.until(visited, what, 900)


def _reports(home: Flat) -> list[Any]:
    time.sleep(5)
    return list(home.world.boxes().get("reports", ()))
