"""What a healthy machine shows, and one that looks like a Pi."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from homenode.contract.times import Zone
from homenode.health.certificate import Life
from homenode.health.machine import Card, Seen
from homenode.health.record import Record, Setting

UTC = Zone("UTC")
MIN, HOUR, DAY_MS = 60_000, 3_600_000, 86_400_000
WALL = 1_790_000_000_000
SEEN = Seen(
    slot="A", model="Raspberry Pi 4", kernel="6.12", boot_id="one", up_s=100.0,
    card=Card("mmcblk0", None, None, 10**9, 0), temperature_c=52.0, undervolted=False,
    undervolted_before=False, synchronised=True, clock_by="chrony", clock_error_ms=7,
    certificate=None, memory_free=0.6, disk_free=0.8,
)  # fmt: skip

NOTHING_SAID = Setting()
ENDED = Life("20200101000000", "20210101000000")


def judged(
    record: Record, seen: Seen, now: int = 0, setting: Setting = NOTHING_SAID, wall: int | None = WALL
) -> Any:
    record.add(seen, now)
    return {one.source: one.text for one in record.verdicts(seen, setting, now, wall)}


def told(record: Record, seen: Seen, setting: Setting = NOTHING_SAID) -> dict[str, Any]:
    return record.figures(seen, setting, UTC, trusted=True)


def put(root: Path, path: str, content: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content)


def put_a_pi(root: Path, data: Path) -> None:
    """A Pi with an eMMC on which `data` lies, as its kernel shows itself."""
    number = data.stat().st_dev
    part = "sys/devices/mmc_host/mmc0/mmc0:0001/block/mmcblk0/mmcblk0p4"
    put(root, f"{part}/partition", "4\n")
    put(root, "sys/devices/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/life_time", "0x02 0x01\n")
    put(root, "sys/devices/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/pre_eol_info", "0x01\n")
    (root / "sys/dev/block").mkdir(parents=True)
    (root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}").symlink_to(root / part)
    put(root, "sys/fs/ext4/mmcblk0p4/errors_count", "2\n")
    put(root, "sys/devices/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/ioerr_cnt", "0x6\n")
    put(root, "proc/diskstats", " 179 0 mmcblk0 1 2 3 4 5 6 2000 8 9\n 179 4 mmcblk0p4 1 2 3 4 5 6 7 8 9\n")
    put(root, "proc/cmdline", "root=/dev/mmcblk0p2 rauc.slot=B ro\n")
    put(root, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0")
    put(root, "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 600 kB\n")
    put(root, "proc/uptime", "3600.50 7000.0\n")
    put(root, "proc/sys/kernel/random/boot_id", "abc\n")
    put(root, "sys/class/thermal/thermal_zone0/temp", "52100\n")
    put(root, "sys/class/thermal/thermal_zone1/temp", "-274000\n")
    put(root, "sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n")
    put(root, "run/homenode-data", "repaired 5000\n")
    (root / "run/chrony").mkdir(parents=True)
