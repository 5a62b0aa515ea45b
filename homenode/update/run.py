"""`homenode update`, as its unit starts it; and what an operator signs."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from homenode.configure.signatures import read_key_file
from homenode.errors import Refused, SetupError
from homenode.gateway.logs import start_logging
from homenode.journal.lock import FolderLock
from homenode.update import exception
from homenode.update.bucket import RATE_B_S
from homenode.update.files import read_json
from homenode.update.host import Host
from homenode.update.places import Places
from homenode.update.rauc import Rauc, RaucError
from homenode.update.updater import Updater


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of `homenode update`."""
    add = parser.add_argument
    add("--status", action="store_true", help="only show where the update is")
    add("--own", default="/var/lib/homenode-update", metavar="DIR", help="the updater's folder")
    add("--run", default="/run/homenode-update", metavar="DIR", help="for the wish to restart")
    add("--etc", default="/etc/homenode", metavar="DIR", help="keys and trust/operator.pem")
    rate = RATE_B_S // 1024
    add("--rate", type=int, default=rate, metavar="KIB_S", help=f"of loading (default {rate} KiB/s)")
    add("--bus", default="", metavar="ADDRESS", help="of D-Bus (default: the system's)")
    add("--log", choices=("text", "json"), default="text")
    add("--allow", default="", metavar="VERSION", help="sign leave to install this older version")
    add("--key", type=Path, metavar="FILE", help="with --allow: the operator's private key, in PEM")
    add("--until", metavar="TIME", help="with --allow: such as 2026-12-01T00:00:00+01:00")
    add("--for", dest="whom", default=exception.ANY, metavar="HOME", help="with --allow (default: all homes)")


def run(args: argparse.Namespace, data: Path) -> int:
    """Carry out what is ordered.

    Raises:
        SetupError: There is no RAUC, another updater works here, or where it is may not be read.
        Refused: Nothing was ordered that could be shown, or an exception can't be signed.
        StorageError: The updater's folder can't be written.
    """
    if args.allow:
        if args.key is None or args.until is None:
            raise Refused("--allow needs --key and --until")
        key = read_key_file(args.key, private=True)
        print(exception.sign(args.allow, args.whom, args.until, key))
        return 0
    places = Places(data, Path(args.own), Path(args.run), Path(args.etc))
    if args.status:
        try:
            record = read_json(places.state)
        except OSError as error:
            raise SetupError(
                f"it can't be read: {error.strerror}", where=str(places.state),
                do="run this as the user that runs homenode, or with sudo",
            ) from error  # fmt: skip
        if record is None:
            raise Refused("no update was ordered here", do="name the node's folder with --data")
        print(json.dumps(record, indent=2, ensure_ascii=False), file=sys.stdout)
        return 0
    start_logging(as_json=args.log == "json")
    with FolderLock.take(places.own), contextlib.closing(Rauc(args.bus)) as rauc:
        try:
            updater = Updater(places, rauc, Host(places.run / "restart"), max(1, args.rate) * 1024)
        except RaucError as error:
            raise SetupError(
                f"RAUC doesn't answer: {error}", do="is rauc installed and set up here?"
            ) from error
        updater.run()
    return 0
