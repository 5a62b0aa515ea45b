"""The command line of `homenode console`."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode console``."""
    parser.usage = "homenode console CONSOLE.yaml [--data DIR]\n       homenode console password"
    parser.add_argument("file", metavar="CONSOLE.yaml", help="or: password, to make one's hash")
    parser.add_argument(
        "--data", metavar="DIR", help="what it remembers (default: homenode-console beside the file)"
    )
    parser.add_argument("--log", choices=("text", "json"), default="text")
    parser.add_argument("--verbose", action="store_true", help="log more")
