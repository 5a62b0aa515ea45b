"""Asks each plug how it is, tells what is new, and switches it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from drivers.miio import plugs
from drivers.miio.link import Asked, Link, Offline, WrongToken
from drivers.miio.token import read_token
from homenode.config.model import Device
from homenode.driver import Host, Joined
from homenode.errors import DriverLost, HomenodeError, Refused
from homenode.reading import Value

LOST_AFTER = 2
"""Rounds without an answer until it is said: one is a hiccup of the Wi-Fi."""
REPEAT_S = 60.0
"""A value that stays is told again so often; between, the device counts as heard."""
STALE_AFTER_MS = 300_000
"""At least five rounds are missed by then, with the longest `every`."""
STEP_W, STEP_PART = 1.0, 0.02
"""Power is told anew when it moved by this, or this part of itself: what the meter of a plug resolves."""


class _Plug:
    """One plug.

    Attributes:
        checked: Its model was asked for, and is the one of home.yaml.
        told: What was last told, and when in s.
    """

    def __init__(self, device: Device) -> None:
        options = device.options
        self.name, self.address, self.model = device.name, str(options["address"]), str(options["type"])
        self.file, self.every_s = options["token_file"], options["every"] / 1000
        self.row = plugs.PLUGS[self.model]
        self.link: Link | None = None
        self.checked = False
        self.missed = 0
        self.told: dict[str, tuple[Value, float]] = {}

    def news(self, kind: str, value: Value, now_s: float) -> bool:
        """Whether it is to be told."""
        if kind not in self.told:
            return True
        before, at_s = self.told[kind]
        if now_s - at_s >= REPEAT_S or value is None or before is None or isinstance(value, bool):
            return value != before or now_s - at_s >= REPEAT_S
        return abs(float(value) - float(before)) >= max(STEP_W, STEP_PART * abs(float(before)))


class MiioDriver:
    """All plugs of a home."""

    def __init__(self, devices: Sequence[Device], host: Host) -> None:
        self._plugs = {device.name: _Plug(device) for device in devices}
        self._host = host

    async def run(self) -> None:
        """See `Driver.run`. Each plug has its own troubles; none ends the driver."""
        try:
            async with asyncio.TaskGroup() as group:
                for plug in self._plugs.values():
                    group.create_task(self._follow(plug), name=plug.name)
        finally:
            for plug in self._plugs.values():
                if plug.link is not None:
                    plug.link.close()

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`; afterwards the plug is asked whether it did."""
        plug = self._plugs.get(device)
        if plug is None or kind != "switch":
            raise Refused("is no output", where=f"{device}.{kind}", do="name the switch of a plug")
        if plug.link is None or not plug.checked:
            raise DriverLost("has not answered yet", where=f"{device}.{kind}")
        await plugs.switch(plug.row, plug.model, plug.link.ask, to)
        values = await plugs.read(plug.row, plug.link.ask)
        self._tell(plug, values)
        if values["switch"] is not to:
            raise Refused(
                f"the plug at {plug.address} took the order and did not follow",
                where=f"{device}.{kind}",
                do="press its button; if that doesn't help, replace it",
            )

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused(
            "a plug on the Wi-Fi is not paired here",
            do="add it to the Wi-Fi with the vendor's app, then name its address and token in home.yaml",
        )

    async def _follow(self, plug: _Plug) -> None:
        while True:
            try:
                await self._ask(plug)
            except HomenodeError as error:
                self._failed(plug, error)
            await asyncio.sleep(plug.every_s)

    async def _ask(self, plug: _Plug) -> None:
        if plug.link is None:
            plug.link = Link(plug.address, read_token(plug.file))
        if not plug.checked:
            await self._check(plug, plug.link)
        self._tell(plug, await plugs.read(plug.row, plug.link.ask))
        plug.missed = 0
        for trouble in ("offline", "token", "answer", "model"):
            self._host.back(f"{plug.name} {trouble}")

    async def _check(self, plug: _Plug, link: Link) -> None:
        """That it is what home.yaml says. The answer also holds the token and the name of the Wi-Fi."""
        info = await link.ask("miIO.info")
        model = info.get("model") if isinstance(info, dict) else None
        if model != plug.model:
            raise _OtherModel(
                f"it says that it is {_shown(model)}, and home.yaml that it is {plug.model}",
                where=plug.address,
                do=f"look whether {plug.address} is another device's address, or correct type:",
            )
        plug.checked = True
        maker = plug.model.partition(".")[0]
        self._host.joined(Joined(plug.address, plug.name, maker, plug.model, plug.row.kinds, STALE_AFTER_MS))

    def _tell(self, plug: _Plug, values: dict[str, Value]) -> None:
        now_s = asyncio.get_running_loop().time()
        quiet = True
        for kind, value in values.items():
            if plug.news(kind, value, now_s):
                plug.told[kind] = value, now_s
                self._host.heard(plug.name, kind, value)
                quiet = False
        if quiet:
            self._host.alive(plug.name)

    def _failed(self, plug: _Plug, error: HomenodeError) -> None:
        """One trouble at a time: what changed its name is a new one."""
        plug.missed += 1
        plug.checked = False  # whoever comes back may be another
        kind = next((word for sort, word in _TROUBLES if isinstance(error, sort)), "token")
        if kind == "token" and plug.link is not None:
            plug.link.close()
            plug.link = None  # the file is read again: somebody may have corrected it
        if kind in ("offline", "answer") and plug.missed < LOST_AFTER:
            return
        for _, other in _TROUBLES:
            if other != kind:
                self._host.back(f"{plug.name} {other}")
        self._host.lost(f"{plug.name} {kind}", f"{plug.name}: {error}", (plug.name,))


class _OtherModel(DriverLost):
    """Another device than home.yaml says."""


_TROUBLES: tuple[tuple[type[HomenodeError], str], ...] = (
    (Offline, "offline"),
    (WrongToken, "token"),
    (_OtherModel, "model"),
    (Asked, "answer"),
    (DriverLost, "answer"),
)


def _shown(model: object) -> str:
    return model[:40] if isinstance(model, str) and model else "nothing that it has a name for"
