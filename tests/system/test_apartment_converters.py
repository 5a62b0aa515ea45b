"""A node on loops, clamps, meters and thermometers of the simulated apartment, up to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_sim_run import Apartment, apartment

pytest.importorskip("pigpio", reason="the extra gpio is not installed")
pytestmark = needs_mosquitto

APARTMENT = """
timezone: Europe/Stockholm
gpio:
  meter:   {pin: 5, kind: energy, pulses: 1000, room: hall}
adc:
  sink:    {adc: mcp3008, channel: 0, kind: water, room: kitchen}
  smoke:   {adc: ads1115, channel: 3, kind: smoke, room: hall}
  cooker:  {adc: ads1115, channel: 0, phases: 3, kind: current, room: kitchen}
w1:
  bedroom: {sensor: 28-0316a2f1c4ff, room: bedroom}
"""
HOME = """
home: wires-1
timezone: Europe/Stockholm
broker: {{url: "{url}"}}
clock: {{trust: always}}
board: zero2w
voice: {{device: none}}
devices:
  meter:   {{driver: gpio, pin: 5, kind: energy, pulses: 1000, start: 100, room: hall}}
  sink:    {{driver: gpio, adc: mcp3008, channel: 0, kind: water, room: kitchen}}
  smoke:   {{driver: gpio, adc: ads1115, channel: 3, kind: smoke, room: hall}}
  cooker:  {{driver: gpio, adc: ads1115, channel: 0, phases: 3, kind: current, room: kitchen}}
  bedroom: {{driver: gpio, sensor: 28-0316a2f1c4ff, kind: temperature, room: bedroom}}
rules:
  - use: water_leak
    bind: {{water: [sink.water]}}
  - use: smoke_alarm
    bind: {{smoke: [smoke.smoke]}}
share: {{care: ["*.*"]}}
"""


@contextmanager
def _flat(folder: Path) -> Iterator[tuple[Apartment, Receiver, Path, dict[str, str]]]:
    with (
        apartment(folder, "--gpio", "0", "--w1", str(folder / "w1"), text=APARTMENT) as sim,
        Mosquitto(folder / "broker", persistent=False) as broker,
        Receiver(broker.port, "hn1/wires-1/care/#") as care,
    ):
        home = folder / "home.yaml"
        home.write_text(HOME.format(url=broker.url))
        env = {
            "GPIOZERO_PIN_FACTORY": "pigpio",
            "PIGPIO_ADDR": "127.0.0.1",
            "PIGPIO_PORT": str(sim.places["gpio"]),
            "HOMENODE_W1": str(folder / "w1"),
        }
        yield sim, care, home, env


def _values(receiver: Receiver, point: str) -> list[object]:
    return [body["value"] for body in receiver.readings(point) if body["how"] == "live"]


def test_a_wet_floor_is_an_alarm_and_a_cut_cable_is_a_fault_and_never_dry(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, care, home, env), NodeProcess(home, tmp_path / "data", env=env) as node:
        care.until(lambda it: _values(it, "sink.water") == [False], "dry")
        sim.do("trip sink")
        care.until(lambda it: it.alerts("notified"), "the alarm")
        sim.do("cut sink")
        care.until(lambda it: _values(it, "sink.water") == [False, True, None], "unknown")
        node.until("the cable is cut")
        assert not care.alerts("resolved")
        sim.do("mend sink")
        sim.do("clear sink")
        care.until(lambda it: _values(it, "sink.water")[-1] is False, "dry")
        assert not node.status()["faults"]
        assert node.stop() == 0


def test_a_smoke_relay_tells_an_alarm_from_a_short_circuit(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, care, home, env), NodeProcess(home, tmp_path / "data", env=env) as node:
        care.until(lambda it: _values(it, "smoke.smoke") == [False], "no smoke")
        sim.do("stuck smoke low")
        care.until(lambda it: _values(it, "smoke.smoke")[-1] is None, "unknown")
        node.until("short circuit")
        assert not care.alerts("notified")
        sim.do("stuck smoke no")
        sim.do("trip smoke")
        care.until(lambda it: it.alerts("notified"), "the alarm")
        assert node.stop() == 0


def test_amperes_and_degrees_arrive_and_a_clamp_that_is_out_is_no_zero(tmp_path: Path) -> None:
    with _flat(tmp_path) as (sim, care, home, env):
        sim.do("measure cooker current_2 5.2")
        sim.do("measure bedroom temperature 18.5")
        with NodeProcess(home, tmp_path / "data", env=env) as node:
            care.until(lambda it: _values(it, "bedroom.temperature") == [18.5], "degrees")
            care.until(lambda it: _values(it, "cooker.current_2"), "amperes")
            (current_a,) = _values(care, "cooker.current_2")
            assert isinstance(current_a, float)
            assert abs(current_a - 5.2) < 0.3
            sim.do("cut cooker")
            care.until(lambda it: _values(it, "cooker.current_2")[-1] is None, "unknown", within_s=25)
            assert node.stop() == 0


def _last(care: Receiver, point: str) -> float:
    return float(_values(care, point)[-1])


def test_a_killed_nodes_meter_is_silent_over_what_it_may_have_told_and_never_steps_back(
    tmp_path: Path,
) -> None:
    with _flat(tmp_path) as (sim, care, home, env):
        with NodeProcess(home, tmp_path / "data", env=env) as node:
            care.until(lambda it: _values(it, "meter.energy") == [100.0], "the start")
            sim.do("measure meter energy 0.020")
            care.until(lambda it: 100.02 in _values(it, "meter.energy"), "20 pulses", within_s=25)
            node.kill()
        before, heard = len(_values(care, "meter.energy")), len(_values(care, "sink.water"))
        with NodeProcess(home, tmp_path / "data", env=env) as node:
            care.until(lambda it: _values(it, "sink.water")[heard:], "its pins are open")
            sim.do("measure meter energy 0.200")
            # of 200 pulses at most the 20 before the kill are lost
            care.until(lambda it: _last(it, "meter.energy") >= 100.18, "what is beyond", within_s=60)
            assert node.stop() == 0
        told_kwh, last_kwh = _values(care, "meter.energy"), _last(care, "meter.energy")
        assert told_kwh == sorted(told_kwh)
        assert told_kwh[before] > 100.02
        assert last_kwh <= 100.2
        with NodeProcess(home, tmp_path / "data", env=env):  # a stop in order loses nothing
            care.until(lambda it: _values(it, "meter.energy")[len(told_kwh) :] == [last_kwh], "the same")
