"""The walk test: what has to be seen of each sensor and of each alert, and what was (pure).

Untested is never shown as good: a row is green only when all that is wanted of it was seen in this walk.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from homenode.config.model import Home
from homenode.install.known import BESIDE, main_kind
from homenode.kinds import Shape, kind_of
from homenode.language.bound import And, BoundRule, Changes, Compare, Expr, Not, Or, parts_of
from homenode.reading import Value

BOTH = frozenset({"contact", "lock"})
"""Kinds that are to be seen in both states: a magnet that never lets go would else pass."""
OUTPUTS = frozenset({"switch", "light", "siren", "valve"})
ALARMS = ("smoke", "co", "gas", "heat", "water", "button")
"""Kinds of devices that hang there to call somebody: tripped and green, they call nobody without a rule."""
ON_W, ON_A = 10.0, 0.2
"""From here on an appliance is on: the least that a home may set as `hot` in rules/stove_left_on.yaml and
rules/cooker_left_on.yaml."""
AT_HAND = "at the node"
"""Who acknowledges with `homenode ack`: no receiver."""


@dataclass(slots=True)
class Check:
    """What is wanted of one point.

    Attributes:
        wants: What has to be seen: ``true``, ``false`` (open, closed …), ``on`` (a number), ``value`` (any
            number), ``press``, or ``works`` (an output that a person saw or heard).
        seen: Of these, when; text of the node's clock.
        failed: A person tried the output, and it did nothing.
        last: As it was last heard.
    """

    wants: tuple[str, ...]
    seen: dict[str, str] = field(default_factory=dict)
    failed: str = ""
    last: Value = None

    @property
    def passed(self) -> bool:
        """All of it was seen."""
        return not self.failed and all(want in self.seen for want in self.wants)


@dataclass(slots=True)
class Row:
    """One device.

    Attributes:
        checks: By kind.
        rules: Those that count on it.
        remark: What the installer wrote of it.
        trouble: What the node says is wrong with it; it doesn't pass with that.
    """

    device: str
    room: str
    kinds: tuple[str, ...]
    checks: dict[str, Check]
    rules: tuple[str, ...] = ()
    remark: str = ""
    trouble: str = ""

    @property
    def passed(self) -> bool:
        """Everything wanted of it was seen."""
        return bool(self.checks) and not self.trouble and all(check.passed for check in self.checks.values())

    @property
    def at(self) -> str:
        """When the last of it was seen; "" before."""
        return max((at for check in self.checks.values() for at in check.seen.values()), default="")


@dataclass(slots=True)
class Told:
    """What a party heard of one alert of a rule in this walk: when it went out, arrived, was answered."""

    alert: str = ""
    sent: str = ""
    test: bool = False
    with_broker: str = ""
    acknowledged: str = ""
    by: str = ""

    @property
    def passed(self) -> bool:
        """It went out marked as a test, arrived, and the receiver acknowledged."""
        return bool(self.test and self.with_broker and self.acknowledged)


@dataclass(slots=True)
class Line:
    """One rule.

    Attributes:
        at_once: It tells somebody as soon as its sensor is tripped; others take their time.
        parties: Who is to hear of it.
        raised: When it was, in this walk.
    """

    rule: str
    severity: str
    at_once: bool
    points: tuple[str, ...]
    parties: dict[str, Told]
    raised: str = ""

    @property
    def passed(self) -> bool:
        """Everybody it is for acknowledged its test."""
        return bool(self.parties) and all(told.passed for told in self.parties.values())


@dataclass(slots=True)
class Walk:
    """One walk test, from its begin to its report.

    Attributes:
        begun: When.
        active: The home is in service mode for it, as far as we know.
    """

    home: str
    begun: str
    rows: dict[str, Row]
    lines: dict[str, Line]
    active: bool = False
    messages: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Id of a message on its way to its alert and party."""
    alerts: dict[str, str] = field(default_factory=dict)
    """Id of an alert of this walk to its rule."""

    def set_up(self, home: Home, rules: Sequence[BoundRule], kinds: Mapping[str, Sequence[str]]) -> None:
        """home.yaml or a device changed: what is wanted now. What was seen of it before stays seen.

        Args:
            kinds: Device to the points it has, as far as anybody knows.
        """
        rows, lines = self.rows, self.lines
        self.rows, self.lines = {}, {}
        for name, device in home.devices.items():
            old = rows.get(name)  # a radio that has just started doesn't know its devices yet
            known = device.kinds or kinds.get(name, ()) or (old.kinds if old is not None else ())
            row = _row(name, device.room, tuple(known), rules)
            if old is not None:
                row.remark, row.trouble = old.remark, old.trouble
                for kind, check in row.checks.items():
                    if kind in old.checks and old.checks[kind].wants == check.wants:
                        row.checks[kind] = old.checks[kind]
            self.rows[name] = row
        for rule in rules:
            parties = {party: Told() for party in _parties(rule)}
            line = Line(rule.name, rule.severity, is_at_once(rule), rule.points, parties)
            before = lines.get(rule.name)
            if before is not None and set(before.parties) == set(parties):
                line.parties, line.raised = before.parties, before.raised
            self.lines[rule.name] = line

    def heard(self, point: str, value: Value, at: str) -> bool:
        """A reading. True if it is one more thing that was wanted."""
        device, _, kind = point.rpartition(".")
        row = self.rows.get(device)
        check = row.checks.get(kind) if row else None
        if check is None:
            return False
        before, check.last = check.last, value
        if not self.active or value is None:
            return False
        what = _seen(kind, value)
        if what not in check.wants or (what in check.seen):
            return False
        if kind_of(kind) is not None and "false" in check.wants and before == value:
            return False  # a door that says again that it is closed has not been closed
        check.seen[what] = at
        return True

    def knew(self, point: str, value: Value) -> None:
        """How a point stood before the walk."""
        device, _, kind = point.rpartition(".")
        row = self.rows.get(device)
        if row is not None and kind in row.checks and row.checks[kind].last is None:
            row.checks[kind].last = value

    def tried(self, point: str, works: bool, at: str) -> None:
        """A person tried an output, and saw or heard it or not."""
        device, _, kind = point.rpartition(".")
        check = self.rows[device].checks[kind]
        check.failed = "" if works else at
        if works:
            check.seen["works"] = at

    # -- alerts

    def raised(self, rule: str, alert: str, at: str) -> None:
        """A rule raised an alert, in service mode."""
        line = self.lines.get(rule)
        if line is not None and self.active:
            self.alerts[alert] = rule
            line.raised = line.raised or at

    def sent(self, alert: str, party: str, message: str, test: bool, at: str) -> None:
        """A message about it was handed to the link."""
        line = self._line(alert)
        told = line.parties.get(party) if line else None
        if line is None or told is None or told.passed or told.alert == alert:
            return  # of one alert its first message counts; of several, the last until one was answered
        line.parties[party] = Told(alert, sent=at, test=test)
        self.messages[message] = alert, party

    def arrived(self, message: str, at: str) -> None:
        """The broker has it."""
        alert, party = self.messages.pop(message, ("", ""))
        told = self._told(alert, party)
        if told is not None:
            told.with_broker = at

    def acknowledged(self, alert: str, parties: Iterable[str], by: str, at: str) -> None:
        """Somebody has it; who stands at the node himself is no receiver."""
        for party in parties:
            told = self._told(alert, party)
            if told is not None and by != AT_HAND and not told.acknowledged:
                told.acknowledged, told.by = at, by

    def _told(self, alert: str, party: str) -> Told | None:
        line = self._line(alert)
        told = line.parties.get(party) if line else None
        return told if told is not None and told.alert == alert else None

    def _line(self, alert: str) -> Line | None:
        return self.lines.get(self.alerts.get(alert, ""))

    # -- result

    def lacks(self) -> list[tuple[str, str]]:
        """What is not good yet: (what sort, which); nothing if the flat can be handed over."""
        found = [("device", name) for name, row in self.rows.items() if not row.passed]
        found += [("rule", name) for name, line in self.lines.items() if line.at_once and not line.passed]
        read = {point for line in self.lines.values() for point in line.points}
        idle = [point for name, row in self.rows.items() for point in unused(name, row.kinds, read)]
        found += [("unused", point) for point in idle]
        parties = {party for line in self.lines.values() for party in line.parties}
        reached = {p for line in self.lines.values() for p, told in line.parties.items() if told.passed}
        found += [("party", party) for party in sorted(parties - reached)]
        if not parties:
            found.append(("nobody", ""))
        return found

    def dump(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def unused(name: str, kinds: Iterable[str], read: Container[str]) -> list[str]:
    """What of a device is there to call somebody and no rule reads; of several buttons one is enough."""
    alike: dict[str, list[str]] = {}
    for kind in kinds:
        if (known := kind_of(kind)) and known.name in ALARMS:
            alike.setdefault(known.name, []).append(f"{name}.{kind}")
    return [points[0] for points in alike.values() if not any(point in read for point in points)]


def restored(state: Mapping[str, Any]) -> Walk:
    """What `Walk.dump` gave. Raises KeyError, TypeError."""
    rows = {
        name: Row(
            **{
                **row,
                "kinds": tuple(row["kinds"]),
                "rules": tuple(row["rules"]),
                "checks": {k: Check(**{**c, "wants": tuple(c["wants"])}) for k, c in row["checks"].items()},
            }
        )
        for name, row in state["rows"].items()
    }
    lines = {
        name: Line(
            **{
                **line,
                "points": tuple(line["points"]),
                "parties": {party: Told(**told) for party, told in line["parties"].items()},
            }
        )
        for name, line in state["lines"].items()
    }
    messages = {message: (alert, party) for message, (alert, party) in state["messages"].items()}
    return Walk(**{**state, "rows": rows, "lines": lines, "messages": messages})


def _row(name: str, room: str, kinds: tuple[str, ...], rules: Sequence[BoundRule]) -> Row:
    """What is wanted of a device: what rules count on, and what it is there for."""
    read = {point for rule in rules for point in rule.points}
    switched = {step.point for rule in rules for step in rule.steps if step.point}
    checks: dict[str, Check] = {}
    main = main_kind(kind for kind in kinds if kind not in BESIDE)
    if "power" in kinds and main in ("switch", ""):
        main = "power"
    for kind in kinds:
        point, word = f"{name}.{kind}", (known := kind_of(kind)) and known.name
        if word in OUTPUTS:
            if point in switched or (kind == main and point not in read):
                checks[kind] = Check(("works",))
            elif point in read:
                checks[kind] = Check(("true", "false"))
        elif (point in read and word not in BESIDE - {"tamper"}) or kind == main:
            checks[kind] = Check(_wants(kind))
    return Row(name, room, kinds, checks, tuple(r.name for r in rules if _counts_on(r, name)))


def _counts_on(rule: BoundRule, device: str) -> bool:
    points = (*rule.points, *(step.point for step in rule.steps))
    return any(point.rpartition(".")[0] == device for point in points)


def _wants(kind: str) -> tuple[str, ...]:
    known = kind_of(kind)
    if known is None:
        return ("value",)
    if known.shape is Shape.MOMENTARY:
        return ("press",)
    if known.shape is Shape.NUMBER:
        return ("on",) if known.name in ("power", "current") else ("value",)
    return ("true", "false") if known.name in BOTH else ("true",)


def _seen(kind: str, value: Value) -> str:
    """The word of `Check.wants` that this reading is."""
    known = kind_of(kind)
    if known is not None and known.shape is Shape.NUMBER:
        least = {"power": ON_W, "current": ON_A}.get(known.name)
        if least is None:
            return "value"
        return "on" if isinstance(value, int | float) and value >= least else ""
    if known is not None and known.shape is Shape.MOMENTARY:
        return "press" if value else ""
    return "true" if value else "false"


def _parties(rule: BoundRule) -> list[str]:
    """Who hears of a rule's alerts."""
    steps = [step for step in rule.steps if step.do == "notify"]
    return list(dict.fromkeys([party for step in steps for party in step.parties] if steps else rule.to))


AT_ONCE_MS = 10_000


def is_at_once(rule: BoundRule) -> bool:
    """Whether tripping one of its sensors tells somebody while the installer stands there."""
    notify = [step.after_ms for step in rule.steps if step.do == "notify" and step.after_ms is not None]
    return _is_prompt(rule.when) and min(notify, default=0) <= AT_ONCE_MS


def _is_prompt(expr: Expr) -> bool:
    if isinstance(expr, Compare | Changes):
        return True
    return isinstance(expr, And | Or | Not) and all(_is_prompt(part) for part in parts_of(expr))
