"""A simulated stick with devices, in a thread of its own, so that a test reads as one thing after another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from homenode.sim.zigbee.coordinator import Coordinator
from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_catalogue import model

T = TypeVar("T")


class Sticks:
    """A coordinator that runs while the `with` lasts.

    Args:
        folder: For its state and its port, which is `port`.
        version: EZSP protocol version.
    """

    def __init__(self, folder: Path, *, version: int = 13, tcp: bool = False) -> None:
        self.port = folder / "stick"
        self.stick = Coordinator(
            folder / "stick.json", version=version, pty=self.port, tcp=0 if tcp else None
        )
        self.devices: dict[str, VirtualDevice] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated stick", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.stick.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.run(self.stick.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        """Await something over there."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    def do(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call something over there: a verb of a device, a fault."""

        async def there() -> T:
            return call(*args, **kwargs)

        return self.run(there())

    def add(self, kind: str, ieee: int) -> VirtualDevice:
        """A device of the catalogue, not yet on the network."""
        device = self.do(VirtualDevice, model(kind), ieee, self.stick)
        self.devices[kind] = device
        return device
