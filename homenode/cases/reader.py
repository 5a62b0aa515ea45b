"""Reads ``rules/traces/NAME.yaml``: the cases of a rule, bound as they say; every mistake with its line."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homenode.cases.case import Calendar, Case, Expected
from homenode.cases.lines import Story, StoryMistake
from homenode.config.durations import milliseconds
from homenode.config.model import NEVER, Camera, Home, Mode, RuleUse
from homenode.config.notes import Notes, listed, nearest, unknown_key
from homenode.config.rows import STANDARD_MODES
from homenode.config.yaml12 import Listing, Node, Scalar, Table, compose, is_nothing, read_text
from homenode.engine.events import Event
from homenode.errors import FileMistakes
from homenode.kinds import kind_of
from homenode.language.binding import bind
from homenode.language.bound import BoundRule
from homenode.language.rule_file import CAMERA, RuleFile

SHARED = ("bind", "set", "stale_after", "timezone", "date")
"""Keys of a file that a case may say anew."""

KEYS = (*SHARED, "cases")
CASE_KEYS = ("it", *SHARED, "story")

MODES = {name: Mode(name, longest_ms) for name, longest_ms in STANDARD_MODES.items()}


def read_cases(path: Path, rule: RuleFile) -> tuple[Case, ...]:
    """The cases of one file.

    Args:
        path: The trace.
        rule: The rule it is about.

    Raises:
        FileMistakes: Everything that is wrong with it.
    """
    shown = os.fspath(path)
    notes = Notes(shown)
    root = compose(read_text(path, shown), shown, notes.mistakes)
    if not isinstance(root, Table):
        notes.wrong(root, "file", "a mapping with bind: and cases:")
        raise FileMistakes(notes.mistakes)
    found = _Reader(path, root, rule, notes).cases()
    if notes.mistakes:
        raise FileMistakes(sorted(notes.mistakes, key=lambda mistake: (mistake.line, mistake.column)))
    return tuple(found)


class _Reader:
    def __init__(self, path: Path, root: Table, rule: RuleFile, notes: Notes) -> None:
        self._path, self._root, self._rule, self._notes = path, root, rule, notes

    def cases(self) -> list[Case]:
        self._known(self._root, "", KEYS)
        node = self._root.get("cases")
        if not isinstance(node, Listing) or not node.items:
            self._notes.wrong(node or self._root, "cases", "a list, each case as {it: …, story: […]}")
            return []
        cases = (self._case(item, f"cases.{number}") for number, item in enumerate(node.items, 1))
        return [case for case in cases if case is not None]

    def _known(self, table: Table, where: str, keys: tuple[str, ...]) -> None:
        for name, (key, _) in table.entries.items():
            if name not in keys:
                unknown_key(key, where + name, keys, self._notes)

    def _case(self, node: Node, where: str) -> Case | None:
        notes, before = self._notes, len(self._notes.mistakes)
        if not isinstance(node, Table):
            notes.wrong(node, where, "{it: …, story: […]}")
            return None
        self._known(node, f"{where}.", CASE_KEYS)
        it = node.get("it")
        if not isinstance(it, Scalar) or is_nothing(it):
            notes.wrong(it or node, f"{where}.it", "a sentence: what the case shows", found=_nothing(it))
        rule = self._bound(node, where)
        calendar = self._calendar(node, where)
        limits_ms = self._limits(node, where, rule)
        if rule is None or len(notes.mistakes) > before:
            return None
        points = tuple(sorted({point for bound in rule.roles.values() for point in bound if "." in point}))
        story = Story(calendar, points, rule.name, {"home": None, **MODES})
        told = self._story(node, where, story)
        if told is None:
            return None
        events, expected, start, end = told
        assert isinstance(it, Scalar)
        file = str(self._path)
        return Case(it.text, file, node.line, rule, calendar, limits_ms, MODES, events, expected, start, end)

    # -- how it is bound

    def _entries(self, node: Table, key: str, where: str) -> dict[str, tuple[Scalar, Node]]:
        """The entries of a table of the file, with those of the case over them."""
        found: dict[str, tuple[Scalar, Node]] = {}
        for table, place in ((self._root, ""), (node, f"{where}.")):
            inner = table.get(key)
            if isinstance(inner, Table):
                found |= inner.entries
            elif inner is not None:
                self._notes.wrong(inner, place + key, "{NAME: VALUE}")
        return found

    def _bound(self, node: Table, where: str) -> BoundRule | None:
        points: dict[str, tuple[str, ...]] = {}
        lists, places, cameras = set(), {}, {}
        for role, (key, value) in self._entries(node, "bind", where).items():
            wanted = self._rule.roles.get(role)
            if wanted is not None and CAMERA in wanted.kinds and isinstance(value, Scalar):
                points[role], places[f"bind.{role}"] = (value.text,), (key.line, key.column)
                cameras[value.text] = Camera(value.text, "", "scene")
                continue
            items = value.items if isinstance(value, Listing) else (value,)
            names = []
            for item in items:
                if not isinstance(item, Scalar) or kind_of(item.text) is None or "." not in item.text:
                    self._notes.wrong(item, f"bind.{role}", "a point DEVICE.KIND, such as stove.power")
                    return None
                names.append(item.text)
            points[role], places[f"bind.{role}"] = tuple(names), (key.line, key.column)
            if isinstance(value, Listing):
                lists.add(role)
        given = {}
        for name, (key, value) in self._entries(node, "set", where).items():
            given[name] = value.text if isinstance(value, Scalar) else ""
            places[f"set.{name}"] = key.line, key.column
        name = self._rule.rule
        file = Path(self._rule.file)
        at = node.line, node.column
        use = RuleUse(name, name, file, points, given, *at, frozenset(lists), places)
        home = Home(self._path, "case", "UTC", "sv", None, {}, {}, (use,), {}, MODES, cameras=cameras)
        rule, mistakes = bind(self._rule, use, home)
        self._notes.mistakes += [m for m in mistakes if m not in self._notes.mistakes]
        return rule

    def _limits(self, node: Table, where: str, rule: BoundRule | None) -> dict[str, int]:
        bound = rule.roles.values() if rule else ()
        devices = sorted({point.partition(".")[0] for points in bound for point in points if "." in point})
        limits_ms = dict.fromkeys(devices, NEVER)
        for device, (key, value) in self._entries(node, "stale_after", where).items():
            if rule is not None and device not in limits_ms:
                near = nearest(device, devices)
                self._notes.wrong(key, f"stale_after.{device}", listed(devices), suggestion=near)
            try:
                limits_ms[device] = milliseconds(value.text if isinstance(value, Scalar) else "")
            except ValueError as wrong:
                self._notes.wrong(value, f"stale_after.{device}", str(wrong))
        return limits_ms

    def _calendar(self, node: Table, where: str) -> Calendar:
        first, timezone = datetime.date(2026, 1, 5), "Europe/Stockholm"
        for key in ("date", "timezone"):
            value = node.get(key) or self._root.get(key)
            if value is None:
                continue
            text = value.text if isinstance(value, Scalar) else ""
            try:
                if key == "date":
                    first = datetime.date.fromisoformat(text)
                else:
                    timezone = ZoneInfo(text).key
            except (ValueError, OSError, ZoneInfoNotFoundError):
                accepted = (
                    "a date such as 2026-01-05" if key == "date" else "a time zone such as Europe/Stockholm"
                )
                self._notes.wrong(value, f"{where}.{key}", accepted)
        return Calendar(first, timezone)

    # -- the story

    def _story(
        self, node: Table, where: str, story: Story
    ) -> tuple[tuple[Event, ...], tuple[Expected, ...], int, int] | None:
        lines = node.get("story")
        if not isinstance(lines, Listing) or not lines.items:
            accepted = "a list of lines, such as 17:10 stove 1500 W"
            self._notes.wrong(lines or node, f"{where}.story", accepted, found=_nothing(lines))
            return None
        events: list[Event] = []
        expected: list[Expected] = []
        start = end = None
        before = len(self._notes.mistakes)
        for number, item in enumerate(lines.items, 1):
            place = f"{where}.story.{number}"
            if end is not None:
                self._notes.wrong(item, place, "end as the last line")
                break
            try:
                told = story.line(item.text if isinstance(item, Scalar) else str(item))
            except StoryMistake as wrong:
                self._notes.wrong(item, place, wrong.accepted, found=wrong.found, suggestion=wrong.suggestion)
                continue
            start = told.at if start is None else start
            end = told.at if told.ends else None
            events += told.events
            expected += told.expected
        if end is None and len(self._notes.mistakes) == before:
            self._notes.wrong(lines, f"{where}.story", "TIME end as the last line", found="no end")
        if start is None or end is None:
            return None
        return tuple(sorted(events, key=lambda event: event.at)), tuple(expected), start, end


def _nothing(node: Node | None) -> str | None:
    return "nothing" if node is None else None
