"""What home.yaml may say of a wired device: a pin, a channel of a converter, or a thermometer's number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drivers.gpio.kinds import (
    ANALOG,
    CHANNELS,
    COUNTED,
    LOOPS,
    MOST_CHIPS,
    ON_PINS,
    SHORTEST_PULSE_MS,
    WIRINGS,
)
from homenode.config.fields import Field
from homenode.config.model import Device

FIXED_PULL_UP = (2, 3)
"""BCM pins with 1.8 kΩ to 3V3 on every Raspberry Pi (they are I²C)."""

FIELDS = (
    Field(
        "kind",
        "word",
        "What is wired to it",
        required=True,
        choices=(*WIRINGS, *COUNTED, "current", "temperature"),
    ),
    Field("pin", "whole", "BCM number of the GPIO", low=2, high=27),
    Field("pull", "word", "Resistor of the chip; by kind if absent", choices=("up", "down", "none")),
    Field("active", "word", "Level at which the point is true; by kind if absent", choices=("low", "high")),
    Field(
        "debounce",
        "duration",
        "How long a level must last to count; by kind if absent",
        low=0,
        high=300,
        shown="0.05 s",
    ),
    Field("adc", "word", "Converter that a supervised loop or a clamp hangs on", choices=tuple(CHANNELS)),
    Field(
        "chip",
        "whole",
        "Which converter: chip select of an MCP3008, address above 0x48 of an ADS1115",
        low=0,
        high=3,
    ),
    Field(
        "channel", "whole", "Channel of the converter; of a clamp on three phases the first", low=0, high=7
    ),
    Field("phases", "whole", "Clamps on neighbouring channels, one a phase", low=1, high=3),
    Field("amps_per_volt", "number", "What a clamp's 1 V stands for: 30 for an SCT-013-030", low=1, high=500),
    Field("pulses", "whole", "Pulses of a meter for one kWh or m³, as its label says", low=1, high=100_000),
    Field("start", "number", "What the meter showed when it was wired, in kWh or m³", low=0, high=1e9),
    Field(
        "sensor",
        "text",
        "Number of a thermometer on the 1-Wire bus",
        pattern=r"(?:10|22|28|3b|42)-[0-9a-f]{12}",
        shown="its folder's name in /sys/bus/w1/devices, such as 28-0316a2f1c4ff",
    ),
)

ON = {"pin": ("pull", "active", "debounce"), "adc": ("chip", "channel", "active"), "sensor": ()}
"""Where a device can be wired, and which fields then have a meaning."""
Wrong = tuple[str, str, str]


def wrong(devices: Sequence[Device]) -> Sequence[Wrong]:
    """Channels used twice, and options that don't go together: (device, field, why). Pins: see `needs`."""
    found: list[Wrong] = []
    owners: dict[object, str] = {}
    for device in devices:
        if device.options.get("kind") not in (*WIRINGS, *COUNTED, "current", "temperature"):
            continue  # already a mistake of its own
        found += _of_one(device)
        for field, place, shown in _places(device):
            if place in owners:
                found.append(
                    (device.name, field, f"{shown} is used by {owners[place]}; each device has its own")
                )
            owners.setdefault(place, device.name)
    return found


def needs(options: Mapping[str, Any]) -> list[tuple[str, int | str]]:
    """What a device takes of the header."""
    taken: list[tuple[str, int | str]] = []
    if options.get("pin") is not None:
        taken.append(("pin", int(options["pin"])))
    if options.get("adc") is not None:
        taken.append(("adc", {"mcp3008": "spi0", "ads1115": "i2c1"}[options["adc"]]))
    if options.get("sensor") is not None:
        taken.append(("sensor", "w1"))
    return taken


def _places(device: Device) -> Iterator[tuple[str, object, str]]:
    """Field, what may be used once, and its name."""
    options = device.options
    if options.get("sensor") is not None:
        yield "sensor", options["sensor"], f"the thermometer {options['sensor']}"
    if options.get("adc") is not None and options.get("channel") is not None:
        for channel in range(options["channel"], options["channel"] + (options.get("phases") or 1)):
            chip = options.get("chip") or 0
            yield "channel", (options["adc"], chip, channel), f"channel {channel} of {options['adc']} {chip}"


def _of_one(device: Device) -> Iterator[Wrong]:
    options, name = device.options, device.name
    kind = str(options["kind"])
    where = [place for place in ON if options.get(place) is not None]
    usual = "sensor" if kind == "temperature" else "adc" if kind in ANALOG else "pin"
    if not where:
        also = " (or adc, with channel, for a supervised loop)" if kind in LOOPS else ""
        yield name, usual, f"a {kind} needs {usual}{also}"
        return
    if len(where) > 1:
        yield name, where[1], f"wired to {where[0]} or to {where[1]}, not both"
        return
    on = where[0]
    fits = {"pin": ON_PINS, "adc": (*LOOPS, *ANALOG), "sensor": ("temperature",)}[on]
    if kind not in fits:
        yield name, on, f"a {kind} is wired to {usual}"
        return
    own = {
        *ON[on],
        *(("pulses", "start") if kind in COUNTED else ()),
        *(("phases", "amps_per_volt") if kind in ANALOG else ()),
    }
    own -= {"active"} if kind in ANALOG else set()
    strange = {field for fields in ON.values() for field in fields} | {
        "pulses",
        "start",
        "phases",
        "amps_per_volt",
    }
    for field in sorted(strange - own):
        if options.get(field) is not None:
            yield name, field, f"has no meaning for a {kind} on {on}"
    if on == "pin":
        yield from _of_a_pin(device, kind)
    elif on == "adc":
        yield from _of_a_channel(device)


def _of_a_pin(device: Device, kind: str) -> Iterator[Wrong]:
    options, name = device.options, device.name
    pin, pull, debounce_ms = options["pin"], options.get("pull"), options.get("debounce")
    usual = WIRINGS[kind].pull if kind in WIRINGS else "up"
    if kind in WIRINGS and WIRINGS[kind].output:
        if pull is not None:
            yield name, "pull", f"{kind} is an output and has no pull"
    elif pin in FIXED_PULL_UP and (pull or usual) != "up":
        yield name, "pin", f"pin {pin} has a fixed pull-up on the board; use another pin"
    if kind in COUNTED:
        if options.get("pulses") is None:
            yield name, "pulses", "a meter needs the pulses for one kWh or m³ of its label"
        if debounce_ms is not None and debounce_ms >= SHORTEST_PULSE_MS[kind]:
            yield (
                name,
                "debounce",
                f"its pulses may be as short as {SHORTEST_PULSE_MS[kind]} ms, and none would count",
            )


def _of_a_channel(device: Device) -> Iterator[Wrong]:
    options, name = device.options, device.name
    adc, channel, chip = options["adc"], options.get("channel"), options.get("chip") or 0
    if channel is None:
        yield name, "channel", f"which channel of the {adc}, 0 to {CHANNELS[adc] - 1}"
    elif channel + (options.get("phases") or 1) > CHANNELS[adc]:
        yield name, "channel", f"an {adc} has the channels 0 to {CHANNELS[adc] - 1}"
    if chip >= MOST_CHIPS[adc]:
        yield name, "chip", f"of {adc} there are at most {MOST_CHIPS[adc]}, 0 to {MOST_CHIPS[adc] - 1}"
