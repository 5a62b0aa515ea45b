"""`homenode check`: home.yaml and the rules it uses, everything that is wrong in one go."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TextIO

from homenode.config.load import Drivers, in_order, read_home
from homenode.config.model import Home
from homenode.config.recordings import unheard
from homenode.config.registry import driver_types
from homenode.errors import Mistake
from homenode.language import BoundRule, check_rules


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes:
        mistakes: With one the file is refused; by file and line.
        warnings: What a person should look at all the same.
        home: The home, as far as it could be read; None if it isn't even a mapping.
        rules: The rules that it uses, ready for the engine; those with mistakes are not among them.
    """

    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]
    home: Home | None
    rules: tuple[BoundRule, ...] = ()


def check_home(
    path: str | os.PathLike[str], *, drivers: Drivers | None = None, files: bool = True
) -> CheckReport:
    """Checks home.yaml and each rule file that it uses; raises nothing for what a person wrote.

    Args:
        path: home.yaml.
        drivers: Driver types by name; those installed if not given.
        files: Whether certificates and the like that it names must exist.
    """
    types = driver_types() if drivers is None else drivers
    home, notes = read_home(path, drivers=types, files=files)
    mistakes = in_order(notes)
    warnings = list(notes.warnings)
    rules: tuple[BoundRule, ...] = ()
    if home is not None:
        warnings += _broken(types, home, notes.file)
        rules, found = check_rules(home)
        told = {_slip(mistake) for mistake in mistakes}
        for mistake in found:
            if mistake.file != str(home.path):
                mistakes.append(mistake)
            elif _slip(mistake) not in told:
                mistakes.append(replace(mistake, file=notes.file))
        warnings += [
            Mistake(rule.file, 0, "says", "nothing", "{sv: …, en: …}; without it an alert has no words")
            for rule in rules
            if rule.to and not rule.says
        ]
        warnings += unheard(home, rules, notes.file)
    mistakes.sort(
        key=lambda mistake: (mistake.file != notes.file, mistake.file, mistake.line, mistake.column)
    )
    return CheckReport(tuple(mistakes), tuple(warnings), home, rules)


def check(path: str | os.PathLike[str], out: TextIO) -> int:
    """Prints what `check_home` finds. Returns 0 if the node can run with it, 2 if not."""
    report = check_home(path)
    for mistake in report.mistakes:
        print(mistake, file=out)
    for warning in report.warnings:
        print(f"warning: {warning}", file=out)
    wrong, odd = len(report.mistakes), len(report.warnings)
    counted = f"{_count(wrong, 'mistake')}, {_count(odd, 'warning')}"
    if wrong or report.home is None:
        print(f"{os.fspath(path)}: {counted}", file=out)
        return 2
    home = report.home
    things = f"{_count(len(home.devices), 'device')}, {_count(len(home.rules), 'rule')}"
    print(f"{os.fspath(path)}: home {home.home}, {things}; {counted}", file=out)
    return 0


def _broken(types: Drivers, home: Home, file: str) -> list[Mistake]:
    """Installed drivers that can't be loaded; those that this home uses are told as mistakes."""
    len(types)  # asks for each
    used = {device.driver for device in home.devices.values()}
    used |= {radio.driver for radio in home.radios.values()}
    return [
        Mistake(file, 0, f"driver {name}", why, "a driver that loads, or to uninstall its package")
        for name, why in getattr(types, "broken", {}).items()
        if name not in used
    ]


def _slip(mistake: Mistake) -> tuple[int, str]:
    """What tells one slip of the hand in a use: ``bind.stove`` of ``rules.2.bind.stove``, and its line.

    A misspelt point is a mistake of home.yaml, and for its rule one of a wrong kind; it is told once.
    """
    return mistake.line, mistake.field.split(".", 2)[-1]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
