"""Nobody is in, and nobody said so: the door was used, and then the home is silent (decision 8).

A rule of the node's own, made of the language's expressions, so that it lives through restart and downtime as
all rules do. What it decides is the mode, and nothing is told of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from homenode.config.model import Silence
from homenode.engine.events import Acknowledge
from homenode.engine.mode import ModeState
from homenode.engine.rule import RuleState
from homenode.engine.transition import Happening, Transition
from homenode.home import PointState
from homenode.language.bound import (
    And,
    BoundRule,
    Changes,
    Compare,
    Expr,
    For,
    HasQuality,
    Not,
    Or,
    Since,
    Within,
)
from homenode.reading import Instant


def silence_rule(mode: str, silence: Silence) -> BoundRule:
    """Open from when the home counts as left until life is heard, or can no longer be."""
    seen: list[Expr] = [Compare(point, "==", True) for point in silence.quiet]
    came = Or(tuple(And((Changes(point), Compare(point, "==", True))) for point in silence.quiet))
    used = Changes(silence.door)
    life = (*seen, used)
    when = And(
        (
            For(Not(Or(life)), silence.after_ms),
            Within(used, silence.after_ms + silence.passage_ms),
            Since(Not(came), used),
        )
    )
    lost = [
        HasQuality(point, bad) for point in (silence.door, *silence.quiet) for bad in ("stale", "unknown")
    ]
    name = f"mode {mode}"  # no rule of a home has a space in its name
    return BoundRule(name, name, 1, "info", (), when, Or((*life, *lost)))


class AwayState(RuleState):
    """The life of that rule."""

    __slots__ = ("becomes", "door", "mode")

    mode: ModeState
    becomes: str
    door: PointState

    def judge(self, at: Instant, acknowledgements: Sequence[Acknowledge] = ()) -> list[Transition]:
        """Tells nobody but the mode."""
        for change in super().judge(at, acknowledgements):
            if change.event is Happening.RAISED:
                self.mode.left(self.becomes, at, self.door.changed or at)
            elif change.event is Happening.RESOLVED:
                self.mode.alive(at)
        return []
