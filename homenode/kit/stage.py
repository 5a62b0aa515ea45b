"""Runs a driver as a node does, in a thread and loop of its own, and measures how long it blocks it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from homenode.driver import Driver
from homenode.errors import DriverLost, acted_on
from homenode.gateway.supervisor import STOP_S
from homenode.kit.held import waited_ns
from homenode.kit.listener import PATIENCE_S, Broken
from homenode.kit.overheard import Overheard, its_own, told

BEAT_S = 0.002
MOST_S = 0.010
"""So long a driver may keep its loop to itself."""
_AWAIT = "let run() end on CancelledError, and never wait in the loop without await"


@dataclass(frozen=True, slots=True)
class Blocked:
    """The longest time that the loop was kept. `where`: the line that did, "" if it wasn't seen."""

    seconds: float = 0.0
    where: str = ""


class Stuck(Broken):
    """It can't be stopped: nothing else can be tried in this process."""


class Stage:
    """A driver at work.

    Args:
        make: Opens it; again after each `DriverLost` if `again`, as the supervisor does.
        code: File or folder of its own code; what is printed or raised there is told.

    Attributes:
        raised: What ended it.
        lost, last_lost: How often it raised `DriverLost` and was opened again; the last of them.
    """

    def __init__(self, make: Callable[[], Driver], *, again: bool = False, code: str = "-") -> None:
        self._make, self._again = make, again
        self._overheard = Overheard(code)
        self.raised: BaseException | None = None
        self.lost = 0
        self.last_lost: DriverLost | None = None
        self.driver: Driver | None = None
        self.blocked = Blocked()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._stopping = False
        self._beat_s = 0.0
        self._thread = threading.Thread(target=self._run, name="driver under test", daemon=True)
        self._seen: dict[float, str] = {}

    async def __aenter__(self) -> Self:
        self._overheard.begin()
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if error is None:
            await self.stop()
            self._overheard.end()
            self._overheard.nothing()
            return
        self._overheard.end()
        at = self._now_at()
        self._cancel()
        await asyncio.to_thread(self._thread.join, STOP_S)
        if self._thread.is_alive():
            raise Stuck(f"keeps its loop to itself for ever{f', at {at}' if at else ''}", _AWAIT) from error
        self._overheard.nothing()  # what it let slip may be why

    def _run(self) -> None:
        try:
            asyncio.run(self._keep())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is what ended the driver
            self.raised = self.raised or error

    async def _keep(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        self._loop.set_exception_handler(self._overheard.in_the_loop)
        while True:
            try:
                self.driver = self._make()
                await self.driver.run()
                return
            except asyncio.CancelledError:
                if self._stopping:
                    return
                raise
            except Exception as error:  # noqa: BLE001 - whatever a technician's driver raises; it is told
                self.raised = acted_on(error)
                if not (self._again and isinstance(self.raised, DriverLost)):
                    return
                self.lost, self.last_lost, self.raised = self.lost + 1, self.raised, None
            finally:
                self.driver = None
            await asyncio.sleep(0.05)

    def _cancel(self) -> None:
        self._stopping = True
        with suppress(RuntimeError):  # it has ended
            if self._loop is not None and self._main is not None:
                self._loop.call_soon_threadsafe(self._main.cancel)

    async def stop(self) -> float:
        """Cancel it; how long it took, in s. Raises Broken if it took longer than a node gives it.

        Time in which the machine gave its thread no processor doesn't count.
        """
        loop = asyncio.get_running_loop()
        began, waited_s = loop.time(), self._waited_s()
        self._cancel()
        while self._thread.is_alive() and loop.time() - began < STOP_S + self._waited_s() - waited_s:
            await asyncio.to_thread(self._thread.join, 0.1)
        if self._thread.is_alive():
            at = f", at {where}" if (where := self._now_at()) else ""
            raise Stuck(f"was still running {STOP_S} s after it was cancelled{at}", _AWAIT)
        return loop.time() - began

    def _waited_s(self) -> float:
        """How long its thread could have run and was given no processor."""
        with suppress(OSError):  # it has ended
            return waited_ns(self._thread.native_id or 0) / 1e9
        return 0.0

    @property
    def over(self) -> bool:
        """It has ended, by itself."""
        return not self._thread.is_alive()

    async def ask(self, request: Callable[[Driver], Coroutine[Any, Any, None]]) -> None:
        """Have it do something in its own loop."""
        assert self.driver is not None
        assert self._loop is not None
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(request(self.driver), self._loop))

    def whole(self) -> None:
        """Raises Broken if it ended with anything but what its hardware may do to it."""
        if self.raised is not None:
            raise Broken(f"ended with {told(self.raised)}", "catch it, or raise DriverLost from it")
        self._overheard.nothing()

    async def watch(self, seconds: float) -> Blocked:
        """How long at most it kept its loop to itself, from now on for so long.

        Time in which the machine gave its thread no processor doesn't count.
        """
        loop = self._loop
        if loop is None or not self._thread.is_alive():
            return Blocked()
        self._seen, over = {}, threading.Event()
        interval = sys.getswitchinterval()
        sys.setswitchinterval(BEAT_S / 10)  # other threads of this process are no fault of the driver
        beats = asyncio.run_coroutine_threadsafe(self._beats(seconds), loop)
        looks = asyncio.ensure_future(asyncio.to_thread(self._look, over))
        try:
            async with asyncio.timeout(seconds + PATIENCE_S):
                return await asyncio.wrap_future(beats)
        except TimeoutError:
            return Blocked(seconds + PATIENCE_S, self._now_at())
        except asyncio.CancelledError:  # of the driver's loop, which ended
            return Blocked()
        finally:
            over.set()
            await looks
            sys.setswitchinterval(interval)

    async def _beats(self, seconds: float) -> Blocked:
        loop, thread = asyncio.get_running_loop(), threading.get_native_id()
        longest = Blocked()
        self._beat_s, end_s = loop.time(), loop.time() + seconds
        while self._beat_s < end_s:
            before, waited = self._beat_s, waited_ns(thread)
            await asyncio.sleep(BEAT_S)
            late_s = loop.time() - before - BEAT_S - (waited_ns(thread) - waited) / 1e9
            if late_s > longest.seconds:
                longest = Blocked(late_s, self._seen.get(before, ""))
            self._beat_s = loop.time()
        return longest

    def _look(self, over: threading.Event) -> None:
        """In a thread: where the loop is when a beat is late."""
        assert self._loop is not None
        while not over.wait(BEAT_S):
            beat_s = self._beat_s
            if not beat_s or self._loop.time() - beat_s < MOST_S / 2 or beat_s in self._seen:
                continue
            if at := self._now_at():
                self._seen[beat_s] = at

    def _now_at(self) -> str:
        """The line of the driver that runs now, "" if none does."""
        frame: FrameType | None = sys._current_frames().get(self._thread.ident or 0)
        while frame is not None:
            if its_own(frame.f_code.co_filename):
                return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
            frame = frame.f_back
        return ""
