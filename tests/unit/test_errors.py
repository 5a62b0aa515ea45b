"""What a person reads when something is wrong."""

from __future__ import annotations

import pytest

from homenode.errors import FileMistakes, HomenodeError, Mistake, SetupError, acted_on


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HomenodeError("the disk is full"), "the disk is full"),
        (HomenodeError("no answer", where="/dev/ttyUSB0"), "/dev/ttyUSB0: no answer"),
        (SetupError("no such port", where="x", do="plug it in"), "x: no such port (plug it in)"),
    ],
)
def test_an_error_says_where_what_and_what_to_do(error: HomenodeError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        (
            Mistake("a.yaml", 3, "home", "'X'", "a word", "x", 7),
            "a.yaml:3:7: home: found 'X'; accepted: a word; did you mean x?",
        ),
        (Mistake("a.yaml", 3, "home", "'X'", "a word"), "a.yaml:3: home: found 'X'; accepted: a word"),
        (Mistake("a.yaml", 0, "file", "nothing", "a file"), "a.yaml: file: found nothing; accepted: a file"),
    ],
)
def test_a_mistake_says_file_line_field_found_accepted_and_a_suggestion(mistake: Mistake, text: str) -> None:
    assert str(mistake) == text


def test_all_mistakes_of_a_file_are_told_a_line_each() -> None:
    one, two = (Mistake("a.yaml", line, "x", "y", "z") for line in (1, 2))
    error = FileMistakes([one, two])
    assert str(error).splitlines() == [str(one), str(two)]
    assert error.mistakes == (one, two)


def test_of_a_group_of_tasks_the_error_that_somebody_can_act_on_is_told() -> None:
    one, other, act = KeyError("a"), OSError("b"), SetupError("no such port")
    assert acted_on(one) is one
    assert acted_on(ExceptionGroup("g", [one, other])) is one
    assert acted_on(ExceptionGroup("g", [one, act])) is act
    assert acted_on(ExceptionGroup("g", [ExceptionGroup("h", [other, act]), one])) is act
