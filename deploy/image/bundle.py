"""The bundle that RAUC installs into a slot: format ``verity``, the same bytes from the same file, key and
time.

`rauc bundle` takes a salt and a time of its own each time; here both follow from what is in it. Layout
(RAUC's
manual, "Bundle Formats"): squashfs of the file system's image, its tree of hashes, the signed manifest, its
size.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from deploy.image.tools import Tools, digest

BLOCK_B = 4096
COMPATIBLE = "homenode-arm64"
DAYS = 3650


def development_key(made: Tools, name: str = "development") -> tuple[Path, Path]:
    """Certificate and key that sign where nobody gave others; an image with them is for trying things
    only."""
    folder = made.root.parent / "signing"
    folder.mkdir(exist_ok=True)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    if not certificate.exists():
        made.run(
            "openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", str(DAYS), "-subj",
            f"/CN=homenode {name}", "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
            "-addext", "extendedKeyUsage=critical,codeSigning", "-keyout", "new.key", "-out", "new.pem",
        )  # fmt: skip
        shutil.move(made.work / "new.key", key)
        shutil.move(made.work / "new.pem", certificate)
    return certificate, key


def bundle(
    made: Tools,
    slot: Path,
    version: str,
    epoch: int,
    certificate: Path,
    key: Path,
    compatible: str = COMPATIBLE,
) -> Path:
    """The bundle of a slot's file system.

    Args:
        slot: In the tools' folder for work.
        version: Of what is in it.
        epoch: When it was made, s since 1970.
        certificate: Signs, together with `key` (RSA: other signatures differ each time).
        compatible: The kind of node that it is for.
    """
    folder, path = made.work / "bundle", made.work / f"homenode_{version}.raucb"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.link(slot, folder / "root.ext4")
    path.unlink(missing_ok=True)
    made.run(
        "mksquashfs", "bundle", path.name, "-quiet", "-no-progress", "-comp", "zstd",
        "-Xcompression-level", "15",
        "-all-root", "-no-xattrs", "-reproducible", "-mkfs-time", str(epoch), "-all-time", str(epoch),
    )  # fmt: skip
    payload_b = path.stat().st_size
    content = digest(slot)
    salt = hashlib.sha256(content.encode()).hexdigest()
    tree = made.run(
        "veritysetup", "format", "--no-superblock", "--hash=sha256", f"--data-block-size={BLOCK_B}",
        f"--hash-block-size={BLOCK_B}", f"--data-blocks={payload_b // BLOCK_B}", f"--hash-offset={payload_b}",
        f"--salt={salt}", path.name, path.name,
    ).decode()  # fmt: skip
    found = re.search(r"Root hash:\s*([0-9a-f]{64})", tree)
    assert found is not None, tree
    manifest = (
        f"[update]\ncompatible={compatible}\nversion={version}\n\n"
        f"[bundle]\nformat=verity\nverity-hash={found[1]}\nverity-salt={salt}\n"
        f"verity-size={path.stat().st_size - payload_b}\n\n"
        f"[image.root]\nfilename=root.ext4\nsize={slot.stat().st_size}\nsha256={content}\n"
    )
    signed = _signed(made, manifest.encode(), epoch, certificate, key)
    with path.open("ab") as stream:
        stream.write(signed + len(signed).to_bytes(8, "big"))
    return path


def _signed(made: Tools, manifest: bytes, epoch: int, certificate: Path, key: Path) -> bytes:
    for name, file in (("sign.pem", certificate), ("sign.key", key)):
        shutil.copy(file, made.work / name)
    try:
        return made.run(
            "faketime", "-f", f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S}", "openssl", "cms",
            "-sign",
            "-binary", "-nodetach", "-nosmimecap", "-outform", "DER", "-signer", "sign.pem", "-inkey",
            "sign.key",
            stdin=manifest,
        )  # fmt: skip
    finally:
        (made.work / "sign.key").unlink()
