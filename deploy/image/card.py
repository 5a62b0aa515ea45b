"""The card: boot partition, two slots, place for data."""

from __future__ import annotations

import os
import shutil
import struct
from itertools import accumulate
from pathlib import Path

from deploy.image import boot_state
from deploy.image.root import HERE, unpack
from deploy.image.tools import Tools
from homenode.enrol import paper
from homenode.enrol.places import TOLD

MIB = 1 << 20
SIGNATURE = 0x686E6F64
"""Of the card; a partition's PARTUUID begins with it, and /etc/rauc/system.conf and /init know it."""
BOOT_MIB, SLOT_MIB, DATA_MIB = 64, 960, 16
"""The data partition grows at the first start to what the card has."""
FIRST_MIB = 8
"""Where the boot partition begins; the records of boot_state.py are before it."""
UUID = "686f6d65-6e6f-6465-0000-000000000001"
# U-Boot reads ext4, but not the features that came late; a slot is never written to by its own system.
FEATURES = "^has_journal,^metadata_csum,^64bit,^orphan_file,^resize_inode,^huge_file,sparse_super2"
NO_CYLINDERS = b"\xfe\xff\xff"
FIRMWARE = ("bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat")
BOARDS = (
    "bcm2837-rpi-3-a-plus.dtb", "bcm2837-rpi-3-b.dtb", "bcm2837-rpi-3-b-plus.dtb", "bcm2837-rpi-cm3-io3.dtb",
    "bcm2837-rpi-zero-2-w.dtb", "bcm2711-rpi-4-b.dtb", "bcm2711-rpi-400.dtb", "bcm2711-rpi-cm4-io.dtb",
    "bcm2712-rpi-5-b.dtb",
)  # fmt: skip
CONFIG = """\
# Read by the board's firmware.
arm_64bit=1
kernel=u-boot.bin
enable_uart=1
disable_splash=1
boot_delay=0
"""
DEBIANS = "upstream_kernel=1\ngpu_mem=32\n"
"""Below 32 the firmware wants its cut-down files, and stands still without (raspberrypi/firmware#984)."""
RASPBERRYS = "gpu_mem=64\ncamera_auto_detect=1\ndtparam=i2c_arm=on\n"
"""What its kernel has: cameras on the connector, their codec, pins that are switched by overlays."""


def slot(made: Tools, epoch: int) -> Path:
    """The root as a file system that a slot takes, made of the folder ``root``."""
    time = {"SOURCE_DATE_EPOCH": str(epoch)}
    made.run("find", "root", "-newermt", f"@{epoch}", "-exec", "touch", "-hd", f"@{epoch}", "{}", "+")
    made.run(
        "mke2fs", "-q", "-F", "-t", "ext4", "-O", FEATURES, "-m", "0", "-L", "root", "-U", UUID,
        "-E", f"hash_seed={UUID},root_owner=0:0", "-d", "root", "root.ext4", f"{SLOT_MIB}M", env=time,
    )  # fmt: skip
    return made.work / "root.ext4"


def boot(made: Tools, root: Path, epoch: int) -> Path:
    """The boot partition."""
    folder = made.work / "boot"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    firmware = unpack(made, "raspi-firmware") / "usr/lib/raspi-firmware"
    for name in FIRMWARE:
        shutil.copy(firmware / name, folder)
    trees = next((root / "usr/lib").glob("linux-image-*"))
    overlays = trees / "overlays"
    names = [*BOARDS]
    if overlays.is_dir():  # Raspberry Pi OS's kernel, with names of its own
        shutil.copytree(overlays, folder / "overlays")
        names = sorted(tree.name for tree in (trees / "broadcom").glob("bcm27[0-2]*-rpi-*.dtb"))
    for name in names:
        if (trees / "broadcom" / name).exists():
            shutil.copy(trees / "broadcom" / name, folder)
    shutil.copy(unpack(made, "u-boot-rpi") / "usr/lib/u-boot/rpi_arm64/u-boot.bin", folder)
    (folder / "config.txt").write_text(CONFIG + (RASPBERRYS if overlays.is_dir() else DEBIANS))
    (folder / TOLD).write_text(paper.written({}, []), encoding="utf-8-sig")
    shutil.copy(HERE / "boot.cmd", made.work)
    time = {"SOURCE_DATE_EPOCH": str(epoch)}
    made.run("mkimage", "-A", "arm64", "-T", "script", "-d", "boot.cmd", "boot/boot.scr", env=time)
    (made.work / "boot.fat").unlink(missing_ok=True)
    made.run(
        "mkfs.vfat",
        "--invariant",
        "-n",
        "HOMENODE",
        "-F",
        "32",
        "-C",
        "boot.fat",
        str(BOOT_MIB * 1024),
        env=time,
    )
    for path in folder.rglob("*"):
        os.utime(path, (epoch, epoch))
    for path in sorted(folder.iterdir()):
        made.run("mcopy", "-s", "-m", "-i", "boot.fat", f"boot/{path.name}", "::", env=time)
    return made.work / "boot.fat"


def card(boot: Path, slot: Path, path: Path) -> Path:
    """The whole card at `path`, with the second slot and the data left empty."""
    sizes = [BOOT_MIB, SLOT_MIB, SLOT_MIB, DATA_MIB]
    *starts, end = accumulate(sizes, initial=FIRST_MIB)
    with path.open("wb") as stream:
        stream.truncate(end * MIB)
        stream.write(_table(list(zip(starts, sizes, strict=True))))
        for at in boot_state.AT_B:
            stream.seek(at)
            stream.write(boot_state.encode(boot_state.NEW))
        for part, at in ((boot, starts[0]), (slot, starts[1])):
            stream.seek(at * MIB)
            with part.open("rb") as source:
                while block := source.read(MIB):
                    if block.count(0) == len(block):
                        stream.seek(len(block), os.SEEK_CUR)
                    else:
                        stream.write(block)
    return path


def _table(parts: list[tuple[int, int]]) -> bytes:
    """A partition table of the kind that a Pi 3 starts from, of (start, size) in MiB."""
    entries = b""
    for nth, (start, size) in enumerate(parts):
        boots, kind = (0x80, 0x0C) if nth == 0 else (0, 0x83)
        sectors = (start * MIB // 512, size * MIB // 512)
        entries += struct.pack("<B3sB3sII", boots, NO_CYLINDERS, kind, NO_CYLINDERS, *sectors)
    return struct.pack("<440xIH", SIGNATURE, 0) + entries + b"\x55\xaa"
