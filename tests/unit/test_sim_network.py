"""What the simulated stick keeps, and what its stack answers by itself, read with zigpy's types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import zigpy.types as zt
import zigpy.zdo.types as zdo
from hypothesis import given
from hypothesis import strategies as st

from homenode.errors import SetupError, StorageError
from homenode.sim.zigbee.air import Role
from homenode.sim.zigbee.coordinator_self import Self, answer
from homenode.sim.zigbee.ezsp_setup import Endpoint
from homenode.sim.zigbee.network import COUNTER_STEP, LinkKey, Member, Network, load, save

IEEE = 0x000D6F0012345678
LAMP, SENSOR = 0x00158D0002AABB01, 0x00158D0002AABB02


def network() -> Network:
    return Network(
        IEEE, True, 0x1A62, 0x0102030405060708, 15, key="4e" * 16, key_counter=5,
        link_keys={3: LinkKey(LAMP, "4c" * 16)}, tokens={"7:0": "ff"},
        members={LAMP: Member(LAMP, 0x1111, Role.ROUTER, False),
                 SENSOR: Member(SENSOR, 0x2222, Role.END_DEVICE, True, LAMP)},
    )  # fmt: skip


def test_a_network_comes_back_from_its_file(tmp_path: Path) -> None:
    save(tmp_path / "stick.json", network())
    found = load(tmp_path / "stick.json", 0)
    assert found.key_counter == COUNTER_STEP
    found.key_counter = 5
    assert found == network()


def test_without_a_file_there_is_no_network(tmp_path: Path) -> None:
    assert load(tmp_path / "stick.json", IEEE) == Network(IEEE)


def test_leaving_forgets_everything_but_what_a_host_wrote(tmp_path: Path) -> None:
    left = network()
    left.leave()
    assert left == Network(IEEE, link_keys=network().link_keys, tokens=network().tokens)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 9}', "\x00"])
def test_a_file_that_is_none_of_ours_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "stick.json").write_text(text)
    with pytest.raises(SetupError, match=r"stick\.json"):
        load(tmp_path / "stick.json", IEEE)


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"stick\.json"):
        save(tmp_path / "nowhere" / "stick.json", network())


ENDPOINTS = {
    1: Endpoint(1, 0x0104, 0x0005, 0, (0, 6), (0x0500,)),
    242: Endpoint(242, 0xA1E0, 0x61, 0, (0x21,), ()),
}
HEARD = tuple(
    (Member(n, n, Role.ROUTER if n % 2 else Role.END_DEVICE, n % 2 == 0), 100 + n) for n in range(1, 6)
)
ME = Self(network(), 0x1049, ENDPOINTS, HEARD, open=False)
SEQUENCE = 0x17


def ask(request: zdo.ZDOCmd, *values: Any, broadcast: bool = False) -> Any:
    """The answer to a request as zigpy reads it; None if there is none."""
    names, types = zdo.CLUSTERS[request]
    body = b"".join(type_(value).serialize() for type_, value in zip(types, values, strict=True))
    said = answer(ME, request, bytes((SEQUENCE,)) + body, broadcast=broadcast)
    if said is None:
        return None
    assert said[0] == SEQUENCE
    names, types = zdo.CLUSTERS[zdo.ZDOCmd(request | 0x8000)]
    found, rest = {}, said[1:]
    for name, type_ in zip(names, types, strict=True):
        if rest:  # a refusal leaves out what isn't known
            found[name], rest = type_.deserialize(rest)
    assert not rest
    return found


def test_the_node_descriptor_is_a_coordinators() -> None:
    said = ask(zdo.ZDOCmd.Node_Desc_req, 0)
    node = said["NodeDescriptor"]
    assert said["Status"] == zdo.Status.SUCCESS
    assert node.is_valid
    assert node.is_coordinator
    assert node.is_mains_powered
    assert node.is_receiver_on_when_idle
    assert node.manufacturer_code == 0x1049


def test_endpoints_are_those_the_host_has_added() -> None:
    assert list(ask(zdo.ZDOCmd.Active_EP_req, 0)["ActiveEPList"]) == [1, 242]
    simple = ask(zdo.ZDOCmd.Simple_Desc_req, 0, 1)["SimpleDescriptor"]
    assert (simple.profile, list(simple.input_clusters), list(simple.output_clusters)) == (
        0x0104,
        [0, 6],
        [0x0500],
    )
    assert ask(zdo.ZDOCmd.Simple_Desc_req, 0, 9)["Status"] != zdo.Status.SUCCESS


@pytest.mark.parametrize(("inputs", "outputs", "found"), [([6], [], [1]), ([], [0x0500], [1]), ([8], [], [])])
def test_a_matching_endpoint_is_found(inputs: list[int], outputs: list[int], found: list[int]) -> None:
    assert list(ask(zdo.ZDOCmd.Match_Desc_req, 0, 0x0104, inputs, outputs)["MatchList"]) == found


@pytest.mark.parametrize(("ieee", "address"), [(IEEE, 0), (LAMP, 0x1111), (SENSOR, 0x2222), (0x99, None)])
def test_addresses_are_answered_for_itself_and_its_members(ieee: int, address: int | None) -> None:
    eui64 = zt.EUI64.deserialize(ieee.to_bytes(8, "little"))[0]
    said = ask(zdo.ZDOCmd.NWK_addr_req, eui64, 0, 0)
    assert (said["Status"] == zdo.Status.SUCCESS) is (address is not None)
    if address is not None:
        assert said["NWKAddr"] == address
        assert ask(zdo.ZDOCmd.IEEE_addr_req, address, 0, 0)["IEEEAddr"] == eui64


def test_a_broadcast_question_that_is_not_ours_stays_unanswered() -> None:
    assert ask(zdo.ZDOCmd.NWK_addr_req, zt.EUI64.UNKNOWN, 0, 0, broadcast=True) is None
    assert ask(zdo.ZDOCmd.Node_Desc_req, 0x1111, broadcast=True) is None


def test_neighbours_are_listed_page_by_page() -> None:
    seen, total = [], 1
    while len(seen) < total:
        table = ask(zdo.ZDOCmd.Mgmt_Lqi_req, len(seen))["Neighbors"]
        total = table.Entries
        seen += table.NeighborTableList
    assert [(int(one.nwk), one.lqi) for one in seen] == [(n, 100 + n) for n in range(1, 6)]
    assert seen[0].relationship == zdo.Neighbor.Relationship.NoneOfTheAbove
    assert seen[1].relationship == zdo.Neighbor.Relationship.Child


def test_what_is_not_known_is_not_supported() -> None:
    said = answer(ME, 0x0010, bytes((SEQUENCE, 0, 0)), broadcast=False)
    assert said == bytes((SEQUENCE, zdo.Status.NOT_SUPPORTED))


@given(st.integers(0, 0xFFFF), st.binary(max_size=30), st.booleans())
def test_noise_never_raises(cluster: int, payload: bytes, broadcast: bool) -> None:
    answer(ME, cluster, payload, broadcast=broadcast)
