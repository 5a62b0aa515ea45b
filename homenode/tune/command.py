"""`homenode tune`: from the command line to a table, and pictures if asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from homenode.config.load import load_home
from homenode.config.notes import listed, nearest
from homenode.contract.times import Zone
from homenode.errors import FileMistakes, Mistake, SetupError
from homenode.language.checking import check_rules
from homenode.language.rule_file import RuleFile
from homenode.replay import Side, covered, source_of, tell
from homenode.replay_report import Covered
from homenode.tune import table
from homenode.tune.chart import chart
from homenode.tune.trials import COMMAND, Measured, Trial, measure, trials_of, wanted

STEPS = 7
"""Values tried of a parameter, without another wish."""


def tune(
    home_path: str | os.PathLike[str],
    readings: str,
    rule_name: str,
    out: TextIO,
    err: TextIO,
    *,
    parameters: Sequence[str] = (),
    given: Mapping[str, Sequence[str]] | None = None,
    steps: int = STEPS,
    svg: Path | None = None,
    png: Path | None = None,
    journal: Path | None = None,
) -> int:
    """Print what other settings of a rule would have done; returns the exit status.

    Args:
        home_path: home.yaml.
        readings: The recording, as of `homenode.replay.replay`.
        rule_name: Of the rule's use in the home.
        out: Where the tables go.
        err: Where skipped points are counted.
        parameters: Those to try; none is all.
        given: Values to try, by parameter.
        steps: Values at most of each parameter without `given`.
        svg, png: Files for the picture.
        journal: A node's data folder: its journal is the recording.

    Raises:
        FileMistakes: home.yaml, a rule, the recording or what was asked for is wrong.
        SetupError: A picture can't be written, or the rule has no parameters.
    """
    home = load_home(home_path, files=False)
    files: dict[Path, RuleFile | None] = {}
    rules, mistakes = check_rules(home, files=files)
    if mistakes:
        raise FileMistakes(mistakes)
    if png is not None:
        from homenode.tune import png as _  # noqa: F401 - what is missing is told before the work
    side = Side(os.fspath(home_path), home, rules)
    rule = next((rule for rule in rules if rule.name == rule_name), None)
    if rule is None:
        names = [rule.name for rule in rules]
        accepted = f"a rule of home.yaml: {listed(names, most=40)}"
        raise FileMistakes([Mistake(COMMAND, 0, "RULE", rule_name, accepted, nearest(rule_name, names))])
    use = next(use for use in home.rules if use.name == rule_name)
    file = files[use.file]
    assert file is not None
    asked = wanted(file, rule, parameters, given or {}, steps)
    if not file.parameters:
        raise SetupError(f"{rule.name} has no parameters", do="name another rule")
    groups = [
        trials_of(file, use, home, rule, name, values, given=name in (given or {}))
        for name, values in asked.items()
    ]
    source = source_of([side], readings, journal)
    trials: list[Trial] = [trial for group in groups for trial in group]
    measured = iter(measure(side, rule, trials, source))
    rows: list[list[Measured]] = [[next(measured) for _ in group] for group in groups]
    over = covered(source, Zone(home.timezone))
    title = f"{rule.name} ({rule.severity})"
    if svg is not None or png is not None:
        _draw(f"{title} in {home.home}", rows, over, svg, png)
    print(title, file=out)
    out.writelines(over.heading())
    for group_rows in rows:
        print(file=out)
        out.writelines(table.lines(group_rows, over))
    if rows:
        print(file=out)
        out.writelines(table.legend(over))
    tell(err, [side], source)
    return 0


def _draw(
    title: str, rows: Sequence[Sequence[Measured]], over: Covered, svg: Path | None, png: Path | None
) -> None:
    picture = chart(title, rows, over)
    try:
        if svg is not None:
            from homenode.tune.svg import svg as as_svg

            svg.write_text(as_svg(picture), encoding="utf-8")
        if png is not None:
            from homenode.tune.png import png as as_png

            png.write_bytes(as_png(picture))
    except OSError as error:
        raise SetupError(
            f"the picture can't be written: {error.strerror or error}",
            where=str(error.filename or svg or png),
        ) from error
