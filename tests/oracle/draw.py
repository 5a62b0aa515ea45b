"""Random homes, rules over all of the grammar, and short recordings that meet their durations exactly."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.case import Case
from tests.oracle.life import Line
from tests.oracle.reader import MS, ORDER, ROOT, duration, kind_of, load
from tests.oracle.trace import EPOCH, local

DAYS = (
    ("Europe/Stockholm", "2026-03-29T01:00"), ("Europe/Stockholm", "2026-10-25T01:00"),
    ("Europe/Stockholm", "2026-01-05T05:10"), ("Europe/Stockholm", "2026-06-30T21:59"),
    ("America/New_York", "2026-03-08T07:00"), ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"), ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("America/Santiago", "2026-04-05T03:00"), ("America/Santiago", "2026-09-06T04:00"),
    ("Pacific/Chatham", "2026-04-04T14:00"), ("Asia/Kathmandu", "2026-05-01T18:15"),
    ("UTC", "2026-12-31T23:59"),
)  # fmt: skip
"""Zones and instants (UTC) about which recordings begin: most are changes of the clock."""
UNITS = (1, 1, 7, 40, 1000, 60_000, 60_000, 17 * 60_000, MS["h"], 5 * MS["h"])
FLAGS = {
    "contact": ("open", "closed"), "valve": ("open", "closed"), "lock": ("locked", "unlocked"),
    "switch": ("on", "off"), "light": ("on", "off"), "siren": ("on", "off"),
}  # fmt: skip
BOOLEAN = (
    "contact",
    "contact",
    "motion",
    "motion",
    "occupancy",
    "smoke",
    "water",
    "mains",
    "vibration",
    *FLAGS,
)
NUMBERS = {
    "power": (50, "W"), "temperature": (-2.5, "°C"), "humidity": (40, "%"), "battery": (10, "%"),
    "illuminance": (10, "lx"), "current": (1.5, "A"), "energy": (2, "kWh"), "voltage": (230, "V"),
    "flow_volume": (1.25, "m³"), "link_quality": (30, ""),
}  # fmt: skip
OFTEN = {"point": 65, "ack": 11, "mode": 9, "node": 8, "nowhere": 2}
"""What happens, by weight; each case makes some of it rarer or more frequent."""
OUTPUTS = ("light", "switch", "valve", "siren")
MODELS = ("CentraLite/3405-L", "LUMI/lumi.magnet.acn001")


class Draw:
    """One case from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.pick = pick = self.random.choice
        self.unit = pick(UNITS)
        whole = [self.unit * pick((1, 1, 2, 3, 5)) for _ in range(5)]
        whole += [pick(UNITS)] if self.maybe(0.3) else []
        self.pool = [max(1, ms + pick((0, 0, 0, 0, 1, -1))) for ms in whole]
        self.zone, self.day = pick(DAYS)
        middle = (datetime.fromisoformat(self.day).replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
        self.middle = middle
        self.start = middle - self.unit * pick((0, 1, 3, 8)) + pick((0, 0, -1, 1))
        self.often = {what: much * pick((0.2, 1, 1, 4)) for what, much in OFTEN.items()}
        self.at_once = pick((0.1, 0.25, 0.25, 0.6))
        self.tiny = self.maybe(0.4)
        self.points: list[str] = []
        self.used: list[str] = []
        self.radio: list[str] = []
        self.parameters: dict[str, dict[str, str]] = {}

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def case(self) -> Case:
        home: dict[str, Any] = {"home": "drawn", "timezone": self.zone, "language": "en"}
        home["radios"] = {"zigbee": {"driver": "zigbee", "port": "/dev/null"}}
        home["devices"] = self._devices()
        home["cameras"] = {"lens": {"room": "hall", "source": "/dev/video0"}}
        home["modes"] = self._modes()
        rules, home["rules"] = {}, []
        for number in range(1 if self.tiny else self.pick((1, 2, 3))):
            name = f"r{number}"
            rules[name], roles = self._rule(name)
            home["rules"].append({"use": name, "bind": self._bind(roles)})
            if self.maybe(0.3):
                again = {"use": name, "as": f"{name}-again", "bind": self._bind(roles)}
                if some := [key for key in self.parameters if self.maybe(0.6)]:
                    was = {key: self.parameters[key]["default"] for key in some}
                    again["set"] = {
                        key: self._long(self._ms()) if duration(text) else text for key, text in was.items()
                    }
                home["rules"].append(again)
        if self.maybe(0.25):
            home["rules"].append(self._shipped())
        self.random.shuffle(home["rules"])
        self.names = [entry.get("as", entry["use"]) for entry in home["rules"]]
        self.told: list[tuple[int, Line]] = []
        self._recording()
        return Case(home, rules, self._lines())

    def more(self, case: Case, lines: list[Line]) -> Case:
        """The same with things that happen when something was told or happened, or 1 ms beside it."""
        stamps = [datetime.fromisoformat(line["at"]) for line in lines]
        instants = [(stamp - EPOCH) // timedelta(milliseconds=1) for stamp in stamps] * 2
        instants += [at for at, _ in self.told]
        for _ in range(self.random.randint(1, 3)):
            at = max(self.start, self.pick(instants) + self.pick((0, 0, 0, 0, 1, -1)))
            if self.maybe(0.3):
                self._insert(at, {"node": "down"})
                self._insert(at + self._ms() + self.pick((0, 0, 1, -1)), {"node": "up"})
            else:
                self._insert(at, {"ack": self.pick(self.names)} if self.maybe(0.5) else self._happening())
        return Case(case.home, case.rules, self._lines())

    def _insert(self, at: int, what: Line) -> None:
        """After what happens at this instant, unless the recording is over."""
        if "end" not in self.told[-1][1] or at <= self.told[-1][0]:
            where = sum(before <= at for before, line in self.told if "end" not in line)
            self.told.insert(where, (at, what))

    def _devices(self) -> dict[str, dict[str, str]]:
        devices = dict[str, dict[str, str]]()
        for number in range(2 if self.tiny else self.random.randint(2, 4)):
            fields: dict[str, str] = {"room": "hall"}
            if number and self.maybe(0.25):
                fields |= {
                    "driver": "gpio",
                    "pin": str(5 + number),
                    "kind": self.pick((*BOOLEAN[:7], "button")),
                }
                kinds = [fields["kind"]]
            else:
                fields |= {"via": "zigbee", "ieee": f"00:15:8d:00:02:aa:bb:{number:02d}"}
                some = [self.pick(BOOLEAN), self.pick(BOOLEAN), self.pick(("button", *NUMBERS)), "button"]
                self.radio.append(f"d{number}")
                kinds = self.random.sample(some, self.pick((1, 1, 2, 3)))
                kinds = [f"{kind}_2" if kind in kinds[:n] else kind for n, kind in enumerate(kinds)]
                if self.maybe(0.25):
                    fields["model"] = self.pick(MODELS)
            if self.maybe(0.5):
                limit = self._long(self._ms() * self.pick((1, 2, 3)))
                fields["stale_after"] = "never" if self.maybe(0.15) else limit
            devices[f"d{number}"] = fields
            self.points += [f"d{number}.{kind}" for kind in dict.fromkeys(kinds)]
        return devices

    def _modes(self) -> dict[str, dict[str, str]]:
        modes: dict[str, dict[str, str]] = {"party": {}}
        for name in ("away", "hospital", "visit", "service", "night", "guest"):
            if self.maybe(0.4):
                modes[name] = {"longest": self._long(self._ms() * 2)}
        if self.maybe(0.3 + 0.02 * self.often["mode"]):
            begin, end = self._two_times()
            modes["night"] = modes.get("night", {}) | {"from": begin, "to": end}
        return modes

    def _ms(self) -> int:
        return self.pick(self.pool)

    def _long(self, ms: int) -> str:
        """A duration in one of the ways to write it."""
        parts, left = [], ms
        for unit in self.pick((("d", "h", "min"), ("h",), ("min",), ())):
            if left >= MS[unit]:
                parts.append(f"{left // MS[unit]} {unit}")
                left %= MS[unit]
        if left or not parts:
            parts.append(f"{left / 1000:.3f}".rstrip("0").rstrip(".") + self.pick((" s", "s")))
        return " ".join(parts)

    def _time(self) -> str:
        away = self.pick((-9, -1, 0, 1, 1, 2, 3, 10)) * max(self.unit, 10 * MS["min"])
        stamp = local(self.middle + (0 if self.maybe(0.4) else away), ZoneInfo(self.zone))
        return stamp[11:16] if self.maybe(0.6) else f"{stamp[11:13]}:{self.pick(('00', '30'))}"

    def _two_times(self) -> tuple[str, str]:
        begin = end = self._time()
        while begin == end:
            end = self._time()
        return begin, end

    def _parameter(self, text: str) -> str:
        """As it is, or as a parameter."""
        if self.maybe(0.75):
            return text
        name = f"p{len(self.parameters)}"
        self.parameters[name] = {"default": text}
        return f"${name}"

    def _rule(self, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        self.parameters, roles = {}, dict[str, dict[str, Any]]()
        for number in range(1 if self.tiny else self.pick((1, 2, 2, 3))):
            point = self.pick(self.points)
            kinds = {kind_of(point)}
            if many := self.maybe(0.4):
                flags = kind_of(point) not in NUMBERS
                kinds |= {kind_of(other) for other in self.points if flags and kind_of(other) not in NUMBERS}
            role: dict[str, Any] = {"kind": sorted(kinds) if many else kinds.pop()}
            roles[f"a{number}"] = role | ({"many": "true"} if many else {})
        rule: dict[str, Any] = {"rule": name, "severity": self.pick(("info", "warning", "alarm"))}
        rule["to"] = self.pick((["care"], [], ["care", "property"]))
        rule["roles"], rule["parameters"] = roles, self.parameters
        self.roles, self.said = dict(roles), list[tuple[str, int]]()
        rule["when"] = self._expr(self.pick((0, 0, 1) if self.tiny else (0, 1, 1, 2, 2, 3, 3, 4)))[0]
        if self.maybe(0.65):
            often = f"(not ({rule['when']})) for {self._span()}"
            rule["clear"] = often if self.maybe(0.35) else self._expr(self.pick((0, 1, 2)))[0]
        for key, chance in (("bridge", 0.6), ("grace", 0.7), ("again", 0.5)):
            if self.maybe(chance):
                rule[key] = self._span() if key != "again" else self._parameter(self._long(self._ms()))
        if self.maybe(0.35):
            rule["hold"] = "acknowledged"
        for number, kind in enumerate(OUTPUTS):
            if self.maybe(0.2):
                roles[f"out{number}"] = {"kind": kind, "optional": "true"}
        if self.maybe(0.2):
            roles["view"] = {"kind": "camera", "optional": "true"}
        steps = [self._step(roles) for _ in range(self.random.randint(0, 4))]
        rule["steps"] = steps + [{"do": "offer_video", "role": "view", "after": "0 s"}] * ("view" in roles)
        return rule, roles

    def _shipped(self) -> dict[str, Any]:
        """A rule as it is shipped, on points that there are or that a device on the radio gets."""
        bound = dict[str, Any]()
        path = self.pick(sorted((ROOT / "rules").glob("*.yaml")))
        rule = load(path)
        for name, role in (rule.get("roles") or {}).items():
            if "optional" in role and self.maybe(0.5):
                continue
            kinds = _listed(role["kind"])
            fit = [point for point in self.points if kind_of(point) in kinds]
            if not fit:
                self.points += (fit := [f"{self.pick(self.radio)}.{self.pick(kinds)}"])
            bound[name] = fit[:3] if "many" in role else self.pick(fit)
        use: dict[str, Any] = {"use": path.stem, "bind": bound, "set": {}}
        for name, parameter in (rule.get("parameters") or {}).items():
            if "min" in parameter and self.maybe(0.5) and duration(parameter["min"]):
                use["set"][name] = parameter["min"]
            if length := duration(use["set"].get(name, parameter["default"])):
                self.pool.append(length)
        return use

    def _step(self, roles: dict[str, dict[str, Any]]) -> dict[str, Any]:
        outputs = [role for role in roles if role.startswith("out")]
        do = self.pick(("say", "say", "notify", "notify", "notify", "mode", *outputs))
        step: dict[str, Any] = {"do": do}
        if do == "say":
            step["text"] = {"en": "It is on."}
        elif do == "mode":
            step["to"] = self.pick(("home", "away", "party", "visit", "night"))
        elif do == "notify":
            if self.maybe(0.3):
                step["to"] = self.pick((["care"], ["property"], []))
        else:
            kind = roles[do]["kind"]
            step |= {"do": kind, "role": do, "to": self.pick(FLAGS[kind])}
        if do != "notify" and self.maybe(0.25):
            return step | {"at": "resolve"}
        step["after"] = "0 s" if self.maybe(0.4) else self._parameter(self._long(self._ms()))
        if self.maybe(0.35):
            step["every"] = self._parameter(self._long(self._ms()))
            step["times"] = self._parameter(self.pick(("1", "2", "3", "5", "30")))
        return step

    def _bind(self, roles: dict[str, dict[str, Any]]) -> dict[str, Any]:
        bound: dict[str, Any] = {}
        for name, role in roles.items():
            kinds = _listed(role["kind"])
            fit = [point for point in self.points if kind_of(point) in kinds]
            if "optional" in role:  # a device on the radio may have any kind
                fit = ["lens"] if name == "view" else [f"{device}.{kinds[0]}" for device in self.radio]
                if not fit or self.maybe(0.3):
                    continue
            some = self.random.sample(fit, self.random.randint(1, min(3, len(fit))))
            self.used += [point for point in some if point in self.points]
            bound[name] = some if "many" in role else some[0]
        return bound

    def _expr(self, depth: int) -> tuple[str, int]:
        """A condition and how tightly it holds: 0 or, 1 and, 2 not, 3 since or for, 4 within, 5 an atom."""
        if self.maybe(0.15) and self.said:
            return self.pick(self.said)
        self.said.append((self._atom(), 5) if depth == 0 else self._joined(depth))
        return self.said[-1]

    def _joined(self, depth: int) -> tuple[str, int]:
        def inner(*levels: int) -> str:
            text, level = self._expr(max(0, depth - self.pick((1, 1, 2))))
            return text if level in levels and self.maybe(0.8) else f"({text})"

        match self.pick(("or", "and", "and", "not", "for", "for", "within", "within", "since")):
            case "or":
                return " or ".join(inner(1, 2, 3, 4, 5) for _ in range(self.pick((2, 2, 3)))), 0
            case "and":
                return " and ".join(inner(2, 3, 4, 5) for _ in range(self.pick((2, 2, 3)))), 1
            case "not":
                return f"not {inner(2, 4, 5)}", 2
            case "since":
                return f"{inner(3, 4, 5)} since {inner(5)}", 3
            case "for":
                return f"{inner(3, 4, 5)} for {self._span()}", 3
        text, level = self._expr(depth - 1)
        if level < 3:
            text, level = f"({text})", 5
        return f"{text} within {self._span()}", min(level, 4)

    def _span(self) -> str:
        return self._parameter(self._long(self._ms() * (not self.maybe(0.07))))

    def _atom(self) -> str:
        if self.maybe(0.06):
            begin, end = map(self._parameter, self._two_times())
            return f"between {begin} and {end}"
        if self.maybe(0.01 * self.often["mode"]):
            return f"mode == {self.pick(('home', 'away', 'visit', 'night', 'party', 'service'))}"
        name, role = self.pick(list(self.roles.items()))
        kinds = _listed(role["kind"])
        if "many" in role:
            return f"{self.pick(('any', 'any', 'all'))}({name}{self._test(kinds)})"
        if kinds[0] not in NUMBERS and self.maybe(0.25):
            number = self._parameter(self.pick(("0", "1", "1", "2", "3")))
            return f"count({name}, {self._span()}) {self.pick(ORDER)} {number}"
        return name + self._test(kinds)

    def _test(self, kinds: list[str]) -> str:
        if self.maybe(0.2):
            return self.pick((" is stale", " is unknown"))
        if kinds[0] in NUMBERS:
            about, unit = NUMBERS[kinds[0]]
            value = f"{about + self.pick((-0.5, 0, 0, 1)):g}" + (
                f" {unit}" if unit and self.maybe(0.7) else ""
            )
            return f" {self.pick(ORDER)} {self._parameter(value)}"
        if self.maybe(0.6):
            return self.pick(("", "", " changes"))
        words = FLAGS.get(kinds[0], ()) if len(kinds) == 1 else ()
        return f" {self.pick(('==', '==', '!='))} {self._parameter(self.pick((*words, 'true', 'false')))}"

    def _recording(self) -> None:
        now = self.start
        for _ in range(self.random.randint(4, 30) * (6 if self.maybe(0.04) else 1)):
            what = self._happening()
            if "node" in what and self.told and self.maybe(0.4):
                now = self.told[-1][0]
            self.told.append((now, what))
            now = self._later()
        self.told += [(now + self._ms() * self.pick((0, 1, 3, 6)), {"end": True})] * self.maybe(0.8)

    def _later(self) -> int:
        """From the last line on: the same instant, or a duration after a line and at most 1 ms beside it."""
        now = self.told[-1][0]
        if self.maybe(self.at_once):
            return now
        since = [at for at, line in self.told if line == {"node": "down"} or self.maybe(0.3)]
        then = self.pick(since or [now]) + self._ms() * self.pick((1, 1, 1, 2)) + self.pick((0, 0, 0, 1, -1))
        return then if then >= now else now + self.pick((1, self.unit, self._ms()))

    def _happening(self) -> Line:
        [what] = self.random.choices(list(self.often), [*self.often.values()])
        is_down = [line["node"] for _, line in self.told if "node" in line][-1:] == ["down"]
        if what == "node" or (is_down and self.maybe(0.3)):
            return {"node": "up" if is_down != self.maybe(0.1) else "down"}
        if what == "mode":
            return {"mode": self.pick(("home", "away", "hospital", "visit", "night", "party", "service"))}
        if what == "ack":
            return {"ack": self.pick(self.names)}
        if what == "nowhere":
            return {"point": "nowhere.contact", "value": True}
        point = self.pick(self.used if self.maybe(0.6) else self.points)
        if self.maybe(0.05):  # a gpio device has no such point, a device on the radio is heard by it
            point = f"{point.partition('.')[0]}.{self.pick(('motion_3', 'battery_2', 'power_2'))}"
        if self.maybe(0.1):
            return {"point": point, "value": None}
        if kind_of(point) not in NUMBERS:
            return {"point": point, "value": self.maybe(0.6)}
        return {"point": point, "value": NUMBERS[kind_of(point)][0] + self.pick((-0.5, 0, 0, 1, 1))}

    def _lines(self) -> list[str]:
        finer = 9 if self.maybe(0.15) else 0
        return [
            json.dumps({"at": self._stamp(at, finer * number)} | line)
            for number, (at, line) in enumerate(self.told)
        ]

    def _stamp(self, at: int, finer: int) -> str:
        zone = self.pick((UTC, ZoneInfo(self.zone), timezone(timedelta(hours=-3, minutes=-30))))
        stamp = (EPOCH + timedelta(milliseconds=at, microseconds=finer)).astimezone(zone)
        text = stamp.isoformat(timespec="microseconds" if finer else "milliseconds")
        return text.replace("+00:00", "Z") if self.maybe(0.5) else text


def _listed(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind
