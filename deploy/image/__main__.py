"""`make image`: the card's image, its bundle for updates, what is in them and what it took, into
``dist/``."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from time import perf_counter

from deploy.debian.build import build, version_of
from deploy.image import bundle, card, root, sbom
from deploy.image.tools import REPOSITORY, digest, tools

BUDGET_MB = 250
"""Compressed (the README says what is in it)."""


def main() -> int:
    """Makes everything; exit status."""
    parser = argparse.ArgumentParser(prog="make image", description=__doc__)
    parser.add_argument(
        "--kernel", type=Path, metavar="FOLDER", help="packages of another kernel than Debian's"
    )
    parser.add_argument(
        "--sign", nargs=2, type=Path, metavar=("CERTIFICATE", "KEY"), help="signs the bundle (RSA)"
    )
    parser.add_argument(
        "--trust",
        type=Path,
        metavar="CA",
        help="authority of the office, for boxes without a provisioning file",
    )
    given = parser.parse_args()
    version, epoch = version_of(REPOSITORY)
    started = perf_counter()

    def told(what: str) -> None:
        print(f"{perf_counter() - started:6.0f} s  {what}", flush=True)

    made = tools()
    certificate, key = given.sign or bundle.development_key(made)
    dist = REPOSITORY / "dist"
    dist.mkdir(exist_ok=True)
    told("tools")
    package = build(made, "arm64", version, epoch, dist)
    told(package.name)
    folder = root.build(made, [package], given.kernel, certificate, given.trust, version, epoch)
    told("root")
    file_system = card.slot(made, epoch)
    image = card.card(card.boot(made, folder, epoch), file_system, made.work / "homenode.img")
    told("card")
    name = f"homenode_{version}"
    made.run("bmaptool", "-q", "create", "-o", "homenode.bmap", image.name)
    made.run("zstd", "-q", "-f", "-T0", "-17", "--long=27", image.name)
    update = bundle.bundle(made, file_system, version, epoch, certificate, key)
    materials = sbom.sbom(folder, root.beside_controls(made), version, epoch)
    (made.work / "homenode.cdx.json").write_bytes(materials)
    results = {
        "homenode.img.zst": ".img.zst",
        "homenode.bmap": ".bmap",
        update.name: ".raucb",
        "homenode.cdx.json": ".cdx.json",
    }
    sums = []
    for source, ending in results.items():
        target = dist / f"{name}{ending}"
        shutil.copyfile(made.work / source, target)
        sums.append(f"{digest(target)}  {target.name}\n")
        told(f"{target.name}  {target.stat().st_size / 1e6:.1f} MB")
    (dist / f"{name}.SHA256SUMS").write_text("".join(sums))
    size_mb = (dist / f"{name}.img.zst").stat().st_size / 1e6
    if given.sign is None:
        print("signed by a development key: for trying things only (SIGN='CERTIFICATE KEY' gives another)")
    if size_mb > BUDGET_MB:
        print(
            f"{size_mb:.0f} MB compressed, more than {BUDGET_MB}: see `du` of .image/tools/work/root",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
