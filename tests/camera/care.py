"""A home with a broker, lamps on pins that are programs, and a caregiver who asks for a look."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from homenode.contract.times import Zone
from homenode.gateway.clock import Clock

PINS_PORT, SIM_PORT, BROKER_PORT = 8888, 7575, 1883
"""The last is Debian's mosquitto, which listens there for this machine only."""
TOPIC = "hn1/show-1/care"
HOME = f"""\
home: show-1
timezone: Europe/Stockholm
broker: {{url: "mqtt://127.0.0.1:{BROKER_PORT}"}}
clock: {{trust: always}}
voice: {{device: none}}
devices:
  ir:   {{driver: gpio, pin: 22, kind: light, room: bedroom}}
  sign: {{driver: gpio, pin: 23, kind: light, room: bedroom}}
cameras:
  bed: {{room: bedroom, source: csi, lamp: ir.light, indicator: sign.light}}
video:
  nights: {{cameras: [bed], from: 2020-01-01, to: 2099-12-31, views: [clear], ask: never, announce: light}}
"""
FLAT = """\
timezone: Europe/Stockholm
gpio:
  ir:   {pin: 22, kind: light, room: bedroom}
  sign: {pin: 23, kind: light, room: bedroom}
"""
PINS = f"""\
[Service]
Environment=GPIOZERO_PIN_FACTORY=pigpio PIGPIO_ADDR=127.0.0.1 PIGPIO_PORT={PINS_PORT}
"""
ANSWERED_S = 90.0
"""In software."""


def power() -> None:
    """The flat, until this process ends."""
    flat = Path("/run/flat.yaml")
    flat.write_text(FLAT)
    command = [
        sys.executable,
        "-m",
        "homenode.cli",
        "sim",
        "run",
        flat,
        "--control",
        SIM_PORT,
        "--gpio",
        PINS_PORT,
    ]
    flat_runs = subprocess.Popen(map(str, command), stdout=subprocess.PIPE, text=True)
    assert flat_runs.stdout is not None
    assert flat_runs.stdout.readline().startswith("ready"), "the flat has no power"


async def look(camera: str, offer: str) -> str:
    """The node's answer to a viewer's offer. Raises AssertionError: it refuses."""
    loop, answered = asyncio.get_running_loop(), asyncio.Event()
    told: dict[str, Any] = {}
    expires = Zone("UTC").text(Clock().wall() + 3_600_000)
    wish = {"camera": camera, "view": "clear", "reason": "round", "sdp": offer}
    body = {"id": "look-1", "do": "video", "by": "Eva", "expires": expires, "args": wish}

    def came(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        told.update(json.loads(message.payload))
        loop.call_soon_threadsafe(answered.set)

    care = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    care.on_message = came
    care.on_subscribe = lambda *_: care.publish(f"{TOPIC}/command", json.dumps(body), qos=1)
    care.on_connect = lambda *_: care.subscribe(f"{TOPIC}/reply", 1)
    care.connect("127.0.0.1", BROKER_PORT)
    care.loop_start()
    try:
        await asyncio.wait_for(answered.wait(), ANSWERED_S)
    finally:
        care.loop_stop()
    assert told["ok"], told
    return str(told["result"]["sdp"])


async def lit() -> tuple[bool, bool]:
    """Lamp and light, as the lines say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", SIM_PORT)
    levels = []
    for name in ("ir", "sign"):
        writer.write(json.dumps({"do": f"status {name}"}).encode() + b"\n")
        levels.append(bool(json.loads(await reader.readline())["result"]["light"]))
    writer.close()
    return levels[0], levels[1]


async def until_dark(within_s: float) -> float:
    """Seconds until both were off."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while any(await lit()):
        assert loop.time() - began < within_s, f"lit after {within_s} s"
        await asyncio.sleep(0.1)
    return loop.time() - began
