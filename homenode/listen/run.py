"""`homenode listen`: one receiver, from its settings to its end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
from pathlib import Path

from homenode.config.model import Broker
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

log = logging.getLogger("homenode.listen")


def run(args: argparse.Namespace) -> int:
    """Listen until SIGTERM or SIGINT.

    Raises:
        FileMistakes: listen.yaml has mistakes.
        SetupError: Another receiver runs on this data, or an extra is missing.
        StorageError: The data folder can't be written.
    """
    start_logging(as_json=args.log == "json", verbose=args.verbose)
    settings = _settings(args)
    data = Path(args.data or Path(args.file or "").parent / "homenode-listen")
    out = standard_output()
    handed = takers(settings, out, as_json=args.json)
    with FolderLock.take(data):
        return asyncio.run(_run(settings, handed, data))


def _settings(args: argparse.Namespace) -> Settings:
    if args.file is not None:
        settings, notes = read_settings(args.file)
        for warning in notes.warnings:
            log.warning("listen.yaml", extra={"look_at": str(warning)})
        return settings
    if not args.broker:
        raise SetupError("whom to listen to is not said", do="name LISTEN.yaml, or give --broker mqtt://HOST")
    address(args.broker)
    return Settings(args.party, Broker((args.broker,)), language=args.language)


async def _run(settings: Settings, handed: dict[str, Taker], data: Path) -> int:
    clock, stopping = Clock(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    with Kept.open(data) as journal:
        assert settings.broker is not None
        store = Kept(journal, settings.plan(), clock.now)
        with contextlib.suppress(_Stop):
            try:
                async with asyncio.TaskGroup() as group:
                    single = Single(settings, store, clock)
                    intake = Intake(
                        settings.broker,
                        f"{settings.party}-{journal.epoch}",
                        settings.party,
                        settings.homes,
                        on_messages=single.came,
                        on_link=single.link,
                    )
                    single.desk = Desk(
                        store, handed, intake.send, clock, Pulses(settings.silent_after_ms), group
                    )
                    await single.begin()
                    single.desk.start(intake.run())
                    single.desk.start(single.ticks())
                    notify("READY=1")
                    await stopping.wait()
                    raise _Stop
            except* _Stop:
                raise _Stop from None
    return 0


class _Stop(Exception):
    """Asked to end."""
