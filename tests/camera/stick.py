"""``python -m tests.camera.stick mjpeg|yuyv FOLDER``: a USB camera (UVC 1.0) that sends a folder's pictures.

One after the other, until it is killed, which is when somebody pulls it out.
"""

from __future__ import annotations

import itertools
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import av
from av.video.reformatter import ColorRange

from homenode.video.clocks import now_ms
from tests.camera.usbip import Plug, Setup

NAME = "/dev/v4l/by-id/usb-homenode_Stick_1-video-index0"
"""By the texts below, as udev makes it."""
TEXTS = ("homenode", "Stick", "1")
WIDTH, HEIGHT, RATE = 640, 480, 15
RAW_B = WIDTH * HEIGHT * 2
PAYLOAD_B = 3 * 1024
"""Three transactions of 1,024 bytes each 125 µs: the most that high speed has."""
INTERVAL = 10_000_000 // RATE
YUY2 = bytes.fromhex("5955593200001000800000aa00389b71")
GET_DESCRIPTOR, SET_CUR, GET_LEN, GET_INFO = 0x06, 0x01, 0x85, 0x86
STANDARD, TO_INTERFACE, FROM_INTERFACE = (0x00, 0x01, 0x80), 0x21, 0xA1
DEVICE, CONFIGURATION, STRING = 1, 2, 3
PROBE, COMMIT = 1, 2
ENDS, WITH_HEADER = 0x02, 0x80
HEADER_B = 2


def _said(kind: int, form: str, *values: object) -> bytes:
    """A descriptor: its length, its kind, the rest."""
    rest = struct.pack("<" + form, *values)
    return bytes((len(rest) + 2, kind)) + rest


def _interface(form: str, *values: object) -> bytes:
    """One of the class's own."""
    return _said(0x24, form, *values)


def _of_device() -> bytes:
    return _said(DEVICE, "H4B3H4B", 0x200, 0xEF, 2, 1, 64, 0x1D6B, 0x0102, 0x100, 1, 2, 3, 1)


def _configuration(form: str) -> bytes:
    """A camera that is wired to its output, and one format of one size."""
    entities = _interface("BBHBBHHHB3s", 2, 1, 0x0201, 0, 0, 0, 0, 0, 3, bytes(3))
    entities += _interface("BBHBBB", 3, 2, 0x0101, 0, 1, 0)
    control = _interface("BHHIBB", 1, 0x100, 13 + len(entities), 48_000_000, 1, 1) + entities
    if form == "mjpeg":
        kind, head = 7, _interface("9B", 6, 1, 1, 1, 1, 0, 0, 0, 0)
    else:
        kind, head = 5, _interface("BBB16s6B", 4, 1, 1, YUY2, 16, 1, 0, 0, 0, 0)
    bits = RAW_B * 8 * RATE
    size = _interface("BBBHHIIIIBI", kind, 1, 0, WIDTH, HEIGHT, bits, bits, RAW_B, INTERVAL, 1, INTERVAL)
    formats = head + size
    stream = _interface("BBHBBBBBBBB", 1, 1, 14 + len(formats), 0x81, 0, 2, 0, 0, 0, 1, 0) + formats
    both = _said(0x0B, "6B", 0, 2, 0x0E, 3, 0, 0)
    both += _said(4, "7B", 0, 0, 0, 0x0E, 1, 0, 0) + control
    both += _said(4, "7B", 1, 0, 0, 0x0E, 2, 0, 0) + stream
    both += _said(4, "7B", 1, 1, 1, 0x0E, 2, 0, 0) + _said(5, "BBHB", 0x81, 5, 2 << 11 | 1024, 1)
    return _said(CONFIGURATION, "H5B", 9 + len(both), 2, 1, 0, 0x80, 250) + both


class Stick:
    """What it answers, and its pictures in packets."""

    def __init__(self, form: str, pictures: list[bytes]) -> None:
        texts = [_said(STRING, "H", 0x0409), *(_text(one) for one in TEXTS)]
        self._descriptors = {DEVICE: [_of_device()], CONFIGURATION: [_configuration(form)], STRING: texts}
        self._packets = _packets(pictures)
        # hint, format, size, interval, five of compression, the longest picture and packet
        self._agreed = struct.pack("<HBBI5HII", 1, 1, 1, INTERVAL, 0, 0, 0, 0, 0, RAW_B, PAYLOAD_B)

    def control(self, setup: Setup, data: bytes) -> bytes | None:
        if setup.request == GET_DESCRIPTOR:
            of_kind, nth = self._descriptors.get(setup.value >> 8, []), setup.value & 255
            return of_kind[nth] if nth < len(of_kind) else None
        if setup.kind in STANDARD:
            return bytes(setup.length)  # of a status, that it is well; to all else, yes
        if setup.index != 1 or setup.value >> 8 not in (PROBE, COMMIT):
            return None
        if setup.request == SET_CUR:  # it has nothing to choose from
            return b""
        return {GET_LEN: struct.pack("<H", len(self._agreed)), GET_INFO: b"\3"}.get(
            setup.request, self._agreed
        )

    def payload(self, at_most: int) -> bytes | None:
        return next(self._packets)


def _text(text: str) -> bytes:
    return _said(STRING, f"{len(text) * 2}s", text.encode("utf-16-le"))


def _packets(pictures: list[bytes]) -> Iterator[bytes | None]:
    """Each picture's, as soon as it is due; the pictures over and over."""
    due_ms, each = float(now_ms()), PAYLOAD_B - HEADER_B
    for nth, picture in enumerate(itertools.cycle(pictures)):
        while now_ms() < due_ms:
            yield None
        due_ms = max(due_ms + 1000 / RATE, now_ms())
        for begin in range(0, len(picture), each):
            ends = ENDS if begin + each >= len(picture) else 0
            yield bytes((HEADER_B, WITH_HEADER | ends | nth & 1)) + picture[begin : begin + each]


def _raw(path: Path) -> bytes:
    with av.open(str(path)) as picture:
        frame = next(picture.decode(video=0)).reformat(format="yuyv422", dst_color_range=ColorRange.MPEG)
    return frame.to_ndarray().tobytes()


def _without_tables(path: Path) -> bytes:
    """As sticks send JPEG: everybody knows the Huffman tables."""
    whole = path.read_bytes()
    kept, at = whole[:2], 2
    while whole[at + 1] != 0xDA:
        length = 2 + int.from_bytes(whole[at + 2 : at + 4])
        kept += b"" if whole[at + 1] == 0xC4 else whole[at : at + length]
        at += length
    return kept + whole[at:]


def main() -> None:
    """It is there when it has said so."""
    form, folder = sys.argv[1], Path(sys.argv[2])
    of = _without_tables if form == "mjpeg" else _raw
    plug = Plug(
        Stick(form, [of(path) for path in sorted(folder.glob("*.jpg"), key=lambda path: int(path.stem))])
    )
    plug.serve()


if __name__ == "__main__":
    main()
