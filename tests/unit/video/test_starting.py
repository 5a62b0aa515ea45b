"""What makes the first picture come sooner."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest

pytest.importorskip("aiortc", reason="the extra video is not installed")

from homenode.video.encoder import Encoder
from homenode.video.peer import Pictures
from homenode.video.picture import empty

_LOADED = """
import gc, sys, time
from homenode.video import lean
filming, peer = lean.load("filming", "peer")
assert peer.result().Peer and filming.result().Filming
assert "aiortc" in sys.modules and "cv2" not in sys.modules
unused = [name for name in sys.modules if name.startswith("dns.rdtypes")]
assert not unused, unused
import aioice.mdns
assert str(aioice.mdns.dns.name.from_text("a.local")) == "a.local.", "what is used after all is there"
assert isinstance(lean.load("no_such_module")[0].exception(), ImportError)
while not gc.isenabled():
    time.sleep(0.01)
assert gc.get_freeze_count() > 10_000
"""


def test_what_is_never_used_is_not_loaded_and_the_rest_is() -> None:
    subprocess.run([sys.executable, "-c", _LOADED], check=True, timeout=60)


def _packets(count: int, *, whole: bool) -> list[Any]:
    encoder, packets = Encoder(), []
    for nth in range(count):
        if whole:
            encoder.want_whole()
        packets.append(encoder.encode(empty(64, 48), nth * 66))
        packets[-1].pts, packets[-1].time_base = nth * 66, Fraction(1, 1000)
    return packets


def test_a_viewer_who_is_there_gets_the_newest_whole_picture_at_once_and_then_each() -> None:
    async def looks() -> tuple[list[Any], list[str]]:
        told: list[str] = []
        pictures = Pictures(lambda: told.append("live"), lambda picture: None)
        for packet in [*waiting, predicted[1]]:
            pictures.put(packet)
        got = [await pictures.recv()]
        assert not told, "it was not sent yet"
        pictures.put(predicted[2])
        got.append(await pictures.recv())
        return got, told

    waiting, predicted = _packets(3, whole=True), _packets(3, whole=False)
    got, told = asyncio.run(looks())
    assert got == [waiting[-1], predicted[2]]
    assert told == ["live"]


def test_a_link_that_takes_nothing_is_sent_nothing_more() -> None:
    async def full() -> list[bool]:
        pictures = Pictures(lambda: None, lambda picture: None)
        first, *more = _packets(8, whole=False)
        pictures.put(first)
        await pictures.recv()
        wanted = []
        for packet in more:
            wanted.append(pictures.wanted)
            pictures.put(packet)
        return wanted

    assert asyncio.run(full()) == [True] * 4 + [False] * 3
