"""Where the updater keeps what, and shares it with the gateway and with the watch that needs no Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homenode.update.files import remove, write

ORDER, STATE = "order.json", "state.json"
SHARED = "update"
"""Folder of the two in the node's folder."""


@dataclass(frozen=True, slots=True)
class Places:
    """Attributes:
    data: The node's folder, the gateway's.
    own: The updater's: what the gateway must not be able to change, such as the highest version.
    run: Where the wish to restart is left for who may (homenode-restart.path).
    etc: Keys and trust anchors.
    """

    data: Path
    own: Path
    run: Path
    etc: Path

    @property
    def order(self) -> Path:
        """What the gateway passes on."""
        return self.data / SHARED / ORDER

    @property
    def state(self) -> Path:
        """What the gateway shows."""
        return self.data / SHARED / STATE

    @property
    def course(self) -> Path:
        """Where the update is."""
        return self.own / "course.json"

    @property
    def reserve(self) -> Path:
        """Room for the outcome of an update whose version fills the disk."""
        return self.own / "reserve"

    @property
    def trial(self) -> Path:
        """There while a slot is on trial, for deploy/homenode-trial."""
        return self.own / "trial"

    @property
    def starts(self) -> Path:
        """A line for each start on trial, and one when the watch fell back."""
        return self.own / "starts"


def arm(places: Places, slot: str, old: str, deadline_s: int) -> None:
    """Have the watch fall back from `slot` to `old` so many seconds after a start. Raises OSError."""
    lines: Mapping[str, object] = {"slot": slot, "old": old, "deadline_s": deadline_s}
    write(places.trial, "".join(f"{name}={value}\n" for name, value in lines.items()).encode())


def trial_of(places: Places) -> tuple[str, str] | None:
    """The slot on trial and the old one, as the watch reads them; None if none is."""
    try:
        lines = places.trial.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    return (told["slot"], told["old"]) if told.get("slot") and told.get("old") else None


def disarm(places: Places) -> None:
    """The watch has nothing to watch. Raises OSError."""
    remove(places.trial)
    remove(places.starts)


def left_by(places: Places) -> tuple[int, int]:
    """What the watch wrote down: starts of the slot on trial; the deadline (min) that one overran, or 0."""
    try:
        lines = places.starts.read_text(errors="replace").splitlines()
    except OSError:
        return 0, 0
    late = [line.split()[-1] for line in lines if " deadline " in line]
    return sum(" start" in line for line in lines), int(late[-1]) // 60 if late and late[-1].isdigit() else 0
