"""`homenode sim run`: powers the apartment; `homenode sim do`: tells it something."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homenode.errors import FileMistakes, Mistake, SetupError
from homenode.gateway.clock import Clock
from homenode.sim.apartment import Apartment, read_apartment
from homenode.sim.control import PORT, ask, control

VERSIONS = (13, 14, 16, 17, 18, 19)
"""EZSP protocol versions that real sticks speak; there is no 15."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `homenode sim`."""
    what = parser.add_subparsers(dest="sim", required=True, metavar="run|do")
    run_ = what.add_parser("run", help="power an apartment")
    run_.add_argument("apartment", metavar="APARTMENT.yaml")
    run_.add_argument("--pty", type=Path, metavar="PATH", help="where the stick's serial port shall be")
    run_.add_argument("--tcp", type=int, metavar="PORT", help="the stick on a TCP port, too (0: any)")
    run_.add_argument("--gpio", type=int, metavar="PORT", help="the pins behind a pigpio daemon (0: any)")
    run_.add_argument("--w1", type=Path, metavar="DIR", help="folder that is the 1-Wire bus (HOMENODE_W1)")
    run_.add_argument("--control", type=int, default=PORT, metavar="PORT", help=f"default {PORT}; 0: any")
    run_.add_argument("--ezsp", type=int, choices=VERSIONS, metavar="VERSION", help="of the stick's protocol")
    run_.add_argument("--speed", type=float, default=1.0, metavar="N", help="the clock runs N times as fast")
    run_.add_argument("--start", metavar="TIME", help="what the clock shows at first: 2026-01-05T07:00")
    run_.add_argument("--anchor", type=float, metavar="UNIX_S", help="real time at which it shows --start")
    run_.add_argument(
        "--state", type=Path, metavar="FILE", help="the stick's flash (default: beside the apartment)"
    )
    do_ = what.add_parser("do", help="tell a running apartment something; `do help` lists what")
    do_.add_argument("--control", type=int, default=PORT, metavar="PORT")
    do_.add_argument("words", nargs="+", metavar="VERB")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; exit status."""
    if args.sim == "do":
        return _do(args)
    apartment = read_apartment(args.apartment)
    clock = _clock(args, apartment)
    asyncio.run(_run(args, apartment, clock))
    return 0


def _do(args: argparse.Namespace) -> int:
    good = True
    with suppress(KeyboardInterrupt):
        for answer in ask(args.control, args.words):
            if answer.get("ok") is False:
                print(answer["error"], file=sys.stderr)
                good = False
            elif isinstance(answer.get("result"), list):
                print("\n".join(map(str, answer["result"])))
            elif answer.get("result") is not None or "device" in answer:
                what = answer.get("result", answer)
                print(
                    json.dumps(what, ensure_ascii=False, indent=None if "device" in answer else 1), flush=True
                )
    return 0 if good else 1


def _clock(args: argparse.Namespace, apartment: Apartment) -> Clock:
    if not 0 < args.speed <= 100_000:
        raise SetupError(
            f"{args.speed:g} is no speed", where="--speed", do="a number above 0, at most 100000"
        )
    try:
        zone = ZoneInfo(apartment.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        mistake = Mistake(
            str(args.apartment), 1, "timezone", repr(apartment.timezone), "such as Europe/Stockholm"
        )
        raise FileMistakes([mistake]) from None
    if args.start is None:
        return Clock(speed=args.speed, anchor_s=args.anchor)
    try:
        start = datetime.fromisoformat(args.start)
    except ValueError:
        raise SetupError(
            f"{args.start!r} is no time", where="--start", do="such as 2026-01-05T07:00"
        ) from None
    start = start if start.tzinfo else start.replace(tzinfo=zone)
    return Clock(speed=args.speed, start_ms=round(start.timestamp() * 1000), anchor_s=args.anchor)


async def _run(args: argparse.Namespace, apartment: Apartment, clock: Clock) -> None:
    from homenode.sim.hardware import Hardware
    from homenode.sim.scenario import read_scenario
    from homenode.sim.tape import play

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    state = args.state or apartment.path.with_suffix(".stick.json")
    hardware = Hardware(
        apartment,
        clock,
        state=state,
        pty=args.pty,
        tcp=args.tcp,
        gpio=args.gpio,
        w1=args.w1,
        version=args.ezsp,
    )
    async with hardware, control(hardware, args.control) as port, asyncio.TaskGroup() as group:
        tasks = [group.create_task(hardware.run(), name="apartment")]
        if apartment.scenario is not None:
            scenario = read_scenario(apartment.scenario, hardware.words())
            hardware.people.start(scenario)
            if scenario.tape is not None:
                tasks.append(
                    group.create_task(play(scenario.tape, hardware.things, hardware.timeline), name="tape")
                )
        tcp = hardware.stick.tcp_port
        places = {
            "control": port,
            "stick": str(args.pty) if args.pty else None,
            "stick tcp": tcp,
            "gpio": hardware.pigpio.port if args.gpio is not None else None,
        }
        print("ready " + json.dumps({name: place for name, place in places.items() if place}), flush=True)
        await stop.wait()
        for task in tasks:
            task.cancel()
