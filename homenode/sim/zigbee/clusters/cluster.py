"""One side of one cluster on one endpoint: its attributes and what it does with commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol

from homenode.sim.zigbee.air import COORDINATOR, Aps
from homenode.sim.zigbee.device_reporting import Reporting
from homenode.sim.zigbee.device_spec import ClusterSpec, DeviceSpec
from homenode.sim.zigbee.zcl import Data, Frame, General, Status, encode


class Attribute:
    """A live attribute. `reporting` is None until somebody configures it."""

    __slots__ = ("id", "manufacturer", "reporting", "type", "value", "writable")

    def __init__(
        self, id_: int, type_: int, value: Data, writable: bool = False, manufacturer: int = 0
    ) -> None:
        self.id, self.type, self.value = id_, type_, value
        self.writable, self.manufacturer = writable, manufacturer
        self.reporting: Reporting | None = None

    def head(self) -> bytes:
        """Identifier and type, as they stand before the value in a report."""
        return self.id.to_bytes(2, "little") + bytes((self.type,))


class Answer(NamedTuple):
    """A cluster-specific answer, instead of a default response."""

    command: int
    payload: bytes = b""


Reply = Status | Answer | None
"""What a command handler returns; None: nothing goes back (the frame was itself an answer)."""


class Owner(Protocol):
    """The device, as its clusters see it."""

    spec: DeviceSpec
    ieee: int
    network_address: int
    groups: dict[int, set[int]]
    servers: dict[tuple[int, int], Cluster]

    def after(self, seconds: float, call: Callable[[], None], *, real: bool = False) -> Callable[[], None]:
        """Call in so many of the device's own seconds (divided by its pace) or real ones.

        Returns what cancels it.
        """
        ...

    def notify(
        self, cluster: Cluster, payload: bytes, *, command: int, general: bool = False, manufacturer: int = 0
    ) -> None:
        """Send what was not asked for, to whoever is bound to the cluster."""
        ...

    def tell(
        self,
        cluster: Cluster,
        payload: bytes,
        *,
        command: int,
        destination: int = COORDINATOR,
        endpoint: int = 1,
        manufacturer: int = 0,
    ) -> None:
        """Send a command of the cluster to one endpoint of one node."""
        ...

    def has_output(self, kind: str, endpoint: int, value: bool) -> None:
        """Said while the device is built: this cluster moves an output."""
        ...

    def output(self, kind: str, endpoint: int, value: bool) -> None:
        """An output of the device moved: a lamp, a plug, a lock, a siren."""
        ...

    def fast_poll(self, seconds: float) -> None:
        """Poll often for so long (sleepy devices); 0 ends it."""
        ...

    def long_poll(self, seconds: float) -> None:
        """A new pause between polls of a sleeper."""
        ...

    @property
    def jammed(self) -> bool:
        """Whether its bolt is stuck."""
        ...


class Cluster:
    """A cluster that has attributes and no commands of its own; the others inherit.

    Attributes:
        RECEIVED: Command identifiers it takes, with the name of the method (payload, Aps) -> Reply.
        GENERATED: Command identifiers it sends.
    """

    RECEIVED: ClassVar[dict[int, str]] = {}
    GENERATED: ClassVar[tuple[int, ...]] = ()

    def __init__(self, device: Owner, endpoint: int, spec: ClusterSpec, *, client: bool) -> None:
        self.device, self.endpoint, self.id, self.client = device, endpoint, spec.id, client
        self.attributes = {
            row.id: Attribute(row.id, row.type, row.value, row.writable, row.manufacturer)
            for row in spec.attributes
        }
        self.unsupported = spec.unsupported
        self.started()

    def started(self) -> None:
        """The device was built; for what a cluster must prepare."""

    def powered(self) -> None:
        """Power came back; what a cluster does then (a lamp's start-up state)."""

    def forget(self) -> None:
        """Factory reset of what the network wrote."""
        for attribute in self.attributes.values():
            if attribute.reporting is not None:
                attribute.reporting.stop()
                attribute.reporting = None

    def resume(self, *, report: bool) -> None:
        """The device is on the network again: reporting intervals start anew, with a report or without."""
        for attribute in self.attributes.values():
            if attribute.reporting is not None:
                attribute.reporting.resume()
                if report:
                    attribute.reporting.send()

    def memory(self) -> dict[str, Any]:
        """State beside attributes that survives a restart of the simulator: plain JSON values."""
        return {}

    def recall(self, memory: dict[str, Any]) -> None:
        """Take up what `memory` gave."""

    def written(self, attribute: Attribute, by: Aps) -> None:
        """A write from the air changed `attribute`."""

    def find(self, id_: int, manufacturer: int) -> Attribute | None:
        """The attribute a frame means; clusters from 0xFC00 on answer with or without a code."""
        attribute = self.attributes.get(id_)
        if attribute is None or (attribute.manufacturer != manufacturer and self.id < 0xFC00):
            return None
        return attribute

    def value(self, id_: int, default: Data = None) -> Data:
        """Value of an attribute, `default` if it has none."""
        attribute = self.attributes.get(id_)
        return default if attribute is None or attribute.value is None else attribute.value

    def number(self, id_: int, default: int = 0) -> int:
        """Value of an attribute as a whole number."""
        value = self.value(id_, default)
        return int(value) if isinstance(value, bool | int | float) else default

    def set(self, id_: int, value: Data) -> None:
        """Change an attribute; it is reported as its reporting configuration says."""
        attribute = self.attributes.get(id_)
        if attribute is None:
            return
        attribute.value = value
        if attribute.reporting is not None:
            attribute.reporting.changed()

    def report(self, *attributes: Attribute) -> None:
        """Report these attributes now, whatever their configuration."""
        first = attributes[0]
        if len(attributes) == 1:
            payload = first.head() + encode(first.type, first.value)
        else:
            payload = b"".join(one.head() + encode(one.type, one.value) for one in attributes)
        self.device.notify(
            self, payload, command=General.REPORT, general=True, manufacturer=first.manufacturer
        )

    def configure(self, attribute: Attribute, min_s: int, max_s: int, change: Data) -> None:
        """Take a reporting configuration; it replaces the one before."""
        if attribute.reporting is not None:
            attribute.reporting.stop()
        attribute.reporting = Reporting(
            attribute,
            min_s,
            max_s,
            change,
            send=lambda: self.report(attribute),
            after=self.device.after,
        )

    def handle(self, frame: Frame, by: Aps) -> Reply:
        """A cluster-specific command arrived."""
        if frame.manufacturer and self.id < 0xFC00:
            return Status.UNSUP_MANUF_CLUSTER_COMMAND
        name = self.RECEIVED.get(frame.command)
        if name is None:
            return Status.UNSUP_CLUSTER_COMMAND
        method: Callable[[bytes, Aps], Reply] = getattr(self, name)
        return method(frame.payload, by)
