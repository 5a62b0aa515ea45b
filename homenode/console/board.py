"""All that a console knows, rebuilt from the journal by applying its facts in order (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from homenode.console.case import Case, alert_of, begins, key_of, severity_of
from homenode.console.duty import Duty
from homenode.console.looks import Looks
from homenode.console.shared import Shared
from homenode.listen.told import ALL, Kind

MOST_DONE = 20_000
"""Cases that nothing is to be done about and that are still shown; all of them stay in the journal."""
MOST_LOGGED = 5_000
"""Lines of the log that are shown."""

Fact = Mapping[str, Any]


@dataclass(slots=True)
class Home:
    """What a party knows of a home beside alerts. Not kept: the broker has it for whoever comes.

    Attributes:
        online: By its heartbeat and its will; None before either came.
        silent_since: Since when the receiver calls it silent; None if it doesn't.
        status: The newest message on ``status``; None before one came.
        shared: Its points, if it shares any and a relative may see them.
        version: Of the board, when it changed last.
    """

    party: str
    home: str
    online: bool | None = None
    silent_since: int | None = None
    status: Mapping[str, Any] | None = None
    heard: int = 0
    version: int = 0
    shared: Shared = field(default_factory=Shared)

    @property
    def faults(self) -> list[Mapping[str, Any]]:
        """Of the node, its devices and its rules; what is blind is one of them."""
        return [one for one in self.open if one.get("event") == "fault"]

    @property
    def open(self) -> list[Mapping[str, Any]]:
        """Everything that is open there."""
        return [one for one in (self.status or {}).get("open", ()) if isinstance(one, dict)]

    @property
    def state(self) -> str:
        """``silent`` (when the receiver says so: a short gap is none), ``unknown``, ``fault`` or ``good``."""
        if self.silent_since is not None:
            return "silent"
        if not self.online or self.status is None:
            return "unknown"
        health = self.status.get("health")
        return "good" if isinstance(health, dict) and health.get("state") == "good" else "fault"


@dataclass(slots=True)
class Board:
    """Everything that pages show.

    Attributes:
        version: Grows with each change.
        silent: Homes that are.
        deaf: Parties without a connection to their broker, since when (ms).
    """

    cases: dict[str, Case] = field(default_factory=dict)
    homes: dict[tuple[str, str], Home] = field(default_factory=dict)
    duty: Duty = field(default_factory=Duty)
    looks: Looks = field(default_factory=Looks)
    log: deque[Fact] = field(default_factory=lambda: deque(maxlen=MOST_LOGGED))
    deaf: dict[str, int] = field(default_factory=dict)
    version: int = 0
    silent: set[tuple[str, str]] = field(default_factory=set)
    _homes: dict[tuple[str, str], dict[str, Case]] = field(default_factory=dict)
    _to_do: dict[str, Case] = field(default_factory=dict)
    _done: dict[str, None] = field(default_factory=dict)

    # --- facts: what is in the journal

    def apply(self, fact: Fact) -> None:
        """Something that happened, once: now, or found in the journal."""
        self.version += 1
        match fact["what"]:
            case "came":
                self._came(fact)
            case "did":
                if case := self.cases.get(fact["key"]):
                    case.did(fact["did"], fact["at"], fact["by"], fact["who"], fact["note"])
                    self._changed(case)
                self.log.append(fact)
            case "shift" | "shift_off":
                self.duty.apply(fact)
                self.log.append(fact)
            case "looked" | "look_granted" | "look_view" | "look_ended" | "round":
                self.looks.apply(fact)
                self.log.append(fact)
            case _:
                self.log.append(fact)

    def _came(self, fact: Fact) -> None:
        kind, party, home, body = Kind(fact["kind"]), fact["party"], fact["home"], fact["body"]
        known = self.home(party, home)
        known.version = self.version
        if kind in (Kind.SILENT, Kind.BACK):
            fell = kind is Kind.SILENT
            known.silent_since = fact["at"] if fell else None
            (self.silent.add if fell and home != ALL else self.silent.discard)((party, home))
        if kind is Kind.FILLED:
            cases = [one for one in self._of(party, home) if _is_hole_with(one, body["data"])]
        else:
            alert = alert_of(kind, body)
            key = key_of(party, home, alert)
            if key not in self.cases and begins(kind, body):
                severity = severity_of(kind, body)
                self._know(Case(key, party, home, alert, fact["at"], body, severity))
            cases = [self.cases[key]] if key in self.cases else []
        for case in cases:
            case.came(kind, fact["stage"], body, fact["at"])
            self._changed(case)

    def put(self, case: Case) -> None:
        """A case as it was, in place of what is known of it."""
        self.version += 1
        self._know(case)
        self._changed(case)

    def _know(self, case: Case) -> None:
        self.cases[case.key] = case
        self._homes.setdefault((case.party, case.home), {})[case.key] = case

    def _of(self, party: str, home: str) -> Iterable[Case]:
        return self._homes.get((party, home), {}).values()

    def _changed(self, case: Case) -> None:
        case.version = self.version
        self._done.pop(case.key, None)
        if case.to_do:
            self._to_do[case.key] = case
            return
        self._to_do.pop(case.key, None)
        self._done[case.key] = None
        while len(self._done) > MOST_DONE:
            oldest = next(iter(self._done))
            case = self.cases.pop(oldest)
            del self._done[oldest], self._homes[case.party, case.home][oldest]

    # --- what is of the moment

    def home(self, party: str, home: str) -> Home:
        """Known from now on."""
        known = self.homes.get((party, home))
        if known is None:
            known = self.homes[party, home] = Home(party, home)
        return known

    def online(self, party: str, home: str, online: bool, now: int) -> bool:
        """Its heartbeat, or its will; whether that is news."""
        known = self.home(party, home)
        known.heard = now if online else known.heard
        news = known.online is not online
        known.online = online
        self.version += news
        known.version = self.version if news else known.version
        return news

    def status(self, party: str, home: str, body: Mapping[str, Any]) -> bool:
        """What is open there, and its health; whether that shows on a page that is open."""
        known = self.home(party, home)
        before, known.status = (known.state, (known.status or {}).get("looks")), body
        self.version += 1
        known.version = self.version
        return before != (known.state, body.get("looks"))

    def link(self, party: str, up: bool, now: int) -> None:
        """Whether a party's broker is heard."""
        if up:
            self.deaf.pop(party, None)
        else:
            self.deaf.setdefault(party, now)
            for home in (one for one in self.homes.values() if one.party == party):
                home.shared.points.clear()  # what was is not what is
        self.version += 1

    # --- what is asked

    def to_do(self) -> list[Case]:
        """The worklist, in order."""
        return sorted(self._to_do.values(), key=Case.order)

    def by_age(self) -> list[str]:
        """Keys of all cases, those first that go first."""
        return [*self._done, *self._to_do]

    def of_home(self, party: str, home: str) -> list[Case]:
        """The newest first."""
        return sorted(self._of(party, home), key=lambda case: -case.since)

    def real_homes(self) -> list[Home]:
        """Those that are one."""
        return sorted((one for one in self.homes.values() if one.home != ALL), key=lambda one: one.home)


def _is_hole_with(case: Case, data: Mapping[str, Any]) -> bool:
    own = case.body["data"]
    return (
        own.get("event") == Kind.HOLE.value
        and own.get("epoch") == data.get("epoch")
        and bool(own["first"] <= data["first"] <= own["last"])
    )
