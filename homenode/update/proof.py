"""Whether a new version has proved good: the judge (pure).

Two stages. *Fast*, within minutes, what the node can do alone: the gateway answers, its rules and data are
read, the radio is up. Then the boot loader's counter is wound up again, so that a resident who pulls the plug
does not use it up. *Full*, within hours: the broker has acknowledged something of this start, every
mains-powered device and most of the battery ones that were heard before are heard again; these check in each
50 min to 6 h.
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
"""Where it answers, and takes nothing: another try is like the last one."""
AWAY_MS = 120 * MINUTE_MS
"""Where nobody answers: likelier the closed link is down than the version is to blame (ADR 15)."""
YOUNG_MS = 10 * MINUTE_MS
"""Nothing is good sooner: what crashes each few minutes has shown it by then."""
MAINS_MS = 75 * MINUTE_MS
"""What is on the mains reports each hour at least (`stale_after` of power, switch and light)."""
BATTERY_MS = 7 * 60 * MINUTE_MS
"""Check-ins are 50 min to 6 h apart."""
SLOWEST_MS = 24 * 60 * MINUTE_MS
"""`stale_after` of such devices (drivers/zigbee/rows.yaml); who may be silent longer is not waited for."""
QUORUM = 0.75
"""Of the battery devices heard before; of four or more, one may just have lost its last strength."""
MOST_STARTS = 5
"""Of the gateway within one start of the machine; a radio may be lost as often, and data be in trouble."""


@dataclass(frozen=True, slots=True)
class Before:
    """What the old version had: nothing else can be asked of the new one.

    Attributes:
        mains, slow, battery: Names of devices that were heard and not stale: to be heard within `MAINS_MS`,
            those that report more seldom within `BATTERY_MS`, and most of these.
        radios: Names of those that were up.
        rules: Names of the rules.
        broker: Whether the broker was there, and had acknowledged something.
        configuration: Whether home.yaml was read.
        trouble: What ailed the data.
        journal: The journal's schema that the old version writes.
        files: Of home.yaml and the rules beside it: another text, another word; "" where nobody told.
    """

    mains: tuple[str, ...] = ()
    battery: tuple[str, ...] = ()
    radios: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    broker: bool = False
    configuration: bool = True
    trouble: tuple[str, ...] = ()
    journal: int = 0
    slow: tuple[str, ...] = ()
    files: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def before_of(record: Mapping[str, Any]) -> Before:
    """What `Before.record` gave."""
    lists = {
        name: tuple(record.get(name, ()))
        for name in ("mains", "slow", "battery", "radios", "rules", "trouble")
    }
    return Before(
        **lists,
        broker=bool(record.get("broker")),
        configuration=bool(record.get("configuration", True)),
        journal=int(record.get("journal", 0)),
        files=str(record.get("files", "")),
    )


def as_before(proof: Mapping[str, Any]) -> Before:
    """What the gateway's proof says of the version that runs before an update."""
    asked = {name: _asked(one) for name, one in proof["devices"].items()}

    def named(how: str) -> tuple[str, ...]:
        return tuple(sorted(name for name, one in asked.items() if one == how))

    return Before(
        mains=named("mains"),
        slow=named("slow"),
        battery=named("battery"),
        radios=tuple(sorted(name for name, up in proof["radios"].items() if up)),
        rules=tuple(sorted(proof["rules"])),
        broker=proof["broker"] is True and proof["link"] == "up",
        configuration=proof["configuration"] is True,
        trouble=_troubles(proof),
        journal=int(proof["data"]["journal"]),
        files=str(proof.get("files", "")),
    )


def _troubles(proof: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(one for one in proof["data"]["trouble"].split("; ") if one)


def _asked(device: Mapping[str, Any]) -> str:
    """As which of `Before` a device must be heard; "" if nobody may wait for it.

    It is silent for half of its `stale_after` at most (design, section 3); without one it speaks when it is
    used, but for what is wired, which is read at the start.
    """
    ago_ms, limit_ms = device["heard_ms_ago"], device["stale_after_ms"]
    if ago_ms is None or (limit_ms is not None and ago_ms >= limit_ms):
        return ""
    if limit_ms is None:
        return "mains" if device["wired"] else ""
    if limit_ms > SLOWEST_MS:
        return ""
    if device["power"] != "mains":
        return "battery"
    return "mains" if limit_ms <= 2 * MAINS_MS else "slow"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of the new version since the machine started.

    Attributes:
        answered_ms: When the gateway answered last, since the machine's start; None: never.
        starts: How many of its starts were seen; `started` names the newest.
        again_ms: When its newest start was seen, or who looks started, if that is after the first stage: it
            has its time again.
        radios: When each radio was seen up last; `losses`: how often one that was up was not at a look.
        well_ms: When nothing ailed the data last; `relapses`: how often something did again at a look.
        reached_ms: Since when somebody answers where the broker should be, since the machine's start; None:
            nobody does.
        heard: Devices heard, also in earlier starts of the machine on this trial.
        proof: The newest answer.
    """

    answered_ms: int | None = None
    starts: int = 0
    started: str = ""
    again_ms: int = 0
    radios: Mapping[str, int] = field(default_factory=dict)
    losses: int = 0
    well_ms: int = 0
    relapses: int = 0
    reached_ms: int | None = 0
    heard: frozenset[str] = frozenset()
    proof: Mapping[str, Any] = field(default_factory=dict)

    def add(self, proof: Mapping[str, Any] | None, up_ms: int) -> Seen:
        """The gateway answered, or (None) it didn't; `up_ms` since the machine's start."""
        if proof is None:
            return self
        heard = {name for name, one in proof["devices"].items() if one["since_start"]}
        new = proof["start"] != self.started
        up = {name for name, works in proof["radios"].items() if works}
        lost = any(works and name not in up for name, works in self.proof.get("radios", {}).items())
        well, was_well = not _troubles(proof), bool(self.proof) and not _troubles(self.proof)
        again = new and self.starts > 0 and up_ms >= RADIO_MS
        reached_ms = up_ms if self.reached_ms is None or again else self.reached_ms
        return replace(
            self,
            answered_ms=up_ms,
            starts=self.starts + new,
            started=proof["start"],
            again_ms=up_ms if again else self.again_ms,
            radios={**self.radios, **dict.fromkeys(up, up_ms)},
            losses=self.losses + lost,
            well_ms=up_ms if well else self.well_ms,
            relapses=self.relapses + (was_well and not well),
            reached_ms=None if proof["link"] == "away" else reached_ms,
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
    shows_life: bool = False


def judge(before: Before, seen: Seen, up_ms: int) -> Verdict:
    """The verdict, `up_ms` after the machine's start."""
    lacks = list(_lacks(before, seen, up_ms))
    late = [one for one in lacks if up_ms >= one.within_ms]
    told = late or [one for one in lacks if not one.shows_life]
    return Verdict(
        fast=not any(one.fast for one in lacks),
        good=not lacks,
        bad=bool(late),
        lacks=joined(*(one.why for one in told)) if told else why("waits"),
    )


def _lacks(before: Before, seen: Seen, up_ms: int) -> Sequence[_Lack]:
    if seen.starts > MOST_STARTS:
        return [_Lack(why("crashes"), 0)]

    def within(limit_ms: int, since_ms: int = seen.again_ms) -> int:
        return min(since_ms + limit_ms, BATTERY_MS)

    if seen.answered_ms is None:
        return [_Lack(why("no_answer"), within(ANSWERS_MS))]
    if up_ms - seen.answered_ms >= ANSWERS_MS:
        return [_Lack(why("no_answer"), 0)]
    proof, found = seen.proof, []
    before = _still_asked(before, proof)
    if before.configuration and not proof["configuration"]:
        found.append(_Lack(why("configuration"), within(ANSWERS_MS)))
    if missing := sorted(set(before.rules) - set(proof["rules"])):
        found.append(_Lack(why("rules", more=", ".join(missing)), within(ANSWERS_MS)))
    if trouble := [one for one in _troubles(proof) if one not in before.trouble]:
        since_ms = 0 if seen.relapses > MOST_STARTS else max(seen.again_ms, seen.well_ms)
        found.append(_Lack(why("data", more="; ".join(trouble)), within(ANSWERS_MS, since_ms)))
    if down := [name for name in before.radios if not proof["radios"].get(name)]:
        often = seen.losses > MOST_STARTS
        since_ms = 0 if often else min(max(seen.again_ms, seen.radios.get(name, 0)) for name in down)
        found.append(_Lack(why("radio", more=", ".join(down)), within(RADIO_MS, since_ms)))
    if before.broker and proof["broker"] is not True:
        if seen.reached_ms is None:
            found.append(_Lack(why("away"), within(AWAY_MS), fast=False))
        else:
            since_ms = min(seen.reached_ms, seen.again_ms + AWAY_MS)
            found.append(_Lack(why("broker"), within(BROKER_MS, since_ms), fast=False))
    for names, within_ms in ((before.mains, MAINS_MS), (before.slow, BATTERY_MS)):
        if unheard := [name for name in names if name not in seen.heard]:
            found.append(_Lack(why("mains", more=", ".join(unheard)), within_ms, False, True))
    heard, wanted = (
        sum(name in seen.heard for name in before.battery),
        math.ceil(QUORUM * len(before.battery)),
    )
    if heard < wanted:
        found.append(_Lack(why("battery", more=f"{heard}/{len(before.battery)}"), BATTERY_MS, False, True))
    if not found and up_ms < YOUNG_MS:
        found.append(_Lack(why("young"), BATTERY_MS, False, True))
    return found


def _still_asked(before: Before, proof: Mapping[str, Any]) -> Before:
    """Without what home.yaml names no more, if it or a rule is another one than then.

    In the same files the new version must find all of it. With a mistake none of them is read: rules that are
    missing in others were taken away.
    """
    if not before.files or proof.get("files", before.files) == before.files:
        return before

    def named(names: tuple[str, ...], where: str) -> tuple[str, ...]:
        return tuple(name for name in names if name in proof[where])

    return replace(
        before,
        mains=named(before.mains, "devices"),
        slow=named(before.slow, "devices"),
        battery=named(before.battery, "devices"),
        radios=named(before.radios, "radios"),
        rules=(),
        broker=before.broker and proof["broker"] is not None,
    )
