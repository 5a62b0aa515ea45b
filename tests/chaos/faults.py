"""What fails, in which layer, for how long, and how it heals: a table."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt import client as mqtt

if TYPE_CHECKING:
    from tests.chaos.rig import Rig
from tests.chaos.house import House

Do = Callable[["Rig", House], object]
HOUR_S, STORM_PER_S = 3600, 5000
CARE_SLOW_B_S, SLOW_KBIT_S = 2000, 32


def _nothing(rig: Rig, house: House) -> None: ...


@dataclass(frozen=True)
class Fault:
    """Attributes:
    layer: Two of one layer never happen at once.
    begin, end: What is done.
    least_s, most_s: How long it lasts.
    alone: Not at once with any other layer named here.
    often: Beside the others.
    """

    name: str
    layer: str
    begin: Do
    end: Do = _nothing
    least_s: float = 0.0
    most_s: float = 0.0
    alone: tuple[str, ...] = ()
    often: float = 1.0

    def goes_with(self, other: Fault) -> bool:
        """Whether both at once make sense."""
        return self.layer != other.layer and self.layer not in other.alone and other.layer not in self.alone


def _set(**values: object) -> Do:
    """Of the gate."""

    def do(_rig: Rig, house: House) -> None:
        for name, value in values.items():
            setattr(house.gate, name, value)

    return do


def _certificate(name: str) -> Do:
    def do(_rig: Rig, house: House) -> None:
        house.gate.shows(name)
        house.gate.hang_up()

    return do


def _close(_rig: Rig, house: House) -> None:
    house.gate.shut.add("closed")
    house.gate.hang_up()


def _at(year: int, month: int, day: int, hour: int, minute: int, second: int) -> Do:
    """The wall clock says so (UTC)."""
    return lambda _rig, house: house.clock.shows(year, month, day, hour, minute, second)


def _impostor(rig: Rig, house: House) -> None:
    """A second node with this client id and these keys; each throws the other out."""
    stop = threading.Event()
    keys = rig.broker.keys(house.name)

    def disturb() -> None:
        while not stop.wait(rig.dice.uniform(0.05, 2.0)):
            client = mqtt.Client(
                mqtt.CallbackAPIVersion.VERSION2, client_id=f"homenode-{house.name}", clean_session=False
            )
            client.tls_set(**keys)
            with contextlib.suppress(OSError):
                client.connect("127.0.0.1", rig.broker.port)
                client.loop(0.2)
                client.loop(0.2)
            client.disconnect()

    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    house.impostor = lambda: (stop.set(), thread.join())


def _off_and_on(house: House, operations: int | None) -> None:
    house.cut(operations)
    house.wait(house.dice.uniform(0, 1))
    house.power()
    house.start()


def _cut_twice(_rig: Rig, house: House) -> None:
    """And again while it starts."""
    _off_and_on(house, house.dice.randrange(40))
    _off_and_on(house, house.dice.randrange(120))


FAULTS = (
    Fault("node killed (kill -9)", "node", lambda r, h: h.kill(), lambda r, h: h.start(), 0, 3),
    Fault("node killed, at once again", "node", lambda r, h: (h.kill(), h.start())),
    Fault("node stopped (SIGTERM)", "node", lambda r, h: h.stop(), lambda r, h: h.start(), 0, 3),
    Fault("node frozen (SIGSTOP)", "node", lambda r, h: h.freeze(), lambda r, h: h.thaw(), 0.5, 8),
    Fault("node frozen for minutes", "node", lambda r, h: h.freeze(), lambda r, h: h.thaw(), 120, 180,
          often=0.15),
    Fault("power cut, between writes", "node", lambda r, h: h.cut(None),
          lambda r, h: (h.power(), h.start()), 0, 3),
    Fault("power cut, amid a write or flush", "node",
          lambda r, h: h.cut(h.dice.randrange(60)), lambda r, h: (h.power(), h.start()), 0, 3),
    Fault("power cut, and another amid the start", "node", _cut_twice),
    Fault("disk full", "disk", lambda r, h: h.disk.fill(), lambda r, h: h.disk.empty(), 1, 8, ("node",)),
    Fault("node started on a read-only disk", "disk", lambda r, h: h.start_read_only(),
          lambda r, h: h.disk.remount("rw"), 1, 8, ("node",)),
    Fault("disk hangs", "disk", lambda r, h: h.disk.fail("hang"), lambda r, h: h.disk.fail("nothing"),
          0.5, 8, ("node",)),
    Fault("disk gives EIO for records", "disk", lambda r, h: h.disk.fail("data"),
          lambda r, h: h.disk.fail("nothing"), 1, 8, ("node",)),
    Fault("clock +1 h", "clock", lambda r, h: h.clock.off_by(HOUR_S), lambda r, h: h.clock.right(), 1, 12),
    Fault("clock -1 h", "clock", lambda r, h: h.clock.off_by(-HOUR_S), lambda r, h: h.clock.right(), 1, 12),
    Fault("clock in 1970", "clock", lambda r, h: h.clock.in_1970(), lambda r, h: h.clock.right(), 1, 12),
    Fault("clock over the skipped hour", "clock", _at(2026, 3, 29, 0, 59, 56),
          lambda r, h: h.clock.right(), 6, 12),
    Fault("clock over the repeated hour", "clock", _at(2026, 10, 25, 0, 59, 56),
          lambda r, h: h.clock.right(), 6, 12),
    Fault("broker refuses", "link", _close, lambda r, h: h.gate.shut.discard("closed"), 0.5, 10),
    Fault("broker hangs up", "link", lambda r, h: h.gate.hang_up()),
    Fault("broker says nothing", "link", _set(still=True), _set(still=False), 1, 8),
    Fault("half-open connection", "link", lambda r, h: h.gate.half_open()),
    Fault("broker slow (2 kB/s)", "link", _set(bytes_per_s=CARE_SLOW_B_S), _set(bytes_per_s=0), 3, 12),
    Fault("broker acknowledges 5 s late", "link", _set(late_s=5.0), _set(late_s=0.0), 3, 12),
    Fault("broker never acknowledges", "link", _set(forgets=True), _set(forgets=False), 2, 10),
    Fault("certificate expired", "link", _certificate("expired_gate"), _certificate("gate"), 1, 8),
    Fault("certificate of a wrong CA", "link", _certificate("stranger_gate"), _certificate("gate"), 1, 8),
    Fault("second node with this client id", "link", _impostor, lambda r, h: h.impostor(), 2, 10),
    Fault("network cut, unnoticed", "net", lambda r, h: h.cable.lose(100),
          lambda r, h: h.cable.whole(), 1, 10),
    Fault("cable pulled", "net", lambda r, h: h.cable.pull(), lambda r, h: h.cable.plug(), 1, 10),
    Fault("30 % of packets lost", "net", lambda r, h: h.cable.lose(30), lambda r, h: h.cable.whole(), 3, 12),
    Fault("network slow (32 kbit/s)", "net", lambda r, h: h.cable.slow(SLOW_KBIT_S),
          lambda r, h: h.cable.fast(), 3, 12),
    Fault("broker killed (kill -9)", "broker", lambda r, h: r.kill_broker(),
          lambda r, h: r.start_broker(), 0, 6),
    Fault("broker killed, remembers nothing", "broker", lambda r, h: r.kill_broker(),
          lambda r, h: r.start_broker(forgotten=True), 0, 6),
    Fault("broker restarted", "broker", lambda r, h: r.kill_broker(gently=True),
          lambda r, h: r.start_broker(), 0, 4),
    Fault("broker frozen", "broker", lambda r, h: r.broker.mosquitto.freeze(),
          lambda r, h: r.broker.mosquitto.thaw(), 0.5, 8),
    Fault("storm, 5,000 readings/s", "load", lambda r, h: h.world.storm("meter_of_ours", STORM_PER_S, 4),
          least_s=4, most_s=6),
    Fault("storm, shared with a party", "load", lambda r, h: h.world.storm("meter", STORM_PER_S, 1),
          least_s=3, most_s=6),
)  # fmt: skip
LAYERS = tuple(dict.fromkeys(fault.layer for fault in FAULTS))
