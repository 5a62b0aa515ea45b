"""What the tests need from npm, in `.peers/npm`: installed by `make test`, then used without the net.

``python -m tests.system.npm`` installs; without npm it says so, and the tests are skipped with that reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / ".peers" / "npm"
PACKAGES = ("@asyncapi/parser@3.6.6", "mqtt@5.16.0", "axe-core@4.14.1", "oidc-provider@9.13.3")
_DONE = FOLDER / "installed"
NODE, NPM = shutil.which("node"), shutil.which("npm")
INSTALLED = NODE is not None and _DONE.exists() and _DONE.read_text().split() == list(PACKAGES)
needs_npm = pytest.mark.skipif(
    not INSTALLED,
    reason="npm is not installed" if NPM is None else "not installed: python -m tests.system.npm",
)


def node(script: Path, *words: str | Path) -> subprocess.Popen[str]:
    """A script of ours on these packages."""
    assert NODE is not None
    environment = os.environ | {"NODE_PATH": str(FOLDER / "node_modules")}
    return subprocess.Popen(
        [NODE, script, *words],
        env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def install() -> None:
    """Fetch the packages, unless they are there. Raises CalledProcessError, FileNotFoundError (no npm)."""
    if INSTALLED:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    (FOLDER / "package.json").write_text('{"private": true}\n')
    how = ("--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel=error")
    subprocess.run([NPM or "npm", "install", *how, *PACKAGES], cwd=FOLDER, check=True, timeout=900)
    _DONE.write_text("\n".join(PACKAGES))


if __name__ == "__main__":
    if NPM is None:
        print("npm is not installed; tests that need it are skipped", file=sys.stderr)
    else:
        try:
            install()
        except (OSError, subprocess.SubprocessError) as error:
            sys.exit(f"npm can't install {' '.join(PACKAGES)}: {error}")
