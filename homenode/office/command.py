"""`homenode office …`: what an operator does at the office."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from homenode.config.model import HOME_ID
from homenode.config.notes import nearest
from homenode.enrol.steps import short
from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.install.home_file import replace as write
from homenode.journal.wall_time import text_of
from homenode.office import label
from homenode.office.certificates import certify, roll
from homenode.office.decide import SERIAL, Box, State
from homenode.office.emptying import empty, left_behind
from homenode.office.homes import FOLDER, Homes
from homenode.office.listing import listed, seen
from homenode.office.settings import LISTEN, NAME, PORT, Settings, check_hosts, is_listen, read_settings
from homenode.office.store import CODE_MS, Store
from homenode.office.targets import can_be_written

DEFAULT = Path("homenode-office")
_LATER = "the box calls when the broker refuses it, else within a day, erases, and sends the proof"
MOST_TITLE = 39
"""A certificate's names have 64; after a roll-over the authority's has its date, too."""


def run(args: argparse.Namespace) -> int:
    """Do it; exit status.

    Raises:
        Refused: It is not done; says why.
        SetupError: No office is here, or it can't be used.
        FileMistakes: Its file has mistakes.
        OSError: It can't be written.
    """
    if args.what == "init":
        return _init(args)
    folder = args.office or (Path() if Path(NAME).is_file() else DEFAULT)
    if not folder.is_dir():
        do = "--office DIR says where it is, homenode office init DIR makes one"
        raise SetupError("no office is here", where=str(folder), do=do)
    settings = read_settings(folder)
    if args.what == "serve":
        from homenode.office.serve import run as serve

        return serve(folder, settings, as_json=args.log == "json", verbose=args.verbose)
    store = Store(folder)
    try:
        return _COMMANDS[args.what](args, settings, store)
    finally:
        store.close()


def _init(args: argparse.Namespace) -> int:
    from homenode.office.authority import found, given_of, moment
    from homenode.office.desk import Desk
    from homenode.office.serve import write_list

    folder, listen = args.folder, args.listen or f"0.0.0.0:{PORT}"
    check_hosts(args.name, "--name")
    if not is_listen(listen):
        raise SetupError(f"{listen!r} is no address with a port", where="--listen", do=f"give {LISTEN}")
    if not 1 <= len(args.title.encode()) <= MOST_TITLE:
        raise SetupError(f"it has 1 to {MOST_TITLE} bytes", where="--title", do="give another one")
    if (args.ca_cert is None) != (args.ca_key is None):
        raise SetupError(
            "one of --ca-cert and --ca-key is missing", do="give both, or none for an own authority"
        )
    given = given_of(args.ca_cert, args.ca_key, args.chain) if args.ca_cert is not None else None
    now = moment(Clock().wall())
    if shutil.which("git") is None:
        raise SetupError("git is not installed: it keeps the homes", do="apt install git")
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        do = "name a new or an empty folder"
        raise SetupError(
            f"no office can be made there: {error.strerror}", where=str(folder), do=do
        ) from error
    can_be_written(folder / NAME)
    authority = found(folder, args.title, now, given)
    names = ", ".join(json.dumps(name) for name in args.name)
    (folder / NAME).write_text(
        f"# What `homenode office serve` does; `homenode office list` shows its boxes.\nnames: [{names}]\n"
        f'listen: "{listen}"\n',
        encoding="utf-8",
    )
    authority.server(args.name, now)
    Homes(folder / FOLDER).create()
    store = Store(folder)
    write_list(folder, Desk(read_settings(folder), store, authority, Clock()))
    store.close()
    print(f"an office in {folder}: keep ca.key to yourself, and a copy of it elsewhere")
    named = "" if folder == DEFAULT else f" --office {shlex.quote(str(folder))}"
    print(f"next: {folder / FOLDER}/HOME/home.yaml says what a home is; then")
    print(f"  homenode office box add --home HOME{named}\n  homenode office serve{named}")
    return 0


def _box(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    _check(args.serial or "none", args.home or "none")
    _check_files(args)
    now = Clock().wall()
    with store.changing():
        box = store.box(args.serial) if args.serial else None
        if args.home and (other := store.box_of(args.home)) and other.serial != args.serial:
            raise Refused(f"{args.home} has box {other.serial}", do=f"homenode office swap {args.home}")
        if args.serial:
            box = box or Box(args.serial)
            _is_free(box, args.home or box.home)
            state = State.EXPECTED if box.state is State.GONE else box.state
            store.put(replace(box, state=state, home=args.home or box.home))
        code = store.new_code(now, args.serial, args.home)
    _hand_out(args, settings, args.serial, args.home or (box.home if box else ""), code, now)
    _warn(settings, args.home or (box.home if box else ""))
    return 0


def _withdraw(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    with store.changing():
        codes = store.codes(0)
        number = store.forget_codes(args.serial, args.home)
    what = f"for {' and '.join(filter(None, (args.serial, args.home))) or 'whichever box comes first'}"
    if not number:
        names = {name for one in codes for name in (one.serial, one.home)}
        raise Refused(f"no unused one-time code is {what}", do=_which(args.serial or args.home, names))
    print(f"{number} one-time code(s) {what} count no more")
    return 0


def _check_files(args: argparse.Namespace) -> None:
    """That a code can be handed out, before it is made. Raises SetupError."""
    if args.label is not None:
        label.check(args.label)
    for path in filter(None, (args.label, args.file)):
        can_be_written(path)


def _warn(settings: Settings, home: str) -> None:
    """What a new box for this home waits for, or which configuration it gets."""
    homes = Homes(settings.folder / FOLDER)
    if home and (lacks := homes.lacks(home)):
        print(f"{lacks}\nthe box will wait for that")
    elif home:
        for line in homes.given(home):
            print(line)


def _is_free(box: Box, home: str) -> None:
    """Whether a box may be for this home: what is left of another one is erased before. Raises Refused."""
    if box.has_to_erase:
        do = f"homenode office list tells when it has; revoke {box.serial}, if it is lost, ends the wait"
        raise Refused(f"box {box.serial} has to erase {box.home} before", do=do)
    if box.state is State.ENROLLED and box.home != home:
        do = f"homenode office leave {box.home} first"
        raise Refused(f"box {box.serial} is enrolled for {box.home}", do=do)


def _hand_out(
    args: argparse.Namespace, settings: Settings, serial: str, home: str, code: str, now_ms: int
) -> None:
    """The code, on the terminal, on a label, for a card."""
    from homenode.office.provisioning import ca_print, written

    text = label.payload(settings.url, serial, code, ca_print(settings.folder))
    print(label.on_terminal(text))
    print(f"box {serial or '(whichever comes first)'}  home {home or '(assign it later)'}\ncode {code}")
    print(f"it counts until {text_of(now_ms + CODE_MS)[:10]}, once")
    if args.label is not None:
        label.write(args.label, text, [code, serial or "-", home or "-", settings.names[0]])
    if args.file is not None:
        try:
            write(args.file, written(settings, code).encode(), 0o600)
        except OSError as error:
            raise SetupError(f"it can't be written: {error.strerror}", where=str(args.file)) from error


def _assign(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    _check(args.serial, args.home)
    with store.changing():
        known = store.box(args.serial)
        box, other = known or Box(args.serial), store.box_of(args.home)
        if other is not None and other.serial != box.serial:
            raise Refused(
                f"{args.home} has box {other.serial}", do=f"homenode office swap {args.home} {box.serial}"
            )
        _is_free(box, args.home)
        state = State.EXPECTED if box.state is State.GONE else box.state
        store.put(replace(box, home=args.home, state=state))
        near = nearest(
            args.serial, [one.serial for one in store.boxes() if one.waits_for_home or one.to_approve]
        )
    if known is None:
        print(f"box {args.serial} never came{f': did you mean {near}?' if near else ''}")
    _warn(settings, args.home)
    print(f"box {args.serial} is for {args.home}")
    return 0


def _approve(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    with store.changing():
        box = store.box(args.serial)
        wanted = re.sub(r"[^0-9a-f]", "", args.key.lower())
        if box is None or not box.asked:
            asking = [one.serial for one in store.boxes() if one.to_approve]
            do = "assign it to a home" if box and box.waits_for_home else _which(args.serial, asking)
            raise Refused(f"box {args.serial} has not asked to be approved", do=do)
        if len(wanted) < 16 or not box.asked.startswith(wanted):
            raise Refused(
                f"box {args.serial} asks with the key {short(box.asked)}, not {args.key}",
                do="compare with homenode-READ-ME.txt on its card: another box may say that it is this one",
            )
        store.put(replace(box, approved=box.asked))
    print(f"box {args.serial} is let in when it asks again" + ("" if box.home else "; assign it to a home"))
    return 0


def _swap(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    _check(args.serial or "none", args.home)
    _check_files(args)
    now = Clock().wall()
    with store.changing():
        old = store.box_of(args.home)
        if old is None:
            do = _which(args.home, _homes(store), f"homenode office box add --home {args.home}")
            raise Refused(f"{args.home} has no box", do=do)
        if old.serial == args.serial:
            raise Refused(
                "the new box is the old one", do=f"homenode office box add {args.serial} makes a new code"
            )
        if old.state is State.LEAVING:
            raise Refused(
                f"{args.home} is being left", do="homenode office list tells when the proof is here"
            )
        store.revoke(old.serial, now, "another box took its place")
        ends = _ends(store, old, args, State.SWAPPED)
        if args.serial:
            box = store.box(args.serial) or Box(args.serial)
            _is_free(box, args.home)
            store.put(replace(box, home=args.home, state=State.EXPECTED))
        code = store.new_code(now, args.serial, args.home)
        store.report(
            now, old.serial, args.home, "swapped", f"box {args.serial or 'with the new code'} takes its place"
        )
    _lists(settings, store)
    _hand_out(args, settings, args.serial, args.home, code, now)
    print(f"box {old.serial} counts no more; the new one gets the backup of its radio")
    _warn(settings, args.home)
    print(
        "what was changed at the old box itself, such as sensors paired there, is in none of it, unless "
        f"somebody put it into {FOLDER}/{args.home}"
    )
    if not ends:
        print(f"{old.serial}: {_LATER}; keep it on the network until homenode office list says so")
    return 0


def _ends(store: Store, box: Box, args: argparse.Namespace, state: State) -> bool:
    """The end of its time in a home: whether nobody waits for its proof; else it is in this state."""
    ends = bool(args.without_proof) or not box.key  # one that never came has nothing to erase
    if ends:
        store.gone(box)
    else:
        store.put(replace(box, state=state))
    return ends


def _to_empty(settings: Settings, store: Store, home: str) -> None:
    """What a home left at its broker, of which no proof says more."""
    for one in left_behind(settings.folder, home, {}, Clock().wall()):
        store.add_emptying(one)


def _leave(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    now = Clock().wall()
    with store.changing():
        box = store.box_of(args.home)
        if box is None:
            raise Refused(f"{args.home} has no box", do=_which(args.home, _homes(store)))
        if box.state is State.LEAVING and not args.without_proof:
            do = f"homenode office list tells when {box.serial} has erased it; --without-proof ends the wait"
            raise Refused(f"{args.home} is being left already", do=do)
        store.revoke(box.serial, now, "the tenancy ended")
        ends = _ends(store, box, args, State.LEAVING)
        if ends and box.key:
            _to_empty(settings, store, args.home)
        store.report(now, box.serial, box.home, "leaving", "without proof" if ends else "erasure ordered")
    if ends:
        from homenode.office.backups import Backups

        Backups(settings.folder).forget(args.home)
    _lists(settings, store)
    what = "its certificate is revoked" if box.key else "no box is for it any more"
    print(f"{args.home}: {what}{'' if ends else f'; {_LATER}'}")
    if store.emptyings(args.home):
        print(
            "what it left at its broker is emptied by the office while it serves, or: homenode office empty"
        )
    return 0


def _proof(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    from homenode.office.proofs import proof

    return proof(args, settings, store)


def _revoke(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    with store.changing():
        box = store.box(args.serial)
        number = store.revoke(args.serial, Clock().wall(), args.why)
        if box is None and not number:
            names = [*(one.serial for one in store.boxes()), *store.parties(0)]
            raise Refused(f"{args.serial} has no certificate that counts", do=_which(args.serial, names))
        if box is not None:
            if box.state is State.GONE and not number:
                raise Refused(f"box {args.serial} is nobody's: it was revoked or ended already")
            if box.state is State.LEAVING:  # and its proof, which would say so, doesn't come
                _to_empty(settings, store, box.home)
            store.gone(box)
    _lists(settings, store)
    ends = "; nobody waits for its proof any more" if box is not None and box.has_to_erase else ""
    print(f"{number} certificate(s) of {args.serial} revoked{ends}")
    return 0


def _homes(store: Store) -> list[str]:
    """Those that have a box."""
    return [box.home for box in store.boxes() if box.home and box.state is not State.SWAPPED]


def _which(name: str, names: Iterable[str], do: str = "homenode office list") -> str:
    """What to do about a name that isn't known: the nearest that is, or `do`."""
    near = nearest(name, names)
    return f"did you mean {near}? Else {do}" if near else do


def _restored(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    with store.changing():
        boxes = store.boxes()
        for box in boxes:
            store.forget_turns(box.serial)
    print(f"each of {len(boxes)} box(es) may call again; from then on a copy of it is found out")
    print("what was ordered since the copy was made is to be ordered again: revoke, leave, swap, withdraw")
    return 0


def _lists(settings: Settings, store: Store) -> None:
    """The list of revoked certificates, anew, for a broker."""
    from homenode.office.authority import Authority
    from homenode.office.desk import Desk
    from homenode.office.serve import LIST, write_list

    write_list(settings.folder, Desk(settings, store, Authority(settings.folder), Clock()))
    print(f"new {LIST}: copy it to the broker and restart it")


def _check(serial: str, home: str) -> None:
    if not re.fullmatch(SERIAL, serial):
        raise Refused(f"{serial!r} is no serial number", do="4 to 64 letters, digits, . _ and -")
    if not re.fullmatch(HOME_ID, home):
        raise Refused(f"{home!r} is no home", do="1 to 40 of a-z, 0-9 and -, such as vaxjo-0412")


_COMMANDS = {
    "box": _box,
    "withdraw": _withdraw,
    "assign": _assign,
    "approve": _approve,
    "swap": _swap,
    "leave": _leave,
    "empty": empty,
    "proof": _proof,
    "revoke": _revoke,
    "certify": certify,
    "roll": roll,
    "restored": _restored,
    "list": listed,
    "seen": seen,
}
