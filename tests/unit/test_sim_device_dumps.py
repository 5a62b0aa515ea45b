"""Any of the real devices that ZHA has dumped becomes a virtual one that answers a whole interview."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from zigpy.zcl.foundation import Status
from zigpy.zdo.types import NodeDescriptor, SizePrefixedSimpleDescriptor

from homenode.sim.zigbee.device import VirtualDevice
from homenode.sim.zigbee.device_dump import device_from_dump, spec_from_dump
from tests.unit.sim_device_air import PaperAir, general, read

DUMPS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "zigbee-devices" / "json"
FILES = sorted(DUMPS.glob("*.json"))


@pytest.fixture(params=FILES or [None], ids=lambda path: path.stem if path else "none")
def dump(request: pytest.FixtureRequest) -> Any:
    if request.param is None:
        pytest.skip(f"no dumps of real devices in {DUMPS}")
    return json.loads(request.param.read_text())


def _zdo(air: PaperAir, device: VirtualDevice, cluster: int, body: bytes = b"") -> bytes:
    asked = b"\x01" + device.network_address.to_bytes(2, "little") + body
    (answer,) = air.tell(device, cluster, asked, endpoint=0, profile=0)
    assert answer.cluster == cluster | 0x8000
    assert answer.payload[:4] == b"\x01\x00" + asked[1:3]
    return answer.payload[4:]


def test_a_dumped_device_answers_the_whole_interview(dump: Any) -> None:
    air = PaperAir()
    device = device_from_dump(dump, air)
    assert device.join()
    node, rest = NodeDescriptor.deserialize(_zdo(air, device, 0x0002))
    assert rest == b""
    assert int(node.logical_type) == device.role
    assert bool(node.is_receiver_on_when_idle) is not device.sleepy
    assert len(_zdo(air, device, 0x0003)) == 2
    listed = _zdo(air, device, 0x0005)
    assert listed[0] == len(listed) - 1 == len(device.spec.endpoints)
    for number in listed[1:]:
        simple, rest = SizePrefixedSimpleDescriptor.deserialize(_zdo(air, device, 0x0004, bytes((number,))))
        assert rest == b""
        for clusters, client in ((simple.input_clusters, False), (simple.output_clusters, True)):
            for cluster in clusters:
                _read_all(air, device, number, int(cluster), client=client)


def _read_all(air: PaperAir, device: VirtualDevice, endpoint: int, cluster: int, *, client: bool) -> None:
    table = device.clients if client else device.servers
    attributes = [*table[endpoint, cluster].attributes, 0xEEEE]
    for id_ in attributes:
        asked = general(0x00, id_.to_bytes(2, "little"), to_client=client)
        profile = next(one.profile for one in device.spec.endpoints if one.number == endpoint)
        (answer,) = air.tell(device, cluster, asked, endpoint=endpoint, profile=profile)
        _, body = read(answer)
        (record,) = body.status_records  # type: ignore[attr-defined]  # zigpy makes its schemas at run time
        wanted = Status.UNSUPPORTED_ATTRIBUTE if id_ == 0xEEEE else Status.SUCCESS
        assert record.status == wanted, (endpoint, cluster, id_)


def test_a_dumped_device_says_what_it_is(dump: Any) -> None:
    device = device_from_dump(dump, PaperAir())
    basics = [cluster for (_, id_), cluster in device.servers.items() if id_ == 0x0000]
    for id_, said in ((0x0004, dump["manufacturer"]), (0x0005, dump["model"])):
        answers = [basic.value(id_) for basic in basics if id_ not in basic.unsupported]
        assert not answers or said in answers


def _new(
    manufacturer: str, model: str, listed: Sequence[int], signature: Mapping[str, Any]
) -> dict[str, Any]:
    """A dump as they are since 2025, of a device over which ZHA had a quirk."""
    clusters = [{"cluster_id": f"0x{one:04x}", "attributes": []} for one in listed]
    endpoint = {"profile_id": 260, "device_type": {"id": 0x0107}, "in_clusters": clusters, "out_clusters": []}
    return {
        "manufacturer": manufacturer,
        "model": model,
        "quirk_applied": True,
        "endpoints": {"1": endpoint},
        "original_signature": signature,
    }


def test_what_a_quirk_took_away_was_on_the_air_and_what_it_put_there_was_not() -> None:
    row = {
        "profile_id": "0x0104",
        "device_type": "0x0051",
        "input_clusters": ["0x0000", "0x0500"],
        "output_clusters": ["0x0019"],
    }
    (endpoint,) = spec_from_dump(_new("M", "N", [0x0000, 0x0406], {"endpoints": {"1": row}})).endpoints
    assert [one.id for one in endpoint.servers] == [0x0000, 0x0500]
    assert [one.id for one in endpoint.clients] == [0x0019]
    assert endpoint.device_type == 0x0051


def test_a_device_with_data_points_lists_no_zone_that_a_quirk_made_of_one() -> None:
    (endpoint,) = spec_from_dump(_new("_TZE284_a", "TS0601", [0, 4, 5, 0xEF00, 0x0500, 1], {})).endpoints
    assert [one.id for one in endpoint.servers] == [0, 4, 5, 0xEF00]
