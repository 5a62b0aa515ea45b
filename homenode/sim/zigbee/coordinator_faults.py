"""What can go wrong with a stick, on demand: named so that a person at the control socket reads it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from homenode.sim.zigbee.ash import FLAG, Reset
from homenode.sim.zigbee.coordinator_radio import CoordinatorRadio
from homenode.sim.zigbee.serial_line import SerialLine


class FrameFaults:
    """Faults of one direction of the wire; whole ASH frames are lost, repeated or corrupted.

    Attributes:
        active: Whether any fault was set since the last `clear`.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.clear()

    def clear(self) -> None:
        """No fault."""
        self.lose = self.repeat = self.corrupt = 0
        self.lose_share = self.repeat_share = self.corrupt_share = 0.0
        self.active = False

    def next(self, fault: str, frames: int) -> None:
        """The next so many frames have the fault `lose`, `repeat` or `corrupt`."""
        setattr(self, fault, frames)
        self.active = True

    def share(self, fault: str, share: float) -> None:
        """A share of all frames (0 to 1) has the fault."""
        setattr(self, f"{fault}_share", share)
        self.active = True

    def apply(self, frames: list[bytes]) -> list[bytes]:
        """What is left of the frames."""
        if not self.active:
            return frames
        out: list[bytes] = []
        for frame in frames:
            if self._strikes("lose"):
                continue
            if self._strikes("corrupt"):
                at = self._dice.randrange(max(1, len(frame) - 1))
                frame = frame[:at] + bytes((frame[at] ^ 0x01,)) + frame[at + 1 :]
            out += [frame, frame] if self._strikes("repeat") else [frame]
        return out

    def _strikes(self, fault: str) -> bool:
        left: int = getattr(self, fault)
        if left:
            setattr(self, fault, left - 1)
            return True
        share: float = getattr(self, f"{fault}_share")
        return bool(share) and self._dice.random() < share


class Faults:
    """Everything at `Coordinator.faults`.

    Attributes:
        to_host, to_stick: Faults of the wire, by direction.
        wedged: The stick answers nothing.
        babbling: It does so and says garbage.
        mute: It answers commands, and hands over nothing that it hears.
        exhausted: It answers commands, and has no buffer for a message in or out.
        until_reset: Any of these, and deafness, is over with a reset frame; else when it is unplugged.
        unknown: Commands that its firmware doesn't know.
    """

    def __init__(
        self,
        line: SerialLine,
        radio: CoordinatorRadio,
        restart: Callable[[Reset], None],
        unplug: Callable[[], None],
        plug_in: Callable[[], Awaitable[None]],
    ) -> None:
        self._line, self._radio, self._restart = line, radio, restart
        self._unplug, self._plug_in = unplug, plug_in
        self.to_host, self.to_stick = FrameFaults(radio.dice), FrameFaults(radio.dice)
        self._partial = b""
        self.wedged = self.mute = self.exhausted = self.babbling = False
        self.until_reset = True
        self.unknown: set[str] = set()

    def clear(self) -> None:
        """Everything works again (what is unplugged stays unplugged)."""
        self.to_host.clear()
        self.to_stick.clear()
        self.wedged = self.mute = self.exhausted = self.babbling = False
        self.unknown = set()
        radio, line = self._radio, self._line
        radio.deaf, radio.lose, radio.repeat, radio.lose_share, radio.repeat_share = False, 0, 0, 0.0, 0.0
        line.baud, line.delay_s, line.byte_at_a_time, line.own_baud = None, 0.0, False, None

    # --- wire ---

    def noise(self, data: bytes) -> None:
        """Bytes that are no frame reach the host."""
        self._line.write([data])

    def lose(
        self, frames: int = 0, *, share: float = 0.0, to_host: bool = True, to_stick: bool = True
    ) -> None:
        """ASH frames get lost: the next so many, and a share of all."""
        self._set("lose", frames, share, to_host, to_stick)

    def repeat(
        self, frames: int = 0, *, share: float = 0.0, to_host: bool = True, to_stick: bool = True
    ) -> None:
        """ASH frames come twice."""
        self._set("repeat", frames, share, to_host, to_stick)

    def corrupt(
        self, frames: int = 0, *, share: float = 0.0, to_host: bool = True, to_stick: bool = True
    ) -> None:
        """ASH frames come with a flipped bit."""
        self._set("corrupt", frames, share, to_host, to_stick)

    def _set(self, fault: str, frames: int, share: float, to_host: bool, to_stick: bool) -> None:
        for faults in ([self.to_host] if to_host else []) + ([self.to_stick] if to_stick else []):
            faults.next(fault, frames)
            faults.share(fault, share)

    def delay(self, seconds: float) -> None:
        """Everything reaches the host so much later."""
        self._line.delay_s = seconds

    def byte_at_a_time(self, on: bool = True) -> None:
        """Each byte is written by itself."""
        self._line.byte_at_a_time = on

    def speed(self, rate: int | None) -> None:
        """Its firmware speaks at this speed: a host that has set another hears and says garbage."""
        self._line.own_baud = rate

    def baud(self, rate: int | None = 115200) -> None:
        """The wire takes time, as a real UART does; None for none."""
        self._line.baud = rate

    def from_host(self, data: bytes) -> bytes:
        """What of the host's bytes reaches the stick."""
        if not self.to_stick.active:
            return data
        *frames, self._partial = (self._partial + data).split(bytes((FLAG,)))
        return b"".join(self.to_stick.apply([frame + bytes((FLAG,)) for frame in frames]))

    # --- stick ---

    def reset(self, code: Reset = Reset.WATCHDOG) -> None:
        """The stick resets by itself: network down until the host starts it anew; ERROR or RSTACK as real."""
        self._restart(code)

    def wedge(self, *, until_reset: bool = True) -> None:
        """The stick answers nothing and hears nothing; a reset frame helps, or only unplugging."""
        self.wedged, self.until_reset = True, until_reset
        self._radio.deaf = True

    def babble(self, *, until_reset: bool = True) -> None:
        """It says garbage, ten times a second, and understands nothing but a reset, if that."""
        self.wedge(until_reset=until_reset)
        self.babbling = True
        self._noise()

    def _noise(self) -> None:
        if self.babbling:
            self._line.write([self._radio.dice.randbytes(40)])
            self._radio.later(0.1, self._noise)

    def silence_callbacks(self, *, until_reset: bool = True) -> None:
        """It hears, answers commands, and hands over no message."""
        self.mute, self.until_reset = True, until_reset

    def exhaust(self, *, until_reset: bool = True) -> None:
        """All its tables and buffers are full: nothing can be sent, and what is heard is dropped."""
        self.exhausted, self.until_reset = True, until_reset
        self._radio.deaf = True

    def was_reset(self) -> None:
        """A reset frame came."""
        if self.until_reset:
            self.unwedge()

    def unwedge(self) -> None:
        """As if nothing had been."""
        self.wedged = self.mute = self.exhausted = self.babbling = self._radio.deaf = False

    def unplug(self) -> None:
        """Pull the stick: port closed, its name gone, RAM lost."""
        self._unplug()

    async def plug_in(self) -> None:
        """Plug it in again: another PTY behind the same name, the same TCP port."""
        await self._plug_in()

    # --- air ---

    def deafen(self, on: bool = True, *, until_reset: bool = True) -> None:
        """The firmware answers the host, but the radio hears and sends nothing."""
        self._radio.deaf, self.until_reset = on, until_reset

    def lose_on_air(self, frames: int = 0, *, share: float = 0.0) -> None:
        """Frames of devices get lost on the way to the coordinator: the next so many, and a share."""
        self._radio.lose, self._radio.lose_share = frames, share

    def repeat_on_air(self, frames: int = 0, *, share: float = 0.0) -> None:
        """Frames of devices come twice, as when an acknowledgement was lost."""
        self._radio.repeat, self._radio.repeat_share = frames, share
