"""What home.yaml says, checked and typed. Durations are whole milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

NEVER = -1
"""`stale_after_ms` of a device that is believed however long it is silent."""

HOME_ID = r"[a-z0-9-]{1,40}"
"""The whole of a home's id; it stands in topics, folders and certificates."""

PARTIES = ("care", "property", "resident", "operator")

LOOKERS = ("care",)
"""Parties that a care decision can allow to look through a camera."""
SIGNERS = ("operator", "care")
"""Parties whose signatures a configuration can need."""
LOOKS_KNOWN_TO = (*LOOKERS, "resident")
"""Who is told what may be looked at."""
VIEWS = ("silhouette", "blurred", "clear")
"""What a viewer may see, the least first."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What is done when there is no link for `after_ms`. `lamp`: "" for none."""

    after_ms: int = 120_000
    lamp: str = ""
    say: bool = True


@dataclass(frozen=True, slots=True)
class Broker:
    """Where alerts go. `urls` in the order they are tried, each over each of `interfaces`; paths absolute."""

    urls: tuple[str, ...]
    username: str = ""
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    interfaces: tuple[str, ...] = ()
    heartbeat_s: float = 60.0
    lost: Lost = Lost()


@dataclass(frozen=True, slots=True)
class Radio:
    """An entry under ``radios:``; `options` are the driver's own fields, defaults filled in."""

    name: str
    driver: str
    options: Mapping[str, Any]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """A physical thing.

    Attributes:
        via: Radio it is heard through, "" if wired.
        driver: Its driver's name (of its radio, if it has one).
        thing: What it is (``is:``), "" if not said.
        stale_after_ms: As home.yaml says; NEVER; None if not said.
        model: ``MANUFACTURER/MODEL`` or "".
        options: The driver's own fields of it, defaults filled in.
        kinds: Its points as far as known from home.yaml; None if any (not yet interviewed).
        line, column: Of its entry; a device that was moved in the file is the same.
    """

    name: str
    driver: str
    room: str
    via: str = ""
    thing: str = ""
    stale_after_ms: int | None = None
    model: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    kinds: tuple[str, ...] | None = None
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RuleUse:
    """One use of a rule file.

    Attributes:
        name: ``as:`` or the rule's own name; unique in the home.
        file: The rule file read (beside home.yaml or shipped).
        bind: Role to the points bound to it (one for a single role).
        set: Parameter to the text given, such as ``15 min``.
        line, column: Of the entry in home.yaml.
        lists: Roles that are bound to a list, be it of one (only a ``many`` role may be).
        places: ``use``, ``as``, ``bind.ROLE``, ``set.PARAMETER`` and each of their values, as
            ``bind.ROLE.POINT``, to line and column in home.yaml.
    """

    name: str
    use: str
    file: Path
    bind: Mapping[str, tuple[str, ...]]
    set: Mapping[str, str]
    line: int = 0
    column: int = 0
    lists: frozenset[str] = frozenset()
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Silence:
    """How a home is found to be left: the door is used, and then nobody is seen for `after_ms`.

    Attributes:
        door: Point that changes when somebody goes.
        quiet: Points that are true while somebody is seen.
        passage_ms: Who is seen as the door is used may be seen so long after it: motion sensors hold their
            end back, by 3 min (IKEA E1525) and less.
        longest_ms: Nobody said that the home is left, so it doesn't count as left for longer.
    """

    door: str
    quiet: tuple[str, ...]
    after_ms: int
    passage_ms: int = 5 * 60_000
    longest_ms: int = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode of the home.

    Attributes:
        longest_ms: None never ends.
        start, end: Of night: minutes of the day between which it comes by itself.
        silence: Of away: what it comes by itself after.
    """

    name: str
    longest_ms: int | None
    start: int | None = None
    end: int | None = None
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """How the home speaks.

    Attributes:
        device: As ALSA names it; ``none`` if there is no loudspeaker.
        volume_percent: Of the loudest that the synthesiser can.
        rate_wpm: Words a minute.
        recordings: Folder of ``RULE.STEP.LANGUAGE.wav``, which are played instead of a synthesised voice.
    """

    device: str = "default"
    volume_percent: int = 100
    rate_wpm: int = 140
    recordings: Path | None = None

    @property
    def silent(self) -> bool:
        """Nothing is said in this home."""
        return self.device == "none"


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera; nothing of it is switched on outside a session.

    Attributes:
        source: As written: ``csi``, ``/dev/video0``, ``rtsp://…``, ``file:…`` or ``scene``.
        username, password_file: Of one on the network.
        lamp: Point of the lamp, on a pin, that it sees in the dark by, "" if it needs none.
        indicator: Point of the light that is lit whenever somebody may look.
        masks: Areas that are never shown: polygons, points as shares of width and height.
        enhance: Whether a dark picture is made brighter.
    """

    name: str
    room: str
    source: str
    username: str = ""
    password_file: Path | None = None
    lamp: str = ""
    indicator: str = ""
    masks: tuple[tuple[tuple[float, float], ...], ...] = ()
    enhance: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """A care decision: who may look through which cameras, when and how.

    Attributes:
        first, last: Days on which it holds, both included.
        hours: Minutes of the day from and to which it holds; None always.
        modes: Of the home in which it holds; empty in each.
        views: Those allowed, the least first.
        ask: Whether the resident is asked each time, for `answer_within_ms`.
        no_answer: ``refuse`` or ``grant``: what silence counts as.
        announce: ``light``, or ``voice``: it is said, too.
        longest_ms: Of one session.
        line, column: Of its last day in home.yaml.
    """

    id: str
    cameras: tuple[str, ...]
    first: date
    last: date
    views: tuple[str, ...]
    ask: bool
    party: str = "care"
    hours: tuple[int, int] | None = None
    modes: tuple[str, ...] = ()
    no_answer: str = "refuse"
    answer_within_ms: int = 30_000
    announce: str = "voice"
    longest_ms: int = 120_000
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """How the panel shows a point; what home.yaml doesn't say is found (`homenode.panel.chosen`).

    Attributes:
        name, symbol: "" if not said.
        above: In the unit of the point.
        hold_ms: For so long it is not known to be off after it was on.
    """

    name: str = ""
    symbol: str = ""
    above: float | None = None
    hold_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Ice:
    """How a viewer outside the home's own network is reached: relays (and STUN, if at all)."""

    urls: tuple[str, ...] = ()
    username: str = ""
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """One home.yaml."""

    path: Path
    home: str
    timezone: str
    language: str
    broker: Broker | None
    radios: Mapping[str, Radio]
    devices: Mapping[str, Device]
    rules: tuple[RuleUse, ...]
    share: Mapping[str, tuple[str, ...]]
    modes: Mapping[str, Mode]
    clock_trusted: bool = False
    endurance_tb: float = 0
    resident_ok: str = ""
    voice: Voice = Voice()
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    video: Mapping[str, Decision] = field(default_factory=dict)
    ice: Ice = Ice()
    resident_stop: str = ""
    panel: Mapping[str, Shown] = field(default_factory=dict)
    """Points that the panel shows, in order; empty for what it finds by itself."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Party to the public key (PEM) that it is written to with."""
    board: str = ""
    """Word of hardware/boards.yaml; "" if not said."""
    hats: tuple[str, ...] = ()
    """Buses of the header that HATs use."""
    exports: Mapping[str, str] = field(default_factory=dict)
    """Format (``homeassistant``) to the topic prefix it is sent under; opt-in."""
    drivers: Path | None = None
    """Folder with drivers of one's own."""
