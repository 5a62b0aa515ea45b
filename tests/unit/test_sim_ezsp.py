"""The simulated stick's firmware, command by command, read with bellows' tables and real recordings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bellows import types as t
from hypothesis import given
from hypothesis import strategies as st

from homenode.errors import SetupError
from homenode.sim.zigbee.coordinator_stick import HANDLERS, Stick
from homenode.sim.zigbee.ezsp import VERSIONS, Dialect, parse
from homenode.sim.zigbee.ezsp_messages import (
    SEND_UNICAST,
    Incoming,
    Message,
    incoming,
    requested,
    sent,
)
from homenode.sim.zigbee.network import Member, Network

RECORDINGS = Path(__file__).parents[3] / "shared/data/ezsp-frames"
IEEE = 0x000D6F0012345678

versions = pytest.mark.parametrize("version", VERSIONS)


class Ether:
    """A radio that writes down what it is asked for."""

    permitting = False

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args: self.asked.append((name, *args))

    def link_quality(self, ieee: int) -> int:
        return 180


class Desk:
    """A stick on the desk: commands by name, answers by name."""

    def __init__(self, version: int, *, agreed: bool = True) -> None:
        self.out: list[bytes] = []
        self.stored = 0
        self.network = Network(IEEE)
        self.radio = Ether()
        self.dialect = Dialect(version)
        self.stick = Stick(self.dialect, self.network, self.radio, self.out.append, self._store, lambda: None)
        self._sequence = 0
        if agreed:
            self.stick.command(bytes((0, 0, 0, version)))
            self.out.clear()

    def _store(self) -> None:
        self.stored += 1

    def say(self, name: str, **given: Any) -> dict[str, Any]:
        """Send a command; its answer by name. Callbacks that follow stay in `out`."""
        number, tx, _ = self.dialect.table[name]
        self._sequence = self._sequence + 1 & 0xFF
        head = bytes((self._sequence, 0, 1)) + number.to_bytes(2, "little")
        self.stick.command(head + t.serialize_dict((), given, tx))
        answer = self.out.pop(0)
        assert answer[0] == self._sequence
        return self.read(answer)[1]

    def read(self, frame: bytes) -> tuple[str, dict[str, Any]]:
        """A response or callback, all of it."""
        name = self.dialect.names[int.from_bytes(frame[3:5], "little")]
        schema = self.dialect.table[name][2] or {}
        if not isinstance(schema, dict):
            value, rest = schema.deserialize(frame[5:])
            assert not rest
            return name, value.as_dict()
        values, rest = t.deserialize_dict(frame[5:], schema)
        assert not rest, f"{name}: more than its fields"
        return name, dict(values)

    def callbacks(self) -> list[tuple[str, dict[str, Any]]]:
        frames, self.out[:] = list(self.out), []
        return [self.read(frame) for frame in frames]

    def form(self, **changes: Any) -> None:
        bits = t.EmberInitialSecurityBitmask
        state = t.EmberInitialSecurityState(
            bitmask=bits.HAVE_NETWORK_KEY
            | bits.HAVE_PRECONFIGURED_KEY
            | bits.TRUST_CENTER_USES_HASHED_LINK_KEY,
            preconfiguredKey=t.KeyData(b"P" * 16),
            networkKey=t.KeyData(b"N" * 16),
            networkKeySequenceNumber=t.uint8_t(3),
            preconfiguredTrustCenterEui64=t.EUI64.convert("00:00:00:00:00:00:00:00"),
        )
        assert ok(self.say("setInitialSecurityState", state=state))
        parameters = t.EmberNetworkParameters(
            extendedPanId=t.ExtendedPanId.convert("01:02:03:04:05:06:07:08"),
            panId=t.EmberPanId(0x1A62),
            radioTxPower=t.uint8_t(8),
            radioChannel=t.uint8_t(15),
            joinMethod=t.EmberJoinMethod(0),
            nwkManagerId=t.EmberNodeId(0),
            nwkUpdateId=t.uint8_t(0),
            channels=t.Channels.ALL_CHANNELS,
        ).replace(**changes)
        assert ok(self.say("formNetwork", parameters=parameters))


def ok(answer: dict[str, Any]) -> bool:
    return t.sl_Status.from_ember_status(answer["status"]) == t.sl_Status.OK


def test_there_is_no_version_15() -> None:
    with pytest.raises(SetupError, match="13, 14, 16, 17, 18, 19"):
        Dialect(15)


@versions
def test_every_handler_does_a_command_that_some_version_has(version: int) -> None:
    assert set(HANDLERS) <= {name for one in VERSIONS for name in Dialect(one).table}


def test_the_version_is_told_in_the_short_header_as_a_real_stick_does() -> None:
    desk = Desk(13, agreed=False)
    desk.stick.command(bytes.fromhex("0000000d"))
    assert desk.out == [bytes.fromhex("0080000d021074")]


@versions
def test_until_the_host_agrees_on_the_version_nothing_else_is_done(version: int) -> None:
    desk = Desk(version, agreed=False)
    desk.stick.command(bytes((7, 0, 0, 4)))
    assert desk.out.pop()[3] == version
    desk.stick.command(bytes.fromhex("0800010500"))
    answer = desk.out.pop()
    assert answer[:5] == bytes.fromhex("0880015800")
    assert answer[5:] == (b"\x30" if version < 14 else b"\x30\0\0\0")
    desk.stick.command(bytes((9, 0, 1, 0, 0, version)))
    assert desk.out.pop()[:6] == bytes((9, 0x80, 1, 0, 0, version))
    desk.stick.command(bytes.fromhex("0a00010500"))
    assert desk.out.pop() == bytes.fromhex("0a80010500")


@versions
def test_an_unknown_command_is_invalid_with_a_status_as_wide_as_the_version_has_it(version: int) -> None:
    desk = Desk(version)
    desk.stick.command(bytes.fromhex("050001feff"))
    assert desk.out == [bytes.fromhex("0580015800") + (b"\x31" if version < 14 else b"\x31\0\0\0")]


@versions
def test_a_truncated_command_is_refused(version: int) -> None:
    desk = Desk(version)
    desk.stick.command(bytes.fromhex("0500015300"))
    assert desk.out[0][5] == t.EzspStatus.ERROR_TRUNCATED


@versions
@given(noise=st.binary(max_size=60))
def test_noise_never_raises(version: int, noise: bytes) -> None:
    Desk(version).stick.command(noise)


@versions
@given(number=st.integers(0, 0x170), noise=st.binary(max_size=80))
def test_any_command_with_any_parameters_gets_one_answer_of_the_right_shape(
    version: int, number: int, noise: bytes
) -> None:
    desk = Desk(version)
    desk.stick.command(b"\x21\x00\x01" + number.to_bytes(2, "little") + noise)
    answer = desk.out[0]
    assert answer[:3] == b"\x21\x80\x01"
    if desk.dialect.names[int.from_bytes(answer[3:5], "little")] != "invalidCommand":
        desk.read(answer)


@versions
def test_a_network_is_formed_and_found_again_after_a_reset(version: int) -> None:
    desk = Desk(version)
    assert not ok(desk.say("networkInit", networkInitBitmask=t.EmberNetworkInitBitmask(0)))
    desk.form()
    ((name, said),) = desk.callbacks()
    assert name == "stackStatusHandler"
    assert t.sl_Status.from_ember_status(said["status"]) == t.sl_Status.NETWORK_UP
    before = desk.say("getNetworkParameters")
    assert (before["parameters"].panId, before["parameters"].radioChannel) == (0x1A62, 15)
    desk.stick.reset()
    desk.stick.command(bytes((0, 0, 0, version)))
    desk.out.clear()
    assert desk.say("networkState")["status"] == t.EmberNetworkStatus.NO_NETWORK
    assert ok(desk.say("networkInit", networkInitBitmask=t.EmberNetworkInitBitmask(0)))
    desk.out.clear()
    assert desk.say("getNetworkParameters") == before


@versions
def test_keys_come_back_as_they_went_in(version: int) -> None:
    desk = Desk(version)
    desk.form()
    desk.out.clear()
    kinds = t.SecurityManagerKeyType
    for kind, key in ((kinds.NETWORK, b"N" * 16), (kinds.TC_LINK, b"P" * 16)):
        context = t.SecurityManagerContextV13.deserialize(bytes(64))[0].replace(core_key_type=kind)
        said = desk.say("exportKey", context=context)
        assert ok(said)
        assert said["key"].serialize() == key
    info = desk.say("getNetworkKeyInfo")["network_key_info"]
    assert (info.network_key_set, info.network_key_sequence_number) == (True, 3)


@versions
def test_no_network_on_a_channel_that_does_not_exist(version: int) -> None:
    desk = Desk(version)
    with pytest.raises(AssertionError):
        desk.form(radioChannel=t.uint8_t(27))
    assert not desk.network.formed


@versions
def test_a_link_key_is_kept_by_its_index(version: int) -> None:
    desk = Desk(version)
    ieee = t.EUI64.convert("00:15:8d:00:02:aa:bb:01")
    assert ok(desk.say("importLinkKey", index=2, address=ieee, key=t.KeyData(b"L" * 16)))
    assert desk.say("findKeyTableEntry", address=ieee, linkKey=True)["index"] == 2
    said = desk.say("exportLinkKeyByIndex", index=2)
    assert ok(said)
    assert said["plaintext_key"].serialize() == b"L" * 16
    assert not ok(desk.say("exportLinkKeyByIndex", index=1))
    assert ok(desk.say("eraseKeyTableEntry", index=2))
    assert not ok(desk.say("exportLinkKeyByIndex", index=2))


@versions
def test_children_are_listed_and_the_list_ends(version: int) -> None:
    desk = Desk(version)
    desk.network.members[1] = Member(1, 0x1111, 2, True)
    desk.network.members[2] = Member(2, 0x2222, 1, False)
    said = desk.say("getChildData", index=0)
    assert ok(said)
    assert (said["child_data"].id, said["child_data"].type) == (0x1111, t.EmberNodeType.SLEEPY_END_DEVICE)
    assert not ok(desk.say("getChildData", index=1))
    assert desk.say("neighborCount")["value"] == 1


@versions
def test_an_address_is_found_both_ways(version: int) -> None:
    desk = Desk(version)
    ieee = 0x00158D0002AABB01
    desk.network.members[ieee] = Member(ieee, 0x4321, 1, False)
    eui64 = t.EUI64.convert("00:15:8d:00:02:aa:bb:01")
    assert desk.say("lookupNodeIdByEui64", eui64=eui64)["nodeId"] == 0x4321
    assert desk.say("lookupEui64ByNodeId", nodeId=0x4321)["eui64"] == eui64
    assert not ok(desk.say("lookupEui64ByNodeId", nodeId=0x4322))


@versions
def test_endpoints_are_taken_once_with_both_lists(version: int) -> None:
    desk = Desk(version)
    raw = bytes.fromhex("01 0401 6500 01 02 01 0000 0600 0005".replace(" ", ""))
    for expected in (True, False):
        desk.stick.command(bytes.fromhex("0700010200") + raw)
        answer = desk.out.pop(0)
        assert ok(desk.read(answer)[1]) is expected
    assert desk.stick.ram.endpoints[1].inputs == (0, 6)
    assert desk.stick.ram.endpoints[1].outputs == (0x0500,)


def test_a_link_key_that_a_host_gave_the_stick_outlives_a_reset_of_its_address() -> None:
    desk = Desk(18)
    token = int(t.NV3KeyId.NVM3KEY_STACK_RESTORED_EUI64)
    value = t.LVBytes32(bytes.fromhex("0807060504030201"))
    assert ok(desk.say("setTokenData", token=token, index=0, token_data=value))
    desk.stick.reset()
    assert desk.network.ieee == 0x0102030405060708


@versions
def test_a_message_without_a_network_is_refused(version: int) -> None:
    desk = Desk(version)
    message = SEND_UNICAST.to_bytes(2, "little") + bytes(17 if version < 14 else 18)
    desk.stick.command(b"\x01\x00\x01" + message)
    assert not ok(desk.read(desk.out[0])[1])
    assert desk.radio.asked == []


@versions
def test_a_message_is_answered_first_and_sent_then(version: int) -> None:
    desk = Desk(version)
    desk.form()
    desk.out.clear()
    tag = b"\x07" if version < 14 else b"\x07\x00"
    frame = bytes.fromhex("0021430401060001014001000000") + tag + b"\x03\x01\x02\x03"
    desk.stick.command(b"\x01\x00\x01\x34\x00" + frame)
    assert ok(desk.read(desk.out[0])[1])
    name, message, sequence = desk.radio.asked[-1]
    assert (name, message.target, message.tag, message.payload) == ("transmit", 0x4321, 7, b"\x01\x02\x03")
    desk.out.clear()
    desk.stick.delivered(message, sequence, ok=False)
    ((name, said),) = desk.callbacks()
    assert name == "messageSentHandler"
    assert t.sl_Status.from_ember_status(said["status"]) == t.sl_Status.ZIGBEE_DELIVERY_FAILED


words, octets = st.integers(0, 0xFFFF), st.integers(0, 0xFF)


@versions
@given(
    kind=st.sampled_from(Incoming), sender=words, ieee=st.integers(0, 2**64 - 1), profile=words,
    cluster=words, source=octets, destination=octets, group=words, sequence=octets, ack=st.booleans(),
    link_quality=octets,
    rssi=st.integers(-128, 127), payload=st.binary(max_size=120),
)  # fmt: skip
def test_hand_packed_messages_read_as_bellows_reads_them(
    version: int, kind: Incoming, sender: int, ieee: int, profile: int, cluster: int, source: int,
    destination: int, group: int, sequence: int, ack: bool, link_quality: int, rssi: int, payload: bytes,
) -> None:  # fmt: skip
    desk = Desk(version)
    frame = incoming(
        version >= 14, 5, kind, sender, ieee, profile, cluster, source, destination, group, sequence, ack,
        link_quality, rssi, 12345, payload,
    )  # fmt: skip
    name, said = desk.read(frame)
    values = list(said.values())
    aps = values[1]
    assert name == "incomingMessageHandler"
    assert (values[0], values[-1]) == (kind, payload)
    assert (aps.profileId, aps.clusterId, aps.sourceEndpoint, aps.destinationEndpoint) == (
        profile, cluster, source, destination,
    )  # fmt: skip
    assert (aps.groupId, aps.sequence, bool(aps.options & 0x40)) == (group, sequence, ack)
    names = ("nwk", "lqi", "rssi") if version >= 14 else ("sender", "lastHopLqi", "lastHopRssi")
    assert tuple(said[name] for name in names) == (sender, link_quality, rssi)


@versions
@given(payload=st.binary(max_size=82), target=words, tag=octets)
def test_what_bellows_asks_to_be_sent_is_what_is_sent(
    version: int, payload: bytes, target: int, tag: int
) -> None:
    dialect = Dialect(version)
    number, tx, _ = dialect.table["sendUnicast"]
    aps = t.EmberApsFrame(profileId=0x0104, clusterId=6, sourceEndpoint=1, destinationEndpoint=2,
                          options=t.EmberApsOption(0x0140), groupId=0, sequence=9)  # fmt: skip
    values = (t.EmberOutgoingMessageType.OUTGOING_DIRECT, target, aps, tag, payload)
    message = requested(version >= 14, number, t.serialize_dict((), dict(zip(tx, values, strict=True)), tx))
    assert message == Message(0, target, 0x0104, 6, 1, 2, 0x0140, 0, tag, payload)


@pytest.mark.parametrize("name", ["sendBroadcast", "sendMulticast"])
@versions
def test_broadcasts_and_groupcasts_are_understood(version: int, name: str) -> None:
    dialect = Dialect(version)
    number, tx, _ = dialect.table[name]
    aps = t.EmberApsFrame(profileId=0x0104, clusterId=6, sourceEndpoint=1, destinationEndpoint=255,
                          options=t.EmberApsOption(0), groupId=0x0B84, sequence=0)  # fmt: skip
    values: dict[str, Any] = {}
    for field, type_ in tx.items():
        values[field] = aps if type_ is t.EmberApsFrame else b"\x01\x02" if type_ is t.LVBytes else 3
    values["destination"] = 0xFFFC
    wire = t.serialize_dict((), {field: values[field] for field in tx}, tx)
    message = requested(version >= 14, number, wire)
    assert message is not None
    assert message.target == (0xFFFC if name == "sendBroadcast" else 0x0B84)
    assert (message.cluster, message.tag, message.payload) == (6, 3, b"\x01\x02")


def test_real_recordings_of_a_message_and_its_fate() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip("the folder with recordings of real sticks is not beside this repository")
    rows = [json.loads(line) for file in RECORDINGS.glob("*.jsonl") for line in file.read_text().splitlines()]
    by_note = {row["note"]: bytes.fromhex(row["decoded"].get("ezsp", "")) for row in rows}
    asked = parse(by_note["SEND_UNICAST to 51678 cluster 6 Off"])
    assert asked is not None
    message = requested(True, asked.command, asked.parameters)
    assert message is not None
    assert (message.target, message.cluster, message.payload) == (51678, 6, bytes.fromhex("010400"))
    fates = [bytes.fromhex(row["decoded"]["ezsp"]) for row in rows if row["note"] == "MESSAGE_SENT_HANDLER"]
    assert sent(True, 0x27, message, 0x9A, bytes(4), b"") in fates
    heard = by_note["INCOMING_MESSAGE_HANDLER ZCL default response"]
    said = incoming(
        True, 0x27, 0, 51678, 0, 0x0104, 6, 1, 1, 0, 0x70, False, 3, 0, 6, bytes.fromhex("18040b0000")
    )
    assert heard.startswith(said)  # that firmware appends a byte that no host reads
