"""Where the rule that a home uses is read: beside home.yaml, else among the shipped ones."""

from __future__ import annotations

import os
from pathlib import Path

from homenode.config.yaml12 import Scalar, Table, compose, read_text
from homenode.errors import FileMistakes


def shipped_folder() -> Path:
    """The folder of the rules that come with homenode."""
    import rules

    return Path(next(iter(rules.__path__)))


def find_rule(name: str, beside: Path) -> Path | None:
    """The file that ``use: NAME`` means; None if there is none.

    Args:
        name: A word (checked by the caller: no path in it).
        beside: Folder of home.yaml.
    """
    for folder in (beside / "rules", shipped_folder()):
        file = folder / f"{name}.yaml"
        if os.path.lexists(file):  # what is there and can't be read is told, never passed over for another
            return file
    return None


def misplaced(name: str, beside: Path) -> Path | None:
    """A file that was probably meant as ``rules/NAME.yaml``: in another folder, ``.yml``, in capitals."""
    wanted = {f"{name}.yaml".lower(), f"{name}.yml".lower()}
    try:
        folders = [
            beside,
            *(one for one in sorted(beside.iterdir()) if one.name.lower() in ("rules", "rule")),
        ]
        files = [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir())]
    except OSError:  # a folder that can't be listed tells nothing
        return None
    return next((file for file in files if file.name.lower() in wanted and file.is_file()), None)


def rule_names(beside: Path) -> tuple[str, ...]:
    """What ``use:`` may name in this home, sorted."""
    folders = (beside / "rules", shipped_folder())
    return tuple(
        sorted({file.stem for folder in folders if folder.is_dir() for file in folder.glob("*.yaml")})
    )


def own_name(file: Path) -> str:
    """The name that the rule gives itself (``rule:``); that of its file if it says none or can't be read."""
    try:
        root = compose(read_text(file, str(file)), str(file))
    except FileMistakes:
        return file.stem
    name = root.get("rule") if isinstance(root, Table) else None
    return name.text if isinstance(name, Scalar) and isinstance(name.value, str) else file.stem
