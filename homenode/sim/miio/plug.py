"""Plugs: what their methods answer. Those with numbers for properties (MIoT) and those with names (miIO)."""

from __future__ import annotations

from typing import Any

from homenode.sim.miio.peer import NoMethod

METERS = {
    "chuangmi.plug.v3": 100,
    "chuangmi.plug.212a01": 100,
    "cuco.plug.v2eur": 1,
    "cuco.plug.v3": 1,
    "zimi.powerstrip.v2": 1,
    "qmi.powerstrip.v1": 1,
}
"""Model to how many counts a watt is in its answer; others have no meter."""
BY_NUMBER: dict[str, dict[tuple[int, int], str]] = {
    "chuangmi.plug.212a01": {(2, 1): "on", (5, 6): "power"},
    "cuco.plug.v2eur": {(2, 1): "on", (11, 2): "power"},
    "cuco.plug.v3": {(2, 1): "on", (11, 2): "power"},
}
BY_NAME = {
    "chuangmi.plug.v1": "on",
    "chuangmi.plug.v3": "on",
    "chuangmi.plug.m1": "power",
    "chuangmi.plug.m3": "power",
    "chuangmi.plug.v2": "power",
    "chuangmi.plug.hmi205": "power",
    "chuangmi.plug.hmi206": "power",
    "chuangmi.plug.hmi208": "power",
    "zimi.powerstrip.v2": "power",
    "qmi.powerstrip.v1": "power",
}
"""Model to the name of its switch: a boolean where it is ``on``, a word where it is ``power``."""
MODELS = (*BY_NAME, *BY_NUMBER)


class PlugState:
    """One plug. `obeys`: False for one whose relay is stuck."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.on, self.power_w, self.obeys = False, 0.0, True

    def answer(self, method: str, params: Any) -> Any:
        """The result of a method.

        Raises:
            NoMethod: This model has none such.
        """
        if self.model in BY_NUMBER:
            return self._by_number(method, params)
        if method == "get_prop":
            return [self._property(str(name)) for name in params]
        if method == "get_power" and self.model == "chuangmi.plug.v3":
            return [self._counts()]
        if self.model == "chuangmi.plug.v1" and method in ("set_on", "set_off"):
            self._set(method == "set_on")
        elif self.model != "chuangmi.plug.v1" and method == "set_power" and params in (["on"], ["off"]):
            self._set(params == ["on"])
        else:
            raise NoMethod
        return ["ok"]

    def _property(self, name: str) -> Any:
        if name == "temperature":
            return 31
        if name == "power_consume_rate" and "powerstrip" in self.model:
            return round(self.power_w, 2) if self.on else 0.0
        if name != BY_NAME[self.model]:
            return None
        return self.on if name == "on" else "on" if self.on else "off"

    def _by_number(self, method: str, params: Any) -> Any:
        table = BY_NUMBER[self.model]
        if method not in ("get_properties", "set_properties"):
            raise NoMethod
        answers = []
        for one in params:
            what = table.get((one.get("siid"), one.get("piid")))
            said = {name: one.get(name) for name in ("did", "siid", "piid")}
            if what is None:
                answers.append({**said, "code": -4001})
            elif method == "get_properties":
                answers.append({**said, "code": 0, "value": self.on if what == "on" else self._counts()})
            elif what == "on" and isinstance(one.get("value"), bool):
                self._set(one["value"])
                answers.append({**said, "code": 0})
            else:
                answers.append({**said, "code": -4005})
        return answers

    def _counts(self) -> int:
        return round(self.power_w * METERS[self.model]) if self.on else 0

    def _set(self, on: bool) -> None:
        if self.obeys:
            self.on = on
