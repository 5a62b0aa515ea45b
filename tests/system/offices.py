"""`homenode office` as a process, and boxes that call it over real TLS."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from homenode.cli import main
from homenode.enrol.boot import boot, wipe
from homenode.enrol.places import Places
from homenode.enrol.steps import Outcome
from homenode.enrol.visit import Visit
from homenode.gateway.clock import Clock
from tests.system.brokers import free_port
from tests.system.nodes import PATIENCE_S, homenode

HOME = "vaxjo-0412"
HOME_YAML = """\
home: {home}
timezone: Europe/Stockholm
broker: {{url: "mqtts://broker.example:8883", ca: ca.pem, cert: node.pem, key: node.key}}
devices:
  sink: {{driver: gpio, pin: 27, kind: water, room: kitchen}}
rules:
  - use: water_leak
    bind: {{water: [sink.water]}}
"""
SERIAL = "10000000aaaa0001"


class OfficeProcess:
    """One office; `lines` go into office.yaml."""

    def __init__(self, folder: Path, lines: str = "", *, init: tuple[str, ...] = ()) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder.parent / f"{folder.name}.log"
        made = homenode(
            "office", "init", str(folder), "--name", "localhost", "--listen", f"127.0.0.1:{self.port}", *init
        )
        assert made.returncode == 0, made.stderr
        with (folder / "office.yaml").open("a") as file:
            file.write(lines)
        self.url = f"https://localhost:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Serve."""
        before = self._served()
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "homenode.cli", "office", "serve", "--office", str(self.folder)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self._serves_since(before)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it; it has not ended by itself."""
        assert self._process is not None
        process, self._process = self._process, None
        ended = process.poll()
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
        assert ended is None, self.log.read_text()

    def reload(self) -> None:
        """As after a change of its authority; returns when it serves anew."""
        before = self._served()
        self.hang_up()
        self._serves_since(before)

    def hang_up(self) -> None:
        """Tell it, and don't wait."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def _served(self) -> int:
        """How often it said that it serves."""
        return self.log.read_text().count(" office: office ") if self.log.exists() else 0

    def _serves_since(self, before: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - the clock of the machine that runs the tests
        while self._served() == before:
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()  # noqa: TID251 - as above
            time.sleep(0.02)

    def describe(self, home: str, text: str = HOME_YAML) -> None:
        """A home in its folder."""
        folder = self.folder / "homes" / home
        folder.mkdir(exist_ok=True)
        (folder / "home.yaml").write_text(text.format(home=home) if text is HOME_YAML else text)

    def says(self, *words: str) -> str:
        """A command at the office, and what it prints."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert main(["office", words[0], "--office", str(self.folder), *words[1:]]) == 0
        return out.getvalue()

    def code(self, *words: str) -> str:
        """A new one-time code."""
        return next(line.split()[1] for line in self.says(*words).splitlines() if line.startswith("code "))

    def listed(self) -> dict[str, Any]:
        """What `homenode office list` knows."""
        found: dict[str, Any] = json.loads(self.says("list", "--json"))
        return found

    def box(self, serial: str) -> dict[str, Any]:
        """One row of it."""
        return next(row for row in self.listed()["boxes"] if row["serial"] == serial)

    def reports(self) -> list[str]:
        """Newest first."""
        return [one["what"] for one in self.listed()["reports"]]

    def until(self, holds: Callable[[], object]) -> None:
        """Wait for what it does by itself."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 - the clock of the machine that runs the tests
        while not holds():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, (self.listed(), self.log.read_text())  # noqa: TID251 - as above
            time.sleep(0.1)

    @property
    def ca(self) -> str:
        """Its authority, PEM."""
        return (self.folder / "ca.pem").read_text()


class Box:
    """One box with a card of its own."""

    def __init__(self, folder: Path, serial: str = SERIAL) -> None:
        names = ("config", "data", "boot", "trust", "machine")
        self.places = Places(
            **{name: folder / name for name in (*names, "partition")}, spare=folder / "spare.json"
        )
        for name in names[:-1]:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.places.folder.mkdir(exist_ok=True)
        self.serial = serial
        self.visit = Visit(self.places, serial, Clock())

    def provisioned(self, office: OfficeProcess, code: str = "", **more: Any) -> Self:
        """With a provisioning file that was taken from the card."""
        said = {"office": office.url, "ca": office.ca, **({"code": code} if code else {}), **more}
        self.places.provision.write_text(json.dumps({name: one for name, one in said.items() if one}))
        return self

    def keeps(self, radio: str, backup: dict[str, Any]) -> None:
        """It has kept that radio's network."""
        folder = self.places.data / radio / "backups"
        folder.mkdir(parents=True)
        (folder / "2026-01-05.json").write_text(json.dumps(backup))

    def once(self) -> Outcome:
        """One try, in this process; as after a start."""
        self.visit = Visit(self.places, self.serial, Clock())
        return self.visit.once()

    def cut_while_wiping(self, nth: int, run: Path) -> None:
        """A boot whose power goes before the nth file of the card (from 0) is wiped."""
        calls = itertools.count()

        def cut(path: Path) -> None:
            if next(calls) == nth:
                raise KeyboardInterrupt
            wipe(path)

        with patch("homenode.enrol.boot.wipe", cut), contextlib.suppress(KeyboardInterrupt):
            boot(self.places, run=run, lamps=())

    def words(self, *words: str) -> list[str]:
        """Of `homenode enrol` for this box."""
        places = self.places
        folders = [
            f"--{name}={getattr(places, name)}"
            for name in ("config", "data", "boot", "trust", "machine", "spare", "partition")
        ]
        return [sys.executable, "-m", "homenode.cli", "enrol", *words, *folders, "--serial", self.serial]

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`homenode enrol` to its end."""
        return subprocess.run(
            self.words(*words), env={**os.environ, **(env or {})}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    @property
    def state(self) -> dict[str, Any]:
        """state.json."""
        found: dict[str, Any] = json.loads(self.places.state.read_text())
        return found
