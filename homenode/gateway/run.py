"""`homenode run`: one process from home.yaml to a running node, and out again in under two seconds."""

from __future__ import annotations

import argparse
import asyncio
import gc
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from homenode.config.model import Home
from homenode.config.registry import driver_types
from homenode.delivery import NodeFault
from homenode.driver import DriverType
from homenode.errors import HomenodeError, SetupError, StorageError
from homenode.gateway.clock import FASTEST, Clock
from homenode.gateway.configured import TRIAL
from homenode.gateway.load import Loaded, keep, load_for_start
from homenode.gateway.logs import start_logging
from homenode.gateway.node import Node, log
from homenode.gateway.office_calls import for_this_home
from homenode.gateway.outcomes import JOURNAL, STORAGE
from homenode.gateway.recovery import recover
from homenode.gateway.updates import keep_at_the_end, schema_on_trial
from homenode.journal.beside import take_back
from homenode.journal.codec import SCHEMA, Damage
from homenode.journal.erase import PLAN, finish
from homenode.journal.journal import Journal
from homenode.journal.lock import FolderLock
from homenode.journal.store import LaterJournal
from homenode.journal.trouble import explained

STARTED_S = 5.0
"""By then what drivers import is there."""


def _collect() -> None:
    gc.collect()
    gc.freeze()  # what is there now stays; later collections need not look at it
    gc.enable()


def run(args: argparse.Namespace, data: Path) -> int:
    """Run the node until SIGTERM or SIGINT.

    Raises:
        FileMistakes: home.yaml or a rule has mistakes, and nothing good is kept.
        SetupError: Another node runs on this data, its office has it for another home, or --start can't be
            read.
        StorageError: The data folder can't be written.
    """
    start_logging(as_json=args.log == "json", verbose=args.verbose)
    types = driver_types()
    _on_trial(Path(args.home), data)
    loaded = load_for_start(Path(args.home), types, data)
    for_this_home(data, loaded.home.home)
    clock = _clock(args, loaded.home)
    with FolderLock.take(data):
        if (data / PLAN).exists():  # the power went while a tenancy was erased
            finish(data, [kind.forget for kind in types.values()], sys.stdout)
        if loaded.fault is None:
            keep(data, loaded, clock.trusted_wall())
        return asyncio.run(_run(loaded, types, clock, data))


def _on_trial(home: Path, data: Path) -> None:
    """A configuration that the node didn't stay up with is taken back."""
    if not (data / TRIAL).exists():
        return
    from homenode.configure.trial import at_start

    try:
        taken_back = at_start(data, home.absolute().parent)
    except OSError as error:
        log.error("whether a new configuration is any good can't be told", extra={"why": str(error)})
        return
    if taken_back is not None and taken_back.back is not None:
        log.error("the new configuration was taken back", extra={"why": taken_back.back["en"]})


def _clock(args: argparse.Namespace, home: Home) -> Clock:
    if not 0 < args.speed <= FASTEST:
        raise SetupError(f"--speed {args.speed:g}", do="give a number above 0, such as 60")
    start_ms = None
    if args.start:
        try:
            start = datetime.fromisoformat(args.start)
        except ValueError:
            raise SetupError(f"--start {args.start}", do="give a time such as 2026-01-05T07:00") from None
        start = start if start.tzinfo else start.replace(tzinfo=ZoneInfo(home.timezone))
        start_ms = int(start.timestamp() * 1000)
    return Clock(speed=args.speed, start_ms=start_ms, anchor_s=args.anchor, always_trusted=home.clock_trusted)


async def _run(loaded: Loaded, types: Mapping[str, DriverType], clock: Clock, data: Path) -> int:
    home = loaded.home
    loop = asyncio.get_running_loop()
    node: Node | None = None
    early = [loaded.fault] if loaded.fault else []

    def tell(fault: NodeFault | None) -> None:
        if node is None:
            early.extend([fault] if fault else [])
        elif fault is not None:
            node.outcomes.fault(fault)
        else:
            node.outcomes.well(STORAGE)

    def trouble(error: StorageError | None) -> None:
        loop.call_soon_threadsafe(tell, _storage_fault(error) if error else None)

    def damaged(damage: Damage) -> None:
        loop.call_soon_threadsafe(tell, _damage_fault(damage))

    with _journal(data, early, trouble, damaged) as journal:
        early += [_damage_fault(damage) for damage in journal.damage if not damage.torn]
        recovered = recover(journal, home, loaded.rules, types, clock)
        node = Node(home, types, clock, data, journal, recovered)
        node.files = loaded.files
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, node.stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: node.start_apart("reload", _reload(node)))
        for fault in (*early, *recovered.faults):
            node.outcomes.fault(fault)
        loop.call_later(STARTED_S, _collect)
        await node.run()
    keep_at_the_end(data)
    return 0


def _journal(
    data: Path,
    early: list[NodeFault],
    on_trouble: Callable[[StorageError | None], None],
    on_damage: Callable[[Damage], None],
) -> Journal:
    """The journal; one that a later homenode wrote is put aside, as a home without a node is worse.

    In its place comes what was kept before the update, if anything was. Where the power went between the two,
    no journal is there, and the next start goes on with the second.
    """
    schema = schema_on_trial(data, SCHEMA)

    def opened() -> Journal:
        return Journal.open(data, on_trouble=on_trouble, on_damage=on_damage, schema=schema)

    later = sorted(data.glob("journal.later-*"), key=_nth)
    if (data / "journal").exists() or not later:
        try:
            return opened()
        except LaterJournal as error:
            later.append(data / f"journal.later-{_nth(later[-1]) + 1 if later else 1}")
            try:
                (data / "journal").rename(later[-1])
            except OSError:
                raise error from None
    *old, aside = later
    try:
        kept = take_back(data)
    except OSError as error:
        raise explained(error, data) from error
    for folder in old:  # the newest tells enough, and a disk has an end
        shutil.rmtree(folder, ignore_errors=True)
    text = {
        "sv": f"journalen är skriven av en nyare homenode och lades undan i {aside}; "
        + ("den från före uppdateringen används" if kept else "en ny är påbörjad"),
        "en": f"a later homenode wrote the journal; it was put aside in {aside} and "
        + ("that of before the update is used" if kept else "a new one begun"),
    }
    early.append(NodeFault(f"{JOURNAL} aside", text, (STORAGE,), at_once=True))
    return opened()


def _nth(folder: Path) -> int:
    """Which one that was put aside; 0 if its name doesn't say."""
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _storage_fault(error: StorageError) -> NodeFault:
    text = {"sv": f"lagringen sviktar: {error}", "en": f"storage is failing: {error}"}
    return NodeFault(STORAGE, text, at_once=True)


def _damage_fault(damage: Damage) -> NodeFault:
    text = {"sv": f"journalen är skadad: {damage}", "en": f"the journal is damaged: {damage}"}
    return NodeFault(f"{JOURNAL} {damage.file}", text, (STORAGE,), at_once=True)


async def _reload(node: Node) -> None:
    try:
        await node.requests.reload()
    except HomenodeError as error:
        log.error("reload refused, the node keeps running on what it had", extra={"why": str(error)})
