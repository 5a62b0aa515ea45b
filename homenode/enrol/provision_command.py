"""`homenode provision`: a provisioning file, checked, and written to a card, on an installer's machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from homenode.config.check import check_home
from homenode.config.excerpt import Excerpts
from homenode.config.yaml12 import read_text
from homenode.configure import place
from homenode.configure.payload import HOME_YAML
from homenode.enrol.card import put
from homenode.enrol.places import FILE
from homenode.enrol.provision_file import provision_of, with_home
from homenode.errors import FileMistakes, Mistake, SetupError

SAID_BY: Mapping[str, tuple[str, ...]] = {
    "file": ("label", "office", "ca", "code"),
    "label": ("office", "ca", "code"),
}
"""Options that say the same as another: which of both counts, nobody can know."""

_TEXTS = {"ca": "certificates in PEM", "service_key": "the file .pub of an SSH key"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode provision``."""
    parser.add_argument("home", nargs="?", type=Path, metavar="HOME.yaml",
                        help="the home, if the office doesn't bring it")  # fmt: skip
    parser.add_argument("--card", required=True, type=Path, metavar="CARD",
                        help="device such as /dev/sdX, image, or folder of its boot partition")  # fmt: skip
    parser.add_argument("--file", type=Path, metavar="FILE", help=f"{FILE} of the office, to put on it")
    parser.add_argument("--label", metavar="TEXT", help="what the QR on a label says")
    parser.add_argument("--office", default="", metavar="URL")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="who certified the office (PEM)")
    parser.add_argument("--code", default="", help="one-time code of the box")
    parser.add_argument("--service-key", type=Path, metavar="FILE", help="public SSH key for service")


def run(args: argparse.Namespace) -> int:
    """Do it; exit status.

    Raises:
        FileMistakes: What would go onto the card has mistakes.
        Refused: It isn't a card of a node.
        SetupError: The options don't fit together, or a file or the card can't be used.
    """
    for name, others in SAID_BY.items():
        for other in others:
            if getattr(args, name) and getattr(args, other):
                both = f"{_option(name)} and {_option(other)}"
                raise SetupError("both say what goes onto the card", where=both, do="give one of them")
    text = _text(args)
    files: Mapping[str, str] = {}
    if args.home is not None:
        files, warned = files_of(args.home)
        for line in Excerpts().told(warned, prefix="warning: "):
            print(line)
    text = with_home(text, files)
    try:
        found = provision_of(text, FILE if args.file is None else str(args.file))
    except FileMistakes as error:
        raise FileMistakes([_of_option(one, args) for one in error.mistakes]) from error
    if found.office and not (found.ca or found.ca_sha256):
        print("warning: it doesn't say who certified the office (--ca FILE); so the image has to know")
    where = put(args.card, FILE, text.encode())
    print(f"{where}: written and read back")
    later = "" if found.code else "; it has no code, so the office has to approve the box"
    if found.files and not found.office:
        later = "; no office is named, so the box is on its own"
    print(f"the box takes it at its next start, and wipes it{later}")
    return 0


def files_of(path: Path) -> tuple[dict[str, str], tuple[Mistake, ...]]:
    """A home and its own rules, by the name that they have on a node; what is to be warned of.

    Raises:
        FileMistakes: All that is wrong with them.
    """
    report = check_home(path, files=False)
    if report.mistakes:
        raise FileMistakes(report.mistakes)
    there = place.files_there(path.parent) | {HOME_YAML: path}
    return {name: one.read_text("utf-8-sig") for name, one in there.items()}, report.warnings


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _of_option(mistake: Mistake, args: argparse.Namespace) -> Mistake:
    """It stands in what was given, and in no line of a file: one of that name here may be another box's."""
    name = mistake.field.partition(".")[0]
    if args.file is not None and not (name == "service_key" and args.service_key):
        return mistake
    if name == "file":
        raise SetupError("nothing goes onto the card", do="give HOME.yaml, --file, --label or --office")
    by_label = args.label and name != "service_key"
    given = str(args.home) if name == "home" else _option("label" if by_label else name)
    return replace(mistake, file=given, line=0, column=0)


def _text(args: argparse.Namespace) -> str:
    """Without the home."""
    before = read_text(args.file, str(args.file)).rstrip() + "\n" if args.file is not None else ""
    said: dict[str, str] = {"office": args.office, "code": args.code}
    if args.label:
        said |= label_of(args.label)
    for name, path in (("ca", args.ca), ("service_key", args.service_key)):
        if path is not None:
            said[name] = _read(path, name).strip() + ("\n" if name == "ca" else "")
    return before + "".join(f"{name}: {json.dumps(text)}\n" for name, text in said.items() if text)


def _read(path: Path, option: str) -> str:
    where = f"{_option(option)} {path}"
    try:
        return path.read_text("ascii")
    except OSError as error:
        raise SetupError(f"it can't be read: {error.strerror}", where=where) from error
    except ValueError as error:
        raise SetupError("it is no text", where=where, do=f"give {_TEXTS[option]}") from error


def label_of(text: str) -> dict[str, str]:
    """What a label says, as fields of the file.

    Raises:
        SetupError: It is no label.
    """
    head, *parts = text.strip().split(";")
    fields = dict(part.partition("=")[::2] for part in parts)
    if head != "homenode:1" or not {"office", "code", "ca"} <= fields.keys():
        raise SetupError(
            "this is no label of a box", where="--label", do="scan it again: homenode:1;office=…"
        )
    return {"office": fields["office"], "code": fields["code"], "ca_sha256": fields["ca"]}
