"""What is known of a driver under test: its devices, and how its hardware is played."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar, Protocol

from homenode.config.model import Device
from homenode.driver import Driver, DriverType
from homenode.kit.listener import PATIENCE_S, Listener


class Hardware(Protocol):
    """What a driver's test plays its hardware with.

    It is real or simulated, never a stand-in for our own code. Beside these it may have `garbage()` (what no
    device of its kind should send) and `flood()` (a thousand changes at once).
    """

    def change(self) -> None:
        """Something happens that the driver must tell as a reading."""
        ...

    def released(self) -> bool:
        """Whether nobody holds the port, the pins or the file any more."""
        ...

    async def unplug(self) -> None:
        """The hardware is gone."""
        ...

    async def plug(self) -> None:
        """It is there again, at the same place."""
        ...


class Bench:
    """A driver, devices of it, and their hardware.

    Attributes:
        options: Of its entry under ``radios:``.
        of: Name of the driver that it is for, where its module has several; else "".
        heavy: Modules of Python or homenode that importing the driver must not import; others never may.
        patience_s: How long is waited for what must come; the machine may be busy.
        spared: Name of a promise (`contract.PROMISES`) that makes no sense for this driver, and why.
    """

    of: ClassVar[str] = ""
    driver: DriverType
    devices: Sequence[Device]
    options: Mapping[str, Any] = {}
    heavy: Sequence[str] = ()
    patience_s: float = PATIENCE_S
    spared: ClassVar[Mapping[str, str]] = {}

    def hardware(self) -> AbstractAsyncContextManager[Hardware]:
        """The hardware, present and working."""
        raise NotImplementedError

    def open(self, host: Listener) -> Driver:
        """The driver, as a node opens it; in the driver's own thread."""
        return self.driver.open("under_test", self.options, self.devices, host)

    def heard_all(self, host: Listener) -> bool:
        """Whether each declared point has been told."""
        return not self.unheard(host)

    def unheard(self, host: Listener) -> list[str]:
        """The declared points of which nothing was told yet."""
        heard = {(said.device, said.kind) for said in list(host.said)}
        points = [(device.name, kind) for device in self.devices for kind in device.kinds or ()]
        return [f"{device}.{kind}" for device, kind in points if (device, kind) not in heard]

    @property
    def module(self) -> str:
        """Where the driver's type is defined."""
        return self.driver.kinds.__module__

    @property
    def code(self) -> str:
        """Its file, or its folder."""
        file = Path(str(sys.modules[self.module].__file__))
        return str(file.parent if file.name == "__init__.py" else file)
