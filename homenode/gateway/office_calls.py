"""A broker that refuses the node is a reason to call the office now and not tomorrow.

The tenancy may have ended, the certificate, or the authority of either: the office knows, enrolment asks it
(`homenode-call.path` starts that), and what comes of it is a new certificate, or the order to erase.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from homenode.errors import SetupError
from homenode.link import LinkState
from homenode.update.files import read_json

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.node")

CALL, OFFICE = "enrol/call", "enrol/office.json"
"""In the node's data: a change of the one starts enrolment; the other is there if an office enrolled it."""
EACH_MS = 10 * 60_000


def for_this_home(data: Path, home: str) -> None:
    """Of a node that an office enrolled: by its certificate the broker takes it for that home, and no other.

    Raises:
        SetupError: It is for another home by now.
    """
    said = None
    with contextlib.suppress(OSError):
        said = read_json(data / OFFICE)
    assigned = (said or {}).get("home", home)
    if assigned != home:
        do = f"homenode office leave {assigned} has it erased, a fresh card takes its place"
        raise SetupError(f"home.yaml describes {home}, but the office has this box for {assigned}", do=do)


class OfficeCalls:
    """Of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._last = -EACH_MS

    def consider(self, state: LinkState) -> None:
        """The link came or went, or there is another reason why there is none."""
        now = self._node.clock.now()
        if state.person and now - self._last >= EACH_MS:
            self._last = now
            self._node.start_apart("call of the office", self._call(state.why))

    async def _call(self, why: str) -> None:
        if await asyncio.get_running_loop().run_in_executor(None, _wake, self._node.data, why):
            log.warning("the office is called, as the broker refuses this node", extra={"why": why})


def _wake(data: Path, why: str) -> bool:
    if not (data / OFFICE).exists():
        return False
    (data / CALL).write_text(f"{why}\n", encoding="utf-8")
    return True
