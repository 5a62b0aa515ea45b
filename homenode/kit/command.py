"""`homenode driver`: its arguments, and what they do."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from homenode.kit.new import KINDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of `homenode driver`."""
    does = parser.add_subparsers(dest="does", required=True, metavar="new|test")
    text = "Make a driver package to begin with; it is tested and works as it is."
    new = does.add_parser("new", help=text, description=text)
    new.add_argument("name", metavar="NAME", help="the word after driver: in home.yaml")
    new.add_argument("--kind", choices=KINDS, required=True, help="how the sensor is connected")
    new.add_argument("--out", type=Path, metavar="DIR", help="its folder (default: homenode-NAME here)")
    text = "Tell whether a driver does what every driver must; exit status 0 if all is well."
    test = does.add_parser("test", help=text, description=text)
    test.add_argument("driver", metavar="PATH", help="its package's folder, its file, or its installed name")
    test.add_argument(
        "--simulated", default="", metavar="FILE", help="its simulated device, if not the one beside it"
    )


def run(args: argparse.Namespace) -> int:
    """Do it. Raises SetupError."""
    if args.does == "new":
        from homenode.kit.new import new

        return new(args.name, args.kind, args.out, sys.stdout)
    from homenode.kit.checklist import test

    return test(args.driver, args.simulated, sys.stdout)
