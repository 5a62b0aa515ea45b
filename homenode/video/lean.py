"""What makes the capture process start sooner: a third of its imports' time is for what it never uses."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


class _Lazily(MetaPathFinder):
    """aioice looks up `.local` names with dnspython; `offer` has left those out. Loaded if used after all."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target) if fullname.startswith("dns.") else None
        if found is not None and found.loader is not None:
            found.loader = LazyLoader(found.loader)
        return found


def load(*names: str) -> list[Future[ModuleType]]:
    """Import modules of this package one after the other in a thread; what fails is raised by its future.

    Called once, before anything heavy is loaded.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's: else a thread and its memory for each core
    sys.meta_path.insert(0, _Lazily())
    gc.disable()
    thread = ThreadPoolExecutor(1, "loading")
    futures = [thread.submit(import_module, f"homenode.video.{name}") for name in names]
    thread.submit(_loaded)
    return futures


def _loaded() -> None:
    """What is there stays."""
    gc.freeze()
    gc.enable()
