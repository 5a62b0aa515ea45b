"""`homenode rules test`: the cases of rules, told sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from homenode.cases.reader import read_cases
from homenode.cases.run import run
from homenode.config.notes import listed, nearest
from homenode.config.rule_files import find_rule, rule_names
from homenode.config.yaml12 import read_text
from homenode.errors import FileMistakes, Mistake
from homenode.language.reader import read_rule

TRACES = "traces"
"""Folder beside a rule's file, in which its cases are found under the same name."""


def command(what: Sequence[str], beside: Path, out: TextIO) -> int:
    """Run the cases of rules; 0 if every one holds, 1 if one doesn't or a rule has none.

    Args:
        what: Names of rules, or files of rules or traces; none means all that the home may use.
        beside: The folder of home.yaml; its ``rules/`` is looked into before the shipped rules.
        out: Where it is told.

    Raises:
        FileMistakes: A rule or a trace can't be read.
    """
    files = [_rule_file(name, beside) for name in what or rule_names(beside)]
    fell = sum(_test(file, out) for file in files)
    if len(files) > 1:
        print(f"\n{len(files)} rules, {fell or 'none'} with something to mend", file=out)
    return 1 if fell else 0


def trace_of(rule_file: Path) -> Path:
    """Where the cases of a rule's file are."""
    return rule_file.parent / TRACES / rule_file.name


def _rule_file(name: str, beside: Path) -> Path:
    path = Path(name)
    if path.suffix == ".yaml":
        return path.parent.parent / path.name if path.parent.name == TRACES else path
    file = find_rule(name, beside) if path.name == name else None
    if file is None:
        names = rule_names(beside)
        accepted = f"a rule ({listed(names, 40)}), or a file NAME.yaml"
        raise FileMistakes([Mistake(name, 0, "rule", "no such rule", accepted, nearest(name, names))])
    return file


def _test(file: Path, out: TextIO) -> bool:
    """Whether something of this rule is to mend."""
    rule = read_rule(read_text(file, str(file)), str(file))
    print(rule.rule, file=out)
    trace = trace_of(file)
    if not trace.is_file():
        print(f"  no cases: {trace} does not exist", file=out)
        return True
    fell = False
    for case in read_cases(trace, rule):
        outcome = run(case)
        print(f"  {'ok  ' if outcome.holds else 'FAIL'} {case.it}", file=out)
        if not outcome.holds:
            fell = True
            print(f"       {case.file}:{case.line}", file=out)
            for line in outcome.lines():
                print(f"       {line}", file=out)
    return fell
