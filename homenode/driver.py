"""What a sensor technology implements, and what the gateway gives it. Drivers depend on this and no more.

A driver runs in a thread of its own with an event loop of its own, so that one that raises, hangs or
floods touches nothing else; what blocks or is native has a process of its own (`homenode.apart`). All
methods of `Host` may be called from any thread and never block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.errors import Mistake
from homenode.reading import Instant, Value


@dataclass(frozen=True, slots=True)
class Joined:
    """A device that a radio found or knows.

    Attributes:
        address: How home.yaml names it (Zigbee: the IEEE address, ``00:15:8d:…``).
        name: Its name in home.yaml, or "" while unassigned (then it feeds no rule).
        manufacturer, model: As the device says.
        kinds: Points it has, such as ``("contact", "battery")``; empty until interviewed.
        stale_after_ms: From its row in the device table; None if it has none.
        note: What an installer should know, in plain English; "" if nothing.
        note_in: The same by language (``{"sv": …}``), for those who read another.
    """

    address: str
    name: str
    manufacturer: str
    model: str
    kinds: tuple[str, ...]
    stale_after_ms: int | None = None
    note: str = ""
    note_in: Mapping[str, str] = field(default_factory=dict)


class Host(Protocol):
    """The gateway, as a driver sees it."""

    data: Path
    """Folder for the driver's own files; exists."""

    def now(self) -> Instant:
        """The node's steady clock."""
        ...

    def wall_to_instant(self, wall_ms: int) -> Instant:
        """An instant for a time stamp that a device or recording carries (ms since 1970, UTC)."""
        ...

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None:
        """A reading. A wrong type, a value out of range or an unknown kind becomes a fault, never a value."""
        ...

    def noticed(self, address: str, kind: str, value: Value) -> None:
        """What a device said that joined and has no name yet: an installer sees it, and it feeds nothing."""
        ...

    def alive(self, device: str) -> None:
        """The device was heard, though it said nothing about a point."""
        ...

    def lost(self, source: str, why: str, devices: Sequence[str] = (), *, battery: bool = False) -> None:
        """A fault of the driver ("radio gone") or of the named devices; repeated calls are one fault.

        `battery`: it is a battery to be changed, which the landlord's staff hear of, too.
        """
        ...

    def back(self, source: str) -> None:
        """What `lost` said of `source`, in this run or before, is over; call it at the first sign of that."""
        ...

    def joined(self, device: Joined) -> None:
        """A device joined, was interviewed, or is known from before; told again when it changes."""
        ...

    def last_heard(self, device: str, kind: str) -> tuple[Value, Instant] | None:
        """The newest reading of a point and when it was heard, also from before a restart; None if none."""
        ...

    def waiting(self) -> int:
        """Readings told but not yet taken and sent; a driver that plays a file keeps this below 1,000."""
        ...


class Driver(Protocol):
    """One running instance of a technology: a radio with its devices, or all wired devices of a driver."""

    async def run(self) -> None:
        """Until cancelled. Raises DriverLost (retried with back-off) or SetupError (a person must act).

        On cancellation everything (port, pins, threads) is released before it returns.
        """
        ...

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """Turn an output on or off (open or close a valve). Raises Refused or DriverLost."""
        ...

    async def pair(self, seconds: float) -> None:
        """Let new devices join for so long; 0 closes. Raises Refused where nothing can be paired.

        A driver whose devices have install codes also takes `install_code` and `address`: then only that
        device may join.
        """
        ...


@runtime_checkable
class Dismisses(Protocol):
    """A driver that can send away a device which joined by mistake, such as the neighbour's."""

    async def dismiss(self, address: str) -> None:
        """Have it leave and forget it; nothing if it isn't here. Raises Refused or DriverLost."""
        ...


@runtime_checkable
class Assigns(Protocol):
    """A driver that takes other devices while it runs. Another one is stopped, and opened anew with them."""

    async def assign(self, devices: Sequence[Device]) -> None:
        """These are its devices from now on: some are new, gone, or have another name or room.

        It goes over to them before it awaits anything, so that all it says after that is of these. If it
        raises, it is stopped and opened anew.
        """
        ...


@dataclass(frozen=True, slots=True)
class RadioWork:
    """What a person wants done with a radio's network while no node runs.

    Attributes:
        name: Of its entry under ``radios:``; `options` are that entry's.
        folder: Of the radio's own files.
        file: That the person named; None if none.
        wall_ms: The time, since 1970.
        overwrite: What is there may be erased.
    """

    name: str
    options: Mapping[str, Any]
    folder: Path
    file: Path | None
    wall_ms: int
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class DriverType:
    """What an entry point of the group ``homenode.drivers`` names. Importing it must import nothing heavy.

    Attributes:
        name: The word after ``driver:`` in home.yaml.
        blind_to: What this technology can't notice, in one plain sentence.
        radio_fields: Fields of its entry under ``radios:``; empty if it has none.
        device_fields: Fields of a device that uses it, beside ``room``, ``is``, ``stale_after``, ``model``.
        kinds: The points of a device, given its options; None if only an interview can tell.
        open: Makes the driver: (instance name, options of the radio entry, its devices, host).
        extra: pip extra that brings what it imports; "" if none.
        check: Mistakes that only all devices together show (a pin used twice): [(device, field, text)].
        look: Mistakes in files that the options of a radio's entry or of a device name (a token that is
            none): [(field, text)]. Not asked where a home is only read, as for a replay.
        own_files: Files of one's own that it reads beside home.yaml, with the mistakes in each. It is asked
            before a start and at a reload, which opens the driver anew if one of them changed.
        needs: What a device with these options takes of the board's header: (field, BCM number), or (field,
            bus), one of ``i2c1``, ``spi0``, ``w1``, ``uart0``, ``pcm``. Serial ports are found by their path.
        wired: Its devices never sleep: `stale_after` defaults to never.
        stale_after_ms: How long a device of this ``MANUFACTURER/MODEL`` may be silent; None if not known.
        put_out: The command of a small program that, when its standard input ends without a word, switches
            these outputs off: the node was killed. None if there is none; then none is a camera's lamp.
        forget: Erases what devices measured from this folder of an instance; pairings stay. Returns how many
            values; a folder of another driver has none. May raise OSError.
        work: What ``homenode radio WORD`` does: ``show``, ``backup``, ``restore``. Lines for a person; raises
            HomenodeError.
    """

    name: str
    blind_to: str
    radio_fields: tuple[Field, ...]
    device_fields: tuple[Field, ...]
    kinds: Callable[[Mapping[str, Any]], tuple[str, ...] | None]
    open: Callable[[str, Mapping[str, Any], Sequence[Device], Host], Driver]
    extra: str = ""
    check: Callable[[Sequence[Device]], Sequence[tuple[str, str, str]]] = lambda devices: ()
    look: Callable[[Mapping[str, Any]], Sequence[tuple[str, str]]] = lambda options: ()
    own_files: Callable[[], Mapping[Path, Sequence[Mistake]]] = dict
    needs: Callable[[Mapping[str, Any]], Sequence[tuple[str, int | str]]] = lambda options: ()
    wired: bool = False
    stale_after_ms: Callable[[str], int | None] = lambda model: None
    put_out: Callable[[Sequence[Device]], Sequence[str]] | None = None
    forget: Callable[[Path], int] = lambda folder: 0
    work: Mapping[str, Callable[[RadioWork], Sequence[str]]] = field(default_factory=dict)
