"""`homenode radio show|backup|restore`: what a person does with the network of a home."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from drivers.zigbee import backup
from drivers.zigbee.adapter import adapter_of, make_coordinator, prepare
from drivers.zigbee.carried import said_in, with_devices
from drivers.zigbee.port import check_port, explained
from homenode.driver import RadioWork
from homenode.errors import HomenodeError, Refused

_OTHER = "the stick in the port holds another network: restoring erases it, and its devices are lost"


def show(work: RadioWork) -> Sequence[str]:
    """The latest backup, and what there is beside it."""
    prepare(adapter_of(work.options))
    file, what = _chosen(work)
    return [*backup.shown(what), f"file     {file}"]


def keep_copy(work: RadioWork) -> Sequence[str]:
    """Write the latest backup to a file of the user."""
    prepare(adapter_of(work.options))
    if work.file is None:
        raise Refused("no file is named", do="homenode radio backup FILE")
    what = backup.kept(work.folder)
    if what is None:
        raise _none_kept(work)
    try:
        backup.write(work.file, json.dumps(what.as_open_coordinator_json(), indent=1) + "\n")
    except OSError as fault:
        raise Refused(f"can't be written: {fault.strerror}", where=str(work.file)) from fault
    return [*backup.shown(what), f"written  {work.file} (it holds the key of the network: keep it safe)"]


def restore(work: RadioWork) -> Sequence[str]:
    """Give the stick in the port the network of a backup."""
    prepare(adapter_of(work.options))
    _, what = _chosen(work)
    port = str(work.options["port"])
    check_port(port, ran_before=False)
    return asyncio.run(_restore(work, what, port))


def _none_kept(work: RadioWork) -> Refused:
    return Refused(
        "no backup was kept yet",
        where=str(work.folder / backup.FOLDER),
        do="one is made 10 s after the first start of the radio, at each change and each night",
    )


def _chosen(work: RadioWork) -> tuple[str, Any]:
    if work.file is not None:
        return str(work.file), backup.read(work.file)
    what = backup.kept(work.folder)
    if what is None:
        raise _none_kept(work)
    return str(backup.newest(work.folder)), what


async def _restore(work: RadioWork, what: Any, port: str) -> Sequence[str]:
    from drivers.zigbee.radio import close

    app = make_coordinator(work.options, str(work.folder / f"{work.name}.db"))
    try:
        await app._load_db()
        await app.connect()
        found = await app.found()
        same = found is not None and backup.same_network(found, what)
        if same and found.node_info.ieee == what.node_info.ieee:
            return [*backup.shown(found), "the stick holds this network already: nothing was changed"]
        if found is not None and not same and not work.overwrite:
            network = found.network_info
            raise Refused(
                f"{_OTHER} (network {network.extended_pan_id}, PAN {network.pan_id})",
                where=port,
                do="plug the right stick in, or add --overwrite",
            )
        now = await app.take_over(what, work.wall_ms)
        backup.keep(with_devices(now, said_in(what)), work.folder)
        backup.own(work.folder)
    except HomenodeError:
        raise
    except Exception as fault:
        raise explained(fault, port, adapter_of(work.options), ran_before=False) from fault
    finally:
        await close(app)
    done = "restored: start the node; its devices need no pairing. Never plug the old stick in again"
    return [*backup.shown(now), done]
