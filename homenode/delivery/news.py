"""What the node says of itself that is no fault: a mode that lasted its longest and ended (pure).

An alert of severity ``info`` that no rule raised, open until somebody acknowledges it or a day is over.
"""

from __future__ import annotations

from homenode.config.durations import words
from homenode.delivery.alerts import OpenAlert
from homenode.engine.mode import SILENCE, Over
from homenode.reading import Instant

NODE = "node"
"""Its subject, as that of the node's faults."""

_WORDS_SV = {"away": "borta", "hospital": "sjukhus", "visit": "besök", "service": "service"}


def mode_over(over: Over, at: Instant) -> OpenAlert | None:
    """Who hears, at `at`, that a mode ended by itself; nobody of `night`, which is never forgotten for long.

    Of `service`, property as well, whose technician forgot it: its messages were marked as tests. Any other
    mode tells whether somebody is at home, which is care's alone.
    """
    if over.mode == "night":
        return None
    span = words(max(1000, over.lasted_ms // 1000 * 1000))
    name_sv = _WORDS_SV.get(over.mode, over.mode)
    text = {
        "sv": f"Läget {name_sv} slutade av sig självt efter {span}. Nu gäller läget hemma.",
        "en": f"Mode {over.mode} ended by itself after {span}. The mode is home now.",
    }
    if over.why == SILENCE:
        text = {
            "sv": f"Ingen har märkts av på {span} sedan ytterdörren användes. Nu gäller läget hemma igen.",
            "en": f"Nobody was noticed for {span} after the front door was used. The mode is home again.",
        }
    to = ["care", "property"] if over.mode == "service" else ["care"]
    return OpenAlert(f"mode-{over.at}", NODE, "info", at, "", text, to, False, False, news=True)
