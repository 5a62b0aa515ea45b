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
        "--sort", metavar="FIELD", default="", help="--sort=-FIELD: the greatest first (default: worst)"
    )

    verbs = parser.add_subparsers(dest="verb", required=True, metavar="WHAT")

    def add(verb: str, text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return verbs.add_parser(verb, help=text, description=text, parents=[common, *parents])

    listed = add("list", "A table of all homes, those that ask for somebody first.", which)
    listed.add_argument("--json", action="store_true", help="one line a home")
    listed.add_argument("--fields", action="store_true", help="what can be filtered and sorted by")
    add("watch", "The table, live in a terminal.", which)
    exported = add("prometheus", "The figures of all homes for Prometheus: a text file, or at a port.")
    exported.add_argument("to", metavar="FILE|[HOST]:PORT", help="for node_exporter, or to be asked itself")
    exported.add_argument("--once", action="store_true", help="write the file once")
    asked = add(
        "diagnose", "Have a node pack what helps to find out what ails it; nothing of who lives there."
    )
    asked.add_argument("home", metavar="HOME")
    asked.add_argument("--out", default="", metavar="FILE", help="default: HOME-diagnosis.json")
    asked.add_argument("--by", default="", metavar="NAME", help="who asks (default: this user)")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        metavar="DIR",
        default="homenode-fleet",
        help="what the update remembers (default: homenode-fleet)",
    )
    text = (
        "Order a version, ring by ring; halts where homes get worse. The same command goes on after a stop."
    )
    update = add("update", text, data)
    update.add_argument("url", metavar="BUNDLE-URL")
    update.add_argument("--version", required=True, metavar="V")
    update.add_argument("--sha256", required=True, metavar="DIGITS", help="of the bundle")
    update.add_argument("--size", type=int, default=0, metavar="BYTES", help="of the bundle")
    update.add_argument(
        "--rings", default="rings.yaml", metavar="FILE", help="the rings (default: rings.yaml)"
    )
    update.add_argument("--ring", default="", metavar="NAME", help="only this ring of it, such as pilot")
    update.add_argument("--window", default="", metavar="HH:MM-HH:MM", help="when homes may start anew")
    update.add_argument("--not-before", default="", metavar="TIME", help="such as 2026-12-01T01:00:00+01:00")
    update.add_argument("--exception", type=Path, metavar="FILE", help="signed leave for an older version")
    update.add_argument("--by", default="", metavar="NAME", help="who orders it (default: this user)")
    add("halt", "Order no further home, and call off those that have not begun.", data)
    add("resume", "Go on with an update that halted: what is worse was looked at.", data)
    add("cancel", "End an update; homes that have the new version keep it.", data)
    verbs.add_parser("progress", help="How far an update has come.", parents=[data])
    shown = add("show", "All that is known of a home.")
    shown.add_argument("home", metavar="HOME")
    shown.add_argument("--json", action="store_true")
