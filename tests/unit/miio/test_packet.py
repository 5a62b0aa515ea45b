"""miIO's packets: ours are python-miio's to the byte, and whatever else comes is told apart or dropped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.miio import packet
from homenode.sim.miio import cipher

TOKEN = bytes.fromhex("00112233445566778899aabbccddeeff")
ASKED = bytes.fromhex(
    "213100600000000002a0b00100001267fbb88cb002b83e06021ca47f3da3cf158201a5867fa00965f07b92be3ef26c5a9738b03abe"
    "f0d4db1612576f13f16b6dc7851e50a0ace15411a08124ca52e65fb18fa30303bf733f8b5c2e7c5aa5013b"
)
ANSWERED = bytes.fromhex(
    "213100400000000002a0b0010000126710f4c1e6bb7b83314e32cc4bed5aad4729f3709eacf19c52b6875261743d90a614df259953"
    "33a2f9d617a2e7e5257d31"
)
"""Made by python-miio 0.5.12 (miio.protocol.Message.build) for device 0x02a0b001 at its second 4711."""


def test_what_python_miio_makes_is_read() -> None:
    asked = packet.read(ASKED, TOKEN)
    assert asked == (0x02A0B001, 4711, {"id": 7, "method": "get_prop", "params": ["power"]})
    assert packet.read(ANSWERED, TOKEN).body == {"result": ["on"], "id": 7}


def test_what_is_made_here_is_what_a_device_opens() -> None:
    body = {"id": 7, "method": "get_prop", "params": ["power"]}
    made = packet.build(0x02A0B001, 4711, body, TOKEN)
    assert cipher.opened(made, TOKEN) == (0x02A0B001, 4711, body)
    assert cipher.opened(ASKED, TOKEN) == (0x02A0B001, 4711, body)


def test_a_greeting_has_no_body() -> None:
    assert packet.read(cipher.greeting(7, 3), TOKEN) == (7, 3, None)


@given(token=st.binary(min_size=16, max_size=16).filter(lambda it: it != TOKEN))
def test_another_token_is_told_as_one(token: bytes) -> None:
    with pytest.raises(packet.OtherToken):
        packet.read(ANSWERED, token)


@given(at=st.integers(0, len(ANSWERED) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_no_packet(at: int, bit: int) -> None:
    damaged = bytearray(ANSWERED)
    damaged[at] ^= 1 << bit
    with pytest.raises(packet.Unreadable):
        packet.read(bytes(damaged), TOKEN)


@given(raw=st.binary(max_size=200))
def test_noise_is_no_packet(raw: bytes) -> None:
    with pytest.raises(packet.Unreadable):
        packet.read(raw, TOKEN)


@pytest.mark.parametrize("body", [b"", b"[1]", b"7", b"{", b'{"id": 1}{', b"\xff" * 20, b"[" * 5000])
def test_a_sealed_text_that_is_no_object_is_no_packet(body: bytes) -> None:
    with pytest.raises(packet.Unreadable):
        packet.read(cipher.sealed(1, 1, body, TOKEN), TOKEN)


@pytest.mark.parametrize("end", [b"", b"\0", b"\0\0"])
def test_a_device_may_end_its_text_with_nuls(end: bytes) -> None:
    assert packet.read(cipher.sealed(1, 1, b'{"id": 1}' + end, TOKEN), TOKEN).body == {"id": 1}


@given(body=st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.integers(), st.lists)))
def test_any_object_comes_back(body: dict[str, Any]) -> None:
    assert packet.read(packet.build(1, 2, body, TOKEN), TOKEN) == (1, 2, body)
