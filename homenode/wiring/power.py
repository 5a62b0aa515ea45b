"""What the parts are, what they cost, and what they take of the supply, of 3V3 and of the pins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from homenode.boards import Board, read_data
from homenode.config.model import Device, Home
from homenode.wiring.circuits import Circuit, Circuits

ALWAYS = ("supply", "card", "terminals", "enclosure")
UPS_WH, UPS_GIVES = 20.0, 0.8
"""Two 18650 of 2.8 Ah, and what is left of that behind a converter."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the list. `price_sek`: of one, from and to; `standard`: what it is to be marked with."""

    word: str
    count: int
    said: Mapping[str, str]
    price_sek: tuple[int, int]
    ma_5v: float = 0.0
    ma_3v3: float = 0.0
    standard: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """Currents in mA, most at once.

    Attributes:
        supply_most: What the board's maker wants of the supply.
        on_pins: What all GPIOs give together.
        on_one: What the one gives that gives most.
    """

    own: float
    parts_5v: float
    rail_3v3: float
    on_pins: float
    on_one: float
    supply_most: int
    rail_3v3_most: int
    on_pins_most: int
    on_one_most: int

    @property
    def total(self) -> float:
        """Of 5 V; 3V3 is made from it, by a regulator that takes no more than it gives."""
        return self.own + self.parts_5v + self.rail_3v3

    @property
    def ups_h(self) -> float:
        """Hours on the UPS of the list."""
        return UPS_WH * UPS_GIVES / (5.0 * self.total / 1000)

    @property
    def too_much(self) -> tuple[str, ...]:
        """Which limits are passed: ``supply``, ``rail_3v3``, ``on_pins``, ``on_one``."""
        pairs = {
            "supply": (self.total, self.supply_most),
            "rail_3v3": (self.rail_3v3, self.rail_3v3_most),
            "on_pins": (self.on_pins, self.on_pins_most),
            "on_one": (self.on_one, self.on_one_most),
        }
        return tuple(name for name, (taken, most) in pairs.items() if taken > most)


@lru_cache(1)
def data() -> Mapping[str, Any]:
    """parts.yaml."""
    said: Mapping[str, Any] = read_data("parts.yaml")
    return said


def priced() -> str:
    """What the oldest price rests on, and when it was found."""
    return min((str(part["price"][2]) for part in data()["parts"].values()), key=lambda how: how[-7:])


def parts_of(
    home: Home, board: Board, wired: Sequence[tuple[Device, Circuit]], drawn: Circuits
) -> tuple[Part, ...]:
    """All parts of the node and of what is wired to it; radio sensors are not among them."""
    count: Counter[str] = Counter([f"board_{board.word}", *ALWAYS])
    if not board.has_clock:
        count["clock"] = 1
    count["ups"] = 1
    for radio in home.radios.values():
        if radio.driver in data()["radios"]:
            count[data()["radios"][radio.driver]] += 1
    for adc in {(d.options["adc"], d.options.get("chip") or 0) for d, _ in wired if d.options.get("adc")}:
        count.update(drawn.converters[adc[0]].parts)
    seen: set[str] = set()
    for device, circuit in wired:
        count["cable"] += 1
        for part in circuit.parts:
            each, _, word = part.rpartition(" ")
            if device.name not in seen or each:
                count[word] += 1
        if device.name not in seen and (kind := data()["kinds"].get(device.options.get("kind"))):
            count[kind] += 1
        seen.add(device.name)
        if circuit.word == "thermometer":
            count["resistor_4k7"] = 1
    parts = data()["parts"]
    return tuple(
        Part(
            word,
            number,
            parts[word],
            tuple(parts[word]["price"][:2]),
            parts[word].get("ma_5v", 0.0),
            parts[word].get("ma_3v3", 0.0),
            parts[word].get("standard", ""),
        )
        for word, number in count.items()
    )


def budget(
    board: Board,
    limits: Mapping[str, int],
    parts: Sequence[Part],
    wired: Sequence[Circuit],
    converters_ma: Sequence[float],
) -> Budget:
    """The currents of all of it, at once."""
    rail = sum(part.ma_3v3 * part.count for part in parts)
    rail += sum(circuit.rail_3v3_ma for circuit in wired) + sum(converters_ma)
    return Budget(
        own=board.own_ma,
        parts_5v=sum(part.ma_5v * part.count for part in parts),
        rail_3v3=round(rail, 1),
        on_pins=round(sum(circuit.pin_ma for circuit in wired), 1),
        on_one=max((circuit.pin_ma for circuit in wired), default=0.0),
        supply_most=board.supply_ma,
        rail_3v3_most=limits["rail_3v3_ma"],
        on_pins_most=limits["pins_ma"],
        on_one_most=board.pin_ma,
    )
