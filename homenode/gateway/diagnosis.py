"""The diagnostics bundle: what helps to find out what ails a node, and nothing of who lives there.

JSON, packed by gzip, as base64 in the answer to the operator's command `report`. It is made of what the
operator may see anyway, of lines of the log that are known to tell nothing of a life
(`homenode.health.tellable`), and of the state of updates and enrolment.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homenode.errors import Refused
from homenode.gateway.logbook import LOGBOOK
from homenode.health.tellable import LEFT_OUT

if TYPE_CHECKING:
    from homenode.gateway.node import Node

LONGEST_B = 48 * 1024
"""Of the packed bundle: 64 KiB as base64, and a broker takes 256 (deploy/mosquitto)."""
AGAIN_MS = 10_000
UNITS = ("homenode", "homenode-panel", "homenode-enrol", "homenode-update", "chrony")
"""Not homenode-video: how often that starts is how often somebody looks."""
_PROPERTIES = "Id,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus"
UNITS_S = 5.0
STATES: Mapping[str, tuple[str, ...]] = {
    "update/state.json": ("version", "state", "why", "at_ms", "slot", "running", "progress"),
    "update/order.json": ("version", "sha256", "size", "window", "not_before_ms"),
    "enrol/state.json": ("state", "why", "at", "serial", "fingerprint", "not_after"),
}
"""Files of others in the node's folder, and what of them is told."""


class Diagnosis:
    """Makes bundles for one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._last: int | None = None

    async def bundle(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """The bundle as the answer carries it.

        Raises:
            Refused: One was made a moment ago.
        """
        node, now = self._node, self._node.clock.now()
        if self._last is not None and now - self._last < AGAIN_MS:
            raise Refused("a bundle was made a moment ago", do=f"ask again in {AGAIN_MS // 1000} s")
        self._last = now
        units = await _units()
        content: dict[str, Any] = {
            "home": node.home.home,
            "left_out": LEFT_OUT,
            "report": report,
            "python": sys.version.split()[0],
            "drivers": dict(Counter(device.driver for device in node.home.devices.values())),
            "rules": len(node.home.rules),
            "units": units,
            "log": [_line(node, line) for line in LOGBOOK.lines()],
        }
        return await asyncio.get_running_loop().run_in_executor(None, _packed, content, node.data)


def _line(node: Node, line: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in line.items() if name != "at_ms"}
    return {"at": node.judge.zone.text(line["at_ms"]), **rest}


async def _units() -> dict[str, str] | str:
    """What systemd says of our units; why not, where it doesn't."""
    try:
        process = await asyncio.create_subprocess_exec(
            "systemctl", "show", f"--property={_PROPERTIES}", *UNITS,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        return f"left out: systemctl: {error.strerror}"
    try:
        async with asyncio.timeout(UNITS_S):
            told, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return "left out: systemctl doesn't answer"
    if process.returncode:
        return f"left out: systemctl ended with {process.returncode}"
    found = {}
    for block in told.decode(errors="replace").split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if name := values.pop("Id", ""):
            found[name] = " ".join(f"{key}={value}" for key, value in values.items())
    return found


def _packed(content: dict[str, Any], data: Path) -> dict[str, Any]:
    """Packed, apart from the loop, with what only this needs; of a log that is too long the newest lines."""
    import base64
    import gzip
    import hashlib

    content |= {"states": _states(data), "packages": _packages()}
    while True:
        packed = gzip.compress(json.dumps(content, ensure_ascii=False).encode(), 9, mtime=0)
        if len(packed) <= LONGEST_B or not content["log"]:
            break
        content["log"] = content["log"][len(content["log"]) // 2 + 1 :]
        content["log_cut"] = True
    return {
        "data": base64.b64encode(packed).decode(),
        "format": "application/json+gzip",
        "sha256": hashlib.sha256(packed).hexdigest(),
        "left_out": content["left_out"],
    }


def _states(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, told in STATES.items():
        try:
            state = json.loads((data / name).read_bytes()[:65_536])
        except (OSError, ValueError) as error:
            found[name] = f"left out: {error.strerror if isinstance(error, OSError) else 'no JSON'}"
            continue
        known = state.items() if isinstance(state, dict) else ()
        is_busy = (
            isinstance(state, dict) and state.get("state") == "busy"
        )  # with what, is of those who live there
        found[name] = {key: value for key, value in known if key in told and not (is_busy and key == "why")}
    return found


def _packages() -> dict[str, str]:
    from importlib import metadata

    return {one.metadata["Name"]: one.version for one in metadata.distributions() if one.metadata["Name"]}
