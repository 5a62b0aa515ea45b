"""A camera and the relays of home.yaml, as the capture process is told of them (`homenode/video/`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homenode.config.model import Camera, Ice
from homenode.errors import NoLook


def source_of(camera: Camera) -> Mapping[str, Any]:
    """Where its picture comes from. Reads its password file; raises NoLook if it can't."""
    kind, _, rest = camera.source.partition(":")
    match kind:
        case "scene":
            return {"kind": "scene"}
        case "csi":
            return {"kind": "picamera2", "camera": int(rest or 0)}
        case "file":
            return {"kind": "file", "path": rest}
        case "rtsp" | "rtsps":
            return {"kind": "rtsp", "url": camera.source, **_who(camera, "password")}
        case _:
            return {"kind": "v4l2", "device": camera.source}


def ice_of(ice: Ice) -> Mapping[str, Any]:
    """How a viewer outside is reached; nothing for a closed link. Raises NoLook, as `source_of`."""
    if not ice.urls:
        return {}
    who = _who(ice, "credential")
    return {"servers": [{"urls": url, **who} for url in ice.urls]}


def _who(named: Camera | Ice, secret: str) -> Mapping[str, str]:
    who = {"username": named.username} if named.username else {}
    return who if named.password_file is None else {**who, secret: _read(named.password_file)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise NoLook("setup", f"{path.name} can't be read: {getattr(error, 'strerror', error)}") from error
