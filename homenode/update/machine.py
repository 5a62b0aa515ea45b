"""What to do next with an update (pure): given where it is and what is known now.

::

    order ─► waiting ─► loading ─► (waiting for the window, busy) ─► installing ─► rebooting ─► trying ─► good
                │           │                                            │             │           │
                └► refused, cancelled, failed ◄──────────────────────────┘             │        falling
                                                                          failed ◄─────┴───────────┘

Each step may be done twice: what a power cut leaves is where the next start goes on. Loading disturbs nobody,
so it begins at once; what is put off to the window, and by what goes on in the home, is the restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from homenode.update import versions
from homenode.update.course import COMMITTED, OVER, Course, Stage
from homenode.update.order import Order
from homenode.update.proof import Before, Verdict
from homenode.update.words import Why, joined, why

LOOK_MS = 30_000
"""Between two looks at the window, and at a new order."""
BUSY_MS = 10 * 60_000
"""Between two looks whether the home is still busy: the operator, who sees the state, learns no moments."""
DEAF_MS = 30 * 60_000
"""A gateway that has not answered for so long has nothing going on that a restart would cut."""
CUT_MS = 24 * 3_600_000
"""A link that has been down for so long is waited for no more: the order came over it, so it was there."""
SETTLED_MS = 2 * 60_000
"""By then a gateway that started has its radio and its link up; before, it says too little of itself."""
FIRST_RETRY_MS, LONGEST_RETRY_MS = 10_000, 15 * 60_000
MOST_WRONG = 2
"""Times that a file may come with another sum, and that RAUC may fail, before it is given up."""
MOST_BOOTS = 6
"""Starts of a version on trial; a resident who pulls the plug more often gets the old one back."""


class Do(Enum):
    """What the edge is to do; then it tells what came of it, or asks again."""

    END = "nothing is ordered, or it is over"
    WAIT = "look again"
    LOAD = "load the bundle, or go on with it"
    INSTALL = "check it and have RAUC install it"
    REBOOT = "restart the machine"
    TAKE_BACK = "have the boot loader start the slot that runs again, and not what was installed"
    PROVE = "ask the gateway and judge"
    FALL_BACK = "mark this slot bad, the other one active, and restart"


@dataclass(frozen=True, slots=True)
class Step:
    """The course from now on, what to do, and how long it may wait before it asks again."""

    course: Course
    do: Do
    wait_ms: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What the edge knows.

    Attributes:
        now_ms: The wall clock; None while it can't be trusted.
        minute: Of the local day; None likewise.
        order: The newest one that was given.
        running: The version that runs, and `slot` its slot.
        loaded: The whole bundle is there and is the ordered one.
        busy: Something goes on in the home that a restart would cut; None: the gateway doesn't answer.
        up_ms: For how long the gateway has been up.
        deaf_ms: For how long it hasn't answered as one that is settled.
        cut_ms: For how long the home's link has been seen down.
        allows: Why the order's exception doesn't hold ("" if it does, or there is none).
    """

    now_ms: int | None
    minute: int | None
    order: Order | None
    running: str
    slot: str
    loaded: bool = False
    busy: bool | None = False
    up_ms: int = SETTLED_MS
    deaf_ms: int = 0
    cut_ms: int = 0
    allows: str = ""


def step(course: Course, known: Known) -> Step:
    """What to do now."""
    if _is_other_wish(course, known) and course.stage is Stage.REBOOTING and known.slot == course.source_slot:
        return Step(course, Do.TAKE_BACK)
    course = _taken(course, known)
    if course.stage in OVER or course.order is None:
        return Step(course, Do.END)
    if course.stage is Stage.TRYING:
        return Step(course, Do.PROVE)
    if course.stage is Stage.FALLING:
        return Step(course, Do.FALL_BACK)
    now_ms = known.now_ms or 0
    if course.stage is Stage.REBOOTING:
        if reason := _window(course.order, known):
            return Step(course.to(course.stage, reason, now_ms, put_off="waiting"), Do.WAIT, LOOK_MS)
        if reason := _put_off(known):
            return Step(course.to(course.stage, reason, now_ms, put_off="busy"), Do.WAIT, BUSY_MS)
        if reason := _unsettled(known):
            return Step(course.to(course.stage, reason, now_ms, put_off="waiting"), Do.WAIT, LOOK_MS)
        told = why("rebooting", version=course.order.version)
        return Step(course.to(course.stage, told, now_ms, put_off=""), Do.REBOOT)
    return _before_restart(course, course.order, known, now_ms)


def _before_restart(course: Course, order: Order, known: Known, now_ms: int) -> Step:
    def wait(reason: Why, wait_ms: int = LOOK_MS) -> Step:
        return Step(course.to(Stage.WAITING, reason, now_ms), Do.WAIT, min(wait_ms, LOOK_MS))

    if known.allows and older_than(course, order, known.running):
        if known.now_ms is None:  # a leave of today is none of 1970, and would be refused for good
            return wait(why("clock"))
        return Step(course.to(Stage.REFUSED, why("exception", more=known.allows), now_ms), Do.END)
    if order.not_before_ms > now_ms:
        return wait(why("not_before"), order.not_before_ms - now_ms)
    if not known.loaded:
        return Step(course.to(Stage.LOADING, why("loading"), now_ms), Do.LOAD)
    if known.now_ms is None:  # a signature of today is none of 1970, and would be refused for good
        return wait(why("clock"))
    if closed := _window(order, known):
        return wait(closed)
    if reason := _put_off(known):
        return Step(course.to(Stage.BUSY, reason, now_ms), Do.WAIT, BUSY_MS)
    if reason := _unsettled(known):
        return wait(reason)
    return Step(course.to(Stage.INSTALLING, why("installing"), now_ms), Do.INSTALL)


def _window(order: Order, known: Known) -> Why | None:
    """That the order's hours are not now, or nobody knows."""
    if order.window is None or (known.minute is not None and order.window.is_open(known.minute)):
        return None
    if known.minute is None:
        return why("clock")
    return why("window", window="-".join(f"{one // 60:02}:{one % 60:02}" for one in order.window))


def _put_off(known: Known) -> Why | None:
    """Why nobody may restart now; not with what the home is busy, as the operator is told this."""
    if known.busy is None:
        return why("deaf") if known.deaf_ms < DEAF_MS else None
    return why("busy") if known.busy else None


def _unsettled(known: Known) -> Why | None:
    """That the gateway can't say yet what will have to be proved. Nobody waits for one that never settles."""
    if known.busy is None or known.deaf_ms >= DEAF_MS:
        return None
    if known.up_ms < SETTLED_MS:
        return why("settles")
    return why("link") if 0 < known.cut_ms < CUT_MS else None


def _is_other_wish(course: Course, known: Known) -> bool:
    """Whether there is another order than the one that is carried out."""
    return known.order is not None and (course.order is None or course.order.id != known.order.id)


def _taken(course: Course, known: Known) -> Course:
    """The newest order takes the place of the one before, unless that has gone too far."""
    order, now_ms = known.order, known.now_ms or 0
    if order is None or not _is_other_wish(course, known) or course.stage in COMMITTED:
        return course
    proved = _proved(course)
    new = Course(order=order, highest=course.highest, proved=proved, unproved=course.unproved)
    if order.cancel:
        if course.stage in OVER:
            return replace(course, order=replace(course.order or order, id=order.id))
        gone = replace(order, version=course.order.version if course.order else "")
        return replace(new, order=gone).to(Stage.CANCELLED, why("cancelled", more=order.by), now_ms)
    if versions.same(order.version, known.running):
        return new.to(Stage.GOOD, why("same", version=order.version), now_ms)
    if (highest := older_than(course, order, known.running)) and not order.exception:
        return new.to(Stage.REFUSED, why("older", version=order.version, highest=highest), now_ms)
    return new.to(Stage.WAITING, why(""), now_ms)


def older_than(course: Course, order: Order, running: str) -> str:
    """The version that forbids the ordered one, unless the operator signs an exception; "" if none does.

    One that proved good here, and that the boot loader gave up since, may come again.
    """
    highest = course.highest if versions.is_later(course.highest or "0", running) else running
    again = versions.same(order.version, highest) and versions.is_later(order.version, running)
    return "" if again or versions.is_later(order.version, highest) else highest


# -- what came of it


def loaded(course: Course, code: str, now_ms: int, more: str = "") -> tuple[Course, int]:
    """Loading ended: `code` "" if all is there, else of `words`. Also: how long to wait before it goes on."""
    if not code:
        return replace(course, tries=0, sums=0), 0
    tries, sums = course.tries + 1, course.sums + (code == "sum")
    if code in ("gone", "large", "room") or sums >= MOST_WRONG:
        return course.to(Stage.FAILED, why(code, more=more), now_ms, tries=0, sums=0), 0
    wait_ms = min(LONGEST_RETRY_MS, FIRST_RETRY_MS << min(tries - 1, 10))
    return course.to(Stage.LOADING, why(code, more=more), now_ms, tries=tries, sums=sums), wait_ms


def installing(course: Course, known: Known, before: Before, slot: str) -> Course:
    """RAUC is about to write to `slot`: from then on a restart may come up in it."""
    source, source_slot = known.running, known.slot
    return replace(course, source=source, source_slot=source_slot, slot=slot, unproved=slot, before=before)


def installed(course: Course, code: str, now_ms: int, boot: str, more: str = "") -> Course:
    """RAUC has done it (`code` ""), or not."""
    assert course.order is not None
    version = course.order.version
    if not code:
        told = why("rebooting", version=version)
        return course.to(Stage.REBOOTING, told, now_ms, boot=boot, tries=0, boots=0, fast=0, heard=())
    told = why(code, more=more, version=version)
    if code in ("board", "signature", "version"):
        return course.to(Stage.REFUSED, told, now_ms, tries=0)
    tries = course.tries + 1
    return course.to(Stage.FAILED if tries >= MOST_WRONG else Stage.INSTALLING, told, now_ms, tries=tries)


def taken_back(course: Course, now_ms: int) -> Course:
    """The boot loader starts the old version again: the order that came meanwhile may be looked at."""
    return course.to(Stage.WAITING, why(""), now_ms, put_off="")


def forgotten(course: Course) -> Course:
    """The order is gone, as the tenancy is in which it was given: what runs is as it is.

    Without an id it is none that anybody gave, but what `lost` has to tell.
    """
    if course.order is None or not course.order.id or course.stage in COMMITTED:
        return course
    return Course(highest=course.highest, proved=_proved(course), unproved=course.unproved)


@dataclass(frozen=True, slots=True)
class Boot:
    """A start of the machine.

    Attributes:
        slot: In which it came up, and `spare` whether the other one can be started.
        starts, deadline_min: What earlier ones left written down.
    """

    id: str
    slot: str
    starts: int = 0
    deadline_min: int = 0
    spare: bool = True


def lost(
    order: Order | None, *, running: str, boot: Boot, trial: tuple[str, str] | None, now_ms: int
) -> Course:
    """Nothing is remembered, or it can't be read.

    Args:
        order: The newest one; it is not begun anew, as it may be what went wrong.
        running: The version that runs.
        trial: The slot that is on trial by what the watch goes by, and the old one.
    """
    if trial is not None and trial[0] == boot.slot and boot.spare:  # nobody knows what has to be proved
        if order is None or order.cancel:
            order = Order(order.id if order else "", "", 0, cancel=True, version=running)
        slot, old = trial
        course = Course(order=order, slot=slot, source_slot=old, boot=boot.id, unproved=slot)
        return course.to(Stage.FALLING, why("lost", version=running), now_ms)
    if order is None:
        return Course()
    return Course(order=order).to(Stage.FAILED, why("lost", version=order.version or running), now_ms)


def booted(course: Course, boot: Boot, now_ms: int) -> Course:
    """The updater starts: where does that leave the update? A second time in one boot it changes nothing."""
    order = course.order
    if order is None or boot.id == course.boot:
        return course
    cut = course.stage is Stage.INSTALLING and course.slot and boot.slot == course.slot
    if course.stage in (Stage.REBOOTING, Stage.TRYING) or cut:
        if boot.slot != course.slot:
            return course.to(Stage.FAILED, _fell(course, boot), now_ms, boot=boot.id, put_off="")
        boots = course.boots + 1
        if boots > MOST_BOOTS:
            often = why("restarts", version=order.version, more=boots - 1)
            return course.to(Stage.FALLING, often, now_ms, boot=boot.id, boots=boots)
        told: Why = course.why if course.boots else why("begun", version=order.version)
        return course.to(Stage.TRYING, told, now_ms, boot=boot.id, boots=boots, put_off="")
    if course.stage is Stage.FALLING:
        if boot.slot != course.slot:
            return course.to(Stage.FAILED, course.why, now_ms, boot=boot.id)
        if boot.spare:
            return course
        told = joined(course.why, why("alone"))
        return course.to(Stage.FAILED, told, now_ms, boot=boot.id, proved=boot.slot, unproved="")
    if boot.slot == course.unproved and boot.spare:
        strayed = replace(course, slot=boot.slot, boot=boot.id)
        return strayed.to(Stage.FALLING, why("unproved", more=boot.slot), now_ms)
    if course.stage in OVER and _proved(course) not in ("", boot.slot):
        version = order.version if course.slot == _proved(course) else course.highest
        worn = why("worn", version=version, more=_proved(course))
        return course.to(Stage.FAILED, worn, now_ms, boot=boot.id, proved=boot.slot)
    return course


def _proved(course: Course) -> str:
    """Kept since 2026-11; before, only the order that became good knew its slot."""
    return (course.slot if course.stage is Stage.GOOD else "") or course.proved


def winds_up(course: Course, slot: str) -> bool:
    """Whether what runs in `slot` proved good: then the boot loader, which counts each start, counts anew."""
    return course.stage not in (Stage.TRYING, Stage.FALLING) and slot != course.unproved


def _fell(course: Course, boot: Boot) -> Why:
    """Why the old version is back though the new one said nothing."""
    assert course.order is not None
    version = course.order.version
    if boot.deadline_min:
        return why("deadline", version=version, more=boot.deadline_min)
    if boot.starts:
        return why("hung", version=version, more=boot.starts)
    return why("never", version=version)


def judged(course: Course, verdict: Verdict, heard: Sequence[str], now_ms: int) -> Course:
    """The judge has said something of the version on trial."""
    assert course.order is not None
    version = course.order.version
    more: dict[str, Any] = {"heard": tuple(sorted({*course.heard, *heard}))}
    if verdict.good:
        highest = version if versions.is_later(version, course.highest) else course.highest
        more |= {"highest": highest, "proved": course.slot, "unproved": ""}
        return course.to(Stage.GOOD, why("good", version=version), now_ms, **more)

    def told(code: str) -> dict[str, str]:
        lacks = verdict.lacks
        return {one: why(code, version=version, more=lacks[one])[one] for one in ("sv", "en")}

    if verdict.bad:
        return course.to(Stage.FALLING, told("bad"), now_ms, **more)
    fast: dict[str, Any] = {"fast": course.boots} if verdict.fast else {}
    return course.to(Stage.TRYING, told("trying"), now_ms, **more, **fast)
