"""Drivers in a process of their own: for what blocks, is native, or may crash.

The driver is written like any other; its type says where it is to be made::

    DRIVER = DriverType(…, open=own_process("my_package.driver:Meter"))

A crash or a hang is then a fault of its devices only, and it is started again with back-off. It costs about
15 MB. `last_heard` knows what was known at the start and what it said itself; with a clock that is played
faster than real, a reading should be given no instant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from homenode.config.model import Device
from homenode.driver import Driver, Host


def own_process(made_by: str) -> Callable[[str, Mapping[str, Any], Sequence[Device], Host], Driver]:
    """For ``open=`` of a `DriverType`.

    Args:
        made_by: ``MODULE:NAME`` of what makes the driver there, given what ``open`` is given.
    """

    def opened(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
        from homenode.apart.parent import Apart

        return Apart(made_by, name, options, devices, host)

    return opened
