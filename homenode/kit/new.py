"""`homenode driver new`: a package to begin with, that keeps every promise as it is."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import TextIO

from homenode.config.registry import NAME, NAME_SHOWN, driver_types
from homenode.errors import SetupError

KINDS = ("gpio", "serial", "mqtt", "zigbee", "network")


def new(name: str, kind: str, out: Path | None, said: TextIO) -> int:
    """Write the package. Raises SetupError, and then nothing is written."""
    _usable(name)
    folder = out if out is not None else Path(f"homenode-{name.replace('_', '-')}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SetupError(
            "is there already", where=str(folder), do="name another folder with --out, or move it"
        )
    texts = {file: _template(template, name) for template, file in _files(name, kind).items()}
    try:
        for file, text in texts.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(
            f"can't be written: {error.strerror}", where=str(folder), do="use --out DIR"
        ) from error
    for file, text in texts.items():
        print(f"{folder / file}: {len(text.splitlines())} lines", file=said)
    print(f"next: homenode driver test {folder}", file=said)
    return 0


def _usable(name: str) -> None:
    if not re.fullmatch(NAME, name) or keyword.iskeyword(name):
        meant = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        good = f"such as {meant}" if re.fullmatch(NAME, meant) and not keyword.iskeyword(meant) else ""
        raise SetupError(f"{name!r} can't be a driver's name: it is {NAME_SHOWN}", do=good)
    if name in driver_types() or f"homenode_{name}" in sys.modules:
        raise SetupError(f"there is a driver {name} installed already", do="choose another name")


def _files(name: str, kind: str) -> dict[str, str]:
    """Template to file of the package."""
    if kind == "zigbee":
        return {
            "zigbee_pyproject.toml": "pyproject.toml",
            "zigbee_init.py": f"homenode_{name}/__init__.py",
            "zigbee_rows.yaml": f"homenode_{name}/rows.yaml",
            "zigbee_device.yaml": "device.yaml",
            "zigbee_simulated.py": f"homenode_{name}_simulated.py",
            "test_driver.py": f"test_{name}.py",
            "zigbee_hardware.md": "README.md",
        }
    return {
        "pyproject.toml": "pyproject.toml",
        f"{kind}_driver.py": f"homenode_{name}.py",
        f"{kind}_simulated.py": f"homenode_{name}_simulated.py",
        "test_driver.py": f"test_{name}.py",
        f"{kind}_hardware.md": "README.md",
    }


def _template(file: str, name: str) -> str:
    text = (files("homenode.kit") / "templates" / f"{file}.txt").read_text(encoding="utf-8")
    return text.replace("@name@", name).replace("@dashed@", name.replace("_", "-"))
