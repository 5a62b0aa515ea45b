"""``python -m tests.quality``: prints the table of rules/README.md, and every alarm with ``--alarms``."""

from __future__ import annotations

import argparse
import statistics
import sys
from datetime import datetime
from pathlib import Path

from homenode.config.durations import words
from homenode.config.rule_files import rule_names
from tests.quality.measure import HomeQuality, RuleQuality, measure
from tests.quality.recorded import RecordedHome, homes, load

MONTH_WEEKS = 30 / 7


def main() -> int:
    """Measures, prints; the exit status is 1 if something that must hold does not."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description=__doc__)
    parser.add_argument(
        "homes", nargs="*", type=Path, help="home files (default: all of tests/quality/homes)"
    )
    parser.add_argument("--times", type=int, default=20, help="hazards for each rule and home (default 20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alarms", action="store_true", help="list every alarm and every missed hazard")
    args = parser.parse_args()
    measured = []
    for file in args.homes or homes():
        home = load(file)
        measured.append(measure(home, args.times, args.seed))
        if args.alarms:
            list_alarms(home, measured[-1])
    print(table(measured))
    return summary(measured)


def table(measured: list[HomeQuality]) -> str:
    """Markdown: a row for each rule."""
    names = [quality.home.upper() for quality in measured]
    lines = [
        "| rule | " + " | ".join(f"home {name}" for name in names)
        + " | hazards found at the deadline | delay |",
        "|---|" + "---|" * (len(names) + 2),
    ]  # fmt: skip
    for rule in rule_names(Path("/")):
        uses = [[use for use in quality.rules if use.rule == rule] for quality in measured]
        if not any(uses):
            lines.append(f"| `{rule}` |" + " – |" * len(names) + " | |")
            continue
        cells = [_rates(use, quality.weeks) for use, quality in zip(uses, measured, strict=True)]
        lines.append(
            f"| `{rule}` | " + " | ".join([*cells, *_hazards([u for own in uses for u in own])]) + " |"
        )
    return "\n".join(lines)


def _rates(uses: list[RuleQuality], weeks: float) -> str:
    if not uses:
        return "–"
    counts = [
        sum(map(len, each)) for each in zip(*((u.false, u.aside, u.confirmed) for u in uses), strict=True)
    ]
    false, aside, right = (f"{count / weeks:.1f}" if count else "0" for count in counts)
    return f"{false} · {aside} · {right}" if any(counts) else "0"


def _hazards(uses: list[RuleQuality]) -> tuple[str, str]:
    found = [use.hazards for use in uses if use.hazards is not None]
    if not found:
        return "–", ""
    delays = [delay for each in found for delay in each.delays_ms]
    delay = words(round(statistics.median(delays) / 1000) * 1000) if delays else "–"
    return f"{sum(each.exact for each in found)} of {sum(each.injected for each in found)}", delay


def summary(measured: list[HomeQuality]) -> int:
    """What must hold, and whether it does."""
    status = 0
    for quality in measured:
        a_week, a_month = quality.false_per_week, quality.false_per_week * MONTH_WEEKS
        missed = sum(use.hazards.injected - use.hazards.exact for use in quality.rules if use.hazards)
        attended = f"{len(quality.during_cooking)} alarms in {quality.cooked} attended cookings"
        print(
            f"home {quality.home.upper()}: {quality.weeks:.1f} weeks, {a_week:.2f} false alarms a week "
            f"({a_month:.1f} a month), {attended}, {missed} hazards not found at their deadline"
        )
        tuned = quality.tuned
        rate = tuned.after / tuned.weeks * MONTH_WEEKS
        chosen = "; ".join(f"{name} {setting}" for name, setting in tuned.chosen.items()) or "nothing to tune"
        print(
            f"  tuned on the first half ({chosen}): {tuned.after} false alarms in the second instead of "
            f"{tuned.before}, {rate:.1f} a month"
        )
        if quality.unbound:
            print(
                f"  with what the installer took away: {quality.unchecked_per_week:.2f} false alarms a week"
            )
        for name, why in quality.unbound.items():
            print(f"  {name} is not bound: {why}")
        laid = [use for use in quality.rules if use.laid_over is not None]
        if laid:
            told = sum(len(use.laid_over or ()) for use in laid)
            right = sum(len(use.laid_over_confirmed) for use in laid)
            print(f"  appliances' own days laid over it: {told} alarms, {right} of them with nobody there")
        status |= a_week > 1 or bool(missed) or bool(quality.during_cooking)
    return int(status)


def list_alarms(home: RecordedHome, quality: HomeQuality) -> None:
    """Every alarm with what is annotated then, and every hazard that was missed."""
    for use in quality.rules:
        for alarm in use.alarms:
            noted = ", ".join(x.name for x in home.annotation.all if x.meets(alarm.at, alarm.at)) or "nothing"
            word = "right" if alarm in use.confirmed else "false"
            told = "told" if alarm.told else "ended before it was told"
            print(f"{home.name} {_when(home, alarm.at)} {use.use}: {word}, {told}; annotated: {noted}")
        for hazard, raised in use.hazards.missed if use.hazards else ():
            others = ", ".join(_when(home, at) for at in raised) or "never"
            due = f"due {_when(home, hazard.due)}, raised {others}"
            print(f"{home.name} {_when(home, hazard.at)} {use.use}: {due}")


def _when(home: RecordedHome, at: int) -> str:
    return datetime.fromtimestamp(at / 1000, home.zone).isoformat(sep=" ", timespec="milliseconds")[:-6]


if __name__ == "__main__":
    sys.exit(main())
