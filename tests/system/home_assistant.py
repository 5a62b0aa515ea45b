"""A Home Assistant core (PyPI), in an environment of its own in `.peers/`, that shows what a node shares."""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

FOLDER = Path(__file__).parents[2] / ".peers" / "homeassistant"
SCRIPT = Path(__file__).with_name("home_assistant_states.py")
_PYTHON = FOLDER / "bin/python"
_INTEGRATIONS = ("mqtt", "http", "file_upload", "camera", "stream", "image")
"""Those that MQTT can't be set up without; what each needs stands in its manifest."""
PATIENCE_S = 60.0


def _pythons() -> Iterator[str]:
    """Newest first: an older one gets an older Home Assistant."""
    yield from sorted(map(str, Path.home().glob(".pyenv/versions/3.13*/bin/python3.13")))
    yield from filter(None, [shutil.which("python3.13")])
    yield sys.executable


def _run(*words: str | Path) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=900).stdout


def install_or_skip() -> None:
    """It is there afterwards, or the test is skipped with the reason."""
    done = FOLDER / "installed"
    if done.exists():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        _install()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Home Assistant can't be installed: {error}")
    done.touch()


def _install() -> None:
    for python in _pythons():
        try:
            _run(python, "-m", "venv", "--without-pip", FOLDER)
            break
        except (OSError, subprocess.SubprocessError):
            continue  # a shim of pyenv is there even if it runs nothing
    # Debian's python3 may lack ensurepip; the pip that is here serves the new environment.
    pip = [sys.executable, "-m", "pip", "--python", str(_PYTHON), "install", "--prefer-binary", "--quiet"]
    _run(*pip, "homeassistant")
    where = Path(_run(_PYTHON, "-c", "import homeassistant as h; print(h.__path__[0])").strip())
    manifests = [
        json.loads((where / f"components/{name}/manifest.json").read_text()) for name in _INTEGRATIONS
    ]
    needs = {need for manifest in manifests for need in manifest.get("requirements", ())}
    _run(*pip, *sorted(need for need in needs if not re.match("(ha-)?av=", need)))  # for films only


class HomeAssistant:
    """One that is told of nothing but a broker and a discovery prefix.

    Attributes:
        states: Entity to its state now.
        attributes: Entity to its attributes now.
        said: What it has against a node: nothing, if all is well.
    """

    def __init__(self, folder: Path, port: int, prefix: str) -> None:
        folder.mkdir()
        self.states: dict[str, str] = {}
        self.attributes: dict[str, dict[str, Any]] = {}
        self.seen: list[tuple[str, str]] = []
        self._folder = folder
        self._news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [_PYTHON, SCRIPT, folder, str(port), prefix],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        self.until(lambda said: "ready" in said, "ready")

    @property
    def said(self) -> list[str]:
        """Lines of its log about a node."""
        lines = (self._folder / "log").read_text().splitlines()
        return [line for line in lines if "homenode" in line or "hn1/" in line]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._news.put(json.loads(line))

    def until(self, fits: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        """Take in what it tells until that fits."""
        while True:
            try:
                said = self._news.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"never: {what}\n{self.states}\n{self.said}") from None
            if "entity" in said:
                self.states[said["entity"]] = said["state"]
                self.attributes[said["entity"]] = said["attributes"]
                self.seen.append((said["entity"], said["state"]))
            if fits(said):
                return said

    def shows(self, **wanted: str) -> None:
        """Wait until entities (``DOMAIN__NAME``) have these states."""
        named = {name.replace("__", "."): state for name, state in wanted.items()}
        while not named.items() <= self.states.items():
            self.until(lambda said: "entity" in said, str(named))

    def devices(self) -> list[dict[str, Any]]:
        """All that it knows."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: list[dict[str, Any]] = self.until(lambda said: "devices" in said, "devices")["devices"]
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
