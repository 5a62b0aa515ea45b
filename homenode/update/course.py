"""Where an update is: what is kept over a power cut, and what others are shown of it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from homenode.update.order import Order, order_of
from homenode.update.proof import Before, before_of
from homenode.update.words import Why


class Stage(Enum):
    """What is being done; the value is what others see."""

    NONE = "none"
    WAITING = "waiting"
    BUSY = "busy"
    LOADING = "loading"
    INSTALLING = "installing"
    REBOOTING = "rebooting"
    TRYING = "trying"
    FALLING = "falling"
    GOOD = "good"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


OVER = frozenset({Stage.NONE, Stage.GOOD, Stage.FAILED, Stage.REFUSED, Stage.CANCELLED})
COMMITTED = frozenset({Stage.REBOOTING, Stage.TRYING, Stage.FALLING})
"""The boot loader has been told: no other order is looked at before the end."""
_SHOWN = {Stage.REBOOTING: "installing", Stage.FALLING: "trying"}


@dataclass(frozen=True, slots=True)
class Course:
    """One update on its way, or how the last one ended.

    Attributes:
        order: What was ordered; None before the first one.
        stage: Where it is.
        why: In words.
        at_ms: Wall time since which it is there; 0 if the clock was not set.
        tries: Of loading, or of installing, in a row; `sums`: in how many the file came with another sum.
        source: The version that ran before, and `source_slot` its slot; `slot` is the one installed into.
        boot: Of the machine when it was told to restart, by which a start knows whether it did.
        boots: Starts of the new version so far.
        fast: In this many of them the first stage of the proof was passed.
        before: What the old version had.
        heard: Devices that the new version has heard.
        put_off: The restart waits, and is shown as this: ``waiting`` or ``busy``; "" if it doesn't.
        highest: The highest version that ever proved good here.
        proved: The slot of what proved good last; "" before the first update.
        unproved: The slot with what never proved good; "" if both did, or nothing was ever installed.
    """

    order: Order | None = None
    stage: Stage = Stage.NONE
    why: Why = field(default_factory=dict)
    at_ms: int = 0
    tries: int = 0
    sums: int = 0
    source: str = ""
    source_slot: str = ""
    slot: str = ""
    boot: str = ""
    boots: int = 0
    fast: int = 0
    before: Before = field(default_factory=Before)
    heard: tuple[str, ...] = ()
    put_off: str = ""
    highest: str = ""
    proved: str = ""
    unproved: str = ""

    def to(self, stage: Stage, why: Why, now_ms: int, **more: Any) -> Course:
        """At another stage, or there for another reason."""
        at_ms = self.at_ms if stage is self.stage and why == self.why else now_ms
        if stage in OVER:  # names of the home's devices and rules were for the proof alone
            more |= {"before": Before(), "heard": ()}
        return replace(self, stage=stage, why=dict(why), at_ms=at_ms, **more)

    def record(self) -> dict[str, Any]:
        """As JSON types."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return told | {
            "order": self.order.record() if self.order else None,
            "stage": self.stage.value,
            "before": self.before.record(),
            "heard": list(self.heard),
        }


def course_of(record: Mapping[str, Any]) -> Course:
    """What `Course.record` gave; fields that this version doesn't know are left out.

    Raises:
        ValueError, TypeError, AttributeError, KeyError: It is none.
    """
    known = {name: record[name] for name in Course.__dataclass_fields__ if name in record}
    order = known.get("order")
    known["order"] = order_of(order) if order else None
    known["stage"] = Stage(known["stage"])
    known["before"] = before_of(known.get("before", {}))
    known["heard"] = tuple(known.get("heard", ()))
    return Course(**known)


def shown(course: Course, running: str, slot: str, progress: float | None) -> dict[str, Any]:
    """The public state (``update/state.json``): what the gateway shows the operator, and obeys.

    ``journal`` is there while the new version is on trial: it then writes the journal in this schema, so that
    the old one can read it. While it is installed, too: after a power cut its gateway starts before its
    updater.
    """
    on_trial = course.stage in COMMITTED or course.stage is Stage.INSTALLING
    state = _SHOWN.get(course.stage, course.stage.value)
    told: dict[str, Any] = {
        "id": course.order.id if course.order else "",
        "version": course.order.version if course.order else "",
        "state": course.put_off or state,
        "why": dict(course.why),
        "at_ms": course.at_ms,
        "slot": slot,
        "running": running,
    }
    if progress is not None and course.stage in (Stage.LOADING, Stage.INSTALLING):
        told["progress"] = round(progress, 2)
    if on_trial and course.before.journal:
        told["journal"] = course.before.journal
    return told
