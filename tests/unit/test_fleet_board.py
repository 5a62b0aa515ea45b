"""All homes as a table: what is known of each, which are meant, how they are shown."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homenode.contract import shapes
from homenode.contract.figures import FIGURES, taken
from homenode.errors import SetupError
from homenode.fleet.board import LATE_MS, Board
from homenode.fleet.exporter import samples
from homenode.fleet.fields import BY_NAME, FIELDS, bad_of, in_parts
from homenode.fleet.filters import read_filter
from homenode.fleet.table import Columns, as_json, chosen, summary
from homenode.health import prometheus
from tests.unit.contract_examples import FIGURES as WELL
from tests.unit.fleets import NOW, UTC, link, status

DAY = 86_400_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def value(board: Board, name: str, field: str, now: int = NOW) -> Any:
    return BY_NAME[field].of(board.homes[name], now)


@pytest.fixture
def board() -> Board:
    """Three homes: one that is well, one that isn't, one of which little is known."""
    made = Board()
    link(made, "good")
    status(made, "good", version="1.10", **WELL)
    link(made, "bad", online=False, at=NOW - DAY)
    status(made, "bad", at=NOW - DAY, version="1.9", silent=3, blind=1, radios={"zigbee": False},
           card_worn_pct=90, undervoltage="lately", clock="unset", open=[{"text": {"sv": "trasig"}}],
           update={"version": "1.10", "state": "failed", "at": "x", "why": {"en": "no radio"}})  # fmt: skip
    link(made, "new")
    return made


def test_what_is_not_known_is_a_question_mark_and_never_a_good_value(board: Board) -> None:
    now_ms = NOW
    row = Columns().rows([board.homes["new"]], now_ms, colour=False)[0]
    assert row.split() == ["new", "yes", *["?"] * 3, "ok", *["?"] * 10]
    told = as_json(board.homes["new"], now_ms)
    assert {name for name, one in told.items() if one is None} == {field.name for field in FIELDS} - {
        "home", "online", "link"} | {"radios"}  # fmt: skip


def test_an_online_that_is_old_is_not_online(board: Board) -> None:
    assert value(board, "good", "online", NOW + LATE_MS) is True
    assert value(board, "good", "online", NOW + LATE_MS + 1) is False
    link(board, "good", at=NOW + 2 * LATE_MS, retained=False)
    assert value(board, "good", "online", NOW + 2 * LATE_MS) is True


def test_a_heartbeat_that_we_hear_counts_by_our_clock_and_one_that_was_kept_by_its_own() -> None:
    board = Board()
    hours_off = json.dumps({"online": True, "at": UTC.text(NOW - DAY)}).encode()
    status(board, "h", clock="synchronised")
    board.link("h", hours_off, NOW, retained=True)
    assert value(board, "h", "online") is False
    assert value(board, "h", "link") == DAY // 1000
    board.link("h", hours_off, NOW, retained=False)
    assert value(board, "h", "online") is True


@pytest.mark.parametrize("clock", ["trusted", "rtc", "unset", None])
@pytest.mark.parametrize("off_ms", [-LATE_MS - 1, LATE_MS + 1, -DAY, DAY])
def test_a_clock_that_nobody_keeps_tells_of_no_home_that_it_is_away(clock: str | None, off_ms: int) -> None:
    board = Board()
    status(board, "h", clock=clock, started=UTC.text(NOW - DAY))
    word = json.dumps({"online": True, "at": UTC.text(NOW + off_ms)}).encode()
    board.link("h", word, NOW, retained=True)
    assert [value(board, "h", field) for field in ("online", "link", "since")] == [None] * 3
    assert bad_of(board.homes["h"], NOW) >= 1, "unknown is no good"
    assert "homenode_up" not in prometheus.text(samples(board, NOW), True)
    assert value(board, "h", "online", NOW + LATE_MS + 1) is False
    board.link("h", word, NOW + 1, retained=False)
    assert value(board, "h", "online", NOW + 1) is True
    assert 'homenode_up{home="h"} 1' in prometheus.text(samples(board, NOW + 1), True)


def test_a_heartbeat_from_the_future_is_no_sign_of_a_kept_clock() -> None:
    board = Board()
    status(board, "h", clock="synchronised")
    board.link("h", json.dumps({"online": True, "at": UTC.text(NOW + DAY)}).encode(), NOW, retained=True)
    assert value(board, "h", "online") is None


def test_a_home_that_went_is_offline_whatever_its_clock() -> None:
    board = Board()
    status(board, "h", clock="unset")
    link(board, "h", online=False, at=NOW - DAY)
    assert value(board, "h", "online") is False
    assert 'homenode_up{home="h"} 0' in prometheus.text(samples(board, NOW), True)


def test_since_when_it_is_away_is_its_last_word_or_the_moment_we_saw(board: Board) -> None:
    assert value(board, "bad", "since") == DAY // 1000
    link(board, "good", online=False, at=NOW + 5_000, retained=False)
    assert value(board, "good", "since", NOW + 65_000) == 60
    link(board, "good", online=True, at=NOW + 70_000, retained=False)
    link(board, "good", online=False, at=NOW, retained=True)  # it went while nobody listened
    assert value(board, "good", "since", NOW + DAY) == (DAY - 70_000) // 1000


def test_those_that_ask_for_somebody_come_first_and_unknown_is_no_good(board: Board) -> None:
    assert [home.name for home in chosen(board, NOW, None)] == ["bad", "new", "good"]
    assert summary(board, chosen(board, NOW, None), NOW) == "3 of 3 homes, 2 online, 2 to look after"
    assert bad_of(board.homes["good"], NOW) == 0
    assert bad_of(board.homes["bad"], NOW) == 10
    link(board, "new", online=False)
    assert summary(board, chosen(board, NOW, None), NOW) == "3 of 3 homes, 1 online, 2 to look after"


@pytest.mark.parametrize(
    ("order", "names"),
    [("version", ["bad", "good", "new"]), ("-version", ["good", "bad", "new"]),
     ("home", ["bad", "good", "new"]),
     ("-silent", ["bad", "good", "new"]), ("silent", ["good", "bad", "new"])],
)  # fmt: skip
def test_an_order_of_ones_own_has_the_unknown_last(board: Board, order: str, names: list[str]) -> None:
    assert [home.name for home in chosen(board, NOW, None, order)] == names


def test_an_order_by_nothing_is_refused_with_what_there_is(board: Board) -> None:
    with pytest.raises(SetupError, match="fields: home, online"):
        chosen(board, NOW, None, "colour")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("silent>0", ["bad"]), ("silent > 0 and version<1.10", ["bad"]), ("version<1.10", ["bad"]),
        ("version >= 1.9", ["bad", "good"]), ("version=1.10", ["good"]),
        ("version=1.10.0", ["good"]), ("version != 1.10", ["bad"]),
        ("version=1.1*", ["good"]), ("version!='1.?'", ["good"]),
        ("online=no", ["bad"]), ("online != yes", ["bad"]), ("online", ["good", "new"]),
        ("not online", ["bad"]),
        ("silent is unknown", ["new"]), ("not silent is unknown", ["bad", "good"]),
        ("silent = 0", ["good"]), ("silent != 3", ["good"]), ("not silent=3", ["good"]),
        ("silent>0 or silent is unknown", ["bad", "new"]), ("home=b* or home=new", ["bad", "new"]),
        ("home='g*'", ["good"]), ('home!="g*"', ["bad", "new"]), ("cert<400", ["good"]),
        ("clock=unset", ["bad"]),
        ("(silent>0 or online) and not home=new", ["bad", "good"]), ("volt=lately", ["bad"]),
        ("card>=90%", ["bad"]),
        ("state=failed", ["bad"]), ("update='failed 1.10'", ["bad"]), ("silent>0 and not online or home=good",
                                                                      ["bad", "good"]),
        ("home<c", ["bad"]), ("blind", ["bad"]), ("radio>0", ["bad"]), ("not (silent=0 or blind=1)", []),
    ],
)  # fmt: skip
def test_a_filter_means_what_it_says_and_unknown_fits_nothing(
    board: Board, text: str, names: list[str]
) -> None:
    assert sorted(home.name for home in chosen(board, NOW, read_filter(text))) == names


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("silnt>0", "did you mean silent"), ("silent>", "a value is missing"), 
        ("silent>0 blind", "join with and"),
        ("(silent>0", "not closed"), ("silent is blue", "silent is unknown"), ("", "a field is missing"),
        ("silent>0 and", "a field is missing"), ("silent=many", "can't be compared"), 
        ("online<yes", "can't be"),
        ("zzz", "fields: home"), ("clock=sychronised", "did you mean synchronised"),
        ("volt != latly", "did you mean lately"), ("state=x", "it is waiting, busy"),
        ("silent > 'x", "can't be read"), 
        ("not " * 60 + "silent", "nested too deep"),
        ("(" * 60 + "silent" + ")" * 60, "nested too deep"),
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_says_where(text: str, why: str) -> None:
    with pytest.raises(SetupError, match=re.escape(why)):
        read_filter(text)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_filter_is_read_or_refused(text: str) -> None:
    board = Board()
    link(board, "h")
    try:
        wanted = read_filter(text)
    except SetupError:
        return
    chosen(board, NOW, wanted)


def test_versions_are_in_the_order_of_versions() -> None:
    order = ["0.9", "1.0rc1", "1.0", "1.0.1", "1.2", "1.9", "1.10", "2"]
    assert sorted(reversed(order), key=in_parts) == order
    assert in_parts("1.0") == in_parts("1.0.0")
    assert sorted(["0.1", "unknown", "0.0"], key=in_parts) == ["0.0", "unknown", "0.1"]
    built = ["1.2-rc.9", "1.2-rc.10", "1.2+9.ga", "1.2+10.ga"]
    assert sorted(reversed(built), key=in_parts) == built


@given(JSON, st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_whatever_a_home_says_the_others_are_shown(body: Any, junk: bytes) -> None:
    board = Board()
    link(board, "well")
    status(board, "well", **WELL)
    before = Columns().rows([board.homes["well"]], NOW, colour=False)
    bodies = (
        body,
        {"health": body, "open": body, "versions": body},
        {"update": body, "open": [body], "at": body},
        {"online": True, "at": body},
    )
    texts = [*(json.dumps(one).encode() for one in bodies), junk]
    for text in texts:
        board.link("odd", text, NOW)
        board.status("odd", text)
        for name in board.homes:
            json.dumps(as_json(board.homes[name], NOW))
        rows = Columns().rows(chosen(board, NOW, None), NOW, colour=False)
        assert all(row.isprintable() for row in rows)
    assert Columns().rows([board.homes["well"]], NOW, colour=False) == before


def test_a_homes_words_move_no_terminal() -> None:
    board = Board()
    status(board, "h", version="\x1b[2J1.0", update={"state": "\x1b]0;x\x07", "version": "1"}, model="a\nb",
           open=[{"text": {"en": "\x1b[31m" + "x" * 9999}}])  # fmt: skip
    told = json.dumps(as_json(board.homes["h"], NOW), ensure_ascii=False)
    assert told.isprintable()
    assert len(told) < 2000
    assert value(board, "h", "model") is None


def test_names_that_no_home_has_are_none() -> None:
    board = Board()
    for name in ("", "A", "h/x", "h" * 41, "å", "\x1b"):
        link(board, name)
        status(board, name)
    assert not board.homes


def test_a_status_that_cant_be_read_is_told_and_one_that_was_taken_back_is_not() -> None:
    board = Board()
    board.status("h", b"[")
    assert bad_of(board.homes["h"], NOW) == 3
    assert as_json(board.homes["h"], NOW)["odd"]
    board.status("h", b"")
    assert "odd" not in as_json(board.homes["h"], NOW)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_of_another_form_is_unknown(figure: Any) -> None:
    right = WELL[figure.name]
    assert taken({figure.name: right}) == ({} if right is None else {figure.name: right})
    wrong = [-1001, 1.5, True, "", "x" * 81, "\x1b", [], {"a": 1}, {"A b": True}, None]
    if figure.form is shapes.TIME:
        wrong += ["2026-02-31T00:00:00.000+00:00", "yesterday"]
    for one in wrong:
        assert taken({figure.name: one}) == {}


def test_every_figure_is_in_the_example_and_no_other() -> None:
    assert list(WELL) == [name for name in WELL if name in {figure.name for figure in FIGURES}]
    assert set(WELL) == {figure.name for figure in FIGURES}


def test_the_version_is_that_of_the_image_where_there_is_one() -> None:
    board = Board()
    body = {"home": "h-1", "versions": {"homenode": "0.1.0", "image": "0.1.0+20261127.1.gabc"}}
    board.status("h-1", json.dumps(body).encode())
    assert board.homes["h-1"].version == "0.1.0+20261127.1.gabc"


def test_a_fault_that_a_home_has_and_does_not_tell_yet_is_none_that_is_known() -> None:
    board = Board()
    link(board, "h")
    status(board, "h", state="fault", radios=None, silent=None, blind=None)
    home = board.homes["h"]
    shown = [BY_NAME[name].of(home, NOW) for name in ("faults", "radio", "silent", "blind")]
    assert shown == [None, None, None, None]
    assert BY_NAME["faults"].bad(None)
    (sample,) = samples(board, NOW)
    assert sample.faults is None
    status(board, "h", state="fault", open=[{"text": {"en": "broken"}}])
    assert home.faults_open == 1
    status(board, "h")
    assert home.faults_open == 0
