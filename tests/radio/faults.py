"""Every fault that the simulated stick can play, and how long a home is deaf over it.

The driver runs as in a node: in the supervisor's thread, opened again by it. A door is opened and closed all
the time; what counts is since when none of its turns is missing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from drivers.zigbee import DRIVER, usb
from homenode.driver import Driver, Host
from homenode.gateway.clock import Clock
from homenode.gateway.inbox import Inbox, Trouble
from homenode.gateway.supervisor import Supervised
from homenode.reading import Reading
from homenode.sim.zigbee.ash import Reset
from homenode.sim.zigbee.coordinator import Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.usb_socket import UsbSocket
from tests.system.zigbee_bed import Interviewed, interviewed, named

MOST_S = 60.0
TURN_S = 0.5
"""A door that somebody plays with."""
STEADY_S = 3.0
"""Its turns come again when none of so long is missing."""
SLEEPERS_S = 60.0
"""Among sleepers only it is learnt first how often they poll."""


@dataclass
class Scene:
    """What a fault is played on."""

    stick: Coordinator
    socket: UsbSocket


Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A row of the table.

    Attributes:
        models: Devices of the home beside the door.
        told: What the fault is called by the node.
        cycles: The power of the stick has to be switched off and on.
        switchable: The hub can do so.
    """

    name: str
    play: Play
    told: str = ""
    models: tuple[str, ...] = ("plug",)
    cycles: bool = False
    switchable: bool = True


def _do(what: Callable[[Coordinator], object]) -> Play:
    async def play(scene: Scene) -> None:
        what(scene.stick)

    return play


async def _pulled(scene: Scene) -> None:
    scene.socket.empty = True
    scene.stick.faults.unplug()
    await asyncio.sleep(5)
    scene.socket.empty = False
    await scene.stick.faults.plug_in()
    scene.socket.show()


async def _pulled_thrice(scene: Scene) -> None:
    for _ in range(3):
        await _pulled(scene)
        await asyncio.sleep(2)


async def _loop_of_resets(scene: Scene) -> None:
    for _ in range(4):
        scene.stick.faults.reset()
        await asyncio.sleep(2)


async def _weak_wire(scene: Scene) -> None:
    for fault in (scene.stick.faults.lose, scene.stick.faults.corrupt, scene.stick.faults.repeat):
        fault(share=0.1)


def _without_counters(stick: Coordinator) -> None:
    stick.faults.unknown = {"readCounters"}
    stick.faults.deafen()


def _left(stick: Coordinator) -> None:
    stick._stick.ram.network_up = False
    stick.radio.down()


FAULTS = [
    Fault("resets by its watchdog", _do(lambda s: s.faults.reset(Reset.WATCHDOG)), "reset"),
    Fault("resets by a failed assertion", _do(lambda s: s.faults.reset(Reset.ASSERT)), "reset"),
    Fault("resets, and says that it was on purpose", _do(lambda s: s.faults.reset(Reset.SOFTWARE)), "reset"),
    Fault("loses power for a moment, port stays", _do(lambda s: s.faults.reset(Reset.POWER_ON)), "reset"),
    Fault("resets four times in a row", _loop_of_resets, "reset"),
    Fault("wedged and silent, a reset helps", _do(lambda s: s.faults.wedge()), "not answer"),
    Fault(
        "wedged and silent, only its power helps",
        _do(lambda s: s.faults.wedge(until_reset=False)),
        "not answer",
        cycles=True,
    ),
    Fault(
        "the same behind a hub without switches",
        _do(lambda s: s.faults.wedge(until_reset=False)),
        "not answer",
        cycles=True,
        switchable=False,
    ),
    Fault("says garbage, a reset helps", _do(lambda s: s.faults.babble()), "not answer"),
    Fault(
        "says garbage, only its power helps",
        _do(lambda s: s.faults.babble(until_reset=False)),
        "not answer",
        cycles=True,
    ),
    Fault("pulled out, in again after 5 s", _pulled, "gone"),
    Fault("a loose contact", _pulled_thrice, "gone"),
    Fault("its port is gone until its power was off", _do(lambda s: s.faults.unplug()), "gone", cycles=True),
    Fault("answers, and its radio is deaf", _do(lambda s: s.faults.deafen()), "hears nothing"),
    Fault(
        "the same, only its power helps",
        _do(lambda s: s.faults.deafen(until_reset=False)),
        "hears nothing",
        cycles=True,
    ),
    Fault("the same, among sleepers only", _do(lambda s: s.faults.deafen()), "hears nothing", models=()),
    Fault("the same, with a firmware without counters", _do(_without_counters), "hears nothing"),
    Fault("answers, and delivers nothing", _do(lambda s: s.faults.silence_callbacks()), "hears nothing"),
    Fault(
        "the same, among sleepers only",
        _do(lambda s: s.faults.silence_callbacks()),
        "hears nothing",
        models=(),
    ),
    Fault("its tables and buffers are full", _do(lambda s: s.faults.exhaust()), "memory"),
    Fault("has left its network", _do(_left), "left its network"),
    Fault("its firmware speaks at another speed now", _do(lambda s: s.faults.speed(57600)), "answer"),
    Fault("every tenth frame is lost, spoilt or doubled", _weak_wire),
    Fault("a slow line, byte by byte", _do(lambda s: (s.faults.baud(9600), s.faults.byte_at_a_time()))),
]


@dataclass
class Told:
    """What became of it."""

    fault: Fault
    seconds: float
    why: str
    cycles: int

    @property
    def right(self) -> bool:
        """Back in time, called by its name, and by no more than was needed."""
        named_so = self.fault.told in self.why
        return self.seconds <= MOST_S and named_so and (self.cycles > 0) >= self.fault.cycles


class _Node:
    """What a node hears of a driver."""

    def __init__(self, folder: Path, devices: dict[str, str], port: Path) -> None:
        self.doors: list[tuple[float, object]] = []
        self.why: list[str] = []
        self._inbox = Inbox(asyncio.get_running_loop(), self._take)
        folder.mkdir(exist_ok=True)

        def opened(host: Host) -> Driver:
            return DRIVER.open("stick", {"port": str(port)}, named(**devices), host)

        self.driver = Supervised(
            "stick", opened, named(**devices), folder, Clock(), self._inbox, lambda: len(self._inbox)
        )

    def _take(self) -> None:
        for item in self._inbox.take(10_000):
            if isinstance(item, Reading) and item.point == "contact.contact":
                self.doors.append((asyncio.get_running_loop().time(), item.value))
            elif isinstance(item, Trouble) and item.why:
                self.why.append(item.why)


async def _turns(door: VirtualDevice, made: list[tuple[float, bool]]) -> None:
    """Somebody plays with a door."""
    now = asyncio.get_running_loop().time
    while True:
        open_now = not (made and made[-1][1])
        made.append((now(), open_now))
        door.trip(open_now)
        await asyncio.sleep(TURN_S)


class Pairing:
    """A few at a time, and nothing is played before all are paired: it takes all of a machine's time."""

    def __init__(self, sticks: int) -> None:
        self._few, self._all = asyncio.Semaphore(4), asyncio.Barrier(sticks)

    @asynccontextmanager
    async def paired(self, folder: Path, models: Sequence[str], version: int) -> AsyncIterator[Interviewed]:
        """Its radio is off again."""
        async with AsyncExitStack() as stack:
            async with self._few:
                home = await stack.enter_async_context(interviewed(folder, models, version))
                await home.stop()
            await self._all.wait()
            yield home


async def played(
    fault: Fault, folder: Path, number: int = 2, version: int = 13, pairing: Pairing | None = None
) -> Told:
    """Play one in `folder`, behind the socket of this number of the hub of `usb.SYSFS`."""
    now = asyncio.get_running_loop().time
    async with (pairing or Pairing(1)).paired(folder, ["contact", *fault.models], version) as home:
        stick = home.stick
        socket = UsbSocket(
            usb.SYSFS,
            folder / "tty",
            stick.faults.unplug,
            stick.faults.plug_in,
            number=number,
            switchable=fault.switchable,
        )
        with socket:
            names = {name: home.ieee(name) for name in ("contact", *fault.models)}
            node = _Node(home.host.data, names, folder / "tty")
            node.driver.start()
            made: list[tuple[float, bool]] = []
            playing = asyncio.ensure_future(_turns(home["contact"], made))
            try:
                # A radio that a busy machine has just lost is being reset, which cures what is played on it.
                await _until(lambda: _heard_again(node, 0, 0) is not None)
                await asyncio.sleep(0 if fault.models else SLEEPERS_S)
                began = now()
                node.why.clear()
                await fault.play(Scene(stick, socket))
                cured = now() if not fault.told else began
                await _until(lambda: _heard_again(node, began, cured) is not None)
                again = _heard_again(node, began, cured) or 0.0
            finally:
                playing.cancel()
                await node.driver.stop()
        return Told(fault, again - began, "; ".join(dict.fromkeys(node.why)), socket.cycles)


def _heard_again(node: _Node, began: float, cured: float) -> float | None:
    """When a door was heard that nothing was lost before: events flow."""
    steady: float | None = None
    for before, after in itertools.pairwise(at for at, _ in node.doors if at >= began):
        if after - before > STEADY_S:
            steady = None
        elif steady is None:
            steady = before
        if steady is not None and after - steady >= STEADY_S and before >= cured:
            return steady
    return None


async def play_all(faults: Sequence[Fault], folder: Path) -> list[Told]:
    """All at the same time, each on a stick of its own."""
    pairing = Pairing(len(faults))
    folders = [folder / str(number) for number in range(len(faults))]
    for each in folders:
        each.mkdir()
    return await asyncio.gather(
        *(played(fault, folders[at], number=at + 2, pairing=pairing) for at, fault in enumerate(faults))
    )


async def _until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(2 * MOST_S):
        while not told():  # noqa: ASYNC110 - what is asked is a list that grows
            await asyncio.sleep(0.1)
