"""Looks through cameras, from the question or the grant to the end: a state machine given `now` (pure).

One viewer a camera: it is taken until nothing of a session is left, which its edge tells (`gone`). Whatever
comes late, twice or for a session that is over changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from homenode.config.model import Decision
from homenode.errors import NoLook
from homenode.reading import Instant
from homenode.session.decision import Wish

LEASE_MS = 30_000
"""A viewer who isn't heard of for so long is gone. The console renews every 10 s, so two may be lost."""

_REMEMBERED = 32
"""Looks that are over: whoever asks for more of one is told why."""


class State(Enum):
    """How far a session has come."""

    ASKED = "asked"
    GRANTED = "granted"
    LIVE = "live"
    ENDED = "ended"


class Step(Enum):
    """What moves a session on."""

    GRANT = "grant"
    SHOW = "show"
    END = "end"


NEXT = {
    (State.ASKED, Step.GRANT): State.GRANTED,
    (State.ASKED, Step.END): State.ENDED,
    (State.GRANTED, Step.SHOW): State.LIVE,
    (State.GRANTED, Step.END): State.ENDED,
    (State.LIVE, Step.END): State.ENDED,
}
"""All that can happen; anything else is late and changes nothing."""


class Why(Enum):
    """What ended a session."""

    REFUSED = "refused"  # by the resident
    UNANSWERED = "unanswered"
    STOPPED = "stopped"  # by the resident
    VIEWER = "viewer"
    LEASE = "lease"  # the viewer was not heard of
    LIMIT = "limit"  # the longest that the decision allows
    DECISION = "decision"  # holds no longer: the hour, the mode, home.yaml
    LINK = "link"
    CAPTURE = "capture"  # the camera or its process
    INDICATOR = "indicator"  # nobody in the room could tell
    STORAGE = "storage"  # it could not be written down
    NODE = "node"  # stopped or started again


@dataclass(slots=True)
class Session:
    """One look.

    Attributes:
        since: When it was asked for.
        due: When it ends, or the question is over, unless something happens.
        limit: When it ends in any case; 0 before it is granted.
        seen: When the first picture was shown; None if none was.
    """

    id: str
    wish: Wish
    decision: Decision
    since: Instant
    state: State
    due: Instant
    limit: Instant = 0
    seen: Instant | None = None
    why: Why | None = None

    @property
    def over_time(self) -> Why:
        """What it means that its time is up."""
        return Why.LIMIT if self.due >= self.limit else Why.LEASE


class Sessions:
    """Those of one home. Each method returns the sessions that it moved on, in order."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._gone: dict[str, Session] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def request(self, session: str, wish: Wish, decision: Decision, now: Instant) -> list[Session]:
        """A look that `decision` allows is asked for.

        Raises:
            NoLook: Somebody looks through this camera, or the resident is being asked about it.
        """
        if any(one.wish.camera == wish.camera for one in self):
            raise NoLook("busy", f"somebody looks through {wish.camera} already", do="try again later")
        made = Session(session, wish, decision, now, State.ASKED, now + decision.answer_within_ms)
        self._sessions[session] = made
        return [made] if decision.ask else self._move(made, Step.GRANT, now)

    def ending(self, camera: str) -> bool:
        """Whether something is left of a look through this camera that is over."""
        return any(one.wish.camera == camera and one.state is State.ENDED for one in self)

    def answer(self, yes: bool, now: Instant) -> list[Session]:
        """The resident answered what is being asked."""
        moved: list[Session] = []
        for one in self:
            if one.state is State.ASKED:
                moved += self._move(one, Step.GRANT, now) if yes else self._end(one, Why.REFUSED, now)
        return moved

    def stop(self, now: Instant) -> list[Session]:
        """The resident wants nobody to look: that is a no to what is being asked, too."""
        return self.answer(False, now) + self.end_all(Why.STOPPED, now)

    def shown(self, session: str, now: Instant) -> list[Session]:
        """The first picture went to the viewer."""
        one = self._sessions.get(session)
        moved = self._move(one, Step.SHOW, now) if one is not None else []
        for live in moved:
            live.seen = now
        return moved

    def running(self, session: str, party: str, now: Instant) -> Session:
        """The granted session of this id.

        Raises:
            NoLook: It never was this party's; or it is over, and why.
        """
        one = self._sessions.get(session) or self._gone.get(session)
        if one is None or one.wish.party != party or one.state is State.ASKED:
            raise NoLook("no_session", f"there is no session {session!r}")
        if one.state is State.ENDED or now >= one.due:
            why = one.why or one.over_time
            raise NoLook(why.value, f"the session {session} is over: {why.value}")
        return one

    def renew(self, session: str, party: str, now: Instant) -> Session:
        """The viewer is still there. Raises NoLook, as `running`."""
        one = self.running(session, party, now)
        one.due = min(now + LEASE_MS, one.limit)
        return one

    def again(self, session: str, party: str, view: str, now: Instant) -> tuple[Session, bool]:
        """The same viewer comes back, perhaps for another view ("": for the same); whether it is another.

        Raises:
            NoLook: As `running`, or the decision doesn't allow that view.
        """
        one = self.renew(session, party, now)
        if view in ("", one.wish.view):
            return one, False
        if view not in one.decision.views:
            allowed = ", ".join(one.decision.views)
            raise NoLook("view", f"the view {view} is not allowed; allowed: {allowed}")
        one.wish = replace(one.wish, view=view)
        return one, True

    def end(self, session: str, why: Why, now: Instant) -> list[Session]:
        """Something ends it; nothing if it is over."""
        one = self._sessions.get(session)
        return self._end(one, why, now) if one is not None else []

    def end_all(self, why: Why, now: Instant) -> list[Session]:
        """Something ends all of them."""
        return [moved for one in self for moved in self._end(one, why, now)]

    def advance(self, now: Instant, still_allowed: Callable[[Session], bool]) -> list[Session]:
        """Time has passed.

        Args:
            still_allowed: Whether a session's decision still holds.
        """
        moved: list[Session] = []
        for one in self:
            if one.state is not State.ENDED and not still_allowed(one):
                moved += self._end(one, Why.DECISION, now)
            elif now >= one.due:
                moved += self._time_is_up(one, now)
        return moved

    def _time_is_up(self, one: Session, now: Instant) -> list[Session]:
        if one.state is not State.ASKED:
            return self._end(one, one.over_time, now)
        if one.decision.no_answer == "grant":
            return self._move(one, Step.GRANT, now)
        return self._end(one, Why.UNANSWERED, now)

    def gone(self, session: str) -> None:
        """Nothing of it is left: process, lamp and light; its camera is free."""
        one = self._sessions.get(session)
        if one is not None and one.state is State.ENDED:
            self._gone[session] = self._sessions.pop(session)
            while len(self._gone) > _REMEMBERED:
                del self._gone[next(iter(self._gone))]

    def _move(self, one: Session, step: Step, now: Instant) -> list[Session]:
        state = NEXT.get((one.state, step))
        if state is None:
            return []
        one.state = state
        if state is State.GRANTED:
            one.limit = now + one.decision.longest_ms
            one.due = min(now + LEASE_MS, one.limit)
        return [one]

    def _end(self, one: Session, why: Why, now: Instant) -> list[Session]:
        moved = self._move(one, Step.END, now)
        for ended in moved:
            ended.why, ended.due = why, now
        return moved
