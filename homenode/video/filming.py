"""Camera → looks → encoder, in one thread; what comes out is handed to the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import av

from homenode.video.clocks import now_ms
from homenode.video.encoder import TIME_BASE, Encoded, Encoder
from homenode.video.judge import Judge
from homenode.video.looks import Looks
from homenode.video.passing import Passing
from homenode.video.sources import Asked, Source, fitted, opened
from homenode.video.words import Unfit


class Filming(threading.Thread):
    """Films until the process ends: a camera that blocks can't be told to stop.

    Args:
        source: As the gateway describes it.
        put: Given each packet, in this thread.
        warned: Given what is wrong with the pictures, or None, when it changes.
        failed: Given why it ended; `Unfit`, or a defect.
    """

    def __init__(
        self,
        source: Mapping[str, Any],
        looks: Looks,
        *,
        put: Callable[[Encoded], None],
        warned: Callable[[str | None], None],
        failed: Callable[[Exception], None],
    ) -> None:
        super().__init__(name="filming", daemon=True)
        self._asked = Asked.of(source, passing=looks.as_it_is)
        self.looks = looks
        self._put, self._warned, self._failed = put, warned, failed
        self._encoder = Encoder()
        self._passing = Passing(
            self._encoder, lambda frame: fitted(frame, self._asked.width, self._asked.height)
        )
        self._judge = Judge()
        self._warning: str | None = None
        self._wanted = False
        self.at_ms = now_ms()

    @property
    def silent_ms(self) -> int:
        """Since anything came from the camera."""
        return now_ms() - self.at_ms

    def want(self, wanted: bool) -> None:
        """Whether anybody looks, and the link keeps up; with a new viewer say `want_whole`, too."""
        self._wanted = wanted

    def want_whole(self) -> None:
        """A viewer came, or lost pictures."""
        self._passing.want_whole()

    def limit(self, bps: int) -> None:
        """What comes through to the viewer."""
        self._passing.limit(bps)

    def run(self) -> None:
        try:
            self._film(opened(self._asked))
        except Exception as error:  # noqa: BLE001 - told to the gateway, in whose place nobody else is
            self._failed(error)

    def _film(self, source: Source) -> None:
        for nth, shot in enumerate(source):
            self.at_ms = now_ms()
            packet: Encoded | None = None
            try:
                if isinstance(shot, av.Packet):
                    packet, picture = self._passing.take(shot, self.at_ms, wanted=self._wanted)
                elif shot is not None:
                    picture = shot
                    looked = self.looks.of(shot, nth)
                    packet = self._encoder.encode(looked, self.at_ms) if self._wanted else None
                else:
                    self._warn(self._judge.unreadable(self.at_ms))
                    continue
            except av.error.InvalidDataError:
                self._warn(self._judge.unreadable(self.at_ms))
                continue
            if picture is not None:
                self._warn(self._judge.seen(picture, self.at_ms))
            if packet is not None:
                packet.pts, packet.time_base = self.at_ms, TIME_BASE
                self._put(packet)
        raise Unfit("unplugged", self._asked.kind)

    def _warn(self, code: str | None) -> None:
        if code != self._warning:
            self._warning = code
            self._warned(code)
