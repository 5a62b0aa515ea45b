"""Collects all that is wrong with one file, so that it can be told in one go."""

from __future__ import annotations

from collections.abc import Container, Iterable

from homenode.config.yaml12 import Node
from homenode.errors import Mistake


class Notes:
    """Mistakes (the file is refused) and warnings (it is read all the same) of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []

    def wrong(
        self, at: Node, field: str, accepted: str, *, found: str | None = None, suggestion: str = ""
    ) -> None:
        """`field` doesn't fit; `found` is how `at` reads unless given."""
        self.mistakes.append(self._note(at, field, accepted, found, suggestion))

    def warn(
        self, at: Node, field: str, accepted: str, *, found: str | None = None, suggestion: str = ""
    ) -> None:
        """`field` is read, but a person should look at it."""
        self.warnings.append(self._note(at, field, accepted, found, suggestion))

    def _note(self, at: Node, field: str, accepted: str, found: str | None, suggestion: str) -> Mistake:
        shown = str(at) if found is None else found
        return Mistake(self.file, at.line, field, shown, accepted, suggestion, at.column)


def unknown_key(key: Node, field: str, known: Iterable[str], notes: Notes) -> None:
    """Tells of a key that isn't in the table of those known."""
    names = list(known)
    suggestion = nearest(field.rpartition(".")[2], names)
    notes.wrong(key, field, listed(names, 20), found=f"the unknown key {key}", suggestion=suggestion)


FILES = {
    "home": (("home", "devices"), "a home.yaml, which homenode check reads"),
    "rule": (("rule", "when"), "a rule, which homenode rules check reads"),
    "cases": (("cases",), "the cases of a rule, which homenode rules test runs"),
    "provision": (("office", "code", "ca", "ca_sha256"), "what homenode provision --file puts on a card"),
}
"""Kinds of file: keys that only they have, and what they are."""


def another_file(keys: Container[str], wanted: str) -> str:
    """What a file is that has keys of another kind and none of the kind `wanted`; "" if it may be that."""
    if any(key in keys for key in FILES[wanted][0]):
        return ""
    return next((what for own, what in FILES.values() if any(key in keys for key in own)), "")


def nearest(word: str, names: Iterable[str]) -> str:
    """The name that `word` probably was meant to be, "" if none is near."""
    import difflib  # only needed for a mistake

    lowered = {name.lower(): name for name in reversed(list(names))}
    likeness = 0.6 if len(word) > 3 else 0.5  # one letter of two is much
    close = difflib.get_close_matches(word[:100].lower(), lowered, 1, likeness)
    return lowered[close[0]] if close else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names for a person: ``a, b or c``; the first few if there are many."""
    shown = list(names)
    if not shown:
        return "none"
    if len(shown) > most:
        return f"{', '.join(shown[:most])} …"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
