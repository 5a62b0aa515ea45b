"""The command line of `homenode configure`."""

from __future__ import annotations

import argparse
from pathlib import Path

from homenode.config.model import SIGNERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode configure``."""
    parser.usage = (
        "homenode configure key PARTY FILE [--homes FOLDER] [--after FILE]\n"
        "       homenode configure show HOME-FOLDER\n"
        "       homenode configure sign HOME-FOLDER --key FILE [--by NAME]\n"
        "       homenode configure send HOME-FOLDER … (LISTEN.yaml | --broker URL) [--party PARTY]\n"
        "                          [--wait DURATION] [--by NAME] [--over]\n"
        "       homenode configure status [HOME-FOLDER …] (LISTEN.yaml | --broker URL)"
    )
    parser.add_argument("what", choices=("key", "show", "sign", "send", "status"))
    parser.add_argument(
        "words",
        nargs="*",
        metavar="HOME-FOLDER",
        help="folder with a home.yaml; LISTEN.yaml: how the broker is reached, as for homenode listen",
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="sign: the private key, in PEM")
    parser.add_argument(
        "--homes", type=Path, metavar="FOLDER", help="key: where trust/PARTY.pem goes (default: beside FILE)"
    )
    parser.add_argument(
        "--after",
        type=Path,
        metavar="FILE",
        help="key: the party's former private key, which the new one follows",
    )
    parser.add_argument("--by", default="", help="who it is, by name (default: this user)")
    parser.add_argument(
        "--over", action="store_true", help="send: also where somebody changed the files at the node since"
    )
    parser.add_argument("--party", choices=SIGNERS, help="send, with --broker: as whom (default operator)")
    parser.add_argument("--broker", metavar="URL", help="instead of LISTEN.yaml: such as mqtt://127.0.0.1")
    parser.add_argument(
        "--wait", default="1min", metavar="DURATION", help="send: for the node's answer (default 1min)"
    )
    parser.set_defaults(takes="words", wrong=parser.error)
