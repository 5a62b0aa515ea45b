"""Reads a condition. Recursive descent; depth and length are bounded, so that no text can hurt.

::

    expr   := and ("or" and)*          and := not ("and" not)*         not := "not" not | timed
    timed  := atom (("for" DURATION) | ("within" DURATION) | ("since" atom))*
    atom   := "(" expr ")" | NAME TEST? | ("any"|"all") "(" NAME TEST? ")" | "between" TIME "and" TIME
            | "mode" "==" WORD | "count" "(" NAME "," DURATION ")" OP NUMBER
    TEST   := OP VALUE | "changes" | "is" ("stale"|"unknown")
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from homenode.config.durations import UNITS_MS, milliseconds, unit_meant
from homenode.config.notes import nearest
from homenode.kinds import KINDS
from homenode.language.bound import OPERATORS
from homenode.language.syntax import (
    Ask,
    Bare,
    Comparison,
    Constant,
    Counted,
    Daytime,
    Ever,
    InMode,
    Is,
    Joined,
    Negation,
    Parameter,
    Syntax,
    Test,
    Timed,
    Turning,
)
from homenode.language.values import NUMBER, UNITS, Quantity, Span, Word, number, time_of_day

SAID = {"true", "false"}.union(*((kind.true_word, kind.false_word) for kind in KINDS.values())) - {""}
"""What sensors say."""

KEYWORDS = frozenset((
    "and", "or", "not", "for", "within", "since", "any", "all", "between", "mode", "count", "is",
    "stale", "unknown", "changes", "true", "false",
))  # fmt: skip
"""Words that no role may be called."""

DEEPEST = 60
"""Nesting that a condition may have; the deepest shipped rule has 6."""

LONGEST = 20_000
"""Characters of a condition; the longest shipped one has some 200."""

_TOKEN = re.compile(
    rf"\s*(?:(?P<time>[0-9]{{1,2}}:[0-9]{{2}}(?![0-9:]))|(?P<comma>-?[0-9]+,[0-9]+)"
    rf"|(?P<number>{NUMBER}(?![0-9.:]))"
    r"|(?P<parameter>\$[A-Za-z_][A-Za-z0-9_]*)|(?P<op>[<>=!]=|[<>])|(?P<mark>[(),])"
    r"|(?P<word>[^\W\d][\w-]*|%|°\w*)|(?P<end>$)|(?P<long>-?[0-9][0-9.:]*)|(?P<bad>\S))"
)
_MEANT = {
    "=": "==", "=>": ">=", "≥": ">=", "=<": "<=", "≤": "<=", "≠": "!=",
    "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not",
}  # fmt: skip
"""Signs of other languages, and what they are here."""

_UNIT = re.compile(r"\s*(?P<word>[^\W\d_]+|%|°\w*)")


class Token(NamedTuple):
    """A piece of the text; `at` from 0."""

    sort: str
    text: str
    at: int


class SyntaxMistake(Exception):
    """The text can't be read on from here."""

    def __init__(self, at: int, found: str, accepted: str, suggestion: str = "") -> None:
        self.at, self.found, self.accepted, self.suggestion = at, found, accepted, suggestion
        super().__init__(f"{at}: found {found}; accepted: {accepted}")


def tokens(text: str) -> list[Token]:
    """The pieces of a condition, the last one is its end.

    Raises:
        SyntaxMistake: A character that no condition has, or the text is too long.
    """
    if len(text) > LONGEST:
        raise SyntaxMistake(0, f"{len(text):,} characters", f"at most {LONGEST:,}")
    found: list[Token] = []
    place = 0
    while not found or found[-1].sort != "end":
        pattern = _UNIT if found and found[-1].sort == "number" else _TOKEN
        match = pattern.match(text, place) or _TOKEN.match(text, place)
        assert match is not None
        assert match.lastgroup is not None
        sort = match.lastgroup
        token = Token(sort, match[sort], match.start(sort))
        if sort == "comma":
            point = token.text.replace(",", ".")
            raise SyntaxMistake(token.at, repr(token.text[:20]), "a decimal point", point[:20])
        if sort == "long":
            accepted = "a number of at most 15 digits, or a time HH:MM"
            until = f"and {token.text[1:]}" if time_of_day(token.text[1:]) else ""
            raise SyntaxMistake(token.at, repr(token.text[:20]), accepted, until)
        if sort == "bad":
            raise _unread(text, token)
        found.append(token)
        place = match.end()
    return found


def _unread(text: str, token: Token) -> SyntaxMistake:
    """A sign that no condition has."""
    shown = text[token.at : token.at + 20].split()[0]
    if token.text in "\"'“”„«»":
        return SyntaxMistake(token.at, repr(shown), "words of a condition without quotes")
    meant = _MEANT.get(text[token.at : token.at + 2]) or _MEANT.get(token.text, "")
    return SyntaxMistake(token.at, repr(shown), "a role, a number, a word or a sign", meant)


def parse(text: str) -> Syntax:
    """The condition that `text` says.

    Raises:
        SyntaxMistake: Where and why it can't be read.
    """
    parser = _Parser(tokens(text))
    expr = parser.either()
    parser.finish()
    return expr


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._place = 0
        self._nesting = 0
        self._depths: dict[int, int] = {}
        """Depth of each expression made so far that is deeper than one, by identity."""
        self._kept: list[Syntax] = []

    # -- expr, and, not, timed

    def either(self) -> Syntax:
        """``and ("or" and)*``."""
        return self._joined("or", self._both)

    def _both(self) -> Syntax:
        return self._joined("and", self._negated)

    def _joined(self, word: str, part: Callable[[], Syntax]) -> Syntax:
        at = self._here.at
        parts = [part()]
        while self._take_word(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else self._made(Joined(word, tuple(parts), at), *parts)

    def _negated(self, after: Token | None = None) -> Syntax:
        """``"not" not | timed``; `after` is the `not` that stands before, if one does."""
        token = self._here
        if not self._take_word("not"):
            return self._timed(after)
        self._deeper(token)
        part = self._negated(after or token)
        self._nesting -= 1
        return self._made(Negation(part, token.at), part)

    def _timed(self, after: Token | None) -> Syntax:
        at = self._here.at
        expr = self._atom()
        while self._here.sort == "word" and self._here.text in ("for", "within", "since"):
            word = self._next().text
            if after is not None and word != "within":
                what = "for D" if word == "for" else "since B"
                accepted = f"not (A {what}) or (not A) {what}"
                raise SyntaxMistake(after.at, f"not A {what}, which can be read in two ways", accepted)
            if word == "since":
                anchor = self._atom()
                expr = self._made(Ever(expr, anchor, at), expr, anchor)
            else:
                expr = self._made(Timed(word, expr, self._duration(), at), expr)
        return expr

    # -- atoms

    def _atom(self) -> Syntax:
        token = self._here
        if self._take("("):
            self._deeper(token)
            expr = self.either()
            self._nesting -= 1
            self._expect(")")
            return expr
        if token.sort != "word":
            raise self._wrong("a role, any(…), all(…), count(…), between, mode or (")
        if token.text in ("any", "all"):
            self._next()
            self._expect("(")
            role = self._role()
            test = self._test()
            self._expect(")")
            return Ask(token.text, role, test, token.at)
        if token.text == "between":
            return self._daytime()
        if token.text == "mode":
            self._next()
            self._expect("==")
            if self._here.sort != "word":
                raise self._wrong("the name of a mode, such as away")
            return InMode(self._next().text, token.at)
        if token.text == "count":
            return self._counted()
        role = self._role()
        return Ask("", role, self._test(), token.at)

    def _test(self) -> Test:
        if self._here.sort == "op":
            return Comparison(self._operator(), self._value())
        if self._take_word("changes"):
            return Turning()
        being = self._here
        if self._take_word("is"):
            word = self._here.text if self._here.sort == "word" else ""
            if word not in ("stale", "unknown"):
                if word != "not" and word not in SAID:
                    raise self._wrong("stale or unknown")
                accepted = "is stale or is unknown; what a sensor says is compared by == or !="
                raise SyntaxMistake(
                    being.at, f"'is {word}'", accepted, "!=" if word == "not" else f"== {word}"
                )
            return Is(self._next().text)
        return Bare()

    def _daytime(self) -> Syntax:
        at = self._next().at
        start = self._time()
        if not self._take_word("and"):
            raise self._wrong("and: between 22:00 and 06:00")
        return Daytime(start, self._time(), at)

    def _counted(self) -> Syntax:
        at = self._next().at
        self._expect("(")
        role = self._role()
        self._expect(",")
        window = self._duration()
        self._expect(")")
        if self._here.sort != "op":
            raise self._wrong("a comparison, such as >= 3")
        op = self._operator()
        token = self._here
        if token.sort == "number" and "." not in token.text:
            self._next()
            return Counted(role, window, op, Constant(Quantity(int(token.text)), token.at), at)
        return Counted(role, window, op, self._parameter("a whole number or $PARAMETER"), at)

    # -- values

    def _operator(self) -> str:
        if self._here.text not in OPERATORS:
            raise self._wrong(", ".join(OPERATORS), "==" if self._here.text == "=" else "")
        return self._next().text

    def _role(self) -> str:
        token = self._here
        if token.sort != "word" or token.text in KEYWORDS:
            raise self._wrong("the name of a role")
        return self._next().text

    def _parameter(self, accepted: str, suggestion: str = "") -> Constant:
        token = self._here
        if token.sort != "parameter":
            raise self._wrong(accepted, suggestion)
        self._next()
        return Constant(Parameter(token.text[1:]), token.at)

    def _time(self) -> Constant:
        token = self._here
        if token.sort == "time":
            time = time_of_day(token.text)
            if time is None:
                early = f"0{token.text}"
                raise self._wrong("a time from 00:00 to 23:59", early if time_of_day(early) else "")
            self._next()
            return Constant(time, token.at)
        likely = ""
        if token.sort == "number":
            hour, _, minute = token.text.partition(".")
            likely = f"{hour:0>2}:{minute:0<2}"
        return self._parameter("a time HH:MM or $PARAMETER", likely if time_of_day(likely) else "")

    def _value(self) -> Constant:
        token = self._here
        if token.sort == "number":
            self._next()
            unit = ""
            if self._here.sort == "word" and self._here.text not in KEYWORDS:
                unit = self._next().text
            return Constant(Quantity(number(token.text), unit), token.at)
        if token.sort == "word" and token.text not in KEYWORDS - {"true", "false"}:
            self._next()
            return Constant(Word(token.text), token.at)
        return self._parameter("a number with its unit, true, false, a word or $PARAMETER")

    def _duration(self) -> Constant:
        first = self._here
        if first.sort != "number":
            return self._parameter("a duration such as 20 min, or $PARAMETER")
        parts = []
        while self._here.sort == "number":
            amount = self._next().text
            unit = self._here
            if unit.sort != "word" or unit.text not in UNITS_MS:
                near = unit_meant(unit.text) if unit.sort == "word" and unit.text not in UNITS else ""
                raise self._wrong("a unit of time: s, min, h or d", near)
            self._next()
            parts.append(f"{amount} {unit.text}")
        try:
            return Constant(Span(milliseconds(" ".join(parts))), first.at)
        except ValueError as error:
            raise SyntaxMistake(first.at, repr(" ".join(parts)), str(error)) from error

    # -- tokens

    @property
    def _here(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._here
        self._place += 1
        return token

    def _take(self, text: str) -> bool:
        if self._here.text != text or self._here.sort == "word":
            return False
        self._place += 1
        return True

    def _take_word(self, word: str) -> bool:
        if self._here.text != word or self._here.sort != "word":
            return False
        self._place += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._wrong(text)

    def _wrong(self, accepted: str, suggestion: str = "") -> SyntaxMistake:
        token = self._here
        found = "the end" if token.sort == "end" else repr(token.text)
        return SyntaxMistake(token.at, found, accepted, suggestion)

    def finish(self) -> None:
        """Nothing may be left."""
        if self._here.sort != "end":
            words = ("and", "or", "for", "within", "since", "is", "changes")
            near = nearest(self._here.text, words) if self._here.sort == "word" else ""
            raise self._wrong("and, or, for, within, since, or the end", near)

    # -- bounds

    def _deeper(self, token: Token) -> None:
        self._nesting += 1
        if self._nesting > DEEPEST:
            raise SyntaxMistake(token.at, f"more than {DEEPEST} levels of nesting", f"at most {DEEPEST}")

    def _made(self, expr: Syntax, *parts: Syntax) -> Syntax:
        """`expr`, if it isn't too deep."""
        depth = 1 + max(self._depths.get(id(part), 0) for part in parts)
        if depth > DEEPEST:
            raise SyntaxMistake(expr.at, f"more than {DEEPEST} levels of nesting", f"at most {DEEPEST}")
        self._depths[id(expr)] = depth
        self._kept.append(expr)  # so that no identity is used twice
        return expr
