"""Which tablets were paired, in DIR/panel.json: by a code that somebody at the node reads out, once.

The command writes it and the page's server reads it, so a code or a revocation counts at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from homenode.errors import SetupError
from homenode.gateway.clock import Clock

NAME = "panel.json"
DIGITS = 6
CODE_MS = 10 * 60_000
MOST_TRIES = 5
"""Wrong ones until a code is worth nothing: 1 in 200,000 is guessed."""
MOST_PANELS = 16


class Paired:
    """Of the node that runs on `folder`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file, self._clock = folder / NAME, clock
        self._read: tuple[tuple[int, int] | None, dict[str, Any]] = (None, {})

    def new_code(self) -> str:
        """A code that lets one tablet in, for a while; an older one is worth nothing any more."""
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        with self._changing() as state:
            state["code"] = {
                "hash": _hash(code),
                "until": self._boot_ms() + CODE_MS,
                "boot": self._boot(),
                "wrong": 0,
            }
        return code

    def pair(self, code: str, day: str) -> str | None:
        """A new token for who knows the code; None for who doesn't."""
        with self._changing() as state:
            known = state["code"]
            if known is None or known["boot"] != self._boot() or self._boot_ms() >= known["until"]:
                state["code"] = None
                return None
            if not hmac.compare_digest(known["hash"], _hash(code)):
                known["wrong"] += 1
                if known["wrong"] >= MOST_TRIES:
                    state["code"] = None
                return None
            state["code"], token = None, secrets.token_urlsafe(32)
            panel = {"id": secrets.token_hex(3), "hash": _hash(token), "since": day}
            state["panels"] = [*state["panels"], panel][-MOST_PANELS:]
        return token

    def waits(self) -> bool:
        """Whether there is a code that would let a tablet in."""
        return self._state()["code"] is not None

    def knows(self, token: str) -> bool:
        """Whether this tablet may look."""
        hashed = _hash(token)
        return any(hmac.compare_digest(one["hash"], hashed) for one in self.panels())

    def panels(self) -> list[dict[str, str]]:
        """Those that were paired: id, and since which day."""
        return list(self._state()["panels"])

    def revoke(self, panel: str) -> int:
        """Let one look no more, or ``all``; how many that were."""
        with self._changing() as state:
            left = [one for one in state["panels"] if panel not in (one["id"], "all")]
            gone = len(state["panels"]) - len(left)
            state["panels"] = left
        return gone

    def _boot(self) -> str:
        return str((self._clock.boot() or [""])[0])

    def _boot_ms(self) -> int:
        return self._clock.boot_ms(self._clock.now())

    def _state(self) -> dict[str, Any]:
        """As the file says; read again when it was changed."""
        try:
            stat = self._file.stat()
        except OSError:
            return {"code": None, "panels": []}
        if self._read[0] != (stat.st_mtime_ns, stat.st_ino):
            try:
                state = json.loads(self._file.read_text())
            except (OSError, ValueError):
                state = {"code": None, "panels": []}  # a torn card: tablets are paired anew
            self._read = (stat.st_mtime_ns, stat.st_ino), state
        return self._read[1]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """The state, written at the end; one process at a time.

        Raises:
            SetupError: The folder can't be written.
        """
        try:
            lock = os.open(self._file.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            do = "start the node once, and run this as its user"
            raise SetupError(
                f"no panel can be paired: {error.strerror}", where=str(self._file), do=do
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = json.loads(json.dumps(self._state()))
            before = json.dumps(state)
            yield state
            if json.dumps(state) != before:
                self._write(state)
        finally:
            os.close(lock)

    def _write(self, state: dict[str, Any]) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
                json.dump(state, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise SetupError(f"panels can't be kept: {error.strerror}", where=str(self._file)) from error


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
