"""How often a device will be heard of its own accord, and whether that is enough for what it is for (pure).

A smoke alarm whose battery fell out is silent, as one that sees no smoke is. So whoever guards somebody says
at least every four hours that it is there, or is asked; else it is not relied on unless a person insists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.zigbee.notes import Note
from homenode.reading import Value

LONGEST_S = 4 * 3600
"""What guards somebody is heard at least so often."""
GUARDS = ("smoke", "co", "gas", "heat", "water")
"""Kinds that are refused without it; a door is only told."""
HEARTBEATS_S = {"LUMI": 3024}
"""Makers whose battery devices say something at fixed times without being asked: Xiaomi and Aqara each 50 min
24 s (dresden-elektronik/deconz-rest-plugin issue 2980)."""
PATIENCE = 2.5
"""Check-ins that may be missing: one that was lost, and the clock of a sensor that is a quarter wrong."""
WATCHED = (*GUARDS, "contact")
UNTOLD_S = 25 * 3600
"""The longest silence of a sleeper of which nothing is known: those that tell nothing but their battery do so
once a day, and zigbee2mqtt calls who was heard within 25 h well (guide/configuration/device-availability)."""


@dataclass(frozen=True, slots=True)
class Use:
    """What home.yaml wants of a device.

    Attributes:
        stove: Its power is that of the stove.
        insisted: A person has read that it is not supervised, and wants it all the same.
    """

    name: str = ""
    stove: bool = False
    insisted: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What the installer is told.

    Attributes:
        note: None if all is well.
        refused: That nothing is wrong is not believed of it.
    """

    note: Note | None = None
    refused: bool = False


def judged(
    use: Use, kinds: Iterable[str], *, heard_s: int | None, documented_s: int | None, awake: bool
) -> Finding:
    """Whether a device of these kinds is heard often enough.

    Args:
        heard_s: The longest silence it has agreed to, as read back from it; None if it agreed to none.
        documented_s: The longest silence that is documented of its model; None if nothing is.
        awake: It can be asked at any time.
    """
    plain = {kind.partition("_")[0] for kind in kinds}
    watched = [kind for kind in WATCHED if kind in plain]
    watched += ["power"] if use.stove and "power" in plain else []
    if not watched or awake:
        return Finding()
    known = [span for span in (heard_s, documented_s) if span is not None]
    if known and min(known) <= LONGEST_S:
        return Finding()
    silence = _span(min(known)) if known else ""
    if not any(kind in GUARDS or kind == "power" for kind in watched):
        return Finding(Note("late", silence=silence))
    if use.insisted:
        return Finding(Note("insisted", silence=silence))
    return Finding(Note("refused", (", ".join(watched),), silence), refused=True)


def documented_s(manufacturer: str, row_ms: int | None) -> int | None:
    """The longest documented silence of a model; None if none is.

    Args:
        row_ms: `stale_after` of its row: at least twice that silence.
    """
    return HEARTBEATS_S.get(manufacturer) if row_ms is None else row_ms // 2000


def stale_after_ms(row_ms: int | None, heard_s: int | None, documented_s: int | None) -> int:
    """How long a sleeper may be silent without being missed, once it was asked for all that it promises.

    As its row says; else by what it agreed to or what is documented; where neither is known, by what battery
    devices do at least: it is no fault that one is well and has nothing to say.
    """
    if row_ms is not None:
        return row_ms
    known = [span for span in (heard_s, documented_s) if span is not None]
    return int(max(PATIENCE * min(known or [UNTOLD_S]), LONGEST_S)) * 1000


def believed(kind: str, value: Value) -> Value:
    """What is made of a value of a refused device: an alarm is one, and that there is none is not known."""
    plain = kind.partition("_")[0]
    unknown = plain == "power" or (plain in GUARDS and value is False)
    return None if unknown else value


def _span(seconds: int) -> str:
    return f"{seconds / 3600:.0f} h" if seconds >= 7200 else f"{seconds / 60:.0f} min"
