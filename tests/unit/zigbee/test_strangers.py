"""What an unknown network address said is kept until it is known whose it is, and no longer."""

from __future__ import annotations

from drivers.zigbee.short_path import Incoming
from drivers.zigbee.strangers import ADDRESSES_MOST, KEPT_MOST, KEPT_MS, SEEK_AGAIN_MS, Strangers


def said(address: int, sequence: int = 1) -> Incoming:
    return Incoming(0, 0x0104, 0x0500, 1, 1, 0, 0, sequence, 200, -50, address, 0, b"\x19\x01\x00\x01\x00")


def test_what_a_stranger_said_is_told_once_and_in_order() -> None:
    strangers = Strangers()
    strangers.keep(said(5, 1), 0)
    strangers.keep(said(6, 9), 0)
    strangers.keep(said(5, 2), 10)
    assert [message.sequence for message in strangers.known_now(5, 20)] == [1, 2]
    assert strangers.known_now(5, 20) == []


def test_what_was_said_long_ago_is_no_news() -> None:
    strangers = Strangers()
    strangers.keep(said(5, 1), 0)
    strangers.keep(said(5, 2), 1)
    assert [message.sequence for message in strangers.known_now(5, KEPT_MS)] == [2]


def test_a_stranger_is_looked_into_now_and_then() -> None:
    strangers = Strangers()
    assert strangers.due(5, 0)
    assert not strangers.due(5, SEEK_AGAIN_MS - 1)
    assert strangers.due(5, SEEK_AGAIN_MS)


def test_whoever_was_known_and_is_a_stranger_again_is_looked_into_at_once() -> None:
    strangers = Strangers()
    assert strangers.due(5, 0)
    strangers.known_now(5, 1)
    assert strangers.due(5, 2)


def test_a_flood_of_strangers_takes_no_more_room() -> None:
    strangers = Strangers()
    for sequence in range(3 * KEPT_MOST):
        strangers.keep(said(1, sequence), 0)
    assert [message.sequence for message in strangers.known_now(1, 0)] == list(range(8, 12))
    for address in range(2 * ADDRESSES_MOST):
        strangers.keep(said(address), 0)
        assert strangers.due(address, 0)
    assert strangers.due(0, 1)
    assert strangers.known_now(0, 1) == []
    assert strangers.known_now(2 * ADDRESSES_MOST - 1, 1) != []
