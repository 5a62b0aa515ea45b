"""What the panel's server costs a node: memory and CPU while tablets look, beside a Python that waits.

``python -m tests.benchmarks.panel [TABLETS]``. In an environment like a node's, into which nothing is linked.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.processes import cpu_s, memory_mb, own_mb
from tests.system.panels import Panel, flat

ROOT = Path(__file__).parents[2]
LOOKED_S = 20.0
IDLE = "print(flush=True); import sys; sys.stdin.read()"
WITHOUT_TLS = "import sys; sys.modules['ssl'] = None; import asyncio; "


def python_of(folder: Path) -> str:
    """An environment of its own. What is installed here for work on homenode loads 2 MB at each start."""
    venv.create(folder, with_pip=False)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "homenode.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return str(folder / "bin/python")


@contextmanager
def idle(*words: str) -> Iterator[int]:
    """A process that only waits; its id."""
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid


def row(name: str, pid: int, more: str = "") -> None:
    """One line of the table."""
    (pss, rss), own = memory_mb(pid), own_mb(pid)
    print(f"{name:52} {pss:>7.1f} {own:>7.1f} {rss:>7.1f} {more:>9}", flush=True)


def looked_at(panel: Panel, tablets: int) -> float:
    """Share of a processor that the server takes while so many look once a second."""
    cookies = [panel.paired() for _ in range(tablets)]
    ended = threading.Event()

    def look(cookie: str) -> None:
        while not ended.wait(1):
            assert panel.ask("GET", "/picture", Cookie=cookie)[0] == 200

    looking = [threading.Thread(target=look, args=(cookie,)) for cookie in cookies]
    for one in looking:
        one.start()
    before = cpu_s(panel.process.pid)
    time.sleep(LOOKED_S)
    used = cpu_s(panel.process.pid) - before
    ended.set()
    for one in looking:
        one.join()
    return used / LOOKED_S


def main() -> None:
    """Print the table."""
    tablets = int(sys.argv[1]) if sys.argv[1:] else 4
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = python_of(folder / "python")
        print(f"{'MB':52} {'PSS':>7} {'own':>7} {'RSS':>7} {'CPU':>9}")
        with flat(folder) as home, Panel(home.data, python) as panel, idle(python, "-c", IDLE) as bare:
            with idle(python, "-S", "-E", "-c", IDLE) as barest:
                row("python -S -E, waiting", barest)
            row("python, waiting", bare)
            with idle(python, "-c", WITHOUT_TLS + IDLE) as loop:
                row("python with asyncio without ssl", loop)
            with idle(python, "-c", "import asyncio; " + IDLE) as loop:
                row("python with asyncio", loop)
            row("homenode panel, nobody looks", panel.process.pid)
            share = looked_at(panel, tablets)
            row(f"homenode panel, {tablets} tablets for {LOOKED_S:.0f} s", panel.process.pid, f"{share:.1%}")
            row("the node itself (links of the installation in it)", home.node.process.pid)


if __name__ == "__main__":
    main()
