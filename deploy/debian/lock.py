"""``make deb-lock``: which wheels a node is made of, with their hashes, into wheels.ARCH.lock."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.debian.build import MACHINES, lock_of, pip_download
from deploy.image.tools import PYTHON, REPOSITORY


def main() -> int:
    """The newest of each that pyproject.toml takes."""
    for arch in MACHINES:
        lines = [
            f"{requirement} --hash=sha256:{_hash(arch, requirement)}\n" for requirement in _resolved(arch)
        ]
        lock_of(arch).write_text("# Made by `make deb-lock`.\n" + "".join(lines))
    return 0


def _resolved(arch: str) -> list[str]:
    """NAME==VERSION of everything, by what the packages say of that machine and that Python."""
    told = subprocess.run(
        [
            sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate",
            "--python-version", PYTHON, "--python-platform", f"{MACHINES[arch]}-manylinux_2_40",
            "--only-binary", ":all:", "--extra", "node", "pyproject.toml",
        ],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return re.findall(r"(?m)^[^\s#]+==\S+", told)


def _hash(arch: str, requirement: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip_download(arch), "--dest", folder, requirement], check=True)
        (wheel,) = Path(folder).iterdir()
        return hashlib.sha256(wheel.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
