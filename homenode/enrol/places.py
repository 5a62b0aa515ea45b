"""Where enrolment finds and leaves things on a node."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

FILE = "homenode-provision.yaml"
"""On the boot partition; once taken, it is gone from there."""
TOLD = "homenode-READ-ME.txt"
"""On the boot partition, for a laptop."""
FACTORY = ("factory.pem", "factory.key")
"""There, too, until they are taken."""
WIRELESS = "wlan0"
"""The Pi's own radio."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders; each may lie elsewhere for a test."""

    config: Path = Path("/etc/homenode")
    data: Path = Path("/var/lib/homenode")
    boot: Path = Path("/boot/firmware")
    trust: Path = Path("/usr/share/homenode/trust")
    machine: Path = Path("/var/lib/homenode-machine")
    """Root's own: what a provisioning file said of network, time and service key."""

    spare: Path = Path("/run/homenode-enrol/state.json")
    """In memory: how far enrolment is, while the card takes nothing."""

    partition: Path = Path("/run/homenode-data")
    """The image's word for its data partition: new, good, repaired, readonly, lost, and its size in MB."""

    @property
    def folder(self) -> Path:
        """Of enrolment's own files."""
        return self.data / "enrol"

    @property
    def provision(self) -> Path:
        """The provisioning file, when it was taken."""
        return self.folder / "provision.yaml"

    @property
    def state(self) -> Path:
        """For others to read."""
        return self.folder / "state.json"

    @property
    def forgets(self) -> bool:
        """Whether what is written now is gone with the next start: the card's data are damaged."""
        try:
            return self.partition.read_text(encoding="ascii").startswith(("readonly", "lost"))
        except (OSError, ValueError):
            return False

    @property
    def turn(self) -> Path:
        """What the office gave last, so that a copy of this card is found out."""
        return self.folder / "turn"

    @property
    def office(self) -> Path:
        """Which office the box was enrolled by."""
        return self.folder / "office.json"

    @property
    def sealed(self) -> Path:
        """Root's own: keys of those whose signatures are obeyed (`sealing`)."""
        return self.machine / "trust"

    @property
    def signers(self) -> Path:
        """Where their keys are now."""
        return self.sealed if os.path.isdir(self.sealed) else self.config / "trust"

    @property
    def successors(self) -> Path:
        """What the office gave of parties' keys that gave way to others."""
        return self.folder / "successors.json"

    @property
    def key(self) -> Path:
        """Made here, and never leaves."""
        return self.config / "node.key"

    @property
    def certificate(self) -> Path:
        """Of the key."""
        return self.config / "node.pem"

    @property
    def ca(self) -> Path:
        """Who certifies boxes, offices and brokers."""
        return self.config / "ca.pem"

    @property
    def home(self) -> Path:
        """What describes the home."""
        return self.config / "home.yaml"

    @property
    def erase(self) -> Path:
        """Is there while the tenancy is to be erased."""
        return self.folder / "erase"

    @property
    def factory(self) -> tuple[Path, Path]:
        """Certificate and key from the factory, if there are any: from the card, or put beside home.yaml."""
        folder = self.folder if (self.folder / FACTORY[0]).is_file() else self.config
        return folder / FACTORY[0], folder / FACTORY[1]
