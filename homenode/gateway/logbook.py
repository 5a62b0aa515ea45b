"""The last lines of the log that the operator may read, in memory: systemd's journal is not ours to read."""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homenode.health.tellable import tellable

OURS = f"{Path(__file__).parents[2]}/"
KEPT = 400
"""Lines; some 100 kB, of which 10 kB are left when they are packed."""


class Logbook(logging.Handler):
    """Keeps them, each as it may be told and nothing of it besides."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """A line was logged."""
        fields = tellable(record.getMessage(), vars(record))
        if fields is not None:
            line = {"at_ms": int(record.created * 1000), "level": record.levelname.lower()}
            part = record.name.removeprefix("homenode.")
            self._lines.append({**line, "part": part, "event": record.getMessage(), **fields})

    def lines(self) -> list[dict[str, Any]]:
        """The oldest first."""
        return list(self._lines)


LOGBOOK = Logbook()
"""That of this process, as the log is."""


def of_error(error: BaseException | None) -> Mapping[str, str]:
    """What of an error tells nothing but itself: its kind, and where in homenode it came from."""
    if error is None:
        return {}
    frames = traceback.extract_tb(error.__traceback__)
    found = [frame for frame in frames if frame.filename.startswith(OURS)]
    place = f"{found[-1].filename.removeprefix(OURS)}:{found[-1].lineno}" if found else ""
    return {"error": type(error).__name__} | ({"place": place} if place else {})
