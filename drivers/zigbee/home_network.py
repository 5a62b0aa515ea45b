"""What every stick's application is here, whatever its protocol: zigpy's, for one home and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import zigpy.application
import zigpy.config
import zigpy.types
from zigpy.device import ZigbeeDevice
from zigpy.exceptions import NetworkNotFormed
from zigpy.zcl import ClusterType

from drivers.zigbee.backup import counter_increment, same_network
from homenode.errors import Refused, SetupError

_OTA = 0x0019
COMMIT_S = 1800.0
"""So long zigpy gathers what devices reported before it writes it down: nothing here reads it, and each time
costs the card some ten pages. Who joins and leaves is written at once."""


class Sensor(ZigbeeDevice):  # type: ignore[misc] # zigpy is imported without types
    """A device whose firmware is not asked for: an unanswered read of it would stall the interview."""

    def find_cluster(self, cluster_id: int, cluster_type: ClusterType = ClusterType.Server) -> Any:
        """As zigpy's. Raises ValueError for the firmware cluster, as if the device had none."""
        if cluster_id == _OTA:
            raise ValueError("the firmware of devices is not asked for")
        return super().find_cluster(cluster_id, cluster_type)

    def schedule_group_membership_scan(self) -> None:
        """Nothing: a node uses no groups, and a sleepy device has better to do when it comes back."""


class HomeNetwork(zigpy.application.ControllerApplication):  # type: ignore[misc] # as above
    """The network of one home, on a stick of any kind.

    Attributes:
        has_short_path: Its frames can be heard before zigpy has looked at them.
        kept: The latest backup that is kept as a file; None if there is none.
        given_ms: When that was given to this box, for any empty stick; None if it is the box's own.
        formed: A network was formed or restored in this run; bellows then hears every frame twice, so start
            again.
        lost: Called when the stick is gone, reset itself or doesn't acknowledge.
        set_up_anew: Called when a reset that we asked for came through: earlier ones don't matter.
        announced: Called when a device joined, came back, or got another network address.
        unknown: Called with a network address that zigpy doesn't know.
        joined_anew: Called when a device joins as if for the first time, before zigpy takes it.
        by_code: IEEE address of the device that alone may join, by its install code; "" if anybody may.
    """

    has_short_path = False
    formed = False
    kept: Any = None
    given_ms: int | None = None
    lost: Callable[[BaseException | None], None] | None = None
    set_up_anew: Callable[[], None] | None = None
    announced: Callable[[zigpy.types.EUI64], None] | None = None
    joined_anew: Callable[[zigpy.types.EUI64], None] | None = None
    unknown: Callable[[int], None] | None = None
    by_code = ""

    async def write_network_info(self, **settings: Any) -> None:
        """Write network settings to the stick."""
        self.formed = True
        await super().write_network_info(**settings)

    async def runs(self) -> bool:
        """Whether the stick is in its network."""
        return True

    async def own_ieee(self) -> zigpy.types.EUI64:
        """The address of a stick that has no network; UNKNOWN where it can't be asked."""
        return zigpy.types.EUI64.UNKNOWN

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
            ieee = await self.own_ieee()
            if ours is not None and self.given_ms is not None:
                await self.take_over(ours, self.given_ms)
            elif ours is not None and ours.node_info.ieee != ieee:
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
            if ours is not None and self.given_ms is None and ours is not self.backups.most_recent_backup():
                self.backups.add_backup(ours)
        elif ours is not None and not same_network(found, ours):
            raise SetupError(
                "the stick holds another network than the one its devices were paired in",
                where=port,
                do="plug the old stick in; or homenode radio restore --overwrite gives it their network",
            )
        await super().initialize(auto_form=auto_form)

    async def take_over(self, what: Any, wall_ms: int) -> Any:
        """Give the stick in the port the network of a backup; what it says of it then.

        Args:
            wall_ms: Until when devices may have heard the former stick.

        Raises:
            Refused: It doesn't take it.
        """
        increment = counter_increment(what, wall_ms)
        await self.backups.restore_backup(what, counter_increment=increment)
        now = self.backups.most_recent_backup()
        if now.node_info.ieee != what.node_info.ieee or not same_network(now, what):
            raise Refused(
                f"the stick did not take the network over: it says {now.node_info.ieee}",
                where=self.config[zigpy.config.CONF_DEVICE][zigpy.config.CONF_DEVICE_PATH],
                do="update its firmware and try again, or take another stick",
            )
        return now

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

    def connection_lost(self, exc: BaseException | None) -> None:
        """The stick is gone, was reset, or does not acknowledge."""
        super().connection_lost(exc)
        if self.lost is not None:
            self.lost(exc)


def configuration(
    port: str, baud: int, flow_control: str | None, channel: int | None, database: str
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
        zigpy.config.CONF_DB_COMMIT_INTERVAL: COMMIT_S,
        zigpy.config.CONF_NWK: network,
        zigpy.config.CONF_OTA: {
            zigpy.config.CONF_OTA_ENABLED: False,
            zigpy.config.CONF_OTA_PROVIDERS: [],
            zigpy.config.CONF_OTA_BROADCAST_ENABLED: False,
        },
        zigpy.config.CONF_NWK_BACKUP_ENABLED: False,
        zigpy.config.CONF_TOPO_SCAN_ENABLED: False,
        zigpy.config.CONF_WATCHDOG_ENABLED: False,
    }
