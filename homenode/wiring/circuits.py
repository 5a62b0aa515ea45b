"""The circuits and converters of hardware/circuits.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from homenode.boards import read_data

Said = Mapping[str, str]
"""Language to text."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire of a circuit; see the head of circuits.yaml."""

    start: str
    to: str
    colour: str
    inner: str = ""
    outer: str = ""


@dataclass(frozen=True, slots=True)
class Across:
    """A part from one line to another, or to a rail. `once`: one for all devices of the circuit."""

    value: str
    line: int
    other: int | str
    at: str
    once: bool = False


@dataclass(frozen=True, slots=True)
class Circuit:
    """One way to wire something."""

    word: str
    on: str
    kinds: tuple[str, ...]
    name: Said
    wires: tuple[Wire, ...]
    ends: Said
    blind: Said
    across: tuple[Across, ...] = ()
    closed: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    output: bool = False
    pin_ma: float = 0.0
    rail_3v3_ma: float = 0.0


@dataclass(frozen=True, slots=True)
class Converter:
    """A chip. `terminals`: its own to what of the header they go to."""

    word: str
    name: str
    terminals: Mapping[str, str]
    channels: tuple[str, ...]
    parts: tuple[str, ...]
    rail_3v3_ma: float
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Circuits:
    """All of it. `colours`: word to its names and its paint."""

    circuits: tuple[Circuit, ...]
    converters: Mapping[str, Converter]
    colours: Mapping[str, Mapping[str, str]]

    def of(self, on: str, kind: str) -> Circuit | None:
        """The circuit of a kind on a pin, a converter or the 1-Wire bus; None if none is known.

        Of a driver on a serial port, too: its own, or what suits any.
        """
        here = [one for one in self.circuits if one.on == on]
        return next((one for name in (kind, "any") for one in here if name in one.kinds), None)


@lru_cache(1)
def circuits() -> Circuits:
    """What circuits.yaml says."""
    data = read_data("circuits.yaml")
    return Circuits(
        tuple(_circuit(word, said) for word, said in data["circuits"].items()),
        {
            word: Converter(
                word,
                said["name"],
                said["terminals"],
                tuple(said["channels"]),
                tuple(said["parts"]),
                said["ma_3v3"],
                tuple(said.get("addresses", ())),
            )
            for word, said in data["converters"].items()
        },
        data["colours"],
    )


def _circuit(word: str, said: Mapping[str, Any]) -> Circuit:
    return Circuit(
        word,
        said["place"],
        tuple(said["kinds"]),
        said["name"],
        tuple(
            Wire(one["from"], one["to"], one["colour"], one.get("in", ""), one.get("out", ""))
            for one in said["wires"]
        ),
        said["ends"],
        said["blind"],
        tuple(
            Across(one["value"], one["line"], one["other"], one["at"], one.get("once", False))
            for one in said.get("across", ())
        ),
        tuple(said.get("closed", ())),
        tuple(said["parts"]),
        said.get("output", False),
        said.get("ma_pin", 0.0),
        said.get("ma_3v3", 0.0),
    )
