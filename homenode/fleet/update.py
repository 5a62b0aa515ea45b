"""`homenode fleet update`, `halt`, `resume`, `cancel`, `progress`: the rings at work."""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from homenode.by_name import by_name
from homenode.contract.command import why_not_args
from homenode.errors import Refused, SetupError
from homenode.fleet import kept as kept_in
from homenode.fleet.board import Board
from homenode.fleet.ears import Ears
from homenode.fleet.kept import Kept
from homenode.fleet.plan import Step
from homenode.fleet.ring_file import read_rings
from homenode.fleet.rings import Rollout
from homenode.fleet.settings import Settings, settings_of
from homenode.gateway.clock import Clock
from homenode.journal.lock import FolderLock
from homenode.link.words import NoLink
from homenode.update import exception
from homenode.update.order import order_of

TICK_S = 1.0
ON = "homenode fleet resume goes on, cancel ends it"
"""What a person does about an update that halted."""


def update(args: argparse.Namespace) -> int:
    """Order a version, ring by ring, or go on with it; until it is done, cancelled or interrupted.

    Raises:
        HomenodeError: It can't be begun; says why and what to do.
    """
    folder = Path(args.data)
    settings, order = settings_of(args), _order(args)
    with FolderLock.take(folder):
        kept, asked = kept_in.read(folder), _asked(args, order)
        if kept is None or kept.rollout.ended:
            kept = asked
            kept_in.take_wish(folder)  # of the update before
        elif others := _others(kept, asked, args.by):
            do = "the same words go on with it, homenode fleet cancel ends it"
            what = f"{kept.rollout.version} is still on its way, with another {', '.join(others)}"
            raise Refused(what, where=str(folder), do=do)
        elif kept_in.take_wish(folder) in ("halt", "cancel"):
            kept_in.wish(folder, "halt")  # its tool ended before it heard: somebody has to say what now
        return asyncio.run(_work(settings, kept, folder))


def _asked(args: argparse.Namespace, order: dict[str, Any]) -> Kept:
    """What the command line and the rings say; kept from its first step on, when homes are there."""
    plan, window = read_rings(args.rings)
    if args.ring:
        names = [ring.name for ring in plan.rings]
        if args.ring not in names:
            raise SetupError(f"--ring {args.ring}", where=args.rings, do=f"rings: {', '.join(names)}")
        plan = plan.only(args.ring)
    if window and "window" not in order:
        order = _taken({**order, "window": window})
    return Kept(Rollout(plan, args.version, secrets.token_hex(4)), order, by_name(args.by))


def _others(kept: Kept, asked: Kept, by: str) -> list[str]:
    """In what somebody asks for another update than the one that is on its way."""
    names = sorted({*kept.args, *asked.args})
    found = [name.replace("_", "-") for name in names if kept.args.get(name) != asked.args.get(name)]
    rings = ["--rings or --ring"] if kept.rollout.plan != asked.rollout.plan else []
    return [*found, *rings, *(["--by"] if by and by != kept.by else [])]


def _order(args: argparse.Namespace) -> dict[str, Any]:
    if not re.fullmatch(r"[0-9a-f]{64}", args.sha256):
        raise SetupError(f"--sha256 {args.sha256[:80]}", do="give the 64 digits that sha256sum prints")
    if not re.fullmatch(r"https://[^/]+/.+", args.url):
        do = "give https://HOST/NAME, such as https://office.example:8453/bundles/homenode_V.raucb"
        raise SetupError(f"BUNDLE-URL {args.url[:80]}", do=do)
    order: dict[str, Any] = {"version": args.version, "url": args.url, "sha256": args.sha256}
    if args.size:
        order["size"] = args.size
    for name in ("window", "not_before"):
        if value := getattr(args, name):
            order[name] = value
    if args.exception:
        try:
            order["exception"] = args.exception.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not a text"
            raise SetupError(f"can't be read: {why}", where=str(args.exception)) from error
    return _taken(order)


def _taken(order: dict[str, Any]) -> dict[str, Any]:
    """The order, if a node would take it. Raises SetupError."""
    try:
        if not (why := why_not_args("update", order)):
            whole = order_of({**order, "id": "", "home": "", "at_ms": 0})
            if never := exception.why_never(whole, Clock().wall()):
                why = f"the exception doesn't hold: {never}"
    except ValueError as error:
        why = str(error)
    if why:
        raise SetupError(why.replace("args.", ""), do="no node would take it")
    return order


def wish(args: argparse.Namespace) -> int:
    """Have the tool that runs halt, go on or cancel; without one do so here.

    Raises:
        HomenodeError: There is nothing to halt, or it can't be done.
    """
    folder = Path(args.data)
    if kept_in.read(folder) is None:
        raise Refused("no update is on its way", where=str(folder), do="name its folder with --data")
    try:
        lock = FolderLock.take(folder)
    except SetupError:
        kept_in.wish(folder, args.verb)
        print(f"{args.verb}: told the tool that runs")
        return 0
    with lock:
        kept = kept_in.read(folder)
        assert kept is not None
        if kept.rollout.ended:
            raise Refused(f"{kept.rollout.version} is {kept.rollout.ended}")
        settings = settings_of(args)
        return asyncio.run(_work(settings, kept, folder, args.verb, once=args.verb != "resume"))


def progress(args: argparse.Namespace) -> int:
    """How far it has come.

    Raises:
        HomenodeError: There is none.
    """
    kept = kept_in.read(Path(args.data))
    if kept is None:
        raise Refused("no update is on its way", where=args.data, do="name its folder with --data")
    rollout = kept.rollout
    print(_state(kept))
    for ring, counts in rollout.counted().items():
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        now = " (now)" if rollout.ring is not None and rollout.ring.name == ring else ""
        print(f"ring {ring}{now}: {told or 'no home'}")
    for name, course in sorted(rollout.courses.items()):
        if course.harmed or course.at.value in ("failed", "left behind"):
            print(f"{name}: {course.at.value}{', worse' if course.harmed else ''}: {course.told}")
    return 0


def _state(kept: Kept) -> str:
    rollout = kept.rollout
    halted = f"HALTED: {rollout.halted} ({ON})"
    state = rollout.ended or (halted if rollout.halted else "on its way")
    return f"{rollout.version} by {kept.by}: {state}"


async def _work(settings: Settings, kept: Kept, folder: Path, word: str = "", *, once: bool = False) -> int:
    """Until it is at its end, or SIGINT or SIGTERM; with `once` only `word`, which is what is asked first."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    worker = _Worker(settings, kept, folder, word)
    async with asyncio.TaskGroup() as tasks:
        await worker.ears.connect()
        print(_state(kept), flush=True)
        link = tasks.create_task(worker.ears.run(), name="link")
        ticked = False
        while not stopping.is_set():
            if worker.ears.up.is_set():
                with suppress(NoLink):  # the link comes back, and who looks after the homes stays
                    await worker.ears.all_heard()
                    worker.tick()
                    ticked = True
            if kept.rollout.ended or (once and ticked):
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await stopping.wait()
        await worker.ears.drained()
        worker.ears.close()
        link.cancel()
    if kept.rollout.ended or (once and ticked):
        return 0
    worker.tell(["stopped: nobody else is ordered; the same command goes on"])
    return 1 if kept.rollout.halted else 0


class _Worker:
    def __init__(self, settings: Settings, kept: Kept, folder: Path, word: str) -> None:
        self._kept, self._folder, self._clock = kept, folder, Clock()
        self._word = word
        self._board = Board()
        self._said: dict[str, Any] = {}
        self.ears = Ears(settings, self._board, self._clock, replied=self._replied)

    def tick(self) -> None:
        """What time and homes ask for."""
        rollout, now = self._kept.rollout, self._clock.wall()
        stood = rollout.halted
        wished = kept_in.take_wish(self._folder)  # an older one doesn't undo what is asked now
        word, self._word = self._word or wished, ""
        steps = [self._wish(word, now), rollout.step(self._board.homes, now)]
        for step in steps:
            # Written before it is sent: a tool that is killed in between asks again under the same id.
            self._keep()
            for home in step.cancel:
                self.ears.command(home, "update", {"cancel": True}, self._kept.by)
            for home in step.order:
                self.ears.command(home, "update", self._kept.args, self._kept.by, rollout.id_of(home))
            self.tell(step.news)
        if rollout.halted and not stood:
            self.tell([ON])

    def _wish(self, word: str, now: int) -> Step:
        rollout = self._kept.rollout
        match word:
            case "halt":
                return rollout.halt("by hand", now)
            case "resume":
                return rollout.resume()
            case "cancel":
                return rollout.cancel(now)
        return Step()

    def _replied(self, home: str, body: Mapping[str, Any]) -> None:
        self.tell(self._kept.rollout.replied(home, body, self._clock.wall()))

    def _keep(self) -> None:
        state = self._kept.rollout.dump()
        if state != self._said:
            self._said = state
            kept_in.write(self._folder, self._kept)

    def tell(self, news: list[str]) -> None:
        """A line each, with day (an update takes many) and time of this machine, as the log has it."""
        for line in news:
            at = time.localtime(self._clock.wall() / 1000)
            print(f"{time.strftime('%Y-%m-%d %H:%M:%S', at)} {line}", flush=True)
