"""What a virtual device is made of, as data: read from the catalogue or from a dump of a real device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from homenode.sim.zigbee.air import Role
from homenode.sim.zigbee.zcl import Data


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """An attribute at the factory: ZCL type number, value, and whether a write is accepted."""

    id: int
    type: int
    value: Data
    writable: bool = False
    manufacturer: int = 0


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """One side of a cluster on an endpoint. `unsupported`: attributes it refuses though usual."""

    id: int
    attributes: tuple[AttributeSpec, ...] = ()
    unsupported: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """One endpoint with its simple descriptor."""

    number: int
    profile: int
    device_type: int
    servers: tuple[ClusterSpec, ...] = ()
    clients: tuple[ClusterSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Press:
    """What one way to press a button sends: a command (`attribute` None) or an attribute report."""

    endpoint: int
    cluster: int
    command: int = 0
    payload: bytes = b""
    attribute: int | None = None
    value: int = 0
    manufacturer: int = 0


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One model of device.

    Attributes:
        name: Word in the catalogue, or ``manufacturer/model`` of a dump.
        code: Manufacturer code of the node descriptor.
        thing: What it is, in one of the point kinds ("contact", "light" …).
        capability: MAC capability flags: 0x8E mains router, 0x80 sleepy, …
        enrolment: How its IAS zone enrols: "request" (asks once the CIE address is written), "trip"
            (asks when tripped), "response" (waits for an unsolicited response), "none" (never needed).
        zone_bit: Bit of the zone status that its alarm sets (1 alarm 1, 2 alarm 2, 3 both).
        test_bits: Bits that its test button sets.
        check_in_s: Seconds between signs of life of its own.
        check_in: What it sends then: "poll_control", "zone", "battery", "aqara" or "".
        long_poll_s: Seconds between polls of a sleeper; 0: it polls only after it has sent something.
        reports_unbound: Reports to the coordinator without binding or configuration, as Aqara do.
        never_clears: Says "motion" and never "no motion".
        clears_s: Seconds after which it says "no motion" by itself; 0: when told.
        presses: Way to press to what is sent.
        source: Capture or datasheet that says so.
    """

    name: str
    manufacturer: str
    model: str
    code: int
    role: Role
    capability: int
    endpoints: tuple[EndpointSpec, ...]
    thing: str = ""
    enrolment: str = "request"
    zone_bit: int = 1
    test_bits: int = 0x100
    check_in_s: float = 0.0
    check_in: str = ""
    long_poll_s: float = 5.0
    reports_unbound: bool = False
    never_clears: bool = False
    clears_s: float = 0.0
    presses: Mapping[str, tuple[Press, ...]] = field(default_factory=dict)
    buffer_size: int = 82
    server_mask: int = 0x2C00
    source: str = ""

    @property
    def sleepy(self) -> bool:
        """Receiver off when idle (bit 3 of the capability flags is "receiver on")."""
        return self.role is Role.END_DEVICE and not self.capability & 0x08

    @property
    def battery_powered(self) -> bool:
        """Not on the mains (bit 2 of the capability flags)."""
        return not self.capability & 0x04
