"""What of a package takes how much, README.md's table: ``python -m deploy.debian.sizes PACKAGE.deb``."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

SITE = "./usr/lib/homenode/lib/python3.13/site-packages/"
SHOWN = 14


def main(package: str) -> int:
    """MB as laid out, and MB deflated, by what lies in site-packages."""
    laid: Counter[str] = Counter()
    packed: Counter[str] = Counter()
    for name, data in files(package):
        laid[name] += len(data)
        packed[name] += len(zlib.compress(data, 6))
    print("| | laid out, MB | of the download, about, MB |\n|---|---|---|")
    for name, _ in packed.most_common(SHOWN):
        print(f"| {name} | {laid[name] / 1e6:.1f} | {packed[name] / 1e6:.1f} |")
    rest = packed.total() - sum(size for _, size in packed.most_common(SHOWN))
    print(f"| {len(packed) - SHOWN} others | | {rest / 1e6:.1f} |")
    print(f"| all | {laid.total() / 1e6:.0f} | {packed.total() / 1e6:.0f} |")
    return 0


def files(package: str) -> Iterator[tuple[str, bytes]]:
    """What of site-packages each file belongs to, and what is in it."""
    told = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(told)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None and member.name.startswith(SITE):
                place = PurePosixPath(member.name[len(SITE) :]).parts[0]
                yield place.removesuffix(".libs").split("-")[0], file.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
