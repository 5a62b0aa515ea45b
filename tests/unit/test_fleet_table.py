"""The table of homes to the letter, its JSON, and what of a terminal is written anew."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.fleet.board import LATE_MS, LONGEST_B, LONGEST_TEXT, MOST_FAULTS, Board
from homenode.fleet.fields import BEAT_S, BY_NAME, FIELDS, bad_of, in_parts, span
from homenode.fleet.filters import read_filter
from homenode.fleet.screen import Screen, cut, page
from homenode.fleet.table import PLAIN, RED, Columns, as_json, cell, details
from homenode.fleet.watch import MOST_LINES, held_back
from tests.unit.contract_examples import FIGURES as WELL
from tests.unit.fleets import NOW, UTC, link, status

MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
FAILED = {"version": "1.1", "state": "failed", "at": "x", "why": {"sv": "radion", "en": "the radio"}}


@pytest.fixture
def board() -> Board:
    made = Board()
    link(made, "a")
    status(
        made,
        "a",
        version="1.1",
        **{**WELL, "started": UTC.text(NOW - 9 * DAY)},
        update=FAILED | {"state": "good"},
    )
    link(made, "long-name", at=NOW - HOUR)
    status(
        made,
        "long-name",
        at=NOW - HOUR,
        version="1.0",
        radios={"zigbee": False, "b": True, "c": False},
        silent=12,
        blind=1,
        card_worn_pct=95,
        temperature_c=80,
        undervoltage="lately",
        clock="unset",
        memory_free_pct=5,
        certificate_until=UTC.text(NOW + 3 * DAY + HOUR),
        disk_free_pct=5,
        card_errors=2,
        update=FAILED,
        open=[{"text": {"sv": "trasig", "en": "broken", "fi": "x"}}, {"text": 1}, 2],
    )
    return made


def test_the_table_to_the_letter(board: Board) -> None:
    columns = Columns()
    rows = columns.rows(list(board.homes.values()), NOW, colour=False)
    assert columns.heads() == (
        "HOME       ONLINE  FAULTS  VERSION  SLOT  LINK    RADIO   SILENT  BLIND  CARD  TEMP   VOLT    "
        "CLOCK         CERT  UPDATE      SINCE"
    )
    a = "a yes 0 1.1 A ok ok 0 0 10_% 50_°C ? synchronised 70_d good_1.1 9_d"
    other = "long-name NO 2 1.0 ? 60_min 2_DOWN 12 1 95_% 80_°C lately unset 3_d failed_1.1 60_min"
    wanted = [[cell.replace("_", " ") for cell in line.split()] for line in (a, other)]
    assert [re.split("  +", row) for row in rows] == wanted
    lengths = {
        row.index(part)
        for row, part in zip([columns.heads(), *rows], ("UPDATE", "good", "failed"), strict=True)
    }
    assert len(lengths) == 1, "columns stand under each other"


def test_what_asks_for_somebody_is_red_and_nothing_else(board: Board) -> None:
    well, bad = Columns().rows(list(board.homes.values()), NOW, colour=True)
    assert RED not in well
    reds = [part.partition(PLAIN)[0].strip() for part in bad.split(RED)[1:]]
    assert reds == ["NO", "2", "2 DOWN", "12", "1", "95 %", "80 °C", "lately", "unset", "3 d", "failed 1.1"]
    assert bad_of(board.homes["long-name"], NOW) == len(reds) + 4, "and state, memory, disk and errors"


def test_all_of_a_home_says_what_asks_for_somebody_and_why_in_one_language(board: Board) -> None:
    lines = details(board.homes["long-name"], NOW)
    marked = {line.split()[1] for line in lines if line.startswith("! ")}
    assert {"online", "faults", "memory", "disk", "errors", "state"} < marked
    assert not marked & {"home", "version", "link", "gaps"}
    radios = ["radio zigbee: DOWN", "radio b: works", "radio c: DOWN"]
    assert lines[len(FIELDS) :] == [*radios, "fault: broken", "fault: -", "update: the radio"]
    assert not [line for line in details(board.homes["a"], NOW) if line.startswith("! ")]


def test_widths_only_grow_so_that_nothing_jumps(board: Board) -> None:
    columns = Columns()
    columns.rows([board.homes["long-name"]], NOW, colour=False)
    assert columns.rows([board.homes["a"]], NOW, colour=False)[0].startswith("a          yes")


def test_all_of_a_home_as_json(board: Board) -> None:
    told = as_json(board.homes["long-name"], NOW)
    assert told["open"] == [{"sv": "trasig", "en": "broken"}, {}]
    assert told["update_why"] == FAILED["why"]
    assert told["radios"] == {"zigbee": False, "b": True, "c": False}
    assert {
        name: told[name]
        for name in ("online", "link", "since", "cert", "radio", "faults", "state", "version")
    } == {
        "online": False,
        "link": 3600,
        "since": 3600,
        "cert": 3,
        "radio": 2,
        "faults": 2,
        "state": "failed",
        "version": "1.0",
    }
    assert "odd" not in told
    assert list(told)[: len(FIELDS)] == [field.name for field in FIELDS]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (172_799, "48 h"),
        (172_800, "2 d"),
        (None, "?"),
        ("x", "?"),
    ],
)
def test_a_span_reads_as_people_say_it(seconds: Any, shown: str) -> None:
    assert span(seconds) == shown


@pytest.mark.parametrize(
    ("age_s", "shown"), [(0, "ok"), (BEAT_S, "ok"), (BEAT_S + 1, "76 s"), (150, "2 min")]
)
def test_a_beat_that_is_in_time_is_no_news(age_s: int, shown: str) -> None:
    board = Board()
    link(board, "h")
    field = BY_NAME["link"]
    assert cell(field, field.of(board.homes["h"], NOW + age_s * 1000)) == shown
    assert field.of(board.homes["h"], NOW - 1) == 0, "a clock that is behind shows no negative age"
    link(board, "h", online=False)
    assert field.of(board.homes["h"], NOW) is None


def test_a_retained_goodbye_says_no_better_when_it_was_and_one_that_we_hear_does() -> None:
    board = Board()
    link(board, "h", online=False, at=NOW - HOUR)
    assert board.homes["h"].seen_ms == NOW - HOUR
    link(board, "h", at=NOW - MIN)
    link(board, "h", online=False, at=NOW - HOUR)
    assert board.homes["h"].seen_ms == NOW - MIN, "a will was written when the connection was made"
    assert board.homes["h"].changed_ms is None
    status(board, "h", at=NOW)
    assert board.homes["h"].seen_ms == NOW
    link(board, "h", at=NOW, retained=False)
    link(board, "h", online=False, at=NOW + MIN, retained=False)
    link(board, "h", online=False, at=NOW + 2 * MIN, retained=False)
    assert (board.homes["h"].changed_ms, board.homes["h"].beat_ms) == (NOW + MIN, NOW)
    assert LATE_MS == 10.5 * MIN


def test_what_is_too_much_is_cut_or_not_read() -> None:
    board = Board()
    board.status("h", b" " * (LONGEST_B - 2) + b"{}")
    assert board.homes["h"].odd
    assert f"odd: {board.homes['h'].odd}" in details(board.homes["h"], NOW)
    status(board, "h", open=[{"text": {"en": "x" * (LONGEST_TEXT + 1)}}] * (MOST_FAULTS + 1))
    assert board.homes["h"].odd == ""
    assert len(board.homes["h"].faults) == MOST_FAULTS
    assert len(board.homes["h"].faults[0]["en"]) == LONGEST_TEXT == 500
    board.status("h", b'{"health": {}}' + b" " * (LONGEST_B - 14))
    assert board.homes["h"].odd == ""
    board.status("h", b'{"health": {}}' + b" " * (LONGEST_B - 13))
    assert board.homes["h"].odd


def test_what_is_wider_than_a_column_or_is_none_moves_no_other_row() -> None:
    board = Board()
    status(board, "h", version="世" * 40 + "1.0e\u0301\u0301")
    assert board.homes["h"].version == "�" * 40 + "1.0é�"
    status(board, "h", version="1.0", open=[{"text": {"sv": "skarven a\u030ar lo\u0308s"}}])
    assert board.homes["h"].faults[0]["sv"] == "skarven år lös"


def test_log_lines_wait_until_the_table_is_gone() -> None:
    out = io.StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(out)
    root.addHandler(handler)
    try:
        with held_back():
            for nth in range(MOST_LINES + 1):
                logging.getLogger("homenode.fleet").warning("line %d", nth)
            assert out.getvalue() == ""
        assert out.getvalue().splitlines() == [f"line {nth}" for nth in range(1, MOST_LINES + 1)]
    finally:
        root.removeHandler(handler)


def test_a_version_with_more_than_numbers_has_its_place() -> None:
    order = [
        "1.2.dev3",
        "1.2a1",
        "1.2b1",
        "1.2b2",
        "1.2rc1",
        "v1.2",
        "1.2-5",
        "1.2+local",
        "1.2.post1",
        "1.3",
    ]
    assert sorted(reversed(order), key=in_parts)[:6] == order[:6]
    assert in_parts("1.2") < min(map(in_parts, order[6:9])) < max(map(in_parts, order[6:9])) < in_parts("1.3")
    assert in_parts("odd") < in_parts("0.1")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("silent<=12", True),
        ("silent<=11", False),
        ("silent>=12", True),
        ("silent<12", False),
        ("silent>12", False),
        ("slot is unknown or silent=0", True),
        ("silent=0 or slot=A", None),
        ("silent=12 and slot=A", None),
        ("silent=0 and slot=A", False),
        ("silent=12 or slot=A", True),
        ("not slot=A", None),
        ("not not silent=12", True),
        ("online=FALSE", True),
        ("home=LONG*", True),
        ("home>='m'", False),
        ("cert=3d", True),
        ("(" * 49 + "silent" + ")" * 49, True),
    ],
)
def test_filters_are_three_valued(board: Board, text: str, fits: bool | None) -> None:
    assert read_filter(text)(board.homes["long-name"], NOW) is fits


# --- screen


def shown(written: str, lines: list[str]) -> list[str]:
    """What a terminal shows that had these lines and was sent that."""
    lines = list(lines)
    body = written.removeprefix("\x1b[?2026h").removesuffix("\x1b[?2026l")
    for part in body.split("\x1b[K")[:-1]:
        where, _, text = part.removeprefix("\x1b[").partition("H")
        lines[int(where) - 1] = text
    return lines


LINES = st.lists(st.sampled_from(("", "a", "b", "c" * 9)), max_size=6)


@given(st.lists(st.tuples(LINES, st.integers(1, 8), st.integers(1, 5)), min_size=1, max_size=6))
def test_after_each_picture_the_terminal_shows_it(pictures: list[tuple[list[str], int, int]]) -> None:
    screen, terminal = Screen(), [""] * 5
    for lines, columns, rows in pictures:
        terminal = shown(screen.draw(lines, columns, rows), terminal)
        wanted = [line[:columns] for line in lines[:rows]]
        assert terminal[:rows] == wanted + [""] * (rows - len(wanted))
        assert screen.draw(lines, columns, rows) == "", "what doesn't change isn't written"


def test_only_the_line_that_changed_is_written() -> None:
    screen = Screen()
    assert screen.draw(["a", "b"], 9, 3) == "\x1b[?2026h\x1b[1Ha\x1b[K\x1b[2Hb\x1b[K\x1b[3H\x1b[K\x1b[?2026l"
    assert screen.draw(["a", "c"], 9, 3) == "\x1b[?2026h\x1b[2Hc\x1b[K\x1b[?2026l"


@pytest.mark.parametrize(
    ("line", "columns", "left"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("abc", 0, ""),
        ("\x1b[31mab\x1b[0mc", 3, "\x1b[31mab\x1b[0mc"),
        ("\x1b[31mab\x1b[0mc", 1, "\x1b[31ma\x1b[0m"),
        ("a\x1b[31mb\x1b[0m", 1, "a"),
        ("\x1b[31mab\x1b[0m", 2, "\x1b[31mab\x1b[0m"),
    ],
)
def test_a_line_is_cut_by_what_is_seen_of_it(line: str, columns: int, left: str) -> None:
    assert cut(line, columns) == left


@pytest.mark.parametrize(
    ("count", "rows", "first", "key", "then"),
    [
        (40, 10, 0, " ", 10),
        (40, 10, 30, " ", 30),
        (40, 10, 30, "n", 30),
        (41, 10, 30, "n", 40),
        (40, 10, 10, "b", 0),
        (40, 10, 0, "b", 0),
        (40, 10, 30, "g", 0),
        (5, 10, 0, " ", 0),
        (0, 10, 20, "", 0),
        (5, 10, 30, "", 0),
        (40, 10, 20, "x", 20),
        (40, 0, 20, " ", 0),
    ],
)
def test_a_key_turns_the_page_and_never_beyond_the_last(
    count: int, rows: int, first: int, key: str, then: int
) -> None:
    assert page(count, rows, first, key) == then
