"""Runs each driver in a thread and event loop of its own, and starts it again when it fails.

A driver that raises, hangs or floods touches nothing else: what it says comes through a bounded inbox,
and a loop that doesn't answer is a fault of its devices, not of the node.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from homenode.config.model import Device
from homenode.driver import Assigns, Driver, Host, Joined
from homenode.errors import HomenodeError, Refused, SetupError, acted_on
from homenode.gateway.clock import Clock
from homenode.gateway.inbox import Alive, Inbox, Item, Noticed, Trouble
from homenode.kinds import kind_of, why_not
from homenode.reading import Instant, Reading, Value

log = logging.getLogger("homenode.supervisor")

RETRY_FIRST_S, RETRY_MOST_S = 0.5, 5.0
"""Full-jitter back-off of a lost driver: a stick that is plugged in again is back within 10 s."""
STEADY_S = 5.0
"""One lost again soon is called back only after so long: a loop of failures is one fault to the operator."""
SETUP_RETRY_S = 5.0
"""A person has to act first; until then it is tried now and then."""
MACHINE_STARTS_S = 45.0
"""Since the kernel's start: by then a hub has named its sticks, udev has given them to their group, a
network is there. What a driver lacks before is no fault yet."""
BEAT_S, HANGS_AFTER_S, FIRST_S = 2.0, 6.0, 20.0
NOTICED_EACH_S = 50
"""Of what devices without a name say: a neighbour's may flood, too."""
ASSIGN_S = 2.0
"""A driver gets so long to take other devices; it has nothing to wait for."""
STOP_S = 1.5
"""A driver gets so long to release its port; SIGTERM has 2 s in all."""


Last = Callable[[str], tuple[Value, Instant] | None]


class _DriverHost:
    """What one driver sees of the gateway. Values that can't be become faults here, in its thread.

    Args:
        open_before: Sources of faults that are open as it starts: who told them may have ended meanwhile, so
            each of them can be called back, and is so only by what ends a fault of this run.
        last: The newest reading of a point; asked from the driver's thread.
    """

    def __init__(
        self,
        name: str,
        devices: Sequence[str],
        data: Path,
        clock: Clock,
        inbox: Inbox,
        backlog: Callable[[], int],
        open_before: Iterable[str] = (),
        last: Last = lambda point: None,
    ) -> None:
        self.data, self._last = data, last
        self._devices, self._strangers = frozenset(devices), 0
        self._name, self._clock, self._inbox, self._backlog = name, clock, inbox, backlog
        self._troubles: set[str] = set()
        self._open_before = set(open_before)
        self._spoke, self._steady_from = False, 0
        self._noticed_in = (0, 0)

    def assigned(self, devices: Sequence[str], inbox: Inbox) -> None:
        """From now on it says of these, and there. What was open of one that is gone the gateway ends."""
        gone = self._devices - set(devices)
        self._devices, self._inbox = frozenset(devices), inbox
        for open_ones in (self._troubles, self._open_before):
            open_ones -= {source for source in open_ones if re.split("[ .]", source)[0] in gone}

    def opened(self, steady_from: Instant) -> None:
        """The driver was opened; what it says from `steady_from` on shows that it is back from a loss."""
        self._spoke, self._steady_from = False, steady_from

    def steady(self) -> None:
        """End the fault of a driver that has spoken since it was opened and lasted."""
        if self._spoke and self._clock.now() >= self._steady_from:
            self.back(self._name)

    @property
    def is_lost(self) -> bool:
        """The driver's own fault is open."""
        return self._name in self._troubles

    def now(self) -> Instant:
        return self._clock.now()

    def wall_to_instant(self, wall_ms: int) -> Instant:
        return wall_ms - self._clock.wall_offset_ms()

    def _put(self, item: Item) -> None:
        self._spoke = True
        if self._troubles or self._open_before:
            self.steady()
        self._inbox.put(item)

    def heard(self, device: str, kind: str, value: Value, at: Instant | None = None) -> None:
        if device not in self._devices:
            self._stranger(device)
            return
        known = kind_of(kind)
        wrong = "is not in the table of kinds" if known is None else why_not(known, value)
        point = f"{device}.{kind}"
        at = self._clock.now() if at is None else int(at)  # what is no number raises here, in its own thread
        if wrong:
            self.lost(f"{point} value", f"{point}: {wrong}; the value was not used", (device,))
            if known is None:
                return
            value = None
        elif self._troubles or self._open_before:
            self.back(f"{point} value")
        self._put(Reading(point, value, at))

    def noticed(self, address: str, kind: str, value: Value) -> None:
        second = self._clock.now() // 1000
        self._noticed_in = (second, self._noticed_in[1] + 1 if self._noticed_in[0] == second else 1)
        known = kind_of(kind)
        if self._noticed_in[1] <= NOTICED_EACH_S and known is not None and not why_not(known, value):
            self._inbox.put(Noticed(address, kind, value))

    def _stranger(self, device: str) -> None:
        """A device that is not this driver's feeds no rule, whatever it is called."""
        self._strangers += 1
        if self._strangers == 1:
            fields = {"driver": self._name, "device": str(device)[:80]}
            log.warning("not used: from a device that home.yaml doesn't name", extra=fields)

    def alive(self, device: str) -> None:
        if device not in self._devices:
            self._stranger(device)
            return
        self._put(Alive(device, self._clock.now()))

    def lost(self, source: str, why: str, devices: Sequence[str] = (), *, battery: bool = False) -> None:
        if source not in self._troubles:
            self._troubles.add(source)
            log.warning("lost", extra={"driver": self._name, "source": source, "why": why})
            self._inbox.put(Trouble(source, why, tuple(devices), self._clock.now(), battery))

    def back(self, source: str) -> None:
        if source in self._troubles or source in self._open_before:
            self._troubles.discard(source)
            self._open_before.discard(source)
            log.info("back", extra={"driver": self._name, "source": source})
            self._inbox.put(Trouble(source, "", (), self._clock.now()))

    def joined(self, device: Joined) -> None:
        self._put(device)

    def last_heard(self, device: str, kind: str) -> tuple[Value, Instant] | None:
        return self._last(f"{device}.{kind}")

    def waiting(self) -> int:
        return self._backlog()


class Supervised:
    """One driver instance under supervision.

    Args:
        make: Opens the driver, given its host; called again after each failure.
        backlog: Readings of all drivers that are not yet taken, or not yet sent while there is a link.
        open_before: Sources of the faults that are open now.
        last: The newest reading of a point; asked from the driver's thread.

    Attributes:
        open_until: So long new devices may join.
        open_for: Install code and address of the only one that may; empty if all may.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[Host], Driver],
        devices: Sequence[Device],
        data: Path,
        clock: Clock,
        inbox: Inbox,
        backlog: Callable[[], int],
        open_before: Iterable[str] = (),
        last: Last = lambda point: None,
    ) -> None:
        self.name, self.devices = name, tuple(device.name for device in devices)
        self.state = "starting"
        self._lost = ""
        self._make = make
        self._host = _DriverHost(name, self.devices, data, clock, inbox, backlog, open_before, last)
        self._driver: Driver | None = None
        self._clock, self.open_until = clock, 0
        self.open_for: Mapping[str, str] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        # A small board imports a radio's library for seconds: as it did all else that runs by now.
        self._first_s = min(FIRST_S, HANGS_AFTER_S + 2 * time.process_time())
        self._opened_s = 0.0
        self._main: asyncio.Task[None] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"driver {name}", daemon=True)

    @property
    def shown(self) -> str:
        """The state for people: one that tries again is not called running before it has shown that it is."""
        return self._lost if self.state == "running" and self._host.is_lost else self.state

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def _run(self) -> None:
        try:
            asyncio.run(self._keep())
        except asyncio.CancelledError:
            log.debug("stopped between two tries", extra={"driver": self.name})
        except Exception as fault:  # noqa: BLE001 - the last line of defence of the thread; told, not hidden
            self.state = f"died: {fault!r}"
            self._host.lost(
                self.name, f"the driver died and stays down until a restart: {fault!r}", self.devices
            )

    async def _keep(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        tries = 0
        while not self._stopping.is_set():
            started = self._opened_s = self._loop.time()
            wait_s = SETUP_RETRY_S
            try:
                self._host.opened(self._host.now() + (int(STEADY_S * 1000) if tries > 1 else 0))
                self._driver = self._make(self._host)
                self.state = "running"
                again = self._loop.create_task(self._pair_again(self._driver))
                try:
                    await self._driver.run()
                finally:
                    again.cancel()
                self.state = "ended"
                return
            except asyncio.CancelledError:
                if self._stopping.is_set():
                    return
                why: str = "its task was cancelled"
            except Exception as raised:
                error = acted_on(raised)
                log.debug("driver raised", exc_info=True)
                named = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                why = str(error) if isinstance(error, HomenodeError) else named
                if not isinstance(error, SetupError):
                    wait_s = 0.0
            finally:
                self._driver = None
            if self._loop.time() < MACHINE_STARTS_S:
                self.state = f"not yet there: {why}"
                if self.state != self._lost:
                    log.info("not yet there", extra={"driver": self.name, "why": why})
                self._lost = self.state
                await asyncio.sleep(RETRY_FIRST_S)
                continue
            self.state = self._lost = f"lost: {why}"
            self._host.lost(self.name, why, self.devices)
            if self._loop.time() - started > 30:
                tries = 0
            tries += 1
            if not wait_s:
                wait_s = random.uniform(0.1, min(RETRY_MOST_S, RETRY_FIRST_S * 2**tries))
            await asyncio.sleep(wait_s)

    async def watch(self) -> None:
        """Tell when the driver's loop stops answering, and when it answers again; in the gateway's loop."""
        source = f"{self.name} answers"
        while not self._stopping.is_set():
            await asyncio.sleep(BEAT_S)
            loop = self._loop
            if loop is None or not self._thread.is_alive():
                continue
            try:
                answer = asyncio.run_coroutine_threadsafe(_answer(), loop)
                patience_s = max(HANGS_AFTER_S, self._opened_s + self._first_s - loop.time())
                await asyncio.wait_for(asyncio.wrap_future(answer), patience_s)
            except (TimeoutError, RuntimeError):
                self._host.lost(
                    source, f"{self.name} hangs: no answer for {HANGS_AFTER_S:.0f} s", self.devices
                )
            else:
                self._host.back(source)
                if self.state == "running":
                    self._host.steady()

    async def pair(self, seconds: float, code: Mapping[str, str] = MappingProxyType({})) -> None:
        """Let devices join for so long, also if the driver is lost and opened again meanwhile.

        Args:
            code: `install_code` and `address` of the only one that may.
        """
        await self.ask(lambda driver: _pair(driver, seconds, code), timeout_s=30.0)
        self.open_until, self.open_for = self._clock.now() + int(seconds * 1000), code

    @property
    def assigns(self) -> bool:
        """Whether it runs, and can take other devices."""
        return isinstance(self._driver, Assigns)

    async def assign(self, make: Callable[[Host], Driver], devices: Sequence[Device], inbox: Inbox) -> bool:
        """Have it take other devices. False if it can't, and is to be stopped.

        Args:
            make: Opens it with these, if it is lost later.
            inbox: Where it says all that it says of these.
        """

        async def take(driver: Driver) -> None:
            assert isinstance(driver, Assigns)
            self._make, self.devices = make, tuple(device.name for device in devices)
            self._host.assigned(self.devices, inbox)
            await driver.assign(devices)

        try:
            await self.ask(take, ASSIGN_S)
        except Refused as error:
            log.warning("takes no other devices", extra={"driver": self.name, "why": str(error)})
            return False
        return True

    async def _pair_again(self, driver: Driver) -> None:
        left_ms = self.open_until - self._clock.now()
        if left_ms > 0:
            with contextlib.suppress(HomenodeError):
                await _pair(driver, left_ms / 1000, self.open_for)

    async def ask(
        self, request: Callable[[Driver], Coroutine[Any, Any, None]], timeout_s: float = 10.0
    ) -> None:
        """Have the driver do something in its own loop.

        Raises:
            Refused: It can't, raised, was stopped meanwhile, isn't running, or took longer than `timeout_s`.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self.state == "starting":  # noqa: ASYNC110 - its thread says so, within milliseconds
                    await asyncio.sleep(0.01)
                driver, loop = self._driver, self._loop
                if driver is None or loop is None:
                    raise Refused(
                        f"the driver {self.name} is not running ({self.state})",
                        do="try again when it is back",
                    )
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(request(driver), loop))
        except TimeoutError:
            raise Refused(f"{self.name} did not answer within {timeout_s:.0f} s", do="try again") from None
        except HomenodeError as error:
            raise Refused(error.what, where=error.where, do=error.do) from error
        except asyncio.CancelledError:
            asker = asyncio.current_task()
            if asker is None or asker.cancelling():
                raise
            raise Refused(f"{self.name} was stopped meanwhile", do="try again") from None
        except Exception as fault:
            log.debug("driver raised", exc_info=True)
            raise Refused(f"{self.name} failed: {fault!r}") from fault

    async def stop(self) -> None:
        """Have it release everything; one that doesn't within STOP_S is left behind (a daemon thread)."""
        self._stopping.set()
        loop, main = self._loop, self._main
        if loop is not None and main is not None and self._thread.is_alive():
            try:
                loop.call_soon_threadsafe(main.cancel)
            except RuntimeError:
                return  # ended in between
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join, STOP_S)
        if self._thread.is_alive():
            log.error("driver did not stop", extra={"driver": self.name, "after_s": STOP_S})


async def _pair(driver: Driver, seconds: float, code: Mapping[str, str]) -> None:
    if code and "install_code" not in inspect.signature(driver.pair).parameters:
        raise Refused("this radio knows no install codes", do="open it without one")
    await driver.pair(seconds, **code)


async def _answer() -> None:
    """What a loop that runs can do at once."""
