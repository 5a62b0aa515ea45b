"""`homenode configure`: keys, signatures, sending; for people in the office."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from homenode.by_name import by_name
from homenode.config.durations import milliseconds
from homenode.config.model import SIGNERS, Broker
from homenode.configure.differences import Difference
from homenode.configure.office import SIGNED, SUCCESSORS, Sheet, files_of, sheet, signing, taken
from homenode.configure.payload import HOME_YAML, TRUST
from homenode.contract.times import Zone
from homenode.errors import FileMistakes, HomenodeError, Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.install.home_file import replace
from homenode.listen.settings import Settings, read_settings

MOST_SHOWN = 60
"""Characters of a value."""
_QUIET = ("rules.",)
"""Too long for a line: that it changed is told, and ``homenode rules explain`` tells what a rule does."""


def run(args: argparse.Namespace) -> int:
    """One of its sub-commands; returns the exit status."""
    out = sys.stdout
    match args.what:
        case "key":
            return _key(args, out)
        case "sign":
            if len(args.words) != 1 or args.key is None:
                args.wrong("sign: one HOME-FOLDER, and --key FILE")
            folder = _folder(args.words[0])
            done, new = signing(folder, args.key, by_name(args.by), Zone("UTC").text(Clock().wall()))
            _tell(new, out)
            _signed(done, out)
            return 0
        case "show":
            if len(args.words) != 1:
                args.wrong("show: one HOME-FOLDER")
            folder = _folder(args.words[0])
            one = _sheet(folder)
            _signed(one, out)
            _edited(folder, one, out)
            return 0
        case "send":
            return _send(args, by_name(args.by), out)
        case _:
            from homenode.configure.sending import status

            settings, folders = _reached(args)
            return status(settings, dict(_numbered(folder, out) for folder in folders), out)


def _send(args: argparse.Namespace, by: str, out: TextIO) -> int:
    """To each home up to one that doesn't answer; the exit status is that of the worst."""
    from homenode.configure.sending import Unanswered, send

    settings, folders = _reached(args)
    if not folders:
        args.wrong("send: name a HOME-FOLDER")
    try:
        wait_s = milliseconds(args.wait) / 1000
    except ValueError as error:
        args.wrong(f"--wait {args.wait}: give {error}")
    worst = 0
    for nth, folder in enumerate(folders, 1):
        try:
            one = _sheet(folder)
            if one.lacking:
                raise Refused(f"{one.configuration.home}: not signed by {_and(one.lacking)}")
            _edited(folder, one, out)
            done = send(settings, one, by, wait_s, out, over=args.over)
            if done == 0:
                taken(folder, one)
        except HomenodeError as error:
            print(f"homenode: {error}", file=sys.stderr)
            done = 2 if isinstance(error, FileMistakes) else 1
            if isinstance(error, Unanswered) and (rest := folders[nth:]):  # which may end as this one did
                print(f"homenode: not sent: {' '.join(map(str, rest))}", file=sys.stderr)
                return max(worst, done)
        worst = max(worst, done)
    return worst


def _numbered(folder: Path, out: TextIO) -> tuple[str, int | str]:
    """A folder's home, and the number that is signed for it, or why none is."""
    try:
        one = sheet(folder)
    except HomenodeError as error:
        return folder.absolute().name, str(error)
    if one is None:
        return folder.absolute().name, "not signed"
    _edited(folder, one, out)
    return one.configuration.home, one.configuration.number


def _edited(folder: Path, one: Sheet, out: TextIO) -> None:
    """Say so if what stands in the folder isn't what was signed. It may be gone: the JWS has what is sent."""
    with suppress(Refused):
        if files_of(folder) != one.configuration.files:
            what = f"changed since {one.configuration.number} was signed: homenode configure sign"
            print(f"{one.configuration.home}: {folder} was {what}", file=out)


def _key(args: argparse.Namespace, out: TextIO) -> int:
    if len(args.words) != 2 or args.words[0] not in SIGNERS:
        args.wrong(f"key: PARTY ({' or '.join(SIGNERS)}), and FILE for the private key")
    from homenode.configure.signatures import make_pair, public_of

    party, file = args.words[0], Path(args.words[1])
    public = (args.homes or file.parent) / TRUST / f"{party}.pem"
    mine = not args.after and file.is_file() and not os.path.lexists(public)  # made before, for other homes
    for path in (*([] if mine else [file]), *([] if args.after else [public])):
        if os.path.lexists(path):
            do = "homes trust it: name another file, or the former key with --after"
            raise SetupError("is there already", where=str(path), do=do)
    private_pem, public_pem = ("", public_of(file)) if mine else make_pair()
    said = _successor(party, args.after, public, public_pem) if args.after else ""
    try:
        public.parent.mkdir(parents=True, exist_ok=True)
        if not mine:
            replace(file, private_pem.encode(), 0o600)
        if said:
            line = public.with_suffix(f".{SUCCESSORS}")
            replace(line, (line.read_text("ascii") if line.exists() else "").encode() + said.encode() + b"\n")
        replace(public, public_pem.encode())
    except OSError as error:
        raise SetupError(f"can't be written: {error.strerror}", where=error.filename or str(file)) from error
    print(f"{file}: the private key of {party}; whoever has it signs, so keep it out of git", file=out)
    print(f"{public}: the public one; nodes get it as {TRUST}/{party}.pem beside {HOME_YAML}", file=out)
    if said:
        print("nodes that trust the former one take it at their next visit; sign their homes anew", file=out)
    return 0


def _successor(party: str, old_file: Path, public: Path, public_pem: str) -> str:
    from homenode.configure.signatures import read_key_file
    from homenode.configure.succession import successor

    old = read_key_file(old_file, private=True)
    if old.kid != read_key_file(public).kid:
        raise Refused(f"not the key of {public}", where=str(old_file), do="name the one that homes trust now")
    return successor(party, old, public_pem, Zone("UTC").text(Clock().wall()))


def _folder(word: str) -> Path:
    folder = Path(word)
    if not (folder / HOME_YAML).is_file() and not (folder / SIGNED).is_file():
        raise SetupError(f"no {HOME_YAML} is in it", where=word, do="name the folder of one home")
    return folder


def _sheet(folder: Path) -> Sheet:
    found = sheet(folder)
    if found is None:
        raise Refused("nothing is signed here", where=str(folder), do="homenode configure sign")
    return found


def _tell(new: Iterable[Difference], out: TextIO) -> None:
    """What differs, a line each, those that need care's signature marked."""
    found = False
    for one in new:
        found = True
        values = "" if one.place.startswith(_QUIET) or one.how != "changed" else f": {_value(one)}"
        print(f"{one.how:8} {one.place}{values}  [{one.signer}]", file=out)
    if not found:
        print("nothing new to you", file=out)


def _value(one: Difference) -> str:
    before, after = (_short(value) for value in (one.before, one.after))
    return f"{before} -> {after}"


def _short(value: object) -> str:
    text = ", ".join(map(str, sorted(value, key=str))) if isinstance(value, frozenset) else str(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def _signed(one: Sheet, out: TextIO) -> None:
    new = one.configuration
    who = f"signed by {_and(one.parties)}"
    lacks = f"; {_and(one.lacking)} must sign, too" if one.lacking else "; it can be sent"
    print(f"{new.home}: {new.number} of {new.at} by {new.by}, {who}{lacks}", file=out)


def _and(parties: Iterable[str]) -> str:
    return " and ".join(sorted(parties))


def _reached(args: argparse.Namespace) -> tuple[Settings, list[Path]]:
    """How the broker is reached, and the folders of homes among the words."""
    words = [Path(word) for word in args.words]
    for word in words:
        if not word.exists():
            raise SetupError("is not there", where=str(word), do="name folders of homes and one LISTEN.yaml")
    folders = [word for word in words if word.is_dir() and word.name != TRUST]  # as homes/* has it, too
    files = [word for word in words if not word.is_dir()]
    if len(files) + bool(args.broker) != 1:
        args.wrong("name one LISTEN.yaml, or give --broker URL")
    if not files:
        return Settings(args.party or "operator", Broker((args.broker,))), folders
    settings = read_settings(str(files[0]))[0]
    if args.party not in (None, settings.party):
        args.wrong(f"--party {args.party}: {files[0]} is of {settings.party}")
    return settings, folders
