"""What a coordinator keeps through a power cut: its network, its keys and who belongs to it.

A real stick has this in its NVM3 flash; here it is a JSON file that is replaced in one step.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from homenode.errors import SetupError, StorageError
from homenode.sim.zigbee.air import COORDINATOR, Role

COUNTER_STEP = 4096
"""Sticks store the outgoing frame counter in steps and go on from the next one after a reset."""

_FORMAT = 1


@dataclass(slots=True)
class LinkKey:
    """One entry of the key table, or a transient key."""

    ieee: int
    key: str
    sent: int = 0
    received: int = 0


@dataclass(slots=True)
class Member:
    """A device that was let in: where it sits and what it is.

    Attributes:
        parent: IEEE address of the router it hangs under; None for the coordinator itself.
    """

    ieee: int
    network_address: int
    role: int
    sleepy: bool
    parent: int | None = None


@dataclass(slots=True)
class Network:
    """The network as flash has it. Keys are hex, addresses numbers.

    Attributes:
        formed: Whether there is one at all; if not, the other values mean nothing.
        key_counter: Outgoing network frame counter.
        tokens: Other flash cells that a host writes, by "number:index", hex.
    """

    ieee: int
    formed: bool = False
    pan_id: int = 0xFFFF
    extended_pan_id: int = 0
    channel: int = 11
    tx_power_dbm: int = 8
    manager: int = COORDINATOR
    update_id: int = 0
    channels: int = 0x07FFF800
    key: str = "00" * 16
    key_sequence: int = 0
    next_key: str = "00" * 16
    key_counter: int = 0
    trust_key: str = "00" * 16
    trust_counter: int = 0
    security: int = 0
    trust_centre: int = 0
    link_keys: dict[int, LinkKey] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def by_address(self, network_address: int) -> Member | None:
        """The member that has this network address."""
        return next((m for m in self.members.values() if m.network_address == network_address), None)

    def children(self) -> list[Member]:
        """End devices that hang directly under the coordinator, in order of joining."""
        return [m for m in self.members.values() if m.parent is None and m.role == Role.END_DEVICE]

    def leave(self) -> None:
        """Forget the network and everybody in it; the keys that were entered stay until cleared."""
        kept = Network(self.ieee, tokens=self.tokens, link_keys=self.link_keys)
        for name in Network.__slots__:
            setattr(self, name, getattr(kept, name))


def load(path: Path, ieee: int) -> Network:
    """The stored network, or an unformed one for a stick with this IEEE address.

    Raises:
        SetupError: The file is there but no state of a simulated stick.
    """
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Network(ieee)
    except (OSError, ValueError) as error:
        raise SetupError(
            f"can't be read: {error}", where=str(path), do="delete it, or name another"
        ) from error
    try:
        if stored.pop("format") != _FORMAT:
            raise ValueError("another format")
        stored["link_keys"] = {int(i): LinkKey(**key) for i, key in stored["link_keys"].items()}
        stored["members"] = {m["ieee"]: Member(**m) for m in stored["members"]}
        return Network(**stored)
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(
            f"is no state of a simulated stick ({error})", where=str(path), do="delete it, or name another"
        ) from error


def save(path: Path, network: Network) -> None:
    """Store in one step, so that a kill at any moment leaves the old state or the new one.

    Raises:
        StorageError: The disk is full or read-only.
    """
    stored = asdict(network)
    stored["format"] = _FORMAT
    stored["members"] = list(stored["members"].values())
    if network.formed:
        stored["key_counter"] = (network.key_counter // COUNTER_STEP + 1) * COUNTER_STEP
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(json.dumps(stored, indent=1), encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise StorageError(f"can't store the stick's state: {error}", where=str(path)) from error
