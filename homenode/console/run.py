"""`homenode console`: receivers, and pages over what they hear, from the settings to the end."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import sys
from dataclasses import replace
from pathlib import Path

from homenode.console.control_room import TARGET, Branch, ControlRoom, Witness
from homenode.console.settings import Console, read_console
from homenode.errors import SetupError
from homenode.gateway.clock import Clock
from homenode.gateway.logs import start_logging
from homenode.gateway.systemd import notify
from homenode.journal.journal import Journal
from homenode.journal.lock import FolderLock
from homenode.listen.desk import Desk
from homenode.listen.intake import Intake
from homenode.listen.kept import Kept
from homenode.listen.pulses import Pulses
from homenode.listen.run import not_of_a_node, until_stopped
from homenode.listen.settings import PRINT, Settings
from homenode.listen.single import Single
from homenode.listen.targets import takers

log = logging.getLogger("homenode.console")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        FileMistakes: A file has mistakes.
        SetupError: The address is taken, another receiver runs on this data, or an extra is missing.
        StorageError: The data folder can't be written.
    """
    if args.file == "password":
        return _password()
    start_logging(as_json=args.log == "json", verbose=args.verbose)
    settings, warned = read_console(args.file)
    for warning in (warning for notes in warned for warning in notes.warnings):
        log.warning("console.yaml", extra={"look_at": str(warning)})
    data = Path(args.data or Path(args.file).parent / "homenode-console")
    return asyncio.run(until_stopped(lambda tasks: _run(settings, data, tasks)))


def _password() -> int:
    from argon2 import PasswordHasher

    asked = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(asked) < 10:
        raise SetupError("the password is short", do="give 10 characters or more")
    print(PasswordHasher().hash(asked))
    return 0


async def _run(settings: Console, data: Path, tasks: asyncio.TaskGroup) -> None:
    from homenode.console.server import Server

    with FolderLock.take(data):
        not_of_a_node(data)
        with Kept.open(data) as journal:
            room = ControlRoom(settings, journal, Clock())
            for one in settings.listen:
                await _receive(room, one, journal, tasks)
            server = Server(room)
            try:
                await server.start()
            except OSError as error:
                where = f"{settings.host}:{settings.port}"
                do = f"address: is one of this machine, and free ({error})"
                raise SetupError("the address can't be used", where=where, do=do) from error
            log.info("console", extra={"url": server.url})
            notify("READY=1")
            await room.ticks()


def _handing(settings: Settings) -> Settings:
    """As listen.yaml says, and to us first; printed lines would be alerts in a log."""

    def ours(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(TARGET if name == PRINT else name for name in names)

    to = tuple(dict.fromkeys((TARGET, *ours(settings.to))))
    stages = tuple(
        replace(stage, to=tuple(dict.fromkeys((TARGET, *ours(stage.to))))) for stage in settings.stages
    )
    return replace(settings, to=to, stages=stages)


async def _receive(room: ControlRoom, settings: Settings, journal: Journal, tasks: asyncio.TaskGroup) -> None:
    """One party's receiver, as `homenode listen` has it, with us as one who takes and looks on."""
    party, store = settings.party, Kept(journal, _handing(settings).plan(), room.clock.now)
    assert settings.broker is not None
    single = Single(settings, store, room.clock, Witness(room, party))
    intake = Intake(
        settings.broker,
        f"{party}-{journal.epoch}",
        party,
        settings.homes,
        on_messages=single.came,
        on_link=single.link,
        readings=room.settings.related if party == "care" else (),
    )
    handed = takers(settings, sys.stderr, as_json=False) | {TARGET: room.taker(party)}
    desk = Desk(store, handed, intake.send, room.clock, Pulses(settings.silent_after_ms), tasks)
    room.branches[party] = Branch(desk, intake)
    room.board.link(party, False, room.clock.now())
    single.desk = desk
    await single.begin()
    desk.start(single.ticks())
    desk.start(intake.run())
