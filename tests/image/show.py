"""What every show is given, and gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploy.image.tools import Tools


@dataclass(frozen=True, slots=True)
class Given:
    """What a show is given: the tools, the image, a folder of its own, how many power cuts, and their
    seed."""

    made: Tools
    image: Path
    folder: Path
    cuts: int
    seed: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table."""

    show: str
    well: bool
    saw: str
