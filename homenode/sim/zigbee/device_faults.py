"""Faults that real devices have been seen with, on demand: for tests of what listens to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from homenode.errors import Refused
from homenode.sim.zigbee.air import Aps
from homenode.sim.zigbee.zcl import General, encode

if TYPE_CHECKING:
    from homenode.sim.zigbee.device import VirtualDevice

KINDS: dict[str, str] = {
    "": "well",
    "half_interview": "answers node descriptor and endpoints, then neither simple descriptors nor reads",
    "no_answers": "sends of its own accord and answers nothing",
    "wrong_types": "reports its numbers as text",
    "out_of_range": "reports the invalid value of each type (0x8000, 0xFFFF, NaN)",
    "truncated": "each frame lacks its last two bytes",
    "garbage": "each frame is followed by one of random bytes on the same cluster",
    "duplicates": "each frame comes twice with the same sequence number",
    "out_of_order": "each second frame comes before the first",
    "joins_twice": "announces itself again each `every_s` seconds (10)",
    "flood": "repeats its last frame `rate` times a second (100)",
    "jammed": "its bolt doesn't move: a lock command fails and leaves it not fully locked",
    "unknown_cluster": "its frames come from a cluster and endpoint that it doesn't have",
}
"""Word for `VirtualDevice.misbehave` to what the device then does."""

_SIMPLE_DESC = 0x0004
_GARBAGE_SEED = 0x9E3779B97F4A7C15


class Misbehaviour:
    """The fault of one device; none at first."""

    def __init__(self, device: VirtualDevice) -> None:
        self._device = device
        self.kind = ""
        self._last: Aps | None = None
        self._held: Aps | None = None
        self._stop: Callable[[], None] | None = None
        self._noise = _GARBAGE_SEED

    def start(self, kind: str, **how: float) -> None:
        """Begin a fault of `KINDS`, or end it with "". Raises Refused for another word."""
        if kind not in KINDS:
            raise Refused(f"no fault is called {kind!r}", do=f"one of {', '.join(k for k in KINDS if k)}")
        self.kind = kind
        if self._stop is not None:
            self._stop()
            self._stop = None
        if kind == "joins_twice":
            self._repeat(how.get("every_s", 10.0), self._device.announce)
        elif kind == "flood":
            self._repeat(1 / how.get("rate", 100.0), self._again)

    def deaf(self, frame: Aps) -> bool:
        """Whether the device ignores an incoming frame."""
        if self.kind == "no_answers":
            return True
        return self.kind == "half_interview" and (frame.profile != 0 or frame.cluster == _SIMPLE_DESC)

    def outgoing(self, frame: Aps) -> Iterable[Aps]:
        """What goes out in the place of `frame`."""
        if frame.profile == 0:
            return (frame,)
        self._last = frame
        spoil = _SPOILS.get(self.kind)
        return (frame,) if spoil is None else spoil(self, frame)

    def _repeat(self, seconds: float, call: Callable[[], None]) -> None:
        def due() -> None:
            call()
            self._stop = self._device.after(seconds, due, real=True)

        self._stop = self._device.after(seconds, due, real=True)

    def _again(self) -> None:
        if self._last is not None:
            self._device.send_raw(self._last)

    def _wrong_types(self, frame: Aps) -> Iterable[Aps]:
        if _is_report(frame):
            return (_with(frame, frame.payload[:5] + b"\x42\x04oops"),)
        return (frame,)

    def _out_of_range(self, frame: Aps) -> Iterable[Aps]:
        if not _is_report(frame):
            return (frame,)
        return (_with(frame, frame.payload[:6] + encode(frame.payload[5], None)),)

    def _truncated(self, frame: Aps) -> Iterable[Aps]:
        return (_with(frame, frame.payload[:-2]),)

    def _garbage(self, frame: Aps) -> Iterable[Aps]:
        noise = bytearray()
        for _ in range(16):  # a small generator of its own, so that a run repeats byte for byte
            self._noise = (self._noise * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
            noise.append(self._noise >> 56)
        return (frame, _with(frame, bytes(noise)))

    def _duplicates(self, frame: Aps) -> Iterable[Aps]:
        return (frame, frame)

    def _out_of_order(self, frame: Aps) -> Iterable[Aps]:
        held, self._held = self._held, None
        if held is None:
            self._held = frame
            return ()
        return (frame, held)

    def _unknown_cluster(self, frame: Aps) -> Iterable[Aps]:
        return (
            Aps(
                frame.source,
                frame.destination,
                frame.profile,
                0xFD00,
                99,
                frame.destination_endpoint,
                frame.payload,
                frame.group,
                frame.ack,
            ),
        )


_SPOILS: dict[str, Callable[[Misbehaviour, Aps], Iterable[Aps]]] = {
    "wrong_types": Misbehaviour._wrong_types,
    "out_of_range": Misbehaviour._out_of_range,
    "truncated": Misbehaviour._truncated,
    "garbage": Misbehaviour._garbage,
    "duplicates": Misbehaviour._duplicates,
    "out_of_order": Misbehaviour._out_of_order,
    "unknown_cluster": Misbehaviour._unknown_cluster,
}


def _is_report(frame: Aps) -> bool:
    payload = frame.payload
    return len(payload) > 6 and not payload[0] & 0x07 and payload[2] == General.REPORT


def _with(frame: Aps, payload: bytes) -> Aps:
    return Aps(
        frame.source,
        frame.destination,
        frame.profile,
        frame.cluster,
        frame.source_endpoint,
        frame.destination_endpoint,
        payload,
        frame.group,
        frame.ack,
    )
