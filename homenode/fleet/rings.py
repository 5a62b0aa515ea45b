"""An update to many homes, ring by ring; it halts by itself where homes get worse (pure, given `now`).

A home goes PLANNED → SENT → UNDER_WAY → GOOD | FAILED, or is LEFT behind: not there, or put off for too long.
A ring is done when each of its homes is at an end, the soak was watched, and no home has just got worse.
Nothing goes on to the next ring on the word of homes that were not there: a ring in which no home became good
halts.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

from homenode.fleet.board import LONGEST_TEXT, Home, word
from homenode.fleet.plan import ENDS, At, Course, Plan, Ring, Step
from homenode.fleet.worse import is_online, mark, picture, worse
from homenode.update import versions

MIN_MS = 60_000
AGAIN_MS = 2 * MIN_MS
"""An order that nobody answered is sent again, under the same id."""
UNWATCHED_MS = 5 * MIN_MS
"""Between two looks; longer, nobody looked: the tool was stopped, its machine slept, no broker was there."""
PASSING = ("busy", "clock", "expired")
"""Codes of refusals that pass: too many commands under way, the node's clock is not set yet, the broker kept
the order for a home that was away for longer than it counts."""
NO_SLOTS = "no_slots"
"""Code of a node's refusal that is installed by hand, from its package."""
OVER = ("failed", "refused", "cancelled")
"""States of a node's update that end it without the new version."""
ORDERED = "ordered"
"""Of a home that took the order, and has said nothing of it yet."""
NOT_BEGUN = ("", ORDERED, "waiting", "busy", "loading")
"""States from which an update can be called off as if it had never been ordered."""
NOT_THERE, UNKNOWN = "not there", "tells nothing of its health"
"""Why a home is left behind that is ordered once it is there and tells."""


def _tells(home: Home, now: int) -> bool:
    """Whether it is there, and one can know if it gets worse."""
    return is_online(home, now) and home.status_ms is not None


class Rollout:
    """One version on its way.

    Args:
        key: Of this rollout, in the ids of its orders: a node answers an id again without doing it again.

    Attributes:
        halted: Why it stands still; "" while it goes on.
        ended: ``done`` or ``cancelled``; "" before.
    """

    def __init__(self, plan: Plan, version: str, key: str = "") -> None:
        self.plan, self.version, self.key = plan, version, key
        self.courses: dict[str, Course] = {}
        self.halted = self.ended = ""
        self._nth = 0
        self._turn_ms: int | None = None
        """Since when it is the ring's turn."""
        self._ring_ms: int | None = None
        """When the last home of the ring came to its end; later by what nobody watched."""
        self._looked_ms: int | None = None
        """The last look, to the minute: it is kept on the disk."""

    # -- who is where

    @property
    def ring(self) -> Ring | None:
        """The one whose turn it is; None after the last."""
        return self.plan.rings[self._nth] if self._nth < len(self.plan.rings) else None

    def id_of(self, home: str) -> str:
        """Of the order: the same over repeats and restarts of this tool."""
        return f"update-{self.key}-{self.courses[home].tries}"

    def _in(self, ring: str) -> dict[str, Course]:
        return {name: course for name, course in self.courses.items() if course.ring == ring}

    # -- what happens

    def step(self, homes: Mapping[str, Home], now: int) -> Step:
        """What is to be done now.

        Args:
            homes: All that is known.
            now: Wall time in ms.
        """
        step = Step()
        if self.ended:
            return step
        if self._looked_ms is None:  # a slip of the hand moves a home to the ring of all that are left
            step.news += [
                f"ring {ring.name}: no home is called {pattern}"
                for ring in self.plan.rings
                for pattern in ring.homes
                if not any(fnmatchcase(name, pattern) for name in homes)
            ]
        self._skip_unwatched(now)
        for name in sorted(homes):
            if name not in self.courses and (ring := self.plan.ring_of(name, self.version)):
                self.courses[name] = Course(ring, since_ms=now)
        for name, course in self.courses.items():
            if (home := homes.get(name)) is not None:
                self._look(course, home, now, step)
        if not self.halted:
            self._wait(homes, now, step)
            self._judge(now, step)
        if not self.halted:
            self._go_on(homes, now, step)
        self._call_off_again(homes, now, step)
        return step

    def _skip_unwatched(self, now: int) -> None:
        """Soak and patience go on from where the last look left them."""
        gap_ms = 0 if self._looked_ms is None else now - self._looked_ms
        if gap_ms > UNWATCHED_MS or gap_ms < 0:  # a clock that is set back, too
            self._ring_ms = None if self._ring_ms is None else self._ring_ms + gap_ms
            self._turn_ms = None if self._turn_ms is None else self._turn_ms + gap_ms
            for course in self.courses.values():
                course.since_ms += gap_ms
                course.sent_ms += min(gap_ms, 0)
                course.worse_ms = None if course.worse_ms is None else course.worse_ms + gap_ms
        if self._looked_ms is None or not 0 <= gap_ms < MIN_MS:
            self._looked_ms = now

    def _look(self, course: Course, home: Home, now: int, step: Step) -> None:
        """Where the home has come to, and whether it is worse than before."""
        if course.called_off and home.update.get("state") == "cancelled":  # that was this tool
            course.called_off = False
            course.before = {**course.before, "mark": mark(home)}
        update = home.update if mark(home) != course.before.get("mark") else {}
        ours = update.get("version") == self.version
        state = str(update.get("state", "")) if ours else ""
        if not course.tries:
            if course.at is not At.GOOD and self._runs(home) and home.update.get("state") != "trying":
                self._to(course, home, At.GOOD, "had it", now, step)
            elif course.at is At.GOOD and home.version and not self._runs(home):
                self._to(course, home, At.PLANNED, f"runs {home.version} again", now, step)
            return
        if state == "good" and self._runs(home) and course.at is not At.GOOD:
            self._to(course, home, At.GOOD, "", now, step)
        elif state in OVER and course.at not in (At.GOOD, At.FAILED, At.PLANNED):
            said = update.get("why") or {}
            self._to(
                course, home, At.FAILED, f"{state}: {said.get('en') or said.get('sv') or '-'}", now, step
            )
            course.harmed = state != "cancelled"
        elif (state and course.at in (At.SENT, At.UNDER_WAY) and state != course.why) or (
            course.at is At.PLANNED and state not in (*NOT_BEGUN, *OVER)
        ):
            if course.at is not At.UNDER_WAY or (course.why in NOT_BEGUN and state not in NOT_BEGUN):
                course.since_ms = now
            course.at, course.why = At.UNDER_WAY, state
        elif course.at is At.UNDER_WAY and course.why != ORDERED and update.get("version") and not ours:
            other = update["version"]  # whoever ordered that: this one is waited for in vain
            self._to(course, home, At.LEFT, f"{other} was ordered there since", now, step)
        how = worse(home, course.before, now)
        if not how and course.at is At.GOOD and home.version and not self._runs(home):
            how = f"runs {home.version} again"
        if not how:
            course.worse_ms, course.worse = None, ""
            if course.at is not At.FAILED:
                course.harmed = False
        elif course.worse_ms is None:
            course.worse_ms = now
        elif now - course.worse_ms >= self.plan.settle_ms and not course.harmed:
            course.harmed, course.worse = True, how
            step.news.append(f"{home.name}: worse than before: {how}")

    def _runs(self, home: Home) -> bool:
        """Whether it runs the version, however that is written."""
        with suppress(ValueError):
            return versions.same(home.version, self.version)
        return home.version == self.version

    def _to(self, course: Course, home: Home, at: At, why: str, now: int, step: Step) -> None:
        course.at, course.since_ms, course.why = at, now, why
        step.news.append(f"{home.name}: {at.value}{f' ({why})' if why else ''}")

    def _wait(self, homes: Mapping[str, Home], now: int, step: Step) -> None:
        """Who was waited for too long, and who came back."""
        turns = {ring.name for ring in self.plan.rings[: self._nth + 1]}
        for name, course in self.courses.items():
            if course.ring not in turns:
                continue
            there = name in homes and _tells(homes[name], now)
            if there and course.at is At.LEFT and course.why in (NOT_THERE, UNKNOWN):
                course.at, course.since_ms = At.PLANNED, now
            since_ms = course.since_ms
            if course.at is At.PLANNED:  # for as long as it is there it is only not its turn
                since_ms = now if there or self._turn_ms is None else max(since_ms, self._turn_ms)
            if course.at not in ENDS and now - since_ms >= self.plan.patience_ms:
                self._lose_patience(name, course, homes.get(name), now, step)

    def _judge(self, now: int, step: Step) -> None:
        """Halt where more homes of a ring got worse than may."""
        for ring in self.plan.rings:
            mine = [one for one in self._in(ring.name).items() if one[1].tries and not one[1].accepted]
            harmed = [name for name, course in mine if course.harmed]
            if len(harmed) > int(self.plan.allow * len(mine)):
                shown = ", ".join(f"{name} ({self.courses[name].told})" for name in harmed[:5])
                more = f" and {len(harmed) - 5} more" if len(harmed) > 5 else ""
                self._halt(
                    f"ring {ring.name}: {len(harmed)} of {len(mine)} homes are worse: {shown}{more}",
                    now,
                    step,
                )
                return

    def _halt(self, why: str, now: int, step: Step) -> None:
        self.halted = why
        step.news.append(f"HALTED: {why}")
        self._call_off(now, step)

    def _call_off(self, now: int, step: Step) -> None:
        """Whoever has not begun shall not; who has, ends, and is watched."""
        for name, course in self.courses.items():
            if course.at in (At.SENT, At.UNDER_WAY) and course.why in NOT_BEGUN:
                step.cancel.append(name)
                course.at, course.why = At.PLANNED, "called off"
                course.sent_ms, course.called_off = now, True

    def _call_off_again(self, homes: Mapping[str, Home], now: int, step: Step) -> None:
        """Who was away when it was called off, and comes back with the order."""
        for name, course in self.courses.items():
            home = homes.get(name)
            if home is None or not course.tries or course.at not in (At.PLANNED, At.LEFT):
                continue
            if now - course.sent_ms < AGAIN_MS:
                continue
            still = mark(home) != course.before.get("mark") and home.update.get("state") in NOT_BEGUN[1:]
            if still and home.update.get("version") == self.version and is_online(home, now):
                course.sent_ms, course.called_off = now, True
                step.cancel.append(name)

    def _go_on(self, homes: Mapping[str, Home], now: int, step: Step) -> None:
        for past in self.plan.rings[: self._nth]:  # who came back, or is new
            self._order(past, self._in(past.name), homes, now, step)
        while (ring := self.ring) is not None:
            self._turn_ms = now if self._turn_ms is None else self._turn_ms
            mine = self._in(ring.name)
            if not mine:
                self._halt(f"ring {ring.name}: there is no home in it", now, step)
                return
            self._order(ring, mine, homes, now, step)
            if any(course.at not in ENDS for course in mine.values()):
                self._ring_ms = None
                return
            accepted = all(course.accepted for course in mine.values())
            if not accepted and not any(course.at is At.GOOD for course in mine.values()):
                self._halt(f"ring {ring.name}: no home has become good", now, step)
                return
            if self._ring_ms is None and not any(course.tries for course in mine.values()):
                self._ring_ms = now - self.plan.soak_ms  # all had it
            elif self._ring_ms is None:
                self._ring_ms = now
                step.news.append(f"ring {ring.name}: all at an end, and watched now")
            if now - self._ring_ms < self.plan.soak_ms or self._is_settling():
                return
            step.news.append(f"ring {ring.name}: done")
            self._nth, self._ring_ms, self._turn_ms = self._nth + 1, None, None
        self.ended = "done"
        step.news.append(f"{self.version}: done")

    def _is_settling(self) -> bool:
        """Whether of a home that was ordered nobody knows yet if it stays worse."""
        unjudged = (one for one in self.courses.values() if not one.harmed and not one.accepted)
        return any(course.worse_ms is not None for course in unjudged)

    def _order(
        self, ring: Ring, mine: Mapping[str, Course], homes: Mapping[str, Home], now: int, step: Step
    ) -> None:
        busy = sum(course.at in (At.SENT, At.UNDER_WAY) for course in mine.values())
        for name, course in mine.items():
            home = homes.get(name)
            if home is None or not _tells(home, now):
                continue
            if course.at is At.PLANNED and not (ring.at_once and busy >= ring.at_once):
                course.at, course.since_ms, course.sent_ms, course.why = At.SENT, now, now, ""
                course.tries += 1
                if course.accepted or not course.before:
                    course.before = picture(home)
                    course.harmed, course.accepted, course.worse, course.worse_ms = False, False, "", None
                course.before = {**course.before, "mark": mark(home)}
                step.order.append(name)
                busy += 1
            elif course.at is At.SENT and now - course.sent_ms >= AGAIN_MS:
                course.sent_ms = now
                step.order.append(name)

    def _lose_patience(self, name: str, course: Course, home: Home | None, now: int, step: Step) -> None:
        """One that has begun and never ended has failed; any other is only left behind."""
        begun = course.at is At.UNDER_WAY and course.why not in NOT_BEGUN
        if begun:
            why = f"begun and not ended: {course.why}"
        elif home is None or not is_online(home, now):
            why = NOT_THERE
        else:
            why = "put off for too long" if _tells(home, now) else UNKNOWN
        if course.at is not At.PLANNED and not begun:
            step.cancel.append(name)
            course.sent_ms, course.called_off = now, True
        course.at, course.since_ms, course.why = At.FAILED if begun else At.LEFT, now, why
        course.harmed = course.harmed or begun
        step.news.append(f"{name}: {course.at.value} ({why})")

    def replied(self, home: str, body: Mapping[str, Any], now: int) -> list[str]:
        """A home's answer to a command; returns news."""
        course = self.courses.get(home)
        if course is None or course.at is not At.SENT or body.get("id") != self.id_of(home):
            return []
        if body.get("ok") is True:
            course.at, course.since_ms, course.why = At.UNDER_WAY, now, ORDERED
            return [f"{home}: ordered"]
        error = body.get("error")
        said = error if isinstance(error, dict) else {}
        if said.get("code") in PASSING:
            course.tries += 1  # the answer to this id is remembered, and stays the same
            return []
        if said.get("code") == NO_SLOTS:
            course.at, course.since_ms, course.why = At.LEFT, now, "no second slot to update into"
            return [f"{home}: {course.at.value} ({course.why})"]
        course.at, course.since_ms, course.harmed = At.FAILED, now, True
        text = " ".join(str(said.get("text", "-")).split())
        course.why = f"refused: {word(text, LONGEST_TEXT)}"
        return [f"{home}: failed ({course.why})"]

    # -- what a person wants

    def halt(self, why: str, now: int) -> Step:
        """Order nobody else, and call off whoever has not begun."""
        step = Step()
        if not self.ended and not self.halted:
            self._halt(why, now, step)
        return step

    def resume(self) -> Step:
        """Go on: what is worse so far was looked at."""
        if self.ended or not self.halted:
            return Step()
        self.halted, self._turn_ms = "", None  # nobody was ordered meanwhile
        if self.ring is not None and not self._in(self.ring.name):
            self._nth += 1
        for course in self.courses.values():
            course.accepted = course.accepted or course.harmed or course.at in (At.LEFT, At.FAILED)
        return Step(news=["goes on"])

    def cancel(self, now: int) -> Step:
        """For good. Homes that have the new version keep it."""
        step = Step()
        if not self.ended:
            self._call_off(now, step)
            self.ended = "cancelled"
            step.news.append(f"{self.version}: cancelled")
        return step

    def counted(self) -> dict[str, dict[str, int]]:
        """Ring to how many of its homes are where."""
        table: dict[str, dict[str, int]] = {ring.name: {} for ring in self.plan.rings}
        for course in self.courses.values():
            row = table[course.ring]
            row[course.at.value] = row.get(course.at.value, 0) + 1
        for name, row in table.items():
            row["worse"] = sum(course.harmed for course in self._in(name).values())
        return table

    # -- through a restart of the tool

    def dump(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "version": self.version,
            "key": self.key,
            "plan": asdict(self.plan),
            "courses": {name: {**asdict(one), "at": one.at.value} for name, one in self.courses.items()},
            "halted": self.halted,
            "ended": self.ended,
            "nth": self._nth,
            "turn_ms": self._turn_ms,
            "ring_ms": self._ring_ms,
            "looked_ms": self._looked_ms,
        }

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Rollout:
        """What `dump` gave."""
        given = dict(state["plan"])
        for name in ("rings", "before"):
            given[name] = tuple(
                Ring(**{**ring, "homes": tuple(ring["homes"])}) for ring in given.get(name, ())
            )
        made = cls(Plan(**given), state["version"], state["key"])
        made.courses = {
            name: Course(**{**one, "at": At(one["at"])}) for name, one in state["courses"].items()
        }
        made.halted, made.ended = state["halted"], state["ended"]
        made._nth, made._turn_ms = state["nth"], state["turn_ms"]
        # Kept before looks were: how long the ring was watched nobody knows, so its soak begins anew.
        made._looked_ms = state.get("looked_ms")
        made._ring_ms = state["ring_ms"] if made._looked_ms is not None else None
        return made
