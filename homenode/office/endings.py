"""The end of a box's time in a home, or of a key: `homenode office leave`, `swap` and `revoke`."""

from __future__ import annotations

import argparse
from dataclasses import replace

from homenode.errors import Refused
from homenode.gateway.clock import Clock
from homenode.office.decide import Box, State
from homenode.office.emptying import left_behind
from homenode.office.settings import Settings
from homenode.office.store import Store
from homenode.office.targets import which

LATER = "the box calls when the broker refuses it, else within a day, erases, and sends the proof"


def leave(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    """Somebody moves out; exit status. Raises Refused: the home has no box, or is being left."""
    now = Clock().wall()
    with store.changing():
        box = store.box_of(args.home)
        if box is None:
            raise Refused(f"{args.home} has no box", do=which(args.home, with_box(store)))
        if box.state is State.LEAVING and not args.without_proof:
            do = f"homenode office list tells when {box.serial} has erased it; --without-proof ends the wait"
            raise Refused(f"{args.home} is being left already", do=do)
        store.revoke(box.serial, now, "the tenancy ended")
        ends = ended(store, box, State.LEAVING, without_proof=args.without_proof)
        if ends and box.key:
            _to_empty(settings, store, args.home)
        store.report(now, box.serial, box.home, "leaving", "without proof" if ends else "erasure ordered")
    if ends:
        from homenode.office.backups import Backups

        Backups(settings.folder).forget(args.home)
    new_list(settings, store)
    what = "its certificate is revoked" if box.key else "no box is for it any more"
    print(f"{args.home}: {what}{'' if ends else f'; {LATER}'}")
    if store.emptyings(args.home):
        print(
            "what it left at its broker is emptied by the office while it serves, or: homenode office empty"
        )
    return 0


def revoke(args: argparse.Namespace, settings: Settings, store: Store) -> int:
    """A box is stolen or lost, or a key; exit status. Raises Refused: nothing of it counts."""
    with store.changing():
        box = store.box(args.serial)
        number = store.revoke(args.serial, Clock().wall(), args.why)
        if box is None and not number:
            names = [*(one.serial for one in store.boxes()), *store.parties(0)]
            raise Refused(f"{args.serial} has no certificate that counts", do=which(args.serial, names))
        if box is not None:
            if box.state is State.GONE and not number:
                raise Refused(f"box {args.serial} is nobody's: it was revoked or ended already")
            if box.state is State.LEAVING:  # and its proof, which would say so, doesn't come
                _to_empty(settings, store, box.home)
            store.gone(box)
    new_list(settings, store)
    ends = "; nobody waits for its proof any more" if box is not None and box.has_to_erase else ""
    print(f"{number} certificate(s) of {args.serial} revoked{ends}")
    return 0


def ended(store: Store, box: Box, state: State, *, without_proof: bool) -> bool:
    """The end of its time in a home: whether nobody waits for its proof; else it is in this state."""
    ends = without_proof or not box.key  # one that never came has nothing to erase
    if ends:
        store.gone(box)
    else:
        store.put(replace(box, state=state))
    return ends


def _to_empty(settings: Settings, store: Store, home: str) -> None:
    """What a home left at its broker, of which no proof says more."""
    for one in left_behind(settings.folder, home, {}, Clock().wall()):
        store.add_emptying(one)


def with_box(store: Store) -> list[str]:
    """Homes that have one."""
    return [box.home for box in store.boxes() if box.home and box.state is not State.SWAPPED]


def new_list(settings: Settings, store: Store) -> None:
    """The list of revoked certificates, anew, for a broker."""
    from homenode.office.authority import Authority
    from homenode.office.desk import Desk
    from homenode.office.serve import LIST, write_list

    write_list(settings.folder, Desk(settings, store, Authority(settings.folder), Clock()))
    print(f"new {LIST}: copy it to the broker and restart it")
