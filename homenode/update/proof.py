"""Whether a new version has proved good: the judge (pure).

Two stages. *Fast*, within minutes: the gateway answers, its rules and data are read, the radio is up, the
broker has acknowledged something of this start. Then the boot loader's counter is wound up again, so that a
resident who pulls the plug does not use it up. *Full*, within hours: every mains-powered device and most of
the battery ones that were heard before are heard again; these check in each 50 min to 6 h.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from homenode.update.words import Why, joined, why

MINUTE_MS = 60_000
ANSWERS_MS = 5 * MINUTE_MS
"""From the machine's start to the gateway's first answer; also how long it may then be silent."""
RADIO_MS = 10 * MINUTE_MS
"""A stick that is wedged is got over within a minute, a network that is restored within five."""
BROKER_MS = 15 * MINUTE_MS
YOUNG_MS = 10 * MINUTE_MS
"""Nothing is good sooner: what crashes each few minutes has shown it by then."""
MAINS_MS = 75 * MINUTE_MS
"""What is on the mains reports each hour at least (`stale_after` of power, switch and light)."""
BATTERY_MS = 7 * 60 * MINUTE_MS
"""Check-ins are 50 min to 6 h apart."""
QUORUM = 0.75
"""Of the battery devices that were heard before: one may just have lost its last strength."""
MOST_STARTS = 5
"""Of the gateway within one start of the machine."""


@dataclass(frozen=True, slots=True)
class Before:
    """What the old version had: nothing else can be asked of the new one.

    Attributes:
        mains, battery: Names of devices that were heard and not stale.
        radios: Names of those that were up.
        rules: Names of the rules.
        broker: Whether the broker had acknowledged anything.
        journal: The journal's schema that the old version writes.
    """

    mains: tuple[str, ...] = ()
    battery: tuple[str, ...] = ()
    radios: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    broker: bool = False
    journal: int = 0

    def record(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def before_of(record: Mapping[str, Any]) -> Before:
    """What `Before.record` gave."""
    lists = {name: tuple(record.get(name, ())) for name in ("mains", "battery", "radios", "rules")}
    return Before(**lists, broker=bool(record.get("broker")), journal=int(record.get("journal", 0)))


def as_before(proof: Mapping[str, Any]) -> Before:
    """What the gateway's proof says of the version that runs before an update."""
    heard = {
        name: one["power"]
        for name, one in proof["devices"].items()
        if one["heard_ms_ago"] is not None
        and (one["stale_after_ms"] is None or one["heard_ms_ago"] < one["stale_after_ms"])
    }
    return Before(
        mains=tuple(sorted(name for name, power in heard.items() if power == "mains")),
        battery=tuple(sorted(name for name, power in heard.items() if power != "mains")),
        radios=tuple(sorted(name for name, up in proof["radios"].items() if up)),
        rules=tuple(sorted(proof["rules"])),
        broker=proof["broker"] is True,
        journal=int(proof["data"]["journal"]),
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of the new version since the machine started.

    Attributes:
        answered_ms: When the gateway answered last, since the machine's start; None: never.
        starts: How many of its starts were seen; `started` names the newest.
        heard: Devices heard, also in earlier starts of the machine on this trial.
        proof: The newest answer.
    """

    answered_ms: int | None = None
    starts: int = 0
    started: str = ""
    heard: frozenset[str] = frozenset()
    proof: Mapping[str, Any] = field(default_factory=dict)

    def add(self, proof: Mapping[str, Any] | None, up_ms: int) -> Seen:
        """The gateway answered, or (None) it didn't; `up_ms` since the machine's start."""
        if proof is None:
            return self
        heard = {name for name, one in proof["devices"].items() if one["since_start"]}
        new = proof["start"] != self.started
        return replace(
            self,
            answered_ms=up_ms,
            starts=self.starts + new,
            started=proof["start"],
            heard=self.heard | heard,
            proof=proof,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says.

    Attributes:
        fast: The first stage is passed.
        good: Both are.
        bad: It can't be proved any more, or not in time.
        lacks: What is not proved yet. Not which sensors were heard by now: the operator, who is told this,
            would see when somebody moves.
    """

    fast: bool
    good: bool
    bad: bool
    lacks: Why


@dataclass(frozen=True, slots=True)
class _Lack:
    why: Why
    within_ms: int
    fast: bool = True


def judge(before: Before, seen: Seen, up_ms: int) -> Verdict:
    """The verdict, `up_ms` after the machine's start."""
    lacks = list(_lacks(before, seen, up_ms))
    late = [one for one in lacks if up_ms >= one.within_ms]
    told = late or [one for one in lacks if one.fast]
    return Verdict(
        fast=not any(one.fast for one in lacks),
        good=not lacks,
        bad=bool(late),
        lacks=joined(*(one.why for one in told)) if told else why("waits"),
    )


def _lacks(before: Before, seen: Seen, up_ms: int) -> Sequence[_Lack]:
    if seen.starts > MOST_STARTS:
        return [_Lack(why("crashes"), 0)]
    if seen.answered_ms is None:
        return [_Lack(why("no_answer"), ANSWERS_MS)]
    if up_ms - seen.answered_ms >= ANSWERS_MS:
        return [_Lack(why("no_answer"), 0)]
    proof, found = seen.proof, []
    if not proof["configuration"]:
        found.append(_Lack(why("configuration"), ANSWERS_MS))
    if missing := sorted(set(before.rules) - set(proof["rules"])):
        found.append(_Lack(why("rules", more=", ".join(missing)), ANSWERS_MS))
    if trouble := proof["data"]["trouble"]:
        found.append(_Lack(why("data", more=trouble), ANSWERS_MS))
    if down := [name for name in before.radios if not proof["radios"].get(name)]:
        found.append(_Lack(why("radio", more=", ".join(down)), RADIO_MS))
    if before.broker and proof["broker"] is not True:
        found.append(_Lack(why("broker"), BROKER_MS))
    if unheard := [name for name in before.mains if name not in seen.heard]:
        found.append(_Lack(why("mains", more=", ".join(unheard)), MAINS_MS, fast=False))
    heard, wanted = (
        sum(name in seen.heard for name in before.battery),
        math.ceil(QUORUM * len(before.battery)),
    )
    if heard < wanted:
        found.append(_Lack(why("battery", more=f"{heard}/{len(before.battery)}"), BATTERY_MS, fast=False))
    if not found and up_ms < YOUNG_MS:
        found.append(_Lack(why("young"), BATTERY_MS, fast=False))
    return found
