"""The office's side of a configuration: a folder with home.yaml and rules, and what of it is signed.

    trust/operator.pem, care.pem     public keys of who signs; beside the homes, or in a home's folder
    trust/care.successors            what former keys of care said of the ones that follow
    vaxjo-0412/home.yaml, rules/     what people edit
    vaxjo-0412/signed.json           the newest that is signed: what is sent
    vaxjo-0412/signed.before.json    what the node runs, as far as is known here: the last that was sent and
                                     taken, or else the first that had all signatures, which a new box took
    vaxjo-0412/signed.PARTY.json     the last that PARTY signed: what it is shown differs from this

A signer is shown what is new since the signer's own last signature, which nobody else can make less of.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homenode.config.check import check_home
from homenode.config.model import Home
from homenode.config.registry import driver_types
from homenode.config.rule_files import Texts
from homenode.config.yaml12 import Table, compose
from homenode.configure.differences import Difference, differences, needed
from homenode.configure.facts import Fact, blank, facts
from homenode.configure.payload import FILE, HOME_YAML, TRUST, Configuration, decode
from homenode.configure.place import files_there
from homenode.configure.signatures import Key, read_key_file, sign, trusted_in, unverified, verify
from homenode.errors import FileMistakes, Mistake, Refused, SetupError
from homenode.install.home_file import replace

SIGNED, BEFORE = "signed.json", "signed.before.json"
SUCCESSORS = "successors"
"""trust/PARTY.successors: a JWS a line, by which each key of the party named the next."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is signed of a home, and by whom.

    Attributes:
        jws: As it is sent.
        parties: Who has signed.
        lacking: Who has to, besides.
    """

    configuration: Configuration
    jws: str
    parties: frozenset[str]
    lacking: frozenset[str]


def trusted_for(folder: Path) -> dict[str, Key]:
    """Who signs for this home, by ``trust/`` in its folder or beside it.

    Raises:
        SetupError: There is none, or what is there is no key.
    """
    for place in (folder / TRUST, folder.absolute().parent / TRUST):
        if trusted := trusted_in(place):
            return trusted
    do = f"homenode configure key PARTY FILE --homes FOLDER puts it into FOLDER/{TRUST}/PARTY.pem"
    raise SetupError("nobody's public key is there", where=str(folder.absolute().parent / TRUST), do=do)


def sheet(folder: Path) -> Sheet | None:
    """What is signed of a home; None if nothing is.

    Raises:
        Refused: It isn't signed by whom it should be.
        FileMistakes: This homenode can't read it.
    """
    jws = _newest(folder)
    if jws is None:
        return None
    signed = verify(jws, trusted_for(folder))
    new = decode(signed.payload)
    found = differences(_of_jws(folder, _read(folder / BEFORE)), _understood(folder, new.files)[1])
    return Sheet(new, jws, signed.parties, needed(found) - signed.parties)


def for_a_new_box(folder: Path) -> tuple[int, str] | None:
    """Number and JWS of the newest that a box without a home takes; None if there is none.

    That has nothing to compare it with, so what one party alone may change is not enough of a signature.

    Raises:
        SetupError: As `trusted_for`.
    """
    trusted, found = trusted_for(folder), list[tuple[int, str]]()
    for name in (SIGNED, BEFORE, *(f"signed.{party}.json" for party in trusted)):
        with contextlib.suppress(Refused, FileMistakes):
            jws = _read(folder / name)
            signed = verify(jws or "", trusted)
            new = decode(signed.payload)
            wanted = needed(differences(blank(folder.absolute()), _understood(folder, new.files)[1]))
            if wanted & trusted.keys() <= signed.parties:
                found.append((new.number, jws or ""))
    return max(found, default=None)


def signing(folder: Path, key_file: Path, by: str, at: str) -> tuple[Sheet, list[Difference]]:
    """Sign what stands in the folder, and tell what of it is new to who signs.

    What is signed already gets one signature more; what isn't gets a new number.

    Raises:
        FileMistakes: It has mistakes.
        Refused: The key is of nobody who signs for this home, or `by` is no name.
        SetupError: As `trusted_for`, or the key can't be read.
    """
    key, trusted = read_key_file(key_file, private=True), trusted_for(folder)
    mine = [party for party, one in trusted.items() if one.kid == key.kid]
    if not mine:
        do = f"keys in {TRUST}/: {', '.join(trusted)}"
        raise Refused("the key of nobody who signs for this home", where=str(key_file), do=do)
    files, last, number = files_of(folder), None, 0
    if (jws := _newest(folder)) is not None:
        number = decode(unverified(jws)).number
        # All its keys were replaced since, or what it says doesn't count any more: all of it is new.
        with contextlib.suppress(Refused, FileMistakes):
            last = sheet(folder)
    home, said = _understood(folder, files)
    if last is not None and last.configuration.files == files:
        jws = sign(last.configuration.encode(), key, last.jws)
    else:
        if last is not None and not last.lacking and not (folder / BEFORE).exists():
            _write(folder / BEFORE, last.jws)
        payload = Configuration(home.home, number + 1, files, at, by).encode()
        decode(payload)  # what nobody takes is not written: no later one could be signed on top of it
        jws = sign(payload, key)
    own = _read(folder / f"signed.{mine[0]}.json")
    try:
        verify(own or "", {mine[0]: trusted[mine[0]]})
    except Refused:  # none, by a key that was replaced since, or by nobody: all of it is new
        own = None
    new = differences(_of_jws(folder, own), said)
    _write(folder / SIGNED, jws)
    done = sheet(folder)
    assert done is not None
    for party in done.parties:  # with all signatures: a new box may need it yet (`for_a_new_box`)
        _write(folder / f"signed.{party}.json", jws)
    return done, new


def taken(folder: Path, one: Sheet) -> None:
    """The node runs on it: what is new is what differs from this, and not from what was never sent.

    Raises:
        SetupError: It can't be written.
    """
    _write(folder / BEFORE, one.jws)


def files_of(folder: Path) -> dict[str, str]:
    """What a configuration brings of what stands in a folder.

    Raises:
        Refused: It can't be read, or a file's name is none that a configuration may bring.
    """
    found = {}
    for name, path in files_there(folder).items():
        if not re.fullmatch(FILE, name):
            raise Refused(
                f"no configuration brings {name!r}", do="rules/NAME.yaml, NAME of a-z, 0-9, _ and -"
            )
        try:
            found[name] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not a text in UTF-8"
            raise Refused(f"can't be read: {why}", where=str(path)) from error
    return found


def _of_jws(folder: Path, jws: str | None) -> Mapping[str, Fact]:
    """What a former one said; nothing if it can't be read any more: then all is new, and needs each party."""
    if jws is not None:
        with contextlib.suppress(FileMistakes):
            return _understood(folder, decode(unverified(jws)).files)[1]
    return blank(folder.absolute())


def _understood(folder: Path, files: Mapping[str, str]) -> tuple[Home, Mapping[str, Fact]]:
    beside = folder.absolute()
    texts = Texts({beside / name: text for name, text in files.items()})
    report = check_home(beside / HOME_YAML, drivers=driver_types(), files=False, texts=texts)
    if report.mistakes or report.home is None:
        raise FileMistakes(report.mistakes)
    if report.home.home != beside.name:  # a copied folder: it would go to the home that it was copied from
        raise FileMistakes([_other_home(folder, files[HOME_YAML], report.home.home)])
    return report.home, facts(report.home, report.rules)


def _other_home(folder: Path, text: str, home: str) -> Mistake:
    root = compose(text, HOME_YAML)
    at = root.get("home") if isinstance(root, Table) else None
    accepted = f"{folder.absolute().name}, as its folder is called, or a folder called {home}; sign it then"
    line, column = (at.line, at.column) if at is not None else (0, 0)
    return Mistake(str(folder / HOME_YAML), line, "home", home, accepted, column=column)


def _newest(folder: Path) -> str | None:
    jws = _read(folder / SIGNED)
    try:
        if jws is not None:
            decode(unverified(jws))
    except Refused as error:
        do = f"{folder / SIGNED} is damaged, as by a merge of git: keep one side's, whole, and sign that"
        raise Refused(error.what, do=do) from error
    return jws


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text in UTF-8"
        raise Refused(f"can't be read: {why}", where=str(path)) from error


def _write(path: Path, jws: str) -> None:
    try:
        replace(path, f"{jws}\n".encode())
    except OSError as error:
        raise SetupError(f"can't be written: {error.strerror}", where=str(path)) from error
