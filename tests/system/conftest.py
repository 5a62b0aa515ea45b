"""What tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium for the tests of a file."""
    from tests.system.pages import chromium

    with chromium() as found:
        yield found
