"""All rules of a home at once, with everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from homenode.config.model import Home
from homenode.config.yaml12 import read_text
from homenode.errors import FileMistakes, Mistake
from homenode.language.binding import bind
from homenode.language.bound import BoundRule
from homenode.language.reader import try_rule
from homenode.language.rule_file import RuleFile

Read = Callable[[Path, str], str]
"""Reads a text file: its path, and how mistakes name it. Raises FileMistakes."""


def check_rules(
    home: Home, read: Read = read_text, files: dict[Path, RuleFile | None] | None = None
) -> tuple[tuple[BoundRule, ...], tuple[Mistake, ...]]:
    """The rules that `home` uses, in its order, and all mistakes in their files and in how it uses them.

    Args:
        home: As far as home.yaml could be read.
        read: What reads a rule file.
        files: Gets the rule files that were read, None for those with mistakes.
    """
    files = {} if files is None else files
    bound: list[BoundRule] = []
    mistakes: list[Mistake] = []
    for use in home.rules:
        if use.file not in files:
            try:
                files[use.file], found = try_rule(read(use.file, str(use.file)), str(use.file))
            except FileMistakes as wrong:
                files[use.file], found = None, list(wrong.mistakes)
            mistakes += found
        rule_file = files[use.file]
        if rule_file is None:
            continue
        rule, found = bind(rule_file, use, home)
        mistakes += found
        if rule is not None:
            bound.append(rule)
    return tuple(bound), tuple(mistakes)
