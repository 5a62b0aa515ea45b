"""What tests share; each loads what it needs when it is used."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory: to tell a disk which blocks are free takes it seconds."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Any]:
    """A mosquitto that takes everybody."""
    from tests.system.brokers import Mosquitto

    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium for the tests of a file."""
    from tests.system.pages import chromium

    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def cabled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Chromium at the other end of a cable."""
    from tests.system.filming import Cabled

    with Cabled(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture
def viewer(cabled: Any) -> Iterator[Any]:
    """A page there that looks."""
    with cabled.viewer() as found:
        yield found


@pytest.fixture
def filmed() -> Iterator[Any]:
    """What films, as a process; it fell over nothing and told no secret."""
    from tests.system.filming import Filmed

    with Filmed() as found:
        yield found
    assert "Traceback" not in found.complaints
    assert "secret" not in found.complaints
