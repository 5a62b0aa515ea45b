"""The faults that mutation tests put in: one each, where code decides, and none where only words change."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants_of


def faults(source: str) -> list[str]:
    found = mutants_of("m", Path("m.py"), source)
    for mutant in found:
        ast.parse(mutant.source)
        assert mutant.source != source
    return [f"{mutant.before} -> {mutant.after}" for mutant in found]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b", ["a < b -> (a <= b)"]),
        ("a is not b", ["a is not b -> (a is b)"]),
        ("a and b", ["a and b -> (a or b)"]),
        ("not a", ["not a -> (a)"]),
        ("a + b", ["a + b -> (a - b)"]),
        ("a | b", []),
        ("a + 'x'", []),
        ("min(a, b)", ["min -> max"]),
        ("x if a else y", ["a -> (not a)"]),
        ("[x for x in a if x]", ["x -> (not x)"]),
        ("7", ["7 -> 8"]),
        ("True", ["True -> False"]),
        ("f'{1 + 1}'", []),
    ],
)
def test_an_expression_is_changed_where_it_decides(code: str, expected: list[str]) -> None:
    assert faults(f"def f():\n    return {code}\n") == expected


def test_statements_are_left_out_if_no_name_is_missing_then() -> None:
    body = "    self.a = b\n    c = d\n    g()\n    del x[y]\n    raise E(1 + 1)\n"
    assert [fault.split(" -> ")[0] for fault in faults(f"def f():\n{body}")] == [
        "self.a = b",
        "g()",
        "del x[y]",
        "raise E(1 + 1)",
    ]


def test_annotations_decorators_tables_and_empty_defaults_are_left_alone() -> None:
    source = """
__all__ = ["x"]
@dataclass(frozen=True)
class A:
    "doc"
    a: int = 0
    b: Literal[1] = f(2)
ROWS = (Row(3, high=4),)
assert A
"""
    assert faults(source) == []


def test_a_limit_is_moved_far_and_a_number_in_a_function_by_one() -> None:
    assert faults("LIMIT = 20\n") == ["20 -> 41"]
    assert faults("def f():\n    return 20\n") == ["20 -> 21"]


def test_a_zip_that_must_be_strict_is_an_assertion() -> None:
    assert faults("def f():\n    return zip(a, b, strict=True)\n") == []


def test_a_line_may_say_why_no_fault_of_it_can_be_seen() -> None:
    assert faults("def f():\n    return 20  # no mutant: any number does\n") == []


def test_letters_of_more_than_a_byte_before_a_fault_do_not_move_it() -> None:
    (mutant,) = mutants_of("m", Path("m.py"), "def f():\n    return g('åäö', a < b)\n")
    assert "g('åäö', (a <= b))" in mutant.source
