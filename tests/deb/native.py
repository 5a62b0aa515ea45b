"""Run by the package's Python: what its native libraries do, after others were cut off them. Asserts."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import av
import numpy as np

from homenode.install.paper import paper
from homenode.video.darkness import Enhancement
from homenode.video.encoder import Encoder
from homenode.video.scene import Scene, in_the_dark

LIBRARIES = """
zigpy.application bellows.zigbee.application zigpy_znp.zigbee.application zigpy_deconz.zigbee.application
aiortc gpiozero pigpio h11 joserfc.jws cryptography.x509 serialx paho.mqtt.client
homenode.video.capture homenode.enrol.command homenode.panel.run homenode.gateway.run
"""
EMPTY: dict[str, Any] = {
    **dict.fromkeys(("home", "by", "homenode", "key", "link_certificate"), "x"),
    **dict.fromkeys(("at", "begun"), "2026-01-05T06:12:03.250+01:00"),
    **dict.fromkeys(("lacks", "devices", "rules"), ()),
    "clock": "trusted",
    "accepted": True,
}
PICTURES = 12


def films() -> None:
    """In the dark, made brighter, encoded as both forms, and read again."""
    for form in ("h264", "vp8"):
        scene, bright, encoder = Scene(320, 240), Enhancement(), Encoder()
        decoder, seen = av.CodecContext.create(form, "r"), 0
        for nth in range(PICTURES):
            picture = scene.at(nth * 100)
            luma = picture[:240]
            luma[:] = in_the_dark(luma, np.random.default_rng(nth))
            dark = luma.mean()
            assert bright.of(picture)[:240].mean() > dark
            packet = encoder.encode(picture, nth * 100, form)  # type: ignore[arg-type] # one of its two words
            seen += len(decoder.decode(packet)) if packet is not None else 0
        seen += len(decoder.decode(None))
        assert seen == PICTURES, f"{form}: {seen} pictures"


if __name__ == "__main__":
    for name in LIBRARIES.split():
        import_module(name)
    drivers = [entry.load() for entry in entry_points(group="homenode.drivers")]
    assert len(drivers) >= 8
    films()
    assert paper(EMPTY, "sv").startswith(b"%PDF")
    print(f"{len(drivers)} drivers, H.264 and VP8 from the dark, a report on paper")
