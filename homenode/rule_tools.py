"""`homenode rules`: check rules with or without a home, and tell in plain words what one does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from homenode.config.check import CheckReport, check, check_home, tell
from homenode.config.notes import listed, nearest
from homenode.config.registry import driver_types
from homenode.config.rule_files import find_rule, rule_names
from homenode.config.yaml12 import Table, compose, read_text
from homenode.driver import DriverType
from homenode.errors import FileMistakes, Mistake, SetupError
from homenode.home import silence_limits
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


def explain(names: Sequence[str], home: str | None, language: str | None, out: TextIO) -> int:
    """Prints in plain words what rules do, in each of their uses in the home.

    Args:
        names: A use's name, a rule's name or the path of its file; a home.yaml among them counts as `home`.
        home: home.yaml; that here, if there is one, when None.
        language: ``sv`` or ``en``; the home's, or English, when None.
        out: Where it goes.

    Raises:
        FileMistakes: The rule, or how the home uses it, is wrong.
        SetupError: There is no such rule.
    """
    from homenode.language.explain import explain as in_words

    if home is None and len(names) > 1:
        home = next((name for name in names if name.endswith((".yaml", ".yml")) and not is_rule(name)), None)
        names = [name for name in names if name != home]
    if not names:
        raise SetupError("a home and no rule", do="name a rule, too")
    if home is None and Path(HOME).is_file():
        home = HOME
    types = driver_types()
    report = check_home(home, drivers=types) if home is not None else None
    told = [
        in_words(applied, language or (applied.home.language if applied.home else "en"), limits_ms)
        for name in names
        for applied, limits_ms in _applied(name, report, types)
    ]
    out.write("\n".join(told))
    return 0


def _applied(
    name: str, report: CheckReport | None, types: Mapping[str, DriverType]
) -> list[tuple[Applied, Mapping[str, int]]]:
    """The rule in each of its uses, with how long its sensors may be silent; alone if no home uses it."""
    home = report.home if report else None
    uses = [use for use in home.rules if name in (use.name, str(use.file))] if home else []
    uses = uses or [use for use in home.rules if use.use == name] if home else []
    if report is None or home is None or not uses:
        if report is not None and home is None:
            raise FileMistakes(report.mistakes)
        return [(Applied(_alone(name, [use.name for use in home.rules] if home else [])), {})]
    found: list[tuple[Applied, Mapping[str, int]]] = []
    for use in uses:
        rule = report.rule_files.get(use.file)
        if rule is None or use.name not in {bound.name for bound in report.rules}:
            raise FileMistakes(report.mistakes)
        points = [point for points in use.bind.values() for point in points]
        found.append((Applied(rule, home, use), silence_limits(home.devices.values(), points, types)))
    return found


def _alone(name: str, used: Sequence[str]) -> RuleFile:
    shipped = rule_names(Path())
    file = name if "/" in name or name.endswith(".yaml") else str(find_rule(name, Path()) or "")
    if not file:
        known = list(dict.fromkeys((*used, *shipped)))
        near = nearest(name, known) or next((other for other in known if other.startswith(name)), "")
        do = f"did you mean {near}?" if near else f"one of: {listed(known, 40)}, or a file"
        raise SetupError(f"no rule {name!r}", do=do)
    rule, mistakes = _read(file)
    if rule is None:
        raise FileMistakes(mistakes)
    return rule
