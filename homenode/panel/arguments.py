"""Arguments of `homenode panel`."""

from __future__ import annotations

import argparse

WORDS = {
    "serve": "serve the page (default)",
    "pair": "show a code that lets one tablet in",
    "panels": "those that were paired",
    "revoke": "let one of them look no more, or all",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What may stand on the command line."""
    told = "; ".join(f"{word}: {text}" for word, text in WORDS.items())
    parser.add_argument("what", nargs="?", default="serve", choices=WORDS, help=told)
    parser.add_argument("panel", nargs="?", default="", help="of revoke: its id, or all")
    parser.add_argument(
        "--listen",
        default="127.0.0.1:8650",
        metavar="ADDRESS[:PORT]",
        help="where the page is to be reached (default 127.0.0.1:8650)",
    )
    parser.add_argument("--log", choices=("text", "json"), default="text")
    parser.add_argument("--verbose", action="store_true", help="log more")
