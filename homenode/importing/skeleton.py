"""A home.yaml to begin with: a device for each sensor that a recording names, and no rule yet."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from homenode.errors import SetupError
from homenode.importing.points import device_of
from homenode.kinds import KINDS, Shape


def write_home(path: Path, found: Mapping[str, tuple[Path, str, str]], timezone: str) -> None:
    """Write it; a file that is there is left alone.

    Args:
        path: Where to.
        found: Of `Guessed`.
        timezone: Of the home.

    Raises:
        SetupError: The file is there, or can't be written.
    """
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(home_text(path, found, timezone))
    except OSError as error:
        do = "name another, or move it away" if isinstance(error, FileExistsError) else "check the folder"
        raise SetupError(error.strerror or str(error), where=str(path), do=do) from error


def home_text(path: Path, found: Mapping[str, tuple[Path, str, str]], timezone: str) -> str:
    """What `write_home` writes; paths of recordings are relative to `path`."""
    tapes: dict[Path, str] = {}
    for file, _, _ in found.values():
        tapes.setdefault(file, f"tape_{len(tapes) + 1}" if tapes else "tape")
    lines = [
        "# Made by homenode import from a recording. Check each device's kind and room, give it the name",
        "# that people use, take away what no rule needs, and name the rules.",
        f"home: {device_of(next(iter(tapes))).replace('_', '-')[:40] if tapes else 'recorded'}",
        f"timezone: {timezone}",
        "language: sv",
        "radios:",
    ]
    for file, name in tapes.items():
        shown = json.dumps(os.path.relpath(file, path.parent), ensure_ascii=False)
        lines.append(f"  {name}: {{driver: recording, file: {shown}, timezone: {timezone}}}")
    lines.append("devices:  # whose recording is edges only has no check-ins: silence means nothing")
    for point, (file, source, room) in found.items():
        device, _, kind = point.partition(".")
        shown = json.dumps(source, ensure_ascii=False)
        where = json.dumps(room, ensure_ascii=False)
        fields = f"via: {tapes[file]}, sensor: {shown}, kind: {kind}, room: {where}"
        if KINDS[kind].shape is not Shape.NUMBER:
            fields += ", stale_after: never"
        lines.append(f"  {device}: {{{fields}}}")
    lines += ["rules:", "  # - use: stove_left_on", "  #   bind: {…}"]
    return "\n".join(lines) + "\n"
