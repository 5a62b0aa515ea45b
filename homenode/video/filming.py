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
from homenode.video.sources import Asked, Shot, Source, fitted, opened
from homenode.video.words import Unfit


class Filming(threading.Thread):
    """Films until the process ends: a camera that blocks can't be told to stop.

    Args:
        source: As the gateway describes it.
        wanted: Asked, in this thread, before a picture is encoded.
        put: Given each packet and the looks it was made with, in this thread.
        warned: Given what is wrong with the pictures, or None, when it changes.
        failed: Given why it ended.
    """

    def __init__(
        self,
        source: Mapping[str, Any],
        looks: Looks,
        *,
        wanted: Callable[[], bool],
        put: Callable[[Encoded, Looks], None],
        warned: Callable[[str | None], None],
        failed: Callable[[Unfit | ImportError], None],
    ) -> None:
        super().__init__(name="filming", daemon=True)
        self._asked = Asked.of(source, passing=looks.as_it_is)
        self.looks = looks
        self._wanted, self._put, self._warned, self._failed = wanted, put, warned, failed
        self._encoder = Encoder()
        self._passing = Passing(
            self._encoder, lambda frame: fitted(frame, self._asked.width, self._asked.height)
        )
        self._source: Source | None = None
        self._judge = Judge(predicted=False)
        self._warning: str | None = None
        self.at_ms = now_ms()

    @property
    def silent_ms(self) -> int:
        """Since anything came from the camera."""
        return now_ms() - self.at_ms

    def want_whole(self) -> None:
        """A viewer came, or lost pictures."""
        self._passing.want_whole()
        if self._source is not None:
            self._source.want_whole()

    def limit(self, bps: int) -> None:
        """What comes through to the viewer."""
        self._passing.limit(bps)

    def run(self) -> None:
        try:
            self._source = opened(self._asked)
            self._judge = Judge(predicted=self._source.predicted)
            for nth, shot in enumerate(self._source):
                self.at_ms = now_ms()
                try:
                    self._take(shot, nth)
                except av.error.InvalidDataError:
                    self._warn(self._judge.unreadable(self.at_ms))
            raise Unfit("unplugged", self._asked.kind)
        except (Unfit, ImportError) as error:
            self._failed(error)

    def _take(self, shot: Shot, nth: int) -> None:
        """One that can't be read is told and left out."""
        looks, wanted = self.looks, self._wanted()
        packet, picture = None, shot if not isinstance(shot, av.Packet) else None
        if isinstance(shot, av.Packet) and looks.as_it_is:
            packet, picture = self._passing.take(shot, self.at_ms, wanted=wanted)
        elif isinstance(shot, av.Packet):
            picture = self._passing.decoded(shot)
        if picture is not None:
            self._warn(self._judge.seen(picture, self.at_ms))
        elif shot is None:
            self._warn(self._judge.unreadable(self.at_ms))
        if packet is None and picture is not None:
            looked = looks.of(picture, nth, self.at_ms)  # also while nobody looks: what it remembers grows
            packet = self._encoder.encode(looked, self.at_ms, looks.form) if wanted else None
        if packet is not None:
            packet.pts, packet.time_base = self.at_ms, TIME_BASE
            self._put(packet, looks)

    def _warn(self, code: str | None) -> None:
        if code != self._warning:
            self._warning = code
            self._warned(code)
