"""The image made once more, from the same commit by somebody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from deploy.debian.build import version_of
from deploy.image.tools import CACHE, REPOSITORY
from tests.image.show import Given, Result

KEPT = ("packages", "packages-beside", "wheels", "signing")
"""What both builds are given: what was downloaded, and who signs."""
LONG_AGO = 1_000_000_000


def same(given: Given) -> Iterator[Result]:
    """A clone whose files are old and closed to others, with tools of its own, gives the same bytes."""
    version, _ = version_of(REPOSITORY)
    sums = f"dist/homenode_{version}.SHA256SUMS"
    if not (REPOSITORY / sums).exists():
        yield Result("made twice, the same bytes", False, f"there is no {sums}: commit, and make image")
        return
    clone = given.folder / "clone"
    command = ["git", "-c", "advice.detachedHead=false", "clone", "--quiet", str(REPOSITORY), str(clone)]
    subprocess.run(command, check=True, umask=0o077)
    for folder, _, files in os.walk(clone):
        for name in (".", *files):
            os.utime(os.path.join(folder, name), (LONG_AGO, LONG_AGO), follow_symlinks=False)
    for name in KEPT:
        shutil.copytree(CACHE / name, clone / ".image" / name)
    with (given.folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "deploy.image"]
        subprocess.run(command, cwd=clone, check=True, umask=0o077, stdout=log, stderr=log)
    ours, theirs = ((place / sums).read_text().splitlines() for place in (REPOSITORY, clone))
    unlike = sorted({line.split()[-1] for line in {*ours} ^ {*theirs}})
    saw = ", ".join(unlike) or f"{len(ours)} files of {version}"
    yield Result("made twice, the same bytes", not unlike, saw)
