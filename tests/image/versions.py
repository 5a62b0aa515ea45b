"""Bundles of other versions, each made of the image's own root with one thing changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.image import bundle, card, root
from deploy.image.tools import Tools

EPOCH = 1_764_000_000
PACKAGE = "usr/lib/homenode/lib/python3.13/site-packages/homenode"


def _unit(name: str, lines: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        more = folder / f"etc/systemd/system/{name}.d"
        more.mkdir(parents=True)
        (more / "zz-bad.conf").write_text(f"[Service]\n{lines}\n")

    return change


def _unbootable(folder: Path) -> None:
    (folder / "boot/kernel").write_bytes(b"\0" * 4096)


def _hanging(folder: Path) -> None:
    """Init waits forever, and nobody feeds the watchdog."""
    (folder / "sbin/init").unlink()
    (folder / "sbin/init").write_text("#!/bin/sh\nwhile :; do sleep 1000; done\n")
    (folder / "sbin/init").chmod(0o755)


def _no_python(folder: Path) -> None:
    (folder / PACKAGE / "__init__.py").write_text("raise SystemExit('broken')\n")
    shutil.rmtree(folder / PACKAGE / "__pycache__")


BAD: Mapping[str, Callable[[Path], None]] = {
    "unbootable": _unbootable,
    "hanging": _hanging,
    "gateway crashes": _unit("homenode.service", "ExecStartPre=/bin/false"),
    "radio never up": _unit("homenode.service", "DeviceAllow=\nPrivateDevices=yes"),
    "broker refused": _unit("homenode.service", "IPAddressDeny=any"),
    "no Python of ours": _no_python,
}
"""What is wrong with a version, and how it comes."""


def version(made: Tools, number: str, change: Callable[[Path], None] | None = None) -> Path:
    """The bundle of a version that differs in this."""
    folder, kept = made.work / "root", made.work / "root.kept"
    shutil.rmtree(kept, ignore_errors=True)
    folder.rename(kept)
    try:
        made.run("cp", "-a", "root.kept", "root")
        root.name(folder, number)
        if change is not None:
            change(folder)
        (made.work / "root.ext4").unlink(missing_ok=True)
        slot = card.slot(made, EPOCH)
        certificate, key = bundle.development_key(made)
        return bundle.bundle(made, slot, number, EPOCH, certificate, key)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        kept.rename(folder)
