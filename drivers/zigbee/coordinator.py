"""zigpy's application for an EZSP stick, with what a node doesn't need left out.

The only module that imports bellows; it is imported when a radio is run.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any

import bellows.ezsp
import bellows.zigbee.application
import zigpy.application
import zigpy.config
import zigpy.types
from bellows.ash import DataFrame
from bellows.config import CONF_EZSP_CONFIG

from drivers.zigbee.everyday_ash import stand_before
from drivers.zigbee.home_network import HomeNetwork
from drivers.zigbee.short_path import INCOMING_MESSAGE

log = logging.getLogger("homenode.zigbee")

_DENY = 2
"""EmberJoinDecision.DENY_JOIN."""
_DO = "compare the address printed on it with the one that was given; each device has its own install code"
_UNSECURED_JOIN = 1
"""EmberDeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN: as a new device, not as one that knows us."""
STARTUP_RESET_WAIT_S = 0.3
"""A stick behind a daemon (zigbeed) resets when somebody connects: RSTACK comes at once or not at all."""


JOINED = 2
"""State of a network that runs (UG100, networkState): without one a stick answers, and hears no device."""
EARLY_MOST = 64
"""Messages kept of a start."""


class Stick(bellows.ezsp.EZSP):  # type: ignore[misc] # bellows is imported without types
    """bellows' EZSP, without the 2 s that it waits on every TCP port for a reset by itself.

    Attributes:
        early: Messages that came while the network was being started and nobody listened yet: the stick has
            acknowledged them, so their devices won't send them again. None once somebody listens.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.early: deque[bytes] | None = deque(maxlen=EARLY_MOST)

    def frame_received(self, data: bytes) -> None:
        """A frame of the stick."""
        if self.early is not None and data[3:5] == INCOMING_MESSAGE:
            self.early.append(bytes(data))
        super().frame_received(data)

    async def startup_reset(self) -> None:
        """Reset the stick and agree on a version, in up to three tries."""
        if self.early is not None:
            self.early.clear()
        await super().startup_reset()
        if self._application.set_up_anew is not None:
            self._application.set_up_anew()

    async def _startup_reset(self) -> None:
        if self.is_tcp_serial_port:
            try:
                async with asyncio.timeout(STARTUP_RESET_WAIT_S):
                    await self._gw.wait_for_startup_reset()
                self.start_ezsp()
            except TimeoutError:
                pass
        if not self.is_ezsp_running:
            await self.reset()
        await self.version()
        await self.get_xncp_features()


class Coordinator(HomeNetwork, bellows.zigbee.application.ControllerApplication):  # type: ignore[misc] # as above
    """The coordinator."""

    has_short_path = True
    _opening: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Open the port and set the stick up."""
        self._ezsp: Any = Stick(self.config[zigpy.config.CONF_DEVICE], self)
        try:
            await self._ezsp.connect(use_thread=False)
            stand_before(self.ash)
            await self._ezsp.write_config(self.config[CONF_EZSP_CONFIG])
            self._created_device_endpoints.clear()
            await self.register_endpoints()
        except BaseException:
            await self._ezsp.disconnect()
            self._ezsp = None
            raise

    @property
    def ash(self) -> Any:
        """bellows' protocol of the line, None while there is none."""
        gateway = getattr(getattr(self._ezsp, "_gw", None), "_obj", None)
        return getattr(gateway, "_transport", None)

    async def write(self, data: bytes) -> None:
        """Have the stick acknowledge a frame, in the task of who asks: bellows makes one for each."""
        await self.ash._send_data_frame(DataFrame(frm_num=None, re_tx=None, ack_num=None, ezsp_frame=data))

    async def permit(self, time_s: int = 60, node: Any = None) -> None:
        """Let devices join that know the key all devices know."""
        self._open_with(self._ezsp.pre_permit(time_s))
        await zigpy.application.ControllerApplication.permit(self, time_s, node)

    async def permit_with_link_key(self, node: Any, link_key: Any, time_s: int = 60) -> None:
        """Let one device join, that knows this key, and nobody else."""
        self._open_with(None)
        await super().permit_with_link_key(node, link_key, time_s)
        self._open_with(self._close_after(time_s))

    def _open_with(self, work: Coroutine[Any, Any, None] | None) -> None:
        """bellows leaves what ends an earlier permission running; it would end this one too."""
        if self._opening is not None:
            self._opening.cancel()
        self._opening = None if work is None else self.create_task(work, "permission to join")

    async def _close_after(self, time_s: int) -> None:
        await asyncio.sleep(time_s)
        await self._ezsp.clearTransientLinkKeys()
        await self._ezsp.pre_permit(0)

    async def own_ieee(self) -> zigpy.types.EUI64:
        """The address of the stick, network or not."""
        (ieee,) = await self._ezsp.getEui64()
        return zigpy.types.EUI64(ieee)

    async def runs(self) -> bool:
        """Whether the stick is in its network."""
        (state,) = await self._ezsp.networkState()
        return int(state) == JOINED

    def _handle_tc_join_handler(self, nwk: Any, ieee: Any, status: Any, decision: Any, parent: Any) -> None:
        if self.joined_anew is not None and int(status) == _UNSECURED_JOIN:
            self.joined_anew(zigpy.types.EUI64(ieee))
        if self.by_code and int(decision) == _DENY:
            log.warning(
                "refused: another device may join",
                extra={"device": str(ieee), "may": self.by_code, "do": _DO},
            )
        super()._handle_tc_join_handler(nwk, ieee, status, decision, parent)
