"""What is packed for the stick, against bellows' own tables, at every protocol version."""

from __future__ import annotations

import bellows.ezsp
import bellows.types as t
import pytest

from drivers.zigbee.answers import packed, reports_our_own
from drivers.zigbee.short_path import Incoming

VERSIONS = [13, 14, 16, 17, 18, 19]
ANSWER = bytes.fromhex("10210b0000")
HEARD = Incoming(0, 0x0104, 0x0500, 2, 1, 0x0140, 0, 99, 200, -50, 0x1234, 0, b"\x09\x21\x00\x01\x00")


def _aps() -> t.EmberApsFrame:
    return t.EmberApsFrame(
        profileId=0x0104,
        clusterId=0x0500,
        sourceEndpoint=1,
        destinationEndpoint=2,
        options=t.EmberApsOption(0x0100),
        groupId=0,
        sequence=99,
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_is_packed_as_bellows_packs_it(version: int) -> None:
    _, schema, _ = bellows.ezsp.EZSP._BY_VERSION[version].COMMANDS["sendUnicast"]
    tag = 7 if version < 14 else 0x0107
    told = (t.EmberOutgoingMessageType.OUTGOING_DIRECT, t.NWK(0x1234), _aps(), tag, t.LVBytes(ANSWER))
    wanted = b"".join(kind(value).serialize() for kind, value in zip(schema.values(), told, strict=True))
    assert packed(HEARD, ANSWER, tag, new=version >= 14) == wanted


@pytest.mark.parametrize("version", VERSIONS[1:])
@pytest.mark.parametrize(("tag", "ours"), [(0x0107, True), (0xFFFE, True), (7, False), (255, False)])
def test_only_what_the_stick_says_of_an_answer_is_taken(version: int, tag: int, ours: bool) -> None:
    frame_id, _, schema = bellows.ezsp.EZSP._BY_VERSION[version].COMMANDS["messageSentHandler"]
    told = (
        t.sl_Status.OK,
        t.EmberOutgoingMessageType.OUTGOING_DIRECT,
        t.NWK(0x1234),
        _aps(),
        tag,
        t.LVBytes(ANSWER),
    )
    body = b"".join(kind(value).serialize() for kind, value in zip(schema.values(), told, strict=True))
    assert reports_our_own(b"\x07\x90\x01" + frame_id.to_bytes(2, "little") + body) is ours
