"""drivers/ADDING.md to the letter: its files are written, its commands run, its outputs compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "drivers" / "ADDING.md"
LONGEST_SENSOR = 60
"""Lines that a new sensor may cost."""
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"`([\w./-]+)`:\n$")


def _steps(chapter: str) -> list[tuple[str, str, str]]:
    """Language, file that the sentence before it ends with ("" if none), and text of each block."""
    steps = []
    for block in _BLOCK.finditer(chapter):
        named = _FILE.search(chapter[: block.start()])
        steps.append((block[1], named[1] if named else "", block[2]))
    return steps


CHAPTERS = {text[:3]: _steps(text) for text in PAGE.read_text(encoding="utf-8").split("\n## ")[1:4]}


def _pattern(expected: list[str]) -> re.Pattern[str]:
    """… is any text in a line, and any lines where it stands alone."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in expected
    ]
    return re.compile("".join(lines))


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment of its own, in which all that is installed here is there."""
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    scripts = {
        "pip": f"exec {sys.executable} -m pip --disable-pip-version-check --python {python}",
        "homenode": f"exec {python} -m homenode.cli",
    }
    for name, command in scripts.items():
        (tmp_path / name).write_text(f'#!/bin/sh\n{command} "$@"\n')
        (tmp_path / name).chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_page_does_what_it_says(tmp_path: Path, shell: dict[str, str], chapter: str) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    for language, file, text in CHAPTERS[chapter]:
        if file:
            (folder / file).write_text(text)
        if language != "console":
            assert file, f"a block of {language} without the file it goes to"
            continue
        for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            line, *expected = command.splitlines()
            done = subprocess.run(
                line, shell=True, cwd=folder, env=shell, capture_output=True, text=True, timeout=300
            )
            told = f"$ {line}\n{done.stdout}{done.stderr}"
            assert _pattern(expected).fullmatch(done.stdout), told


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_new_sensor_costs_less_than_sixty_lines(chapter: str) -> None:
    written = {file: text for _, file, text in CHAPTERS[chapter] if file and file != "home.yaml"}
    assert written
    assert sum(len(text.splitlines()) for text in written.values()) < LONGEST_SENSOR
