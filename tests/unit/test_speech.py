"""What is said at home: whose turn it is, what is no longer worth hearing, how long a recording is."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.language.binding import BoundRule
from homenode.language.bound import BoundStep, ModeIs
from homenode.speech import (
    FRESH_S,
    LONGEST_S,
    Sentence,
    Waiting,
    language_of,
    recording_of,
    recording_s,
    silence,
    spoken,
    wav_s,
)


def a_sentence(text: str, severity: str = "info", asked_s: float = 0.0, **more: object) -> Sentence:
    return Sentence(text, "en", severity, asked_s, **more)  # type: ignore[arg-type]  # as the caller says


def said(waiting: Waiting) -> list[str]:
    """Everything that waits, in the order it is said."""
    order = []
    while (turn := waiting.next()) is not None:
        order.append(turn[0].text)
        waiting.remove(turn[0])
    return order


def test_alarms_are_said_first_then_warnings_each_in_the_order_decided() -> None:
    waiting = Waiting()
    for number, severity in enumerate(["info", "warning", "alarm", "info", "alarm"]):
        waiting.add(a_sentence(f"{severity} {number}", severity, number))
    assert said(waiting) == ["alarm 2", "alarm 4", "warning 1", "info 0", "info 3"]


def test_one_that_fails_lets_all_others_try_first_and_is_tried_again() -> None:
    waiting = Waiting()
    fails, pills = a_sentence("fails", "alarm"), a_sentence("pills", "info")
    waiting.add(fails)
    waiting.add(pills)
    waiting.failed(fails)
    assert waiting.next() == (pills, 0)
    waiting.failed(pills)
    assert waiting.next() == (fails, 1)
    waiting.add(news := a_sentence("news", "warning"))
    assert waiting.next() == (news, 0)
    assert (waiting.tries(fails), waiting.tries(news)) == (1, 0)


def test_only_an_alarm_breaks_in_and_only_into_what_is_none() -> None:
    alarm, other, warning, info = (a_sentence("x", word) for word in ("alarm", "alarm", "warning", "info"))
    assert alarm.overtakes(info)
    assert alarm.overtakes(warning)
    assert not alarm.overtakes(other)
    assert not warning.overtakes(info)


def test_what_is_over_or_due_again_or_old_is_not_said() -> None:
    waiting = Waiting()
    over = a_sentence("the stove is on", "alarm", 0.0, alert="a", step=1, while_open=True)
    ended = a_sentence("the stove is off", "alarm", 1.0, alert="a", step=5)
    first = a_sentence("water", "alarm", 1.0, alert="b", step=1, while_open=True)
    again = a_sentence("water", "alarm", 2.0, alert="b", step=1, while_open=True)
    other_step = a_sentence("call Eva", "alarm", 2.0, alert="b", step=2, while_open=True)
    tests = [a_sentence("one two", asked_s=2.0), a_sentence("three", asked_s=2.0)]
    for sentence in (over, ended, first, again, other_step, *tests):
        waiting.add(sentence)

    def told(now_s: float) -> dict[str, str]:
        return {f"{one.text} {one.asked_s:g}": why for one, why in waiting.pointless(now_s, "b".__eq__)}

    before = {"the stove is on 0": "its alert is over", "water 1": "it is due again"}
    assert told(2.0) == told(0.999 + FRESH_S) == before
    assert told(1.0 + FRESH_S) == before | {"the stove is off 1": "not possible for 120 s"}
    assert told(2.0 + FRESH_S).keys() == {f"{one.text} {one.asked_s:g}" for one in (
        over, ended, first, again, other_step, *tests
    )}  # fmt: skip


def test_what_a_home_may_say_is_each_step_that_speaks_in_the_language_it_is_said_in() -> None:
    steps = (
        BoundStep(1, "say", 0, text={"sv": "Hej", "en": "Hello"}),
        BoundStep(2, "notify", 0),
        BoundStep(3, "say", None, text={"en": "Bye"}),
        BoundStep(4, "say", 0),
    )
    never = ModeIs("never")
    rule = BoundRule("door", "door_open", 1, "info", (), never, never, steps)
    assert list(spoken([rule], "sv")) == [("door", 1, "sv"), ("door", 3, "en")]
    assert language_of({"en": "", "fi": ""}, "sv") == "en"
    assert recording_of("door", 3, "en") == "door.3.en.wav"


def a_wav(samples: bytes, *, said_size: int | None = None, before: bytes = b"", rate: int = 8000) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    size = len(samples) if said_size is None else said_size
    return b"RIFF" + bytes(4) + b"WAVE" + form + before + struct.pack("<4sI", b"data", size) + samples


@pytest.mark.parametrize(
    "before", [b"", struct.pack("<4sI", b"LIST", 3) + b"abc\0"], ids=["plain", "with text"]
)
def test_a_wav_file_is_as_long_as_its_sound_whatever_its_header_says_of_a_pipe(before: bytes) -> None:
    samples = bytes(24_000)
    for size in (None, 0x7FFFF000):
        wav = a_wav(samples, said_size=size, before=before)
        assert wav_s(wav, len(wav)) == 1.5
        assert wav_s(wav[: -len(samples)], len(wav)) == 1.5, "the head is enough"
    wav = a_wav(samples + b"LIST", said_size=len(samples), before=before)
    assert wav_s(wav, len(wav)) == 1.5


@pytest.mark.parametrize(
    "wav",
    [
        b"",
        b"RIFF",
        b"ID3" + bytes(60),
        a_wav(b""),
        a_wav(bytes(100), said_size=0),
        a_wav(bytes(100), rate=0),
        a_wav(bytes(100)).replace(b"data", b"dada"),
        a_wav(bytes(100)).replace(b"fmt ", b"from"),
        a_wav(bytes(100)).replace(b"WAVE", b"AVI "),
        a_wav(bytes(100))[:24],
    ],
)
def test_what_holds_no_sound_is_refused(wav: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it (is no WAV file|holds no sound)$"):
        wav_s(wav, len(wav))


@given(st.binary(max_size=200))
def test_no_bytes_make_anything_but_a_length_or_a_refusal(tail: bytes) -> None:
    wav = b"RIFF" + bytes(4) + b"WAVE" + tail
    with contextlib.suppress(ValueError):
        assert wav_s(wav, len(wav)) > 0


def test_nobody_listens_to_a_recording_longer_than_a_minute() -> None:
    for length_s in (0.1, LONGEST_S):
        wav = silence(length_s)
        assert recording_s(wav[:100], len(wav)) == pytest.approx(length_s)
    wav = silence(LONGEST_S + 0.001)
    with pytest.raises(ValueError, match="longer than 60 s"):
        recording_s(wav, len(wav))


def test_silence_is_a_wav_file_of_nothing() -> None:
    wav = silence(0.5)
    assert wav[44:] == bytes(22_050)
    assert struct.unpack_from("<I", wav, 4)[0] == len(wav) - 8
    assert struct.unpack_from("<HHIIHH", wav, 20) == (1, 1, 22_050, 44_100, 2, 16)
