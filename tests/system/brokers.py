"""Real brokers for tests, each on a loopback port of its own, and a subscriber that nobody here wrote."""

from __future__ import annotations

import contextlib
import getpass
import random
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.system.openssl import issued, self_signed

MOSQUITTO = shutil.which("mosquitto") or next(
    (path for path in ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto") if Path(path).exists()), None
)
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


_GIVEN: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody uses; below those that the kernel takes for whoever connects somewhere."""
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(10_000, 32_768)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            if port not in _GIVEN:
                _GIVEN.add(port)
                return port


class Mosquitto:
    """A mosquitto that can be killed, frozen and started again on its port.

    Args:
        folder: For its configuration, log and, if `persistent`, its database.
        lines: More lines of configuration (replaces ``allow_anonymous true`` if they say otherwise).
        persistent: Keeps sessions and retained messages over a kill.
    """

    def __init__(self, folder: Path, *lines: str, persistent: bool = True, port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "mosquitto.conf"
        anonymous = (
            [] if any(line.startswith("allow_anonymous") for line in lines) else ["allow_anonymous true"]
        )
        kept = ["persistence true", f"persistence_location {folder}/"]
        self._config.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    f"user {getpass.getuser()}",  # else, started by root, it could not read its folder
                    *anonymous,
                    "set_tcp_nodelay true",
                    "max_queued_messages 0",
                    "log_dest stderr",
                    *(kept if persistent else []),
                    *lines,
                    "",
                ]
            )
        )

    @classmethod
    def as_configured(cls, folder: Path, text: str, port: int) -> Self:
        """With a configuration of its own."""
        made = cls(folder, port=port)
        made._config.write_text(f"user {getpass.getuser()}\n{text}")
        return made

    @property
    def url(self) -> str:
        """For ``broker.url``."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the running one."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until it listens."""
        assert MOSQUITTO is not None
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", self._config], stderr=log)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError((self._folder / "mosquitto.log").read_text()) from None

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """As a service manager does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def save(self) -> None:
        """Have its sessions and retained messages on the disk, which it otherwise does now and then."""
        assert self._process is not None
        kept = self._folder / "mosquitto.db"
        before = kept.stat().st_mtime_ns if kept.exists() else 0
        self._process.send_signal(signal.SIGUSR1)
        while not kept.exists() or kept.stat().st_mtime_ns == before:
            assert self._process.poll() is None

    def reload(self) -> None:
        """Read the access list again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def freeze(self) -> None:
        """It answers nothing, but its connections stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.kill()


def made_keys(folder: Path) -> Path:
    """Two authorities, ``ca`` and ``other``, and a broker's certificate for 127.0.0.1 by the first."""
    folder.mkdir()
    for name in ("ca", "other"):
        self_signed(folder, name)
    issued(folder, "broker", "subjectAltName=IP:127.0.0.1")
    return folder
