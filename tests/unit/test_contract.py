"""What a node says on MQTT: exact shapes, refused commands, and speed of the one message that is hot."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.config.model import NEVER, PARTIES
from homenode.contract import alert, reading, reply, status, topics
from homenode.contract.command import Command, Refusal, parse_command
from homenode.contract.times import Zone, wall_ms
from homenode.kinds import KINDS, Kind, Shape
from homenode.reading import How, Quality
from tests.contract import CONTRACT, an_alert

STOCKHOLM = Zone("Europe/Stockholm")
NOON = wall_ms("2026-01-05T12:00:00.000+01:00")


def _command(**fields: object) -> bytes:
    body = {"id": "c1", "do": "acknowledge", "by": "Eva", "args": {"alert": "a1"}}
    return json.dumps(body | {"expires": "2026-01-05T12:05:00+01:00"} | fields).encode()


def fits(topic: str, payload: bytes, *, retain: bool = False) -> str:
    """Why a message of the home h1 doesn't fit the published document; "" if it does."""
    return CONTRACT.why_not(f"hn1/h1/{topic}", payload, retain=retain)


def _refusal(payload: bytes, party: str = "care", now: int | None = NOON) -> Refusal:
    refused = parse_command(payload, party, now)
    assert isinstance(refused, Refusal)
    return refused


# --- times


@given(st.integers(0, 4_000_000_000_000))
def test_a_time_is_read_back_to_the_millisecond_in_the_homes_zone(ms: int) -> None:
    text = STOCKHOLM.text(ms)
    assert wall_ms(text) == ms
    assert (
        datetime.fromisoformat(text).utcoffset()
        == datetime.fromtimestamp(ms / 1000, ZoneInfo("Europe/Stockholm")).utcoffset()
        or ms % 3_600_000 > 3_599_998
    )


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2026-03-29T00:59:59.999+00:00", "2026-03-29T01:59:59.999+01:00"),
        ("2026-03-29T01:00:00.000+00:00", "2026-03-29T03:00:00.000+02:00"),
        ("2026-10-25T00:30:00.000+00:00", "2026-10-25T02:30:00.000+02:00"),
        ("2026-10-25T01:30:00.000+00:00", "2026-10-25T02:30:00.000+01:00"),
    ],
)
def test_the_repeated_hour_is_told_apart_by_its_offset(utc: str, local: str) -> None:
    assert STOCKHOLM.text(wall_ms(utc)) == local


def test_zones_west_of_greenwich_and_of_half_hours() -> None:
    assert Zone("America/St_Johns").text(0) == "1969-12-31T20:30:00.000-03:30"
    assert Zone("Asia/Kathmandu").text(NOON) == "2026-01-05T16:45:00.000+05:45"


def test_remembered_minutes_are_bounded() -> None:
    zone = Zone("UTC")
    for minute in range(2000):
        zone.text(minute * 60_000)
    assert len(zone._minutes) <= 256


# --- readings


def values(kind: Kind) -> st.SearchStrategy[object]:
    number = st.integers(int(kind.low), int(kind.high)) | st.floats(kind.low, kind.high)
    value = number if kind.shape is Shape.NUMBER else st.booleans()
    return st.tuples(st.just(kind.name), value | st.none())


@given(
    st.sampled_from(list(KINDS.values())).flatmap(values),
    st.sampled_from(list(Quality)),
    st.sampled_from(list(How)),
    st.sampled_from([NEVER, 1000, 14_400_000]),
)
def test_every_reading_is_valid_json_of_the_schema(
    reading_of: tuple[str, bool | float | None], quality: Quality, how: How, stale_after_ms: int
) -> None:
    kind, value = reading_of
    if value is None and quality is Quality.GOOD:
        quality = Quality.UNKNOWN
    text = reading.payload(
        STOCKHOLM, value, reading.unit_json(f"d.{kind}_2"), NOON, stale_after_ms, quality, how
    )
    body = json.loads(text)
    assert not fits(f"care/readings/d/{kind}_2", text, retain=how is not How.HISTORICAL)
    assert body["unit"] == KINDS[kind].unit
    assert body["value"] == (value if quality is Quality.GOOD else None)
    if quality is Quality.GOOD and value is not None and stale_after_ms != NEVER:
        assert wall_ms(body["valid_until"]) == NOON + stale_after_ms
    else:
        assert body["valid_until"] is None
    late = json.loads(reading.as_historical(text))
    assert not fits(f"care/readings/d/{kind}_2", reading.as_historical(text), retain=False)
    assert late == body | {"how": "historical"}


def test_stale_and_unknown_never_carry_a_value() -> None:
    for quality in (Quality.STALE, Quality.UNKNOWN):
        body = json.loads(reading.payload(STOCKHOLM, False, "null", NOON, 60_000, quality, How.LIVE))
        assert body["value"] is None


# --- alerts


def test_an_alert_is_a_cloudevent_with_its_place_in_the_order() -> None:
    built = an_alert("h1", "a1.care.1")
    body = json.loads(alert.numbered(built, 17, "e1"))
    assert not fits("care/alerts", alert.numbered(built, 17, "e1"))
    assert (body["specversion"], body["type"], body["source"]) == ("1.0", "hn1.alert.notified", "hn1/h1")
    assert (body["sequence"], body["epoch"], body["subject"]) == ("17", "e1", "stove_left_on")
    assert "Spisen är på".encode() in built


def test_only_care_and_resident_learn_the_mode() -> None:
    for party in PARTIES:
        text = status.payload(
            home="h1", party=party, at=STOCKHOLM.text(NOON), open_alerts=[], mode="away",
            health={"state": "good"}, versions={"homenode": "0.1.0"},
        )  # fmt: skip
        assert not fits(f"{party}/status", text, retain=True)
        assert (b"away" in text) == (party in ("care", "resident"))


def test_the_heartbeat_and_the_will_have_one_shape() -> None:
    for online in (True, False):
        assert not fits("link", status.link_payload(online, STOCKHOLM.text(NOON)), retain=True)


# --- commands


def test_a_command_is_read() -> None:
    got = parse_command(_command(), "property", NOON)
    assert got == Command("c1", "acknowledge", "property", NOON + 300_000, "Eva", {"alert": "a1"})
    assert not fits("property/command", _command())


def test_each_party_may_do_what_the_contract_says_and_nothing_else() -> None:
    args: dict[str, object] = {
        "acknowledge": {"alert": "a"},
        "mode": {"mode": "away", "for": "2 d"},
        "switch": {"point": "hall.light", "to": True},
        "video": {"session": "s", "end": True},
        "pair": {},
        "report": {},
        "update": {"cancel": True},
        "configure": {"jws": "{}", "over": True},
    }
    allowed = {
        (party, do) for do in args for party in PARTIES
        if isinstance(parse_command(_command(do=do, args=args[do]), party, NOON), Command)
    }  # fmt: skip
    assert allowed == {
        *((party, "acknowledge") for party in PARTIES),
        *(("care", do) for do in ("mode", "video", "switch")),
        *((party, do) for party in ("property", "operator") for do in ("pair", "report")),
        ("operator", "update"),
        *((party, "configure") for party in ("care", "operator")),
    }


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"id": NaN}', "not_json"),
        (b'{"id": "a", "id": "b"}', "not_json"),
        (b"9" * 5000, "not_json"),
        (b"[" * 60_000, "nested"),
        (b"x" * 10_000_000, "too_long"),
        (b"[]", "malformed"),
        (b"{}", "malformed"),
        (b'{"id": 7}', "malformed"),
        (_command(by="\ud800"), "not_json"),
        (_command(args={"alert": "a", "x" * 5000: 1}), "malformed"),
        (b'{"id": "a\\u0000"}', "malformed"),
        (_command(do="explode"), "unknown_command"),
        (_command(do=["acknowledge"]), "unknown_command"),
        (_command(extra=1), "malformed"),
        (_command(by=""), "malformed"),
        (_command(by=None), "malformed"),
        (_command(expires="tomorrow"), "malformed"),
        (_command(expires="2026-01-05T12:05:00"), "malformed"),
        (_command(expires=1), "malformed"),
        (_command(expires="2026-01-05T12:00:00+01:00"), "expired"),
        (_command(expires="2027-01-05T12:00:00+01:00"), "malformed"),
        (_command(args=[]), "malformed"),
        (_command(args={}), "malformed"),
        (_command(args={"alert": "a", "rule": "b"}), "malformed"),
        (_command(args={"alert": {"a": {"b": {"c": {"d": {"e": 1}}}}}}), "nested"),
        (_command(do="switch", args={"point": "hall.light", "to": "on"}), "malformed"),
        (_command(do="switch", args={"point": "../x", "to": True}), "malformed"),
        (_command(do="mode", args={"mode": "away\n"}), "malformed"),
        (_command(do="video", args={"session": "s"}), "malformed"),
        (_command(do="pair"), "not_allowed"),
    ],
)
def test_a_bad_command_is_refused_with_its_reason(payload: bytes, code: str) -> None:
    refused = _refusal(payload)
    assert refused.code == code
    assert refused.text
    if refused.id:
        assert not fits("care/reply", reply.refused(refused))


def test_a_retained_command_is_not_done() -> None:
    refused = parse_command(_command(), "care", NOON, retained=True)
    assert isinstance(refused, Refusal)
    assert refused.code == "retained"


def test_with_an_unset_clock_only_acknowledging_is_done() -> None:
    assert isinstance(parse_command(_command(), "care", None), Command)
    assert _refusal(_command(do="mode", args={"mode": "away"}), now=None).code == "clock"


@given(st.binary(max_size=300))
def test_no_bytes_raise(payload: bytes) -> None:
    assert isinstance(parse_command(payload, "care", NOON), Refusal)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.fixed_dictionaries({}, optional={k: _JSON for k in ("id", "do", "by", "expires", "args")}))
def test_what_is_accepted_fits_the_published_schema(body: dict[str, object]) -> None:
    payload = json.dumps(
        {"id": "c", "do": "mode", "by": "E", "expires": "2026-01-05T12:05:00Z"} | body
    ).encode()
    if isinstance(parse_command(payload, "care", NOON), Command):
        assert not fits("care/command", payload)


def test_a_repeated_command_is_answered_and_not_done_again() -> None:
    answered = reply.Answered()
    first = parse_command(_command(), "care", NOON)
    assert isinstance(first, Command)
    assert answered.answer_to(first) is None
    answered.remember(first, reply.done("c1"), NOON)
    again = reply.Answered()
    again.restore(json.loads(json.dumps(answered.dump(NOON))))
    assert again.answer_to(first) == b'{"id":"c1","ok":true}'
    other = parse_command(_command(), "property", NOON)
    assert isinstance(other, Command)
    assert again.answer_to(other) is None


def test_remembered_answers_are_bounded() -> None:
    answered = reply.Answered()
    for nth in range(3 * reply.REMEMBERED):
        answered.remember(Command(str(nth), "mode", "care", NOON + 1000, "E", {}), b"{}", NOON)
    assert len(answered.dump(NOON)) <= reply.REMEMBERED
    assert answered.dump(NOON + 1000) == [], "they have expired"


# --- topics


def test_topics_are_those_of_the_contract() -> None:
    assert topics.alerts("h", "care") == "hn1/h/care/alerts"
    assert topics.reading("h", "care", "stove.power_2") == "hn1/h/care/readings/stove/power_2"
    assert topics.link("h") == "hn1/h/link"
    assert topics.commanding_party("h", "hn1/h/property/command") == "property"
    assert topics.commanding_party("h", "hn1/other/property/command") == ""
    assert topics.commanding_party("h", "hn1/h/property/alerts") == ""


def test_numbers_are_written_as_json_numbers() -> None:
    for value in (1420, -3, 0.1, 1e22, 5e-324):
        text = reading.payload(STOCKHOLM, value, "null", NOON, NEVER, Quality.GOOD, How.LIVE)
        assert math.isclose(json.loads(text)["value"], value)
        assert not re.search(rb"nan|inf", text.lower())
