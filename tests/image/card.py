"""A memory card in software, to QEMU a disk over NBD: what was written and not flushed is lost with the
power.

Writes are in a cache until the guest flushes, or until there are more than a card's cache holds; then the
oldest
go to the file. At a cut each sector of what is cached is there or not, by chance, as a card promises
nothing of
their order. Protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
"""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
from collections import OrderedDict
from io import BufferedRWPair
from pathlib import Path

SECTOR_B = 4096
CACHE_B = 8 << 20
INVALID = 22
_FLAGS = 1 | 4 | 8 | 32 | 64  # has flags, flush, FUA, trim, zeroes


class Card:
    """A card of `size_b` bytes that begins as `path` is.

    Attributes:
        written_b: What the guest has written since the start.
        worn_out: Writes fail from now on.
    """

    def __init__(self, path: Path, size_b: int, chance: random.Random) -> None:
        self.path, self.chance = path, chance
        self.written_b = 0
        self.worn_out = False
        os.truncate(path, max(size_b, path.stat().st_size))
        self.size_b = path.stat().st_size
        self._file = os.open(path, os.O_RDWR)
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self.socket = path.with_suffix(".nbd")
        self.socket.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.socket))
        self._listener.listen(4)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> tuple[int, int]:
        """The power is gone: how many cached sectors made it, of how many."""
        with self._lock:
            made_it = [at for at in self._cache if self.chance.random() < 0.5]
            for at in made_it:
                os.pwrite(self._file, self._cache[at], at * SECTOR_B)
            cached = len(self._cache)
            self._cache.clear()
            return len(made_it), cached

    def sync(self) -> None:
        """As at an orderly power off."""
        with self._lock:
            self._flush()

    def close(self) -> None:
        """No more of it."""
        self._listener.close()
        self.sync()
        os.close(self._file)
        self.socket.unlink(missing_ok=True)

    def peek(self, at_b: int, length_b: int) -> bytes:
        """What stands there, cache and all."""
        with self._lock:
            return self._read(at_b, length_b)

    def _flush(self) -> None:
        for at, body in self._cache.items():
            os.pwrite(self._file, body, at * SECTOR_B)
        self._cache.clear()

    def _read(self, at_b: int, length_b: int) -> bytes:
        found = bytearray(os.pread(self._file, length_b, at_b))
        if self._cache:
            for sector in range(at_b // SECTOR_B, (at_b + length_b - 1) // SECTOR_B + 1):
                body = self._cache.get(sector)
                if body is not None:
                    start = sector * SECTOR_B - at_b
                    first, last = max(0, start), min(length_b, start + SECTOR_B)
                    found[first:last] = body[first - start : last - start]
        return bytes(found)

    def _write(self, at_b: int, body: bytes) -> None:
        self.written_b += len(body)
        end = at_b + len(body)
        for sector in range(at_b // SECTOR_B, (end - 1) // SECTOR_B + 1):
            start = sector * SECTOR_B
            if start >= at_b and start + SECTOR_B <= end:
                part = body[start - at_b : start - at_b + SECTOR_B]
            else:
                whole = bytearray(self._read(start, SECTOR_B))
                first, last = max(start, at_b), min(start + SECTOR_B, end)
                whole[first - start : last - start] = body[first - at_b : last - at_b]
                part = bytes(whole)
            self._cache[sector] = part
            self._cache.move_to_end(sector)
        while len(self._cache) * SECTOR_B > CACHE_B:
            at, part = self._cache.popitem(last=False)
            os.pwrite(self._file, part, at * SECTOR_B)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rwb")
        try:
            if self._agree(stream):
                while self._answer(stream):
                    pass
        except (OSError, ValueError, struct.error):
            pass  # the guest's power is gone
        finally:
            connection.close()

    def _agree(self, stream: BufferedRWPair) -> bool:
        stream.write(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
        stream.flush()
        no_zeroes = struct.unpack(">I", stream.read(4))[0] & 2
        while True:
            _, option, length = struct.unpack(">8sII", stream.read(16))
            stream.read(length)
            if option == 1:  # EXPORT_NAME
                stream.write(struct.pack(">QH", self.size_b, _FLAGS) + b"\0" * (0 if no_zeroes else 124))
                stream.flush()
                return True
            head = struct.pack(">QI", 0x3E889045565A9, option)
            if option in (6, 7):  # INFO, GO
                about = struct.pack(">HQH", 0, self.size_b, _FLAGS)
                stream.write(
                    head + struct.pack(">II", 3, len(about)) + about + head + struct.pack(">II", 1, 0)
                )
            else:
                stream.write(head + struct.pack(">II", 0x80000001 if option != 2 else 1, 0))
            stream.flush()
            if option == 7:
                return True
            if option == 2:
                return False

    def _answer(self, stream: BufferedRWPair) -> bool:
        head = stream.read(28)
        if len(head) < 28:
            return False
        _, flags, kind, handle, at_b, length_b = struct.unpack(">IHHQQI", head)
        body, error = b"", 0
        given = stream.read(length_b) if kind == 1 else b""
        if kind == 2:
            return False
        with self._lock:
            if kind == 0:
                body = self._read(at_b, length_b)
            elif self.worn_out and kind in (1, 6):
                error = 5
            elif kind == 1:
                self._write(at_b, given)
            elif kind == 6:
                self._write(at_b, bytes(length_b))
            elif kind not in (3, 4):
                error = INVALID
            if kind == 3 or flags & 1:
                self._flush()
        stream.write(struct.pack(">IIQ", 0x67446698, error, handle) + body)
        stream.flush()
        return True
