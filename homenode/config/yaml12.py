"""Reads files that people write as YAML 1.2 (core schema): ``on``, ``off``, ``yes`` and ``22:00`` are words.

PyYAML reads YAML 1.1, so only its scanner and parser are used here; what a word means is decided below.
Every node knows its line. Hostile files cost little: size, depth, nodes and aliases are bounded.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from homenode.errors import PRIVATE_KEY, FileMistakes, Mistake

MOST_BYTES = 1_000_000
"""A home of 100 devices is 20 kB; beyond this it is not a file that a person wrote."""
MOST_NODES = 100_000
DEEPEST = 50
"""home.yaml is four levels deep; a rule file three."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# YAML 1.2.2, 10.3.2 tag resolution of the core schema.
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE, _FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OCTAL, _HEX = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE, _NAN = re.compile(r"[-+]?\.(inf|Inf|INF)"), re.compile(r"\.(nan|NaN|NAN)")
MOST_DIGITS = 100
"""Longer "numbers" stay text: they are serial numbers, and Python refuses to read them beyond 4,300."""

_NOT_PRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_KEY = re.compile(rf"-----BEGIN [A-Z ]*{PRIVATE_KEY}.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL)

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word, number, flag or nothing.

    Attributes:
        value: As the core schema reads it; quoted text is always a str.
        text: As it stands in the file.
        line, column: 1-based.
    """

    value: Plain
    text: str
    line: int
    column: int

    def __str__(self) -> str:
        """How an error shows it."""
        if self.value is None:
            return "nothing"
        text = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return repr(text) if isinstance(self.value, str) else text


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int

    def __str__(self) -> str:
        return f"a list of {len(self.items)}" if self.items else "an empty list"


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order of the file. Keys are texts as they stand there (``on``, ``17``)."""

    entries: dict[str, tuple[Scalar, Node]]
    line: int
    column: int

    def __str__(self) -> str:
        return "a mapping" if self.entries else "an empty mapping"

    def get(self, key: str) -> Node | None:
        """What stands after `key`, None if it isn't there."""
        entry = self.entries.get(key)
        return entry[1] if entry else None


Node = Scalar | Listing | Table


def resolve(text: str) -> Plain:
    """What an unquoted word means in the core schema of YAML 1.2."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if len(text) > MOST_DIGITS:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return float("nan") if _NAN.fullmatch(text) else text


def is_nothing(node: Node | None) -> bool:
    """Whether the key is absent or nothing stands after it."""
    return node is None or (isinstance(node, Scalar) and node.value is None)


def plain(node: Node) -> object:
    """The node as dicts, lists and values, without lines."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, (_, value) in node.entries.items()}


def compose(text: str, file: str, mistakes: list[Mistake] | None = None) -> Node:
    """Reads one document.

    Args:
        text: The whole file.
        file: How mistakes name it.
        mistakes: Gets what is wrong but can be read past (a key that stands twice), so that the caller can
            tell all in one go; without it these are raised as well.

    Raises:
        FileMistakes: The text is not YAML, or is too deep, too big, empty or uses what isn't read here.
    """
    found: list[Mistake] = [] if mistakes is None else mistakes
    if bad := _bad_character(text, file):
        raise FileMistakes([*found, bad])
    try:
        root = _Reader(text, file, found).document()
    except yaml.MarkedYAMLError as error:
        raise FileMistakes([*found, _syntax(error, text, file)]) from error
    if found and mistakes is None:
        raise FileMistakes(found)
    return root


def read_text(path: Path, file: str) -> str:
    """The text of a file that a person wrote.

    Raises:
        FileMistakes: It isn't there, isn't a file, can't be read, is too big or is not UTF-8.
    """

    def wrong(
        found: str, accepted: str, line: int = 0, suggestion: str = "", column: int = 0
    ) -> FileMistakes:
        return FileMistakes([Mistake(file, line, "file", found, accepted, suggestion, column)])

    try:
        if not path.is_file():
            there = "a folder" if path.is_dir() else "no such file" if not path.exists() else "not a file"
            raise wrong(there, "a YAML file", suggestion=_neighbour(path))
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise wrong(f"unreadable ({reason})", "a YAML file that this user may read") from error
    if len(data) > MOST_BYTES:
        raise wrong(f"more than {MOST_BYTES:,} bytes", f"at most {MOST_BYTES:,} bytes", line=1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        found = f"the byte 0x{data[error.start]:02x}, which is not UTF-8"
        if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            found += " but UTF-16, which Windows also calls Unicode"
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise wrong(found, "UTF-8 text", line, column=column) from error


def lines_shown(text: str) -> list[str]:
    """The lines of a file as a person may see them: of a private key none."""
    return _KEY.sub(
        lambda key: "\n".join([f"… {PRIVATE_KEY} …"] * len(key[0].splitlines())), text
    ).splitlines()


def _neighbour(path: Path) -> str:
    import difflib

    try:
        names = [other.name for other in path.parent.iterdir() if other.name != path.name]
    except OSError:
        return ""
    if path.is_dir():
        inside = path / "home.yaml"
        return str(inside) if inside.is_file() else ""
    close = difflib.get_close_matches(path.name, names, 1, 0.75)
    return str(path.with_name(close[0])) if close else ""


class _Reader:
    """Turns parser events into nodes; recursion is at most `DEEPEST` levels."""

    def __init__(self, text: str, file: str, mistakes: list[Mistake]) -> None:
        self._file, self._mistakes = file, mistakes
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        """Name to the node, how many nodes it has in all, and how many levels."""
        self._nodes = 0
        self._reached = 0

    def document(self) -> Node:
        next(self._events)  # stream start
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            raise FileMistakes([*self._mistakes, Mistake(self._file, 1, "file", "nothing", "a mapping")])
        root = self._node(next(self._events), 0)
        next(self._events)  # document end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._stop(after, "a second document (after ---)", "one document a file")
        return root

    def _stop(self, event: yaml.Event, found: str, accepted: str) -> FileMistakes:
        line, column = _place(event)
        return FileMistakes([*self._mistakes, Mistake(self._file, line, "file", found, accepted, "", column)])

    def _take(self, event: yaml.Event, nodes: int, deepest: int) -> None:
        self._nodes += nodes
        self._reached = max(self._reached, deepest)
        if self._nodes > MOST_NODES:
            raise self._stop(event, f"more than {MOST_NODES:,} values", f"at most {MOST_NODES:,}")
        if deepest > DEEPEST:
            raise self._stop(event, f"more than {DEEPEST} levels", f"at most {DEEPEST} levels")

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        nodes, reached = self._nodes, self._reached
        self._reached = depth
        self._take(event, 1, depth)
        line, column = _place(event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = Scalar(self._value(event), event.value, line, column)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._tag(event, "tag:yaml.org,2002:seq")
            items = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            node = Listing(tuple(items), line, column)
        else:
            assert isinstance(event, yaml.MappingStartEvent)
            self._tag(event, "tag:yaml.org,2002:map")
            node = Table(self._entries(depth), line, column)
        if event.anchor is not None:
            self._anchors[event.anchor] = node, self._nodes - nodes, self._reached - depth
        self._reached = max(reached, self._reached)
        return node

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        """The same node again, counted with all that is in it, so that aliases of aliases stay bounded."""
        if event.anchor not in self._anchors:
            raise self._stop(event, f"*{event.anchor}, which names nothing", 'in quotes: "*.battery"')
        node, nodes, levels = self._anchors[event.anchor]
        self._take(event, nodes, depth + levels)
        return node

    def _entries(self, depth: int) -> dict[str, tuple[Scalar, Node]]:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            line, column = _place(event)
            if not isinstance(key, Scalar):
                mistake = Mistake(self._file, line, "key", str(key), "a word before the colon", "", column)
                self._mistakes.append(mistake)
            elif key.text in entries:
                first = entries[key.text][0].line
                found = f"a second {key.text!r} (the first is in line {first})"
                self._mistakes.append(Mistake(self._file, line, key.text, found, "each key once", "", column))
            else:
                entries[key.text] = Scalar(key.value, key.text, line, column), value
        return entries

    def _value(self, event: yaml.ScalarEvent) -> Plain:
        if event.tag in (None, "!") and event.implicit[0]:
            return resolve(event.value)
        self._tag(event, "tag:yaml.org,2002:str")
        return str(event.value)

    def _tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, own: str) -> None:
        if event.tag not in (None, "!", own):
            raise self._stop(event, f"the tag {event.tag}", "values without tags")


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Mistake:
    """A parser's complaint in the words of somebody who edits the file."""
    mark = error.problem_mark or error.context_mark
    at, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = lines_shown(text)
    shown = lines[at] if at < len(lines) else ""
    if "expected ':'" in str(error.problem) and error.context_mark is not None:  # it lies before
        at, column = error.context_mark.line, error.context_mark.column
        shown = lines[at] if at < len(lines) else ""
    if not shown.strip():  # the end of the file: its last line is where to look
        at, column = max(len(lines) - 1, 0), 0

    if shown[max(column - 1, 0) : column] == "*":  # libyaml points behind the star
        column -= 1

    def mistake(found: str, accepted: str) -> Mistake:
        return Mistake(file, at + 1, "file", found, accepted, "", column + 1)

    if "\t" in shown[max(column - 1, 0) : column + 1]:
        return mistake("a tab", "spaces before and between")
    if shown[column : column + 1] == "*" or "alias" in str(error.context):
        return mistake(repr(shown.strip()[:60]), 'words with * in quotes: "*.battery"')
    found = repr(shown.strip()[:60]) if shown.strip() else "the end of the file"
    accepted = "YAML: name: value, lists as [a, b]"
    begun = error.context_mark
    if begun is not None and any(word in str(error.context) for word in ("flow", "quoted")):
        accepted += f"; brackets and quotes of line {begun.line + 1} closed"
    elif "block" in str(error.context):
        accepted += "; what belongs together begins in the same column"
    return mistake(f"{found} ({error.problem})", accepted)


def _bad_character(text: str, file: str) -> Mistake | None:
    """The first character that YAML (5.1) doesn't allow in a file, if there is one."""
    match = _NOT_PRINTABLE.search(text)
    if match is None:
        return None
    line = text.count("\n", 0, match.start()) + 1
    column = match.start() - text.rfind("\n", 0, match.start())
    found = f"the character U+{ord(match[0]):04X}"
    return Mistake(file, line, "file", found, "printable text", "", column)
