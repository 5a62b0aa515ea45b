"""A condition as a person reads it: sentences, and lists in lists for ``and`` and ``or`` (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from homenode.kinds import KINDS, Kind, Shape
from homenode.language.applied import Applied
from homenode.language.states import INVERSE
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
)
from homenode.language.values import Word, truth
from homenode.language.words import Words


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or the head of a list of them."""

    text: str
    parts: tuple[Said, ...] = ()

    def lines(self, indent: str = "") -> list[str]:
        """As lines of text, each level of the list two further in."""
        below = [line for part in self.parts for line in part.lines(indent + "  ")]
        return [f"{indent}- {self.text}{':' if self.parts else ''}", *below]

    def led(self, lead: str) -> Said:
        """With words before it."""
        return Said(f"{lead}{', ' if self.parts else ': '}{self.text}", self.parts)


class Sentences:
    """Says the conditions of one rule in one language.

    Args:
        applied: The rule.
        words: The language.
    """

    def __init__(self, applied: Applied, words: Words) -> None:
        self._applied, self._words = applied, words

    def name(self, point: str) -> str:
        """A point as it is called: its device and room, with the number of a second one of its kind."""
        home = self._applied.home
        device, _, kind = point.partition(".")
        if home is None:
            return point.partition("#")[0]
        called = device if kind in KINDS else f"{device} {kind}"
        return f"{called} ({home.devices[device].room})" if device in home.devices else called

    def mode(self, mode: str) -> str:
        """A mode by its word, and what that means."""
        meant = self._words.modes.get(mode, mode)
        return mode if meant == mode else f"{mode} ({meant})"

    def said(self, expr: Syntax, positive: bool = True) -> Said:
        """The condition, or the opposite of it."""
        words, shown = self._words, self._applied.shown
        match expr:
            case Negation(part, _):
                return self.said(part, not positive)
            case Joined(word, _, _):
                all_of = (word == "and") is positive
                parts = tuple(self.said(*part) for part in self._flat(expr, positive, all_of))
                return Said(words.sentences["all of" if all_of else "one of"], parts)
            case Timed(word, part, window, _):
                return self._timed(word, part, shown(window), positive)
            case Ever(part, anchor, _):
                return self._since(part, anchor, positive)
            case Counted(role, window, op, number, _):
                own = op if positive else INVERSE[op]
                often = "once" if shown(number) == "1" and own != "!=" else "often"
                times = words.say(f"times {own}", n=shown(number), times=words.sentences[often])
                point = self._applied.roles[role][0]
                what = f"{self.name(point)} {words.kinds[self._applied.kind(point, role).name].yes}"
                return Said(words.say("count", times=times, last=words.last(shown(window)), what=what))
            case Daytime(start, end, _):
                sentence = "between" if positive else "not between"
                return Said(words.say(sentence, start=shown(start), end=shown(end)))
            case InMode(mode, _):
                return Said(words.say("mode" if positive else "not mode", mode=self.mode(mode)))
        return Said(self._ask(expr, positive))

    # -- time

    def _flat(self, expr: Syntax, positive: bool, all_of: bool) -> list[tuple[Syntax, bool]]:
        """Its parts, each with whether it is so or not; those of parts that are joined alike among them."""
        if isinstance(expr, Negation):
            return self._flat(expr.part, not positive, all_of)
        if isinstance(expr, Joined) and ((expr.word == "and") is positive) is all_of:
            return [flat for part in expr.parts for flat in self._flat(part, positive, all_of)]
        return [(expr, positive)]

    def _timed(self, word: str, part: Syntax, window: str, positive: bool) -> Said:
        said, last = self.said(part), self._words.last(window)
        if positive and not said.parts and self._is_of_one(_bare(part)):
            return Said(self._words.say(word, what=said.text, window=window, last=last))
        lead = f"{word} lead" if positive else f"not {word} lead"
        return said.led(self._words.say(lead, window=window, last=last))

    def _is_of_one(self, expr: Syntax) -> bool:
        """Whether it says something of one point: of several, each might be thought to last by itself."""
        if isinstance(expr, Ask):
            return len(self._applied.roles[expr.role]) == 1
        return isinstance(expr, InMode | Daytime | Counted)

    def _since(self, part: Syntax, anchor: Syntax, positive: bool) -> Said:
        first, second = self.said(anchor), self.said(part)
        words = self._words.sentences
        if first.parts or second.parts:
            parts = first.led(words["since first"]), second.led(words["since second"])
            return Said(words["since lead" if positive else "not since lead"], parts)
        whole = Said(self._words.say("since", part=second.text, anchor=first.text))
        return whole if positive else whole.led(words["not since"])

    # -- points

    def _ask(self, ask: Ask, positive: bool) -> str:
        """Any and all of one kind at a time: at least one of, each of, none of."""
        points = self._applied.roles[ask.role]
        some = (ask.each == "any") is positive
        groups = groupby(points, key=lambda point: self._applied.kind(point, ask.role).name)
        told = [self._of_a_kind(ask, list(alike), KINDS[kind], positive) for kind, alike in groups]
        return self._words.listed(told, "or" if some else "and")

    def _of_a_kind(self, ask: Ask, points: Sequence[str], kind: Kind, positive: bool) -> str:
        words, test = self._words, ask.test
        if isinstance(test, Comparison) and kind.shape is Shape.NUMBER:
            op = test.op if positive else INVERSE[test.op]
            how = "any" if (ask.each == "any") is positive else "all"
            value = self._applied.shown(test.value)
            noun, name = words.kinds[kind.name].noun, self._names(points, how)
            return words.say("number", noun=noun, name=name, op=words.sentences[op], value=value)
        yes, no = self._predicates(ask, kind)
        how = "any" if (ask.each == "any") is positive else "all"
        if how == "all" and not positive and len(points) > 1 and yes != words.kinds[kind.name].no:
            return f"{self._names(points, 'none')} {yes}"
        return f"{self._names(points, how)} {yes if positive else no}"

    def _names(self, points: Sequence[str], how: str) -> str:
        names = list(dict.fromkeys(self.name(point) for point in points))
        if len(points) == 1:
            return names[0]
        return self._words.say(how, names=self._words.listed(names))

    def _predicates(self, ask: Ask, kind: Kind) -> tuple[str, str]:
        """What is said when the test is true, and when it is false."""
        words = self._words
        own = words.kinds[kind.name]
        match ask.test:
            case Is(quality):
                return words.sentences[f"{quality} yes"], words.sentences[f"{quality} no"]
            case Turning():
                still = words.sentences["changes no"] if kind.shape is Shape.BOOLEAN else own.no
                return own.turns or words.sentences["changes yes"], still
            case Comparison(op, constant):
                word = self._applied.value(constant)
                assert isinstance(word, Word)
                if truth(word.text, kind) is not (op == "=="):
                    return own.no, own.yes
        return own.yes, own.no


def _bare(expr: Syntax) -> Syntax:
    """What is denied, if anything is."""
    return _bare(expr.part) if isinstance(expr, Negation) else expr
