"""The command line of `homenode enrol`."""

from __future__ import annotations

import argparse
from pathlib import Path

from homenode.enrol.places import Places

WORDS = {
    "run": "until this box has its certificate and its home; then look after both (default)",
    "once": "one try",
    "status": "how far it is",
    "clock": "as root: set the machine's clock as the office's, where no time service answers",
    "boot": "as root: take the provisioning file from the boot partition, set up network and time, say on "
    "the card and with the lamp how far it is",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode enrol``."""
    usual = Places()
    told = "; ".join(f"{word}: {text}" for word, text in WORDS.items())
    parser.add_argument("what", nargs="?", default="run", choices=WORDS, help=told)
    for name, text in (
        ("config", "home.yaml, certificate and key"),
        ("data", "the node's folder"),
        ("boot", "the boot partition"),
        ("trust", "certificates of offices that the image trusts"),
        ("machine", "what a provisioning file said of the machine"),
        ("spare", "how far enrolment is, while the card takes nothing"),
        ("partition", "what the image says of its data partition"),
    ):
        path = getattr(usual, name)
        parser.add_argument(
            f"--{name}", type=Path, default=path, metavar="PATH", help=f"{text} (default {path})"
        )
    parser.add_argument("--serial", default="", help="of this box, where the machine has none of its own")
    parser.add_argument("--log", choices=("text", "json"), default="text")
    parser.add_argument("--verbose", action="store_true", help="log more")
