"""The stick's frames, against bellows' own tables, at every protocol version."""

from __future__ import annotations

from typing import Any

import bellows.ezsp
import bellows.types as t
import pytest

from drivers.zigbee.ear import Ear, Known
from drivers.zigbee.meanings import scaled
from drivers.zigbee.plan import Facts, Plan, Sense, Zone
from drivers.zigbee.rows import Place
from drivers.zigbee.short_path import Incoming, ShortPath, decode
from tests.unit.zigbee.listening import Gateway

VERSIONS = [13, 14, 16, 17, 18, 19]
IEEE = 0x00158D0000000100
REPORT = bytes.fromhex("180a0a0b05297805")  # tsn 10: active power 1400
OPENED = bytes.fromhex("09210001000000000000")  # tsn 33: zone status alarm 1, asks for a default response


def written(
    version: int, payload: bytes, *, sender: int = 0x1234, cluster: int = 0x0B04, **odd: Any
) -> bytes:
    """An incoming message as bellows' table of this version has it."""
    frame_id, _, schema = bellows.ezsp.EZSP._BY_VERSION[version].COMMANDS["incomingMessageHandler"]
    aps = t.EmberApsFrame(
        profileId=odd.get("profile", 0x0104),
        clusterId=cluster,
        sourceEndpoint=1,
        destinationEndpoint=1,
        options=t.EmberApsOption(odd.get("options", 0x0140)),
        groupId=0,
        sequence=odd.get("sequence", 99),
    )
    values = {
        "type": t.EmberIncomingMessageType(odd.get("type", 0)),
        "message_type": t.EmberIncomingMessageType(odd.get("type", 0)),
        "apsFrame": aps,
        "aps_frame": aps,
        "sender": sender,
        "nwk": sender,
        "eui64": t.EUI64.deserialize(odd.get("ieee", IEEE).to_bytes(8, "little"))[0],
        "lastHopLqi": 180,
        "lqi": 180,
        "lastHopRssi": -61,
        "rssi": -61,
        "bindingIndex": 255,
        "binding_index": 255,
        "addressIndex": 255,
        "address_index": 255,
        "timestamp": 0,
        "messageContents": payload,
        "message": payload,
    }
    body = b"".join(kind(values[name]).serialize() for name, kind in schema.items())
    return b"\x07\x90\x01" + frame_id.to_bytes(2, "little") + body


class Bench:
    """A short path with one device and a record of what it did."""

    def __init__(self, version: int = 13) -> None:
        self.host = Gateway()
        self.general: list[bytes] = []
        self.answers: list[Incoming] = []
        self.found: list[tuple[int, int]] = []
        self.whole_way = False
        self.known = Known(
            ieee="",
            number=IEEE,
            name="plug",
            plan=Plan(
                senses={Place(1, 0x0B04, 0x050B): Sense("power", scaled(1, 1))},
                zones={1: Zone((("contact", 1),), (), "", False)},
            ),
            facts=Facts(complete=True),
            device=None,
            sleepy=False,
        )
        ear = Ear(self.host, lambda *_: None, lambda *_: None)
        self.path = ShortPath(
            version,
            self.general.append,
            {0x1234: self.known},
            ear,
            lambda message: self.found.append((message.sender, message.ieee)),
            self.answers.append,
            lambda *_: self.whole_way,
        )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_is_read_as_bellows_writes_it(version: int) -> None:
    message = decode(written(version, REPORT), version)
    assert message is not None
    assert (message.sender, message.cluster, message.payload) == (0x1234, 0x0B04, REPORT)
    assert (message.lqi, message.rssi, message.sequence) == (180, -61, 99)
    assert message.ieee == (0 if version < 14 else IEEE)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_report_of_a_known_device_takes_the_short_path(version: int) -> None:
    bench = Bench(version)
    bench.path.frame_received(written(version, REPORT))
    assert bench.host.told("power") == [1400]
    assert bench.general == []
    assert bench.answers == []


def test_a_zone_status_is_told_and_answered() -> None:
    bench = Bench()
    bench.path.frame_received(written(13, OPENED, cluster=0x0500))
    assert bench.host.told("contact") == [True]
    assert [answer.payload for answer in bench.answers] == [OPENED]


def test_a_broadcast_is_not_answered() -> None:
    bench = Bench()
    bench.path.frame_received(written(13, OPENED, cluster=0x0500, type=4))
    assert bench.host.told("contact") == [True]
    assert bench.answers == []


@pytest.mark.parametrize(
    "odd", [{"sender": 0x9999}, {"profile": 0}, {"options": 0x8000}, {"type": 3}, {"type": 5}]
)
def test_what_is_not_for_the_short_path_goes_the_general_one(odd: dict[str, int]) -> None:
    bench = Bench()
    frame = written(13, REPORT, **odd)
    bench.path.frame_received(frame)
    assert bench.general == [frame]
    assert bench.host.readings == []


@pytest.mark.parametrize("version", [13, 14])
def test_a_frame_cut_anywhere_is_left_to_the_general_path(version: int) -> None:
    bench = Bench(version)
    whole = written(version, REPORT)
    pieces = [whole[:length] for length in range(len(whole))]
    for piece in pieces:
        bench.path.frame_received(piece)
    assert bench.general == pieces
    assert bench.host.readings == []


def test_a_malformed_report_tells_nothing_and_is_counted() -> None:
    bench = Bench()
    bench.path.frame_received(written(13, REPORT[:-1]))
    assert bench.host.readings == [("plug", "link_quality", 180)]
    assert bench.known.malformed == 1
    assert len(bench.general) == 1


def test_a_repeated_frame_is_told_once() -> None:
    bench = Bench()
    for _ in range(3):
        bench.path.frame_received(written(13, REPORT))
    assert bench.host.told("power") == [1400]


def test_the_same_value_in_a_new_frame_is_told_again() -> None:
    bench = Bench()
    for sequence in (1, 2, 3):
        again = REPORT[:1] + bytes([sequence]) + REPORT[2:]
        bench.path.frame_received(written(13, again, sequence=sequence))
    assert bench.host.told("power") == [1400, 1400, 1400]


def test_a_frame_that_the_device_sends_twice_is_told_once() -> None:
    bench = Bench()
    for aps_sequence in (1, 2):
        bench.path.frame_received(written(13, REPORT, sequence=aps_sequence))
    assert bench.host.told("power") == [1400]
    assert bench.general == []


def test_an_old_frame_that_comes_again_does_not_close_an_open_door() -> None:
    bench = Bench()
    closed = bytes.fromhex("09200000000000000000")
    for sequence, payload in ((1, closed), (2, OPENED), (1, closed)):
        bench.path.frame_received(written(13, payload, cluster=0x0500, sequence=sequence))
    assert bench.host.told("contact") == [False, True]


def test_a_network_address_of_somebody_else_is_looked_into() -> None:
    bench = Bench(14)
    bench.path.frame_received(written(14, REPORT, ieee=IEEE + 1))
    assert bench.found == [(0x1234, IEEE + 1)]
    assert bench.host.readings == []


def test_now_and_then_a_frame_takes_both_ways_and_is_told_once() -> None:
    bench = Bench()
    bench.whole_way = True
    bench.path.frame_received(written(13, REPORT))
    assert len(bench.general) == 1
    assert bench.host.told("power") == [1400]
