#!/usr/bin/python3 -IS
"""Which slot starts next: what U-Boot (boot.cmd) and RAUC agree on, in front of the card's first partition.

Two records of 512 bytes, each as U-Boot's `env export -c` writes it (CRC-32, little endian, then NAME=VALUE,
each ended by a zero byte). Who writes takes the older one, so a power cut leaves the other whole. RAUC calls
this file as its bootloader backend (https://rauc.readthedocs.io, "Custom"); it needs Python and nothing more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

RECORD_B = 512
AT_B = (4 << 20, 6 << 20)
"""Far from each other: a card that loses power while it writes may lose what lies beside it."""
TRIAL, GOOD = 3, 9
"""Starts that a slot may need until it says that it is good. A good one has more: a plug is often wiggled."""
SLOTS = ("A", "B")
NEW: Mapping[str, str] = {
    "hn_seq": "1", "hn_order": "A B", "hn_left_A": f"{GOOD:x}", "hn_left_B": "0", "hn_data": "new",
}  # fmt: skip
"""A card as it is flashed."""
LOST: Mapping[str, str] = {**NEW, "hn_seq": "0", "hn_left_B": f"{GOOD:x}", "hn_data": "made"}
"""What holds if both records are damaged: try everything, make nothing anew."""


def encode(state: Mapping[str, str]) -> bytes:
    """One record. Raises ValueError if it is too long for one."""
    text = b"".join(f"{name}={value}\0".encode() for name, value in sorted(state.items())) + b"\0"
    if len(text) > RECORD_B - 4:
        raise ValueError("too long for a record")
    body = text.ljust(RECORD_B - 4, b"\0")
    return crc32(body).to_bytes(4, "little") + body


def decode(record: bytes) -> dict[str, str] | None:
    """What a record says; None if it is damaged or was never written."""
    body = record[4:RECORD_B]
    if len(record) < RECORD_B or crc32(body).to_bytes(4, "little") != record[:4]:
        return None
    lines = body.partition(b"\0\0")[0].decode("ascii", "replace").split("\0")
    state = dict(line.split("=", 1) for line in lines if "=" in line)
    return {**LOST, **state} if _hex(state.get("hn_seq")) >= 0 else None


def _hex(text: str | None) -> int:
    try:
        return int(text or "", 16)
    except ValueError:
        return -1


def newest(records: list[bytes]) -> tuple[dict[str, str], int]:
    """The state and the place of the older record, which is the next to be written."""
    read = [decode(record) for record in records]
    seqs = [_hex(state["hn_seq"]) if state else -1 for state in read]
    at = 1 if seqs[1] > seqs[0] else 0
    return read[at] or dict(LOST), 1 - at


def left(state: Mapping[str, str], slot: str) -> int:
    """Starts that a slot still has."""
    return max(0, _hex(state[f"hn_left_{slot}"]))


def order(state: Mapping[str, str]) -> list[str]:
    """Slots by preference; both, whatever stands there."""
    told = [slot for slot in state["hn_order"].split() if slot in SLOTS]
    return list(dict.fromkeys([*told, *SLOTS]))


def primary(state: Mapping[str, str]) -> str:
    """The slot that starts next."""
    return next((slot for slot in order(state) if left(state, slot)), order(state)[0])


def with_primary(state: Mapping[str, str], slot: str) -> dict[str, str]:
    """`slot` first; on trial, unless it has more starts as a good one."""
    rest = [one for one in order(state) if one != slot]
    starts = max(TRIAL, left(state, slot))
    return {**state, "hn_order": " ".join([slot, *rest]), f"hn_left_{slot}": f"{starts:x}"}


def on_trial(state: Mapping[str, str], slot: str) -> str:
    """What the watch over a trial goes by (homenode/update/places.py) if `slot`, which runs, is on one.

    For a start at which what was kept of an update is gone. Empty where the other slot can't be started. A
    good slot of which seven starts came to nothing reads like one on trial.
    """
    old = next(one for one in SLOTS if one != slot)
    if left(state, slot) >= TRIAL or not left(state, old):
        return ""
    return f"slot={slot}\nold={old}\ndeadline_s=1200"


def with_state(state: Mapping[str, str], slot: str, good: bool) -> dict[str, str]:
    """`slot` is good, or not to be started."""
    return {**state, f"hn_left_{slot}": f"{GOOD:x}" if good else "0"}


def read(card: Path) -> tuple[dict[str, str], int]:
    """As `newest`, from the card."""
    with card.open("rb", buffering=0) as stream:
        return newest([os.pread(stream.fileno(), RECORD_B, at) for at in AT_B])


def write(card: Path, state: Mapping[str, str], place: int) -> None:
    """To the card, for good."""
    body = encode({**state, "hn_seq": f"{_hex(state['hn_seq']) + 1:x}"})
    with card.open("r+b", buffering=0) as stream:
        os.pwrite(stream.fileno(), body, AT_B[place])
        os.fsync(stream.fileno())


def card() -> Path:
    """The whole card that this system's root is on, such as ``/dev/mmcblk0``."""
    device = os.stat("/").st_dev
    partition = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve()
    return Path("/dev") / partition.parent.name


def current() -> str:
    """The slot that runs."""
    return Path("/proc/cmdline").read_text().partition("rauc.slot=")[2].split()[0]


def main(words: list[str]) -> int:
    """As RAUC calls it: get-primary, get-current, set-primary SLOT, get-state SLOT, set-state SLOT HOW."""
    match words:
        case ["get-current"]:
            print(current())
        case ["trial"]:
            print(on_trial(read(card())[0], current()))
        case ["get-primary"]:
            print(primary(read(card())[0]))
        case ["get-state", slot] if slot in SLOTS:
            print("good" if left(read(card())[0], slot) else "bad")
        case ["set-primary", slot] if slot in SLOTS:
            state, place = read(card())
            write(card(), with_primary(state, slot), place)
        case ["set-state", slot, "good" | "bad" as how] if slot in SLOTS:
            state, place = read(card())
            write(card(), with_state(state, slot, how == "good"), place)
        case ["get", name]:
            print(read(card())[0].get(name, ""))
        case ["set-data", "made"]:
            state, place = read(card())
            write(card(), {**state, "hn_data": "made"}, place)
        case _:
            print(main.__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
