"""Files are read as YAML 1.2, every value knows its line, and hostile text costs little."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.config.yaml12 import (
    DEEPEST,
    MOST_BYTES,
    Listing,
    Table,
    compose,
    plain,
    read_text,
    resolve,
)
from homenode.errors import FileMistakes, Mistake


def wrong(text: str) -> Mistake:
    with pytest.raises(FileMistakes) as caught:
        compose(text, "a.yaml")
    return caught.value.mistakes[0]


@pytest.mark.parametrize(
    "word", ["on", "off", "yes", "no", "On", "NO", "y", "22:00", "1:30:00", "0b1", "1_000", "<<"]
)
def test_words_that_yaml_1_1_would_turn_into_something_else_stay_words(word: str) -> None:
    assert plain(compose(f"a: {word}", "f")) == {"a": word}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-17", -17),
        ("017", 17),
        ("0o17", 15),
        ("0xff", 255),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1e3", -1000.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("9" * 101, "9" * 101),
        ("1 000", "1 000"),
    ],
)
def test_the_core_schema_is_followed(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_not_a_number_is_one_of_its_numbers() -> None:
    assert math.isnan(resolve(".nan"))  # type: ignore[arg-type]  # a float, as the assertion shows


def test_quotes_and_the_string_tag_make_text() -> None:
    assert plain(compose("['17', \"on\", !!str 17, true]", "f")) == ["17", "on", "17", True]


def test_every_value_knows_where_it_stands() -> None:
    root = compose("# a comment\nhome: x\ndevices:\n  stove: {room: [kitchen]}\n", "f")
    assert isinstance(root, Table)
    key, devices = root.entries["devices"]
    assert (key.line, key.column) == (3, 1)
    assert isinstance(devices, Table)
    stove = devices.get("stove")
    assert isinstance(stove, Table)
    assert (stove.line, stove.column) == (4, 10)
    room = stove.get("room")
    assert isinstance(room, Listing)
    assert (room.items[0].line, room.items[0].column) == (4, 18)


def test_a_key_that_stands_twice_is_told_with_both_lines_and_the_first_counts() -> None:
    found: list[Mistake] = []
    root = compose("a: 1\nb: 2\na: 3\n", "f", found)
    assert plain(root) == {"a": 1, "b": 2}
    assert [(mistake.line, mistake.field) for mistake in found] == [(3, "a")]
    assert "line 1" in found[0].found
    assert wrong("a: 1\na: 2").line == 2


def test_keys_are_taken_as_they_stand() -> None:
    root = compose("on: 1\n17: 2\ntrue: 3\n", "f")
    assert isinstance(root, Table)
    assert list(root.entries) == ["on", "17", "true"]


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a:\n\tb: 1\n", 2, 1, "a tab"),
        ("a: 1\nb: [1, 2\n", 2, 1, "end of the file"),
        ("a: 1\nb: c: d\n", 2, 5, "b: c: d"),
        ("share: *.battery\n", 1, 8, "*.battery"),
        ("share: [*.*]\n", 1, 9, "*.*"),
        ("a: *nobody\n", 1, 4, "*nobody"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("a: !!python/object:os.system x\n", 1, 4, "tag"),
        ("a: 1\nb: \x07\n", 2, 4, "U+0007"),
        ("? [a]\n: 1\n", 1, 3, "a list"),
        ("", 1, 0, "nothing"),
        ("# only a comment\n", 1, 0, "nothing"),
    ],
)
def test_what_cannot_be_read_is_told_with_line_and_column(
    text: str, line: int, column: int, says: str
) -> None:
    mistake = wrong(text)
    assert (mistake.line, mistake.column) == (line, column)
    assert says in mistake.found


def test_an_unquoted_star_is_told_to_go_into_quotes() -> None:
    assert '"*.battery"' in wrong("share: [*.battery]").accepted


def test_aliases_are_read() -> None:
    assert plain(compose("a: &x {b: 1}\nc: *x\n", "f")) == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_alias_bomb_does_not_go_off() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 20)
    )
    assert "values" in wrong(bomb).found


def test_aliases_do_not_get_deeper_than_what_is_written_out() -> None:
    inner = DEEPEST - 10
    tower = f"a0: &a0 {'[' * inner}x{']' * inner}\n" + "".join(
        f"a{n}: &a{n} {'[' * inner}*a{n - 1}{']' * inner}\n" for n in range(1, 60)
    )
    assert "levels" in wrong(tower).found


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "a: &a [*a]"])
def test_towers_and_loops_are_refused_at_once(text: str) -> None:
    assert wrong(text).line == 1


def test_a_missing_file_is_told_with_its_likely_name(tmp_path: Path) -> None:
    (tmp_path / "home.yaml").write_text("home: x")
    with pytest.raises(FileMistakes) as caught:
        read_text(tmp_path / "hom.yaml", "hom.yaml")
    assert caught.value.mistakes[0].suggestion.endswith("home.yaml")
    assert "no such file" in str(caught.value)


def test_a_folder_a_huge_file_and_other_encodings_are_told(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as stream:
        stream.truncate(100 * MOST_BYTES)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("home: x\nroom: kök\n".encode("latin-1"))
    for path, says in ((tmp_path, "a folder"), (huge, "bytes"), (latin, "0xf6")):
        with pytest.raises(FileMistakes, match=says):
            read_text(path, str(path))
    with pytest.raises(FileMistakes, match=r"latin.yaml:2"):
        read_text(latin, "latin.yaml")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfhome: x")
    assert read_text(tmp_path / "a.yaml", "a.yaml") == "home: x"


YAML_LIKE = st.one_of(st.sampled_from("ab:-[]{}&*!|>'\"#%@`, \n\t?~0.x"), st.characters())


@given(st.text(alphabet=YAML_LIKE, max_size=60))
def test_no_text_makes_anything_but_values_or_told_mistakes(text: str) -> None:
    found: list[Mistake] = []
    try:
        plain(compose(text, "f", found))
    except FileMistakes as caught:
        found += caught.mistakes
    assert all(mistake.line >= 1 and mistake.found and mistake.accepted for mistake in found)


def test_an_open_bracket_is_told_with_the_line_where_it_stands_open() -> None:
    told = wrong("devices:\n  a: {room: hall\n  b: {room: hall}\n")
    assert told.line == 3
    assert "line 2" in told.accepted


def test_a_quote_that_isnt_closed_is_told_with_the_line_it_is_in() -> None:
    assert wrong('home: a\ntimezone: "UTC\ndevices: b\nroom: c\n').accepted.endswith(
        "quotes of line 2 closed"
    )


def test_a_line_that_stands_askew_is_told_to_begin_in_the_column_of_the_others() -> None:
    assert "same column" in wrong("devices:\n  a: {room: hall}\n   b: {room: hall}\n").accepted


def test_a_folder_instead_of_its_home_yaml_is_pointed_to_it(tmp_path: Path) -> None:
    for there in (False, True):
        if there:
            (tmp_path / "home.yaml").write_text("home: a")
        with pytest.raises(FileMistakes) as caught:
            read_text(tmp_path, "a")
        assert caught.value.mistakes[0].suggestion == (str(tmp_path / "home.yaml") if there else "")
