"""A driver for a process of its own that does what files in its folder say."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.model import Device
from homenode.driver import Host, Joined
from homenode.errors import Refused, SetupError


class Obeys:
    """`told` in the data folder: crash, hang, ask, end, noise; `released` says that it ended in order."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def run(self) -> None:
        folder = self._host.data
        (folder / "pid.new").write_text(str(os.getpid()))
        (folder / "pid.new").rename(folder / "pid")
        self._host.joined(Joined("00:01", "door", "Maker", "Model", ("contact",)))
        last = self._host.last_heard("door", "contact")
        self._host.heard("door", "contact", True if last is None else last[0])
        try:
            while True:
                await asyncio.sleep(0.02)
                told = folder / "told"
                if told.exists():
                    what = told.read_text()
                    told.unlink()
                    self._do(what)
        finally:
            (folder / "released").touch()

    def _do(self, what: str) -> None:
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif what == "hang":
            time.sleep(600)
        elif what == "ask":
            raise SetupError("the meter wants a token", where="meter", do="write it into home.yaml")
        elif what == "noise":
            print("x" * 200_000, *range(1000), sep="\n")
            sys.stderr.write("\xff\n")
            self._host.heard("door", "contact", "wide")  # type: ignore[arg-type]  # a driver's mistake
            self._host.heard("door", "contact", b"open")  # type: ignore[arg-type]  # likewise
        elif what == "close":
            self._host.heard("door", "contact", False)
            self._host.alive("lamp")
            self._host.lost("meter silent", "the meter says nothing", ("door",))
            self._host.back("meter silent")
        else:
            raise ValueError(what)

    async def switch(self, device: str, kind: str, to: bool) -> None:
        if kind == "siren":
            raise Refused("it has no siren", do="buy one")
        self._host.heard(device, kind, to)

    async def pair(self, seconds: float) -> None:
        (self._host.data / "open").write_text(str(seconds))


def make(_name: str, _options: Mapping[str, Any], _devices: Sequence[Device], host: Host) -> Obeys:
    """For `own_process`."""
    return Obeys(host)
