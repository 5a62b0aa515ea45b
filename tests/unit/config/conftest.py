"""A folder with the files that the example home names, and ways to read a home.yaml in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homenode.config.load import load_home
from homenode.config.model import Home
from homenode.errors import FileMistakes, Mistake
from tests.unit.config.some_drivers import DRIVERS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ca.pem", "node.pem", "node.key"):
        (tmp_path / name).write_text("PEM")
    (tmp_path / "karin").mkdir()
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "cooking.yaml").write_text("rule: cooking\n")
    (tmp_path / "rules" / "damp.yaml").write_text("rule: water_where_none_should_be\n")
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Callable[[str], Home]:
    def load(text: str) -> Home:
        (folder / "home.yaml").write_text(text, encoding="utf-8")
        return load_home(folder / "home.yaml", drivers=DRIVERS)

    return load


@pytest.fixture
def mistakes(load: Callable[[str], Home]) -> Callable[[str], list[Mistake]]:
    def mistakes(text: str) -> list[Mistake]:
        with pytest.raises(FileMistakes) as caught:
            load(text)
        return list(caught.value.mistakes)

    return mistakes
