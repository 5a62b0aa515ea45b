"""`homenode wiring HOME.yaml`: prints the plan of a flat, and draws it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from homenode.config.load import load_home
from homenode.config.rows import LANGUAGES
from homenode.errors import StorageError
from homenode.wiring.picture import pictures
from homenode.wiring.plan import plan
from homenode.wiring.table import table

NAME = "wiring"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `homenode wiring`."""
    parser.add_argument("--out", type=Path, metavar="DIR", help="write wiring-1.svg … and wiring.txt there")
    parser.add_argument("--language", choices=LANGUAGES, help="of the plan (default: the home's)")


def command(args: argparse.Namespace, out: TextIO) -> int:
    """Print or write the plan; exit status.

    Raises:
        FileMistakes: home.yaml has some.
        StorageError: The files can't be written.
    """
    home = load_home(args.home, files=False)
    language = args.language or home.language
    drawn = plan(home)
    text = table(drawn, language)
    if args.out is None:
        out.write(text)
        return 0
    files = {f"{NAME}.txt": text}
    for nth, sheet in enumerate(pictures(drawn, language), 1):
        files[f"{NAME}-{nth}.svg"] = sheet
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        for file in args.out.glob(f"{NAME}*.svg"):  # those of a plan that had more sheets
            file.unlink()
        for name, content in files.items():
            (args.out / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"can't be written: {error.strerror}", where=str(error.filename or args.out)
        ) from error
    out.write("".join(f"{args.out / name}\n" for name in files))
    return 0
