"""home.yaml and its rule files, as sections 2 to 4 of the design describe them; taken to be right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

ROOT = Path(__file__).parents[2]
MS = {"s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST = {"away": "7 d", "hospital": "90 d", "visit": "12 h", "night": "14 h", "service": "2 h"}
HOURLY = ("power", "energy", "current", "voltage", "switch", "light", "siren")
TRUE_WORDS = ("true", "on", "open", "locked")
FALSE_WORDS = ("false", "off", "closed", "unlocked")
ORDER = ("<", "<=", ">", ">=", "==", "!=")
WORD = re.compile(r"\s*(\d\d:\d\d|-?\d+(?:\.\d+)?|\$?[^\W\d][\w-]*|[<>=!]=|[<>(),]|°C|%|[^\s\w])")


@dataclass(frozen=True)
class Expr:
    """A node of a condition. `test` is a comparison, changes, stale, unknown or nothing (is it true?)."""

    op: str
    parts: tuple[Expr, ...] = ()
    points: tuple[str, ...] = ()
    test: str = ""
    value: Any = None
    ms: int = 0


@dataclass(frozen=True)
class Step:
    number: int
    do: str
    after: int | None
    """None: at the resolve."""
    every: int = 0
    times: int = 1
    to: str = ""


@dataclass(frozen=True)
class Use:
    """A rule as a home uses it: parameters and roles are filled in."""

    name: str
    when: Expr
    clear: Expr
    bridge: int
    grace: int
    again: int | None
    hold: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Home:
    zone: ZoneInfo
    devices: Mapping[str, Mapping[str, str]]
    limits: Mapping[str, int | None]
    """Of a device's own row or field, in ms; None is never; absent: by kind."""
    uses: tuple[Use, ...]
    longest: Mapping[str, int]
    night: tuple[int, int] | None

    def knows(self, point: str) -> bool:
        device, _, kind = point.partition(".")
        fields = self.devices.get(device)
        return fields is not None and fields.get("kind", kind) == kind

    def stale_after(self, point: str) -> int | None:
        device = point.partition(".")[0]
        return (
            self.limits[device] if device in self.limits else MS["h"] * (1 if kind_of(point) in HOURLY else 4)
        )


def kind_of(point: str) -> str:
    """A second one on a device is KIND_2."""
    return re.sub(r"_\d+$", "", point.partition(".")[2])


def load(path: Path) -> Any:
    """Every scalar as its text: what it means is decided where it stands, so `off` stays a word."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CBaseLoader)


def duration(text: str) -> int:
    return int(
        sum(Decimal(number) * MS[unit] for number, unit in re.findall(r"([\d.]+)\s*(min|s|h|d)", text))
    )


def time_of_day(text: str) -> int:
    return int(text[:2]) * MS["h"] + int(text[3:]) * MS["min"]


def read_home(path: Path) -> Home:
    data = load(path)
    rows = {model: row for row in load(ROOT / "drivers/zigbee/rows.yaml") for model in row["models"]}
    limits: dict[str, int | None] = {}
    for name, device in data["devices"].items():
        said = device.get("stale_after") or rows.get(device.get("model"), {}).get("stale_after")
        if said or device.get("driver") == "gpio":
            limits[name] = None if said in (None, "never") else duration(said)
    modes = {name: fields or {} for name, fields in (data.get("modes") or {}).items()}
    longest = LONGEST | {name: fields["longest"] for name, fields in modes.items() if "longest" in fields}
    night = modes.get("night") or {}
    return Home(
        ZoneInfo(data["timezone"]),
        data["devices"],
        limits,
        tuple(_use(entry, path.parent) for entry in data.get("rules") or ()),
        {name: duration(text) for name, text in longest.items()},
        (time_of_day(night["from"]), time_of_day(night["to"])) if "from" in night else None,
    )


def _use(entry: Mapping[str, Any], folder: Path) -> Use:
    own = folder / "rules" / f"{entry['use']}.yaml"
    rule = load(own if own.exists() else ROOT / "rules" / own.name)
    given = {name: fields["default"] for name, fields in (rule.get("parameters") or {}).items()}
    given |= entry.get("set") or {}
    bound = {role: [to] if isinstance(to, str) else to for role, to in (entry.get("bind") or {}).items()}

    def filled(text: str) -> str:
        return str(given[text[1:]]) if text.startswith("$") else text

    when = Parser(rule["when"], given, bound).whole()
    steps = []
    for number, step in enumerate(rule.get("steps") or (), 1):
        if "role" in step and step["role"] not in bound:
            continue  # a step that is left out keeps its number
        after = duration(filled(step["after"])) if "after" in step else None
        every, times = duration(filled(step.get("every", "0 s"))), int(filled(step.get("times", "1")))
        to = step["to"] if step["do"] == "mode" else ""
        steps.append(Step(number, step["do"], after, every, times, to))
    return Use(
        name=entry.get("as", rule["rule"]),
        when=when,
        clear=Parser(rule["clear"], given, bound).whole() if "clear" in rule else Expr("not", (when,)),
        bridge=duration(filled(rule.get("bridge", "15 min"))),
        grace=duration(filled(rule.get("grace", "10 min"))),
        again=duration(filled(rule["again"])) if "again" in rule else None,
        hold=rule.get("hold") == "acknowledged",
        steps=tuple(steps),
    )


class Parser:
    """The grammar of section 4, a method for each of its lines."""

    def __init__(self, text: str, given: Mapping[str, str], bound: Mapping[str, Sequence[str]]) -> None:
        self._words, self._given, self._bound = [*WORD.findall(text), ""], given, bound

    def whole(self) -> Expr:
        expr = self._or()
        assert self._words == [""], f"not understood: {self._words}"
        return expr

    def _take(self, *expected: str) -> str:
        """The next word, if it is expected or anything is; else an empty one, and nothing is taken."""
        return self._words.pop(0) if not expected or self._words[0] in expected else ""

    def _or(self) -> Expr:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return Expr("or", tuple(parts)) if len(parts) > 1 else parts[0]

    def _and(self) -> Expr:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return Expr("and", tuple(parts)) if len(parts) > 1 else parts[0]

    def _not(self) -> Expr:
        return Expr("not", (self._not(),)) if self._take("not") else self._timed()

    def _timed(self) -> Expr:
        expr = self._atom()
        while op := self._take("for", "within", "since"):
            expr = Expr(op, (expr, self._atom())) if op == "since" else Expr(op, (expr,), ms=self._duration())
        return expr

    def _atom(self) -> Expr:
        word = self._take()
        if word == "(":
            expr = self._or()
            self._take(")")
            return expr
        if word == "between":
            begin = self._value()
            self._take("and")
            return Expr("between", value=(time_of_day(begin), time_of_day(self._value())))
        if word == "mode":
            self._take("==")
            return Expr("mode", value=self._take())
        op = "all"
        if asked := word in ("any", "all", "count"):
            op = "all" if word == "count" else word
            self._take("(")
            role = self._take()
            if word == "count":
                self._take(",")
                ms = self._duration()
                self._take(")")
                test = self._take(*ORDER)
                return Expr(
                    "count", points=tuple(self._bound[role]), test=test, value=int(self._value()), ms=ms
                )
        else:
            role = word
        test, value = self._take(*ORDER, "changes", "is"), None
        if test == "is":
            test = self._take()
        elif test in ORDER:
            value = self._operand()
        if asked:
            self._take(")")
        return Expr(op, points=tuple(self._bound[role]), test=test, value=value)

    def _value(self) -> str:
        word = self._take()
        return str(self._given[word[1:]]) if word.startswith("$") else word

    def _operand(self) -> bool | float:
        text = self._value().split()[0]
        if text in TRUE_WORDS or text in FALSE_WORDS:
            return text in TRUE_WORDS
        self._take("%", "W", "kWh", "A", "V", "°C", "lx", "m³")
        found = re.match(r"-?[\d.]+", text)
        assert found, f"not a number: {text}"
        return float(found[0])

    def _duration(self) -> int:
        if self._words[0].startswith("$"):
            return duration(self._value())
        text = ""
        while self._words[0][:1].isdigit():
            text += self._take() + self._take()
        return duration(text)
