"""One file whose every read, write and flush a process of ours answers: the kernel's FUSE, without a library.

The file is the whole file system (its root is no folder). What `Answers` raises as OSError is what the kernel
gets. Numbers and structures: linux/include/uapi/linux/fuse.h, version 7.31.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from pathlib import Path
from typing import Protocol

GETATTR, SETATTR, OPEN, READ, WRITE, RELEASE, FSYNC, FLUSH, INIT = 3, 4, 14, 15, 16, 18, 20, 25, 26
FORGET, INTERRUPT, DESTROY, BATCH_FORGET = 2, 36, 38, 42
_UNANSWERED = (FORGET, INTERRUPT, BATCH_FORGET)
_HEAD, _ANSWER = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
_MOST = 1 << 20
"""Bytes of a write; the kernel wants room for its heads, too."""
_BIG_WRITES, _MAX_PAGES = 1 << 5, 1 << 22
_NOSUID_NODEV = 2 | 4


class Answers(Protocol):
    """The file."""

    size: int

    def read(self, offset: int, size: int) -> bytes: ...
    def write(self, offset: int, data: bytes) -> None: ...
    def flush(self) -> None: ...


class Held(Exception):
    """No answer, for now: `OneFile.answer_held` gives it."""


class OneFile:
    """Mounted at `at`, a regular file, until the process ends or `at` is unmounted."""

    def __init__(self, at: Path, answers: Answers) -> None:
        self._answers = answers
        self._held: list[int] = []
        self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._fd},rootmode={stat.S_IFREG | 0o600:o},user_id=0,group_id=0,max_read={_MOST}"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"chaos", os.fsencode(at), b"fuse", _NOSUID_NODEV, options.encode()):
            raise OSError(ctypes.get_errno(), "a FUSE file can't be mounted")

    def fileno(self) -> int:
        """For `select`."""
        return self._fd

    def serve(self) -> bool:
        """Answer one request; False when the file is unmounted."""
        try:
            raw = os.read(self._fd, _MOST + 4096)
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.EBADF):
                return False
            if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                return True
            raise
        _, code, unique, *_ = _HEAD.unpack_from(raw)
        if code in _UNANSWERED:
            return True
        try:
            self._send(unique, 0, self._of(code, raw[_HEAD.size :]))
        except Held:
            self._held.append(unique)
        except OSError as error:
            self._send(unique, error.errno or errno.EIO)
        return True

    def answer_held(self) -> None:
        """With an error, to everybody who waits."""
        for unique in self._held:
            self._send(unique, errno.EIO)
        self._held.clear()

    def _send(self, unique: int, error: int, body: bytes = b"") -> None:
        try:
            os.write(self._fd, _ANSWER.pack(_ANSWER.size + len(body), -error, unique) + body)
        except OSError as gone:
            if gone.errno != errno.ENOENT:  # whoever asked was killed meanwhile
                raise

    def _of(self, code: int, body: bytes) -> bytes:
        match code:
            case 26:
                pages = _MOST // 4096
                return struct.pack(
                    "<IIIIHHIIHHI28x", 7, 31, 0, _BIG_WRITES | _MAX_PAGES, 16, 12, _MOST, 1, pages, 0, 0
                )
            case 3 | 4:
                return struct.pack("<QII", 3600, 0, 0) + self._attributes()
            case 14:
                return struct.pack("<QII", 1, 0, 0)
            case 15:
                offset, size = struct.unpack_from("<8xQI", body)
                return self._answers.read(offset, size)
            case 16:
                offset, size = struct.unpack_from("<8xQI", body)
                self._answers.write(offset, body[40 : 40 + size])
                return struct.pack("<II", size, 0)
            case 20:
                self._answers.flush()
                return b""
            case 18 | 25 | 38:
                return b""
        raise OSError(errno.ENOSYS, "not here")

    def _attributes(self) -> bytes:
        size, mode = self._answers.size, stat.S_IFREG | 0o600
        return struct.pack("<QQQ24x12xIIIIIII", 1, size, size // 512, mode, 1, 0, 0, 0, 4096, 0)
