"""The steps of an installation, the same on the terminal and the page: what is known, what is done (pure).

What happens comes in by `saw`, `heard` and `lost`; what the installer wants by `wish`, which answers with the
orders that carry it out, in order, each only if the one before succeeded.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from homenode.config.model import Home
from homenode.errors import Refused
from homenode.install import edits
from homenode.install.known import ROOMS, fits, suggested_name
from homenode.install.walk import OUTPUTS, Walk
from homenode.kinds import kind_of
from homenode.language.bound import BoundRule
from homenode.language.rule_file import RuleFile

OPEN_S = 240.0
"""One opening of the network; an installer who forgets to close it has it closed by then."""
SIGNS = 5
"""Signs of life of a device without a name that are kept."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the node."""

    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """A change of home.yaml, which the node then reads again. `told`: what was done, for the log."""

    edit: Callable[[str], str]
    told: str


@dataclass(frozen=True, slots=True)
class Report:
    """Write the acceptance report."""

    by: str


Order = Ask | Write | Report


class NotSure(Refused):
    """It is done if the installer says that it is meant so (``sure``)."""


@dataclass(slots=True)
class Arrival:
    """A device that joined and has no name yet.

    Attributes:
        signs: What it said lately, newest last: (kind, shown value, time).
    """

    address: str
    manufacturer: str = ""
    model: str = ""
    kinds: tuple[str, ...] = ()
    note: str = ""
    lqi: float | None = None
    signs: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """It has been asked what it is."""
        return bool(self.kinds)

    @property
    def model_field(self) -> str:
        """As home.yaml writes it; "" if it doesn't say both."""
        maker, model = (" ".join(text.split()) for text in (self.manufacturer, self.model))
        maker = maker.replace("/", "-")
        return f"{maker}/{model}" if maker and model else ""


@dataclass(slots=True)
class Placing:
    """A device that is held where it is to hang: what was heard of it there."""

    device: str
    since: str
    frames: int = 0
    weakest: float | None = None
    last: float | None = None
    at: str = ""


@dataclass(slots=True)
class Installation:
    """What an installer does in one home.

    Attributes:
        home, rules: As home.yaml says now.
        rule_files: By the name that ``use:`` has.
        revision: +1 for each change that somebody could see.
        replacing: The device that the next new one takes the place of.
    """

    home: Home
    rules: Sequence[BoundRule]
    rule_files: Mapping[str, RuleFile] = field(default_factory=dict)
    revision: int = 0
    status: Mapping[str, Any] = field(default_factory=dict)
    node_why: str = "not asked yet"
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    joined: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    placing: Placing | None = None
    links: dict[str, tuple[float, str]] = field(default_factory=dict)
    open_until_ms: int = 0
    replacing: str = ""
    walk: Walk | None = None
    last_report: str = ""

    # -- what happens

    def saw(self, status: Mapping[str, Any], devices: Sequence[Mapping[str, Any]]) -> None:
        """The node's answers to ``status`` and ``devices``."""
        before = self.arrivals, self.joined, self.node_why, _essence(self.status)
        self.status, self.node_why = status, ""
        self.joined = {str(one["name"]): one for one in devices if one["name"] in self.home.devices}
        known, self.arrivals = self.arrivals, {}
        for one in devices:
            if one["name"] in self.home.devices:
                continue
            arrival = known.get(one["address"]) or Arrival(one["address"])
            self.arrivals[arrival.address] = Arrival(
                arrival.address,
                one["manufacturer"],
                one["model"],
                tuple(one["kinds"]),
                one["note"],
                arrival.lqi,
                arrival.signs,
            )
        for point in status.get("points", ()):
            device, _, kind = point["point"].rpartition(".")
            if kind == "link_quality" and point["value"] is not None and device not in self.links:
                self.links[device] = float(point["value"]), ""
        if self.walk is not None:
            self._look_at_rows(status)
        if before != (self.arrivals, self.joined, self.node_why, _essence(status)):
            self.revision += 1

    def _look_at_rows(self, status: Mapping[str, Any]) -> None:
        assert self.walk is not None
        if not self.walk.active and status["mode"] == "service":
            self.walk.active = True
        elif self.walk.active and status["mode"] != "service":
            self.walk.active = False  # it lasts two hours, or somebody ended it
        if self.walk.rows.keys() != self.home.devices.keys() or any(
            name in self.joined and not row.kinds and self.joined[name]["kinds"]
            for name, row in self.walk.rows.items()
        ):
            self.set_up_walk()
        for point in status.get("points", ()):
            self.walk.knew(point["point"], point["value"])
        for name, row in self.walk.rows.items():
            row.trouble = "; ".join(
                fault["why"] for fault in status.get("faults", ()) if fault["source"].startswith(f"{name} ")
            )

    def set_up_walk(self) -> None:
        """What is wanted of each device and rule, as home.yaml stands and devices are known."""
        if self.walk is not None:
            kinds = {name: tuple(one["kinds"]) for name, one in self.joined.items()}
            self.walk.set_up(self.home, self.rules, kinds)

    def lost(self, why: str) -> None:
        """The node doesn't answer."""
        if self.node_why != why:
            self.node_why = why
            self.revision += 1

    def reread(self, home: Home, rules: Sequence[BoundRule]) -> None:
        """home.yaml was written, or read again."""
        self.home, self.rules = home, rules
        self.set_up_walk()
        self.revision += 1

    def heard(self, event: Mapping[str, Any]) -> bool:
        """A line of ``watch``. True if the installer waits for this: a tick."""
        at = str(event.get("at", ""))
        tick = False
        if "noticed" in event:
            self._noticed(event, at)
        elif "point" in event:
            tick = self._reading(str(event["point"]), event["value"], at)
        elif self.walk is not None:
            tick = self._told(self.walk, event, at)
        self.revision += 1
        return tick

    def _noticed(self, event: Mapping[str, Any], at: str) -> None:
        arrival = self.arrivals.get(str(event["noticed"]))
        if arrival is None:
            return
        kind, value = str(event["kind"]), event["value"]
        if kind == "link_quality" and isinstance(value, int | float):
            arrival.lqi = float(value)
        else:
            arrival.signs = [*arrival.signs, (kind, shown(kind, value), at)][-SIGNS:]

    def _reading(self, point: str, value: Any, at: str) -> bool:
        device, _, kind = point.rpartition(".")
        placing = self.placing if self.placing is not None and self.placing.device == device else None
        if kind == "link_quality" and isinstance(value, int | float):
            self.links[device] = float(value), at
            if placing is not None:
                placing.last, placing.at = float(value), at
                placing.weakest = min(value, value if placing.weakest is None else placing.weakest)
        elif placing is not None:
            placing.frames += 1
        return self.walk is not None and self.walk.heard(point, value, at)

    def _told(self, walk: Walk, event: Mapping[str, Any], at: str) -> bool:
        if "message" in event:
            walk.sent(event["alert"], event["party"], event["message"], bool(event["test"]), at)
        elif "got" in event:
            walk.arrived(event["got"], at)
        elif event.get("event") == "raised":
            walk.raised(event["rule"], event["alert"], at)
        elif event.get("event") == "acknowledged":
            walk.acknowledged(event["alert"], event.get("parties", ()), event.get("by", ""), at)
        else:
            return False
        return True

    # -- what the installer wants

    def wish(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        """What to do for it.

        Raises:
            Refused: It can't be done, in words for the installer.
        """
        do = wish.get("do")
        method = _WISHES.get(do) if isinstance(do, str) else None
        if method is None:
            raise Refused(f"there is nothing called {do!r} to do", do=f"known: {', '.join(_WISHES)}")
        self.revision += 1
        return method(self, wish, now_ms, at)

    def _open(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        self.open_until_ms = now_ms + int(OPEN_S * 1000)
        return [Ask({"do": "pair", "for_s": OPEN_S, **_radio(wish)})]

    def _close(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        self.open_until_ms, self.replacing = 0, ""
        return [Ask({"do": "pair", "for_s": 0, **_radio(wish)})]

    def _name(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        arrival = self._arrival(wish)
        name, room = _text(wish, "name").strip(), " ".join(_text(wish, "room").split())
        free = suggested_name(room, arrival.kinds, self.home.devices)
        if not name:
            raise Refused("it needs a name", do=f"such as {free}")
        if not room:
            raise Refused("it needs a room", do="the room it is in, such as kitchen")
        if name in self.home.devices:
            other = self.home.devices[name]
            raise Refused(
                f"there is a {name} already, in {other.room}",
                do=f"give this one another name, such as {free}",
            )
        if (near := self._near(room)) and not wish.get("sure"):
            raise NotSure(
                f"there is no room {room!r} here yet, but there is {near!r}",
                do=f"write {near}, or confirm that {room} is another room",
            )
        radio = self._radio_of(arrival)
        fields = {"via": radio, "ieee": arrival.address, "room": room}
        if what := _text(wish, "is").strip():
            fields["is"] = what
        if model := arrival.model_field:
            fields["model"] = model
        self.placing = Placing(name, at)
        return [Write(lambda text: edits.add_device(text, name, fields), f"{name} added")]

    def _near(self, room: str) -> str:
        """A room of this home that was probably meant."""
        small = {device.room.casefold(): device.room for device in self.home.devices.values()}
        if room in small.values():
            return ""
        close = difflib.get_close_matches(room.casefold(), small, 1, 0.75)
        return small[close[0]] if close else ""

    def rooms(self, language: str) -> list[str]:
        """Rooms to choose from: the home's own, then usual ones."""
        own = dict.fromkeys(device.room for device in self.home.devices.values())
        return list(dict.fromkeys([*own, *ROOMS.get(language, ROOMS["en"])]))

    def _radio_of(self, arrival: Arrival) -> str:
        able = [name for name, radio in self.home.radios.items() if radio.driver == "zigbee"]
        if len(able) != 1:
            raise Refused(
                "it can't be told which radio heard it", do=f"write it into home.yaml: {arrival.address}"
            )
        return able[0]

    def _replace(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        name = self._device(wish)
        device = self.home.devices[name]
        if "ieee" not in device.options:
            raise Refused(
                f"{name} is wired ({device.driver}): put the new one on the same wires", do="nothing to write"
            )
        if not wish.get("address"):
            self.replacing = name
            return self._open(wish, now_ms, at)
        arrival = self._arrival(wish)
        need = {
            p.rpartition(".")[2] for rule in self.rules for p in _points(rule) if p.startswith(f"{name}.")
        }
        if lacks := sorted(need - set(arrival.kinds)):
            has = ", ".join(arrival.kinds) or "nothing yet: wait until it was asked"
            raise Refused(
                f"the new one has no {', '.join(lacks)}, which rules read of {name}",
                do=f"it has {has}; else take another one",
            )
        fields = {"ieee": arrival.address} | ({"model": m} if (m := arrival.model_field) else {})
        self.placing, self.replacing = Placing(name, at), ""
        return [Write(lambda text: edits.set_fields(text, name, fields), f"{name} has new hardware")]

    def _dismiss(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        arrival = self._arrival(wish)
        return [Ask({"do": "dismiss", "address": arrival.address})]

    def _use(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        name, rule = self._device(wish), _text(wish, "rule")
        fit = next((one for one in self.fits(name) if one.rule == rule), None)
        if fit is None:
            raise Refused(f"{rule} has no place for {name}")
        if fit.nth is not None:
            nth = fit.nth
            return [
                Write(
                    lambda text: edits.add_point(text, nth, fit.role, fit.point), f"{rule} reads {fit.point}"
                )
            ]
        role = self.rule_files[rule].roles[fit.role]
        bind: dict[str, str | list[str]] = {fit.role: [fit.point] if role.many else fit.point}
        return [Write(lambda text: edits.add_to_rule(text, rule, bind), f"{rule} added")]

    def fits(self, name: str) -> list[Any]:
        """Rules that a device of this home could serve as well."""
        kinds = self.home.devices[name].kinds or tuple(self.joined.get(name, {}).get("kinds", ()))
        return fits(name, kinds, self.home, self.rule_files)

    def _place(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        self.placing = Placing(self._device(wish), at)
        return []

    def _placed(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        self.placing = None
        return []

    def _walk(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        """Begin, or go on with one that was interrupted."""
        if self.walk is None or wish.get("anew"):
            self.walk = Walk(self.home.home, at, {}, {})
        self.set_up_walk()
        for point in self.status.get("points", ()):
            self.walk.knew(point["point"], point["value"])
        self.walk.active = True
        return [Ask({"do": "mode", "mode": "service"})]

    def _walking(self) -> Walk:
        if self.walk is None:
            raise Refused("no walk test has begun", do="begin it")
        return self.walk

    def _try(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        point = self._output(wish)
        kind = kind_of(point)
        words = (kind.true_word, kind.false_word) if kind else ("on", "off")
        to = words[0] if wish.get("on", True) else words[1]
        return [Ask({"do": "switch", "point": point, "to": to})]

    def _tried(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        self._walking().tried(self._output(wish), bool(wish.get("works")), at)
        return []

    def _output(self, wish: Mapping[str, Any]) -> str:
        point = _text(wish, "point")
        device, _, kind = point.rpartition(".")
        row = self._walking().rows.get(device)
        known = kind_of(kind)
        if row is None or kind not in row.checks or known is None or known.name not in OUTPUTS:
            raise Refused(f"{point} is no output of the walk test")
        return point

    def _remark(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        row = self._walking().rows.get(_text(wish, "device"))
        if row is None:
            raise Refused(f"there is no device {_text(wish, 'device')}")
        row.remark = " ".join(_text(wish, "text").split())[:200]
        return []

    def _finish(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        by = " ".join(_text(wish, "by").split())[:80]
        if not by:
            raise Refused("the report needs the name of who made the test")
        self._walking().active = False
        return [Report(by), Ask({"do": "mode", "mode": "home"})]

    def _pause(self, wish: Mapping[str, Any], now_ms: int, at: str) -> list[Order]:
        self._walking().active = False
        return [Ask({"do": "mode", "mode": "home"})]

    def _arrival(self, wish: Mapping[str, Any]) -> Arrival:
        address = _text(wish, "address")
        arrival = self.arrivals.get(address)
        if arrival is None:
            raise Refused(
                f"no new device has the address {address}", do="it may have a name by now, or be gone"
            )
        return arrival

    def _device(self, wish: Mapping[str, Any]) -> str:
        name = _text(wish, "device")
        if name not in self.home.devices:
            close = difflib.get_close_matches(name, self.home.devices, 1)
            raise Refused(
                f"there is no device {name} in home.yaml", do=f"did you mean {close[0]}?" if close else ""
            )
        return name


_WISHES: Mapping[str, Callable[[Installation, Mapping[str, Any], int, str], list[Order]]] = {
    "open": Installation._open,
    "close": Installation._close,
    "name": Installation._name,
    "replace": Installation._replace,
    "dismiss": Installation._dismiss,
    "use": Installation._use,
    "place": Installation._place,
    "placed": Installation._placed,
    "walk": Installation._walk,
    "try": Installation._try,
    "tried": Installation._tried,
    "remark": Installation._remark,
    "pause": Installation._pause,
    "finish": Installation._finish,
}


def _text(wish: Mapping[str, Any], key: str) -> str:
    value = wish.get(key, "")
    if not isinstance(value, str) or len(value) > 200:
        raise Refused(f"{key} is a text of at most 200 characters")
    return value


def _radio(wish: Mapping[str, Any]) -> dict[str, str]:
    return {"radio": radio} if (radio := _text(wish, "radio")) else {}


def _points(rule: BoundRule) -> list[str]:
    return [*rule.points, *(step.point for step in rule.steps if step.point)]


def _essence(status: Mapping[str, Any]) -> Any:
    """What of the node's status an installer sees; ages change with each answer."""
    points = [(point["point"], point["shown"], point["quality"]) for point in status.get("points", ())]
    alerts = [(one["alert"], one["acknowledged"]) for one in status.get("alerts", ())]
    return points, alerts, status.get("mode"), status.get("drivers"), status.get("faults"), status.get("link")


def shown(kind: str, value: Any) -> str:
    """A value in the words of its kind."""
    known = kind_of(kind)
    if known is None or value is None:
        return "?"
    if isinstance(value, bool):
        return (known.true_word or "yes") if value else (known.false_word or "no")
    return f"{value:g} {known.unit or ''}".rstrip()
