"""The simulated miIO devices are devices to unmodified python-miio, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import python_miio
from tests.system.miio_devices import TOKEN, own_address
from tests.system.python_miio import says
from tests.system.test_sim_run import Apartment, apartment

pytestmark = pytest.mark.peers

PLACES = {name: own_address() for name in ("stove", "cuco", "hub", "multimode")}
APARTMENT = f"""
miio:
  stove:     {{model: chuangmi.plug.v3, address: {PLACES["stove"]}, token: "{TOKEN.hex()}", room: kitchen}}
  cuco:      {{model: cuco.plug.v2eur, address: {PLACES["cuco"]}, token: "{TOKEN.hex()}", room: kitchen}}
  hub:       {{model: lumi.gateway.v3, address: {PLACES["hub"]}, token: "{TOKEN.hex()}", room: hall}}
  sink:      {{model: sensor_wleak.aq1, under: hub, sid: 158d00019a0003, room: kitchen}}
  multimode: {{model: lumi.gateway.mgl03, address: {PLACES["multimode"]}, token: "{TOKEN.hex()}", room: hall}}
  door:      {{model: sensor_magnet.aq2, under: multimode, sid: 158d00019a0001, room: hall}}
"""


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apartment]:
    python_miio.install_or_skip()
    folder: Path = tmp_path_factory.mktemp("miio")
    with apartment(folder, text=APARTMENT) as running:
        yield running


def _plug(token: str = TOKEN.hex()) -> str:
    return f"miio.ChuangmiPlug({PLACES['stove']!r}, {token!r})"


def test_a_plug_by_name(sim: Apartment) -> None:
    sim.do("operate stove switch on")
    sim.do("measure stove power 1234.5")
    told = says(f"(lambda it: [it.info().model, it.status().power, it.status().load_power])({_plug()})")
    assert told == ["chuangmi.plug.v3", True, 1234.5]
    assert says(f"{_plug()}.off()") == ["ok"]
    assert sim.do("status stove")["switch"] is False


def test_a_plug_by_number(sim: Apartment) -> None:
    sim.do("operate cuco switch on")
    sim.do("measure cuco power 55")
    numbers = "{'on': {'siid': 2, 'piid': 1}, 'watts': {'siid': 11, 'piid': 2}}"
    cuco = f"miio.MiotDevice({PLACES['cuco']!r}, {TOKEN.hex()!r}, mapping={numbers})"
    told = says(f"{cuco}.get_properties_for_mapping()")
    assert {one["did"]: one["value"] for one in told} == {"on": True, "watts": 55}
    assert says(f"{cuco}.set_property('on', False)")[0]["code"] == 0
    assert sim.do("status cuco")["switch"] is False


def test_the_gateways_know_their_sensors_and_of_water_there_is_no_state(sim: Apartment) -> None:
    known = (
        "{sid: [it.zigbee_model, it.status] for sid, it in miio.Gateway(%r, %r).discover_devices().items()}"
    )
    told = says(known % (PLACES["hub"], TOKEN.hex()))
    assert told == {"lumi.158d00019a0003": ["lumi.sensor_wleak.aq1", {}]}
    told = says(known % (PLACES["multimode"], TOKEN.hex()))
    assert told == {"lumi.158d00019a0001": ["lumi.sensor_magnet.aq2", {"is_open": False}]}  # a default


def test_a_wrong_token_and_a_dead_address_are_said_as_little_as_that(sim: Apartment) -> None:
    assert says(f"{_plug('ff' * 16)}.send('get_prop', ['on'])") == "No response from the device"
    dead = f"miio.ChuangmiPlug({own_address()!r}, {TOKEN.hex()!r}).info()"
    assert says(dead).startswith("Unable to discover the device")


@pytest.mark.parametrize("fault", ["other_id", "spoof"])
def test_it_takes_what_is_no_answer_of_its_own(sim: Apartment, fault: str) -> None:
    """Why it isn't used (decision 10)."""
    sim.do(f"misbehave stove {fault}")
    try:
        assert says(f"{_plug()}.send('get_prop', ['on'])") in ([True], [False])
    finally:
        sim.do("misbehave stove no")
