"""The same rule with other settings, as uses of it beside each other: one pass over the recording for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from homenode.config.model import Home, RuleUse
from homenode.config.notes import listed, nearest
from homenode.engine.events import Acknowledge, Event
from homenode.engine.mode import MODE_STEP
from homenode.errors import FileMistakes, Mistake
from homenode.language.binding import bind
from homenode.language.bound import BoundRule
from homenode.language.rule_file import RuleFile
from homenode.reading import Instant
from homenode.replay import Side, Tape, play
from homenode.replay_against import Pair
from homenode.replay_report import Told
from homenode.tune.values import same, tried

COMMAND = "command line"
"""Where mistakes in what the user asked for stand."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One value of one parameter.

    Attributes:
        parameter: Its name.
        value: As text.
        present: It is the one in force.
        rule: The rule with it.
    """

    parameter: str
    value: str
    present: bool
    rule: BoundRule


def wanted(
    file: RuleFile, rule: BoundRule, names: Sequence[str], given: Mapping[str, Sequence[str]], most: int
) -> dict[str, list[str]]:
    """Values to try, by parameter.

    Args:
        file: The rule's file.
        rule: The rule as the home uses it.
        names: Parameters that were asked for; none is all.
        given: Values that the user gave.
        most: Values at most of each other one.

    Raises:
        FileMistakes: There is no such parameter, or its values must be given.
    """
    settings = file.parameters
    mistakes = [
        Mistake(
            COMMAND,
            0,
            "PARAMETER",
            name,
            f"a parameter of {rule.name}: {listed(settings)}",
            nearest(name, settings),
        )
        for name in dict.fromkeys((*names, *given))
        if name not in settings
    ]
    values: dict[str, list[str]] = {}
    for name in dict.fromkeys((*names, *given)) or settings:
        if name in given:
            values[name] = list(given[name])
        elif name in settings:
            try:
                values[name] = tried(settings[name], str(rule.parameters[name]), most)
            except ValueError as error:
                if names:  # else it is left out, as nobody asked for it
                    mistakes.append(Mistake(COMMAND, 0, name, str(rule.parameters[name]), str(error)))
    if mistakes:
        raise FileMistakes(mistakes)
    return values


def trials_of(
    file: RuleFile,
    use: RuleUse,
    home: Home,
    rule: BoundRule,
    parameter: str,
    values: Sequence[str],
    *,
    given: bool,
) -> list[Trial]:
    """A parameter's trials, the value in force among them.

    Args:
        file, use, home, rule: The rule, how the home uses it, and what comes of it.
        parameter: Its name.
        values: What to try.
        given: The user gave them: what can't be is then a mistake, else it is left out.

    Raises:
        FileMistakes: A value can't be.
    """
    now = str(rule.parameters[parameter])
    trials: list[Trial] = []
    mistakes: list[Mistake] = []
    for value in values:
        name = f"{rule.name} {parameter}={value}"
        bound, wrong = bind(file, replace(use, name=name, set={**use.set, parameter: value}), home)
        if bound is None:
            mistakes += [
                Mistake(COMMAND, 0, f"--set {parameter}", one.found, one.accepted, one.suggestion)
                for one in wrong
            ]
        elif same(value, now):
            if not any(trial.present for trial in trials):
                trials.append(Trial(parameter, now, True, rule))
        else:
            trials.append(Trial(parameter, value, False, bound))
    if given and mistakes:
        raise FileMistakes(mistakes)
    if not any(trial.present for trial in trials):
        trials.insert(0, Trial(parameter, now, True, rule))
    return trials


@dataclass(slots=True)
class Measured:
    """What a trial did on the recording.

    Attributes:
        trial: What was tried.
        told: What came of it.
        pair: Beside the value in force; None for that itself.
    """

    trial: Trial
    told: Told
    pair: Pair | None


def measure(side: Side, rule: BoundRule, trials: Sequence[Trial], tape: Tape) -> list[Measured]:
    """Run all trials over a recording, read once.

    Args:
        side: The home.
        rule: The rule as it uses it.
        trials: Other settings of it.
        tape: The recording.
    """
    others = {trial.rule.name: trial.rule for trial in trials if not trial.present}
    present = Told(rule)
    pairs = {name: Pair([Told(rule), Told(other)]) for name, other in others.items()}
    touched: set[str] = set()
    last: Instant | None = None
    for _, change in play(_sides(side, rule, list(others.values())), _Acknowledged(tape, rule.name, others)):
        if change.at != last:
            for name in touched:
                pairs[name].settle()
            touched.clear()
            last = change.at
        if change.rule == rule.name:
            present.add(change)
            touched.update(pairs)
            for pair in pairs.values():
                pair.add(0, change)
        elif change.rule in pairs:
            touched.add(change.rule)
            pairs[change.rule].add(1, change)
    for pair in pairs.values():
        pair.end()
    return [
        Measured(trial, present, None)
        if trial.present
        else Measured(trial, pairs[trial.rule.name].second, pairs[trial.rule.name])
        for trial in trials
    ]


def _sides(side: Side, rule: BoundRule, others: Sequence[BoundRule]) -> list[Side]:
    """All in one engine; each in one of its own where the rule sets the mode, which all would share.

    Rules of the home that set the mode run along.
    """
    along = [one for one in side.rules if one.name != rule.name and _sets_mode(one)]
    if not _sets_mode(rule):
        return [replace(side, rules=(rule, *others, *along))]
    return [replace(side, rules=(one, *along), skipped={}) for one in (rule, *others)]


def _sets_mode(rule: BoundRule) -> bool:
    return any(step.do == MODE_STEP for step in rule.steps)


class _Acknowledged:
    """A recording in which whoever acknowledges the rule acknowledges all its trials."""

    def __init__(self, tape: Tape, rule: str, others: Sequence[str] | Mapping[str, object]) -> None:
        self._tape, self._rule, self._others = tape, rule, tuple(others)

    def events(self) -> Iterator[tuple[Instant, Event | None]]:
        """As the recording has them."""
        for at, event in self._tape.events():
            yield at, event
            if isinstance(event, Acknowledge) and event.target == self._rule:
                for other in self._others:
                    yield at, event._replace(target=other)
