"""What a scenario or a person at the control socket may say, and what is meant by it. Pure.

bed empty · front_door open · hob on · smoke alarm · button press · thermometer temperature 23.5
kitchen · anna kitchen · anna in kitchen · anna goes to kitchen · leaves the kitchen · anna out · anna bed
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from homenode.config.notes import nearest
from homenode.kinds import kind_of

TRUE_WORDS = ("on", "open", "opens", "occupied", "wet", "alarm", "seen", "locked", "present", "yes")
FALSE_WORDS = ("off", "closed", "closes", "empty", "dry", "clear", "unlocked", "gone", "no")
AWAY = ("out", "away", "outside")
ELSEWHERE = ""
"""A place without sensors: where one is after leaving a room without a word of where to."""


@dataclass(frozen=True, slots=True)
class Words:
    """The names that mean something.

    Attributes:
        devices: Device to the kinds it senses or drives.
        appliances: Word for an appliance to its device.
        beds: Devices that one lies or sits on.
    """

    rooms: tuple[str, ...]
    devices: Mapping[str, tuple[str, ...]]
    appliances: Mapping[str, str]
    beds: tuple[str, ...] = ()
    people: tuple[str, ...] = ("resident",)

    def with_people(self, people: tuple[str, ...]) -> Words:
        """The same with these people."""
        return replace(self, people=people)

    @property
    def places(self) -> tuple[str, ...]:
        """Where a person can be."""
        return (*self.rooms, *self.beds, *AWAY)

    def is_place(self, word: str) -> bool:
        """Whether a person can be there."""
        return word in self.places


@dataclass(frozen=True, slots=True)
class Goes:
    """A person goes to a room, a bed, out (AWAY[0]) or ELSEWHERE."""

    person: str
    place: str


@dataclass(frozen=True, slots=True)
class Sets:
    """A device senses something, or an appliance is turned on or off."""

    device: str
    on: bool


@dataclass(frozen=True, slots=True)
class Runs:
    """An appliance is turned on or off."""

    device: str
    on: bool


@dataclass(frozen=True, slots=True)
class Presses:
    """A button is pressed in one of its ways."""

    device: str
    way: str


@dataclass(frozen=True, slots=True)
class Measures:
    """A meter reads something, in the unit of its kind."""

    device: str
    kind: str
    value: float


Sentence = Goes | Sets | Runs | Presses | Measures


def understand(text: str, words: Words) -> Sentence:
    """What a sentence means.

    Raises:
        ValueError: It means nothing; says what would.
    """
    said = text.split()
    subject, rest = said[0], said[1:]
    if subject in words.people:
        return _person(subject, rest, words)
    if subject in ("leaves", "goes", "is", "in", *AWAY) or (words.is_place(subject) and not rest):
        return _person(words.people[0], said, words)
    if subject in words.appliances or subject in words.devices:
        return _thing(subject, rest, words)
    names = [*words.people, *words.rooms, *words.devices, *words.appliances]
    near = nearest(subject, names)
    raise ValueError(
        f"a person, room, device or appliance first: {', '.join(names)}" + (f"; {near}?" if near else "")
    )


def _person(person: str, rest: list[str], words: Words) -> Goes:
    verb = rest[0] if rest else ""
    place = [word for word in rest if word not in ("is", "in", "goes", "to", "the", "into", "leaves", "home")]
    if verb == "leaves":
        if "home" in rest:
            return Goes(person, AWAY[0])
        if len(place) == 1 and place[0] in words.rooms:
            return Goes(person, ELSEWHERE)
    elif len(place) == 1 and words.is_place(place[0]):
        return Goes(person, AWAY[0] if place[0] in AWAY else place[0])
    raise ValueError(f"{person} and a place: {', '.join(words.places)}")


def _thing(subject: str, rest: list[str], words: Words) -> Sentence:
    device = words.appliances.get(subject, subject)
    kinds = words.devices[device]
    if len(rest) == 1 and rest[0] in (*TRUE_WORDS, *FALSE_WORDS):
        on = rest[0] in TRUE_WORDS
        return Runs(device, on) if subject in words.appliances else Sets(device, on)
    if rest[:1] in (["press"], ["pressed"], ["presses"]) and len(rest) <= 2:
        return Presses(device, rest[1] if len(rest) == 2 else "single")
    if rest and re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", rest[-1]) and len(rest) <= 2:
        numbers = [kind for kind in kinds if (known := kind_of(kind)) and known.unit is not None]
        kind = rest[0] if len(rest) == 2 else next(iter(numbers), "")
        if kind_of(kind) is not None:
            return Measures(device, kind, float(rest[-1]))
    raise ValueError(
        f"{subject} with one of {', '.join((*TRUE_WORDS, *FALSE_WORDS))}, press, or a kind and a number"
    )
