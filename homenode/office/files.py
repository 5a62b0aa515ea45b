"""Update bundles, also in parts (RFC 9110, 14): a download goes on where it was cut."""

from __future__ import annotations

import re
from pathlib import Path

from homenode.office.est import told
from homenode.web import Request, Response, Slice

NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}"
TYPE = "application/octet-stream"


def part_of(folder: Path | None, name: str, request: Request) -> Response:
    """A bundle, or the part of it that is asked for."""
    path = folder / name if folder is not None and re.fullmatch(NAME, name) else None
    if path is None or not path.is_file():
        return told(404, f"no bundle {name[:100]!r} is here")
    found = path.stat()
    tag = f'"{found.st_size:x}-{found.st_mtime_ns:x}"'
    headers = {"Accept-Ranges": "bytes", "ETag": tag}
    wanted = request.headers.get("range", "")
    if request.headers.get("if-range", tag) != tag:
        wanted = ""
    first, last = 0, found.st_size - 1
    if wanted and (asked := re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)) and any(asked.groups()):
        if not asked[1]:
            first = max(0, found.st_size - int(asked[2]))
        else:
            first, last = int(asked[1]), min(last, int(asked[2])) if asked[2] else last
        if first > last:
            return told(416, "there is no such part", {"Content-Range": f"bytes */{found.st_size}"})
        headers["Content-Range"] = f"bytes {first}-{last}/{found.st_size}"
        return Response(206, type=TYPE, headers=headers, file=Slice(path, first, last + 1 - first))
    return Response(200, type=TYPE, headers=headers, file=Slice(path, 0, found.st_size))
