"""A relay for who can't reach each other: coturn as Debian has it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

import pytest

TURN = shutil.which("turnserver")
needs_turn = pytest.mark.skipif(TURN is None, reason="coturn is not installed")


class Relay:
    """Listens at each address. Its own are the only ones that it relays to."""

    user, secret = "care", "relayed"

    def __init__(self, folder: Path, *addresses: str, port: int = 34780) -> None:
        self._folder, self._port, self._addresses = folder, port, addresses
        lines = ["lt-cred-mech", f"user={self.user}:{self.secret}", "realm=homenode", "no-tls", "no-dtls"]
        lines += ["no-cli", "log-file=stdout", "no-stdout-log", f"listening-port={port}"]
        lines += [f"userdb={folder}/turn.db", f"pidfile={folder}/turn.pid"]
        for address in addresses:
            lines += [f"{name}={address}" for name in ("listening-ip", "relay-ip", "allowed-peer-ip")]
        (folder / "turn.conf").write_text("\n".join([*lines, ""]))

    def url(self, address: str) -> str:
        return f"turn:{address}:{self._port}"

    def __enter__(self) -> Self:
        assert TURN is not None
        command = [TURN, "-c", str(self._folder / "turn.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for address in self._addresses:
            while True:
                try:
                    socket.create_connection((address, self._port), timeout=1).close()
                    break
                except OSError:
                    assert self._process.poll() is None, "the relay ended"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
