"""A relay for who can't reach each other: coturn as Debian has it."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

TURN = shutil.which("turnserver")
needs_turn = pytest.mark.skipif(TURN is None, reason="coturn is not installed")
_PORT = 34780


class Relay:
    """Listens at each address. Its own are the only ones that it relays to."""

    user, secret = "care", "relayed"

    def __init__(self, folder: Path, *addresses: str) -> None:
        self._folder, self._addresses = folder, addresses
        lines = ["lt-cred-mech", f"user={self.user}:{self.secret}", "realm=homenode", "no-tls", "no-dtls"]
        lines += ["no-cli", "log-file=stdout", "no-stdout-log", f"listening-port={_PORT}"]
        lines += [f"userdb={folder}/turn.db", f"pidfile={folder}/turn.pid"]
        for address in addresses:
            lines += [f"{name}={address}" for name in ("listening-ip", "relay-ip", "allowed-peer-ip")]
        (folder / "turn.conf").write_text("\n".join([*lines, ""]))

    def url(self, address: str) -> str:
        return f"turn:{address}:{_PORT}"

    def __enter__(self) -> Self:
        assert TURN is not None
        command = [TURN, "-c", str(self._folder / "turn.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for address in self._addresses:
            while not self._answers(address):
                assert self._process.poll() is None, "the relay ended"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self, address: str) -> bool:
        """Whether it answers a binding request (RFC 8489, 6) by UDP; it takes TCP some time before."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.5)
            try:
                asker.connect((address, _PORT))
                asker.send(struct.pack(">HHI12s", 1, 0, 0x2112A442, bytes(12)))
                return bool(asker.recv(1500))
            except OSError:
                time.sleep(0.05)
                return False
