"""`homenode fleet`: its commands, from the connection to what is printed."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys

from homenode.fleet.board import Board, no_home
from homenode.fleet.ears import Ears
from homenode.fleet.fields import FIELDS
from homenode.fleet.filters import read_filter
from homenode.fleet.settings import Settings, settings_of
from homenode.fleet.table import Columns, as_json, chosen, details, summary
from homenode.gateway.clock import Clock
from homenode.gateway.logs import start_logging


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks.

    Raises:
        HomenodeError: It can't be done; says why and what to do.
    """
    start_logging()
    match args.verb:
        case "list":
            return _list(args)
        case "watch":
            from homenode.fleet.watch import run as watch

            return watch(args)
        case "prometheus":
            from homenode.fleet.exporter import run as export

            return export(args)
        case "diagnose":
            from homenode.fleet.diagnose import run as diagnose

            return diagnose(args)
        case "update":
            from homenode.fleet.update import update

            return update(args)
        case "halt" | "resume" | "cancel":
            from homenode.fleet.update import wish

            return wish(args)
        case "progress":
            from homenode.fleet.update import progress

            return progress(args)
        case _:
            return _show(args)


async def heard(settings: Settings, clock: Clock) -> Board:
    """All homes, as the broker keeps them."""
    board = Board()
    ears = Ears(settings, board, clock)
    try:
        await ears.connect()
        await ears.all_heard()
    finally:
        ears.close()
    return board


def _list(args: argparse.Namespace) -> int:
    if args.fields:
        for field in FIELDS:
            print(f"{field.name:15}{field.about}")
        return 0
    wanted = read_filter(args.filter) if args.filter else None
    chosen(Board(), 0, wanted, args.sort)  # a wrong --sort is told before anything is asked
    clock = Clock()
    board = asyncio.run(heard(settings_of(args), clock))
    now_ms = clock.wall()
    homes = chosen(board, now_ms, wanted, args.sort)
    if args.json:
        for home in homes:
            print(json.dumps(as_json(home, now_ms), ensure_ascii=False))
        return 0
    columns = Columns()
    rows = columns.rows(homes, now_ms, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    print("\n".join([columns.heads(), *rows]))
    print(summary(board, homes, now_ms))
    return 0


def _show(args: argparse.Namespace) -> int:
    clock = Clock()
    board = asyncio.run(heard(settings_of(args), clock))
    home = board.homes.get(args.home)
    if home is None:
        raise no_home(args.home)
    if args.json:
        print(json.dumps(as_json(home, clock.wall()), ensure_ascii=False, indent=1))
    else:
        print("\n".join(details(home, clock.wall())))
    return 0
