"""``silent>0 and version<1.2``: which homes are meant (pure).

    filter := and ("or" and)* ;  and := not ("and" not)* ;  not := "not" not | "(" filter ")" | test
    test   := FIELD OP VALUE | FIELD "is" "unknown" | FIELD     OP := < <= > >= = == !=

What is unknown fits no comparison, not even !=, and `not` of it doesn't either: ask with ``is unknown``.
A text may have * and ? after = and !=. A field alone is true for yes and for what is above 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from homenode.config.notes import listed, nearest
from homenode.errors import SetupError
from homenode.fleet.board import Home
from homenode.fleet.fields import BY_NAME, Value, in_parts

Truth = bool | None
Filter = Callable[[Home, int], Truth]
"""Of a home at a wall time in ms; None if it is not known."""

_TOKEN = re.compile(r"\s*(?:(<=|>=|==|!=|<|>|=|\(|\))|\"([^\"]*)\"|'([^']*)'|([^\s<>=!()\"']+))")
_OPS: dict[str, Callable[[object, object], bool]] = {
    "<": lambda one, other: one < other,  # type: ignore[operator]  # both are of one type
    "<=": lambda one, other: one <= other,  # type: ignore[operator]  # likewise
    ">": lambda one, other: one > other,  # type: ignore[operator]  # likewise
    ">=": lambda one, other: one >= other,  # type: ignore[operator]  # likewise
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
}
_DEEPEST = 50


def read_filter(text: str) -> Filter:
    """What `text` means.

    Raises:
        SetupError: It means nothing; says where and what is accepted.
    """
    return _Reader(text).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._deep = text, 0
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._wrong(f"{text[at:].strip()[:20]!r} can't be read")
            sign, double, single, word = found.groups()
            quoted = double if double is not None else single
            self._tokens.append(
                ("sign", sign) if sign else ("text", quoted) if word is None else ("word", word)
            )
            at = found.end()

    def _wrong(self, why: str, do: str = "such as 'silent>0 and version<1.2'") -> SetupError:
        return SetupError(why, where=f"--filter {self._text}"[:200], do=do)

    def _next(self) -> tuple[str, str]:
        return self._tokens[0] if self._tokens else ("", "")

    def _take(self, kind: str, *texts: str) -> str:
        """The next token if it is one of these, else ""."""
        found, text = self._next()
        if found != kind or (texts and text not in texts):
            return ""
        self._tokens.pop(0)
        return text

    def whole(self) -> Filter:
        made = self._or()
        if self._tokens:
            raise self._wrong(f"after a whole filter stands {self._next()[1]!r}", "join with and, or")
        return made

    def _or(self) -> Filter:
        parts = [self._and()]
        while self._take("word", "or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda home, now: _any([part(home, now) for part in parts])

    def _and(self) -> Filter:
        parts = [self._not()]
        while self._take("word", "and"):
            parts.append(self._not())
        if len(parts) == 1:
            return parts[0]
        return lambda home, now: _inverse(_any([_inverse(part(home, now)) for part in parts]))

    def _not(self) -> Filter:
        self._deep += 1
        if self._deep > _DEEPEST:
            raise self._wrong("it is nested too deep", "use fewer parentheses")
        if self._take("word", "not"):
            inner = self._not()
            made: Filter = lambda home, now: _inverse(inner(home, now))  # noqa: E731 - as the others
        elif self._take("sign", "("):
            made = self._or()
            if not self._take("sign", ")"):
                raise self._wrong("a parenthesis is not closed")
        else:
            made = self._test()
        self._deep -= 1
        return made

    def _test(self) -> Filter:
        name = self._take("word")
        field = BY_NAME.get(name)
        if field is None:
            near = nearest(name, BY_NAME)
            do = f"did you mean {near}?" if near else f"fields: {', '.join(BY_NAME)}"
            raise self._wrong(f"there is no field {name!r}" if name else "a field is missing", do)
        of = field.of
        if self._take("word", "is"):
            if not self._take("word", "unknown"):
                raise self._wrong(f"{name} is what?", f"{name} is unknown")
            return lambda home, now: of(home, now) is None
        op = self._take("sign", *_OPS, "==")
        if not op:
            return lambda home, now: None if (value := of(home, now)) is None else bool(value)
        wanted = self._take("word") or self._take("text")
        if not wanted:
            raise self._wrong(f"after {name}{op} a value is missing")
        if field.words and not set(wanted) & set("*?") and wanted.lower() not in field.words:
            near = nearest(wanted, field.words)
            do = f"did you mean {near}?" if near else f"it is {listed(field.words)}"
            raise self._wrong(f"{name} is never {wanted}", do)
        compare = _comparison(name, "=" if op == "==" else op, wanted)
        if compare is None:
            raise self._wrong(f"{name}{op}{wanted} can't be compared", f"{name} is a number or yes/no")
        return lambda home, now: None if (value := of(home, now)) is None else compare(value)


def _comparison(name: str, op: str, wanted: str) -> Callable[[Value], bool] | None:
    """A value that isn't None with `wanted`; None if they can't be compared."""
    apply = _OPS[op]
    if name == "version" and not (op in ("=", "!=") and set(wanted) & set("*?")):
        return lambda value: apply(in_parts(str(value)), in_parts(wanted))
    if name == "online":
        meant = {"yes": True, "true": True, "no": False, "false": False}.get(wanted.lower())
        return None if meant is None or op not in ("=", "!=") else lambda value: apply(value, meant)
    if name in (*TEXTS, "version"):
        if op in ("=", "!="):
            return lambda value: apply(fnmatchcase(str(value).lower(), wanted.lower()), True)
        return lambda value: apply(str(value), wanted)
    try:
        number = float(wanted.rstrip("%d"))
    except ValueError:
        return None
    return lambda value: apply(float(value or 0), number)


TEXTS = ("home", "slot", "volt", "clock", "update", "state", "model", "kernel")


def _inverse(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _any(truths: list[Truth]) -> Truth:
    """Kleene's or."""
    return True if True in truths else None if None in truths else False
