"""`homenode office init`: an office in a new folder."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil

from homenode.errors import SetupError
from homenode.gateway.clock import Clock
from homenode.office.command import DEFAULT
from homenode.office.homes import FOLDER, Homes
from homenode.office.settings import LISTEN, NAME, PORT, check_hosts, is_listen, read_settings
from homenode.office.store import Store
from homenode.office.targets import can_be_written

MOST_TITLE = 39
"""A certificate's names have 64; after a roll-over the authority's has its date, too."""


def init(args: argparse.Namespace) -> int:
    from homenode.office.authority import check_none, found, given_of, moment
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
    check_none(folder)
    Store(folder).close()  # before the authority: where that is and this isn't, it was lost
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
