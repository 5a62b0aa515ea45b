"""Unmodified zigpy on bellows, on a simulated stick in the same event loop; and a device without a mind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bellows.zigbee.application
import zigpy.config as zc
import zigpy.types as zt

from homenode.sim.zigbee.air import Aps, Role
from homenode.sim.zigbee.coordinator import Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import model

CONTACT = 0x00158D0002AABB01
WITHIN_S = 20


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 60))


@asynccontextmanager
async def stack(port: str) -> AsyncIterator[Any]:
    """zigpy on bellows, started; it forms a network where there is none."""
    config = {
        zc.CONF_DEVICE: {zc.CONF_DEVICE_PATH: port, zc.CONF_DEVICE_BAUDRATE: 115200},
        zc.CONF_DATABASE: None,
        zc.CONF_NWK_BACKUP_ENABLED: False,
        zc.CONF_TOPO_SCAN_ENABLED: False,
        "ezsp_config": {},
        "use_thread": False,
    }
    app = await bellows.zigbee.application.ControllerApplication.new(config, auto_form=True)
    try:
        yield app
    finally:
        await app.shutdown()


@asynccontextmanager
async def bench(folder: Path, version: int = 13, **how: Any) -> AsyncIterator[tuple[Coordinator, Any]]:
    """A stick and the stack on it, its network formed in an earlier life of the stack.

    bellows runs callbacks twice in the process life that formed the network, hence the restart.
    """
    async with Coordinator(folder / "stick.json", version=version, pty=folder / "stick", **how) as stick:
        async with stack(str(folder / "stick")):
            pass
        async with stack(str(folder / "stick")) as app:
            yield stick, app


class Ears:
    """What the stack's application is told, waited for by name."""

    def __init__(self, app: Any) -> None:
        self.said: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        app.add_listener(self)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self.said.put_nowait((name, args))

    async def hear(self, name: str, is_it: Callable[..., bool] = lambda *args: True) -> Any:
        async with asyncio.timeout(WITHIN_S):
            while True:
                said, args = await self.said.get()
                if said == name and is_it(*args):
                    return args


async def paired(stick: Coordinator, app: Any, kind: str = "contact") -> VirtualDevice:
    """A device of the catalogue, joined and interviewed."""
    ears = Ears(app)
    await app.permit(60)
    device = VirtualDevice(model(kind), CONTACT, stick)
    assert device.join()
    await ears.hear("device_initialized")
    return device


class Bare:
    """A mains device without a mind: writes down what it hears."""

    role, sleepy, present = Role.ROUTER, False, True

    def __init__(self, ieee: int, *, sleepy: bool = False) -> None:
        self.ieee, self.network_address = ieee, 0xFFFE
        self.heard: list[Aps] = []
        self.in_network, self.grouped = asyncio.Event(), asyncio.Event()
        self.gone = False
        if sleepy:
            self.role, self.sleepy = Role.END_DEVICE, True

    def receive(self, frame: Aps) -> None:
        self.heard.append(frame)
        if frame.group is not None:
            self.grouped.set()

    def joined(self, network_address: int) -> None:
        self.network_address = network_address
        self.in_network.set()

    def removed(self) -> None:
        self.gone = True


async def unicast(app: Any, nwk: int) -> None:
    """Send something to a device and wait until it is acknowledged, or raise DeliveryError."""
    await app.send_packet(
        zt.ZigbeePacket(
            src=zt.AddrModeAddress(addr_mode=zt.AddrMode.NWK, address=0),
            src_ep=1,
            dst=zt.AddrModeAddress(addr_mode=zt.AddrMode.NWK, address=nwk),
            dst_ep=1,
            tsn=1,
            profile_id=0x0104,
            cluster_id=6,
            data=zt.SerializableBytes(b"\x01\x01\x02"),
            tx_options=zt.TransmitOptions.ACK,
            extended_timeout=True,
        )
    )
