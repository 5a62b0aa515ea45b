"""What a rule says that nobody can have meant: found without running it (pure).

A `Mistake` here doesn't keep a node from running the rule; `homenode check` refuses it all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath

from homenode.config.notes import listed
from homenode.errors import Mistake
from homenode.kinds import KINDS
from homenode.language.applied import Applied
from homenode.language.possible import Possible
from homenode.language.presence import stilled_by_silence
from homenode.language.reader import HEARING
from homenode.language.rule_file import Condition, Step
from homenode.language.syntax import (
    Ask,
    Comparison,
    Constant,
    Counted,
    Daytime,
    Ever,
    Is,
    Joined,
    Negation,
    Parameter,
    Syntax,
    Timed,
    inside,
    walk,
)
from homenode.language.values import Span, truth

MINUTE_MS = 60_000
SHORTEST_MS = 1_000
"""A step that runs again sooner floods who is told, and the outbox."""

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


@dataclass(slots=True)
class Findings:
    """What was found.

    Attributes:
        mistakes: What can't be meant.
        warnings: What a person should look at.
    """

    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """What isn't there yet of `other`."""
        self.mistakes = list(dict.fromkeys((*self.mistakes, *other.mistakes)))
        self.warnings = list(dict.fromkeys((*self.warnings, *other.warnings)))


def lint(applied: Applied) -> Findings:
    """What is odd in one rule, in the home that it is applied to or with its defaults."""
    linter = _Linter(applied)
    linter.conditions()
    linter.ending()
    linter.telling()
    linter.unused()
    return linter.found


class _Linter:
    def __init__(self, applied: Applied) -> None:
        self._applied, self._rule = applied, applied.rule
        self._possible = Possible(applied)
        self.found = Findings()

    def _note(self, place: str, found: str, accepted: str, *, at: str = "") -> Mistake:
        line, column = self._rule.places.get(at or place, (1, 1))
        return Mistake(self._rule.file, line, place, found, accepted, "", column)

    def _warn(self, place: str, found: str, accepted: str, *, at: str = "") -> None:
        self.found.warnings.append(self._note(place, found, accepted, at=at))

    # -- conditions

    def conditions(self) -> None:
        """What `when` and `clear` can never be, windows of nothing, and presence that is silent."""
        for key, condition in (("when", self._rule.when), ("clear", self._rule.clear)):
            if condition is not None:
                self._never(condition.expr, key, condition)
                for part in walk(condition.expr):
                    self._nothing(part, key, condition)
        if self._rule.severity != "info":
            for ask, phrase in stilled_by_silence(self._rule):
                silent = f"{ask.role}, which stills the {self._rule.severity} even when silent or stuck"
                self.found.warnings.append(self._at("when", self._rule.when, ask.at, silent, phrase))

    def _at(self, key: str, condition: Condition, at: int, found: str, accepted: str) -> Mistake:
        line, column = condition.places.at(at)
        return Mistake(self._rule.file, line, key, found, accepted, "", column)

    def _never(self, expr: Syntax, key: str, condition: Condition) -> bool:
        """Tells the smallest parts that are never true or never false; whether there is one."""
        below = [self._never(part, key, condition) for part in inside(expr)]
        if any(below):
            return True
        for positive, told in ((True, self.found.mistakes), (False, self.found.warnings)):
            if not self._possible.can(expr, positive):
                at, found, accepted = self._why_never(expr, positive)
                told.append(self._at(key, condition, at, found, accepted))
                return True
        return False

    def _why_never(self, expr: Syntax, positive: bool) -> tuple[int, str, str]:
        """Place, found and accepted."""
        never = "never true" if positive else "never false"
        if isinstance(expr, Timed):
            window = f"{expr.word} {self._applied.shown(expr.window)}"
            found = f"{window} of what lasts an instant, which is {never}"
            return expr.window.at, found, f"within of a press or a change, {expr.word} of what lasts"
        clash = self._possible.clash(expr, positive)
        assert clash is not None  # else a part of it is the reason
        need, other = clash
        if not isinstance(expr, Joined):
            return need.at, f"{need.said}, which is {never}", self._range(expr, positive)
        said, beside = (
            ("" if n.positive is positive else "not ") + n.said if n else "the rest" for n in (need, other)
        )
        accepted = "what can be so at one instant" if positive else "what isn't so whatever happens"
        return need.at, f"{said}, {never} together with {beside}", accepted

    def _range(self, expr: Syntax, positive: bool) -> str:
        if isinstance(expr, Ask) and isinstance(expr.test, Comparison):
            kind = self._rule.roles[expr.role].point_kinds[0]
            return f"{kind.low:g} to {kind.high:g} {kind.unit or ''}".rstrip() + f", as {kind.name} is"
        if isinstance(expr, Counted):
            return "a count from 0" if positive else "a count from 1"
        return "what can be so" if positive else "what isn't so whatever happens"

    def _nothing(self, part: Syntax, key: str, condition: Condition) -> None:
        if not isinstance(part, Timed | Counted) or part.window.value != Span(0):
            return
        word = part.word if isinstance(part, Timed) else "count in"
        found = f"{word} 0 s"
        accepted = "longer than 0 s, or none" if isinstance(part, Timed) else "longer than 0 s"
        self.found.warnings.append(self._at(key, condition, part.window.at, found, accepted))

    # -- ending

    def ending(self) -> None:
        """An alert that ends and begins with every flicker, or never ends."""
        rule = self._rule
        if rule.hold and not self._rule.tells:
            self._warn("hold", "acknowledged, and nobody who is told and could", "to: [care]; it never ends")
        ends = self._settled(rule.clear.expr, True) if rule.clear else self._settled(rule.when.expr, False)
        if not rule.hold and not ends and self._rule.tells and not self._settled(rule.when.expr, True):
            key = "clear" if rule.clear else "when"
            found = "an end at once" if rule.clear else "no clear: it ends at once"
            self._warn(key, found, "clear: (…) for 2 min, or each flicker is an alert of its own")

    def _settled(self, expr: Syntax, positive: bool) -> bool:
        """Whether it comes true (or false) only after a minute, or by somebody's hand, clock or mode."""
        match expr:
            case Negation(part, _):
                return self._settled(part, not positive)
            case Joined(word, parts, _):
                some = any if (word == "and") is positive else all
                return some(self._settled(part, positive) for part in parts)
            case Timed(word, part, window, _):
                holds = (word == "for") is positive and self._applied.ms(window) >= MINUTE_MS
                return holds or self._settled(part, positive)
            case Ever(_, anchor, _):
                return positive and self._settled(anchor, True)
            case Ask():
                return isinstance(expr.test, Is) or self._possible.momentary(expr, positive)
        return True

    # -- telling

    def telling(self) -> None:
        """Whom it tells, with which words, and what it does."""
        rule = self._rule
        notifies = [step for step in rule.steps if step.do == "notify"]
        for step in notifies:
            if not self._rule.parties(step):
                found = "notify of nobody (to: [])"
                self._warn(f"steps.{step.number}", found, f"to: {listed(HEARING)}, or no such step")
        if self._rule.tells and notifies and all(step.after is None for step in notifies):
            found = "notify only at the resolve"
            at = f"steps.{notifies[0].number}"
            self._warn(at, found, "a notify while it lasts: {after: 0 s, do: notify}")
        if not rule.steps and not rule.to:
            self._warn("to", "nobody who is told, and no step", "somebody, or something that is done")
        if self._rule.tells and not rule.says:
            accepted = "says: {sv: …, en: …}; without it an alert has no words"
            self._warn("says", "nothing", accepted, at="rule")
        stem = PurePath(rule.file).stem
        if self._applied.use is not None and stem != rule.rule:
            self._warn("rule", f"{rule.rule} in the file {stem}.yaml", f"{stem}, the name that use: goes by")
        for step in rule.steps:
            if step.every is not None and self._applied.ms(step.every) < SHORTEST_MS:
                found = f"every {self._applied.shown(step.every)}"
                self._warn(f"steps.{step.number}", found, "at least 1 s, or nobody hears anything else")
        for place, said in (("says", rule.says), *((f"steps.{s.number}", s.text) for s in rule.steps)):
            if any(brace in _PLACEHOLDER.sub("", text) for text in said.values() for brace in "{}"):
                self._warn(place, "a { or } by itself, which is said as it stands", "{PARAMETER}")
        turned: dict[tuple[str, int | None], Step] = {}
        for step in rule.steps:
            if step.turn:
                after_ms = None if step.after is None else self._applied.ms(step.after)
                other = turned.setdefault((step.role, after_ms), step)
                if truth(step.turn, KINDS[step.do]) is not truth(other.turn, KINDS[step.do]):
                    found = f"{step.turn}, and {other.turn} in step {other.number} at the same instant"
                    self._warn(f"steps.{step.number}", found, "one of them")

    # -- what nothing uses

    def unused(self) -> None:
        """Roles and parameters that are named once."""
        rule = self._rule
        parts = [part for condition in self._applied.conditions for part in walk(condition.expr)]
        roles = {part.role for part in parts if isinstance(part, Ask | Counted)}
        roles |= {step.role for step in rule.steps}
        for name in rule.roles:
            if name not in roles:
                self._warn(f"roles.{name}", f"{name}, which nothing uses", "a role of a condition or a step")
        constants: list[Constant | None] = [constant for part in parts for constant in _constants(part)]
        constants += [rule.bridge, rule.grace, rule.again]
        constants += [c for step in rule.steps for c in (step.after, step.every, step.times)]
        used = {c.value.name for c in constants if c is not None and isinstance(c.value, Parameter)}
        texts = "".join(text for said in (rule.says, *(s.text for s in rule.steps)) for text in said.values())
        for name in rule.parameters:
            if name not in used and f"{{{name}}}" not in texts:
                found = f"{name}, which nothing uses"
                self._warn(f"parameters.{name}", found, f"${name} in a condition or a step")


def _constants(part: Syntax) -> tuple[Constant, ...]:
    match part:
        case Ask(_, _, Comparison(_, value), _):
            return (value,)
        case Counted(_, window, _, number, _):
            return window, number
        case Daytime(start, end, _):
            return start, end
        case Timed(_, _, window, _):
            return (window,)
    return ()
