"""How things read on a page: times, ages, texts of homes, what is wrong right now (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from homenode.console.access import Person
from homenode.console.board import Board, Home
from homenode.console.case import Case
from homenode.console.whys import in_words
from homenode.console.words import say
from homenode.contract.times import Zone, wall_ms
from homenode.install.known import value_in_words
from homenode.listen.told import ALL
from homenode.panel.picture import headline

LONGEST_TEXT = 500
"""Of what a home says, in a row for everybody; what is cut stays in the journal."""


_UNSEEN = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))
_TURNS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_READABLE = dict.fromkeys((*_UNSEEN, *_TURNS), "\ufffd")
"""Control characters, and those that turn the direction of what follows: with them a line reads otherwise."""


def readable(value: object) -> object:
    """Whatever is put into a page; our own markup is left alone."""
    return value.translate(_READABLE) if type(value) is str else value


@dataclass(frozen=True, slots=True)
class Bar:
    """What is said loudly on every page.

    Attributes:
        deaf: Parties whose broker is not heard.
        silent: How many homes are.
        alone: Parties for which nobody is on duty.
        calls: Keys of cases that nobody has.
        loud: Whether there is sound: an alarm that nobody has, or we are deaf.
    """

    deaf: tuple[str, ...]
    silent: int
    alone: tuple[str, ...]
    calls: tuple[str, ...]
    on_duty: tuple[str, ...]

    @property
    def loud(self) -> bool:
        """Whether there is sound."""
        return bool(self.calls or self.deaf)


LARGEST = 1e15
"""No quantity of a home is larger."""


def alarm_bar(board: Board, person: Person, roster: bool, now: int) -> Bar:
    """For one person."""
    parties = [party for party in ("care", "property") if person.acts_for(party)]
    on = {party: board.duty.on(party, now) for party in parties}
    return Bar(
        deaf=tuple(party for party in parties if party in board.deaf),
        silent=sum(person.sees(*home) for home in board.silent),
        alone=tuple(party for party in parties if roster and not on[party]),
        calls=tuple(case.key for case in person.cases(board) if case.calls),
        on_duty=tuple(dict.fromkeys(shift.name for shifts in on.values() for shift in shifts)),
    )


def sentence(case: Case, language: str) -> str:
    """What happened, in the home's own words."""
    return text_of(case.body["data"], language) or str(case.body.get("subject", ""))[:LONGEST_TEXT]


def text_of(data: Mapping[str, Any], language: str) -> str:
    """The sentence in one language, or in whichever there is."""
    texts = data.get("text")
    if not isinstance(texts, dict):
        return ""
    return str(texts.get(language) or next(iter(texts.values()), ""))[:LONGEST_TEXT]


def room_of(case: Case) -> str:
    """Where in the home."""
    return str(case.body["data"].get("room") or "")[:80]


def picture(homes: list[Home], cases: list[Case]) -> str:
    """What a relative sees: ``silent``, ``unknown``, ``alert``, ``seen_to``, ``partly`` or ``calm``."""
    if not homes or any(home.state == "unknown" for home in homes):
        return "unknown"
    if any(home.state == "silent" for home in homes):
        return "silent"
    open_now = [
        case for case in cases if case.home_says != "over" and not case.own and case.severity != "info"
    ]
    if any(not case.handled and not case.closed for case in open_now):
        return "alert"
    if open_now:
        return "seen_to"
    return "partly" if any(home.state == "fault" for home in homes) else "calm"


class Pictured(NamedTuple):
    """What a relative sees of a home.

    Attributes:
        seen: As `picture` says, or ``no_alert`` if it shares something that isn't off and shut.
        tiles: What it shares, as on its panel; None if that can't be known now.
        whole: ``off``, ``on`` or ``unknown``: of what it shares, "" if it shares nothing.
    """

    seen: str
    tiles: list[dict[str, str]] | None = None
    whole: str = ""


def pictured(home: Home, cases: list[Case], language: str, now: int) -> Pictured:
    """What care was told of it, and what it shares."""
    seen = picture([home], cases)
    if seen in ("unknown", "silent"):
        return Pictured(seen)
    tiles = home.shared.tiles(now, language)
    if not tiles:
        return Pictured(seen, tiles)
    whole = headline(tiles, language, out=False, alerted=False)["state"]
    return Pictured("no_alert" if seen == "calm" and whole != "off" else seen, tiles, whole)


def filters(timezone: str) -> dict[str, Callable[..., str]]:
    """For templates."""
    zone = Zone(timezone)

    def clock(at: int) -> str:
        return zone.text(at)[11:16]

    def moment(at: int) -> str:
        return zone.text(at)[:16].replace("T", " ")

    def second(at: int) -> str:
        return zone.text(at)[:19].replace("T", " ")

    def iso(at: int) -> str:
        return zone.text(at)

    def said(case: Case, language: str) -> str:
        """What happened; since when a home is silent by our clock, as the receiver's own words are in UTC."""
        since = at_ms(case.body["data"].get("since")) if case.own else None
        if since is None or case.alert.partition(":")[0] != "silent":
            return sentence(case, language)
        word = "said_deaf" if case.home == ALL else "said_silent"
        return say(word, language, time=clock(since))

    def wall(text: object) -> str:
        """A time as a home wrote it: by the clock on its wall."""
        return str(text)[:19].replace("T", " ")

    return {
        "clock": clock, "moment": moment, "second": second, "iso": iso, "wall": wall, "age": age,
        "sentence": said, "room": room_of, "text": text_of, "valued": valued, "deed": deed,
        "why": in_words,
    }  # fmt: skip


def deed(fact: Mapping[str, Any]) -> str:
    """The word for a line of the log."""
    what = str(fact["what"])
    if what == "did":
        return f"did_{fact['did']}"
    return f"log_{what}" if what in ("signed_out", "refused") else what


def valued(evidence: Mapping[str, Any], language: str) -> str:
    """What one point was, in words."""
    value, quality = evidence.get("value"), evidence.get("quality")
    if quality in ("stale", "unknown"):
        return say(f"quality_{quality}", language)
    kind = str(evidence.get("point", "?")).rpartition(".")[2]
    known = isinstance(value, bool | int | float) and abs(value) < LARGEST
    return value_in_words(kind, value if known else None, language)


def age(ms: int) -> str:
    """``12 s``, ``5 min``, ``3 h``, ``2 d``."""
    seconds = max(0, ms) // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def at_ms(text: object) -> int | None:
    """A time of the contract in ms; None if it is none."""
    try:
        return wall_ms(str(text))
    except ValueError:
        return None
