"""python-miio, unmodified, in an environment of its own in `.peers/`: what it says to a simulated device."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / ".peers" / "python-miio"
_PYTHON = FOLDER / "bin/python"
_PACKAGES = (
    "python-miio==0.5.12",
    *("appdirs", "attrs", "cffi", "click", "construct", "croniter", "cryptography", "defusedxml", "ifaddr"),
    *("pycparser", "python-dateutil", "pytz", "PyYAML", "six", "tqdm", "zeroconf<1"),
)
"""Without netifaces, micloud and android_backup, which have no wheels and aren't needed for this."""


def _run(*words: str | Path) -> None:
    subprocess.run(words, capture_output=True, check=True, timeout=600)


def install_or_skip() -> None:
    """It is there afterwards, or the test is skipped with the reason."""
    done = FOLDER / "installed"
    if done.exists():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        _run(sys.executable, "-m", "venv", "--without-pip", FOLDER)
        pip = [sys.executable, "-m", "pip", "--python", str(_PYTHON), "install", "--quiet", "--no-deps"]
        _run(*pip, "--only-binary", ":all:", *_PACKAGES)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"python-miio can't be installed: {error}")
    done.touch()


def says(code: str) -> Any:
    """What an expression with `miio` in it gives, as JSON has it; a `DeviceException` gives its text."""
    text = (
        "import json, miio\n"
        f"try: said = {code}\n"
        "except miio.DeviceException as error: said = str(error)\n"
        "print(json.dumps(said))\n"
    )
    done = subprocess.run(
        [_PYTHON, "-W", "ignore", "-c", text], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)
