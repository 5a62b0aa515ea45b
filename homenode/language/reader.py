"""Reads a rule file: text in, a checked `RuleFile` and all mistakes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from homenode.config.model import PARTIES
from homenode.config.notes import Notes, another_file, listed, nearest
from homenode.config.rows import LANGUAGES
from homenode.config.yaml12 import Listing, Node, Scalar, Table, compose, is_nothing
from homenode.errors import FileMistakes, Mistake
from homenode.kinds import KINDS
from homenode.language.grammar import KEYWORDS, SyntaxMistake, parse
from homenode.language.meaning import Meaning
from homenode.language.places import Placed
from homenode.language.rule_file import CAMERA, Condition, Role, RuleFile, Setting
from homenode.language.steps import read_steps
from homenode.language.syntax import Constant, Parameter
from homenode.language.values import (
    SORTS,
    Span,
    Value,
    alike,
    meant,
    out_of_range,
    parse_value,
    wanted,
)

KEYS = (
    "rule", "version", "severity", "to", "roles", "parameters", "when", "clear", "steps", "says",
    "bridge", "grace", "again", "hold",
)  # fmt: skip
SEVERITIES = ("info", "warning", "alarm")
HEARING = tuple(party for party in PARTIES if party != "operator")
"""Who may hear of an alert. Who keeps the nodes running hears of faults only."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RULE_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def read_rule(text: str, file: str) -> RuleFile:
    """The rule that `text` describes.

    Args:
        text: The whole file.
        file: How mistakes name it.

    Raises:
        FileMistakes: Everything that is wrong with it.
    """
    rule, mistakes = try_rule(text, file)
    if mistakes or rule is None:
        raise FileMistakes(mistakes)
    return rule


def try_rule(text: str, file: str) -> tuple[RuleFile | None, list[Mistake]]:
    """The rule, None if it has a mistake; and all mistakes, by line."""
    notes = Notes(file)
    try:
        root = compose(text, file, notes.mistakes)
    except FileMistakes as wrong:
        return None, list(wrong.mistakes)
    other = another_file(root.entries, "rule") if isinstance(root, Table) else None
    if not isinstance(root, Table) or other:
        notes.wrong(root, "file", "a mapping with rule:, when:, …", found=other)
        return None, notes.mistakes
    rule = RuleReader(text, root, notes).read()
    mistakes = sorted(notes.mistakes, key=lambda mistake: (mistake.line, mistake.column))
    return (None if mistakes else rule), mistakes


class RuleReader:
    """One rule file being read. Every ``_…`` method reads one key and notes what is wrong with it.

    Attributes:
        notes: What is wrong so far.
        settings: The parameters.
        roles: The roles.
    """

    def __init__(self, source: str, root: Table, notes: Notes) -> None:
        self._source, self._root, self.notes = source, root, notes
        self.settings: dict[str, Setting] = {}
        self._unread: set[str] = set()
        """Parameters that have a mistake, which is told once and not wherever they are used."""
        self.roles: dict[str, Role] = {}

    def read(self) -> RuleFile:
        """The whole file."""
        root = self._root
        for name, (key, _) in root.entries.items():
            if name not in KEYS:
                missing = [k for k in KEYS if k not in root.entries]
                self.notes.wrong(
                    key, name, listed(KEYS, 20), found="an unknown key", suggestion=nearest(name, missing)
                )
        name = self._name()
        self.settings = self._settings()
        self.roles = self._roles()
        to = self.parties(root.get("to"), "to") if root.get("to") is not None else ("care",)
        when, clear = self._condition("when"), self._condition("clear")
        if root.get("when") is None:
            self.notes.wrong(root, "when", "a condition, such as door for $open", found="nothing")
        hold = root.get("hold")
        if hold is not None and not (isinstance(hold, Scalar) and hold.value == "acknowledged"):
            self.notes.wrong(hold, "hold", "acknowledged")
        again = self.span("again")
        if again is not None and self.default_of(again) == Span(0):
            self.notes.wrong(root.entries["again"][1], "again", "longer than 0 s")
        return RuleFile(
            file=self.notes.file,
            rule=name,
            version=self._version(),
            severity=self._severity(),
            to=to,
            roles=self.roles,
            parameters=self.settings,
            when=when or Condition(parse("mode == home"), "", Placed("", Scalar("", "", 1, 1))),
            clear=clear,
            steps=read_steps(root.get("steps"), self),
            says=self.texts(root.get("says"), "says"),
            bridge=self.span("bridge"),
            grace=self.span("grace"),
            again=again,
            hold=hold is not None,
            places=_places(root),
        )

    # -- single keys

    def _name(self) -> str:
        node = self._root.get("rule")
        if node is None:
            self.notes.wrong(self._root, "rule", "the rule's name", found="nothing")
            return ""
        if isinstance(node, Scalar) and _RULE_NAME.fullmatch(node.text):
            return node.text
        self.notes.wrong(node, "rule", "a name of a-z, 0-9, _ and -")
        return ""

    def _version(self) -> int:
        node = self._root.get("version")
        if node is None:
            return 1
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        self.notes.wrong(node, "version", "a whole number from 1")
        return 1

    def _severity(self) -> str:
        """An alarm unless the file says less."""
        node = self._root.get("severity")
        if node is None:
            return "alarm"
        if isinstance(node, Scalar) and node.text in SEVERITIES:
            return node.text
        near = nearest(node.text, SEVERITIES) if isinstance(node, Scalar) else ""
        self.notes.wrong(node, "severity", listed(SEVERITIES), suggestion=near)
        return "alarm"

    def parties(self, node: Node | None, field: str) -> tuple[str, ...]:
        """One party or a list of them."""
        if node is None or is_nothing(node):
            if node is not None:
                self.notes.wrong(node, field, f"a list of {listed(HEARING)}, or []")
            return ()
        found: list[str] = []
        for item in node.items if isinstance(node, Listing) else (node,):
            if isinstance(item, Scalar) and item.text == "operator":
                who = "operator, who hears of faults and of no alert"
                self.notes.wrong(item, field, listed(HEARING), found=who)
            elif isinstance(item, Scalar) and item.text in HEARING:
                if item.text not in found:
                    found.append(item.text)
            else:
                near = nearest(item.text, HEARING) if isinstance(item, Scalar) else ""
                self.notes.wrong(item, field, listed(HEARING), suggestion=near)
        return tuple(found)

    def texts(self, node: Node | None, field: str) -> dict[str, str]:
        """A text by language; names in braces are parameters."""
        if node is None:
            return {}
        if not isinstance(node, Table) or not node.entries:
            self.notes.wrong(node, field, '{sv: "…", en: "…"}')
            return {}
        found = {}
        for language, (key, text) in node.entries.items():
            if language not in LANGUAGES:
                accepted = f"{listed(LANGUAGES)}; a text with a comma or colon in straight quotes"
                near = nearest(language, [one for one in LANGUAGES if one not in node.entries])
                self.notes.wrong(
                    key, f"{field}.{language}", accepted, found="an unknown language", suggestion=near
                )
                continue
            if not isinstance(text, Scalar) or is_nothing(text) or not text.text:
                self.notes.wrong(text, f"{field}.{language}", "a text")
                continue
            for name in _PLACEHOLDER.findall(text.text):
                if name not in self.settings and name not in self._unread:
                    near = nearest(name, self.settings)
                    self.notes.wrong(
                        text,
                        f"{field}.{language}",
                        listed(f"{{{setting}}}" for setting in self.settings),
                        found=f"{{{name}}}, which is no parameter",
                        suggestion=f"{{{near}}}" if near else "",
                    )
            found[language] = text.text
        return found

    # -- constants

    def span(self, key: str) -> Constant | None:
        """The duration after a key of the file."""
        node = self._root.get(key)
        return None if node is None else self.constant(node, key, Span)

    def constant(self, node: Node, field: str, sort: type[Value]) -> Constant | None:
        """A value of a sort, or a parameter that has one."""
        text = node.text.strip() if isinstance(node, Scalar) else ""
        if text.startswith("$"):
            name = text[1:]
            if name in self._unread:
                return None
            if name not in self.settings:
                near = nearest(name, self.settings)
                known = listed(f"${setting}" for setting in self.settings)
                self.notes.wrong(node, field, known, suggestion=f"${near}" if near else "")
                return None
            value = self.settings[name].default
            constant = Constant(Parameter(name), 0)
        else:
            try:
                value = parse_value(text)
            except ValueError as error:
                self.notes.wrong(node, field, wanted(error, sort), suggestion=meant(text))
                return None
            constant = Constant(value, 0)
        if not isinstance(value, sort):
            self.notes.wrong(node, field, f"{SORTS[sort]} or $PARAMETER")
            return None
        return constant

    def default_of(self, constant: Constant) -> Value:
        """Its value with the file's defaults."""
        if isinstance(constant.value, Parameter):
            return self.settings[constant.value.name].default
        return constant.value

    # -- tables

    def _entries(self, key: str, shown: str) -> dict[str, tuple[Scalar, Node]]:
        node = self._root.get(key)
        if node is None or is_nothing(node):
            return {}
        if isinstance(node, Table):
            return node.entries
        self.notes.wrong(node, key, shown)
        return {}

    def _settings(self) -> dict[str, Setting]:
        settings = {}
        for name, (key, node) in self._entries("parameters", "{NAME: {default: …}}").items():
            where = f"parameters.{name}"
            if not _NAME.fullmatch(name):
                self.notes.wrong(key, where, "a name of a-z, A-Z, 0-9 and _")
                continue
            setting = self._setting(name, node, where)
            if setting is not None:
                settings[name] = setting
            else:
                self._unread.add(name)
        return settings

    def _setting(self, name: str, node: Node, where: str) -> Setting | None:
        shown = "{default: 20 min, min: 1 min, max: 2 h}"
        fields = self.fields(node, where, shown, ("default", "min", "max"))
        values: dict[str, tuple[Value, str]] = {}
        for field, inner in fields.items():
            try:
                if not isinstance(inner, Scalar) or is_nothing(inner):
                    raise ValueError("a value such as 20 min, 50 W, 22:00 or 3")
                values[field] = parse_value(inner.text), inner.text
            except ValueError as error:
                likely = meant(inner.text) if isinstance(inner, Scalar) else ""
                self.notes.wrong(inner, f"{where}.{field}", str(error), suggestion=likely)
        if "default" not in values:
            if "default" not in fields and isinstance(node, Table):
                self.notes.wrong(node, f"{where}.default", shown, found="nothing")
            return None
        default, text = values["default"]
        low, high = values.get("min", (None, "")), values.get("max", (None, ""))
        for field, (bound, _) in (("min", low), ("max", high)):
            if bound is not None and not alike(bound, default):
                self.notes.wrong(fields[field], f"{where}.{field}", f"{SORTS[type(default)]}, as the default")
                return Setting(name, default, text)
        if low[0] is not None and high[0] is not None and out_of_range(low[0], None, high[0], "", high[1]):
            self.notes.wrong(fields["min"], f"{where}.min", f"at most {high[1]}, the max")
        elif why := out_of_range(default, low[0], high[0], low[1], high[1]):
            self.notes.wrong(fields["default"], f"{where}.default", why)
        return Setting(name, default, text, low[0], high[0], low[1], high[1])

    def fields(self, node: Node, where: str, shown: str, known: tuple[str, ...]) -> Mapping[str, Node]:
        """The entries of a mapping that are known; others are mistakes."""
        if not isinstance(node, Table):
            self.notes.wrong(node, where, shown)
            return {}
        found = {}
        for name, (key, value) in node.entries.items():
            if name in known:
                found[name] = value
            else:
                missing = [k for k in known if k not in node.entries]
                cut = is_nothing(value) and name[:1].isdigit()
                self.notes.wrong(
                    key,
                    f"{where}.{name}",
                    "a decimal point in place of the comma before it" if cut else listed(known),
                    found="an unknown key",
                    suggestion=nearest(name, missing),
                )
        return found

    def _roles(self) -> dict[str, Role]:
        roles = {}
        for name, (key, node) in self._entries("roles", "{NAME: {kind: KIND}}").items():
            where = f"roles.{name}"
            if name in KEYWORDS or not _NAME.fullmatch(name):
                self.notes.wrong(key, where, "a name of a-z, A-Z, 0-9 and _ that is no word of the language")
                continue
            fields = self.fields(node, where, "{kind: KIND}", ("kind", "many", "optional"))
            kinds = self._kinds(fields.get("kind"), where, node)
            flags: dict[str, Any] = {}
            for flag in ("many", "optional"):
                inner = fields.get(flag)
                if inner is not None:
                    if isinstance(inner, Scalar) and isinstance(inner.value, bool):
                        flags[flag] = inner.value
                    else:
                        self.notes.wrong(inner, f"{where}.{flag}", "true or false")
            roles[name] = Role(name, kinds, **flags)
        return roles

    def _kinds(self, node: Node | None, where: str, role: Node) -> tuple[str, ...]:
        known = [*KINDS, CAMERA]
        if node is None:
            if isinstance(role, Table):
                self.notes.wrong(role, f"{where}.kind", listed(known, 40), found="nothing")
            return ()
        kinds: list[str] = []
        items = node.items if isinstance(node, Listing) else (node,)
        if not items:
            self.notes.wrong(node, f"{where}.kind", "at least one kind")
        for item in items:
            if isinstance(item, Scalar) and item.text in known:
                kinds.append(item.text)
            else:
                near = nearest(item.text, known) if isinstance(item, Scalar) else ""
                self.notes.wrong(item, f"{where}.kind", listed(known, 40), suggestion=near)
        if CAMERA in kinds and len(kinds) > 1:
            assert node is not None
            self.notes.wrong(node, f"{where}.kind", "camera alone, or kinds of points")
        return tuple(kinds)

    # -- conditions

    def _condition(self, key: str) -> Condition | None:
        node = self._root.get(key)
        if node is None:
            return None
        if not isinstance(node, Scalar) or is_nothing(node):
            self.notes.wrong(node, key, "a condition, such as door for $open")
            return None
        places = Placed(self._source, node)

        def tell(at: int, found: str, accepted: str, suggestion: str) -> None:
            line, column = places.at(at)
            place = Scalar(None, "", line, column)
            self.notes.wrong(place, key, accepted, found=found, suggestion=suggestion)

        try:
            expr = parse(node.text)
        except SyntaxMistake as wrong:
            tell(wrong.at, wrong.found, wrong.accepted, wrong.suggestion)
            return None
        Meaning(self.roles, self.settings, tell, self._unread).check(expr)
        return Condition(expr, node.text, places)


def _places(root: Table) -> dict[str, tuple[int, int]]:
    """Where the keys of a rule file stand, and the entries of its tables."""
    places = {}
    for name, (key, node) in root.entries.items():
        places[name] = key.line, key.column
        if isinstance(node, Table):
            places.update(
                {f"{name}.{k}": (inner.line, inner.column) for k, (inner, _) in node.entries.items()}
            )
        elif isinstance(node, Listing):
            places.update({f"{name}.{n}": (item.line, item.column) for n, item in enumerate(node.items, 1)})
    return places
