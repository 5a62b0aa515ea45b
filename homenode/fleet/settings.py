"""Whom the operator's tool talks to: a file as `homenode listen` has it, or a URL and three files."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass, field
from pathlib import Path

from homenode.config.model import Broker
from homenode.errors import SetupError
from homenode.link.address import address
from homenode.listen.settings import read_settings

PARTY = "operator"
DEFAULT = "fleet.yaml"

log = logging.getLogger("homenode.fleet")


@dataclass(frozen=True, slots=True)
class Settings:
    """Attributes:
    broker: Where the homes are.
    keys: The operator's private keys, if homes seal what they send it.
    homes: Only these; empty for all.
    """

    broker: Broker
    keys: tuple[str, ...] = field(default=(), repr=False)
    homes: tuple[str, ...] = ()


def settings_of(args: argparse.Namespace) -> Settings:
    """As the command line says: --broker, else --config, else fleet.yaml here.

    Raises:
        SetupError: Neither is there, or the file is another party's.
        FileMistakes: The file has mistakes.
    """
    if args.broker:
        address(args.broker)
        for name, other in (("cert", "key"), ("key", "cert")):
            if getattr(args, name) and not getattr(args, other):
                raise SetupError(f"--{name} without --{other}", do="give both")
        return Settings(Broker((args.broker,), ca=args.ca, cert=args.cert, key=args.key))
    file = args.config or (DEFAULT if Path(DEFAULT).exists() else "")
    if not file:
        do = f"give --broker mqtts://HOST --ca FILE --cert FILE --key FILE, or write {DEFAULT}"
        raise SetupError("where the homes are is not said", do=do)
    read, notes = read_settings(file)
    for warning in notes.warnings:
        log.warning(file, extra={"look_at": str(warning)})
    if read.party != PARTY or read.broker is None:
        what = "it has no broker:" if read.broker is None else f"it is of {read.party}"
        raise SetupError(what, where=file, do="write party: operator, and broker: {url: mqtts://HOST, …}")
    return Settings(read.broker, read.keys, read.homes)
