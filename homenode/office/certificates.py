"""`homenode office certify` and `roll`: certificates of parties and brokers, one authority after another."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence, Set
from datetime import timedelta
from time import sleep

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.install.home_file import replace as write
from homenode.office import authority
from homenode.office.authority import EARLY, SERVER, Authority, moment, pem, pem_of_key
from homenode.office.decide import Box, Code
from homenode.office.settings import Settings, check_hosts
from homenode.office.store import Store
from homenode.office.targets import can_be_written

PARTY = r"[A-Za-z0-9._-]{1,40}@[A-Za-z0-9._-]{1,60}"
BROKER = r"[A-Za-z0-9._-]{1,64}"
MOST_NAMED = 5
ANEW = (
    "homenode office certify NAME --replace makes a new one (a broker's with its --host), "
    "homenode office revoke NAME ends one that nobody needs"
)
CODES_ANEW = (
    "homenode office box add makes a new code with its file and label, "
    "homenode office withdraw ends one that nobody needs"
)
SECOND_MS = 1000
"""In which a certificate says when it begins."""


def certify(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    """Key and certificate of a party or a broker; exit status.

    Raises:
        Refused: The name is none, or its files are there.
        SetupError: A host is none, the files can't be written, or the authority can't be read.
    """
    _check(args.name, broker=bool(args.host))
    check_hosts(args.host, "--host")
    files = args.to / f"{args.name}.key", args.to / f"{args.name}.pem"
    for file in files:
        can_be_written(file)
        if file.exists() and not args.replace:
            do = "--replace makes a new one in its place, --to DIR puts it elsewhere"
            raise Refused("it is there, and may be in use", where=str(file), do=do)
    key, now = ec.generate_private_key(ec.SECP256R1()), Clock().wall()
    life = timedelta(milliseconds=2 * settings.life_ms)
    made = Authority(settings.folder).certify(key.public_key(), args.name, args.host, moment(now), life)
    end_ms = int(made.not_valid_after_utc.timestamp() * 1000)
    store.add_certificate(  # before anybody has it: what isn't known can't be revoked
        made.serial_number, Box(args.name, home=args.name), end_ms, made.public_bytes(Encoding.DER)
    )
    try:
        write(files[0], pem_of_key(key), 0o600)
        write(files[1], pem(made), 0o644)
    except OSError as error:
        raise SetupError(f"it can't be written: {error.strerror}", where=str(args.to)) from error
    print(f"{files[0]}, {files[1]}: until {moment(end_ms):%Y-%m-%d}; it isn't renewed by itself")
    return 0


def _check(name: str, *, broker: bool) -> None:
    if re.fullmatch(BROKER if broker else PARTY, name):
        return
    if broker:
        raise Refused(f"{name!r} is no name of a broker", do="1 to 64 of a-z, A-Z, 0-9, . _ and -")
    if "@" not in name:
        raise Refused(f"{name!r} has no @, so a home could have that name", do="care@example; or --host")
    do = "a-z, A-Z, 0-9, . _ and - around one @, such as care@example"
    raise Refused(f"{name!r} is no name of a party", do=do)


def roll(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    """Another authority, or the end of the former one; exit status.

    Raises:
        Refused: There is no former one, or its end would cut somebody off.
        SetupError: The authority can't be read, isn't this office's own, or gives way to another already.
        OSError: It can't be written.
    """
    now = Clock().wall()
    if args.finish:
        if not Authority(settings.folder).former:
            raise Refused("there is no former authority", do="homenode office roll makes another one first")
        if not args.anyway:
            _cuts_off_nobody(settings, store, now)
        authority.finish(settings.folder)
        print("the former authority counts no more; the broker's cafile is ca.pem alone from now on")
    else:
        authority.roll(settings.folder, moment(now))
        (settings.folder / SERVER).unlink(missing_ok=True)
        sleep((SECOND_MS - now % SECOND_MS) / 1000)  # a code made after it is of a later second
        print("a new authority issues; give the broker ca.pem and former.pem together, as its cafile")
        print("boxes learn of it within a day, and get new certificates by themselves")
        if parties := store.parties(now):
            print(f"these don't: {_some(parties)}; {ANEW}")
        if codes := [_for(code) for code in store.codes(now)]:
            print(
                f"{len(codes)} unused code(s): {_some(codes)}; their cards and labels know only the former "
                f"authority and have to be written anew before --finish; {CODES_ANEW}"
            )
        print("homenode office roll --finish when all have new certificates, and use them")
    print("tell a running office: kill -HUP, or systemctl reload homenode-office")
    return 0


def _cuts_off_nobody(settings: Settings, store: Store, now_ms: int) -> None:
    """Boxes, cards, brokers and parties have certificates of the present authority. Raises Refused."""
    own = Authority(settings.folder)
    former = {one.subject for one in own.roots()} - {own.certificate.subject}
    why, do = [], []
    if boxes := [box.serial for box in store.boxes() if _is_of(store, box.serial, former)]:
        why.append(f"{len(boxes)} box(es): {_some(boxes)}")
        do.append("boxes are renewed within a day, or have to be approved anew")
    if parties := [name for name in store.parties(now_ms) if _is_of(store, name, former)]:
        why.append(f"{len(parties)} broker(s) and parties: {_some(parties)}")
        do.append(ANEW)
    since_ms = int((own.certificate.not_valid_before_utc + EARLY).timestamp() * 1000) + SECOND_MS
    if codes := [_for(code) for code in store.codes(now_ms) if code.made_ms < since_ms]:
        why.append(f"{len(codes)} unused code(s), on cards and labels: {_some(codes)}")
        do.append(CODES_ANEW)
    if why:
        what = f"certificates of a former authority have {'; '.join(why)}"
        raise Refused(what, do=f"{'; '.join(do)}; --anyway cuts them off")


def _is_of(store: Store, name: str, issuers: Set[x509.Name]) -> bool:
    """Whether its newest certificate is by one of these; who is cut off already is of none."""
    newest = store.newest(name)
    return newest is not None and x509.load_der_x509_certificate(newest[1]).issuer in issuers


def _for(code: Code) -> str:
    return " and ".join(filter(None, (code.serial, code.home))) or "whichever box comes first"


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:MOST_NAMED])}{' …' if len(names) > MOST_NAMED else ''}"
