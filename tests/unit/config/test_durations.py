"""Durations as people write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.config.durations import LONGEST_MS, milliseconds, words


@pytest.mark.parametrize(
    ("text", "span_ms"),
    [
        ("20 min", 1_200_000),
        ("2min", 120_000),
        ("1 h 30 min", 5_400_000),
        ("1h30min", 5_400_000),
        ("0.05 s", 50),
        ("0 s", 0),
        ("7 d", 604_800_000),
        ("0.001 s", 1),
        ("1.5 h", 5_400_000),
        ("0.1 min", 6_000),
        (" 3 s ", 3_000),
        ("36525 d", LONGEST_MS),
    ],
)
def test_durations_are_whole_milliseconds(text: str, span_ms: int) -> None:
    assert milliseconds(text) == span_ms


@pytest.mark.parametrize(
    "text",
    [
        *("", "20", "min", "20 minutes", "-5 s", "1e3 s", ".5 s", "5. s", "1 ms", "0.0005 s"),
        *("36525 d 0.001 s", "1 h and 2 min", "٣ s", "5 s" * 100, "9" * 400 + " s", "1 M", "1 H", "nan s"),
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|milliseconds|hundred years"):
        milliseconds(text)


@given(st.integers(0, LONGEST_MS))
def test_what_is_written_reads_back(span_ms: int) -> None:
    assert milliseconds(words(span_ms)) == span_ms


@given(st.text(max_size=30))
def test_no_text_makes_anything_but_a_number_or_a_told_mistake(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert milliseconds(text) >= 0
