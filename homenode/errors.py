"""Every error of homenode, in one tree; the class answers *who must act*.

Third-party exceptions are translated once, at the edge, with ``raise ... from``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LONGEST_SHOWN = 200
"""Characters of one part of a mistake that are shown."""
PRIVATE_KEY = "PRIVATE KEY"
"""In the first line of each in PEM."""


class HomenodeError(Exception):
    """What went wrong, where, and what to do; all three in plain words.

    Attributes:
        what: What was found.
        where: File and line, device, port or topic; empty if it can only be one place.
        do: What a person can do about it; empty if nothing.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what, self.where, self.do = what, where, do
        super().__init__(": ".join(part for part in (where, what) if part) + (f" ({do})" if do else ""))


def acted_on(error: BaseException) -> BaseException:
    """Of a group of tasks the error that somebody can act on; any other as it is."""
    while isinstance(error, BaseExceptionGroup):
        error = next((e for e in error.exceptions if isinstance(e, HomenodeError)), error.exceptions[0])
    return error


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a file that a person wrote.

    Attributes:
        file: Path as the person gave it.
        line: 1-based; 0 if the mistake is something missing from the whole file.
        field: Dotted place, such as ``devices.stove.room``.
        found: What stands there; of a private key nothing but that it is one.
        accepted: What may stand there.
        suggestion: A likely correction, or "".
        column: 1-based; 0 if unknown.
    """

    file: str
    line: int
    field: str
    found: str
    accepted: str
    suggestion: str = ""
    column: int = 0

    def __post_init__(self) -> None:
        for name in ("field", "found"):
            if PRIVATE_KEY in getattr(self, name):
                object.__setattr__(self, name, "a private key")

    def __str__(self) -> str:
        place = ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])
        hint = f"; did you mean {_short(self.suggestion)}?" if self.suggestion else ""
        return f"{place}: {_short(self.field)}: found {_short(self.found)}; accepted: {self.accepted}{hint}"


def _short(text: str) -> str:
    """What a person wrote may be a megabyte long."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


class FileMistakes(HomenodeError):
    """A person must edit a file; carries all its mistakes, not only the first."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class SetupError(HomenodeError):
    """A person at the node must act: an extra, a port, a permission or a free folder is missing."""


class DriverLost(HomenodeError):
    """The hardware behind a driver is gone or silent; the supervisor tries again by itself."""


class Unheard(HomenodeError):
    """What was to be said at home can't be heard; the voice tries again by itself, the operator is told.

    Attributes:
        text: Language to the reason.
    """

    def __init__(self, text: Mapping[str, str], *, do: str = "") -> None:
        self.text = dict(text)
        super().__init__(text["en"], do=do)


class Refused(HomenodeError):
    """A request that will not be done; nobody retries it, the one who asked is told.

    Attributes:
        code: A word for programs.
    """

    code = "refused"


class Unanswered(Refused):
    """Nobody answered a request: it may be done or not, so who asked has to look, and may ask again."""

    code = "unanswered"


class NoLook(Refused):
    """Nobody looks through this camera now, on this request."""

    def __init__(self, code: str, what: str, *, do: str = "") -> None:
        self.code = code
        super().__init__(what, do=do)


class StorageError(HomenodeError):
    """The disk is full, read-only or failing; somebody has to be called."""
