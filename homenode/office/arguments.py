"""The command line of `homenode office`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode office``."""
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        if name != "init":
            sub.add_argument(
                "--office",
                type=Path,
                default=None,
                metavar="DIR",
                help="its folder (default: homenode-office, or here)",
            )
        return sub

    init = add("init", "Make an office: certificate authority, database, folder of homes.")
    init.add_argument("folder", type=Path, metavar="DIR")
    init.add_argument(
        "--name",
        action="append",
        required=True,
        metavar="HOST",
        help="by which boxes call it; several are allowed, the first stands on labels",
    )
    init.add_argument("--listen", default="", metavar="ADDRESS:PORT", help="default: 0.0.0.0:8453")
    init.add_argument("--title", default="homes", help="of the authority (default: homes)")
    init.add_argument(
        "--ca-cert",
        type=Path,
        metavar="FILE",
        help="an intermediate's certificate, in place of one of its own",
    )
    init.add_argument("--ca-key", type=Path, metavar="FILE", help="its key")
    init.add_argument("--chain", type=Path, metavar="FILE", help="from its issuer to the root")

    serve = add("serve", "Answer boxes.")
    serve.add_argument("--log", choices=("text", "json"), default="text")
    serve.add_argument("--verbose", action="store_true", help="log more")

    box = add("box", "Expect a box: makes its one-time code, with a label.")
    box.add_argument("add", choices=("add",))
    box.add_argument(
        "serial", nargs="?", default="", help="its serial number; without it, whichever box comes first"
    )
    box.add_argument("--home", default="", help="what it is for; may be assigned later")
    box.set_defaults(takes="serial", wrong=box.error)
    _labels(box)

    withdraw = add("withdraw", "A one-time code that nobody used counts no more: label or file went astray.")
    withdraw.add_argument(
        "serial", nargs="?", default="", help="of the box that it is for; with neither, whichever comes first"
    )
    withdraw.add_argument("--home", default="", help="that it is for")
    withdraw.set_defaults(takes="serial", wrong=withdraw.error)

    assign = add("assign", "Say which home a box is for.")
    assign.add_argument("serial")
    assign.add_argument("home")
    approve = add("approve", "Let in a box that has no code, by the fingerprint of its key.")
    approve.add_argument("serial")
    approve.add_argument("key", help="as the panel shows it, such as 3F2A-…")
    swap = add(
        "swap", "A new box for a home: the old one is revoked, and erases; the radio's backup is handed on."
    )
    swap.add_argument("home")
    swap.add_argument(
        "serial", nargs="?", default="", help="of the new box; without it, whichever has the code"
    )
    swap.add_argument("--without-proof", action="store_true", help="the old box is lost: don't wait for it")
    swap.set_defaults(takes="serial", wrong=swap.error)
    _labels(swap)
    leave = add("leave", "Somebody moves out: revoke, have the box erase the tenancy, and receive the proof.")
    leave.add_argument("home")
    leave.add_argument("--without-proof", action="store_true", help="the box is lost: don't wait for it")
    text = "Empty what homes left at their brokers when somebody moved out; `serve` does so by itself."
    emptied = add("empty", text)
    emptied.add_argument("--done", metavar="HOME", help="it was emptied otherwise, or need not be")
    proof = add("proof", "Check a proof of erasure, and say in plain words what it proves.")
    proof.add_argument("file", type=Path, help="of those in proofs/, as homenode office list names it")
    revoke = add("revoke", "A box is stolen, or a party's key lost: its certificate counts no more.")
    revoke.add_argument("serial", help="of the box, or the party's name")
    revoke.add_argument("--why", default="stolen or lost")
    certify = add("certify", "Key and certificate of a party, such as care@example, or of a broker.")
    certify.add_argument("name", help="with an @, as no home has; or broker, with --host")
    certify.add_argument("--host", action="append", default=[], help="of a broker: its names and addresses")
    certify.add_argument(
        "--to",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where NAME.key and NAME.pem go (default: here)",
    )
    certify.add_argument(
        "--replace", action="store_true", help="make new ones in place of those that are there"
    )
    roll = add("roll", "Make a new certificate authority; the old one counts until --finish.")
    roll.add_argument("--finish", action="store_true", help="the old one counts no more")
    roll.add_argument("--anyway", action="store_true", help="with --finish: cut off who is behind")
    add("restored", "The office's folder is from a copy: boxes that called since then are no copies for it.")
    listed = add("list", "Boxes, their homes, who waits for what, codes, parties, and what to look at.")
    listed.add_argument("--json", action="store_true")
    seen = add("seen", "Clear reports that somebody has looked at.")
    seen.add_argument(
        "number", type=int, help="the last one of them, as homenode office list says at its end"
    )


def _labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--label", type=Path, metavar="FILE", help="write the label to a file (.svg or .pdf)")
    parser.add_argument("--file", type=Path, metavar="FILE", help="write the provisioning file for a card")
