"""What is sent at which rate, and a camera's own H.264 passed on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av", reason="the extra video is not installed")

import av

from homenode.video.encoder import Encoder
from homenode.video.passing import Passing
from homenode.video.picture import Picture, planes
from homenode.video.rate import FIRST_BPS, HIGHEST_BPS, LOWEST_BPS, REPEATED, Rate
from homenode.video.repeats import Lost, Repeats
from homenode.video.scene import Scene

EACH_MS = 66
IDR, SPS = 5, 7


def _film(count: int) -> Iterator[tuple[Picture, int]]:
    scene, chance = Scene(640, 480), np.random.default_rng(1)
    for at_ms in range(0, count * EACH_MS, EACH_MS):
        picture = scene.at(at_ms)
        luma = planes(picture)[0]
        luma += chance.integers(0, 12, luma.shape, np.uint8)  # what a sensor adds
        yield picture, at_ms


def _units(packet: Any) -> set[int]:
    """Kinds of the NAL units in a packet."""
    return {part[0] & 31 for part in bytes(packet).split(b"\0\0\1")[1:]}


def _size(packets: list[Any]) -> set[tuple[int, int]]:
    decoder = av.CodecContext.create("h264", "r")
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    assert len(frames) == len(packets)
    return {(frame.width, frame.height) for frame in frames}


def _bps(packets: list[Any]) -> float:
    return sum(packet.size for packet in packets) * 8000 / (len(packets) * EACH_MS)


def test_the_first_picture_and_each_that_is_asked_for_is_whole_and_no_other() -> None:
    encoder, whole = Encoder(), []
    for nth, (picture, at_ms) in enumerate(_film(40)):
        if nth == 20:
            encoder.want_whole()
        packet = encoder.encode(picture, at_ms)
        if {IDR, SPS} <= _units(packet):
            whole.append(nth)
    assert whole == [0, 20]


@pytest.mark.parametrize(
    ("bps", "size"), [(HIGHEST_BPS, (640, 480)), (300_000, (640, 480)), (LOWEST_BPS, (320, 240))]
)
def test_what_is_encoded_fits_the_link(bps: int, size: tuple[int, int]) -> None:
    encoder = Encoder()
    encoder.limit(bps)
    packets = [encoder.encode(picture, at_ms) for picture, at_ms in _film(90)]
    assert _bps(packets[15:]) <= bps * 1.1
    assert _size(packets) == {size}


def test_a_link_that_gets_worse_and_better_is_followed() -> None:
    encoder, sent = Encoder(), []
    for nth, (picture, at_ms) in enumerate(_film(240)):
        encoder.limit({0: 1_000_000, 1: 120_000, 2: 1_000_000}[nth // 80])
        sent.append(encoder.encode(picture, at_ms))
    assert _bps(sent[95:160]) < 120_000 * 1.1
    assert _bps(sent[20:80]) > 3 * _bps(sent[95:160]) < _bps(sent[180:])


def test_a_rate_at_the_edge_makes_no_to_and_fro() -> None:
    encoder, whole = Encoder(), 0
    for nth, (picture, at_ms) in enumerate(_film(60)):
        encoder.limit(245_000 if nth % 2 else 255_000)
        whole += IDR in _units(encoder.encode(picture, at_ms))
    assert whole <= 2


def _told(rate: Rate, estimates: list[int], *, sent: int = 0, from_ms: int = 1000) -> None:
    """Four estimates a second, while so many bytes of pictures are sent between two."""
    for nth, bps in enumerate(estimates):
        rate.sent(sent, from_ms + nth * 250)
        rate.estimated(bps, from_ms + nth * 250)


def test_an_estimate_of_a_still_room_binds_nothing() -> None:
    rate = Rate()
    _told(rate, [60_000, 62_000, 61_500, 65_000], sent=1250)
    assert rate.bps > FIRST_BPS * (1 - REPEATED)


def test_an_estimate_that_falls_binds_at_once_and_a_rising_one_lets_go_slowly() -> None:
    rate = Rate()
    _told(rate, [600_000, 200_000])
    assert rate.bps == int(200_000 * (1 - REPEATED))
    _told(rate, [220_000], from_ms=2000)
    assert 200_000 < rate.bps / (1 - REPEATED) < 220_000


def test_an_estimate_hardly_above_what_is_sent_raises_nothing() -> None:
    rate = Rate()
    rate.sent(20_000, 900)
    _told(rate, [160_000] * 8, sent=5000)
    assert rate.bps == int(FIRST_BPS * (1 - REPEATED))


def test_an_estimate_told_again_with_each_loss_raises_nothing() -> None:
    rate = Rate()
    _told(rate, [600_000, 200_000])
    for at_ms in range(2000, 3000, 10):
        rate.estimated(200_000, at_ms)
    assert rate.bps / (1 - REPEATED) < 200_000 * 1.05**5


def test_losses_of_a_radio_link_change_nothing_and_those_of_a_full_one_do() -> None:
    few, many = Rate(), Rate()
    for at_ms in range(0, 2000, 50):
        few.reported(0.05, at_ms)
        many.reported(0.4, at_ms)
    assert few.bps == int(FIRST_BPS * (1 - REPEATED))
    assert many.bps < few.bps / 3
    for at_ms in range(2000, 60_000, 50):
        many.reported(1, at_ms)
    assert many.bps == int(LOWEST_BPS * (1 - REPEATED))


def _lost(repeats: Repeats, *made_ms: int, size: int = 500) -> list[Lost]:
    """Packets of pictures made then, the newest of which is sent last."""
    repeats.sent(made_ms[-1], made_ms[-1] + 10, whole=False)
    return [Lost(at_ms, made_ms[-1] - at_ms, size) for at_ms in made_ms]


def test_repeats_take_their_share_and_no_more() -> None:
    repeats, again = Repeats(), 0
    for at_ms in range(5000, 15_000, 50):
        lost = _lost(repeats, *range(at_ms - 40, at_ms))
        again += len(repeats.of(lost, at_ms, 80, 2500)[0])
    assert 2500 * 10 - 500 < again * 500 <= 2500 * 11


def test_what_is_sent_again_has_time_to_come() -> None:
    repeats = Repeats()
    lost = _lost(repeats, 990, 1000)
    assert repeats.of(lost, 1010, 150, 2500) == ([990, 1000], False)
    assert repeats.of(lost, 1110, 150, 2500) == ([], False)
    assert repeats.of(lost, 1170, 150, 2500) == ([990, 1000], False)


def test_a_picture_that_is_not_to_be_mended_is_given_up_for_a_whole_one() -> None:
    repeats = Repeats()
    lost = _lost(repeats, 1000)
    assert repeats.of(lost, 1490, 80, 2500) == ([1000], False)
    assert repeats.of(lost, 1590, 80, 2500) == ([], True)


def test_what_was_made_before_the_whole_picture_is_wanted_no_more() -> None:
    repeats = Repeats()
    repeats.sent(1600, 1610, whole=True)
    assert repeats.of(_lost(repeats, 1000, 1590, 1600), 1700, 80, 2500) == ([1600], False)
    assert repeats.of(_lost(repeats, 1000, 1590, 1700)[:2], 2700, 80, 2500) == ([], False)


def test_a_whole_picture_has_time_to_come_before_the_next_is_made() -> None:
    repeats = Repeats()
    assert repeats.whole(1000)
    repeats.sent(1040, 1050, whole=True)
    assert [at_ms for at_ms in range(1050, 2850, 200) if repeats.whole(at_ms)] == [1850, 2650]


class Camera:
    """One that encodes by itself and sends a whole picture each 30."""

    def __init__(self, bps: int = 200_000) -> None:
        self.codec = av.CodecContext.create("libx264", "w")
        self.codec.width, self.codec.height, self.codec.pix_fmt = 640, 480, "yuv420p"
        self.codec.time_base, self.codec.bit_rate = Fraction(1, 15), bps
        self.codec.options = {
            "tune": "zerolatency",
            "preset": "superfast",
            "g": "30",
            "bf": "0",
            "sc_threshold": "0",
        }

    def film(self, count: int) -> Iterator[tuple[Any, int]]:
        for nth, (picture, at_ms) in enumerate(_film(count)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = nth
            for packet in self.codec.encode(frame):
                yield packet, at_ms


class Passed:
    """What a viewer gets; encoded is what isn't passed on."""

    def __init__(self) -> None:
        self.encoder = Encoder()
        self.passing = Passing(self.encoder, lambda frame: frame.to_ndarray())
        self.sent: list[Any] = []
        self.as_it_was: list[bool] = []

    def take(self, packet: Any, at_ms: int, *, wanted: bool = True) -> None:
        passed, picture = self.passing.take(packet, at_ms, wanted=wanted)
        if passed is None and picture is not None and wanted:
            passed = self.encoder.encode(picture, at_ms)
            self.as_it_was.append(False)
        elif passed is not None:
            self.as_it_was.append(True)
        if passed is not None:
            self.sent.append(passed)


def test_a_camera_that_fits_is_passed_on_as_it_is() -> None:
    passed = Passed()
    for packet, at_ms in Camera().film(60):
        passed.take(packet, at_ms)
    assert all(passed.as_it_was)
    assert _size(passed.sent) == {(640, 480)}


def test_a_viewer_who_comes_in_the_middle_sees_at_once_and_then_the_cameras_own() -> None:
    passed = Passed()
    for nth, (packet, at_ms) in enumerate(Camera().film(60)):
        passed.take(packet, at_ms, wanted=nth >= 10)
    assert passed.as_it_was == [False] * 20 + [True] * 30
    assert IDR in _units(passed.sent[0])
    assert _size(passed.sent) == {(640, 480)}


def test_a_viewer_who_lost_pictures_gets_a_whole_one_at_once() -> None:
    passed = Passed()
    for nth, (packet, at_ms) in enumerate(Camera().film(60)):
        if nth == 10:
            passed.passing.want_whole()
        passed.take(packet, at_ms)
        if nth == 10:
            assert IDR in _units(passed.sent[-1])
    assert passed.as_it_was == [True] * 10 + [False] * 20 + [True] * 30


def test_a_camera_that_doesnt_fit_the_link_is_encoded_anew() -> None:
    passed = Passed()
    passed.passing.limit(150_000)
    for packet, at_ms in Camera(bps=1_500_000).film(60):
        passed.take(packet, at_ms)
    assert not any(passed.as_it_was[5:])
    assert _bps(passed.sent[30:]) < 150_000 * 1.1


def test_a_picture_to_judge_by_comes_with_each_whole_one() -> None:
    passing = Passing(Encoder(), lambda frame: frame.to_ndarray())
    looked = [passing.take(packet, at_ms, wanted=True)[1] is not None for packet, at_ms in Camera().film(61)]
    assert [nth for nth, seen in enumerate(looked) if seen] == [0, 30, 60]


def test_garbage_is_told_and_the_next_whole_picture_is_shown() -> None:
    passed, unreadable = Passed(), 0
    for nth, (packet, at_ms) in enumerate(Camera().film(60)):
        broken = av.Packet(bytes([0, 0, 0, 1, 0x65]) + b"\xff" * 400) if 10 <= nth < 20 else packet
        broken.is_keyframe = packet.is_keyframe
        try:
            passed.take(broken, at_ms, wanted=nth > 5)
        except av.error.InvalidDataError:
            unreadable += 1
    assert unreadable
    assert passed.as_it_was[-30:] == [True] * 30
