"""A message leaves as the bytes that MQTT says, and of what comes only what says "taken" is read here."""

from __future__ import annotations

import pytest

from homenode.link.packets import publish, taken


def test_a_message_is_what_the_standard_says() -> None:
    plain = publish(1025, "a/b", b"{}", retain=False, with_properties=False)
    assert plain == bytes.fromhex("32 09 0003 612f62 0401 7b7d")
    kept = publish(1025, "a/b", b"", retain=True, with_properties=True)
    assert kept == bytes.fromhex("33 08 0003 612f62 0401 00")


@pytest.mark.parametrize(
    ("bytes_left", "said"),
    [(127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (2_097_152, "80808001")],
)
def test_its_length_is_told_in_as_few_bytes_as_it_needs(bytes_left: int, said: str) -> None:
    packet = publish(1024, "å", bytes(bytes_left - 6), retain=False, with_properties=False)
    length = bytes.fromhex(said)
    assert packet[1 : 1 + len(length)] == length
    assert len(packet) == 1 + len(length) + bytes_left


def test_what_is_taken_is_read_up_to_what_says_more() -> None:
    two, reason = bytes.fromhex("4002 0401 4002 ffff"), bytes.fromhex("4003 0402 10")
    assert taken(b"xx" + two + reason, 2) == ([0x0401, 0xFFFF], 10)
    assert taken(reason, 0) == ([], 0)


@pytest.mark.parametrize("cut", range(4))
def test_half_a_packet_waits_for_its_rest(cut: int) -> None:
    assert taken(bytes.fromhex("4002 0401")[:cut], 0) == ([], 0)
