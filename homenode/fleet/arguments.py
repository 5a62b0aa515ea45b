"""The command line of `homenode fleet`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode fleet``."""
    common = argparse.ArgumentParser(add_help=False)
    where = common.add_argument_group("where the homes are")
    where.add_argument(
        "--config",
        metavar="FILE",
        default="",
        help="as of homenode listen, party: operator (default: fleet.yaml)",
    )
    where.add_argument("--broker", metavar="URL", default="", help="without a file: such as mqtts://HOST")
    for name, text in (
        ("ca", "who signed the broker's certificate"),
        ("cert", "the operator's certificate"),
        ("key", "its private key"),
    ):
        where.add_argument(f"--{name}", metavar="FILE", type=Path, help=f"without a file: {text}")
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument(
        "--filter",
        metavar="TEXT",
        default="",
        help="such as 'silent>0 and version<1.2' (--fields lists them)",
    )
    which.add_argument(
        "--sort", metavar="FIELD", default="", help="-FIELD: the greatest first (default: worst)"
    )

    verbs = parser.add_subparsers(dest="verb", required=True, metavar="WHAT")

    def add(verb: str, text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return verbs.add_parser(verb, help=text, description=text, parents=[common, *parents])

    listed = add("list", "A table of all homes, those that ask for somebody first.", which)
    listed.add_argument("--json", action="store_true", help="one line a home")
    listed.add_argument("--fields", action="store_true", help="what can be filtered and sorted by")
    shown = add("show", "All that is known of a home.")
    shown.add_argument("home", metavar="HOME")
    shown.add_argument("--json", action="store_true")
