"""RAUC over D-Bus (de.pengutronix.rauc.Installer): what it installs, and which slot is started next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homenode.errors import HomenodeError, SetupError

_ANSWER_S = 60.0
"""Marking writes to the card; inspecting reads the bundle's end only."""
_LOOK_S = 2.0
"""Between two looks whether RAUC still lives while it installs."""
_LONGEST_S = 3600.0
"""Of an installation: an image of 1 GB takes minutes on the slowest card."""


class RaucError(HomenodeError):
    """RAUC refused or failed; nobody retries what was refused. `is_gone`: the bus is."""

    def __init__(self, what: str, *, is_gone: bool = False) -> None:
        self.is_gone = is_gone
        super().__init__(what)

    @property
    def is_signature(self) -> bool:
        """Whether it is about who signed the bundle."""
        text = self.what.lower()
        return any(word in text for word in ("signature", "verification", "verify", "certificate", "signer"))


@dataclass(frozen=True, slots=True)
class Slot:
    """A root file system; `name` is RAUC's (``rootfs.1``), `bootname` the boot loader's (``B``)."""

    name: str
    bootname: str
    booted: bool
    good: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle says of itself, its signature having been checked."""

    version: str
    compatible: str


class Rauc:
    """A connection to it.

    Args:
        bus: Address of the bus; "" for the system's.
    """

    def __init__(self, bus: str = "") -> None:
        try:
            from jeepney import DBusAddress
            from jeepney.io.blocking import open_dbus_connection
        except ImportError as error:
            raise SetupError(
                "updates: needs a library that is not installed", do="pip install 'homenode[update]'"
            ) from error
        self._address = DBusAddress(
            "/", bus_name="de.pengutronix.rauc", interface="de.pengutronix.rauc.Installer"
        )
        try:
            self._bus = open_dbus_connection(bus or "SYSTEM")
        except (OSError, KeyError, ValueError) as error:
            raise SetupError("no D-Bus to reach RAUC with", do="is dbus running?") from error

    def close(self) -> None:
        """Hang up."""
        self._bus.close()

    def _call(self, method: str, signature: str | None = None, body: Sequence[Any] = ()) -> Any:
        from jeepney import new_method_call

        return self._answered(new_method_call(self._address, method, signature, tuple(body)))

    def _answered(self, message: Any) -> Any:
        from jeepney import MessageType

        try:
            reply = self._bus.send_and_get_reply(message, timeout=_ANSWER_S)
        except TimeoutError as error:
            raise RaucError(f"no answer within {_ANSWER_S:.0f} s") from error
        except OSError as error:
            raise RaucError(f"D-Bus: {error}", is_gone=True) from error
        if reply.header.message_type is MessageType.error:
            from jeepney import HeaderFields

            name = str(reply.header.fields.get(HeaderFields.error_name, ""))
            raise RaucError(str(reply.body[0]) if reply.body else name)
        return reply.body[0] if len(reply.body) == 1 else reply.body

    def _property(self, name: str) -> Any:
        from jeepney import Properties

        return _plain(self._answered(Properties(self._address).get(name)))

    @property
    def compatible(self) -> str:
        """Which kind of node this is. Raises RaucError."""
        return str(self._property("Compatible"))

    def slots(self) -> list[Slot]:
        """Those that can be started. Raises RaucError."""
        found = []
        for name, row in self._call("GetSlotStatus"):
            told = _plain(row)
            if "bootname" in told:
                booted, good = told.get("state") == "booted", told.get("boot-status") == "good"
                found.append(Slot(name, told["bootname"], booted, good))
        return found

    def inspect(self, path: Path) -> Bundle:
        """Check a bundle's signature and read what it says. Raises RaucError."""
        told = self._call("InspectBundle", "sa{sv}", (str(path), {}))
        update = _plain(told.get("update", {}))
        return Bundle(str(update.get("version", "")), str(update.get("compatible", "")))

    def install(self, path: Path, told: Callable[[float], None]) -> None:
        """Write a bundle to the slot that doesn't run, and have the boot loader start it next.

        Raises:
            RaucError: It could not; the slot that runs is what is started next.
        """
        from collections import deque

        from jeepney import MatchRule, message_bus

        rule = MatchRule(
            type="signal",
            interface=self._address.interface,
            member="Completed",
            path=self._address.object_path,
        )
        self._answered(message_bus.AddMatch(rule))
        with self._bus.filter(rule, queue=deque()) as signals:
            self._call("InstallBundle", "sa{sv}", (str(path), {}))
            result = self._completed(signals, told)
        if result:
            raise RaucError(str(self._property("LastError")) or "installing failed")

    def _completed(self, signals: Any, told: Callable[[float], None]) -> int:
        """What it ends with: 0 for done. One that died is started anew by D-Bus, and never says anything."""
        idle = 0
        for _ in range(int(_LONGEST_S / _LOOK_S)):
            try:
                return int(self._bus.recv_until_filtered(signals, timeout=_LOOK_S).body[0])
            except TimeoutError:
                idle = idle + 1 if self._property("Operation") == "idle" else 0
                if idle > 1:
                    raise RaucError("it ended in the middle of the installation") from None
                told(self._property("Progress")[0] / 100)
            except OSError as error:
                raise RaucError(f"D-Bus: {error}", is_gone=True) from error
        raise RaucError(f"the installation is not done within {_LONGEST_S / 60:.0f} min")

    def idle(self) -> None:
        """Nothing is being installed, such as for an updater that died. Raises RaucError: something is."""
        if (doing := str(self._property("Operation"))) != "idle":
            raise RaucError(f"it is {doing}")

    def mark(self, state: str, slot: str) -> None:
        """``good``, ``bad`` or ``active`` (started next); of ``booted`` or ``other``. Raises RaucError."""
        self._call("Mark", "ss", (state, slot))


def _plain(value: Any) -> Any:
    """A value without its variants, which jeepney gives as (signature, value); RAUC nests some."""
    while isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        value = value[1]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value
