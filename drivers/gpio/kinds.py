"""What can be wired to a pin: a row a kind, with the usual wiring as default.

`active` is the level at which the point is true: a contact is true when *open*, so a reed switch to ground
with a pull-up is `active: high`, and a cut wire reads open. Wherever a detector offers the choice, the
default is the loop that a cut wire turns into an alarm.
"""

from __future__ import annotations

from typing import NamedTuple


class Wiring(NamedTuple):
    """The usual way a kind is wired.

    Attributes:
        output: The node drives the pin.
        pull, active: Defaults of the fields in home.yaml.
        usual: How it is wired, and what a cut wire reads.
    """

    output: bool
    pull: str
    active: str
    usual: str


def _loop(what: str) -> Wiring:
    return Wiring(False, "up", "high", f"{what}; opens to tell; a cut wire tells too")


def _closes(what: str, cut: str) -> Wiring:
    return Wiring(False, "up", "low", f"{what} closes to ground; a cut wire reads {cut}")


def _drives(what: str) -> Wiring:
    return Wiring(True, "none", "high", f"{what}; off at start, let go when the node stops")


WIRINGS: dict[str, Wiring] = {
    "contact": _loop("reed switch to ground, closed by its magnet"),
    "motion": Wiring(False, "down", "high", "PIR module that drives 3.3 V; a cut wire reads no motion"),
    "occupancy": _closes("pressure mat", "nobody there"),
    "water": _closes("probe or float switch", "dry (a detector with a normally closed relay: active: high)"),
    "smoke": _loop("normally closed relay of a certified alarm"),
    "co": _loop("normally closed relay of a certified alarm"),
    "gas": _loop("normally closed relay of a certified alarm"),
    "heat": _loop("normally closed relay of a certified alarm"),
    "vibration": _loop("normally closed vibration switch"),
    "tamper": _loop("tamper loop"),
    "mains": _closes("contact of a relay fed by the mains", "mains gone"),
    "button": _closes("push button or pull cord", "not pressed"),
    "lock": _closes("bolt switch, pressed by the thrown bolt,", "unlocked"),
    "switch": _drives("relay board"),
    "valve": _drives("relay or driver of a valve, open while driven"),
    "siren": _drives("siren or buzzer behind a transistor"),
    "light": _drives("relay or LED driver"),
}

LOOPS = tuple(kind for kind, wiring in WIRINGS.items() if not wiring.output)
"""Kinds that a supervised loop can tell (`drivers.gpio.loop`)."""
COUNTED = ("energy", "flow_volume")
"""Kinds that a meter's pulses count."""
ANALOG = ("current",)
"""Kinds that a converter measures."""
ON_PINS = (*WIRINGS, *COUNTED)

DEBOUNCE_MS = {"energy": 15, "flow_volume": 50}
"""S0: a pulse and the pause after it last 30 ms each at least (IEC 62053-31): half of it. A water meter's
reed contact bounces for a few ms and stays closed for 0.1 s and more."""
SHORTEST_PULSE_MS = {"energy": 30, "flow_volume": 100}

CHANNELS = {"mcp3008": 8, "ads1115": 4}
MOST_CHIPS = {"mcp3008": 2, "ads1115": 4}
"""Converters: two chip selects on the header; four addresses."""
