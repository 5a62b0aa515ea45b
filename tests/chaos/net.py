"""A network namespace for a node, with one cable to here that can be cut, be bad, and be slow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Self

LOSSY = "table inet chaos {{ chain {name} {{ type filter hook {name} priority 0; {rule} drop; }}; }}\n"


def why_not() -> str:
    """Why there can be no such network here; "" if there can."""
    missing = [tool for tool in ("ip", "nft", "tc") if not shutil.which(tool)]
    if missing:
        return f"{', '.join(missing)} is not installed"
    probe = subprocess.run(["unshare", "-n", "nft", "list", "tables"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else "the kernel has no network namespaces or no nftables"


class Cable:
    """From `here` to `there`, the address of whoever runs within the namespace."""

    def __init__(self, nth: int = 0) -> None:
        pid = os.getpid()
        net = f"10.{64 + (pid >> 8) % 128}.{pid % 256}.{4 * nth}"
        base, _, last = net.rpartition(".")
        self.here, self.there = f"{base}.{int(last) + 1}", f"{base}.{int(last) + 2}"
        self.name, self._end = f"chaos-{pid}-{nth}", f"ch{pid}n{nth}"
        self.within = ("nsenter", f"--net=/run/netns/{self.name}")

    def __enter__(self) -> Self:
        _tidy()
        try:
            self._ip("netns", "add", self.name)
            self._ip("link", "add", self._end, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            self._ip("address", "add", f"{self.here}/30", "dev", self._end)
            self._ip("link", "set", self._end, "up")
            self._ip("-n", self.name, "address", "add", f"{self.there}/30", "dev", "eth0")
            self._ip("-n", self.name, "link", "set", "lo", "up")
            self._ip("-n", self.name, "link", "set", "eth0", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, check=False)

    def lose(self, percent: int) -> None:
        """So many packets of a hundred, at random, either way."""
        rule = "" if percent >= 100 else f"numgen random mod 100 < {percent}"
        tables = "".join(LOSSY.format(name=name, rule=rule) for name in ("input", "output"))
        self.whole()
        self._run(*self.within, "nft", "-f", "-", told=tables)

    def whole(self) -> None:
        """No packet is lost."""
        self._run(*self.within, "nft", "flush", "ruleset")

    def pull(self) -> None:
        """The plug: the node sees that there is no carrier."""
        self._ip("-n", self.name, "link", "set", "eth0", "down")

    def plug(self) -> None:
        """In again."""
        self._ip("-n", self.name, "link", "set", "eth0", "up")

    def slow(self, kbit_s: int) -> None:
        """What the node sends leaves at this rate."""
        shape = ("tbf", "rate", f"{kbit_s}kbit", "burst", "3kb", "latency", "3s")
        self._run("tc", "-n", self.name, "qdisc", "replace", "dev", "eth0", "root", *shape)

    def fast(self) -> None:
        """As it was."""
        self._run("tc", "-n", self.name, "qdisc", "delete", "dev", "eth0", "root")

    def _ip(self, *words: str) -> None:
        self._run("ip", *words)

    def _run(self, *words: str, told: str = "") -> None:
        done = subprocess.run(words, input=told, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


def _tidy() -> None:
    """Namespaces of rigs that were killed."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for name, pid in re.findall(r"^(chaos-(\d+)-\d+)", listed, re.MULTILINE):
        if not Path(f"/proc/{pid}").exists():
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
