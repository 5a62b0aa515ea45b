"""Plugs on the Wi-Fi: a row a model. A model that has no row is refused, not guessed at.

Models without a meter can only be switched: of a stove behind one nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from homenode.errors import DriverLost
from homenode.reading import Value

Ask = Callable[..., Awaitable[Any]]
Property = tuple[int, int]
"""siid, piid of a MIoT device."""


class Plug(NamedTuple):
    """One model.

    Attributes:
        source: Where the row is from.
        state: Property that says whether it is on, by name (miIO) or number (MIoT).
        power: Property that gives the power, likewise; None if it has no meter.
        meter: Method that gives it instead.
        power_w: Watts that 1 stands for.
    """

    source: str
    state: str | Property
    power: str | Property | None = None
    meter: str = ""
    power_w: float = 1.0

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its points. None has energy: those counters restart, or stand still (hass-xiaomi-miot#118)."""
        return ("switch", "power") if self.power is not None or self.meter else ("switch",)


_CHUANGMI = "python-miio 0.5.12, miio/chuangmi_plug.py"
_STRIP = "python-miio 0.5.12, miio/powerstrip.py"

PLUGS: dict[str, Plug] = {
    "chuangmi.plug.v1": Plug(_CHUANGMI, "on"),
    "chuangmi.plug.v3": Plug(_CHUANGMI, "on", meter="get_power", power_w=0.01),
    "chuangmi.plug.m1": Plug(_CHUANGMI, "power"),
    "chuangmi.plug.m3": Plug(_CHUANGMI, "power"),
    "chuangmi.plug.v2": Plug(_CHUANGMI, "power"),
    "chuangmi.plug.hmi205": Plug(_CHUANGMI, "power"),
    "chuangmi.plug.hmi206": Plug(_CHUANGMI, "power"),
    "chuangmi.plug.hmi208": Plug(_CHUANGMI, "power"),
    "chuangmi.plug.212a01": Plug(
        "al-one/hass-xiaomi-miot#118: 7825 beside a power meter that shows 78.25 W",
        (2, 1),
        (5, 6),
        power_w=0.01,
    ),
    "cuco.plug.v2eur": Plug("miot-spec.org, outlet cuco-v2eur:1: W", (2, 1), (11, 2)),
    "cuco.plug.v3": Plug("al-one/hass-xiaomi-miot, device_customizes.py: W", (2, 1), (11, 2)),
    "zimi.powerstrip.v2": Plug(_STRIP, "power", "power_consume_rate"),
    "qmi.powerstrip.v1": Plug(_STRIP, "power", "power_consume_rate"),
}


async def read(plug: Plug, ask: Ask) -> dict[str, Value]:
    """Its points; one that the device can't tell now is None.

    Raises:
        DriverLost: What came is no answer to this.
    """
    if isinstance(plug.state, str):
        names = [plug.state, *([plug.power] if isinstance(plug.power, str) else [])]
        said = await ask("get_prop", names)
        found = dict(zip(names, said, strict=False)) if isinstance(said, list) else {}
        values: dict[str, Value] = {"switch": _on(found.get(plug.state))}
        if plug.meter:
            said = await ask(plug.meter)
            values["power"] = _watts(plug, said[0] if isinstance(said, list) and said else None)
        elif plug.power is not None:
            values["power"] = _watts(plug, found.get(names[-1]))
        return values
    wanted = {"switch": plug.state, "power": plug.power}
    numbers = {kind: at for kind, at in wanted.items() if isinstance(at, tuple)}
    said = await ask("get_properties", [{"did": k, "siid": s, "piid": p} for k, (s, p) in numbers.items()])
    by_number = _by_number(said)
    values = {"switch": _on(by_number.get(plug.state))}
    if isinstance(plug.power, tuple):
        values["power"] = _watts(plug, by_number.get(plug.power))
    return values


async def switch(plug: Plug, model: str, ask: Ask, to: bool) -> None:
    """Turn it on or off; whether it did is read afterwards."""
    if isinstance(plug.state, tuple):
        siid, piid = plug.state
        await ask("set_properties", [{"did": "switch", "siid": siid, "piid": piid, "value": to}])
    elif model == "chuangmi.plug.v1":
        await ask("set_on" if to else "set_off")
    else:
        await ask("set_power", ["on" if to else "off"])


def _by_number(said: Any) -> dict[Property, Any]:
    if not isinstance(said, list):
        raise DriverLost("answers something else than its properties")
    return {
        (one["siid"], one["piid"]): one.get("value")
        for one in said
        if isinstance(one, dict) and one.get("code") == 0 and {"siid", "piid"} <= one.keys()
    }


def _on(raw: Any) -> bool | None:
    if isinstance(raw, bool):
        return raw
    return {"on": True, "off": False}.get(raw) if isinstance(raw, str) else None


def _watts(plug: Plug, raw: Any) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw) or raw < 0:
        return None
    return round(raw * plug.power_w, 2)
