"""What is said at home: in which order, from which recording, for how long (pure)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from homenode.language.bound import BoundRule

FRESH_S = 120.0
"""What could not be said for so long is no longer news: it is dropped, and stays in the status."""
LONGEST_S = 60.0
"""Nobody listens to a longer sentence, and the next one must not wait for it."""

HEAD = 64 * 1024  # no mutant: any size that is enough
"""Bytes of a WAV file in which its sound begins; editors write descriptions before it."""

_RANKS = {"alarm": 0, "warning": 1, "info": 2}  # no mutant: only their order counts


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """Something to say; each is one of its own.

    Attributes:
        text: In `language`.
        language: ``sv`` or ``en``.
        severity: Of its rule.
        asked_s: When it was decided.
        rule: The use of a rule that says it, "" for a person at the node.
        alert: Whose it is, "" likewise.
        step: Of its rule.
        while_open: It is pointless once its alert is over (not so a step at the resolve).
    """

    text: str
    language: str
    severity: str
    asked_s: float
    rule: str = ""
    alert: str = ""
    step: int = 0
    while_open: bool = False

    def overtakes(self, other: Sentence) -> bool:
        """Whether it breaks into `other`: an alarm doesn't wait for a reminder to end."""
        return self.severity == "alarm" != other.severity


class Waiting:
    """Sentences that wait for their turn: alarms first, then warnings, each in the order decided.

    One that failed lets all others try before it is tried again: it silences nothing that can be said.
    """

    def __init__(self) -> None:
        self._tries: dict[Sentence, int] = {}

    def add(self, sentence: Sentence) -> None:
        """One more."""
        self._tries[sentence] = 0

    def remove(self, sentence: Sentence) -> None:
        """It was said, or given up."""
        del self._tries[sentence]

    def failed(self, sentence: Sentence) -> None:
        """It could not be said this time."""
        self._tries[sentence] += 1

    def tries(self, sentence: Sentence) -> int:
        """How often it could not be said."""
        return self._tries[sentence]

    def next(self) -> tuple[Sentence, int] | None:
        """Whose turn it is, and how often it was tried; it stays until it is removed."""
        return min(self._tries.items(), key=_turn, default=None)

    def pointless(self, now_s: float, is_open: Callable[[str], bool]) -> list[tuple[Sentence, str]]:
        """Those that should not be said any more, each with the reason.

        Args:
            is_open: Whether an alert is.
        """
        newest = {(one.alert, one.step): one for one in self._tries if one.alert}
        told: list[tuple[Sentence, str]] = []
        for one in self._tries:
            if one.while_open and not is_open(one.alert):
                told.append((one, "its alert is over"))
            elif newest.get((one.alert, one.step), one) is not one:
                told.append((one, "it is due again"))
            elif now_s - one.asked_s >= FRESH_S:
                told.append((one, f"not possible for {FRESH_S:.0f} s"))
        return told


def _turn(waiting: tuple[Sentence, int]) -> tuple[int, int, float]:
    sentence, tries = waiting
    return tries, _RANKS[sentence.severity], sentence.asked_s


def recording_of(rule: str, step: int, language: str) -> str:
    """Name of the file that is played instead of a synthesised voice."""
    return f"{rule}.{step}.{language}.wav"


def spoken(rules: Iterable[BoundRule], language: str) -> Iterator[tuple[str, int, str]]:
    """What the rules of a home may say: rule, step and the language it is said in.

    Args:
        language: Of the home.
    """
    for rule in rules:
        for step in rule.steps:
            if step.do == "say" and step.text:
                yield rule.name, step.number, language_of(step.text, language)


def language_of(text: Iterable[str], language: str) -> str:
    """The language that a text is said in: the home's, else the first that it has."""
    languages = list(text)
    return language if language in languages else languages[0]


def wav_s(head: bytes, size: int) -> float:
    """How long a WAV file sounds.

    Args:
        head: Its first `HEAD` bytes, or more.
        size: Bytes of the whole file.

    Raises:
        ValueError: It is none, or lacks sound.
    """
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise ValueError("it is no WAV file")
    place, bytes_per_s = 12, 0
    while place + 8 <= len(head):
        chunk, length = head[place : place + 4], struct.unpack_from("<I", head, place + 4)[0]
        place += 8
        if chunk == b"fmt " and place + 16 <= len(head):  # no mutant: where it ends no sound follows
            bytes_per_s = struct.unpack_from("<I", head, place + 8)[0]
        elif chunk == b"data":
            sound = min(length, size - place)  # a synthesiser that writes into a pipe can't know the length
            if not bytes_per_s or sound <= 0:  # no mutant: one byte is no sound either
                break
            return float(sound / bytes_per_s)
        place += length + length % 2
    raise ValueError("it holds no sound")


def recording_s(head: bytes, size: int) -> float:
    """How long a recording sounds; arguments as of `wav_s`.

    Raises:
        ValueError: It can't be played.
    """
    length_s = wav_s(head, size)
    if length_s > LONGEST_S:
        raise ValueError(f"it is longer than {LONGEST_S:.0f} s")
    return length_s


def silence(length_s: float) -> bytes:
    """A WAV file of nothing, 22,050 Hz, 16 bit, one channel."""
    frames = int(22_050 * length_s)
    form = struct.pack("<HHIIHH", 1, 1, 22_050, 44_100, 2, 16)
    data = b"\0" * (2 * frames)
    riff = struct.pack("<4sI4s4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", len(form))
    return riff + form + struct.pack("<4sI", b"data", len(data)) + data
