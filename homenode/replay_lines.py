"""What a replay prints: lines, held back until the whole recording has been read without a mistake."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from typing import IO, Any, TextIO

from homenode.engine.transition import Happening, Transition
from homenode.errors import SetupError

IN_MEMORY = 4 << 20
"""Characters that wait in memory; more wait in a temporary file without a name."""


def line_of(change: Transition, at: str, where: str = "") -> str:
    """A transition as `--json` prints it.

    Args:
        change: The transition.
        at: When, as text.
        where: In which of two configurations, "" if there is one.
    """
    said: dict[str, Any] = {"in": where} if where else {}
    said |= {"at": at, "rule": change.rule, "alert": change.alert, "event": change.event.value}
    if change.event is Happening.STEP:
        said |= {"step": change.step, "do": change.do}
    if change.event is Happening.FAULT:
        said["because"] = list(change.because)
    return json.dumps(said, ensure_ascii=False) + "\n"


def when_read(lines: Iterable[str], out: TextIO) -> None:
    """Print `lines` when the last of them has come; nothing if what makes them raises.

    Raises:
        SetupError: There is no room for so many, or they can't be written.
    """
    held: list[str] = []
    size = 0
    with ExitStack() as stack:
        file: IO[str] | None = None
        for line in lines:
            held.append(line)
            size += len(line)
            if size > IN_MEMORY:
                try:
                    if file is None:
                        file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline=""))
                    file.writelines(held)
                    file.flush()
                except OSError as error:
                    raise _no_room(error) from error
                held.clear()
                size = 0
        try:
            if file is not None:
                file.seek(0)
                shutil.copyfileobj(file, out)
            out.writelines(held)
            out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SetupError(f"what was found can't be written: {error.strerror or error}") from error


def _no_room(error: OSError) -> SetupError:
    return SetupError(
        f"what was found can't be kept until the end: {error.strerror or error}",
        where=tempfile.gettempdir(),
        do="make room there, or name another folder by TMPDIR",
    )
