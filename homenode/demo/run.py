"""`homenode demo`: a day in the simulated apartment in about a minute; all is real but the hardware."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from homenode.demo.receiver import Receiver
from homenode.demo.screen import Log, at_home, picture
from homenode.demo.stage import Stage, stage
from homenode.errors import SetupError
from homenode.gateway.logs import start_logging

PAIRING_S = 45.0
REFRESH_S = 0.25
EXPECTED = (
    ("stove_left_on", "notified", "the forgotten hob"),
    ("stove_left_on", "resolved", "the hob is looked after again"),
    ("door_open_at_night", "notified", "the door that stands open at night"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day: until when it lasts, and how many times as fast as real."""

    title: str
    until: str
    speed: float


DAY = (
    Part("an ordinary morning", "11:37", 1800),
    Part("the forgotten hob", "12:58", 300),
    Part("the afternoon", "23:03", 2700),
    Part("the open door at night", "23:35", 240),
)


def run(args: argparse.Namespace) -> int:
    """Play the day; 0 if every alert arrived that should have."""
    start_logging()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="homenode-demo-") as folder:
        try:
            return asyncio.run(_play(Path(folder), console, live=args.live))
        except asyncio.CancelledError:
            return 143  # as of a program that SIGTERM ends


async def _play(folder: Path, console: Console, *, live: bool) -> int:
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert me is not None
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: what was started ends with it
        loop.add_signal_handler(number, me.cancel)
    started = loop.time()
    done: list[str] = []
    async with stage(folder) as running, asyncio.TaskGroup() as tasks:
        follower = tasks.create_task(_follow(running, done), name="what the node does")
        receiver = Receiver(running.port, "care")
        try:
            if console.is_terminal:
                with Live(console=console, refresh_per_second=8) as screen:
                    show = _shower(
                        running,
                        lambda title, status: screen.update(
                            picture(title, status, receiver, done, console.size)
                        ),
                    )
                    await _day(running, receiver, show)
            else:
                log = Log(console)
                show = _shower(running, lambda title, status: log.update(title, status, receiver, done))
                await _day(running, receiver, show)
            took_s = asyncio.get_running_loop().time() - started
            status = _summary(console, receiver, took_s)
            if live:
                await _stay(running, console)
        finally:
            receiver.close()
            follower.cancel()
    return status


async def _follow(running: Stage, done: list[str]) -> None:
    async for event in running.follow():
        if line := at_home(event):
            done.append(line)


Show = Callable[[str], Awaitable[dict[str, Any] | None]]


def _shower(running: Stage, draw: Callable[[str, dict[str, Any]], None]) -> Show:
    async def show(title: str) -> dict[str, Any] | None:
        status: dict[str, Any] | None = await running.node(do="status")
        if status is not None:
            draw(title, status)
        return status

    return show


async def _day(running: Stage, receiver: Receiver, show: Show) -> None:
    await _pair(running, show)
    for part in DAY:
        await running.speed(part.speed)
        while True:
            status = await show(part.title)
            if status is not None and status["at"][11:16] >= part.until:
                break
            await asyncio.sleep(REFRESH_S)
    await running.speed(1)
    for _ in range(20):  # what was told last is on its way
        if all(receiver.told(rule, event) for rule, event, _ in EXPECTED):
            break
        await asyncio.sleep(REFRESH_S)
    await show("the day is over")


async def _pair(running: Stage, show: Show) -> None:
    """Open the network and wait until every Zigbee device of the home was interviewed."""
    try:
        async with asyncio.timeout(PAIRING_S):
            await running.node(do="pair", for_s=120)
            while True:
                await show("pairing")
                devices = await running.node(do="devices") or []
                if len([d for d in devices if d["name"] and d["kinds"]]) >= 9:
                    return
                await asyncio.sleep(REFRESH_S)
    except TimeoutError:
        log = (running.folder / "node.log").read_text(errors="replace")[-600:]
        raise SetupError(
            f"not every device was paired within {PAIRING_S:.0f} s", do=f"the node said: {log}"
        ) from None


def _summary(console: Console, receiver: Receiver, took_s: float) -> int:
    missing = 0
    console.print(f"\nA day in {took_s:.0f} s. Care received {len(receiver.alerts)} alert messages "
                  f"and {receiver.readings} shared readings.", highlight=False)  # fmt: skip
    for rule, event, what in EXPECTED:
        came = receiver.told(rule, event)
        missing += not came
        console.print(f"  {'came   ' if came else 'MISSING'}  {what} ({rule} {event})", highlight=False)
    unexpected = {a["subject"] for a in receiver.alerts} - {rule for rule, _, _ in EXPECTED}
    for rule in sorted(unexpected):
        console.print(f"  also     {rule}", highlight=False)
    return 1 if missing else 0


def _command() -> str:
    """How to call homenode from another terminal; after `make demo` it isn't in the PATH."""
    return "homenode" if shutil.which("homenode") else os.path.abspath(sys.argv[0])


async def _stay(running: Stage, console: Console) -> None:
    folder, control = running.folder, running.control
    me = _command()
    console.print(
        f"""
It keeps running, at real time. In another terminal:
  {me} status --data {folder}/data
  {me} watch  --data {folder}/data
  {me} sim do trip sink --control {control}
  {me} sim do help --control {control}
The broker is at 127.0.0.1:{running.port}, topics hn1/demo-1/#. Ctrl-C ends it.""",
        highlight=False,
    )
    await asyncio.Event().wait()
