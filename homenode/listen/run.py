"""`homenode listen`: one receiver, from its settings to its end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import re
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from homenode.by_name import by_name
from homenode.config.model import Broker
from homenode.config.values import WORD
from homenode.errors import SetupError
from homenode.gateway.clock import Clock
from homenode.gateway.logs import start_logging
from homenode.gateway.systemd import notify
from homenode.journal.lock import FolderLock
from homenode.link.address import address
from homenode.listen.desk import Desk
from homenode.listen.intake import Intake
from homenode.listen.kept import Kept
from homenode.listen.pulses import Pulses
from homenode.listen.settings import Settings, read_settings
from homenode.listen.single import Single
from homenode.listen.targets import Taker, standard_output, takers
from homenode.sealing.keys import read_private_key

log = logging.getLogger("homenode.listen")

OF_FILE = ("party", "broker", "nats", "key", "group", "language")
"""Options that listen.yaml says: whoever gives both would be heard in one, and not know in which."""


def run(args: argparse.Namespace) -> int:
    """Listen until SIGTERM or SIGINT.

    Raises:
        FileMistakes: listen.yaml has mistakes.
        SetupError: Another receiver runs on this data, or an extra is missing.
        StorageError: The data folder can't be written.
    """
    words = list(args.words)
    preparing, asked = words[:1] == ["prepare"], words[:1] == ["ack"]
    alert = words[1] if asked and len(words) > 1 else ""
    del words[: 2 if asked else int(preparing)]
    if len(words) > 1 or (asked and not alert):
        args.wrong("name one LISTEN.yaml at most" if words else "ack: name the alert")
    file = words[0] if words else None
    start_logging(as_json=args.log == "json", verbose=args.verbose)
    settings = _settings(args, file)
    out = standard_output()
    if asked:
        from homenode.listen.ack import acknowledge

        return acknowledge(settings, alert, by_name(args.by), out)
    if preparing:
        from homenode.listen.streams import prepare

        if settings.nats is None:
            raise SetupError("only NATS needs it", do="give nats: in LISTEN.yaml, or --nats")
        print(f"{asyncio.run(prepare(settings, settings.nats))} is there", file=out)
        return 0
    handed = takers(settings, out, as_json=args.json)
    data = Path(args.data or Path(file or "").parent / "homenode-listen")
    return asyncio.run(_run(settings, handed, data))


def _settings(args: argparse.Namespace, file: str | None) -> Settings:
    if file is not None:
        if said := next((name for name in OF_FILE if getattr(args, name)), ""):
            do = "write it there, or leave it out"
            raise SetupError(f"--{said} doesn't count beside a file", where=file, do=do)
        settings, notes = read_settings(file)
        for warning in notes.warnings:
            log.warning("listen.yaml", extra={"look_at": str(warning)})
        return settings
    if bool(args.broker) == bool(args.nats):
        do = "name LISTEN.yaml, or give one of --broker mqtt://HOST and --nats nats://HOST"
        raise SetupError("whom to listen to is not said", do=do)
    if args.broker:
        address(args.broker)
    if args.group and args.broker:
        raise SetupError("--group is for --nats", do="leave it out: on a broker each receiver hears all")
    group = args.group or "desk"
    if not re.fullmatch(WORD, group):
        raise SetupError(f"--group {args.group}", do="give a word of a-z, 0-9, _ and -")
    broker = Broker((args.broker,)) if args.broker else None
    nats = Broker(tuple(args.nats)) if args.nats else None
    keys = tuple(read_private_key(path)[0] for path in args.key or ())
    return Settings(args.party or "care", broker, nats, group, args.language or "sv", keys=keys)


async def _run(settings: Settings, handed: dict[str, Taker], data: Path) -> int:
    run = _member if settings.nats else _alone
    return await until_stopped(lambda tasks: run(settings, handed, data, tasks))


async def until_stopped(work: Callable[[asyncio.TaskGroup], Coroutine[Any, Any, None]]) -> int:
    """Do `work` until SIGTERM or SIGINT."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    with contextlib.suppress(_Stop):
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(work(tasks))
                await stopping.wait()
                raise _Stop
        except* _Stop:
            raise _Stop from None
    return 0


async def _alone(settings: Settings, handed: dict[str, Taker], data: Path, tasks: asyncio.TaskGroup) -> None:
    """All homes on a broker."""
    with FolderLock.take(data):
        not_of_a_node(data)
        await _listen(settings, handed, data, tasks)


def not_of_a_node(data: Path) -> None:
    """Raise SetupError if it is: writing its own, each would leave out what the other must not lose."""
    if (data / "good.home").exists() or (data / "node.sock").exists():
        do = "name a folder of its own with --data"
        raise SetupError(
            "this is the folder of a node, and a receiver keeps another one", where=str(data), do=do
        )


async def _listen(settings: Settings, handed: dict[str, Taker], data: Path, tasks: asyncio.TaskGroup) -> None:
    assert settings.broker is not None
    clock, pulses = Clock(), Pulses(settings.silent_after_ms)
    with Kept.open(data) as journal:
        store = Kept(journal, settings.plan(), clock.now)
        single = Single(settings, store, clock)
        intake = Intake(
            settings.broker,
            f"{settings.party}-{journal.epoch}",
            settings.party,
            settings.homes,
            on_messages=single.came,
            on_link=single.link,
        )
        single.desk = Desk(store, handed, intake.send, clock, pulses, tasks)
        await single.begin()
        single.desk.start(single.ticks())
        notify("READY=1")
        await intake.run()


async def _member(settings: Settings, handed: dict[str, Taker], _: Path, tasks: asyncio.TaskGroup) -> None:
    """A share of the homes on NATS; what is remembered is there, and nothing here."""
    from homenode.listen.group import Group

    clock, pulses = Clock(), Pulses(settings.silent_after_ms)
    assert settings.nats is not None
    group = Group(settings, settings.nats, clock)
    await group.connect()
    group.desk = Desk(group.store, handed, group.send, clock, pulses, tasks, group.responsible)
    try:
        await group.begin()
        notify("READY=1")
        await asyncio.get_running_loop().create_future()
    finally:
        await group.leave()


class _Stop(Exception):
    """Asked to end."""
