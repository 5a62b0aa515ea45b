"""`homenode check`: home.yaml and the rules it uses, everything that is wrong in one go."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from homenode.boards import MODEL, board_here
from homenode.config.load import Drivers, in_order, read_home
from homenode.config.model import Home
from homenode.config.notes import Notes
from homenode.config.recordings import unheard
from homenode.config.registry import driver_types
from homenode.config.rule_files import Texts
from homenode.driver import DriverType
from homenode.errors import Mistake
from homenode.language import BoundRule, check_rules
from homenode.language.rule_file import RuleFile

MOST_TOLD = 200
"""Mistakes that are printed, and warnings; nobody reads more at once."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes:
        mistakes: With one the file is refused; by file and line.
        warnings: What a person should look at all the same.
        home: The home, as far as it could be read; None if it isn't even a mapping.
        rules: The rules that it uses, ready for the engine; those with mistakes are not among them.
        rule_files: Their rule files, as read.
    """

    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]
    home: Home | None
    rules: tuple[BoundRule, ...] = ()
    rule_files: Mapping[Path, RuleFile | None] = field(default_factory=dict)


def check_home(
    path: str | os.PathLike[str],
    *,
    drivers: Drivers | None = None,
    files: bool = True,
    texts: Texts | None = None,
) -> CheckReport:
    """Checks home.yaml and each rule file that it uses; raises nothing for what a person wrote.

    Args:
        path: home.yaml.
        drivers: Driver types by name; those installed if not given.
        files: Whether certificates and the like that it names must exist.
        texts: Where the files are read; on the disk if not given.
    """
    texts = texts or Texts()
    types = driver_types() if drivers is None else drivers
    home, notes = read_home(path, drivers=types, files=files, texts=texts)
    mistakes = in_order(notes)
    warnings = list(notes.warnings)
    rules: tuple[BoundRule, ...] = ()
    rule_files: dict[Path, RuleFile | None] = {}
    if home is not None:
        warnings += _broken(types, home, notes.file)
        warnings += _absent(types, home, notes) if files else []
        mistakes += _in_own_files(types, home, notes.file) if files else []
        rules, found = check_rules(home, texts.read, rule_files)
        told = {_slip(mistake) for mistake in mistakes}
        for mistake in found:
            if mistake.file != str(home.path):
                mistakes.append(mistake)
            elif _slip(mistake) not in told:
                mistakes.append(replace(mistake, file=notes.file))
        warnings += unheard(home, rules, notes.file)
    return CheckReport(_in_order(mistakes, notes.file), tuple(warnings), home, rules, rule_files)


def look_closer(
    report: CheckReport, file: str, machine: Path = MODEL, *, now_ms: int | None = None
) -> CheckReport:
    """The report with what only a person needs to know before the node runs: what no rule can have meant.

    Args:
        report: Of `check_home`.
        file: home.yaml, as mistakes name it.
        machine: Where the kernel says what machine this is.
        now_ms: Unix time; this machine's if not given.
    """
    from homenode.gateway.clock import Clock
    from homenode.language.applied import Applied
    from homenode.language.hazards import uncovered
    from homenode.language.lint import Findings, lint
    from homenode.language.rivals import double_meanings, rivals

    if report.home is None:
        return report
    home, found = report.home, Findings()
    sound = {rule.name for rule in report.rules}
    for use in home.rules:
        rule = report.rule_files.get(use.file)
        if rule is not None and use.name in sound:
            found.add(lint(Applied(rule, home, use)))
    rules = report.rules
    for warning in (*rivals(home, rules), *double_meanings(home, rules), *uncovered(home, rules)):
        found.warnings.append(replace(warning, file=file))
    found.warnings += _over(home, file, Clock().wall() if now_ms is None else now_ms)
    mistakes = _in_order([*report.mistakes, *found.mistakes, *_elsewhere(home, file, machine)], file)
    return replace(report, mistakes=mistakes, warnings=(*report.warnings, *found.warnings))


def check(path: str | os.PathLike[str], out: TextIO) -> int:
    """Prints what `check_home` and `look_closer` find. Returns 2 if anything is a mistake, else 0."""
    file = os.fspath(path)
    report = look_closer(check_home(path), file)
    home = report.home
    things = ""
    if home is not None and not report.mistakes:
        things = f"home {home.home}, {_count(len(home.devices), 'device')}, {_count(len(home.rules), 'rule')}"
    return tell(file, things, report.mistakes, report.warnings, out)


def tell(
    file: str, things: str, mistakes: Sequence[Mistake], warnings: Sequence[Mistake], out: TextIO
) -> int:
    """Prints mistakes and warnings, each with its line, and how many; returns the exit status.

    Args:
        file: What was checked.
        things: What it is, for the last line; "" if that can't be said.
        mistakes, warnings: What was found.
        out: Where it goes.
    """
    from homenode.config.excerpt import Excerpts

    excerpts = Excerpts()
    for found, prefix in ((mistakes, ""), (warnings, "warning: ")):
        for line in excerpts.told(found[:MOST_TOLD], prefix):
            print(line, file=out)
        if len(found) > MOST_TOLD:
            print(f"{prefix}… and {len(found) - MOST_TOLD} more", file=out)
    counted = f"{_count(len(mistakes), 'mistake')}, {_count(len(warnings), 'warning')}"
    print(f"{file}: {things}; {counted}" if things else f"{file}: {counted}", file=out)
    return 2 if mistakes else 0


def _in_order(mistakes: Sequence[Mistake], file: str) -> tuple[Mistake, ...]:
    """Those of home.yaml first, then by file and place."""
    return tuple(sorted(mistakes, key=lambda m: (m.file != file, m.file, m.line, m.column)))


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


def _in_own_files(types: Drivers, home: Home, file: str) -> list[Mistake]:
    """Those in what the home's drivers read beside home.yaml, such as rows of devices."""
    used = {radio.driver for radio in home.radios.values()}
    used |= {device.driver for device in home.devices.values()}
    return [
        replace(mistake, file=_shown(path, home, file))
        for name in sorted(used)
        if name in types
        for path, mistakes in own_files_of(types[name]).items()
        for mistake in mistakes
    ]


def own_files_of(kind: DriverType) -> Mapping[Path, Sequence[Mistake]]:
    """Files of one's own that a driver reads, and the mistakes in each."""
    try:
        return kind.own_files()
    except Exception as error:  # noqa: BLE001 - whatever a technician's package raises; it is told
        found = f"own_files= that fails ({type(error).__name__}: {error})"
        told = Mistake("", 0, f"driver {kind.name}", found, "another version of this driver")
        return {Path(kind.name): (told,)}


def _shown(path: Path, home: Home, file: str) -> str:
    """A file beside home.yaml is called as home.yaml is."""
    beside = home.path.parent
    if beside not in path.parents:
        return str(path)
    return os.path.join(os.path.dirname(file), path.relative_to(beside))


def _absent(types: Drivers, home: Home, notes: Notes) -> list[Mistake]:
    """Files that radios name and that aren't there, such as a recording; the node runs without that radio."""
    told = {mistake.field for mistake in notes.mistakes}
    return [
        Mistake(
            notes.file,
            radio.line,
            field,
            f"{str(path)!r}, which doesn't exist",
            "a file, relative to home.yaml",
        )
        for radio in home.radios.values()
        if radio.driver in types
        for row in types[radio.driver].radio_fields
        if row.type == "path" and isinstance(path := radio.options.get(row.name), Path)
        if not os.path.exists(path) and (field := f"radios.{radio.name}.{row.name}") not in told
    ]


def _elsewhere(home: Home, file: str, machine: Path) -> list[Mistake]:
    """A board that is not the one that this machine is."""
    here = board_here(machine)
    if not home.board or here is None or here.word == home.board:
        return []
    lines = home.path.read_text(encoding="utf-8").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if text.startswith("board")), 0)
    accepted = f"{here.word}: this machine is a {here.name}"
    return [Mistake(file, line, "board", repr(home.board), accepted, here.word)]


def _over(home: Home, file: str, now_ms: int) -> list[Mistake]:
    """Care decisions that allow nothing any more."""
    today = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(home.timezone)).date()
    return [
        Mistake(
            file,
            one.line,
            f"video.{one.id}.to",
            f"{one.last}, since when nobody may look by it",
            "a later day, if it was prolonged, or no such decision",
            "",
            one.column,
        )
        for one in home.video.values()
        if one.last < today
    ]


def _slip(mistake: Mistake) -> tuple[int, str]:
    """What tells one slip of the hand in a use: ``bind.stove`` of ``rules.2.bind.stove``, and its line.

    A misspelt point is a mistake of home.yaml, and for its rule one of a wrong kind; it is told once.
    """
    return mistake.line, mistake.field.split(".", 2)[-1]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
