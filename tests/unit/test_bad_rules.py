"""Every kind of mistake in a rule file is told at its place; hostile files are refused in a sentence."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest

from homenode.language import try_rule
from homenode.language.applied import Applied
from homenode.language.lint import Findings, lint
from homenode.rule_tools import check_rules

CORPUS = sorted(Path(__file__).with_name("bad_rules").glob("*.yaml"))
EXPECTED = re.compile(r"# (?P<warning>warning )?(?P<line>\d+):(?P<column>\d+) (?P<field>\S+): (?P<found>.*)")


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_each_mistake_is_told_at_the_place_that_the_file_begins_with(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    expected = [match for line in text.splitlines() if (match := EXPECTED.fullmatch(line))]
    rule, mistakes = try_rule(text, file.name)
    found = lint(Applied(rule)) if rule else Findings(mistakes)
    told = [("", mistake) for mistake in found.mistakes] + [
        ("warning ", warning) for warning in found.warnings
    ]
    assert [(kind, one.line, one.column, one.field) for kind, one in told] == [
        (match["warning"] or "", int(match["line"]), int(match["column"]), match["field"])
        for match in expected
    ]
    for (_, one), match in zip(told, expected, strict=True):
        assert one.found.startswith(match["found"])
        assert one.accepted


MEANT = {
    "when: d = open": "==", "when: d == open && d": "and", "when: d || d": "or", "when: not d ! d": "not",
    "when: count(d, 5 min) => 3": ">=", "when: count(d, 5 min) ≤ 3": "<=", "when: d ≠ open": "!=",
    "when: d is open": "== open", "when: d is not closed": "!=", "when: d for 0,5 h": "0.5",
    "when: d for 20 minuter": "min", "when: d for 2 timmar": "h", "when: d for 2 dygn": "d",
    "when: d for 30 sek": "s", "when: d for 500 ms": "", "when: d for 2 months": "",
    "when: d and between 22.30 and 06:00": "22:30", "when: d and between 7 and 08:00": "07:00",
    "when: d and between 22:00-06:00": "and 06:00", "when: d and between 25 and 06:00": "",
    "when: d\nbridge: 2 timmar": "2 h", "when: d\nbridge: 1,5 h": "1.5 h", "when: d\nbridge: 5 ms": "",
    "when: d\nparameters: {hot: {default: '0,5 A'}}": "0.5 A",
    "when: d\nparameters: {hot: {default: 50 w}}": "50 W",
    "when: d\nparameters: {hot: {default: 50 volt}}": "", "when: d\nsays: {se: a}": "sv",
}  # fmt: skip


@pytest.mark.parametrize("line", MEANT)
def test_what_was_probably_meant_is_suggested(line: str) -> None:
    _, (mistake,) = try_rule(f"rule: x\nroles: {{d: {{kind: contact}}}}\n{line}\n", "bad.yaml")
    assert mistake.suggestion == MEANT[line]


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) > 60


ROLES = "roles:\n  d: {kind: contact}\n  p: {kind: power}\n"
HOSTILE = {
    "brackets": "when: " + "(" * 900_000,
    "more brackets": "when: " + "(" * 18_000 + "d" + ")" * 18_000,
    "more than a file": "when: " + "(" * 1_100_000,
    "nots": "when: " + "not " * 4_000 + "d",
    "lists": "when: " + "[" * 10_000 + "]" * 10_000,
    "mappings": "when: " + "{a: " * 10_000 + "}" * 10_000,
    "blocks": "".join(" " * n + "a:\n" for n in range(1_300)),
    "digits": "when: p > " + "9" * 5_000 + " W",
    "a word": "when: " + "d" * 19_000,
    "a key": "k" * 900_000 + ": 1",
    "a name": "rule: " + "k" * 900_000,
    "keys": "".join(f"k{n}: 1\n" for n in range(4_000)),
    "roles": "roles:\n" + "".join(f"  k{n}: {{kind: contct}}\n" for n in range(2_000)),
    "roles that are none": "when: " + " or ".join(f"a{n}" for n in range(2_000)),
    "placeholders": 'says: {sv: "' + "{a}" * 10_000 + '"}',
    "steps": "steps:\n" + "  - {after: 0 s, do: swich}\n" * 2_000,
    "a NUL": "when: d\0",
}


def told(file: Path) -> list[str]:
    out = io.StringIO()
    assert check_rules([str(file)], out) == 2
    return out.getvalue().splitlines()


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_in_few_words(tmp_path: Path, body: str) -> None:
    file = tmp_path / "bad.yaml"
    top = "" if body.startswith(("rule", "roles")) else f"rule: x\n{ROLES}"
    file.write_text(f"{top}{body}\n")
    lines = told(file)
    assert re.fullmatch(rf"{re.escape(str(file))}(:\d+){{1,2}}: .*: found .*; accepted: .*", lines[0])
    assert re.search(r": [1-9]\d* mistakes?, \d+ warnings?$", lines[-1])
    assert len(lines) <= 2 * (3 * 200 + 1) + 1
    assert max(map(len, lines)) < 1_000


def test_a_long_conjunction_is_judged(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    when = " and ".join("not d" if n == 1_500 else "d" for n in range(1_900))
    file.write_text(f"rule: x\n{ROLES}to: []\nwhen: {when}\n")
    (wrong,) = [line for line in told(file) if line.startswith(str(file)) and ": when:" in line]
    assert "found not d, never true together with d" in wrong


def test_what_is_no_file_of_text_is_told(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    assert "found no such file" in told(bad)[0]
    bad.write_bytes(b"rule: x\nwhen: d\xff\n")
    assert told(bad)[0].startswith(f"{bad}:2:8: file: found the byte 0xff, which is not UTF-8")
    bad.write_text("rule: x\nwhen: d\n", encoding="utf-16")
    assert told(bad)[0].startswith(f"{bad}:1:1: file: found the byte 0xff, which is not UTF-8 but UTF-16")
    with bad.open("wb") as stream:
        stream.truncate(100_000_000)
    assert "found more than 1,000,000 bytes" in told(bad)[0]
    bad.unlink()
    os.mkfifo(bad)
    assert "found not a file" in told(bad)[0]
    bad.unlink()
    bad.mkdir()
    assert "found a folder" in told(bad)[0]
