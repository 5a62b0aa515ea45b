"""Scenario files: who does what when, in sentences. Reading and time only; `people` does what they say.

    timezone and devices come from apartment.yaml
    people: [anna]
    start: {anna: bed}
    day:
      - 07:10 bed empty
      - 07:12 bathroom
      - 11:40 hob on
      - 11:55 leaves the kitchen

A sentence is a time of day and what happens; a time before its predecessor's is the next day.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import count
from pathlib import Path
from typing import Any

from homenode.config.fields import Field
from homenode.config.load import in_order
from homenode.config.notes import Notes, unknown_key
from homenode.config.values import read_table
from homenode.config.yaml12 import Listing, Node, Scalar, Table, compose, is_nothing, read_text
from homenode.errors import FileMistakes, Mistake
from homenode.sim.sentences import Sentence, Words, understand

_SENTENCE = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?\s+(.+)")

_TOP = (
    Field(
        "people",
        "words",
        "Who lives here; the first is meant where a sentence names nobody",
        default=("resident",),
    ),
    Field("repeat", "flag", "Whether it begins anew after its last day", default=True),
    Field("seed", "whole", "Dice for what isn't told to the second", default=1),
)
_TAPE = (
    Field("file", "path", "A recording; formats: homenode/recordings", required=True),
    Field("from", "moment", "Where in it to begin"),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One sentence with its time: days after the first, seconds of the day, line in the file."""

    day: int
    second: int
    sentence: Sentence
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Tape:
    """A recorded home that plays along: `plays` is device to (sensor of the recording)."""

    file: Path
    begin: datetime | None
    plays: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario file."""

    people: tuple[str, ...]
    start: Mapping[str, str]
    moments: tuple[Moment, ...]
    repeat: bool
    seed: int
    tape: Tape | None = None
    days: int = field(default=1)

    def from_time(self, begins: datetime, zone: tzinfo) -> Iterator[tuple[datetime, Moment]]:
        """Each moment with its time, beginning on the day of `begins`; earlier ones are left out."""
        if not self.moments:
            return
        first = begins.astimezone(zone).date()
        for turn in count() if self.repeat else (0,):
            for moment in self.moments:
                at = _at(first + timedelta(days=turn * self.days + moment.day), moment.second, zone)
                if at >= begins:
                    yield at, moment


def _at(day: date, second: int, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(second // 3600, second // 60 % 60, second % 60), zone)


def read_scenario(path: str | os.PathLike[str], words: Words) -> Scenario:
    """The scenario in a file.

    Args:
        words: Names of rooms and devices that its sentences may use.

    Raises:
        FileMistakes: Everything that is wrong with it.
    """
    shown = os.fspath(path)
    notes = Notes(shown)
    root = compose(read_text(Path(shown), shown), shown, notes.mistakes)
    if not isinstance(root, Table):
        raise FileMistakes([Mistake(shown, root.line, "file", str(root), "a mapping with day: and people:")])
    beside = Path(os.path.abspath(shown)).parent
    names = {row.name for row in _TOP}
    sections = ("start", "day", "recording")
    for name, (key, _) in root.entries.items():
        if name not in names and name not in sections:
            unknown_key(key, name, [*names, *sections], notes)
    table = Table({k: v for k, v in root.entries.items() if k in names}, root.line, root.column)
    top = read_table(_TOP, table, "", notes, beside)
    people = tuple(top["people"]) or ("resident",)
    words = words.with_people(people)
    moments = tuple(_moments(root.get("day"), words, notes))
    scenario = Scenario(
        people=people,
        start=_start(root.get("start"), words, notes),
        moments=moments,
        repeat=top["repeat"],
        seed=top["seed"],
        tape=_tape(root.get("recording"), words, notes, beside),
        days=1 + max((moment.day for moment in moments), default=0),
    )
    if notes.mistakes:
        raise FileMistakes(in_order(notes))
    return scenario


def _moments(node: Node | None, words: Words, notes: Notes) -> Iterator[Moment]:
    if node is None or is_nothing(node):
        return
    if not isinstance(node, Listing):
        notes.wrong(node, "day", "a list of sentences such as 07:10 bed empty")
        return
    day, before = 0, 0
    for number, item in enumerate(node.items):
        where = f"day[{number}]"
        match = _SENTENCE.fullmatch(item.text.strip()) if isinstance(item, Scalar) else None
        if match is None:
            notes.wrong(item, where, "a time of day and what happens, such as 07:10 bed empty")
            continue
        second = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
        day, before = day + (second < before), second
        try:
            sentence = understand(match[4], words)
        except ValueError as error:
            notes.wrong(item, where, str(error))
            continue
        yield Moment(day, second, sentence, match[4], item.line)


def _start(node: Node | None, words: Words, notes: Notes) -> dict[str, str]:
    start: dict[str, str] = {}
    if node is None or is_nothing(node):
        return start
    if not isinstance(node, Table):
        notes.wrong(node, "start", "person: room or bed")
        return start
    for person, (key, place) in node.entries.items():
        if person not in words.people:
            notes.wrong(key, f"start.{person}", f"one of people: {', '.join(words.people)}")
        elif not isinstance(place, Scalar) or not words.is_place(place.text):
            notes.wrong(place, f"start.{person}", f"a room or a bed: {', '.join(words.places)}")
        else:
            start[person] = place.text
    return start


def _tape(node: Node | None, words: Words, notes: Notes, beside: Path) -> Tape | None:
    if node is None or is_nothing(node):
        return None
    if not isinstance(node, Table):
        notes.wrong(node, "recording", "file:, from: and plays:")
        return None
    rows = Table({k: v for k, v in node.entries.items() if k != "plays"}, node.line, node.column)
    said: dict[str, Any] = read_table(_TAPE, rows, "recording", notes, beside, at=node)
    plays: dict[str, str] = {}
    table = node.get("plays")
    if not isinstance(table, Table):
        notes.wrong(table or node, "recording.plays", "device: sensor of the recording", found="nothing")
        return None
    for device, (key, sensor) in table.entries.items():
        if device not in words.devices:
            notes.wrong(
                key, f"recording.plays.{device}", f"a device of the apartment: {', '.join(words.devices)}"
            )
        elif isinstance(sensor, Scalar) and sensor.text:
            plays[device] = sensor.text
    if said["file"] is None:
        return None
    return Tape(said["file"], said["from"], plays)
