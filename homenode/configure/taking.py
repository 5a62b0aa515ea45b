"""From what came to what may take the place of the present configuration, or why it may not."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from homenode.config.check import CheckReport, check_home
from homenode.config.model import SIGNERS
from homenode.config.rule_files import Texts
from homenode.configure.differences import Difference, differences, needed
from homenode.configure.facts import Fact, facts, paths
from homenode.configure.payload import HOME_YAML, TRUST, Configuration, decode
from homenode.configure.place import signers
from homenode.configure.signatures import trusted_in, verify
from homenode.driver import DriverType
from homenode.errors import Mistake, Refused

MOST_TOLD = 40
"""Mistakes in an answer; who sees to so many asks again."""
MOST_PLACES = 8
"""Places in a sentence."""
MOST_KEY = 64 * 1024
"""Bytes of a file in which a private key is looked for."""


class Mistaken(Refused):
    """Files with mistakes; all of them are told, up to `MOST_TOLD`.

    Attributes:
        mistakes: With file, line and what is accepted.
    """

    code = "mistakes"

    def __init__(self, found: Sequence[Mistake]) -> None:
        self.mistakes = tuple(str(mistake) for mistake in found[:MOST_TOLD])
        many = f"{len(found)} mistakes, the first: " if len(found) > 1 else ""
        super().__init__(f"{many}{found[0]}")


@dataclass(frozen=True, slots=True)
class Offer:
    """A configuration that somebody trusted has signed.

    Attributes:
        jws: What it came in.
        parties: Whose signatures are on it.
        trusted: Whose the node would take.
        signers: Folder with their keys.
        strange: It has a signature, too, by a key that the node doesn't trust.
    """

    configuration: Configuration
    jws: str
    parties: frozenset[str]
    trusted: frozenset[str]
    signers: Path
    strange: bool = False


def offered(jws: str, beside: Path, home: str, trust: Path | None = None) -> Offer:
    """What came, if it is signed and for this home.

    Args:
        beside: Folder of home.yaml.
        home: The home's id.
        trust: Folder with the keys of who signs, if it isn't the usual one.

    Raises:
        Refused: It is not.
        SetupError: What is to be trusted can't be read.
    """
    folder = trust or signers(beside)
    trusted = trusted_in(folder)
    if not trusted:
        do = f"whom it trusts stands in {' and '.join(f'{folder}/{party}.pem' for party in SIGNERS)}"
        raise Refused("this node trusts nobody's signature yet", do=do)
    signed = verify(jws, trusted)
    configuration = decode(signed.payload)
    if configuration.home != home:
        raise Refused(f"it is for the home {configuration.home}, and this is {home}")
    return Offer(configuration, jws, signed.parties, frozenset(trusted), folder, signed.strange)


def understood(offer: Offer, path: Path, types: Mapping[str, DriverType]) -> CheckReport:
    """What its files say, read as a reload reads them, with the node's own keys and certificates beside them.

    Args:
        path: home.yaml.

    Raises:
        Mistaken: They have mistakes.
        Refused: They describe another home, or name a file outside the folder.
    """
    texts = Texts({path.parent / name: text for name, text in offer.configuration.files.items()})
    report = check_home(path, drivers=types, texts=texts)
    if report.mistakes or report.home is None:
        raise Mistaken([named(mistake, path.parent) for mistake in report.mistakes])
    if report.home.home != offer.configuration.home:
        raise Refused(f"it is for {offer.configuration.home}, and its {HOME_YAML} says {report.home.home}")
    for place, file in paths(report.home):
        if not _inside(file, path.parent):
            do = "a file in the folder of home.yaml, relative to it"
            raise Refused(f"{place} leads out of the folder of {HOME_YAML}", do=do)
        if place != "broker.key" and _is_private(file):
            do = "it may be sent somewhere from there, and a key never leaves the node"
            raise Refused(f"{place} names a private key, {file.name}", do=do)
    return report


def _inside(file: Path, folder: Path) -> bool:
    return Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder))


def _is_private(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return b"PRIVATE KEY-----" in stream.read(MOST_KEY)
    except OSError:
        return False  # a folder, or nothing: that is told elsewhere


def named(mistake: Mistake, beside: Path) -> Mistake:
    """As who wrote the file calls it, and not as the node does."""
    return replace(mistake, file=mistake.file.removeprefix(f"{beside}{os.sep}"))


def changed(before: Mapping[str, Fact], report: CheckReport) -> list[Difference]:
    """What it changes."""
    assert report.home is not None
    return differences(before, facts(report.home, report.rules))


def allowed(
    found: Sequence[Difference],
    parties: Collection[str],
    trusted: Collection[str],
    folder: Path = Path(TRUST),
    *,
    strange: bool = False,
) -> None:
    """Whether those who signed may change this.

    Args:
        parties: Who signed.
        trusted: Whose signature the node would take.
        folder: Where a party's key would be put.
        strange: Somebody signed, too, by a key that the node doesn't trust.

    Raises:
        Refused: A party has not signed whose signature it needs.
    """
    for party in SIGNERS:
        if party not in needed(found) or party in parties:
            continue
        places = [one.place for one in found if one.signer == party]
        more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
        what = f"{', '.join(places[:MOST_PLACES])}{more}: that needs the signature of {party}"
        if party in trusted:
            do = f"signed by {', '.join(sorted(parties))}"
            if strange:
                do += ", and by a key that this node doesn't know: a new key reaches it at its next visit"
            raise Unsigned(what, do=do)
        do = f"a person at the node may change it there, or put {party}'s key in {folder}/{party}.pem"
        raise Unsigned(f"{what}, and this node knows no key of {party}", do=do)


class Unsigned(Refused):
    """A signature is missing."""

    code = "unsigned"


class Changed(Refused):
    """Somebody at the node changed what was signed."""

    code = "changed"


class Old(Refused):
    """A later configuration was taken already."""

    code = "old"


def newer(number: int, taken: int) -> None:
    """Whether a configuration comes after the last one that was taken.

    Raises:
        Old: It does not.
    """
    if number <= taken:
        raise Old(
            f"its number is {number}, and {taken} was taken already", do=f"a number from {taken + 1} on"
        )
