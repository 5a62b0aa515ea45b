"""The radio as the gateway sees it: start, supervision, pairing, outputs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import zigpy.types
from zigpy.util import convert_install_code

from drivers.zigbee.adapter import adapter_of, baud_of, make_coordinator
from drivers.zigbee.answers import Answers
from drivers.zigbee.backup import given_ms, kept, own
from drivers.zigbee.carried import said_in, take
from drivers.zigbee.devices import Devices
from drivers.zigbee.install_code import read_code
from drivers.zigbee.keeper import Keeper
from drivers.zigbee.port import check_port, explained
from drivers.zigbee.recovery import ladder
from drivers.zigbee.short_path import ShortPath
from drivers.zigbee.supervision import Use
from drivers.zigbee.usb import cycle, socket_of
from drivers.zigbee.watch import DEAF, Ezsp, General, Watch
from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import DriverLost, Refused

log = logging.getLogger("homenode.zigbee")

START_S = 60.0
"""Forming a network scans all channels twice; a start on an existing one takes well below a second."""
LOST_IN_START_S = 3.0
"""A stick that resets once more while it is set up: bellows tries again, 2.5 s a try; but for an answer that
the reset swallowed it would wait 10 s."""
UP_S = 20.0
"""Whoever asks to pair waits so long for a radio that is starting; he is told within 30 s."""
STOP_S = 1.2
"""The gateway gives a driver 1.5 s to release its port."""
FORGOTTEN_S = 1.0
"""What a session leaves behind is a web of cycles, 0.6 MB, that nobody refers to after so long; left to
itself Python looks at it after ten of them. Collecting takes 30 to 45 ms (x86)."""
PERMIT_MOST_S = 254
"""Longest time the standard can keep a network open (2.4.3.3.7); longer ones are opened again."""
_BY_ITSELF = "it is opened again by itself; check cable and power"


class _Loss:
    """Whether the stick is lost, and why.

    Attributes:
        told: Why, once it is lost.
        limit: Of the start, which a loss cuts short.
    """

    def __init__(self) -> None:
        self.told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.limit: asyncio.Timeout | None = None

    def tell(self, fault: BaseException | None) -> None:
        """It is gone, was reset, or does not acknowledge."""
        if self.told.done():
            return
        why = "was reset" if type(fault).__name__ == "NcpFailure" else "is gone"
        if "TIMEOUT" in getattr(getattr(fault, "code", None), "name", ""):  # ASH: nobody acknowledged
            why = "does not answer any more"
        self.told.set_result(f"the stick {why}" + (f" ({fault})" if fault and str(fault) else ""))
        self._cut(LOST_IN_START_S)

    def forget(self) -> None:
        """It was reset on purpose and is set up from the beginning."""
        if self.told.done():
            self.told = asyncio.get_running_loop().create_future()
            self._cut(START_S)

    def _cut(self, after_s: float) -> None:
        if self.limit is not None and self.limit.when() is not None and not self.limit.expired():
            self.limit.reschedule(asyncio.get_running_loop().time() + after_s)


class ZigbeeRadio:
    """One stick and the devices heard through it (`homenode.driver.Driver`).

    Args:
        name: Of its entry under ``radios:``.
        options: The fields of `drivers.zigbee.DRIVER.radio_fields`.
        devices: Those of home.yaml that are heard through it.
        host: The gateway.

    Attributes:
        up: Set while the network runs.
        short_path: Frames on their way, while the network runs.
    """

    def __init__(self, name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> None:
        self.name, self._options, self._host = name, options, host
        self._port = str(options["port"])
        self._take(devices)
        self._up_s: float | None = None
        self._ladder = ladder(f"{host.data}/{name}")
        self._app: Any = None
        self._devices: Devices | None = None
        self._pairing: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self.short_path: ShortPath | None = None
        self.up = asyncio.Event()

    def _take(self, devices: Sequence[Device]) -> None:
        self._names = {str(device.options["ieee"]).lower(): device.name for device in devices}
        self._uses = {
            device.name: Use(
                device.name, device.thing == "stove", device.options.get("unsupervised") == "accepted"
            )
            for device in devices
        }

    async def assign(self, devices: Sequence[Device]) -> None:
        """See `homenode.driver.Assigns.assign`: the network runs on."""
        self._take(devices)
        if self._devices is not None:
            self._devices.assign(self._names, self._uses)

    async def run(self) -> None:
        """Open, form or resume the network, hear devices. See `homenode.driver.Driver.run`."""
        for library in ("zigpy", "bellows", "serialx", "aiosqlite"):
            # what they warn of is told here, once and in plain words
            logging.getLogger(library).setLevel(logging.CRITICAL)
        asyncio.get_running_loop().set_exception_handler(_left_behind)
        try:
            while await self._session():
                pass
        except DriverLost as lost:
            now_s = asyncio.get_running_loop().time()
            ran_for_s = 0.0 if self._up_s is None else now_s - self._up_s
            self._ladder.lost(ran_for_s, now_s, deaf=lost.what == DEAF)
            raise

    async def _session(self) -> bool:
        """One time with the port open. True if a network was formed: then it is to be opened once more."""
        database = self._host.data / f"{self.name}.db"
        facts = self._host.data / f"{self.name}-devices.json"
        ran_before = facts.exists()
        await self._prepare_port(ran_before)
        baud = self._ladder.next_speed(baud_of(self._options))
        app = make_coordinator({**self._options, "baud": baud}, str(database))
        app.kept = await asyncio.to_thread(kept, self._host.data)
        app.given_ms = await asyncio.to_thread(given_ms, self._host.data)
        loss = _Loss()
        app.lost, app.set_up_anew = loss.tell, loss.forget
        try:
            await self._start(app, loss, database, ran_before)
            if app.given_ms is not None:
                log.info("the stick has the network of another box", extra={"radio": self.name})
                await asyncio.to_thread(own, self._host.data)
            if app.formed:
                log.info("network formed", extra={"radio": self.name})
                return True
            if app.kept is not None and (came := await take(app, said_in(app.kept), facts)):
                log.info("devices are known by a backup", extra={"radio": self.name, "devices": came})
            self._speed_found(baud)
            self._up_s = asyncio.get_running_loop().time()
            why = await self._listen(app, facts, loss.told)
        finally:
            self.up.clear()
            self._app = self._devices = self._group = self.short_path = None
            await close(app)
            asyncio.get_running_loop().call_later(FORGOTTEN_S, gc.collect)
        raise DriverLost(why, where=self._port, do=_BY_ITSELF)

    async def _prepare_port(self, ran_before: bool) -> None:
        """See that it is there; where opening it again was not enough, switch its power off and on."""
        lost = self._ladder
        lost.socket = socket_of(self._port) or lost.socket
        if lost.wants_power_cycle(asyncio.get_running_loop().time()):
            socket = lost.socket.name if lost.socket else "none"
            fields = {"radio": self.name, "socket": socket, "failures": lost.failures}
            if lost.socket is None:
                log.warning("its power can't be switched: plug it out and in", extra=fields)
            else:
                log.warning("its power is switched off and on", extra=fields)
                try:
                    await cycle(lost.socket, self._port)
                except OSError as fault:
                    why = {"why": f"{fault.strerror}: {fault.filename}"}
                    log.warning("its power can't be switched: plug it out and in", extra=fields | why)
        check_port(self._port, ran_before=ran_before)

    def _speed_found(self, baud: int) -> None:
        configured = baud_of(self._options)
        if baud != configured and self._ladder.speed != baud:
            fields = {"radio": self.name, "baud": baud, "home.yaml": configured}
            log.warning("the stick answers at another speed: write it into home.yaml", extra=fields)
        self._ladder.speed = baud

    async def _start(self, app: Any, loss: _Loss, database: Path, ran_before: bool) -> None:
        try:
            async with asyncio.timeout(START_S) as limit:
                loss.limit = limit
                await app._load_db()
                await app.startup(auto_form=True)
            loss.limit = None
        except sqlite3.DatabaseError as fault:
            raise _set_aside(database, fault) from fault
        except Exception as fault:
            if limit.expired() and loss.told.done():
                raise DriverLost(loss.told.result(), where=self._port, do=_BY_ITSELF) from fault
            raise explained(fault, self._port, adapter_of(self._options), ran_before=ran_before) from fault

    async def _listen(self, app: Any, facts: Path, lost: asyncio.Future[str]) -> str:
        """Hear devices until the stick is lost; why it is."""
        why = ""
        try:
            why = await self._hear(app, facts, lost)
        except* _Over as over:
            why = str(over.exceptions[0])
        return why

    async def _hear(self, app: Any, facts: Path, lost: asyncio.Future[str]) -> str:
        async with asyncio.TaskGroup() as group:
            self._app, self._group = app, group
            devices = Devices(app, self._names, self._uses, self._host, facts, group)
            self._devices = devices
            path = self._short_path(app, devices, group) if app.has_short_path else None
            if path is None:
                devices.start()
            keeper = self.keeper = Keeper(app, self.name, self._host.data, facts, self._host)
            group.create_task(keeper.run(), name="zigbee backups")
            probe = General(app) if path is None else Ezsp(app._ezsp)
            come_in = (lambda: devices.messages) if path is None else (lambda: path.incoming)
            looking = Watch(probe, come_in, devices.by_address, self._ladder).run()
            watch = group.create_task(looking, name="zigbee watch")
            watch.add_done_callback(lambda task: _told(task, lost))
            self.up.set()
            log.info(
                "network up",
                extra={"radio": self.name, "stick": probe.name, "devices": len(devices.by_address)},
            )
            try:
                raise _Over(await lost)
            finally:
                devices.stop()

    def _short_path(self, app: Any, devices: Devices, group: asyncio.TaskGroup) -> ShortPath:
        """Stand before bellows' own handler, and start."""
        answers, stick = Answers(app), app._ezsp
        path = ShortPath(
            stick.ezsp_version,
            stick.frame_received,
            devices.by_address,
            devices.ear,
            devices.found,
            answers.put,
            devices.touched,
        )
        if stick.ezsp_version >= 8:
            stick.frame_received = path.frame_received
        devices.heard_already = lambda: path.heard_already
        self.short_path = path
        devices.start()
        early, stick.early = stick.early or (), None
        for data in early:  # what zigpy has heard of it already it drops as a repeat
            path.frame_received(data)
        group.create_task(answers.run(), name="zigbee answers")
        return path

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `homenode.driver.Driver.switch`."""
        from drivers.zigbee.outputs import switch

        devices = self._running()
        known = devices.named(device)
        if known is None:
            raise Refused("it has not joined the network", where=device, do="pair it: homenode pair")
        await switch(known, kind, to)
        if kind.startswith("siren"):
            devices.ear.switched(known, kind, to)
        else:
            devices.ask_later(known)

    async def pair(self, seconds: float, install_code: str = "", address: str = "") -> None:
        """See `homenode.driver.Driver.pair`. Right after a start it waits until the network is up.

        Args:
            install_code: As printed on the device: then that one may join, by its own key, and no other.
            address: Its IEEE address, unless the code is scanned and has it.
        """
        code, ieee = read_code(install_code, address) if install_code else (b"", "")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UP_S):
                await self.up.wait()
        devices = self._running()
        assert self._group is not None
        if self._pairing is not None:
            self._pairing.cancel()
            self._pairing = None
        opened = min(int(seconds), PERMIT_MOST_S)
        self._app.by_code = ieee
        try:
            if code:
                await self._app.permit_with_link_key(
                    zigpy.types.EUI64.convert(ieee), convert_install_code(code), opened
                )
                devices.expect(ieee, opened)
            else:
                await self._app.permit(opened)
        except Exception as fault:
            raise Refused(f"the network could not be opened: {fault!r}", where=self._port) from fault
        if seconds > PERMIT_MOST_S and not code:
            self._pairing = self._group.create_task(self._keep_open(seconds - opened), name="zigbee pairing")

    async def dismiss(self, address: str) -> None:
        """See `homenode.driver.Dismisses.dismiss`. A sleepy device hears of it when it asks its parent."""
        self._running().forget(address)
        await self._app.remove(zigpy.types.EUI64.convert(address), remove_children=False)

    async def _keep_open(self, seconds: float) -> None:
        while seconds > 0:
            await asyncio.sleep(PERMIT_MOST_S - 4)
            with contextlib.suppress(Exception):
                await self._app.permit(min(int(seconds), PERMIT_MOST_S))
            seconds -= PERMIT_MOST_S - 4

    def _running(self) -> Devices:
        if self._devices is None:
            raise Refused("the radio is not running", where=self._port, do="try again when it is back")
        return self._devices


_DISK_CODES = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
)  # fmt: skip
"""What SQLite says of a disk, not of what is on it."""


def _told(task: asyncio.Task[str], lost: asyncio.Future[str]) -> None:
    if not task.cancelled() and not lost.done() and task.exception() is None:
        lost.set_result(task.result())


class _Over(Exception):
    """Ends the task group of a session."""


def _set_aside(database: Path, fault: sqlite3.DatabaseError) -> DriverLost:
    if (getattr(fault, "sqlite_errorcode", 0) & 0xFF) in _DISK_CODES:  # it is whole, the disk isn't
        return DriverLost(
            f"its database can't be used: {fault}", where=str(database), do="make room on the disk"
        )
    aside = database.with_suffix(".damaged")
    with contextlib.suppress(OSError):
        database.replace(aside)
    return DriverLost(
        f"its database was damaged ({fault}) and is set aside; devices are found again as they speak",
        where=str(aside),
    )


def _left_behind(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """bellows leaves tasks behind when a stick goes; what they ended with helps nobody."""
    log.debug("left behind", extra={"what": context.get("message"), "why": repr(context.get("exception"))})


async def close(app: Any) -> None:
    """Release port and database, however wedged the stick is.

    The port is dropped, not closed: closing waits for what was written to be sent. Nothing is cancelled
    half-way: a database connection that is cancelled while it closes leaves a thread behind for ever.
    """
    app.lost = None
    if (line := _line(app)) is not None:
        line.abort()
    closing = asyncio.ensure_future(app.shutdown())
    await asyncio.wait((closing,), timeout=STOP_S)
    if closing.done():
        if (fault := closing.exception()) is not None:
            log.debug("radio not closed in order", extra={"why": repr(fault)})
        return
    log.warning("radio not closed in order", extra={"after_s": STOP_S})
    if app._dblistener is not None:
        app._dblistener._db.stop()


def _line(app: Any) -> Any:
    """The serial transport under bellows' layers, or None."""
    return getattr(getattr(app, "ash", None), "_transport", None)
