"""What every driver must do: the one list of it, for `homenode driver test` and for the tests of ours.

A promise is a function of a `Bench` and an empty folder. It returns what was seen, in a few words, and
raises `Broken` where the driver doesn't keep it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from homenode.errors import DriverLost, HomenodeError, Refused
from homenode.kinds import kind_of, why_not
from homenode.kit.bench import Bench, Hardware
from homenode.kit.described import bad_fields, blind, fields, light
from homenode.kit.held import held, kept_by
from homenode.kit.listener import Broken, Listener
from homenode.kit.overheard import told
from homenode.kit.stage import MOST_S, Blocked, Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WATCHED_S = 1.0
ROUNDS = 4
"""Measured again so often if the loop was blocked: what only the machine did doesn't come each time."""
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Promise:
    """`name` as in `Bench.spared`; `text`: what is promised, as a sentence."""

    name: str
    text: str
    keep: Callable[[Bench, Path], Awaitable[str]]


class CanNot(Broken):
    """The simulated device can't play what the promise is about."""


@asynccontextmanager
async def _at_work(
    bench: Bench, folder: Path, *, again: bool = False
) -> AsyncIterator[tuple[Hardware, Listener, Stage]]:
    """The driver, started, with a reading of each point."""
    host = Listener(folder, patience_s=bench.patience_s)
    async with bench.hardware() as hardware, _stage(bench, host, again=again) as stage:
        await _until_all(bench, hardware, host, stage)
        yield hardware, host, stage


def _stage(bench: Bench, host: Listener, *, again: bool = False) -> Stage:
    return Stage(lambda: bench.open(host), again=again, code=bench.code)


async def _until_all(bench: Bench, hardware: Hardware, host: Listener, stage: Stage) -> None:
    changes = asyncio.ensure_future(_changes(hardware))
    try:
        await host.until(
            lambda host: bench.heard_all(host) or stage.raised or changes.done(), "a reading of each point"
        )
    except Broken as error:
        _sound(bench, host)
        unheard = "".join(f"; nothing of {point}" for point in bench.unheard(host))
        do = "say host.heard(device.name, KIND, VALUE) for each of its kinds"
        raise Broken(f"{error}{unheard}", do) from error
    finally:
        changes.cancel()
    stage.whole()
    if changes.done() and (failure := changes.exception()):
        raise Broken(
            f"its simulated device failed with {told(failure)}", "mend that, not the driver"
        ) from failure


async def _changes(hardware: Hardware) -> None:
    """Again and again, as what is said before the driver listens is lost."""
    while True:
        hardware.change()
        await asyncio.sleep(0.1)


def _sound(bench: Bench, host: Listener) -> None:
    """What was said until now can be believed."""
    known = {device.name: bench.driver.kinds(device.options) for device in bench.devices}
    for said in list(host.said):
        kind, point = kind_of(said.kind), f"{said.device}.{said.kind}"
        if said.device not in known:
            raise Broken(f"told {point}, and no device is called so", "use device.name")
        if kind is None:
            raise Broken(f"told {point}, and there is no such kind", "use a word of homenode/kinds.py")
        kinds = known[said.device]
        if kinds is not None and said.kind not in kinds:
            raise Broken(f"told {point}, which kinds= of its DriverType doesn't name", "add it there")
        if why := why_not(kind, said.value):
            unit = f" (in {kind.unit})" if kind.unit else ""
            raise Broken(f"told {point}: {why}", f"convert it to what the kind is{unit}, or tell None")


async def _starts(bench: Bench, folder: Path) -> str:
    async with _at_work(bench, folder) as (_, host, _stage):
        _sound(bench, host)
        newest = {(said.device, said.kind): said.value for said in host.said}
    shown = [f"{device}.{kind} {_value(kind, value)}" for (device, kind), value in newest.items()]
    return ", ".join(shown[:SHOWN]) + (" …" if len(shown) > SHOWN else "")


def _value(name: str, value: object) -> str:
    kind = kind_of(name)
    shown = str(value).lower() if isinstance(value, bool | None) else f"{value:g}"
    return f"{shown} {kind.unit}" if kind is not None and kind.unit else shown


async def _lets_go(bench: Bench, folder: Path) -> str:
    host = Listener(folder, patience_s=bench.patience_s)
    async with bench.hardware() as hardware:
        for _ in range(2):  # what a library sets up once and for all comes in the first
            host.said.clear()
            before, state = held(), kept_by(bench.module)
            async with _stage(bench, host) as stage:
                await _until_all(bench, hardware, host, stage)
                took_s = await stage.stop()
            left = await _left(before)
            await _released(bench, hardware)
    if changed := [name for name, value in kept_by(bench.module).items() if state.get(name) != value]:
        do = "keep it in run() or listen(), as two devices would share it"
        raise Broken(f"keeps {changed[0]} in its module from one run to the next", do)
    if left:
        do = "close, join or end it in `finally:` of run()"
        raise Broken(f"still holds {' and '.join(left[:3])} after it was cancelled", do)
    return f"{took_s * 1000:.0f} ms after it was cancelled"


async def _left(before: dict[tuple[str, str], str]) -> list[str]:
    """What is held that wasn't before, once what ends by itself has had its time."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + 1.0
    while True:
        now = held()
        left = [what for key, what in now.items() if key not in before and "(asyncio_" not in what]
        if not left or loop.time() > end_s:
            return left
        await asyncio.sleep(0.02)


async def _released(bench: Bench, hardware: Hardware) -> None:
    try:
        async with asyncio.timeout(bench.patience_s):
            while not hardware.released():  # noqa: ASYNC110 - seen from outside, it tells nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        do = "close it in `finally:` of run()"
        raise Broken("still holds its hardware after it was cancelled", do) from None


async def _never_blocks(bench: Bench, folder: Path) -> str:
    shortest = Blocked(bench.patience_s)
    async with _at_work(bench, folder) as (hardware, _, stage):
        for _ in range(ROUNDS):
            watching = asyncio.ensure_future(stage.watch(WATCHED_S))
            for _ in range(10):
                await asyncio.sleep(WATCHED_S / 20)
                hardware.change()
            blocked = await watching
            stage.whole()
            shortest = min(shortest, blocked, key=lambda blocked: blocked.seconds)
            if shortest.seconds <= MOST_S:
                return f"{shortest.seconds * 1000:.1f} ms at most, in {WATCHED_S:.0f} s"
    at = f" at {shortest.where}" if shortest.where else ""
    raise Broken(
        f"blocks its loop for {shortest.seconds * 1000:.0f} ms{at}",
        "await asyncio.sleep(…) to wait, await asyncio.to_thread(…) for what blocks; or open=own_process(…)",
    )


async def _refuses(bench: Bench, folder: Path) -> str:
    async with _at_work(bench, folder) as (_, _host, stage):
        try:
            async with asyncio.timeout(bench.patience_s):
                await stage.ask(lambda driver: driver.switch("nobody", "switch", True))
        except Refused as refused:
            return str(refused)
        except Exception as error:
            raise Broken(f"switch() raised {told(error)}", "raise Refused(WHAT, where=…, do=…)") from error
    raise Broken("switched a device that there isn't", "raise Refused(…) for what is no output")


async def _unplugged(bench: Bench, folder: Path) -> str:
    host = Listener(folder, patience_s=bench.patience_s)
    async with bench.hardware() as hardware:
        async with _stage(bench, host) as stage:
            await _until_all(bench, hardware, host, stage)
            await hardware.unplug()
            first = await _lost(bench, host, stage, "unplugged")
        host.troubles.clear()
        async with _stage(bench, host, again=True) as stage:
            await _lost(bench, host, stage, "started while its hardware was still gone")
            await hardware.plug()
            host.said.clear()
            await _until_all(bench, hardware, host, stage)
            await host.until(
                lambda host: not host.troubles or stage.raised, "host.back(…) when it was heard again"
            )
        _sound(bench, host)
    return f"says: {first}"


async def _lost(bench: Bench, host: Listener, stage: Stage, when: str) -> str:
    """What it says of lost hardware: it raises DriverLost, or tells `host.lost` of each device."""
    do = "raise DriverLost(WHAT, where=…), or say host.lost(SOURCE, WHY, DEVICES), when nothing answers"
    names = {device.name for device in bench.devices}

    def is_told(host: Listener) -> bool:
        return names <= {name for source in list(host.troubles) for name in host.blamed[source]}

    try:
        await host.until(lambda host: is_told(host) or stage.lost or stage.over, "a word of it")
    except Broken as error:
        raise Broken(f"{when}, it goes on as if nothing were ({error.what})", do) from error
    if is_told(host):
        return next(iter(host.troubles.values()))
    raised = stage.raised or stage.last_lost
    if not isinstance(raised, DriverLost):
        how = "just ended" if raised is None else f"raised {told(raised)}"
        raise Broken(f"{when}, it {how}", do)
    if not raised.what:
        raise Broken(f"{when}, it raised DriverLost without a word", do)
    return str(raised)


async def _garbage(bench: Bench, folder: Path) -> str:
    return await _through(bench, folder, "garbage")


async def _flood(bench: Bench, folder: Path) -> str:
    return await _through(bench, folder, "flood")


async def _through(bench: Bench, folder: Path, what: str) -> str:
    """Whether it is there again after `what` its hardware does, without having told nonsense."""
    async with _at_work(bench, folder, again=True) as (hardware, host, stage):
        play = getattr(hardware, what, None)
        if play is None:
            raise CanNot(f"its simulated device has no {what}()", "write it, so that it is tried")
        before = len(host.said)
        play()
        loop = asyncio.get_running_loop()
        end_s = loop.time() + bench.patience_s
        await asyncio.sleep(0.2)
        told_meanwhile = len(host.said)
        while not stage.raised and loop.time() < end_s:
            hardware.change()
            await asyncio.sleep(0.1)
            if len(host.said) > told_meanwhile and not host.troubles:
                break
            told_meanwhile = min(told_meanwhile, len(host.said))
        stage.whole()
        if len(host.said) <= told_meanwhile:
            raise Broken(
                f"hears nothing any more after {what}", "skip what it doesn't understand, go on reading"
            )
        if host.troubles:
            why = next(iter(host.troubles.values()))
            raise Broken(f"after {what} it stays lost: {why}", "say host.back(SOURCE) when it is heard again")
        _sound(bench, host)
        lost = f", opened again {stage.lost} times" if stage.lost else ""
        count = len(host.said) - before
        return f"{count} reading{'s' * (count != 1)}, all of them in range{lost}"


PROMISES = (
    Promise("light", "Importing it is light and opens nothing", light),
    Promise("blind", "It says what it is blind to", blind),
    Promise("fields", "Each of its fields has a description", fields),
    Promise("bad_fields", "homenode check names each wrong field", bad_fields),
    Promise("starts", "It starts, and tells each point in its unit and range", _starts),
    Promise("lets_go", "Cancelled, it lets go of ports, pins, threads and processes", _lets_go),
    Promise("never_blocks", f"It never blocks its loop for more than {MOST_S * 1000:.0f} ms", _never_blocks),
    Promise("refuses", "It refuses what it can't switch", _refuses),
    Promise("unplugged", "Unplugged, it says so, and is back when plugged in again", _unplugged),
    Promise("garbage", "It survives garbage", _garbage),
    Promise("flood", "It survives a flood", _flood),
)


async def kept(promise: Promise, bench: Bench, folder: Path) -> str:
    """What was seen. Raises Broken."""
    try:
        return await promise.keep(bench, folder)
    except Broken:
        raise
    except HomenodeError as error:
        raise Broken(f"{error.where}: {error.what}".removeprefix(": "), error.do) from error
    except Exception as error:
        raise Broken(f"failed with {told(error)}") from error
