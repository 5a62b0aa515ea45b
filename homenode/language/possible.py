"""What a condition can be at all: whatever its points say, it is never true, or never false.

What is told as impossible is; what isn't told may be. Nothing here knows how long a kitchen stays warm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from homenode.config.rows import STANDARD_MODES
from homenode.kinds import Shape
from homenode.language.applied import Applied
from homenode.language.states import (
    INVERSE,
    NO_NUMBER,
    QUALITIES,
    Need,
    Range,
    State,
    clash,
    compared,
    whole,
)
from homenode.language.syntax import (
    Ask,
    Comparison,
    Counted,
    Daytime,
    Ever,
    InMode,
    Is,
    Joined,
    Negation,
    Syntax,
    Timed,
    Turning,
    walk,
)
from homenode.language.values import Quantity, Word, truth

_DAY = frozenset(range(24 * 60))


class Possible:
    """Asks conditions of one rule.

    Args:
        applied: The rule.
        silent: Point to ``stale`` or ``unknown``: what it is all along.
    """

    def __init__(self, applied: Applied, silent: Mapping[str, str] | None = None) -> None:
        self._applied, self._silent = applied, silent or {}
        self._wholes: dict[str, State] = {}
        self._known: dict[tuple[int, bool], bool] = {}
        own = ("home", *applied.home.modes) if applied.home else (*STANDARD_MODES, "another")
        parts = (part for condition in applied.conditions for part in walk(condition.expr))
        self._modes = frozenset((*own, *(part.mode for part in parts if isinstance(part, InMode))))

    def can(self, expr: Syntax, positive: bool) -> bool:
        """Whether it can be TRUE (or FALSE) at some instant."""
        key = id(expr), positive
        if key not in self._known:
            self._known[key] = self._can(expr, positive)
        return self._known[key]

    def clash(self, expr: Syntax, positive: bool) -> tuple[Need, Need | None] | None:
        """What at one instant keeps it from being TRUE (or FALSE)."""
        needs = list(self.needs(expr, positive))
        return clash(needs, self._wholes)

    def needs(self, expr: Syntax, positive: bool) -> Iterator[Need]:
        """What must be so at each instant at which it is TRUE (or FALSE)."""
        match expr:
            case Negation(part, _):
                yield from self.needs(part, not positive)
            case Joined(word, parts, _) if (word == "and") is positive:
                for part in parts:
                    yield from self.needs(part, positive)
            case Timed(word, part, _, _) if (word == "for") is positive:
                yield from self.needs(part, positive)
            case Ever(_, anchor, _) if not positive:
                yield from self.needs(anchor, False)
            case Ask() | Counted() | Daytime() | InMode():
                yield self._need(expr, positive)

    def momentary(self, expr: Syntax, positive: bool) -> bool:
        """Whether it is TRUE (or FALSE) only for an instant at a time: a press, a change."""
        match expr:
            case Negation(part, _):
                return self.momentary(part, not positive)
            case Joined(word, parts, _):
                some = any if (word == "and") is positive else all
                return some(self.momentary(part, positive) for part in parts)
            case Timed(_, part, window, _):
                return self._applied.ms(window) == 0 and self.momentary(part, positive)
            case Ever(part, anchor, _):
                return positive and self.momentary(part, True) and self.momentary(anchor, True)
            case Ask(_, role, test, _):
                return self._instant(role, test, positive)
        return False

    def _can(self, expr: Syntax, positive: bool) -> bool:
        match expr:
            case Negation(part, _):
                return self.can(part, not positive)
            case Joined(word, parts, _) if (word == "and") is positive:
                return all(self.can(p, positive) for p in parts) and self.clash(expr, positive) is None
            case Joined(_, parts, _):
                return any(self.can(part, positive) for part in parts)
            case Timed(word, part, window, _):
                lasts = (word == "for") is not positive or self._applied.ms(window) == 0
                return self.can(part, positive) and (lasts or not self.momentary(part, positive))
            case Ever(_, anchor, _):
                return self.can(anchor, positive)
        return self.clash(expr, positive) is None

    # -- atoms

    def _instant(self, role: str, test: object, positive: bool) -> bool:
        if isinstance(test, Turning):
            return positive
        kinds = self._applied.rule.roles[role].point_kinds
        if isinstance(test, Is) or any(kind.shape is not Shape.MOMENTARY for kind in kinds):
            return False
        if isinstance(test, Comparison):
            word = self._applied.value(test.value)
            assert isinstance(word, Word)
            return (truth(word.text, kinds[0]) is (test.op == "==")) is positive
        return positive

    def _need(self, expr: Ask | Counted | Daytime | InMode, positive: bool) -> Need:
        value = self._applied.value
        match expr:
            case InMode(mode, at):
                self._wholes["mode"] = State(self._modes)
                wanted = State(frozenset((mode,)) if positive else self._modes - {mode})
                return Need(True, {"mode": wanted}, f"mode == {mode}", positive, at)
            case Daytime(start, end, at):
                first, last = self._applied.minutes(start), self._applied.minutes(end)
                within = frozenset(m for m in _DAY if (m - first) % 1440 < (last - first) % 1440)
                self._wholes["clock"] = State(_DAY)
                said = f"between {self._applied.shown(start)} and {self._applied.shown(end)}"
                wanted = State(within if positive else _DAY - within)
                return Need(True, {"clock": wanted}, said, positive, at)
            case Counted(role, window, op, number, at):
                said = f"count({role}, {self._applied.shown(window)}) {op} {self._applied.shown(number)}"
                points = self._applied.roles[role]
                thing = f"count of {points[0]} in {self._applied.ms(window)} ms"
                self._wholes[thing] = State(Range(0, float("inf")))
                quantity = value(number)
                assert isinstance(quantity, Quantity)
                counts = _counts(op if positive else INVERSE[op], quantity.number)
                if points[0] in self._silent and compared(">=", 0) & counts != compared(">=", 0):
                    counts = NO_NUMBER  # all that is known is that it is at least 0
                return Need(True, {thing: State(counts)}, said, positive, at)
        return self._asked(expr, positive)

    def _asked(self, ask: Ask, positive: bool) -> Need:
        said = f"{ask.role}{self._shown(ask)}"
        states = {}
        for point in self._applied.roles[ask.role]:
            kind = self._applied.kind(point, ask.role)
            all_of_it = whole(kind)
            self._wholes[point] = all_of_it
            if point in self._silent:
                self._wholes[point] = State(
                    NO_NUMBER if kind.shape is Shape.NUMBER else frozenset(),
                    frozenset((self._silent[point],)),
                )
            nothing = State(NO_NUMBER if kind.shape is Shape.NUMBER else frozenset())
            match ask.test:
                case Is(quality):
                    own = frozenset((quality,))
                    state = (
                        State(nothing.values, own) if positive else State(all_of_it.values, QUALITIES - own)
                    )
                case Turning():
                    state = State(all_of_it.values)
                case Comparison(op, constant) if kind.shape is Shape.NUMBER:
                    state = State(compared(op if positive else INVERSE[op], self._applied.number(constant)))
                case Comparison(op, constant):
                    word = self._applied.value(constant)
                    assert isinstance(word, Word)
                    meant = truth(word.text, kind) is (op == "==")
                    state = State(frozenset((meant is positive,)))
                case _:
                    state = State(frozenset((positive,)))
            states[point] = state
        each = not ask.each or (ask.each == "all") is positive
        said = f"{ask.each}({said})" if ask.each else said
        return Need(each, states, said, positive, ask.at)

    def _shown(self, ask: Ask) -> str:
        match ask.test:
            case Comparison(op, constant):
                return f" {op} {self._applied.shown(constant)}"
            case Is(quality):
                return f" is {quality}"
            case Turning():
                return " changes"
        return ""


def _counts(op: str, number: float) -> Range:
    """The whole numbers for which a comparison is true, as a range with its ends."""
    match op:
        case "<":
            return compared("<=", number - 1)
        case ">":
            return compared(">=", number + 1)
        case "!=" if number < 0:
            return compared(">=", 0)
    return compared(op, number)
