"""`homenode rules`: check rules with or without a home, and tell in plain words what one does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from homenode.config.check import check, tell
from homenode.config.yaml12 import Table, compose, read_text
from homenode.errors import FileMistakes, Mistake
from homenode.language import try_rule
from homenode.language.applied import Applied
from homenode.language.lint import Findings, lint
from homenode.language.rule_file import RuleFile

HOME = "home.yaml"
"""What is meant where no file is named."""


def check_rules(files: Sequence[str], out: TextIO) -> int:
    """Prints what is wrong with each file: a home with the rules that it uses, or a rule standing alone.

    Args:
        files: home.yaml or rule files; ``home.yaml`` here if none.
        out: Where it goes.

    Returns:
        2 if any has a mistake, else 0.
    """
    return max(_check_rule(file, out) if is_rule(file) else check(file, out) for file in files or [HOME])


def is_rule(file: str) -> bool:
    """Whether a file is a rule and not a home; one that can't be read is what its folder says."""
    try:
        root = compose(read_text(Path(file), file), file, [])
    except FileMistakes:
        return Path(os.path.abspath(file)).parent.name == "rules"
    if not isinstance(root, Table) or {"home", "devices"} & root.entries.keys():
        return False
    return bool({"rule", "when", "severity", "steps", "roles"} & root.entries.keys())


def _check_rule(file: str, out: TextIO) -> int:
    rule, mistakes = _read(file)
    found = lint(Applied(rule)) if rule else Findings()
    things = f"rule {rule.rule}" if rule else ""
    return tell(file, things, [*mistakes, *found.mistakes], found.warnings, out)


def _read(file: str) -> tuple[RuleFile | None, list[Mistake]]:
    try:
        return try_rule(read_text(Path(file), file), file)
    except FileMistakes as wrong:
        return None, list(wrong.mistakes)
