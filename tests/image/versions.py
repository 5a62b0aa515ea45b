"""Bundles of other versions, each made of the image's own root with one thing changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


def _stuck(folder: Path) -> None:
    """systemd lives, and waits for something that all others wait for."""
    units = folder / "etc/systemd/system"
    (units / "stuck.service").write_text(
        "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n"
        "[Service]\nType=oneshot\nExecStart=/bin/sleep infinity\n"
    )
    (units / "sysinit.target.wants").mkdir(exist_ok=True)
    (units / "sysinit.target.wants/stuck.service").symlink_to("../stuck.service")


def _fills_the_disk(folder: Path) -> None:
    lines = (
        "ExecStartPre=+/bin/sh -c 'fallocate -l $$(df -B1 --output=avail /data | tail -1) /data/full; false'"
    )
    _unit("homenode.service", lines)(folder)


BAD: Mapping[str, Callable[[Path], None]] = {
    "unbootable": _unbootable,
    "hanging": _hanging,
    "gateway crashes": _unit("homenode.service", "ExecStartPre=/bin/false"),
    "radio never up": _unit("homenode.service", "DeviceAllow=\nPrivateDevices=yes"),
    "broker refused": _unit("homenode.service", "IPAddressDeny=any"),
    "no Python of ours": _no_python,
    "stuck": _stuck,
    "fills the disk": _fills_the_disk,
}
"""What is wrong with a version, and how it comes."""


def version(
    made: Tools,
    number: str,
    change: Callable[[Path], None] | None = None,
    *,
    inside: str = "",
    compatible: str = bundle.COMPATIBLE,
    stranger: bool = False,
) -> Path:
    """The bundle of a version that differs in this from the image.

    Args:
        change: Of its root.
        inside: Another number that it says of itself.
        compatible: The kind of node that it says it is for.
        stranger: Signed by somebody whom no node knows.
    """
    with changed(made, change or (lambda _folder: None), inside or number):
        slot = card.slot(made, EPOCH)
        certificate, key = bundle.development_key(made, "stranger" if stranger else "development")
        path = bundle.bundle(made, slot, inside or number, EPOCH, certificate, key, compatible)
        return path.rename(path.with_stem(f"ordered_{number}"))


@contextmanager
def changed(made: Tools, change: Callable[[Path], None], number: str = "0.0.1") -> Iterator[None]:
    """The tools' folder for work has this root while the `with` lasts."""
    folder, kept = made.work / "root", made.work / "root.kept"
    if not kept.exists():
        folder.rename(kept)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        made.run("cp", "-a", "root.kept", "root")
        root.name(folder, number)
        change(folder)
        (made.work / "root.ext4").unlink(missing_ok=True)
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        kept.rename(folder)
