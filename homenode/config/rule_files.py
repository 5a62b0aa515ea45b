"""Where the rule that a home uses is read: beside home.yaml, else among the shipped ones.

Files are read as they stand on the disk, or as they were kept when they were read well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from homenode.config.yaml12 import Scalar, Table, compose, read_text
from homenode.errors import FileMistakes


def shipped_folder() -> Path:
    """The folder of the rules that come with homenode."""
    import rules

    return Path(next(iter(rules.__path__)))


class Texts:
    """Reads each file once, so that what was checked is what is kept, also while somebody edits it.

    Args:
        kept: Absolute path to text, read instead of the home's own files; shipped rules stand on the disk.
    """

    def __init__(self, kept: Mapping[Path, str] | None = None) -> None:
        self._kept = kept
        self._read: dict[Path, str] = {}

    @property
    def are_kept(self) -> bool:
        """Whether the home's own files are those that were kept."""
        return self._kept is not None

    def has(self, path: Path) -> bool:
        """Whether the file is there, be it unreadable, or in a folder that can't be looked into."""
        if self._kept is not None and path.parent != shipped_folder():
            return path in self._kept
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # it may be there: reading it tells why not, where a shipped one would hide that
            return True
        return True

    def read(self, path: Path, file: str) -> str:
        """The text of a file, which mistakes call `file`.

        Raises:
            FileMistakes: As `read_text`.
        """
        if path not in self._read:
            kept = self._kept or {}
            self._read[path] = kept[path] if path in kept else read_text(path, file)
        return self._read[path]

    def own(self) -> dict[Path, str]:
        """What was read of the home's own files."""
        shipped = shipped_folder()
        return {path: text for path, text in self._read.items() if path.parent != shipped}


def find_rule(name: str, beside: Path, texts: Texts | None = None) -> Path | None:
    """The file that ``use: NAME`` means; None if there is none.

    Args:
        name: A word (checked by the caller: no path in it).
        beside: Folder of home.yaml.
        texts: Where files are looked for; on the disk if not given.
    """
    texts = texts or Texts()
    for folder in (beside / "rules", shipped_folder()):
        file = folder / f"{name}.yaml"
        if texts.has(file):  # what is there and can't be read is told, never passed over for another
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


def own_name(file: Path, texts: Texts) -> str:
    """The name that the rule gives itself (``rule:``); that of its file if it says none or can't be read."""
    try:
        root = compose(texts.read(file, str(file)), str(file))
    except FileMistakes:
        return file.stem
    name = root.get("rule") if isinstance(root, Table) else None
    return name.text if isinstance(name, Scalar) and isinstance(name.value, str) else file.stem
