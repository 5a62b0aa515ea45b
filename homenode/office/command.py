"""`homenode office …`: what an operator does at the office."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path

from homenode.config.notes import nearest
from homenode.enrol.steps import short
from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.install.home_file import replace as write
from homenode.journal.wall_time import text_of
from homenode.office import label
from homenode.office.certificates import certify, roll
from homenode.office.decide import Box, State
from homenode.office.emptying import empty
from homenode.office.endings import LATER, ended, leave, new_list, revoke, with_box
from homenode.office.homes import FOLDER, Homes
from homenode.office.listing import listed, seen
from homenode.office.proofs import proof
from homenode.office.settings import NAME, Settings, read_settings
from homenode.office.store import CODE_MS, Store, check_there
from homenode.office.targets import can_be_written, check, which

DEFAULT = Path("homenode-office")


def run(args: argparse.Namespace) -> int:
    """Do it; exit status.

    Raises:
        Refused: It is not done; says why.
        SetupError: No office is here, or it can't be used.
        FileMistakes: Its file has mistakes.
        OSError: It can't be written.
    """
    if args.what == "init":
        from homenode.office.founding import init

        return init(args)
    folder = args.office or (Path() if Path(NAME).is_file() else DEFAULT)
    if not folder.is_dir():
        do = "--office DIR says where it is, homenode office init DIR makes one"
        raise SetupError("no office is here", where=str(folder), do=do)
    settings = read_settings(folder)
    check_there(folder)
    if args.what == "serve":
        from homenode.office.serve import run as serve

        return serve(folder, settings, as_json=args.log == "json", verbose=args.verbose)
    store = Store(folder)
    try:
        return _COMMANDS[args.what](args, settings, store)
    finally:
        store.close()


def _box(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    check(args.serial or "none", args.home or "none")
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
        raise Refused(f"no unused one-time code is {what}", do=which(args.serial or args.home, names))
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
    check(args.serial, args.home)
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
            do = "assign it to a home" if box and box.waits_for_home else which(args.serial, asking)
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
    check(args.serial or "none", args.home)
    _check_files(args)
    now = Clock().wall()
    with store.changing():
        old = store.box_of(args.home)
        if old is None:
            do = which(args.home, with_box(store), f"homenode office box add --home {args.home}")
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
        ends = ended(store, old, State.SWAPPED, without_proof=args.without_proof)
        if args.serial:
            box = store.box(args.serial) or Box(args.serial)
            _is_free(box, args.home)
            store.put(replace(box, home=args.home, state=State.EXPECTED))
        code = store.new_code(now, args.serial, args.home)
        store.report(
            now, old.serial, args.home, "swapped", f"box {args.serial or 'with the new code'} takes its place"
        )
    new_list(settings, store)
    _hand_out(args, settings, args.serial, args.home, code, now)
    print(f"box {old.serial} counts no more; the new one gets the backup of its radio")
    _warn(settings, args.home)
    print(
        "what was changed at the old box itself, such as sensors paired there, is in none of it, unless "
        f"somebody put it into {FOLDER}/{args.home}"
    )
    if not ends:
        print(f"{old.serial}: {LATER}; keep it on the network until homenode office list says so")
    return 0


def _restored(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    with store.changing():
        boxes = store.boxes()
        for box in boxes:
            store.forget_turns(box.serial)
    print(f"each of {len(boxes)} box(es) may call again; from then on a copy of it is found out")
    print("what was ordered since the copy was made is to be ordered again: revoke, leave, swap, withdraw")
    return 0


_COMMANDS = {
    "box": _box,
    "withdraw": _withdraw,
    "assign": _assign,
    "approve": _approve,
    "swap": _swap,
    "leave": leave,
    "empty": empty,
    "proof": proof,
    "revoke": revoke,
    "certify": certify,
    "roll": roll,
    "restored": _restored,
    "list": listed,
    "seen": seen,
}
