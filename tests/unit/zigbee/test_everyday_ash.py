"""Whatever a stick sends, and however it is cut, it comes to the same as if bellows had read all of it."""

from __future__ import annotations

import random
from typing import Any

import bellows.ash
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.zigbee.everyday_ash import stand_before

FLAG = b"\x7e"


class Line:
    """Both neighbours of ASH: what it writes to the stick, and what it hands on."""

    def __init__(self) -> None:
        self.written, self.told = b"", list[object]()
        self.ash = bellows.ash.AshProtocol(self)
        self.ash.connection_made(self)
        self.waits: Any = None

    def connection_made(self, _ash: Any) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False

    def data_received(self, frame: bytes) -> None:
        self.told.append(frame)

    def reset_received(self, code: Any) -> None:
        self.told.append(("reset", code))

    error_received = reset_received

    def expects(self, number: int) -> None:
        """As if a frame had been sent under this number."""
        self.ash._pending_data_frames[number] = self.waits = Waits()


class Waits:
    """A future, without a loop."""

    def __init__(self) -> None:
        self.result: object = None

    def done(self) -> bool:
        return self.result is not None

    def set_result(self, result: object) -> None:
        self.result = result

    set_exception = set_result


def stuffed(frame: bellows.ash.AshFrame) -> bytes:
    return bytes(bellows.ash.AshProtocol._stuff_bytes(frame.to_bytes())) + FLAG


def data(number: int, payload: bytes, *, acknowledges: int = 0, again: bool = False) -> bytes:
    return stuffed(
        bellows.ash.DataFrame(frm_num=number, re_tx=again, ack_num=acknowledges, ezsp_frame=payload)
    )


def acknowledgement(number: int) -> bytes:
    return stuffed(bellows.ash.AckFrame(res=0, ncp_ready=0, ack_num=number))


ODD = (
    FLAG, FLAG + FLAG, b"\x7d" + FLAG, b"\x7d\x00" + FLAG, b"\x00\x01" + FLAG,
    b"\x11", b"\x13", b"\x18", b"\x1a",
    stuffed(bellows.ash.NakFrame(res=0, ncp_ready=0, ack_num=3)),
    stuffed(bellows.ash.RStackFrame(version=2, reset_code=11)),
    stuffed(bellows.ash.ErrorFrame(version=2, reset_code=0x51)),
)  # fmt: skip


def a_stream(seed: int, how_odd: float) -> list[bytes]:
    """Frames in order, now and then one that isn't, cut anywhere."""
    dice, number, stream = random.Random(seed), 0, bytearray()
    for _ in range(12):
        payload = dice.randbytes(dice.choice((0, 1, 5, 30, 60)))
        frame = data(number, payload, acknowledges=dice.randrange(8))
        number = (number + 1) % 8
        if dice.random() < how_odd:
            match dice.randrange(5):
                case 0:
                    frame = dice.choice(ODD) + frame
                case 1:
                    at = dice.randrange(len(frame))
                    frame = frame[:at] + dice.randbytes(1) + frame[at + 1 :]
                case 2:
                    frame += data((number - 2) % 8, payload, again=dice.random() < 0.5)
                case 3:
                    frame = acknowledgement(dice.randrange(8)) + frame
                case 4:
                    frame = frame[: dice.randrange(len(frame))] + dice.choice((b"\x18", b"\x1a")) + frame
        stream += frame
    cuts = sorted(dice.randrange(len(stream)) for _ in range(dice.randrange(8)))
    return [bytes(stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@given(st.integers(0, 2**32), st.sampled_from((0.0, 0.1, 0.5)), st.integers(0, 7))
def test_it_comes_to_the_same_as_if_bellows_had_read_it(seed: int, how_odd: float, sent: int) -> None:
    bellows_alone, ours = Line(), Line()
    stand_before(ours.ash)
    for line in (bellows_alone, ours):
        line.expects(sent)
        for chunk in a_stream(seed, how_odd):
            line.ash.data_received(chunk)
    assert ours.told == bellows_alone.told
    assert ours.written == bellows_alone.written
    assert repr(ours.waits.result) == repr(bellows_alone.waits.result)
    for name in ("_rx_seq", "_in_reject_condition", "_buffer", "_discarding_until_next_flag"):
        assert getattr(ours.ash, name) == getattr(bellows_alone.ash, name), name


def test_everyday_frames_are_read_without_bellows() -> None:
    line = Line()
    line.ash.data_received = lambda rest: line.told.append(("bellows", rest))
    stand_before(line.ash)
    line.expects(4)
    payloads = [bytes((number, 0x7E, 0x11, 0xFF)) for number in range(10)]
    line.ash.data_received(
        acknowledgement(5) + b"".join(data(n % 8, payload) for n, payload in enumerate(payloads))
    )
    assert line.told == payloads
    assert line.waits.result is True


def test_what_is_raised_by_one_frame_costs_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line()
    stand_before(line.ash)
    monkeypatch.setattr(line, "data_received", lambda frame: {}[frame])
    with pytest.raises(KeyError):
        line.ash.data_received(data(0, b"first") + data(1, b"second")[:4])
    monkeypatch.undo()
    line.ash.data_received(data(1, b"second")[4:])
    assert line.told == [b"second"]


def test_a_protocol_that_keeps_its_state_otherwise_is_left_alone() -> None:
    line = Line()
    del line.ash._rx_seq
    stand_before(line.ash)
    assert "data_received" not in vars(line.ash)
