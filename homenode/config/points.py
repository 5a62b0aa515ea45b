"""Which points a home can have, and what a misspelt one probably was meant to be (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from homenode.config.model import Device
from homenode.config.notes import listed, nearest
from homenode.config.values import POINT
from homenode.kinds import KINDS, kind_of

_PATTERN = re.compile(r"(?P<device>\*|[a-z0-9_-]{1,64})\.(?P<kind>\*|[a-z][a-z0-9_]*)")


def why_no_point(name: str, devices: Mapping[str, Device]) -> tuple[str, str]:
    """What is accepted in place of `name`, and a suggestion; ("", "") if the home has this point."""
    device, _, kind = name.rpartition(".")
    if not re.fullmatch(POINT, name):
        return _shape(name, device, kind, devices)
    thing = devices.get(device)
    if thing is None:
        meant = nearest(device, devices)
        return (
            f"a point of a device of this home: {listed(devices)}",
            f"{meant}.{_near_kind(kind, devices[meant])}" if meant else "",
        )
    if thing.kinds is not None and kind not in thing.kinds:
        shown = listed((f"{device}.{known}" for known in thing.kinds), most=8)
        return shown, f"{device}.{_near_kind(kind, thing)}"
    if kind_of(kind) is None:
        return f"{device}.KIND, KIND one of {listed(KINDS, most=40)}", _joined(device, nearest(kind, KINDS))
    return "", ""


def why_no_pattern(text: str, devices: Mapping[str, Device]) -> tuple[str, str]:
    """As `why_no_point`, for an entry of ``share``: ``*`` stands for any device, or any kind."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        device, _, kind = text.rpartition(".")
        accepted, suggestion = _shape(text, device, kind, devices)
        return f'{accepted}; or with * for any device or any kind, such as "*.battery"', suggestion
    device, kind = match["device"], match["kind"]
    if device != "*" and device not in devices:
        return f"a device of this home: {listed(devices)}", _joined(nearest(device, devices), kind)
    if kind == "*":
        return "", ""
    if kind_of(kind) is None:
        return f"KIND one of {listed(KINDS, most=40)}", _joined(device, nearest(kind, KINDS))
    return why_no_point(text, devices) if device != "*" else ("", "")


def _shape(name: str, device: str, kind: str, devices: Mapping[str, Device]) -> tuple[str, str]:
    """`name` isn't even DEVICE.KIND."""
    if name in devices:
        kinds = devices[name].kinds
        return f"a point DEVICE.KIND, such as {name}.{kinds[0] if kinds else 'contact'}", ""
    meant = nearest(device, devices) if device else ""
    likely = _joined(meant, nearest(kind, KINDS))  # that itself where the device's own name is the mistake
    return "a point DEVICE.KIND, such as stove.power", likely if likely != name else ""


def _near_kind(kind: str, device: Device) -> str:
    kinds = device.kinds if device.kinds is not None else tuple(KINDS)
    if kind in kinds or (device.kinds is None and kind_of(kind)):
        return kind
    return nearest(kind, kinds) or (kinds[0] if device.kinds else kind)


def _joined(device: str, kind: str) -> str:
    return f"{device}.{kind}" if device and kind else ""
