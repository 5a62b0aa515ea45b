"""The stick's side of an ASH connection: windows, acknowledgements, retransmission, failure. Pure.

Time is given in seconds of any steady clock; what is to be written comes back from each call.
Source: Silicon Labs UG101, chapters 5 (CONNECTED) and 6 (FAILED); names of its parameters in capitals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from homenode.sim.zigbee.ash import Ack, Data, Deframer, Garbage, Reset, Rst, RstAck, encode, encode_data

T_RX_ACK_INIT_S, T_RX_ACK_MIN_S, T_RX_ACK_MAX_S = 1.6, 0.4, 3.2
T_TX_ACK_DELAY_S = 0.02
"""How long an acknowledgement waits for a DATA frame that carries it."""
T_REMOTE_NOT_READY_S = 1.0
"""A host that said "not ready" and nothing since may be sent callbacks again after this."""
ACK_TIMEOUTS = 4
"""Timeouts in a row after which the stick gives up."""
TX_K = 5
"""DATA frames that may be under way unacknowledged (the protocol's bound is 7)."""


class AshLink:
    """One connection: `received` takes bytes, `send` an EZSP frame, `tick` the time; `take` gives the bytes.

    Args:
        on_ezsp: Called with each EZSP frame of the host, in order, once.
        on_reset: Called when the host asks for a reset; the stick's RSTACK is sent after it.
        window: DATA frames that may be under way unacknowledged.

    Attributes:
        failed: Code of the failure that the stick is in, None while connected.
        retransmissions, timeouts, garbage: Counters, for the curious.
    """

    def __init__(
        self, on_ezsp: Callable[[bytes], None], on_reset: Callable[[], None], *, window: int = TX_K
    ) -> None:
        self._on_ezsp, self._on_reset, self._window = on_ezsp, on_reset, window
        self._deframer = Deframer()
        self._out: list[bytes] = []
        self.retransmissions = self.timeouts = self.garbage = 0
        self._connected()

    def _connected(self) -> None:
        self.failed: int | None = None
        self._deframer.reset()
        self._queue: deque[bytes] = deque()
        self._flight: deque[tuple[int, bytes, float]] = deque()
        self._next = self._expected = self._timeouts_in_a_row = 0
        self._rejecting = False
        self._t_rx_ack_s = T_RX_ACK_INIT_S
        self._owed_since: float | None = None
        self._timer_s = 0.0
        self._not_ready_until: float | None = None

    # --- towards the host -------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """EZSP frames not yet acknowledged by the host."""
        return len(self._queue) + len(self._flight)

    def send(self, ezsp: bytes, now: float) -> None:
        """Queue an EZSP frame; dropped while failed."""
        if self.failed is None:
            self._queue.append(ezsp)
            self._pump(now)

    def restart(self, code: Reset) -> None:
        """The stick has come up again by itself: RSTACK, or ERROR and the FAILED state."""
        self._connected()
        self._out.clear()
        if code.fails:
            self.failed = code
        self._out.append(encode(RstAck(code, code.fails)))

    def take(self) -> list[bytes]:
        """Frames to write now, a list entry each."""
        out, self._out = self._out, []
        return out

    def _pump(self, now: float) -> None:
        if self._deframer.stopped or self._not_ready_until is not None:
            return
        while self._queue and len(self._flight) < self._window:
            ezsp = self._queue.popleft()
            number = self._next
            self._next = number + 1 & 7
            self._flight.append((number, ezsp, now))
            if len(self._flight) == 1:
                self._timer_s = now
            self._out.append(encode_data(number, self._expected, False, ezsp))
            self._owed_since = None

    def _again(self, now: float) -> None:
        """Go back N: everything under way is sent once more."""
        self._timer_s = now
        flight, self._flight = self._flight, deque()
        for number, ezsp, _ in flight:
            self.retransmissions += 1
            self._flight.append((number, ezsp, now))
            self._out.append(encode_data(number, self._expected, True, ezsp))
        if flight:
            self._owed_since = None

    # --- time -------------------------------------------------------------------------------------

    def deadline(self) -> float | None:
        """When `tick` is to be called next; None if nothing is awaited."""
        awaited = []
        if self._owed_since is not None:
            awaited.append(self._owed_since + T_TX_ACK_DELAY_S)
        if self._flight:
            awaited.append(self._timer_s + self._t_rx_ack_s)
        if self._not_ready_until is not None:
            awaited.append(self._not_ready_until)
        return min(awaited, default=None)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._owed_since is not None and now >= self._owed_since + T_TX_ACK_DELAY_S:
            self._acknowledge()
        if self._not_ready_until is not None and now >= self._not_ready_until:
            self._not_ready_until = None
            self._pump(now)
        if self._flight and now >= self._timer_s + self._t_rx_ack_s:
            self.timeouts += 1
            self._timeouts_in_a_row += 1
            if self._timeouts_in_a_row >= ACK_TIMEOUTS:
                self.restart(Reset.ACK_TIMEOUTS)
            else:
                self._t_rx_ack_s = min(2 * self._t_rx_ack_s, T_RX_ACK_MAX_S)
                self._again(now)

    # --- from the host ----------------------------------------------------------------------------

    def received(self, data: bytes, now: float) -> None:
        """Bytes came in."""
        for frame in self._deframer.feed(data):
            if isinstance(frame, Rst):
                self._out.clear()
                self._on_reset()
                self.restart(Reset.SOFTWARE)
                return  # what followed RST in the same read went to a stick that was booting
            if self.failed is not None:
                if not isinstance(frame, Garbage):
                    self._out.append(encode(RstAck(self.failed, True)))
            elif isinstance(frame, Data):
                self._acked(frame.ack, now)
                self._data(frame, now)
            elif isinstance(frame, Ack):
                self._ack(frame, now)
            elif isinstance(frame, Garbage):
                self.garbage += 1
                self._reject()
        if self.failed is None:
            self._pump(now)

    def _data(self, frame: Data, now: float) -> None:
        if frame.number == self._expected:
            self._expected = frame.number + 1 & 7
            self._rejecting = False
            if self._owed_since is None:
                self._owed_since = now
            self._on_ezsp(frame.ezsp)
        elif frame.again:
            self._acknowledge()
        else:
            self._reject()

    def _ack(self, frame: Ack, now: float) -> None:
        self._acked(frame.ack, now)
        self._not_ready_until = now + T_REMOTE_NOT_READY_S if frame.not_ready else None
        if frame.nak:
            self._again(now)

    def _acked(self, ack: int, now: float) -> None:
        if not self._flight or (ack - self._flight[0][0] & 7) > len(self._flight):
            return  # an old one, or one that can't be
        while self._flight and self._flight[0][0] != ack:
            _, _, sent = self._flight.popleft()
            self._timeouts_in_a_row = 0
            self._t_rx_ack_s = min(
                max(self._t_rx_ack_s * 7 / 8 + (now - sent) / 2, T_RX_ACK_MIN_S), T_RX_ACK_MAX_S
            )
            self._timer_s = now

    def _acknowledge(self) -> None:
        self._owed_since = None
        self._out.append(encode(Ack(self._expected)))

    def _reject(self) -> None:
        if not self._rejecting:
            self._rejecting = True
            self._out.append(encode(Ack(self._expected, nak=True)))
