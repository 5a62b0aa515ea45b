"""The section ``keys:`` of home.yaml: with which key each party is written to."""

from __future__ import annotations

from pathlib import Path

from homenode.config.model import PARTIES
from homenode.config.notes import Notes, unknown_key
from homenode.config.rule_files import Texts
from homenode.config.yaml12 import Node, Scalar, Table, is_nothing
from homenode.errors import FileMistakes, SetupError


def read_keys(node: Node | None, notes: Notes, beside: Path, texts: Texts, *, files: bool) -> dict[str, str]:
    """Party to its public key, as PEM; `files`: read and check what is named (replay opens none of it)."""
    keys: dict[str, str] = {}
    if node is None or is_nothing(node):
        return keys
    if not isinstance(node, Table):
        notes.wrong(node, "keys", "a mapping of party to a file, such as {care: care-public.pem}")
        return keys
    for party, (key, value) in node.entries.items():
        field = f"keys.{party}"
        if party not in PARTIES:
            unknown_key(key, field, PARTIES, notes)
        elif not isinstance(value, Scalar) or is_nothing(value):
            notes.wrong(value, field, "a file, relative to home.yaml")
        elif files:
            keys[party] = read_key(value, field, beside / value.text, notes, texts)
    return keys


def read_key(
    node: Scalar, field: str, path: Path, notes: Notes, texts: Texts, *, private: bool = False
) -> str:
    """The PEM that a file holds, a public key or a private one; "" if it is none, which `notes` tells."""
    from homenode.sealing.keys import ACCEPTED, ACCEPTED_PRIVATE, Unsuitable, private_key, public_key

    accepted = ACCEPTED_PRIVATE if private else ACCEPTED
    try:
        pem = texts.read(path, node.text)
        (private_key if private else public_key)(pem)
    except FileMistakes as wrong:
        notes.wrong(node, field, accepted, found=f"{node}: {wrong.mistakes[0].found}")
    except Unsuitable as wrong:
        notes.wrong(node, field, accepted, found=f"{node}, {wrong}")
    except SetupError as missing:
        notes.wrong(node, field, f"no key, or: {missing.do}", found=f"{node}, and {missing.what}")
    else:
        return pem
    return ""
