"""A bundle comes over HTTPS to the data partition: resumed where it was cut, limited, bounded, checked."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from homenode.hang_up import hung_up_after
from homenode.update.bucket import Bucket
from homenode.update.files import read_json, remove, write_json
from homenode.update.order import LARGEST_B, Order

CHUNK_B = 16 * 1024
SYNC_B = 8 << 20
"""Written between two flushes: what a power cut can cost."""
RESERVE_B = 64 << 20
"""Left free for the journal and whatever else lives on the data partition."""
TIMEOUT_S, MOST_S = 30.0, 60.0
"""Of silence, and for the head and each chunk: meanwhile nobody looks whether something else was ordered."""
_LATER = (401, 403, 408, 416, 425, 429)
"""Answers that another time may be others: a certificate that is being renewed, a server that is busy."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How it ended: `code` of `words`, "" if all is there, or "part"; `more` for its sentence."""

    code: str
    more: str = ""


class Stopped(Exception):
    """Who loads is to do something else."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What proves who the node and the server are; a path that is None isn't used."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For one connection: certificates are renewed while this runs. Raises OSError."""
        context = ssl.create_default_context(cafile=self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context


class Loader:
    """Keeps one bundle in a folder.

    Args:
        folder: Where; on a file system with room.
        keys: For TLS.
        rate_b_s: Bytes a second.
        told: Called about each second with the part that is there, 0 to 1; may raise `Stopped`.
    """

    def __init__(self, folder: Path, keys: Keys, rate_b_s: int, told: Callable[[float], None]) -> None:
        self.path = folder / "bundle.raucb"
        self._part, self._about = folder / "bundle.part", folder / "bundle.json"
        self._keys, self._rate_b_s, self._told = keys, rate_b_s, told
        self._begin()

    def _begin(self) -> None:
        self._told_s = _now_s()
        self._bucket = Bucket(self._rate_b_s, self._told_s)

    def is_loaded(self, order: Order) -> bool:
        """Whether the ordered bundle is there, whole."""
        about = read_json(self._about)
        return self.path.exists() and about is not None and about.get("sha256") == order.sha256

    def forget(self) -> None:
        """Nothing of a bundle is left. Raises OSError."""
        for path in (self._part, self.path, self._about):
            remove(path)

    def load(self, order: Order) -> Loaded:
        """Load it, or go on with it.

        Raises:
            Stopped: As `told` did.
        """
        self._begin()
        try:
            while (found := self._load(order)).code == "part":
                pass
            return found
        except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
            return Loaded("cut", str(error) or type(error).__name__)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):  # the running node needs the room more
                self.forget()
                return self._room(order.size) or Loaded("room", str(RESERVE_B))
            if error.filename is not None or error.errno in (errno.EROFS, errno.EIO):
                return Loaded("disk", error.strerror or str(error))
            return Loaded("cut", error.strerror or str(error))

    def _load(self, order: Order) -> Loaded:
        about = read_json(self._about) or {}
        if about.get("sha256") != order.sha256 or about.get("url") != order.url:
            self.forget()
            about = {"sha256": order.sha256, "url": order.url}
            write_json(self._about, about)
        have_b = self._part.stat().st_size if self._part.exists() else 0
        url = urlsplit(order.url)
        connection = http.client.HTTPSConnection(
            url.hostname or "", url.port or 443, timeout=TIMEOUT_S, context=self._keys.context()
        )
        with contextlib.closing(connection):
            path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
            connection.connect()
            link = connection.sock  # the connection lets go of it once an answer says that it closes
            with hung_up_after(MOST_S, link):
                connection.request("GET", path, headers=_headers(have_b, str(about.get("etag", ""))))
                answer = connection.getresponse()
            if answer.status == 416:  # it is there, or another one is: begin anew
                remove(self._part)
            if answer.status not in (200, 206):
                code = "gone" if 300 <= answer.status < 500 and answer.status not in _LATER else "cut"
                return Loaded(code, f"HTTP {answer.status}")
            first_b, size_b = _span(answer) if answer.status == 206 else (0, answer.length or 0)
            if answer.status == 206 and first_b != have_b:
                remove(self._part)
                return Loaded("cut", "another part than was asked for")
            if not first_b:
                remove(self._part)
            size_b, most_b = size_b or order.size, order.size or LARGEST_B
            if size_b > most_b:
                self.forget()
                return Loaded("large", str(most_b))
            if refused := self._room(size_b - first_b):
                self.forget()
                return refused
            etag = answer.headers.get("ETag", "")
            if etag != about.get("etag", ""):
                write_json(self._about, {**about, "etag": etag})
            came_b, digest = self._receive(link, answer, first_b, size_b, most_b)
        if came_b > most_b:
            self.forget()
            return Loaded("large", str(most_b))
        if came_b < size_b:
            if answer.status == 206 and came_b > first_b and not answer.length:
                return Loaded("part")  # all that it meant to send of it
            return Loaded("cut", f"{size_b - came_b} B are missing")
        if digest != order.sha256:
            self.forget()
            return Loaded("sum")
        self._part.replace(self.path)
        write_json(self._about, {**about, "etag": etag})
        return Loaded("")

    def _room(self, need_b: int) -> Loaded | None:
        """That so many bytes more leave too little to the running node; None if they don't."""
        disk = os.statvfs(self._part.parent)
        missing_b = max(0, need_b) + RESERVE_B - disk.f_bavail * disk.f_frsize
        return Loaded("room", str(missing_b)) if missing_b > 0 else None

    def _receive(
        self, link: socket.socket, answer: http.client.HTTPResponse, have_b: int, size_b: int, most_b: int
    ) -> tuple[int, str]:
        """Take what comes, but not more than may; bytes and SHA-256 of all that is there."""
        digest, unsynced_b = hashlib.sha256(), 0
        with open(self._part, "r+b" if have_b else "wb") as stream:
            while (left_b := have_b - stream.tell()) > 0:
                digest.update(stream.read(min(left_b, 1 << 20)))
            try:
                while have_b <= most_b:
                    with hung_up_after(MOST_S, link):
                        chunk = answer.read(CHUNK_B)
                        stream.write(chunk)  # also what came of one in that time
                    if not chunk:
                        break
                    digest.update(chunk)
                    have_b += len(chunk)
                    unsynced_b += len(chunk)
                    if unsynced_b >= SYNC_B:
                        stream.flush()
                        os.fsync(stream.fileno())
                        unsynced_b = 0
                        if self._room(0):
                            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    now_s = _now_s()
                    if now_s - self._told_s >= 1.0:
                        self._told_s = now_s
                        self._told(have_b / size_b if size_b else 0.0)
                    if wait_s := self._bucket.wait_s(len(chunk), now_s):
                        time.sleep(wait_s)
            finally:
                stream.flush()
                os.fsync(stream.fileno())
        return have_b, digest.hexdigest()


def _now_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _headers(have_b: int, etag: str) -> Mapping[str, str]:
    """Go on only if it is still the same file: without a strong ETag nobody knows, and the sum decides."""
    if not have_b:
        return {}
    strong = etag and not etag.startswith("W/")
    return {"Range": f"bytes={have_b}-"} | ({"If-Range": etag} if strong else {})


def _span(answer: http.client.HTTPResponse) -> tuple[int, int]:
    """Where the part begins that the server sends, and of how much in all; -1, 0 if it doesn't say."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    return (int(found[1]), int(found[2]) if found[2] != "*" else 0) if found else (-1, 0)
