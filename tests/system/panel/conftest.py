"""A flat with its panel for the tests of a file, calm before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.panels import Flat, Panel, flat


@pytest.fixture(scope="module")
def flat_of_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flat]:
    """Its hardware, broker and node take seconds to start."""
    with flat(tmp_path_factory.mktemp("panel")) as made:
        yield made


@pytest.fixture
def home(flat_of_file: Flat) -> Iterator[Flat]:
    """All is off and shut, and is again at the end."""
    yield flat_of_file
    flat_of_file.calm()


@pytest.fixture(scope="module")
def panel(flat_of_file: Flat) -> Iterator[Panel]:
    """The page's server."""
    with Panel(flat_of_file.data) as running:
        yield running
