"""The steps of an installation, the same on the terminal and the page: what is known, what is done (pure).

What happens comes in by `saw`, `heard` and `lost`. What the installer wants becomes orders (`wishes`), which
are carried out one after the other, each only if the one before succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from homenode.config.model import Home
from homenode.errors import Refused
from homenode.install.known import Fit, fits, spelled, usual_rooms
from homenode.install.walk import Walk
from homenode.install.words import LANGUAGES
from homenode.language.bound import BoundRule
from homenode.language.rule_file import RuleFile
from homenode.reading import Value

SIGNS = 5
"""Signs of life of a device without a name that are kept."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the node. In words: `told`, what was done; `unless`, what to do if it refuses."""

    request: Mapping[str, Any]
    told: str = ""
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """A change of home.yaml, which the node then reads again. `told`: what was done, for the log."""

    edit: Callable[[str], str]
    told: str


@dataclass(frozen=True, slots=True)
class Report:
    """Write the acceptance report."""

    by: str


@dataclass(frozen=True, slots=True)
class Note:
    """What is known once the orders before it are done."""

    change: Callable[[], None]


Order = Ask | Write | Report | Note


class NotSure(Refused):
    """It is done if the installer says that it is meant so (``sure``)."""


@dataclass(slots=True)
class Arrival:
    """A device that joined and has no name yet.

    Attributes:
        note: What its driver notes of it, by language.
        radio: That heard it.
        signs: What it said lately, newest last: (kind, value, time).
    """

    address: str
    manufacturer: str = ""
    model: str = ""
    kinds: tuple[str, ...] = ()
    note: Mapping[str, str] = field(default_factory=dict)
    radio: str = ""
    lqi: float | None = None
    signs: list[tuple[str, Value, str]] = field(default_factory=list)

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

    frames: int = 0
    weakest: float | None = None
    last: float | None = None
    at: str = ""


@dataclass(slots=True)
class Installation:
    """What an installer does in one home.

    Attributes:
        home, rules: As home.yaml says now.
        devices: As the node lists them.
        rule_files: By the name that ``use:`` has.
        node_why, file_why: Why the node doesn't answer, and why home.yaml can't be read; "" if all is well.
        revision: +1 for each change that somebody could see.
        open_radio: Which network is open, or was last.
        open_code: It is open for the one device whose install code was given.
        replacing: The device that the next new one takes the place of.
    """

    home: Home
    rules: Sequence[BoundRule]
    rule_files: Mapping[str, RuleFile] = field(default_factory=dict)
    revision: int = 0
    status: Mapping[str, Any] = field(default_factory=dict)
    devices: Sequence[Mapping[str, Any]] = ()
    node_why: str = "not asked yet"
    file_why: str = ""
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    joined: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    placing: dict[str, Placing] = field(default_factory=dict)
    links: dict[str, tuple[float, str]] = field(default_factory=dict)
    open_until_ms: int = 0
    open_radio: str = ""
    open_code: bool = False
    replacing: str = ""
    walk: Walk | None = None
    last_report: str = ""

    # -- what happens

    def saw(self, status: Mapping[str, Any], devices: Sequence[Mapping[str, Any]]) -> None:
        """The node's answers to ``status`` and ``devices``."""
        before = self.arrivals, self.joined, self.node_why, _essence(self.status)
        self.status, self.node_why = status, ""
        self.devices = devices
        self._sort()
        for point in status.get("points", ()):
            device, _, kind = point["point"].rpartition(".")
            if kind == "link_quality" and point["value"] is not None and device not in self.links:
                self.links[device] = float(point["value"]), ""
        if self.walk is not None:
            self._look_at_rows(status)
        if before != (self.arrivals, self.joined, self.node_why, _essence(status)):
            self.revision += 1

    def _sort(self) -> None:
        """What has a name, and what is new."""
        names = self.home.devices.items()
        own = {str(device.options.get("ieee", "")).lower(): name for name, device in names}
        self.joined = {own[one["address"]]: one for one in self.devices if one["address"] in own}
        known, self.arrivals = self.arrivals, {}
        for one in self.devices:
            if one["address"] in own:  # also while its driver, which starts anew, doesn't know its name
                continue
            arrival = known.get(one["address"]) or Arrival(one["address"])
            self.arrivals[arrival.address] = Arrival(
                arrival.address,
                one["manufacturer"],
                one["model"],
                tuple(one["kinds"]),
                note_of(one),
                one.get("radio", ""),
                arrival.lqi,
                arrival.signs,
            )

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

    def unread(self, why: str) -> None:
        """home.yaml has mistakes, or can't be read."""
        if self.file_why != why:
            self.file_why = why
            self.revision += 1

    def reread(self, home: Home, rules: Sequence[BoundRule]) -> None:
        """home.yaml was written, or read again."""
        self.home, self.rules, self.file_why = home, rules, ""
        self._sort()
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
            arrival.signs = [*arrival.signs, (kind, value, at)][-SIGNS:]

    def _reading(self, point: str, value: Any, at: str) -> bool:
        device, _, kind = point.rpartition(".")
        placing = self.placing.get(device)
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

    def open_for(self, until_ms: int, radio: str = "", *, code: bool = False) -> None:
        """That network is open until then, for one device with its code or for all; closed by 0."""
        self.open_until_ms, self.open_radio, self.open_code = until_ms, radio, code

    @property
    def radios(self) -> list[str]:
        """Those that new devices can join by themselves, and be written into home.yaml from here."""
        return [radio.name for radio in self.home.radios.values() if radio.driver == "zigbee"]

    def place(self, device: str) -> None:
        """It is held where it is to hang; what was heard elsewhere doesn't count."""
        self.placing[device] = Placing()

    def rooms(self, language: str) -> list[str]:
        """Rooms to choose from: the home's own, then usual ones that it has under no spelling."""
        own = dict.fromkeys(device.room for device in self.home.devices.values())
        have = {spelled(room) for room in own}
        return [*own, *(room for room in usual_rooms(language) if spelled(room) not in have)]

    def could(self, arrival: Arrival) -> list[Fit]:
        """Rules that a new device could serve, once it has a name."""
        return fits(arrival.address, arrival.kinds, self.home, self.rule_files)

    def fits(self, name: str) -> list[Fit]:
        """Rules that a device of this home could serve as well."""
        kinds = self.home.devices[name].kinds or tuple(self.joined.get(name, {}).get("kinds", ()))
        return fits(name, kinds, self.home, self.rule_files)


def note_of(device: Mapping[str, Any]) -> dict[str, str]:
    """What a driver notes of a device, by language; in English where it says it in no other."""
    return {language: device.get("note_in", {}).get(language) or device["note"] for language in LANGUAGES}


def _essence(status: Mapping[str, Any]) -> Any:
    """What of the node's status an installer sees; ages change with each answer."""
    points = [(point["point"], point["shown"], point["quality"]) for point in status.get("points", ())]
    alerts = [(one["alert"], one["acknowledged"]) for one in status.get("alerts", ())]
    more = tuple(status.get(name) for name in ("mode", "drivers", "faults", "link", "clock"))
    return points, alerts, more
