"""`homenode install` and `homenode replace`."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from homenode.errors import Refused
from homenode.install.words import LANGUAGES, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of `homenode install`."""
    parser.add_argument("what", nargs="?", choices=("verify",), help="verify: try the signature of a report")
    parser.add_argument("folder", nargs="?", type=Path, help="of the report, as it was written")
    parser.add_argument("--key", type=Path, metavar="FILE", help="verify with this public key (PEM)")
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="verify who issued the node's certificate (PEM)"
    )
    add_common(parser)
    parser.add_argument("--web", action="store_true", help="as a page for a phone; prints its address")
    parser.add_argument(
        "--listen",
        default="127.0.0.1:8600",
        metavar="ADDRESS[:PORT]",
        help="where the page is to be reached (default 127.0.0.1:8600)",
    )
    parser.add_argument(
        "--idle", default="30min", metavar="DURATION", help="the page ends after so long without anybody"
    )


def add_common(parser: argparse.ArgumentParser) -> None:
    """Of both commands."""
    parser.add_argument("--language", choices=LANGUAGES, help="default: that of this terminal")


def run(args: argparse.Namespace, data: Path) -> int:
    """Do what the arguments say; exit status."""
    if args.what == "verify":
        return _verify(args)
    from homenode.install.session import only_one

    with only_one(data):
        if args.web:
            from homenode.install.serve import serve_page

            return asyncio.run(serve_page(data, args.listen, args.idle, language_of(args)))
        from homenode.install.terminal import terminal

        return asyncio.run(terminal(data, language_of(args)))


def replace(args: argparse.Namespace, data: Path) -> int:
    """New hardware under an old name."""
    from homenode.install.session import only_one
    from homenode.install.terminal import replacing

    with only_one(data):
        return asyncio.run(replacing(data, args.device, language_of(args)))


def language_of(args: argparse.Namespace) -> str:
    """Swedish where the terminal is, else English."""
    if args.language:
        return str(args.language)
    spoken: Sequence[str] = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    return "sv" if next((text for text in spoken if text), "").startswith("sv") else "en"


def _verify(args: argparse.Namespace) -> int:
    from homenode.install.signing import verify, verify_link
    from homenode.install.view import lack_in_words

    if args.folder is None:
        raise Refused("name the folder of the report", do="homenode install verify FOLDER")
    found = verify(args.folder, args.key)
    linked = verify_link(args.folder, found, args.ca)
    language = language_of(args)
    print(f"{found['home']}, {found['at'][:19].replace('T', ' ')}, {found['by']}")
    print(say("verified", language, fingerprint=found["key"]))
    print(say("verify_with" if args.key is None else "verified_key", language))
    if linked:
        print(say("verified_link", language, who=linked))
        print(say("verify_issuer" if args.ca is None else "verified_issuer", language))
    print(say("accepted" if found["accepted"] else "not_accepted", language))
    for lack in found["lacks"]:
        print("- " + lack_in_words(lack["sort"], lack["name"], language))
    return 0
