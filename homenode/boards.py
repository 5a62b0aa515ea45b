"""The boards of hardware/boards.yaml: which pin is what, and what takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Bus:
    """A bus on the header. `pins`: BCM number to what it is there."""

    word: str
    name: str
    pins: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Board:
    """One board.

    Attributes:
        model: How /proc/device-tree/model begins on it.
        supply_ma: What its power supply has to give.
        own_ma, usb_ma: What it takes itself, and what its USB sockets give at most.
        has_clock: Its clock runs on without power, with a cell.
        pin_ma: What one GPIO gives or takes at most.
        chip: What the kernel calls the pins of its header.
        serial: Serial port to the GPIOs that it takes; none if it isn't on the header.
        libraries: Words of GPIOZERO_PIN_FACTORY that move its pins.
    """

    word: str
    name: str
    model: str
    supply_ma: int
    own_ma: int
    usb_ma: int
    has_clock: bool
    pin_ma: int
    chip: str
    serial: Mapping[str, Bus] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Boards:
    """All of it.

    Attributes:
        header: Physical pin to BCM number, or to what else it is.
        hat_eeprom: BCM number to what it is to a HAT, which alone may use it.
        limits: mA that may be taken: ``pins_ma``, ``rail_3v3_ma``.
    """

    header: Mapping[int, int | str]
    hat_eeprom: Mapping[int, str]
    buses: Mapping[str, Bus]
    boards: Mapping[str, Board]
    limits: Mapping[str, int]

    def physical(self, pin: int) -> int:
        """The header's pin of a GPIO."""
        return next(number for number, bcm in self.header.items() if bcm == pin)


MODEL = Path("/proc/device-tree/model")
"""What machine this is, in the kernel's words: ``Raspberry Pi 5 Model B Rev 1.0``."""


def board_here(file: Path = MODEL) -> Board | None:
    """The board that this machine is; None if it is none of them."""
    try:
        model = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return next((board for board in boards().boards.values() if model.startswith(board.model)), None)


def read_data(name: str) -> Any:
    """A file of hardware/."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(files("hardware").joinpath(name).read_text(encoding="utf-8"), Loader=loader)


@lru_cache(1)
def boards() -> Boards:
    """What boards.yaml says."""
    data = read_data("boards.yaml")
    buses = {word: Bus(word, said["name"], said["pins"]) for word, said in data["buses"].items()}

    def serial(port: str, pins: Any) -> Bus:
        return buses[pins] if isinstance(pins, str) else Bus(port, f"serial port {port}", pins)

    return Boards(
        header=data["header"],
        hat_eeprom=data["hat_eeprom"],
        buses=buses,
        boards={
            word: Board(
                word,
                said["name"],
                said["model"],
                said["supply_ma"],
                said["own_ma"],
                said["usb_ma"],
                said["clock"],
                said["pin_ma"],
                said["chip"],
                {port: serial(port, pins) for port, pins in said["serial"].items()},
                tuple(said["libraries"]),
            )
            for word, said in data["boards"].items()
        },
        limits=data["limits"],
    )
