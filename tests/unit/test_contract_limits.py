"""Where exactly a command is still read, and in which words it is refused."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import jsonschema
import pytest

from homenode.contract import command, reply
from homenode.contract.command import Command, Refusal, parse_command, why_not_args
from homenode.contract.times import Zone, wall_ms

NOON = wall_ms("2026-01-05T12:00:00.000+01:00")
ZONE = Zone("Europe/Stockholm")
WEEK_MS = 7 * 86_400_000
UPDATE: dict[str, Any] = {"version": "0.2.0", "url": "https://office/b.raucb", "sha256": "0" * 64}


def asked(**fields: Any) -> bytes:
    body = {"id": "c1", "do": "acknowledge", "by": "Eva", "expires": ZONE.text(NOON + 1000)}
    return json.dumps({**body, "args": {"alert": "a1"}, **fields}).encode()


def answer(party: str = "care", now: int | None = NOON, **fields: Any) -> str:
    """ "" if it is a command, else the words of its refusal."""
    found = parse_command(asked(**fields), party, now)
    return found.text if isinstance(found, Refusal) else ""


def test_a_command_is_too_late_from_the_instant_it_names() -> None:
    assert answer(expires=ZONE.text(NOON + 1)) == ""
    assert answer(expires=ZONE.text(NOON)) == "expired at 2026-01-05T12:00:00.000+01:00"


def test_a_command_expires_within_a_week() -> None:
    assert answer(expires=ZONE.text(NOON + WEEK_MS)) == ""
    assert answer(expires=ZONE.text(NOON + WEEK_MS + 1)) == "expires must be within 7 days"


@pytest.mark.parametrize(("field", "least", "most"), [("id", 1, 80), ("by", 1, 120)])
def test_names_have_their_lengths(field: str, least: int, most: int) -> None:
    for length, read in ((least - 1, False), (least, True), (most, True), (most + 1, False)):
        assert isinstance(parse_command(asked(**{field: "x" * length}), "care", NOON), Command) is read


def test_an_alert_is_named_in_at_most_120_characters() -> None:
    assert answer(args={"alert": "x" * 120}) == ""
    assert answer(args={"alert": "x" * 121}) == "args.alert must have 1 to 120 characters"
    assert answer(args={"alert": ""}) == "args.alert must have 1 to 120 characters"


def test_as_many_bytes_are_read_as_an_offer_of_video_needs_and_no_more() -> None:
    long = asked() + b" " * (command.LONGEST_B - len(asked()))
    assert isinstance(parse_command(long, "care", NOON), Command)
    refused = parse_command(long + b" ", "care", NOON)
    assert refused == Refusal("", "too_long", "65537 bytes; at most 65536 are read")


def test_nesting_is_read_to_the_sixth_level() -> None:
    def nested(levels: int) -> list[Any]:
        return [nested(levels - 1)] if levels else []

    sixth = parse_command(asked(args={"alert": nested(3)}), "care", NOON)
    seventh = parse_command(asked(args={"alert": nested(4)}), "care", NOON)
    assert isinstance(sixth, Refusal)
    assert isinstance(seventh, Refusal)
    assert (sixth.code, seventh.code) == ("malformed", "nested")


def test_a_long_complaint_is_cut() -> None:
    text = answer(args={"alert": "a", "x" * 600: 1})
    assert len(text) == command.LONGEST_TEXT
    assert text.endswith("…")
    short = answer(args={"alert": "a", "y": 1})
    assert short == "args.y is not known; accepted: alert"


@pytest.mark.parametrize(
    ("do", "args", "words"),
    [
        ("acknowledge", {}, "args.alert is missing"),
        ("acknowledge", {"alert": 5}, "args.alert must be a text"),
        ("acknowledge", [], "args must be a JSON object"),
        ("mode", {"mode": "away"}, ""),
        ("mode", {"mode": "away", "for": "1.5 h 30 min"}, ""),
        (
            "mode",
            {"mode": "away", "for": "soon"},
            r"args.for must look like ^([0-9]+(\.[0-9]+)? ?(s|min|h|d) ?)+$",
        ),
        ("mode", {"mode": "x" * 40}, ""),
        ("mode", {"mode": "x" * 41}, "args.mode must look like ^[a-z0-9_-]{1,40}$"),
        ("switch", {"point": "a.light", "to": False}, ""),
        ("switch", {"point": "a.light", "to": 1}, "args.to must be true or false"),
        ("switch", {"point": "light", "to": True}, r"args.point must look like ^[a-z0-9_-]+\.[a-z0-9_]+$"),
        ("video", {"camera": "c", "view": "v", "reason": "r", "sdp": "s"}, ""),
        ("video", {"session": "s", "renew": True}, ""),
        ("video", {"session": "s", "end": True}, ""),
        ("video", {"session": "s", "end": False}, "args.camera is missing"),
        (
            "video",
            {"camera": "c", "view": "v", "reason": "", "sdp": "s"},
            "args.reason must have 1 to 200 characters",
        ),
        ("pair", {}, ""),
        ("pair", {"for": "3 min", "radio": "zigbee"}, ""),
        ("report", {"heartbeat": "30 s"}, ""),
        ("update", UPDATE, ""),
        ("update", {"cancel": True}, ""),
        ("update", {"cancel": False}, "args.version is missing"),
        (
            "update",
            {**UPDATE, "size": 5, "not_before": "2026-01-05T02:00:00+01:00", "exception": "e.y.s"},
            "",
        ),
        ("update", {**UPDATE, "size": 0}, "args.size must be a whole number from 1 to 1073741824"),
        ("update", {**UPDATE, "size": True}, "args.size must be a whole number from 1 to 1073741824"),
        (
            "update",
            {**UPDATE, "size": (1 << 30) + 1},
            "args.size must be a whole number from 1 to 1073741824",
        ),
        (
            "update",
            {**UPDATE, "to": "x"},
            "args.to is not known; accepted: version, url, sha256, size, window, not_before, exception",
        ),
    ],
)
def test_arguments_are_what_their_command_takes(do: str, args: object, words: str) -> None:
    assert why_not_args(do, args) == words


def test_what_may_be_asked_without_a_clock_is_asked_in_words() -> None:
    assert answer(now=None, expires=ZONE.text(0)) == ""
    assert answer(now=None, do="mode", args={"mode": "away"}).startswith("the node's clock is not set")


def test_who_may_not_is_told_who_may() -> None:
    assert answer("resident", do="pair") == "resident may not pair; that is for property, operator"
    assert answer(do="fly").startswith("do must be one of acknowledge, mode, video")
    assert answer(fast=1).startswith("unknown field 'fast'; a command has id, do, expires")


def kept(answered: reply.Answered) -> list[str]:
    return [key for _, key, _, _ in answered.dump(0)]


def a_command(key: str, expires_ms: int) -> Command:
    return Command(key, "mode", "care", expires_ms, "Eva", {})


def test_an_answer_is_kept_until_its_command_expires_and_the_oldest_goes_first() -> None:
    answered = reply.Answered()
    for nth in range(reply.REMEMBERED):
        answered.remember(a_command(str(nth), NOON + (nth >= 2)), b"{}", NOON)
    assert len(kept(answered)) == reply.REMEMBERED
    answered.remember(a_command("new", NOON + 1), b"{}", NOON)
    assert len(kept(answered)) == reply.REMEMBERED - 1
    assert kept(answered)[0] == "2"
    for nth in range(2):
        answered.remember(a_command(f"more{nth}", NOON + 1), b"{}", NOON)
    assert len(kept(answered)) == reply.REMEMBERED
    assert kept(answered)[0] == "3"


def test_whatever_is_said_of_a_refusal_fits_the_published_schema() -> None:
    for length in (command.LONGEST_TEXT, command.LONGEST_TEXT + 1, 60_000):
        body = json.loads(reply.refused(Refusal("c", "refused", "å" * length)))
        jsonschema.validate(body, reply.schema())
        assert body["error"]["text"][:-1] == "å" * (command.LONGEST_TEXT - 1)
    assert Refusal("c", "refused", "å" * command.LONGEST_TEXT).text.endswith("å")


def test_an_answer_says_what_came_of_it() -> None:
    assert reply.done("c") == b'{"id":"c","ok":true}'
    assert reply.done("c", {}) == b'{"id":"c","ok":true,"result":{}}'
    said = reply.refused(Refusal("c", "clock", "å"))
    assert said.decode() == '{"id":"c","ok":false,"error":{"code":"clock","text":"å"}}'


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Europe/Stockholm", "2026-01-05T12:00:59.007+01:00"),
        ("America/St_Johns", "2026-01-05T07:30:59.007-03:30"),
        ("Asia/Kathmandu", "2026-01-05T16:45:59.007+05:45"),
        ("UTC", "2026-01-05T11:00:59.007+00:00"),
    ],
)
def test_a_time_is_written_as_its_zone_has_it_and_reads_back(zone: str, text: str) -> None:
    at = NOON + 59_007
    assert Zone(zone).text(at) == text
    assert wall_ms(text) == at


def test_a_time_is_the_same_however_many_were_written_before() -> None:
    zone = Zone("UTC")
    for _ in range(2):
        for minute in range(300):
            assert datetime.fromisoformat(zone.text(NOON + minute * 60_000)).timestamp() * 1000 == NOON + (
                minute * 60_000
            )


@pytest.mark.parametrize("text", ["2026-01-05", "2026-01-05T12:00:00", "2026-01-05 12:00:00+01:00", "noon"])
def test_a_time_without_an_offset_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - fromisoformat's own words, and ours
        wall_ms(text)
