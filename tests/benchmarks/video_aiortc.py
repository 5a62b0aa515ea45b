"""The test scene by aiortc as it comes, with its own H.264 encoder; spoken to as the capture process is."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from fractions import Fraction
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import CODECS

from homenode.video.clocks import now_ms
from homenode.video.leash import hold_on_to
from homenode.video.scene import Scene


class Filmed(MediaStreamTrack):
    """15 pictures a second."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._scene, self._due_ms = Scene(640, 480), now_ms()

    async def recv(self) -> Any:
        self._due_ms += 1000 / 15
        await asyncio.sleep(max(0, self._due_ms - now_ms()) / 1000)
        at_ms = now_ms()
        frame = av.VideoFrame.from_ndarray(self._scene.at(at_ms), format="yuv420p")
        frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
        return frame


async def _main() -> None:
    CODECS["video"] = [codec for codec in CODECS["video"] if codec.mimeType != "video/VP8"]
    gateway = socket.socket(fileno=int(sys.argv[1]))
    hold_on_to(gateway)
    reader, writer = await asyncio.open_unix_connection(sock=gateway, limit=1 << 17)
    told = json.loads(await reader.readline())
    connection = RTCPeerConnection(RTCConfiguration([]))
    offer = "\r\n".join(line for line in told["sdp"].splitlines() if ".local" not in line) + "\r\n"
    await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    connection.addTrack(Filmed())
    await connection.setLocalDescription(await connection.createAnswer())
    writer.write(json.dumps({"sdp": connection.localDescription.sdp}).encode() + b"\n")
    await reader.read()
    await connection.close()


asyncio.run(_main())
