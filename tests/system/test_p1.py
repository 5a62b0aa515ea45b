"""The driver of the meter's port, on a pseudo-terminal; and a node with it."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drivers.p1 import DRIVER
from homenode.config.fields import filled
from homenode.config.model import Device
from homenode.errors import DriverLost, HomenodeError, SetupError
from homenode.kit.listener import Listener, running
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.meters import COOKING, QUIET, RECORDED, Meter, at_another_speed, telegram
from tests.system.node_inside import written
from tests.system.nodes import NodeProcess, Receiver

ALL = DRIVER.kinds({"phases": "3"}) or ()


def device(**options: object) -> Device:
    return Device(
        "meter",
        "p1",
        "hall",
        "p1",
        options=filled(DRIVER.device_fields, **{"at_most_every": 0, **options}),
        kinds=ALL,
    )


def radio(port: Path, **options: object) -> dict[str, Any]:
    return filled(DRIVER.radio_fields, port=str(port), **options)


def _why(folder: Path, *sends: bytes, every_s: float = 0.02, baud: int = 115200) -> HomenodeError:
    """What the driver says of a port on which this comes."""

    async def play() -> HomenodeError:
        with Meter(folder / "p1", *sends, every_s=every_s) as meter:
            options = radio(meter.port, silent_after=700, baud=baud)
            with pytest.raises(DriverLost) as lost:
                async with asyncio.timeout(20):
                    await DRIVER.open("p1", options, (device(),), Listener(folder)).run()
            return lost.value

    return asyncio.run(play())


def _heard(folder: Path, *sends: bytes, until: Any, options: Mapping[str, Any] = {}) -> Listener:
    async def play() -> Listener:
        host = Listener(folder)
        with Meter(folder / "p1", *sends) as meter:
            driver = DRIVER.open("p1", radio(meter.port), (device(**options),), host)
            async with running(driver):
                await host.until(until, "what the meter says")
        return host

    return asyncio.run(play())


def _has(kind: str, value: object) -> Any:
    return lambda host: any(said[1:3] == (kind, value) for said in host.said)


@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recorded telegrams in {RECORDED}")
@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("kam5_2022-04-08_leading_crlf.txt", {"power": 2202, "current": 8.3, "current_2": 0.4,
         "current_3": 1.4, "power_2": 1947, "voltage_3": 239.1, "energy": 60995.424, "energy_2": 0}),
        ("lgf5e360_2021-02-22_solar_export.txt", {"power": -20, "power_2": -12, "power_3": -71,
         "power_4": 63, "energy": 896.02, "energy_2": 48.792, "current": 0.6}),
        ("v4_2.txt", {"power": 2027, "energy": 3016.829, "current_2": 6, "power_3": 1247}),
        ("v5.txt", {"power": 244, "energy": 6.825, "energy_2": 2.444, "current": 0.48, "voltage": 230}),
    ],
)  # fmt: skip
def test_telegrams_of_real_meters_are_read(tmp_path: Path, file: str, wanted: dict[str, float]) -> None:
    raw = (RECORDED / file).read_bytes()
    host = _heard(tmp_path, raw, until=lambda host: {said.kind for said in host.said} >= set(wanted))
    assert {kind: host.last("meter", kind) for kind in wanted} == wanted


def test_a_port_opened_in_the_middle_of_a_telegram_loses_only_that(tmp_path: Path) -> None:
    host = _heard(tmp_path, telegram(COOKING)[100:], telegram(COOKING), until=_has("power", 2202.0))
    assert not [said for said in host.said if said.value is None]


def test_a_telegram_without_its_end_is_not_used_and_the_next_is(tmp_path: Path) -> None:
    host = _heard(
        tmp_path, telegram({"1.7.0": "0009.999*kW"})[:-40], telegram(COOKING), until=_has("power", 2202.0)
    )
    assert not _has("power", 9999.0)(host)


def test_half_lines_and_single_bytes_make_a_telegram_too(tmp_path: Path) -> None:
    whole = telegram(COOKING)
    cuts = [whole[at : at + 60] for at in range(0, len(whole), 60)]

    async def play() -> None:
        host = Listener(tmp_path)
        with Meter(tmp_path / "p1", *cuts, every_s=0.01) as meter:
            async with running(DRIVER.open("p1", radio(meter.port), (device(),), host)):
                await host.until(_has("power", 2202.0), "the telegram")

    asyncio.run(play())


def test_one_changed_digit_is_never_a_reading(tmp_path: Path) -> None:
    bad = telegram(COOKING).replace(b"0002.202", b"0009.202")
    host = _heard(tmp_path, bad, telegram(), until=_has("power", 244.0))
    assert not _has("power", 9202.0)(host)


def test_silence_makes_its_points_unknown_and_says_what_to_do(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        with Meter(tmp_path / "p1") as meter:
            options = radio(meter.port, silent_after=1500)
            task = asyncio.ensure_future(DRIVER.open("p1", options, (device(),), host).run())
            await host.until(lambda host: {said.kind for said in host.said} == set(ALL), "each point")
            meter.say(b"")
            with pytest.raises(DriverLost, match=r"the meter is silent.*P1/HAN port") as lost:
                async with asyncio.timeout(10):
                    await task
            assert lost.value.where == str(meter.port)
        assert all(host.last("meter", kind) is None for kind in ALL)

    asyncio.run(play())


def test_a_line_that_vanishes_from_the_telegram_is_unknown_and_not_as_before(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        with Meter(tmp_path / "p1", telegram(COOKING)) as meter:
            async with running(DRIVER.open("p1", radio(meter.port), (device(),), host)):
                await host.until(_has("current", 8.3), "the current")
                meter.say(telegram({"31.7.0": ""}))
                await host.until(lambda host: host.last("meter", "current") is None, "its end")
                await host.until(lambda host: host.last("meter", "power") == 244.0, "the rest")

    asyncio.run(play())


@pytest.mark.parametrize(("sent", "read"), [(9600, 115200), (115200, 9600), (2400, 115200)])
def test_a_wrong_baud_rate_is_told_as_that(tmp_path: Path, sent: int, read: int) -> None:
    error = _why(tmp_path, at_another_speed(telegram() * 3, sent, read), baud=read)
    assert f"make no text at {read} baud" in error.what
    assert f"set baud: {9600 if read == 115200 else 115200}" in error.do


def test_noise_is_told_as_that_and_nothing_of_it_is_a_reading(tmp_path: Path) -> None:
    noise = random.Random(6)
    error = _why(tmp_path, *(noise.randbytes(500) for _ in range(50)))
    assert "make no text" in error.what


def test_a_meter_that_sends_no_checksum_is_told_as_that(tmp_path: Path) -> None:
    old = telegram()
    error = _why(tmp_path, old[: old.rindex(b"!") + 1] + b"\r\n")
    assert "without a checksum" in error.what


def test_checksums_that_are_all_wrong_are_told_as_that(tmp_path: Path) -> None:
    assert "none with its checksum right" in _why(tmp_path, telegram().replace(b"230.0", b"231.0", 1)).what


def test_frames_of_the_norwegian_kind_are_told_as_that(tmp_path: Path) -> None:
    frame = bytes.fromhex("7ea0870113ee9ee6e7000f40000000") + bytes(range(128, 228)) + b"\x7e"
    assert "DLMS" in _why(tmp_path, frame).what


def test_text_without_an_end_is_told_as_that(tmp_path: Path) -> None:
    assert "no whole telegram" in _why(tmp_path, telegram()[:-60]).what


def test_a_port_that_is_no_serial_port_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p1").write_text("")

    async def play() -> None:
        with pytest.raises(SetupError, match="is no serial port"):
            await DRIVER.open("p1", radio(tmp_path / "p1"), (device(),), Listener(tmp_path)).run()

    asyncio.run(play())


def test_a_port_that_another_program_uses_is_told_as_that(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        with Meter(tmp_path / "p1") as meter:
            options = radio(meter.port)
            async with running(DRIVER.open("p1", options, (device(),), host)):
                await host.until(lambda host: host.said, "a reading")
                with pytest.raises(SetupError, match="another program has it open"):
                    await DRIVER.open("p1", options, (device(),), Listener(tmp_path)).run()

    asyncio.run(play())


def test_a_telegram_a_second_does_not_make_a_reading_a_second(tmp_path: Path) -> None:
    """Ten a second here; what jitters below what is worth a reading is told once."""
    jitter = [
        telegram({"1.7.0": f"0000.24{n}*kW", "32.7.0": f"230.{n}*V", "31.7.0": f"000.4{n}*A"})
        for n in range(9)
    ]

    async def play() -> None:
        host = Listener(tmp_path)
        with Meter(tmp_path / "p1", *jitter, every_s=0.05) as meter:
            async with running(DRIVER.open("p1", radio(meter.port), (device(),), host)):
                await host.until(lambda host: host.said, "a reading")
                first = meter.sent
                while meter.sent < first + 30:  # noqa: ASYNC110 - the meter tells nobody
                    await asyncio.sleep(0.05)
        assert sorted(said.kind for said in host.said) == sorted(ALL)

    asyncio.run(play())


def test_what_changes_all_the_time_is_told_at_most_so_often_and_then_as_it_is(tmp_path: Path) -> None:
    async def play() -> None:
        host = Listener(tmp_path)
        with Meter(tmp_path / "p1") as meter:
            often = device(at_most_every=1_000)
            async with running(DRIVER.open("p1", radio(meter.port), (often,), host)):
                await host.until(lambda host: host.said, "a reading")
                meter.say(*(telegram({"1.7.0": f"000{n}.000*kW"}) for n in (3, 5, 1, 9)))
                await host.until(
                    lambda host: sum(said.kind == "power" for said in host.said) == 3, "readings"
                )
        told = [said.at or 0 for said in host.said if said.kind == "power"]
        assert all(later - sooner >= 1_000 for sooner, later in itertools.pairwise(told))

    asyncio.run(play())


HOME = """
home: meter-1
timezone: Europe/Stockholm
clock: {{trust: always}}
broker: {{url: "mqtt://127.0.0.1:{port}"}}
radios:
  p1: {{driver: p1, port: "{p1}", silent_after: 2 s}}
devices:
  meter: {{via: p1, room: hall, at_most_every: 0 s}}
rules:
  - {{use: cooker, bind: {{current: [meter.current, meter.current_2, meter.current_3]}}}}
share: {{care: [meter.energy]}}
"""
COOKER = """
rule: cooker
version: 1
severity: alarm
to: [care]
roles:
  current: {kind: current, many: true}
when: any(current > 5 A) for 1 s
clear: not any(current > 5 A)
steps:
  - {after: 0 s, do: notify}
says: {sv: "Spisen är på", en: "The stove is on"}
"""


@needs_mosquitto
def test_a_meter_becomes_an_alert_and_a_gap_counts_nothing_twice(tmp_path: Path) -> None:
    """Through a gap the energy goes on from the meter's own register; unplugged it is a fault meanwhile."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/cooker.yaml").write_text(COOKER)
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Meter(tmp_path / "p1", telegram()) as meter,
        Receiver(broker.port, "hn1/#") as receiver,
    ):
        (tmp_path / "home.yaml").write_text(HOME.format(port=broker.port, p1=meter.port))
        with NodeProcess(tmp_path / "home.yaml", tmp_path / "data") as node:
            receiver.until(lambda r: r.readings("meter.energy"), "the energy")
            meter.say(telegram(COOKING))
            receiver.until(lambda r: r.alerts("notified"), "the alert")
            meter.pull_out()
            node.until("unplugged")
            meter.plug_in()
            meter.say(telegram({"1.8.0": "00060997.000*kWh"}))
            receiver.until(lambda r: r.alerts("resolved"), "its end")
            receiver.until(
                lambda r: r.readings("meter.energy")[-1]["value"] == 60997.0,
                "the energy after the gap",
            )
            node.stop()
    energies = [r["v"] for r in written(tmp_path, "r") if r["p"] == "meter.energy" and r["v"]]
    assert set(energies) == {float(QUIET["1.8.0"].removesuffix("*kWh")), 60997.0}
