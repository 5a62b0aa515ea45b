"""The simulated stick's framing against recordings of real sticks, UG101's examples, and bad wires."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.sim.zigbee.ash import (
    Ack,
    Data,
    Deframer,
    Frame,
    Garbage,
    Reset,
    Rst,
    RstAck,
    decode,
    encode,
    randomised,
)
from homenode.sim.zigbee.ash_link import ACK_TIMEOUTS, T_REMOTE_NOT_READY_S, T_TX_ACK_DELAY_S, TX_K, AshLink

RECORDINGS = Path(__file__).parents[3] / "shared/data/ezsp-frames"

ezsp_frames = st.binary(min_size=3, max_size=220)
numbers = st.integers(0, 7)
frames = st.one_of(
    st.builds(Data, numbers, numbers, st.booleans(), ezsp_frames),
    st.builds(Ack, numbers, st.booleans(), st.booleans()),
    st.just(Rst()),
    st.builds(RstAck, st.integers(0, 255), st.booleans()),
)


def feed(data: bytes) -> list[Frame]:
    return list(Deframer().feed(data))


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, object]]:
    if not RECORDINGS.is_dir():
        pytest.skip("the folder with recordings of real sticks is not beside this repository")
    return [json.loads(line) for file in RECORDINGS.glob("*.jsonl") for line in file.read_text().splitlines()]


def as_recorded(frame: Frame) -> dict[str, object]:
    """A frame in the words of the recording."""
    match frame:
        case Data():
            return {"type": "DATA", "frm": frame.number, "ack": frame.ack, "retx": frame.again,
                    "ezsp": frame.ezsp.hex()}  # fmt: skip
        case Ack():
            return {"type": "NAK" if frame.nak else "ACK", "ack": frame.ack}
        case Rst():
            return {"type": "RST", "data": ""}
        case RstAck():
            return {"type": "ERROR" if frame.failed else "RSTACK", "data": f"02{frame.code:02x}"}
        case Garbage():
            return {}


def test_frames_of_real_sticks_read_as_they_were_recorded(recorded: list[dict[str, object]]) -> None:
    good = [row for row in recorded if row["decoded"]["ok"]]  # type: ignore[index]  # JSON
    assert len(good) >= 15
    for row in good:
        (frame,) = feed(bytes.fromhex(str(row["ash_hex"])))
        assert {"ok": True} | as_recorded(frame) == row["decoded"]


def test_frames_of_real_sticks_are_written_byte_for_byte(recorded: list[dict[str, object]]) -> None:
    for row in recorded:
        wire = bytes.fromhex(str(row["ash_hex"]))
        if row["decoded"]["ok"]:  # type: ignore[index]  # JSON
            (frame,) = feed(wire)
            assert encode(frame) == wire.removeprefix(b"\x1a")


def test_a_real_frame_with_a_bad_checksum_is_garbage(recorded: list[dict[str, object]]) -> None:
    bad = [row for row in recorded if not row["decoded"]["ok"]]  # type: ignore[index]  # JSON
    assert bad
    assert [feed(bytes.fromhex(str(row["ash_hex"]))) for row in bad] == [[Garbage("bad checksum")]] * len(bad)


@pytest.mark.parametrize(
    ("wire", "frame"),
    [
        ("25 42 21 A8 56 A6 09 7E", Data(2, 5, False, bytes.fromhex("00000002"))),
        ("C0 38 BC 7E", Rst()),
        ("C1 02 02 9B 7B 7E", RstAck(Reset.POWER_ON)),
        ("81 60 59 7E", Ack(1)),
        ("8E 91 B6 7E", Ack(6, not_ready=True)),
        ("A6 34 DC 7E", Ack(6, nak=True)),
        ("AD 85 B7 7E", Ack(5, not_ready=True, nak=True)),
    ],
)
def test_the_examples_of_the_reference_guide(wire: str, frame: Frame) -> None:
    assert feed(bytes.fromhex(wire)) == [frame]
    assert encode(frame) == bytes.fromhex(wire)


def test_the_response_that_the_reference_guide_shows_unstuffed() -> None:
    # without randomisation: the checksum that the guide prints for its randomised form is wrong
    frame = decode(bytes.fromhex("53 00 80 00 02 02 11 30 63 16"))
    assert frame == Data(5, 3, False, randomised(bytes.fromhex("00800002021130")))


@given(frames)
def test_what_is_written_reads_as_itself(frame: Frame) -> None:
    assert feed(encode(frame)) == [frame]


@given(st.lists(frames, max_size=6), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_it_does_not_matter_how_the_bytes_are_cut(sent: list[Frame], cuts: list[int]) -> None:
    wire, deframer, got = b"".join(map(encode, sent)), Deframer(), []
    for size in cuts * (len(wire) // sum(cuts) + 1):
        piece, wire = wire[:size], wire[size:]
        got += list(deframer.feed(piece))
    assert got == sent


@given(ezsp_frames)
def test_the_data_field_is_randomised_twice_to_itself(data: bytes) -> None:
    assert randomised(randomised(data)) == data


@given(st.binary(max_size=600))
def test_garbage_never_raises_and_never_hides_the_frame_after_it(noise: bytes) -> None:
    deframer = Deframer()
    list(deframer.feed(noise))
    assert list(deframer.feed(b"\x7e\x1a" + encode(Rst())))[-1:] == [Rst()]


@given(frames, st.data())
def test_a_flipped_bit_is_never_taken_for_a_frame(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(encode(frame))
    at = data.draw(st.integers(0, len(wire) - 2))
    wire[at] ^= 1 << data.draw(st.integers(0, 7))
    assert frame not in feed(bytes(wire)) or bytes(wire) == encode(frame)


def test_cancel_voids_what_came_before_it() -> None:
    assert feed(b"\x12\x34\x1a" + encode(Rst())) == [Rst()]


def test_a_line_error_voids_the_frame_up_to_the_next_flag() -> None:
    assert feed(b"\x25\x18" + encode(Rst()) + encode(Ack(1))) == [Garbage("line error"), Ack(1)]


def test_flow_control_bytes_are_not_part_of_a_frame() -> None:
    deframer = Deframer()
    wire = encode(Ack(1))
    assert list(deframer.feed(wire[:1] + b"\x13" + wire[1:])) == [Ack(1)]
    assert deframer.stopped
    list(deframer.feed(b"\x11"))
    assert not deframer.stopped


@pytest.mark.parametrize("body", [b"", b"\x80", b"\xc0\x38"])
def test_too_few_bytes_are_no_frame(body: bytes) -> None:
    assert isinstance(decode(body), Garbage)


class Host:
    """The other end: what the stick has written, and what it was told."""

    def __init__(self, *, window: int = TX_K) -> None:
        self.told: list[bytes] = []
        self.resets = 0
        self.link = AshLink(self.told.append, self._reset, window=window)
        self.now = 100.0

    def _reset(self) -> None:
        self.resets += 1

    def say(self, *sent: Frame) -> list[Frame]:
        self.link.received(b"".join(map(encode, sent)), self.now)
        return self.heard()

    def heard(self) -> list[Frame]:
        return feed(b"".join(self.link.take()))

    def wait(self, seconds: float) -> list[Frame]:
        self.now += seconds
        self.link.tick(self.now)
        return self.heard()


COMMAND, ANSWER = b"\x00\x00\x00\x0d", b"\x00\x80\x00\x0d\x02\x10\x74"


def test_a_reset_is_acknowledged_and_wipes_the_numbers() -> None:
    host = Host()
    host.link.send(ANSWER, host.now)
    assert host.say(Rst()) == [RstAck(Reset.SOFTWARE)]
    assert host.resets == 1
    host.link.send(ANSWER, host.now)
    assert host.heard() == [Data(0, 0, False, ANSWER)]


def test_an_answer_carries_the_acknowledgement() -> None:
    host = Host()
    assert host.say(Data(0, 0, False, COMMAND)) == []
    host.link.send(ANSWER, host.now)
    assert host.heard() == [Data(0, 1, False, ANSWER)]
    assert host.wait(T_TX_ACK_DELAY_S) == []


def test_without_an_answer_the_acknowledgement_comes_by_itself() -> None:
    host = Host()
    host.say(Data(0, 0, False, COMMAND))
    assert host.link.deadline() == pytest.approx(host.now + T_TX_ACK_DELAY_S)
    assert host.wait(T_TX_ACK_DELAY_S) == [Ack(1)]


def test_a_repeated_command_is_acknowledged_but_not_done_again() -> None:
    host = Host()
    host.say(Data(0, 0, False, COMMAND))
    assert host.say(Data(0, 0, True, COMMAND)) == [Ack(1)]
    assert host.told == [COMMAND]


def test_a_command_out_of_turn_is_refused_once() -> None:
    host = Host()
    assert host.say(Data(3, 0, False, COMMAND), Data(4, 0, False, COMMAND)) == [Ack(0, nak=True)]
    assert host.told == []
    host.say(Data(0, 0, False, COMMAND))
    assert host.told == [COMMAND]


def test_garbage_is_refused_once_until_something_good_comes() -> None:
    host = Host()
    host.link.received(b"\x01\x02\x03\x04\x7e\x05\x06\x07\x08\x7e", host.now)
    assert host.heard() == [Ack(0, nak=True)]


@pytest.mark.parametrize("window", [1, 3, 7])
def test_no_more_than_the_window_is_under_way(window: int) -> None:
    host = Host(window=window)
    for _ in range(9):
        host.link.send(ANSWER, host.now)
    assert [frame.number for frame in host.heard() if isinstance(frame, Data)] == list(range(window))
    assert host.link.waiting == 9
    (one_more,) = host.say(Ack(1))
    assert isinstance(one_more, Data)
    assert one_more.number == window % 8
    assert host.link.waiting == 8


def test_a_refusal_brings_everything_from_there_on_again() -> None:
    host = Host()
    for _ in range(3):
        host.link.send(ANSWER, host.now)
    host.heard()
    assert host.say(Ack(1, nak=True)) == [Data(1, 0, True, ANSWER), Data(2, 0, True, ANSWER)]


def test_silence_doubles_the_timeout_and_in_the_end_fails() -> None:
    host = Host()
    host.link.send(ANSWER, host.now)
    host.heard()
    assert host.wait(1.5) == []
    assert host.wait(0.1) == [Data(0, 0, True, ANSWER)]
    assert host.wait(3.1) == []
    for _ in range(ACK_TIMEOUTS - 2):
        assert host.wait(3.3) in ([Data(0, 0, True, ANSWER)], [RstAck(Reset.ACK_TIMEOUTS, failed=True)])
    host.wait(3.3)
    assert host.link.failed == Reset.ACK_TIMEOUTS


def test_a_quick_host_shortens_the_timeout() -> None:
    host = Host()
    for number in range(40):
        host.link.send(ANSWER, host.now)
        host.heard()
        host.say(Ack(number + 1 & 7))
    host.link.send(ANSWER, host.now)
    assert host.link.deadline() == pytest.approx(host.now + 0.4)


def test_a_failed_stick_answers_everything_but_a_reset_with_an_error() -> None:
    host = Host()
    host.link.restart(Reset.WATCHDOG)
    assert host.heard() == [RstAck(Reset.WATCHDOG, failed=True)]
    assert host.say(Data(0, 0, False, COMMAND)) == [RstAck(Reset.WATCHDOG, failed=True)]
    host.link.send(ANSWER, host.now)
    assert host.heard() == []
    assert host.say(Rst()) == [RstAck(Reset.SOFTWARE)]
    assert host.told == []


@pytest.mark.parametrize("code", [Reset.EXTERNAL, Reset.POWER_ON, Reset.SOFTWARE, Reset.BOOTLOADER])
def test_an_ordinary_reset_comes_up_connected(code: Reset) -> None:
    host = Host()
    host.link.restart(code)
    assert host.heard() == [RstAck(code)]
    assert host.link.failed is None


def test_a_host_that_is_not_ready_is_left_alone_for_a_second() -> None:
    host = Host()
    host.say(Ack(0, not_ready=True))
    host.link.send(ANSWER, host.now)
    assert host.heard() == []
    assert host.wait(T_REMOTE_NOT_READY_S) == [Data(0, 0, False, ANSWER)]


def test_a_host_that_stops_the_line_is_left_alone_until_it_goes_on() -> None:
    host = Host()
    host.link.received(b"\x13", host.now)
    host.link.send(ANSWER, host.now)
    assert host.heard() == []
    host.link.received(b"\x11", host.now)
    assert host.heard() == [Data(0, 0, False, ANSWER)]


@given(
    st.lists(st.tuples(st.sampled_from(["lose", "corrupt", "repeat", "pass"]), st.booleans()), max_size=60)
)
def test_on_a_bad_wire_every_frame_arrives_once_and_in_order(fates: list[tuple[str, bool]]) -> None:
    """Two of our own ends face to face; bellows and zigbee2mqtt are the other ends in the system tests."""
    left_got: list[bytes] = []
    right_got: list[bytes] = []
    left, right = (
        AshLink(left_got.append, lambda: None),
        AshLink(right_got.append, lambda: None),
    )
    now, fate = 0.0, iter(fates)
    for number in range(12):
        left.send(bytes((number, 0, 0, 0)), now)
        right.send(bytes((number, 1, 1, 1)), now)
    for _ in range(2000):
        busy = False
        for source, target in ((left, right), (right, left)):
            for wire in source.take():
                busy = True
                what, _ = next(fate, ("pass", True))
                if what == "corrupt":
                    wire = bytes((wire[0] ^ 1,)) + wire[1:]
                for _ in range({"lose": 0, "repeat": 2}.get(what, 1)):
                    target.received(wire, now)
        if not busy:
            due = [when for when in (left.deadline(), right.deadline()) if when is not None]
            if not due:
                break
            now = min(due)
            left.tick(now)
            right.tick(now)
    if left.failed is None and right.failed is None:
        assert right_got == [bytes((n, 0, 0, 0)) for n in range(12)]
        assert left_got == [bytes((n, 1, 1, 1)) for n in range(12)]
    else:
        assert len(fates) >= ACK_TIMEOUTS
