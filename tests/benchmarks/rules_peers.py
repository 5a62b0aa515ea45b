"""The programs that rules are measured in: ours, and others from PyPI in environments of their own.

Those stand in `.peers/` at the repository's root, which git ignores, and are made when first asked for.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from homenode import __version__

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".peers"
PATIENCE_S = 900


class Missing(Exception):
    """A peer can't be had here; says why."""


@dataclass(frozen=True, slots=True)
class Program:
    """Something that runs stove-like rules.

    Attributes:
        name: For the table.
        module: What to run: ``MODULE WAY RULES EVENTS`` prints JSON, ``MODULE version`` its version.
        package: On PyPI; "" for ours, which is here.
    """

    name: str
    module: str
    package: str = ""

    @property
    def _python(self) -> Path:
        return PEERS / f"python-{self.package}" / "bin/python" if self.package else Path(sys.executable)

    def version(self) -> str:
        """Its version; installs it first.

        Raises:
            Missing: It can't be installed, or doesn't start.
        """
        if not self.package:
            return __version__
        self._install()
        try:
            return self._run("version").strip()
        except subprocess.SubprocessError as error:
            raise Missing(f"{self.name} does not start: {_last_line(error)}") from error

    def _install(self) -> None:
        folder = self._python.parents[1]
        done = folder / "installed"
        if done.exists():
            return
        print(f"installing {self.package} into {folder} …", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        # Debian's python3 may lack ensurepip; the pip that is here serves the new environment.
        make = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
        pip = [sys.executable, "-m", "pip", "--python", str(self._python), "install", "--prefer-binary"]
        try:
            for command in (make, [*pip, "--quiet", "--disable-pip-version-check", self.package]):
                subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise Missing(f"{self.name} can't be installed: {_last_line(error)}") from error
        done.touch()

    def measure(self, way: str, rules: int, events: int, *, trace: bool = False) -> dict[str, float]:
        """What a fresh process of it says: ``us`` a reading and ``raised`` alarms, or ``resident_mb``.

        Args:
            way: One of `WAYS`.
            rules: How many.
            events: Readings to measure; 0 measures memory.
            trace: Run with tracemalloc, for ``traced_mb``.
        """
        said: dict[str, float] = json.loads(self._run(way, str(rules), str(events), trace=trace))
        return said

    def _run(self, *words: str, trace: bool = False) -> str:
        tracing = ["-X", "tracemalloc"] if trace else []
        command = [str(self._python), *tracing, "-m", self.module, *words]
        ran = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE_S
        )
        return ran.stdout


OURS = Program("homenode", "tests.benchmarks.rules_engine")
OTHERS = (
    Program("Home Assistant", "tests.benchmarks.rules_homeassistant", "homeassistant"),
    Program("reelay", "tests.benchmarks.rules_reelay", "reelay"),
)


def programs() -> list[Program]:
    """Ours and the others that can be had; prints their versions, and why one is missing."""
    found = []
    for program in (OURS, *OTHERS):
        try:
            print(f"{program.name} {program.version()}", flush=True)
            found.append(program)
        except Missing as missing:
            print(f"{missing}; the table goes without it", flush=True)
    return found


def _last_line(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    return str(said).strip().rpartition("\n")[2]
