"""``make deb-lock``: which wheels a node is made of, with their hashes, into wheels.lock."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.debian.build import LOCK, MACHINES, pip_download
from deploy.image.tools import PYTHON, REPOSITORY

HEADER = "# The wheels that a node is made of, for both architectures: `make deb-lock`.\n"


def main() -> int:
    """The newest of each that pyproject.toml takes. Exit status 1: not the same for both."""
    versions = {arch: _resolved(arch) for arch in MACHINES}
    every = set().union(*(set(found) for found in versions.values()))
    hashes: dict[str, set[str]] = {requirement: set() for requirement in every}
    for arch, requirements in versions.items():
        for requirement in requirements:
            hashes[requirement].add(_hash(arch, requirement))
    lines = [
        " \\\n    ".join([name, *(f"--hash=sha256:{one}" for one in sorted(hashes[name]))])
        for name in sorted(every)
    ]
    LOCK.write_text(HEADER + "\n".join(lines) + "\n")
    if odd := sorted(set.symmetric_difference(*(set(found) for found in versions.values()))):
        sys.exit(f"lock: not for both architectures: {', '.join(odd)}")
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
