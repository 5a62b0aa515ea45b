"""What the kernel knows of the machine. Nothing is guessed: what it doesn't tell is None."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from homenode.health.certificate import Life, life_of

SECTOR_B = 512
"""Of /proc/diskstats, whatever the disk's own are (Documentation/admin-guide/iostats.rst)."""
_UNSYNC = 0x40
"""STA_UNSYNC of adjtimex(2). The kernel sets it when the error may be 16 s, about 9 h after the last word of
a time service (kernel/time/ntp.c: NTP_PHASE_LIMIT, MAXFREQ)."""
_TIMEX = struct.Struct("@8x8x8xlli")
"""Of struct timex, adjtimex(2): modes, offset and freq are passed over; maxerror, esterror, status."""
_SERVICES = (
    ("chrony", "run/chrony"),
    ("systemd-timesyncd", "run/systemd/timesync"),
    ("ntpd", "run/ntpd.pid"),
)
_UNDERVOLTED, _WAS_UNDERVOLTED = 1 << 0, 1 << 16
"""Bits of the Raspberry Pi firmware's get_throttled (raspberrypi.com/documentation, vcgencmd)."""


@dataclass(frozen=True, slots=True)
class Card:
    """What the data lies on.

    Attributes:
        device: Such as ``mmcblk0``; "" if it is none (memory, network).
        life_pct: eMMC only (JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST_TYP_A/B): used at most, in steps of 10 %.
        spare: eMMC only (PRE_EOL_INFO): 1 normal, 2 warning, 3 urgent. SD cards tell neither.
        written_b: Since the machine started.
        errors: ext4's own count; None on another file system. Not SCSI's ioerr_cnt: whatever a disk doesn't
            know how to answer counts there, and a healthy one has some since it was plugged in.
    """

    device: str = ""
    life_pct: int | None = None
    spare: int | None = None
    written_b: int | None = None
    errors: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the machine."""

    slot: str | None
    model: str | None
    kernel: str
    boot_id: str
    up_s: float | None
    card: Card
    temperature_c: float | None
    undervolted: bool | None
    undervolted_before: bool | None
    synchronised: bool | None
    clock_by: str | None
    clock_error_ms: int | None
    certificate: Life | None
    memory_free: float | None
    disk_free: float | None
    partition: str = ""
    """The image's word for its data partition (deploy/image): new, good, repaired, readonly, lost."""
    partition_mb: int | None = None


def look(data: Path, certificate: Path | None, root: Path = Path("/")) -> Seen:
    """See how the machine is.

    Args:
        data: The node's folder, whose disk is looked at.
        certificate: The node's, if it has one.
        root: Where /sys, /proc and /run are.
    """
    under, before = _undervolted(root)
    synchronised, error_ms = _kernel_clock()
    memory = _memory(root)
    partition, _, size_mb = (_text(root / "run/homenode-data") or "").partition(" ")
    return Seen(
        slot=_slot(root),
        model=_text(root / "proc/device-tree/model") or _text(root / "sys/class/dmi/id/product_name"),
        kernel=os.uname().release,
        boot_id=_text(root / "proc/sys/kernel/random/boot_id") or "",
        up_s=_first_number(_text(root / "proc/uptime")),
        card=_card(data, root),
        temperature_c=_temperature(root),
        undervolted=under,
        undervolted_before=before,
        synchronised=synchronised,
        clock_by=next((name for name, path in _SERVICES if (root / path).exists()), None),
        clock_error_ms=error_ms,
        certificate=life_of(_bytes(certificate)) if certificate is not None else None,
        memory_free=memory,
        disk_free=_disk_free(data),
        partition=partition,
        partition_mb=int(size_mb) if size_mb.isdecimal() else None,
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _text(path: Path) -> str | None:
    return _bytes(path).decode(errors="replace").strip("\0 \n")[:80] or None


def _whole(path: Path, base: int = 10) -> int | None:
    try:
        return int(_text(path) or "", base)
    except ValueError:
        return None


def _first_number(text: str | None) -> float | None:
    try:
        return float((text or "").split()[0])
    except (IndexError, ValueError):
        return None


def _slot(root: Path) -> str | None:
    words = _bytes(root / "proc/cmdline").decode(errors="replace").split()
    return next(
        (word.removeprefix("rauc.slot=")[:8] for word in words if word.startswith("rauc.slot=")), None
    )


def _card(data: Path, root: Path) -> Card:
    try:
        number = data.stat().st_dev
    except OSError:
        return Card()
    block = root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
    if not block.exists():
        return Card()  # memory, a network's or an overlay: no disk of one's own
    part = block.resolve()
    disk = part.parent if (part / "partition").exists() else part
    life = [int(word, 16) for word in (_text(disk / "device/life_time") or "").split() if _is_hex(word)]
    return Card(
        device=disk.name,
        life_pct=max(life) * 10 if any(life) else None,
        spare=_whole(disk / "device/pre_eol_info", 16) or None,
        written_b=_written_b(root, disk.name),
        errors=_whole(root / f"sys/fs/ext4/{part.name}/errors_count"),
    )


def _is_hex(word: str) -> bool:
    try:
        return int(word, 16) >= 0
    except ValueError:
        return False


def _written_b(root: Path, disk: str) -> int | None:
    for line in _bytes(root / "proc/diskstats").decode(errors="replace").splitlines():
        words = line.split()
        if len(words) > 9 and words[2] == disk and words[9].isdigit():
            return int(words[9]) * SECTOR_B
    return None


def _temperature(root: Path) -> float | None:
    """The hottest zone; a board has one for its processor, and a PC one for each."""
    found = [_whole(zone / "temp") for zone in (root / "sys/class/thermal").glob("thermal_zone*")]
    sane = [one / 1000 for one in found if one is not None and -40_000 < one < 150_000]
    return max(sane, default=None)


def _undervolted(root: Path) -> tuple[bool | None, bool | None]:
    """Whether it is now, and whether it was since the machine started."""
    for file in (root / "sys/devices/platform").glob(
        "soc*/soc*:firmware/get_throttled"
    ):  # with an address on some
        bits = _whole(file, 16)
        if bits is not None:
            return bool(bits & _UNDERVOLTED), bool(bits & _WAS_UNDERVOLTED)
    for chip in (root / "sys/class/hwmon").glob("hwmon*"):
        if _text(chip / "name") == "rpi_volt":  # drivers/hwmon/raspberrypi-hwmon.c: of the last seconds
            alarm = _whole(chip / "in0_lcrit_alarm")
            return (None, None) if alarm is None else (bool(alarm), None)
    return None, None


def _memory(root: Path) -> float | None:
    known = {}
    for line in _bytes(root / "proc/meminfo").decode(errors="replace").splitlines():
        name, _, rest = line.partition(":")
        known[name] = _first_number(rest)
    total, free = known.get("MemTotal"), known.get("MemAvailable")
    return free / total if total and free is not None else None


def _disk_free(data: Path) -> float | None:
    try:
        told = os.statvfs(data)
    except OSError:
        return None
    return told.f_bavail / told.f_blocks if told.f_blocks else None


def _kernel_clock() -> tuple[bool | None, int | None]:
    """Whether a time service keeps the kernel's clock, and by how many ms it may be wrong."""
    import ctypes  # a machine without an RTC has loaded it already, to know whether its clock is set

    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (AttributeError, OSError):
        return None, None
    timex = ctypes.create_string_buffer(512)  # struct timex is 208 B on 64-bit Linux
    if int(adjtimex(timex)) < 0:
        return None, None
    error_us, _, status = _TIMEX.unpack_from(timex)
    synchronised = not status & _UNSYNC
    return synchronised, error_us // 1000 if synchronised else None
