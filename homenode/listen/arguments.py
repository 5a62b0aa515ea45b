"""The command line of `homenode listen`."""

from __future__ import annotations

import argparse
from pathlib import Path

from homenode.config.model import PARTIES
from homenode.config.rows import LANGUAGES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode listen``."""
    parser.usage = (
        "homenode listen LISTEN.yaml [--data DIR] [--json]\n"
        "       homenode listen (--broker URL | --nats URL … [--group GROUP])\n"
        "                       [--party PARTY] [--key FILE] [--data DIR] [--json]\n"
        "       homenode listen ack ALERT [--by NAME]\n"
        "                       (LISTEN.yaml | --broker URL [--party PARTY] [--key FILE])\n"
        "       homenode listen prepare\n"
        "                       (LISTEN.yaml | --nats URL … [--party PARTY] [--group GROUP])"
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="LISTEN.yaml",
        help="whom to hear, and who is told; or: ack ALERT, or: prepare",
    )
    parser.add_argument("--by", default="", help="ack: who has the alert (default: this user)")
    parser.add_argument("--party", choices=PARTIES, help="without a file: whose (default care)")
    parser.add_argument("--broker", metavar="URL", help="without a file: such as mqtt://127.0.0.1")
    parser.add_argument(
        "--nats",
        metavar="URL",
        action="append",
        help="in place of --broker: several receivers share the work",
    )
    parser.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        action="append",
        help="without a file: the party's private key, if homes seal what they send",
    )
    parser.add_argument("--group", help="with --nats: receivers of one name share the work (default desk)")
    parser.add_argument("--language", choices=LANGUAGES, help="without a file: of the lines (default sv)")
    parser.add_argument(
        "--data", metavar="DIR", help="what it remembers (default: homenode-listen beside the file, or here)"
    )
    parser.add_argument("--json", action="store_true", help="print whole events, a line each")
    parser.add_argument("--log", choices=("text", "json"), default="text")
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.set_defaults(takes="words")
