"""What this process holds: open files, threads, processes (Linux tells under /proc), modules' variables."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from pathlib import Path

_TASKS = Path("/proc/self/task")


def held() -> dict[tuple[str, str], str]:
    """Each thing that is held, and how a person would call it."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of listing itself
            target = os.readlink(f"/proc/self/fd/{fd}")
            found[f"fd {fd}", target] = f"{target} (open file {fd})"
    names = {str(thread.native_id): thread.name for thread in threading.enumerate()}
    for task in _TASKS.iterdir():
        with contextlib.suppress(OSError):  # it ended meanwhile
            name = names.get(task.name) or (task / "comm").read_text().strip()
            found["thread", task.name] = f"a thread ({name})"
            for child in (task / "children").read_text().split():
                words = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                found["process", child] = f"the process {child} ({words.strip()[:80]})"
    return found


def kept_by(module: str) -> dict[str, object]:
    """What the variables of a module and of those in it hold: numbers and the like, and containers."""
    found: dict[str, object] = {}
    for name in [name for name in sys.modules if name == module or name.startswith(f"{module}.")]:
        for variable, value in vars(sys.modules[name]).items():
            if variable.startswith("__"):
                continue
            if isinstance(value, dict | list | set | deque | bytearray):
                found[f"{name}.{variable}"] = repr(value)
            elif isinstance(value, bool | int | float | str | bytes | tuple | None):
                found[f"{name}.{variable}"] = value
    return found


def waited_ns(thread: int) -> int:
    """How long a thread of this process could have run and was given no processor (sched_debug(8))."""
    return int((_TASKS / str(thread) / "schedstat").read_text().split()[1])
