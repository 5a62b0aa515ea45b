"""The command line of `homenode tune`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode tune``, behind the home."""
    parser.usage = (
        "homenode tune HOME.yaml (READINGS.jsonl | --journal [--data DIR]) RULE [PARAMETER …]\n"
        "                     [--set NAME=VALUE,… …] [--steps N] [--svg FILE] [--png FILE]"
    )
    parser.add_argument("words", nargs="+", metavar="READINGS.jsonl RULE PARAMETER", help=argparse.SUPPRESS)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE,…", help="values to try of a parameter"
    )
    parser.add_argument(
        "--steps", type=int, default=7, metavar="N", help="values tried of others (default 7)"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a picture")
    parser.add_argument("--png", type=Path, metavar="FILE", help="write a picture (needs homenode[plot])")
    parser.add_argument("--journal", action="store_true", help="the recording is the node's own journal")
    parser.set_defaults(takes="words")
