"""paho-mqtt, loaded without dnspython, which is there for video: paho would look up SRV records by it, which
nobody here has it do, and it took a tenth of a node's start (``python -X importtime``)."""

from __future__ import annotations

import sys

_LOADED = "dns" in sys.modules
if not _LOADED:
    sys.modules["dns"] = None  # type: ignore[assignment]  # how one says that it isn't there

from paho.mqtt import client as mqtt  # noqa: E402 - not before dns is hidden

if not _LOADED:
    del sys.modules["dns"]

__all__ = ["mqtt"]
