"""The lines of a recording: the quick way to read a line and the thorough one say the same of every line."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from homenode import trace as reader
from homenode.config.model import Device
from homenode.engine.events import Event, Reading
from homenode.errors import FileMistakes
from homenode.trace import LONGEST, NAMES_KEPT, OTHERS, Trace

DEVICES = {
    "stove": Device("stove", "zigbee", "kitchen"),
    "door": Device("door", "gpio", "hall", kinds=("contact",)),
}
NEW_YEAR = 1_767_225_600_000  # 2026-01-01T00:00Z


def read(path: Path, data: bytes) -> tuple[list[tuple[int, Event | None]], str, dict[str, int]]:
    """Events, the mistake, and what was skipped."""
    path.write_bytes(data)
    trace = Trace(str(path), DEVICES, {"home"}, {"rule"})
    events = []
    try:
        for told in trace.events():
            events.append(told)
    except FileMistakes as wrong:
        return events, str(wrong), trace.skipped
    assert trace.last == events[-1][0]
    return events, "", trace.skipped


def read_thoroughly(path: Path, data: bytes) -> tuple[list[tuple[int, Event | None]], str, dict[str, int]]:
    """The same bytes with the pattern of usual lines out of the way: a line that is rewritten so that the
    pattern doesn't know it has its mistakes in other columns."""
    with mock.patch.object(reader, "_READING", re.compile(rb"(?!)")):
        return read(path, data)


TIMES = st.builds(
    "{}{}{}:{}{}{}".format,
    st.sampled_from(("2026-01-01", "2026-01-02", "2026-02-30", "1969-12-31", "2126-01-01", "9999-12-31")),
    st.sampled_from(("T", "T", "T", "t", " ")),
    st.sampled_from(("00:00", "00:01", "23:59", "24:00", "7:00")),
    st.sampled_from(("00", "01", "59", "60", "5")),
    st.sampled_from(("", ".2", ".250", ".2509", ".250999", ".2509999", ".")),
    st.sampled_from(("Z", "+00:00", "+01:00", "-23:59", "+01", "", "+25:00")),
)
POINTS = st.sampled_from(
    ("stove.power", "door.contact", "door.motion", "stove.button", "stove.power_2", "cellar.water", "stove")
)
VALUES = st.sampled_from(
    (
        *(
            "true",
            "false",
            "null",
            "0",
            "-0",
            "01",
            "1.5",
            "-1.25",
            "1e3",
            "1E999",
            "NaN",
            "1000001",
            "1.",
            ".5",
        ),
        *("9" * 20, "[]", '"on"', "True", "0.1000000000000000055", "-0.0", "1" * 400),
    )
)
LINES = st.builds('{{"at": "{}", "point": "{}", "value": {}}}'.format, TIMES, POINTS, VALUES)
USUAL = st.builds(
    '{{"at":{}"2026-01-01T00:00:{:02d}.{:03d}Z",{}"point":{}"{}",{}"value":{}{}}}'.format,
    *(st.sampled_from((" ", "")), st.integers(0, 60), st.integers(0, 999)),
    *(st.sampled_from((" ", "", "  ")), st.sampled_from((" ", "")), POINTS),
    *(st.sampled_from((" ", "")), st.sampled_from((" ", "")), VALUES),
)
OTHER = st.sampled_from(
    (
        "",
        "   ",
        '{"at": "2026-01-01T00:00:30Z", "node": "down"}',
        '{"at": "2026-01-01T00:00:59Z", "end": true}',
    )
)


@given(lines=st.lists(st.one_of(USUAL, USUAL, LINES, OTHER), max_size=12), sort=st.booleans())
def test_the_quick_way_says_what_the_thorough_one_says(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], sort: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    said = [line.encode() for line in (sorted(lines) if sort else lines)]
    quick = read(folder / "trace.jsonl", b"\n".join(said))
    slow = read_thoroughly(folder / "trace.jsonl", b"\n".join(said))
    assert repr(quick) == repr(slow)  # 1, 1.0 and true are equal, and not the same


@given(
    value=st.one_of(st.floats(-1e6, 1e6), st.integers(-1_000_000, 1_000_000)),
    cut=st.integers(0, 80),
    by=st.binary(),
)
@example(value=0, cut=0, by=b"[")  # its mistake is where the line ends
def test_a_line_that_is_cut_or_spoilt_is_refused_or_read_alike(
    tmp_path_factory: pytest.TempPathFactory, value: float, cut: int, by: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "trace.jsonl"
    good = json.dumps({"at": "2026-01-01T00:00:00.000Z", "point": "stove.power", "value": value}).encode()
    events, mistake, _ = read(path, good + b"\n" + good + b"\r\n")
    assert not mistake
    assert [event for _, event in events] == [Reading("stove.power", value, NEW_YEAR)] * 2
    spoilt = good[:cut] + by.replace(b"\n", b"") + good[cut:]
    assert read(path, good + b"\n" + spoilt) == read_thoroughly(path, good + b"\n" + spoilt)


GOOD = '{"at": "2026-01-01T00:00:00.000Z", "point": "stove.power", "value": 1}'


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (GOOD.replace("1}", '1, "value": 2}'), "'value' stands in it twice"),
        ('{"at": "1969-12-31T23:59:59Z", "node": "up"}', "a time from 1970 to 9998"),
        ('{"at": "9999-06-01T00:00:00Z", "node": "up"}', "a time from 1970 to 9998"),
        ('{"at": "2199-06-01T00:00:00Z", "node": "up"}', "at most a hundred years after"),
        ('{"at": "2025-12-31T23:59:59Z", "node": "up"}', "not before that of the line above"),
        (GOOD.replace("1}", "9" * 5000 + "}"), "one JSON object"),
        (GOOD.replace("1}", "1e400}"), "a number from -1e+06 to 1e+06 W"),
        (GOOD.replace("1}", "\x00}"), "Expecting value"),
        (GOOD.replace("1}", '"1 W"}'), "a number from"),
        ("\ufeff" + GOOD, "one JSON object"),
        ("\ud800", "one JSON object"),
        (GOOD[:60], "one JSON object"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    data = (GOOD + "\n\n" + line + "\n").encode(errors="surrogatepass")
    _, mistake, _ = read(tmp_path / "trace.jsonl", data)
    assert ":3:" in mistake
    assert told in mistake


def test_a_mistake_names_its_column(tmp_path: Path) -> None:
    _, mistake, _ = read(tmp_path / "trace.jsonl", GOOD.replace("1}", "true}").encode())
    column = GOOD.index('"value"') + 1
    assert f"trace.jsonl:1:{column}: value of stove.power" in mistake


def test_what_editors_leave_behind_changes_nothing(tmp_path: Path) -> None:
    """A byte order mark, ends of line as on Windows, empty lines, no end of line at the end."""
    plain = read(tmp_path / "trace.jsonl", (GOOD + "\n" + GOOD + "\n").encode())
    edited = read(tmp_path / "trace.jsonl", b"\xef\xbb\xbf" + (GOOD + "\r\n\r\n  \r\n" + GOOD).encode())
    assert plain == edited


def test_what_is_packed_is_read_whatever_its_name(tmp_path: Path) -> None:
    plain = read(tmp_path / "trace.jsonl", GOOD.encode())
    assert read(tmp_path / "trace.jsonl", gzip.compress(GOOD.encode())) == plain
    assert "a whole gzip file" in read(tmp_path / "trace.jsonl.gz", GOOD.encode())[1]
    cut = gzip.compress(GOOD.encode())[:-6]
    assert "a damaged end" in read(tmp_path / "trace.jsonl.gz", cut)[1]


def test_a_line_without_end_is_not_kept_in_memory(tmp_path: Path) -> None:
    assert "a shorter line" in read(tmp_path / "trace.jsonl", b" " * (LONGEST + 1))[1]


def test_names_of_another_house_are_counted_but_not_all_kept(tmp_path: Path) -> None:
    lines = [GOOD.replace("stove.power", f"other_{number}.power") for number in range(NAMES_KEPT + 50)]
    _, _, skipped = read(tmp_path / "trace.jsonl", "\n".join(lines * 2).encode())
    assert len(skipped) == NAMES_KEPT + 1
    assert skipped[OTHERS] == 100
    assert skipped["other_7.power"] == 2
