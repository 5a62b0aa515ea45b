"""What each type of field takes, and how it says what it takes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from homenode.config.fields import Field
from homenode.config.notes import Notes, listed, nearest
from homenode.config.values import LONGEST_TEXT, accepted, read_table, read_value
from homenode.config.yaml12 import compose
from homenode.errors import Mistake

BESIDE = Path("/home/anna")


def read(row: Field, text: str) -> tuple[Any, list[Mistake]]:
    notes = Notes("f")
    value = read_value(row, compose(text, "f"), "x", notes, BESIDE)
    return value, notes.mistakes


WHOLE = Field("x", "whole", "h", low=2, high=27)
SPAN = Field("x", "duration", "h", low=50, high=60_000)
WORDS = Field("x", "words", "h")
CHOSEN = Field("x", "words", "h", choices=("care", "property"))


@pytest.mark.parametrize(
    ("row", "text", "value"),
    [
        (Field("x", "text", "h"), "kök", "kök"),
        (Field("x", "text", "h"), "0412", "0412"),
        (Field("x", "text", "h"), "x" * LONGEST_TEXT, "x" * LONGEST_TEXT),
        (Field("x", "word", "h"), "front_door-2", "front_door-2"),
        (Field("x", "word", "h", choices=("13", "14")), "14", "14"),
        (Field("x", "number", "h", low=0, high=1), "0", 0),
        (Field("x", "number", "h", low=0, high=1), "1.0", 1.0),
        (Field("x", "number", "h"), "-1e3", -1000.0),
        (WHOLE, "2", 2),
        (WHOLE, "27", 27),
        (Field("x", "flag", "h"), "true", True),
        (Field("x", "flag", "h"), "False", False),
        (SPAN, "0.05 s", 50),
        (SPAN, "1 min", 60_000),
        (Field("x", "duration", "h", choices=("never",)), "never", "never"),
        (Field("x", "path", "h"), "ca.pem", BESIDE / "ca.pem"),
        (Field("x", "path", "h"), "/etc/ca.pem", Path("/etc/ca.pem")),
        (Field("x", "point", "h"), "stove.power_2", "stove.power_2"),
        (Field("x", "time", "h"), "23:59", 23 * 60 + 59),
        (Field("x", "moment", "h"), '"2008-02-26 07:30"', datetime(2008, 2, 26, 7, 30)),
        (Field("x", "moment", "h"), "2008-02-26", datetime(2008, 2, 26)),
        (WORDS, "[a, b, 3]", ("a", "b", "3")),
        (WORDS, "[]", ()),
        (CHOSEN, "[property, care]", ("property", "care")),
    ],
)
def test_what_fits_is_taken(row: Field, text: str, value: object) -> None:
    assert read(row, text) == (value, [])


@pytest.mark.parametrize(
    ("row", "text"),
    [
        *(
            (Field("x", kind, "h"), text)
            for kind in ("text", "word", "number", "flag", "path")
            for text in ("~", "[a]")
        ),
        (Field("x", "text", "h"), '"  "'),
        (Field("x", "text", "h"), '"a\\nb"'),
        (Field("x", "text", "h"), "x" * (LONGEST_TEXT + 1)),
        (Field("x", "word", "h"), "x" * 65),
        (Field("x", "word", "h"), "Front"),
        (Field("x", "word", "h", choices=("a", "b")), "c"),
        (Field("x", "text", "h", pattern="[ab]+"), "abc"),
        (Field("x", "number", "h"), ".inf"),
        (Field("x", "number", "h"), ".nan"),
        (Field("x", "number", "h"), '"1"'),
        (Field("x", "number", "h"), "true"),
        (WHOLE, "1"),
        (WHOLE, "28"),
        (WHOLE, "3.0"),
        (Field("x", "flag", "h"), "1"),
        (SPAN, "0.049 s"),
        (SPAN, "60.001 s"),
        (SPAN, "never"),
        (Field("x", "point", "h"), "stove"),
        (Field("x", "point", "h"), "stove.pwer"),
        (Field("x", "point", "h"), "stove oven.power"),
        (Field("x", "time", "h"), "24:00"),
        (Field("x", "moment", "h"), "2026-02-30"),
        (Field("x", "moment", "h"), "2026-02-28T07:00Z"),
        (WORDS, "a"),
        (WORDS, "[[a]]"),
        (WORDS, "[~]"),
        (WORDS, '["a\\nb"]'),
        (CHOSEN, "[care, propety]"),
    ],
)
def test_what_does_not_fit_is_told_and_the_default_stands(row: Field, text: str) -> None:
    value, (mistake,) = read(row, text)
    assert value is row.default
    assert mistake.field == "x"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Field("x", "text", "h", shown="a room"), "a room"),
        (Field("x", "word", "h", choices=("up", "down", "none")), "up, down or none"),
        (Field("x", "number", "h", low=0, high=1.5), "a number from 0 to 1.5"),
        (Field("x", "whole", "h", low=1), "a whole number, at least 1"),
        (Field("x", "number", "h", high=9), "a number, at most 9"),
        (Field("x", "number", "h"), "a number"),
        (SPAN, "a duration such as 20 min, 1 h 30 min or 0.5 s from 0.05 s to 1 min"),
        (
            Field("x", "duration", "h", low=1, choices=("never",)),
            "a duration such as 20 min, 1 h 30 min or 0.5 s, longer than 0 s, or never",
        ),
        (
            Field("x", "duration", "h", low=1, high=1000),
            "a duration such as 20 min, 1 h 30 min or 0.5 s, longer than 0 s, at most 1 s",
        ),
    ],
)
def test_what_is_accepted_is_said_in_words(row: Field, words: str) -> None:
    assert accepted(row) == words


@pytest.mark.parametrize(
    ("text", "suggestion"), [("propety", "property"), ("c", ""), ("zzzz", ""), ("CARE", "care")]
)
def test_a_misspelt_choice_of_a_list_is_suggested(text: str, suggestion: str) -> None:
    _, (mistake,) = read(CHOSEN, f"[{text}]")
    assert mistake.suggestion == suggestion


def test_what_is_no_mapping_is_told_with_what_would_stand_in_it() -> None:
    notes = Notes("f")
    rows = (Field("pin", "whole", "h"), Field("pull", "word", "h", default="up"))
    assert read_table(rows, compose("[17]", "f"), "sink", notes, BESIDE) == {"pin": None, "pull": "up"}
    assert [(m.field, m.accepted) for m in notes.mistakes] == [("sink", "a mapping with pin or pull")]


@pytest.mark.parametrize(
    ("names", "shown"),
    [((), "none"), (("a",), "a"), (("a", "b"), "a or b"), (("a", "b", "c"), "a, b or c")],
)
def test_names_are_listed_as_people_do(names: tuple[str, ...], shown: str) -> None:
    assert listed(names) == shown


def test_a_long_list_is_cut() -> None:
    names = [f"n{number}" for number in range(30)]
    assert listed(names[:3], 3) == "n0, n1 or n2"
    assert listed(names[:4], 3) == "n0, n1, n2 …"


@pytest.mark.parametrize(
    ("word", "name"), [("Stov", "stove"), ("iz", "is"), ("x", ""), ("stov" * 500, ""), ("iss", "is")]
)
def test_the_nearest_name_is_one_that_could_have_been_meant(word: str, name: str) -> None:
    assert nearest(word, ["is", "stove", "Stove2"]) == name
