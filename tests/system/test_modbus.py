"""Meters on Modbus: against pymodbus' own server, over TCP and on a serial line; and a node with one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pymodbus", reason="pymodbus, whose server answers, is not installed")

from drivers.modbus import DRIVER
from drivers.modbus.rows import types
from drivers.modbus_simulated import Meter
from homenode.config.model import Device
from homenode.errors import DriverLost, Refused, SetupError
from homenode.kit.listener import Listener, running
from tests.system.brokers import Mosquitto, free_port, needs_mosquitto
from tests.system.modbus_meters import GONE, SHOWS, meter, on_a_line, over_tcp, radio, served, show
from tests.system.nodes import NodeProcess, Receiver

OWN = """
swapped:
  source: an SDM630 whose words somebody took for the other way round
  function: input
  as: float32
  order: little
  points: {voltage: {at: 0}, power: {at: 0x34}}
longer:
  source: an SDM630, and a register that it has not
  function: input
  as: float32
  points: {voltage: {at: 0}, humidity: {at: 0x40}}
"""


@asynccontextmanager
async def heard(folder: Path, options: dict[str, Any], *devices: Device) -> AsyncIterator[Listener]:
    """While the driver runs."""
    host = Listener(folder)
    async with running(DRIVER.open("bus", options, devices, host)):
        yield host


def play(scene: Any) -> None:
    asyncio.run(asyncio.wait_for(scene, 60))


@pytest.mark.parametrize("sort", types())
def test_each_type_is_read_over_tcp(tmp_path: Path, sort: str) -> None:
    async def scene() -> None:
        port, its = free_port(), meter("meter", 7, sort)
        async with (
            over_tcp(served(7, sort), port=port),
            heard(tmp_path, radio(f"tcp://127.0.0.1:{port}"), its) as host,
        ):
            await host.until(
                lambda host: {said.kind for said in host.said} == set(its.kinds or ()), "each point"
            )
            told = {kind: host.last("meter", kind) for kind in its.kinds or ()}
            assert told == pytest.approx({kind: SHOWS[kind] for kind in told}, abs=0.01)
            assert not host.troubles

    play(scene())


@pytest.mark.parametrize(("sort", "form", "baud"), [("sdm630", "8N1", 9600), ("abb_b23", "8E1", 19200)])
def test_two_units_are_read_on_a_line(tmp_path: Path, sort: str, form: str, baud: int) -> None:
    async def scene() -> None:
        lower = {**SHOWS, "power": 20.0}
        async with on_a_line(tmp_path, served(1, sort), served(2, sort, lower), baud=baud) as (port, server):
            two = (
                meter("flat", 1, sort, points=("power",)),
                meter("laundry", 2, sort, points=("power", "energy")),
            )
            async with heard(tmp_path, radio(port, form=form, baud=baud), *two) as host:
                await host.until(lambda host: len(host.said) == 3, "each point")
                assert [host.last(name, "power") for name in ("flat", "laundry")] == [1500.0, 20.0]
                await show(server, 2, sort, "power", 2300.0)
                await host.until(lambda host: host.last("laundry", "power") == 2300.0, "the change")
                assert not host.troubles

    play(scene())


def test_who_does_not_answer_is_a_fault_of_its_points_and_holds_up_nobody(tmp_path: Path) -> None:
    async def scene() -> None:
        async with on_a_line(tmp_path, served(1, "sdm630")) as (port, server):
            two = (
                meter("flat", 1, "sdm630", points=("power",)),
                meter("gone", GONE, "sdm630", points=("power",)),
            )
            async with heard(tmp_path, radio(port), *two) as host:
                await host.until(lambda host: "gone answers" in host.troubles, "the fault")
                told = host.troubles["gone answers"]
                assert "unit 9: no answer: see its unit number" in told
                assert host.blamed["gone answers"] == {"gone"} or list(host.blamed["gone answers"]) == [
                    "gone"
                ]
                for watts in (1600.0, 1700.0, 1800.0):
                    await show(server, 1, "sdm630", "power", watts)
                    await host.until(
                        lambda host, watts=watts: host.last("flat", "power") == watts, "it goes on"
                    )
                assert not [said for said in host.said if said.device == "gone"]

    play(scene())


def test_one_that_falls_silent_is_unknown_and_then_back(tmp_path: Path) -> None:
    async def scene() -> None:
        port, its = free_port(), meter("meter", 7, "sdm120")
        options = radio(f"tcp://127.0.0.1:{port}")
        async with (
            over_tcp(served(7, "sdm120"), port=port) as server,
            heard(tmp_path, options, its) as host,
        ):
            await host.until(lambda host: len(host.said) == len(its.kinds or ()), "each point")
            with deaf(server):
                await host.until(lambda host: host.last("meter", "power") is None, "unknown")
                assert "meter answers" in host.troubles
            await host.until(lambda host: host.last("meter", "power") == 1500.0, "back")
            assert not host.troubles

    play(scene())


@contextmanager
def deaf(server: Any) -> Iterator[None]:
    """It takes connections, and answers nothing."""
    handlers = list(server.active_connections.values())
    for handler in handlers:
        handler.callback_data = lambda data, addr=None: len(data)
    try:
        yield
    finally:
        for handler in handlers:
            del handler.callback_data


@pytest.mark.parametrize(
    ("sort", "points", "word"),
    [
        ("longer", ("humidity",), "has no such register (exception 2) for input registers 0x0040 to 0x0041"),
        (
            "swapped",
            ("power",),
            "is not between 90 and 300: is it of this type, with its words in this order?",
        ),
        ("em340", ("power",), "is not between 90 and 300"),
    ],
)
def test_a_meter_of_another_type_is_told_as_that_and_nothing_of_it_is_used(
    tmp_path: Path, sort: str, points: tuple[str, ...], word: str
) -> None:
    (tmp_path / "rows.yaml").write_text(OWN)

    async def scene() -> None:
        port = free_port()
        its = meter("meter", 1, sort, points=points, rows=tmp_path / "rows.yaml")
        async with (
            over_tcp(served(1, "sdm630"), port=port),
            heard(tmp_path, radio(f"tcp://127.0.0.1:{port}"), its) as host,
        ):
            await host.until(lambda host: "meter answers" in host.troubles, "the fault")
            assert word in host.troubles["meter answers"]
            await asyncio.sleep(0.5)
            assert not host.said

    play(scene())


def test_a_gateway_without_the_unit_behind_it_is_told_as_that(tmp_path: Path) -> None:
    async def scene() -> None:
        port = free_port()
        async with (
            over_tcp(served(1, "sdm120"), port=port),
            heard(tmp_path, radio(f"tcp://127.0.0.1:{port}"), meter("gone", 2, "sdm120")) as host,
        ):
            await host.until(lambda host: "gone answers" in host.troubles, "the fault")
            assert "unit 2: " in host.troubles["gone answers"]

    play(scene())


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(tmp_path: Path) -> None:
    """Each answer 0.2 s late: all that it ever says is nothing, and never a current as a power."""

    class Late(Meter):
        def write(self, data: bytes) -> None:
            asyncio.get_running_loop().call_later(0.3, super().write, data)

    async def scene() -> None:
        late = Late()
        late.change()
        async with late.hardware():
            its = meter("meter", 1, "sdm630")
            options = radio(late.places["PORT"], answer_within=200, silent_after=1_500)
            async with heard(tmp_path, options, its) as host:
                await host.until(lambda host: "meter answers" in host.troubles, "the fault")
                assert "no answer" in host.troubles["meter answers"]
                assert not host.said

    play(scene())


def test_noise_on_the_line_is_no_reading(tmp_path: Path) -> None:
    async def scene() -> None:
        noisy = Meter()
        noisy.change()
        async with noisy.hardware():
            options = radio(noisy.places["PORT"])
            async with heard(tmp_path, options, meter("meter", 1, "sdm630")) as host:
                for _ in range(20):
                    noisy.garbage()
                    await asyncio.sleep(0.05)
                await host.until(lambda host: host.said, "a reading")
                volts = {round(said.value or 0, 1) for said in host.said if said.kind == "voltage"}
                assert volts == {230.4}

    play(scene())


@pytest.mark.parametrize(
    ("port", "error", "word"),
    [
        ("/dev/nowhere", DriverLost, "no such port"),
        ("FILE", SetupError, "is no serial port"),
        ("tcp://127.0.0.1:PORT", DriverLost, "no answer"),
    ],
)
def test_a_port_that_cannot_be_used_is_told_as_that(
    tmp_path: Path, port: str, error: type[Exception], word: str
) -> None:
    (tmp_path / "file").write_text("")
    where = port.replace("FILE", str(tmp_path / "file")).replace("PORT", str(free_port()))

    async def scene() -> None:
        with pytest.raises(error, match=word):
            await DRIVER.open("bus", radio(where), (meter("meter", 1, "sdm120"),), Listener(tmp_path)).run()

    play(scene())


def test_it_switches_and_pairs_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        driver = DRIVER.open("bus", radio("/dev/nowhere"), (meter("meter", 1, "sdm120"),), Listener(tmp_path))
        for what in (driver.switch("meter", "power", True), driver.pair(60)):
            with pytest.raises(Refused):
                await what

    play(scene())


HOME = """
home: meter-1
timezone: Europe/Stockholm
clock: {{trust: always}}
broker: {{url: "mqtt://127.0.0.1:{broker}"}}
radios:
  bus: {{driver: modbus, port: "tcp://127.0.0.1:{port}", every: 1 s}}
devices:
  meter: {{via: bus, unit: 1, type: em340, points: [current, current_2, current_3], room: hall}}
rules:
  - {{use: cooker, bind: {{current: [meter.current, meter.current_2, meter.current_3]}}}}
"""
COOKER = """
rule: cooker
version: 1
severity: alarm
to: [care]
roles:
  current: {kind: current, many: true}
when: any(current > 9 A) for 1 s
clear: not any(current > 9 A)
steps:
  - {after: 0 s, do: notify}
says: {sv: "Spisen är på", en: "The stove is on"}
"""


@needs_mosquitto
def test_a_meter_of_the_flat_becomes_an_alert(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/cooker.yaml").write_text(COOKER)
    port, cooks, over = free_port(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with over_tcp(served(1, "em340"), port=port) as server:
            while not over.is_set():
                await asyncio.sleep(0.05)
                await show(server, 1, "em340", "current_2", 12.0 if cooks.is_set() else 0.5)

    with Mosquitto(tmp_path / "broker") as broker, Receiver(broker.port, "hn1/#") as receiver:
        (tmp_path / "home.yaml").write_text(HOME.format(broker=broker.port, port=port))
        serves = threading.Thread(target=asyncio.run, args=(serve(),))
        serves.start()
        try:
            with NodeProcess(tmp_path / "home.yaml", tmp_path / "data") as node:
                node.until("link up")
                cooks.set()
                receiver.until(lambda r: r.alerts("notified"), "the alert")
                cooks.clear()
                receiver.until(lambda r: r.alerts("resolved"), "its end")
                node.stop()
        finally:
            over.set()
            serves.join()
