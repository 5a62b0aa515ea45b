"""`homenode office proof`: what a proof of erasure says, once it is sure whose it is."""

from __future__ import annotations

import argparse
import base64
import contextlib
import json

from cryptography import x509

from homenode.enrol.proof import opened
from homenode.errors import Refused, SetupError
from homenode.office.desk import PROOFS, printable
from homenode.office.settings import Settings
from homenode.office.store import Store

_TOLD = ("home", "serial", "at", "left", "journal", "brokers", "topics")


def proof(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    """Check the signature, and say in plain words what is proved; exit status.

    Raises:
        Refused: It is no proof, or not signed by the box that it names.
        SetupError: The file can't be read.
    """
    path = args.file if args.file.exists() else settings.folder / PROOFS / args.file
    try:
        text = path.read_text(encoding="ascii").strip()
        body = text.split(".")[1]
        named = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        serial, home = str(named["serial"]), str(named["home"])
    except OSError as error:
        raise SetupError(
            f"it can't be read: {error.strerror}", where=str(path), do=_which(settings)
        ) from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Refused("it is no proof of erasure", where=str(path), do=_which(settings)) from error
    for der in store.certificates(serial, home):
        with contextlib.suppress(Refused):
            said = opened(text, der)
            break
    else:
        what = f"not signed by box {printable(serial)}, as this office certified it for {printable(home)}"
        raise Refused(
            what, where=str(path), do="don't believe it; was this office's folder brought back from a copy?"
        )
    certificate, left = x509.load_der_x509_certificate(der), said.get("left")
    done = f"erased all that it had of {home}" if not left else f"has not erased all of {home}: {left} left"
    lines = [
        f"box {serial} {done}", f"at {said.get('at')}, by its own clock",
        f"signed with the key of the certificate {certificate.serial_number:x}, "
        f"which this office gave it for {home} on {certificate.not_valid_before_utc:%Y-%m-%d}",
        *(f"  {line}" for line in said.get("journal") or ["it had no journal"]),
        f"it named {len(said.get('topics') or ())} topics for the office to empty at "
        f"{' or '.join(said.get('brokers') or ['its broker'])}",
        *(f"{name}: {json.dumps(value)}" for name, value in said.items() if name not in _TOLD),
    ]  # fmt: skip
    print(printable("\n".join(lines)))
    return 0


def _which(settings: Settings) -> str:
    there = sorted((settings.folder / PROOFS).glob("*.jws"))
    return f"{there[-1]} is one" if there else f"none is in {settings.folder / PROOFS} yet"
