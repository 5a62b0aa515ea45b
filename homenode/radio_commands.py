"""`homenode radio show|backup|restore`: the network of a radio, kept and given to another stick."""

from __future__ import annotations

import argparse
from pathlib import Path

from homenode.config.load import load_home
from homenode.config.registry import driver_types
from homenode.driver import RadioWork
from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.gateway.local_socket import ask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the command."""
    parser.add_argument(
        "what", choices=("show", "backup", "restore"),
        help="show the latest backup; write it to a file; give its network to the stick in the port",
    )  # fmt: skip
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="where backup writes to")
    parser.add_argument(
        "--backup", type=Path, metavar="FILE", help="what restore takes (default: the latest that was kept)"
    )
    parser.add_argument("--home", type=Path, metavar="HOME.yaml", help="default: home.yaml beside --data")
    parser.add_argument("--radio", default="", help="which radio, if there are several")
    parser.add_argument("--overwrite", action="store_true", help="erase another network that the stick holds")


def run(args: argparse.Namespace, data: Path) -> int:
    """Do it."""
    home = load_home(args.home or data.parent / "home.yaml", files=False)
    types = driver_types()
    able = {name: radio for name, radio in home.radios.items() if args.what in types[radio.driver].work}
    if args.radio:
        able = {name: radio for name, radio in able.items() if name == args.radio}
    if not able:
        why = "home.yaml has no radio whose network is kept, as that of zigbee is"
        raise Refused(why, where=args.radio or "radios")
    if len(able) > 1:
        do = f"name one with --radio: {', '.join(able)}"
        raise Refused(f"home.yaml has {len(able)} such radios", where="radios", do=do)
    ((name, radio),) = able.items()
    if args.what == "restore" and _runs(data):
        do = "stop it first: systemctl stop homenode"
        raise Refused("the node is running and has the stick", where=str(data), do=do)
    file = args.backup if args.what != "backup" else args.file
    work = RadioWork(name, radio.options, data / name, file, Clock().wall(), args.overwrite)
    for line in types[radio.driver].work[args.what](work):
        print(line)
    return 0


def _runs(data: Path) -> bool:
    """Whether a node runs on this folder."""
    try:
        return bool(list(ask(data, {"do": "status"}, 5.0)))
    except SetupError:
        return False
