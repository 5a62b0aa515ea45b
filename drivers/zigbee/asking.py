"""Asking devices for their state: those that are awake at the start, and later whoever of them is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from drivers.zigbee.ear import Known
from drivers.zigbee.interview import ask_state
from homenode.driver import Host

AT_ONCE = 4
"""Devices asked side by side."""
SILENT_S = 1200
"""Who is awake and said nothing for so long is asked; the shortest default of `stale_after` is an hour."""


async def ask(known: Known) -> None:
    """Have one say its state; a sleeper that doesn't is asked again when it is heard."""
    known.asked = await ask_state(known.device, known.plan) or not known.sleepy


async def ask_those_awake(all_known: Callable[[], Iterable[Known]], host: Host) -> None:
    """At once, and then for ever those that have gone silent."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(known: Known) -> None:
        async with limit:
            await ask(known)

    since = None
    while True:
        awake = [known for known in all_known() if not known.sleepy and known.facts.complete]
        silent = [known for known in awake if since is None or known.heard_at <= since]
        await asyncio.gather(*(one(known) for known in silent))
        since = host.now()
        await asyncio.sleep(SILENT_S)
