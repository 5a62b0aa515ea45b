"""zigpy's application for an EZSP stick, with what a node doesn't need left out.

The only module that imports bellows; it is imported when a radio is run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import bellows.ezsp
import bellows.zigbee.application
import zigpy.application
import zigpy.config
import zigpy.types
from bellows.config import CONF_EZSP_CONFIG, CONF_USE_THREAD
from zigpy.device import ZigbeeDevice
from zigpy.exceptions import NetworkNotFormed
from zigpy.zcl import ClusterType

from drivers.zigbee.backup import same_network
from drivers.zigbee.short_path import INCOMING_MESSAGE
from homenode.errors import SetupError

_OTA = 0x0019
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


class Sensor(ZigbeeDevice):  # type: ignore[misc] # zigpy is imported without types
    """A device whose firmware is not asked for: an unanswered read of it would stall the interview."""

    def find_cluster(self, cluster_id: int, cluster_type: ClusterType = ClusterType.Server) -> Any:
        """As zigpy's. Raises ValueError for the firmware cluster, as if the device had none."""
        if cluster_id == _OTA:
            raise ValueError("the firmware of devices is not asked for")
        return super().find_cluster(cluster_id, cluster_type)

    def schedule_group_membership_scan(self) -> None:
        """Nothing: a node uses no groups, and a sleepy device has better to do when it comes back."""


class Coordinator(bellows.zigbee.application.ControllerApplication):  # type: ignore[misc] # as above
    """The coordinator.

    Attributes:
        kept: The latest backup that is kept as a file; None if there is none.
        formed: A network was formed or restored in this run; bellows then hears every frame twice, so start
            again.
        lost: Called when the stick is gone, reset itself or doesn't acknowledge.
        set_up_anew: Called when a reset that we asked for came through: earlier ones don't matter.
        announced: Called when a device joined, came back, or got another network address.
        unknown: Called with a network address that zigpy doesn't know.
        joined_anew: Called when a device joins as if for the first time, before zigpy takes it.
    """

    _opening: asyncio.Task[None] | None = None
    formed = False
    kept: Any = None
    lost: Callable[[BaseException | None], None] | None = None
    set_up_anew: Callable[[], None] | None = None
    announced: Callable[[zigpy.types.EUI64], None] | None = None
    joined_anew: Callable[[zigpy.types.EUI64], None] | None = None
    unknown: Callable[[int], None] | None = None

    async def connect(self) -> None:
        """Open the port and set the stick up."""
        self._ezsp: Any = Stick(self.config[zigpy.config.CONF_DEVICE], self)
        try:
            await self._ezsp.connect(use_thread=self.config[CONF_USE_THREAD])
            await self._ezsp.write_config(self.config[CONF_EZSP_CONFIG])
            self._created_device_endpoints.clear()
            await self.register_endpoints()
        except BaseException:
            await self._ezsp.disconnect()
            self._ezsp = None
            raise

    async def write_network_info(self, **settings: Any) -> None:
        """Write network settings to the stick."""
        self.formed = True
        await super().write_network_info(**settings)

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

    async def runs(self) -> bool:
        """Whether the stick is in its network."""
        (state,) = await self._ezsp.networkState()
        return int(state) == JOINED

    async def found(self) -> Any:
        """The network that the stick holds, as a backup of it; None if it holds none."""
        try:
            await self.load_network_info(load_devices=False)
        except NetworkNotFormed:
            return None
        return self.backups.from_network_state()

    async def initialize(self, *, auto_form: bool = False) -> None:
        """Start the network of this home; never another, and never a new one in its place."""
        known = [backup for backup in (self.kept, self.backups.most_recent_backup()) if backup is not None]
        ours = max(known, key=lambda backup: backup.backup_time, default=None)
        port = self.config[zigpy.config.CONF_DEVICE][zigpy.config.CONF_DEVICE_PATH]
        found = await self.found()
        if found is None:
            (ieee,) = await self._ezsp.getEui64()
            if ours is not None and ours.node_info.ieee != ieee:
                raise SetupError(
                    f"the stick is empty, and not the one that the devices were paired with ({ieee})",
                    where=port,
                    do="homenode radio restore gives it their network; or plug the old stick in",
                )
            if ours is None and len(self.devices) > 0:
                raise SetupError(
                    "the stick has lost its network, and there is no backup",
                    where=port,
                    do="homenode radio restore --backup FILE; or move the radio's folder away and pair anew",
                )
            if ours is not None and ours is not self.backups.most_recent_backup():
                self.backups.add_backup(ours)
        elif ours is not None and not same_network(found, ours):
            raise SetupError(
                "the stick holds another network than the one its devices were paired in",
                where=port,
                do="plug the old stick in; or homenode radio restore --overwrite gives it their network",
            )
        await super().initialize(auto_form=auto_form)

    def add_device(self, ieee: zigpy.types.EUI64, nwk: zigpy.types.NWK) -> ZigbeeDevice:
        """A device that joined or is known."""
        device = Sensor(self, ieee, nwk)
        self.devices[ieee] = device
        return device

    def handle_join(self, nwk: Any, ieee: Any, parent_nwk: Any, *, handle_rejoin: bool = True) -> None:
        """A device joined or announces itself."""
        super().handle_join(nwk, ieee, parent_nwk, handle_rejoin=handle_rejoin)
        if self.announced is not None:
            self.announced(zigpy.types.EUI64(ieee))

    async def _discover_unknown_device(self, nwk: Any) -> None:
        """Instead of zigpy's broadcast for every single frame, which sleepy devices don't even hear."""
        if self.unknown is not None:
            self.unknown(int(nwk))

    def _handle_tc_join_handler(self, nwk: Any, ieee: Any, status: Any, decision: Any, parent: Any) -> None:
        if self.joined_anew is not None and int(status) == _UNSECURED_JOIN:
            self.joined_anew(zigpy.types.EUI64(ieee))
        super()._handle_tc_join_handler(nwk, ieee, status, decision, parent)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The stick is gone, was reset, or does not acknowledge."""
        super().connection_lost(exc)
        if self.lost is not None:
            self.lost(exc)


def configuration(
    port: str, baud: int, flow_control: str, channel: int | None, database: str
) -> dict[str, Any]:
    """zigpy's configuration: no firmware updates, no scans, no watchdog but our own."""
    network = {} if channel is None else {zigpy.config.CONF_NWK_CHANNEL: channel}
    return {
        zigpy.config.CONF_DEVICE: {
            zigpy.config.CONF_DEVICE_PATH: port,
            zigpy.config.CONF_DEVICE_BAUDRATE: baud,
            zigpy.config.CONF_DEVICE_FLOW_CONTROL: flow_control,
        },
        zigpy.config.CONF_DATABASE: database,
        zigpy.config.CONF_DB_COMMIT_INTERVAL: 1.0,
        zigpy.config.CONF_NWK: network,
        zigpy.config.CONF_OTA: {
            zigpy.config.CONF_OTA_ENABLED: False,
            zigpy.config.CONF_OTA_PROVIDERS: [],
            zigpy.config.CONF_OTA_BROADCAST_ENABLED: False,
        },
        zigpy.config.CONF_NWK_BACKUP_ENABLED: False,
        zigpy.config.CONF_TOPO_SCAN_ENABLED: False,
        zigpy.config.CONF_WATCHDOG_ENABLED: False,
        CONF_USE_THREAD: False,
    }
