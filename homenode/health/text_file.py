"""A file that node_exporter's textfile collector reads."""

from __future__ import annotations

import os
from pathlib import Path

from homenode.errors import StorageError


def put(file: Path, content: str) -> None:
    """In place of what stood there, whole: node_exporter reads at any time.

    Raises:
        StorageError: It can't be written.
    """
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        fresh.write_text(content)
        fresh.chmod(0o644)
        os.replace(fresh, file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StorageError(f"can't be written: {error.strerror}", where=str(file)) from error
