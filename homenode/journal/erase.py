"""A tenancy ends: all that its journal knows is overwritten, removed and looked for, and that is proved.

What is to be done is written down first. Then the folder gets another name, in one step: from then on nothing
of it is a journal, and the next start or call finishes what the power cut short. What stays are pairings, so
that sensors need not be paired again, and in the new journal the proof, and which topics are to be emptied at
the broker.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from homenode.errors import SetupError, StorageError
from homenode.journal.beside import BEFORE
from homenode.journal.codec import NAMES, decode
from homenode.journal.journal import Journal
from homenode.journal.lock import FolderLock
from homenode.journal.segment import SLICE_BYTES, find, records, sync_folder, write_all
from homenode.journal.staging import path_of
from homenode.journal.wall_time import WallTime, text_of

Forget = Callable[[Path], int]
"""Erases what was measured from a driver's folder, not pairings; how many values. May raise OSError."""

PLAN, BEGUN = "erasing.json", "journal.erasing-"
KEY = "erased"
"""No key has this id: what stands under a topic with it is not what is wanted there (`homenode.shown`)."""
_FITRIM = 0xC0185879
"""linux/fs.h: tells the device which blocks hold nothing any more."""
_SHORTEST = 8
"""Bytes of a trace; a shorter one might stand anywhere."""


@dataclass(slots=True)
class Plan:
    """What is to go, and what it was.

    Attributes:
        wall_ms: When that was ordered.
        epoch: Of the journal; "" if it can't be read.
        records, since, until: How many by class, and of which time.
        topics: Under which the broker may keep readings of the tenancy.
        alerts: Ids of alerts and of looks. No file that is left may contain one, nor the epoch.
        looks: How many entries the log of looks had, and the hash of the last.
    """

    wall_ms: int
    epoch: str = ""
    records: dict[str, int] = field(default_factory=dict)
    since: str = ""
    until: str = ""
    topics: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    looks: list[Any] = field(default_factory=list)


def erase(data: Path, forgets: Sequence[Forget], wall_ms: int, *, sure: bool, out: TextIO) -> int:
    """Erase the journal in `data`, with all that was put aside; print the proof. 0; 1 if something is left.

    Args:
        data: The node's data folder; the node must not run.
        forgets: Of the drivers.
        wall_ms: The wall clock.
        sure: Else only what would be erased is printed.

    Raises:
        SetupError: There is no journal, or the node runs.
        StorageError: The disk doesn't let go of it.
    """
    if not (data / PLAN).exists() and not any(_folders(data)):
        raise SetupError("no journal is here", where=str(data), do="name the node's data with --data")
    if not sure:
        try:
            _tell(_plan(data, wall_ms), out)
        except OSError as error:
            raise StorageError(f"it can't be read: {error.strerror}", where=str(data)) from error
        print("nothing is erased yet: say --yes to erase it, for good", file=out)
        return 0
    with FolderLock.take(data):
        print(
            f"erasing the journal in {data}; what is interrupted goes on at the next start",
            file=out,
            flush=True,
        )
        try:
            begun = _read(data)
            if begun is None or not begun.wall_ms:
                _write(data, _plan(data, wall_ms))
            return finish(data, forgets, out, begun=begun is not None)
        except OSError as error:
            raise StorageError(f"it can't be erased: {error.strerror}", where=str(data)) from error


def finish(data: Path, forgets: Sequence[Forget], out: TextIO, *, begun: bool = True) -> int:
    """What was `begun` before, to its end; as `erase`. Nothing if nothing was begun. Raises OSError."""
    plan = _read(data)
    if plan is None:
        return 0
    sums, files, size = hashlib.sha256(), 0, 0
    for folder in _set_aside(data, plan.epoch):
        for content in _wiped(folder):
            sums.update(content)
            files, size = files + 1, size + len(content)
    path_of(data / "journal").unlink(missing_ok=True)
    for name in ("good.home", "good.home.new"):
        (data / name).unlink(missing_ok=True)
    inner = [entry for entry in sorted(data.iterdir()) if entry.is_dir() and not entry.is_symlink()]
    forgotten = sum(forget(folder) for forget in forgets for folder in inner if folder.name != "journal")
    trimmed, left = _trim(data), _left(data, plan)
    proof = {
        "t": "erased", "wall": plan.wall_ms, "epoch": plan.epoch, "records": sum(plan.records.values()),
        "since": plan.since, "until": plan.until, "files": files, "bytes": size, "values": forgotten,
        "sha256": sums.hexdigest(), "left": len(left), "looks": plan.looks,
    }  # fmt: skip
    with Journal.open(data) as journal:
        journal.append(proof, klass="system")
        for topic in plan.topics:
            journal.append({"t": "shown", "topic": topic, "key": KEY}, klass="system")
        journal.commit().result()
        epoch = journal.epoch
    (data / PLAN).unlink()
    sync_folder(data)
    _tell(plan, out)
    print(f"erased {text_of(plan.wall_ms)}: epoch {plan.epoch}, {files} files, {size} bytes", file=out)
    print(f"SHA-256 of what was erased: {proof['sha256']}", file=out)
    if plan.looks:
        print(f"log of looks: {plan.looks[0]} entries, the last {plan.looks[1]}", file=out)
    if not plan.wall_ms:
        print(f"{PLAN} was damaged: only what was set aside is erased; say erase again", file=out)
    if begun:
        print("it was interrupted: what had been overwritten before is not in the sum", file=out)
    print(f"overwritten; {trimmed}", file=out)
    print(f"values that drivers forgot: {forgotten}; pairings stay", file=out)
    for path in left:
        print(f"NOT erased: {path} still has traces of it", file=out)
    print(f"looked for afterwards in {data}: {len(left) or 'no'} files with traces of it", file=out)
    what = "topics to be emptied at the broker, when the node starts or by the office"
    print(f"{what}: {len(plan.topics)}", file=out)
    print(f"a new journal begins with this proof: epoch {epoch}", file=out)
    return 1 if left else 0


def to_empty(data: Path) -> list[str]:
    """Topics under which the broker may keep readings, by the journal, be it the one with the proof.

    Raises:
        OSError: It can't be read.
    """
    return _plan(data, 0).topics


def _folders(data: Path) -> Iterator[Path]:
    """Every folder of a journal that is or was this node's, the present one first."""
    if (data / "journal").is_dir():
        yield data / "journal"
    for pattern in ("journal.later-*", f"{BEFORE}*", f"{BEGUN}*"):
        yield from sorted(data.glob(pattern))


def _epoch(folder: Path) -> str:
    try:
        return next((segment.epoch for segment in reversed(find(folder)) if segment.epoch), "")
    except ValueError:  # a later homenode wrote it
        return ""


def _plan(data: Path, wall_ms: int) -> Plan:
    plan, kinds, topics, alerts = Plan(wall_ms), Counter[str](), set[str](), set[str]()
    folder = data / "journal"
    if not folder.is_dir() or not (epoch := _epoch(folder)):
        return plan
    clock = WallTime(folder)
    for item in records(folder):
        record = decode(item.payload)
        kinds[NAMES.get(item.code, "of a later version")] += 1
        if isinstance(at := record.get("at"), int):
            plan.until = clock.text(item.number, at)
            plan.since = plan.since or plan.until
        if record.get("t") == "shown":
            topics.add(record["topic"])
        elif record.get("t") == "state":
            topics |= {place[0] for place in record.get("shown", {}).get("places", ())}
        elif record.get("t") == "tr":
            alerts.add(record["alert"])
        elif record.get("t") == "look":
            alerts.add(record["entry"]["session"])
            plan.looks = [record["entry"]["n"], record["entry"]["hash"]]
    plan.epoch, plan.records, plan.topics, plan.alerts = epoch, dict(kinds), sorted(topics), sorted(alerts)
    return plan


def _tell(plan: Plan, out: TextIO) -> None:
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(plan.records.items())) or "none"
    print(f"records: {kinds}; from {plan.since or '-'} to {plan.until or '-'}", file=out)


def _write(data: Path, plan: Plan) -> None:
    new = data / f"{PLAN}.new"
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        json.dump(asdict(plan), stream)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(data / PLAN)
    sync_folder(data)


def _read(data: Path) -> Plan | None:
    """What is to go; without its time if that can't be read any more: then only what was set aside goes."""
    try:
        return Plan(**json.loads((data / PLAN).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        return Plan(0)


def _set_aside(data: Path, epoch: str) -> list[Path]:
    """Take what is to go out of the way; a journal that was begun since then is not of it."""
    for folder in list(_folders(data)):
        is_new = folder.name == "journal" and _epoch(folder) not in ("", epoch)
        if is_new or folder.name.startswith(BEGUN):
            continue
        nth = 1
        while (name := data / f"{BEGUN}{nth}").exists():
            nth += 1
        folder.rename(name)
    sync_folder(data)
    return sorted(data.glob(f"{BEGUN}*"))


def _wiped(folder: Path) -> Iterator[bytes]:
    """Overwrite and remove all files in a folder, then it; yields what each held."""
    for path in sorted(entry for entry in folder.rglob("*") if entry.is_symlink() or not entry.is_dir()):
        if path.is_symlink():
            path.unlink()
            continue
        content = path.read_bytes()
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            for offset in range(0, len(content), SLICE_BYTES):
                write_all(file, bytes(min(SLICE_BYTES, len(content) - offset)), offset)
            os.fsync(file)
        finally:
            os.close(file)
        path.unlink()
        yield content
    for inner in sorted(folder.rglob("*"), reverse=True):
        inner.rmdir()
    folder.rmdir()
    sync_folder(folder.parent)


def _trim(data: Path) -> str:
    """Have the card forget free blocks; what became of that."""
    file = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(file, _FITRIM, struct.pack("QQQ", 0, (1 << 64) - 1, 0))
    except OSError as error:
        return f"a card may keep copies until it uses their blocks again (no TRIM: {error.strerror})"
    finally:
        os.close(file)
    return "the card was told which blocks are free (TRIM)"


def _left(data: Path, plan: Plan) -> list[Path]:
    """Files in the folder in which something of the tenancy still stands."""
    traces = [trace.encode() for trace in (plan.epoch, *plan.alerts) if len(trace) >= _SHORTEST]
    traces += [bytes.fromhex(plan.epoch)] if plan.epoch else []
    new = data / "journal"  # perhaps with the proof already
    files = [path for path in data.rglob("*") if path.is_file() and not path.is_symlink()]
    ours = [path for path in files if path != data / PLAN and new not in path.parents]
    return [path for path in ours if _holds(path, traces)]


def _holds(path: Path, traces: Sequence[bytes]) -> bool:
    content = path.read_bytes()
    return any(trace in content for trace in traces)
