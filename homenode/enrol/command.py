"""`homenode enrol`: tries until the box is enrolled; a timer starts it again each day."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import logging
import os
import random
import signal
import threading
from dataclasses import fields
from typing import Any

from homenode.enrol import state
from homenode.enrol.places import Places
from homenode.enrol.steps import Outcome, State, Why, short, wait_s
from homenode.errors import SetupError
from homenode.gateway.clock import Clock
from homenode.gateway.logs import start_logging

log = logging.getLogger("homenode.enrol")

MOST_TRIES_SETTLED = 6
"""Of a day's visit, when the home runs; tomorrow is another day."""


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; exit status."""
    names = [field.name for field in fields(Places)]
    places = Places(*(getattr(args, name).absolute() for name in names))
    if args.what == "status":
        return _status(places)
    start_logging(as_json=args.log == "json", verbose=args.verbose)
    match args.what:
        case "clock":
            from homenode.enrol.clock import set_clock

            return set_clock(places)
        case "boot":
            from homenode.enrol.boot import boot

            return boot(places)
    return _tries(places, args.serial, once=args.what == "once")


def _status(places: Places) -> int:
    for path in (places.spare, places.state):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            try:
                path.read_bytes()
            except PermissionError as error:
                do = "run this as the user that runs homenode, or with sudo"
                raise SetupError("it can't be read", where=str(path), do=do) from error
    if not (told := state.now(places)):
        do = "name the node's folder with --data, or see that homenode-enrol.service runs"
        raise SetupError("nobody has said yet how far enrolment is", where=str(places.data), do=do)
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


def _tries(places: Places, serial: str, *, once: bool) -> int:
    from homenode.enrol.finding import serial as own_serial
    from homenode.enrol.visit import Visit

    for name in ("config", "data"):
        if not (folder := getattr(places, name)).is_dir():
            raise SetupError("no such folder", where=str(folder), do=f"make it, or name another: --{name}")
    if os.geteuid() == 0 and places.data.stat().st_uid != 0:
        do = "runuser -u homenode -- homenode enrol …, or systemctl start homenode-enrol"
        raise SetupError(
            "root's key and files are none that the node could read", where=str(places.data), do=do
        )
    with contextlib.suppress(OSError):  # the card takes nothing: that is told below
        places.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    lock = os.open(places.data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("another homenode enrol is at it")
        return 0
    clock, stop = Clock(), threading.Event()
    serial = serial or own_serial()
    if not serial:
        raise SetupError("this machine has neither a serial number nor a machine id", do="give --serial")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    visit = Visit(places, serial, clock)
    started, failed = clock.now(), 0
    while True:
        outcome = _once(visit)
        _tell(places, visit, outcome)
        if outcome.done or once:
            return 0 if outcome.done else 1
        settled = places.home.exists() and _counts(visit) and not places.erase.exists()
        failed += outcome.why.key != "clock"  # that is only waited for: nobody was asked yet
        if settled and failed >= MOST_TRIES_SETTLED:
            return 0
        pause_s = wait_s(outcome, max(0, failed - 1), random.random(), settled=settled)
        log.info(
            "tries again",
            extra={
                "why": outcome.why.key,
                "in_s": round(pause_s),
                "since_s": (clock.now() - started) // 1000,
            },
        )
        if stop.wait(pause_s):
            return 0


def _once(visit: Any) -> Outcome:
    try:
        outcome: Outcome = visit.once()
    except OSError as error:
        text = f"{error.filename or ''} {error.strerror}".strip()
        return Outcome(State.FAILED, Why("card", {"text": text}))
    except SetupError as error:
        return Outcome(State.FAILED, Why("key_wrong", {"text": str(error)}))
    return outcome


def _counts(visit: Any) -> bool:
    held = visit.held()
    return held is not None and held.fits and visit.trust.now_ms() < held.until_ms


def _tell(places: Places, visit: Any, outcome: Outcome) -> None:
    """Say it where others read it; that the card takes nothing, the log says."""
    from homenode.journal.wall_time import text_of

    held = visit.held()
    if outcome.state is State.WAITING and held is not None and places.home.exists() and _counts(visit):
        facts = {"home": held.home, "text": outcome.why.facts.get("text", outcome.why.key)}
        outcome = Outcome(State.ENROLLED, Why("not_renewed", facts))
    more = {
        "serial": visit.serial,
        "fingerprint": short(visit.print) if visit.print else "",
        "home": held.home if held is not None else None,
        **({"clock": visit.trust.office_clock} if visit.trust.office_clock and outcome.done else {}),
        "not_after": text_of(held.until_ms) if held is not None else None,
    }
    log.info("enrolment", extra={"state": outcome.state.value, "why": outcome.why.key, **outcome.why.facts})
    try:
        state.write(places, outcome, visit.trust.now_ms(), **more)
    except OSError as error:
        log.error("state not written", extra={"why": error.strerror})
