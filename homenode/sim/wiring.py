"""How something is wired to a pin: what the line does while it is idle, and while it is active."""

from __future__ import annotations

from enum import Enum


class Wiring(Enum):
    """Words of apartment.yaml."""

    NORMALLY_CLOSED = "normally_closed"
    """A contact to ground that opens when active."""
    NORMALLY_OPEN = "normally_open"
    """A contact to ground that closes when active."""
    DRIVES_HIGH = "drives_high"
    """An output of 3.3 V when active, 0 V otherwise, as PIR modules have."""
    DRIVES_LOW = "drives_low"
    """The same the other way round."""
    RELAY_HIGH = "relay_high"
    """A relay that the node drives; on while the line is high."""
    RELAY_LOW = "relay_low"
    """One that is on while the line is low, as most relay boards."""

    def drives(self, active: bool) -> bool | None:
        """Level that the outside forces; None while it leaves the line alone."""
        closed, open_ = False, None
        return {
            Wiring.NORMALLY_CLOSED: open_ if active else closed,
            Wiring.NORMALLY_OPEN: closed if active else open_,
            Wiring.DRIVES_HIGH: active,
            Wiring.DRIVES_LOW: not active,
        }.get(self)

    @property
    def is_output(self) -> bool:
        """Whether the node drives it."""
        return self in (Wiring.RELAY_HIGH, Wiring.RELAY_LOW)

    @property
    def drives_itself(self) -> bool:
        """Whether it gives a voltage, where others are a contact."""
        return self in (Wiring.DRIVES_HIGH, Wiring.DRIVES_LOW)

    def on(self, level: bool) -> bool:
        """Whether a relay is on at this level."""
        return level is (self is Wiring.RELAY_HIGH)


USUAL: dict[str, Wiring] = {
    "contact": Wiring.NORMALLY_CLOSED,
    "motion": Wiring.DRIVES_HIGH,
    "occupancy": Wiring.NORMALLY_OPEN,
    "water": Wiring.NORMALLY_OPEN,
    "smoke": Wiring.NORMALLY_CLOSED,
    "co": Wiring.NORMALLY_CLOSED,
    "gas": Wiring.NORMALLY_CLOSED,
    "heat": Wiring.NORMALLY_CLOSED,
    "vibration": Wiring.NORMALLY_CLOSED,
    "tamper": Wiring.NORMALLY_CLOSED,
    "mains": Wiring.NORMALLY_OPEN,
    "button": Wiring.NORMALLY_OPEN,
    "lock": Wiring.NORMALLY_OPEN,
    "energy": Wiring.NORMALLY_OPEN,
    "flow_volume": Wiring.NORMALLY_OPEN,
    "switch": Wiring.RELAY_HIGH,
    "valve": Wiring.RELAY_HIGH,
    "siren": Wiring.RELAY_HIGH,
    "light": Wiring.RELAY_HIGH,
}
"""Kind to its usual wiring, as drivers/README.md tells an installer to wire it."""
