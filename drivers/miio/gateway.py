"""A lumi.gateway.v3 with its sensors: asked over miIO who it is and whom it knows, heard on the network.

Over miIO the gateway tells no state of a door, motion, water or smoke sensor (python-miio, which has all that
is known of it, reads thermometers and plugs only), so those come from its local protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from drivers.miio import lan
from drivers.miio.link import Link, WrongToken
from drivers.miio.token import read_token
from homenode.config.model import Device
from homenode.driver import Host, Joined
from homenode.errors import DriverLost, Refused, SetupError
from homenode.reading import Value

MODEL = "lumi.gateway.v3"
QUIET_ROUNDS = 2
"""After so many without a word of any sort it is asked over miIO whether it is there."""
SILENT_AFTER_S = 65.0
"""It says every 10 s that it is there; after 65 s without the vendor calls it gone."""
NO_MOTION_S = 125.0
"""It says ``no_motion`` after 120 s; this is for when that gets lost."""
ALARMS = ("water", "smoke", "gas")


class _Sensor:
    """One sensor.

    Attributes:
        seen_s: When it last said motion.
        fresh: It has just shown that it lives, so what the gateway knows of it holds now.
    """

    def __init__(self, device: Device) -> None:
        self.name = device.name
        self.sid, self.model = str(device.options["sid"]).lower(), str(device.options["type"])
        self.sort = lan.SORTS[self.model]
        self.seen_s: float | None = None
        self.fresh = False


class GatewayDriver:
    """One gateway."""

    def __init__(self, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> None:
        self._name, self._options, self._host = name, options, host
        self._sensors = {sensor.sid: sensor for sensor in map(_Sensor, devices)}
        self._address, self._every_s = str(options["address"]), options["every"] / 1000
        self._heard_s = self._any_s = 0.0
        self._asks: asyncio.DatagramTransport | None = None

    async def run(self) -> None:
        """See `Driver.run`."""
        link = Link(self._address, read_token(self._options["token_file"]))
        try:
            async with contextlib.AsyncExitStack() as stack:
                stack.callback(link.close)
                await self._know(link)
                await self._listen(stack)
                self._heard_s = self._any_s = self._now()
                self._begin()
                while True:
                    for sensor in self._sensors.values():
                        if sensor.sort.cached:
                            self._ask(sensor.sid)
                    await self._watch(link)
        finally:
            self._asks = None

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`."""
        raise Refused("is a sensor and can't be switched", where=f"{device}.{kind}")

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused(
            "its sensors are not paired from here",
            where=self._name,
            do="add them with the vendor's app, then name their sid in home.yaml; or pair them with a Zigbee"
            " stick, which needs no gateway",
        )

    async def _know(self, link: Link) -> None:
        """Who it is, and that it knows the sensors of home.yaml."""
        try:
            info = await link.ask("miIO.info")
        except WrongToken as error:
            raise SetupError(error.what, where=error.where, do=error.do) from error
        model = info.get("model") if isinstance(info, dict) else None
        if model != MODEL:
            raise SetupError(
                f"it says that it is {str(model)[:40]}, and only {MODEL} tells on the local network what its"
                " sensors say",
                where=self._address,
                do="correct the address, or pair the sensors with a Zigbee stick",
            )
        listed = await link.ask("get_device_prop", ["lumi.0", "device_list"])
        known = {str(one).removeprefix("lumi.") for one in listed[::5]} if isinstance(listed, list) else set()
        for sensor in self._sensors.values():
            trouble = f"{sensor.name} unknown"
            if sensor.sid not in known:
                knows = ", ".join(sorted(known)[:20]) or "none"
                why = (
                    f"{sensor.name}: the gateway at {self._address} doesn't know {sensor.sid}"
                    f" (it knows {knows}; add the sensor with the app, or correct sid:)"
                )
                self._host.lost(trouble, why, (sensor.name,))
                continue
            self._host.back(trouble)
            self._host.joined(Joined(sensor.sid, sensor.name, "lumi", sensor.model, sensor.sort.kinds))

    async def _watch(self, link: Link) -> None:
        """Until it is asked again: how long ago it said anything, and whether it is still there."""
        await asyncio.sleep(self._every_s)
        now_s = self._now()
        for sensor in self._sensors.values():
            if sensor.seen_s is not None and now_s - sensor.seen_s >= NO_MOTION_S:
                sensor.seen_s = None
                self._host.heard(sensor.name, "motion", False)
        if now_s - self._any_s >= QUIET_ROUNDS * self._every_s:
            await link.ask("miIO.info")  # Offline, if it is gone
            self._any_s = self._now()
        if now_s - self._heard_s < SILENT_AFTER_S:
            return
        names = tuple(sensor.name for sensor in self._sensors.values())
        self._host.lost(
            f"{self._name} unheard",
            f"the gateway at {self._address} answers, but nothing that it says of its sensors arrives"
            " (switch on its local network protocol in the app; if it is on, the Wi-Fi keeps multicast back)",
            names,
        )

    def _begin(self) -> None:
        """Motion of before the start ends, too."""
        for sensor in self._sensors.values():
            before = self._host.last_heard(sensor.name, "motion")
            if before is not None and before[0] is True:
                sensor.seen_s = self._now()

    async def _listen(self, stack: contextlib.AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()
        try:
            asks, _ = await loop.create_datagram_endpoint(
                lambda: _Ear(self._came), remote_addr=(self._address, lan.PORT), family=socket.AF_INET
            )
            stack.callback(asks.close)
            ours = asks.get_extra_info("sockname")[0]
            hears, _ = await loop.create_datagram_endpoint(lambda: _Ear(self._came), sock=_group(ours))
            stack.callback(hears.close)
        except OSError as error:
            raise DriverLost(
                f"can't listen on the local network ({error.strerror or error})",
                where=f"{lan.GROUP}:{lan.PORT}",
                do="see that the network is up",
            ) from error
        self._asks = asks

    def _ask(self, sid: str) -> None:
        if self._asks is not None:
            with contextlib.suppress(OSError):  # unreachable: `_watch` finds out
                self._asks.sendto(lan.question(sid))

    def _came(self, raw: bytes, sender: str) -> None:
        if sender != self._address:
            return  # a neighbour's gateway, or anybody
        said = lan.read(raw)
        if said is None:
            return
        self._any_s = self._now()
        if said.command in ("report", "heartbeat"):
            self._heard_s = self._now()
            self._host.back(f"{self._name} unheard")
        sensor = self._sensors.get(said.sid)
        if sensor is None or said.command not in ("report", "heartbeat", "read_ack"):
            return
        if said.model != sensor.model:
            why = f"{sensor.name}: {sensor.sid} is a {said.model[:40]}, and home.yaml says {sensor.model}"
            self._host.lost(f"{sensor.name} model", f"{why} (correct type:)", (sensor.name,))
            return
        self._host.back(f"{sensor.name} model")
        if said.command == "read_ack":
            self._recalled(sensor, said)
        else:
            self._told(sensor, said)

    def _told(self, sensor: _Sensor, said: lan.Said) -> None:
        """By the sensor itself, now."""
        values = lan.values(sensor.sort, said)
        for kind, value in values.items():
            self._host.heard(sensor.name, kind, value)
            if kind == "motion":
                sensor.seen_s = self._now() if value else None
        self._host.alive(sensor.name)
        if sensor.sort.cached and sensor.sort.kind and sensor.sort.kind not in values:
            sensor.fresh = True
            self._ask(sensor.sid)

    def _recalled(self, sensor: _Sensor, said: lan.Said) -> None:
        """What the gateway heard last, however long ago: no sign of life, but news if it differs."""
        values = lan.values(sensor.sort, said)
        fresh, sensor.fresh = sensor.fresh, False
        for kind, value in values.items():
            if kind == "battery":
                continue
            before = self._host.last_heard(sensor.name, kind)
            if fresh or self._news(kind, value, before):
                self._host.heard(sensor.name, kind, value)

    @staticmethod
    def _news(kind: str, value: Value, before: tuple[Value, int] | None) -> bool:
        """A report of it got lost; or, where nothing is known, it is an alarm."""
        if before is None:
            return value is True and kind in ALARMS
        return value is not None and value != before[0]

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class _Ear(asyncio.DatagramProtocol):
    """Hands on what comes."""

    def __init__(self, came: Any) -> None:
        self._came = came

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._came(data, addr[0])

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there just now."""


def _group(ours: str) -> socket.socket:
    """In the multicast group, on the interface that leads to the gateway; others here may be in it, too."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind(("", lan.PORT))
        group = socket.inet_aton(lan.GROUP) + socket.inet_aton(ours)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    except OSError:
        made.close()
        raise
    return made
