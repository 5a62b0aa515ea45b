"""What interviews found out about devices, kept in a small file beside zigpy's database."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from drivers.zigbee.notes import Note
from drivers.zigbee.plan import Facts
from drivers.zigbee.rows import Place

VERSION = 1


def _written(place: Place) -> str:
    return f"{place.endpoint}/{place.cluster:04x}/{place.attribute:04x}"


def _read(text: str) -> Place:
    endpoint, cluster, attribute = text.split("/")
    return Place(int(endpoint), int(cluster, 16), int(attribute, 16))


def _note(kept: Any) -> Note:
    """As it was kept; once as an English text."""
    if isinstance(kept, str):
        return Note("row", (kept, kept))
    return Note(str(kept[0]), tuple(kept[1]), str(kept[2]))


class Memory:
    """Facts by IEEE address. A file that is missing or damaged costs a new interview, nothing else.

    Attributes:
        joining: IEEE to network address of devices that joined and that zigpy, which keeps only what it has
            interviewed, doesn't know yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._facts: dict[str, Facts] = {}
        self.joining: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            kept = json.loads(file.read_text(encoding="utf-8"))
            if kept["version"] == VERSION:
                self.joining = {str(ieee): int(address) for ieee, address in kept.get("joining", {}).items()}
                for ieee, entry in kept["devices"].items():
                    self._facts[ieee] = Facts(
                        values={_read(where): int(value) for where, value in entry["values"].items()},
                        absent={_read(where) for where in entry["absent"]},
                        seen=set(entry["seen"]),
                        notes=[_note(kept) for kept in entry["notes"]],
                        constant=bool(entry["constant"]),
                        complete=bool(entry["complete"]) and "heard_s" in entry,
                        heard_s=entry.get("heard_s"),
                        left=bool(entry.get("left", False)),
                    )

    def facts(self, ieee: str) -> Facts:
        """Of a device; new and incomplete ones if nothing is known."""
        return self._facts.setdefault(ieee, Facts())

    def forget(self, ieee: str) -> None:
        """It is no longer here."""
        self._facts.pop(ieee, None)
        self.joining.pop(ieee, None)

    def save(self) -> None:
        """Write, so that a power cut leaves the old or the new file. Raises OSError."""
        entries: dict[str, Any] = {
            ieee: {
                "values": {_written(place): value for place, value in sorted(facts.values.items())},
                "absent": [_written(place) for place in sorted(facts.absent)],
                "seen": sorted(facts.seen),
                "notes": facts.notes,
                "constant": facts.constant,
                "complete": facts.complete,
                "left": facts.left,
                "heard_s": facts.heard_s,
            }
            for ieee, facts in sorted(self._facts.items())
        }
        new = self._file.with_suffix(".new")
        with new.open("w", encoding="utf-8") as stream:
            json.dump({"version": VERSION, "devices": entries, "joining": self.joining}, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(self._file)
