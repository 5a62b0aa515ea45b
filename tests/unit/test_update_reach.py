"""A broker that is away is told from one that only the gateway can't reach."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from homenode.update.reach import looked_at


@pytest.fixture
def broker() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def proof(link: str, *ports: int) -> dict[str, Any]:
    return {"link": link, "broker": False, "brokers": [["127.0.0.1", port] for port in ports]}


def test_where_somebody_answers_it_is_the_version_that_cannot(broker: socket.socket) -> None:
    port = broker.getsockname()[1]
    assert looked_at(proof("away", 9, port)) == {**proof("away", 9, port), "link": "down"}


def test_where_nobody_answers_the_link_is_away(broker: socket.socket) -> None:
    port = broker.getsockname()[1]
    broker.close()
    for told in (proof("away", 9, port), proof("away")):
        assert looked_at(told) == told


def test_a_name_that_none_can_be_is_nobody_who_answers() -> None:
    """One of several brokers; the gateway goes on to the next, too."""
    told = {"link": "away", "broker": False, "brokers": [["broker..example", 8883]]}
    assert looked_at(told) == told


def test_what_the_gateway_can_reach_is_not_tried(broker: socket.socket) -> None:
    broker.setblocking(False)
    for link in ("up", "down"):
        told = proof(link, broker.getsockname()[1])
        assert looked_at(told) is told
    with pytest.raises(BlockingIOError):
        broker.accept()
