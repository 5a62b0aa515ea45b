"""The schemas are as tight as the code: all that a node sends fits, and nothing that was changed does."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from homenode.contract import status
from homenode.contract.command import ARGS, MAY, Command, parse_command
from homenode.contract.times import wall_ms
from homenode.delivery.exporting import discoveries
from homenode.home import HomeState
from tests.contract import CONTRACT
from tests.unit.contract_examples import afternoon
from tests.unit.flow import Run
from tests.unit.flow_home import Draw

DAYS = 20
NOON = wall_ms("2026-01-05T12:00:00.000+01:00")
Path = tuple[str | int, ...]

MAY_LACK = {
    "at", "since", "stuck", "reason", "version", "answered", "thresholds", "why", "because", "source",
    "acknowledged_by", "result", "sv", "en", "homenode", "level", "args", "for", "radio", "heartbeat",
    "refused_commands", "expire_after", "entity_category", "device_class", "manufacturer", "model",
}  # fmt: skip
"""Fields that not every message has, or (of a map) that have no fixed name. `at`: of evidence never heard."""
ANY_TEXT = {
    "alert", "rule", "subject", "id", "epoch", "room", "by", "reason", "sv", "en", "mode", "because", 
    "source", "acknowledged_by", "homenode", "level", "text", "session", "sdp", "version",
    "name", "suggested_area", "sw_version",
}  # fmt: skip
"""Fields in which another text is as good."""
WRONG = (None, "wrong ☓", 7.5, True, [], {}, [1], {"more": 1})


def messages() -> dict[str, tuple[bytes, bool]]:
    """One of each shape that drawn days give: by topic and what fields it has."""
    found: dict[str, tuple[str, bytes, bool]] = {}
    for seed in range(DAYS):
        for told in Run(Draw(seed).day()).got.values():
            for topic, payload, retain in told:
                assert not CONTRACT.why_not(topic, payload, retain=retain)
                body = json.loads(payload)
                shape = {tuple(map(str, path)) for path, _ in fields(body) if 1 not in path}
                key = f"{topic.split('/')[2:4]} {body.get('type')} {sorted(shape)}"
                found.setdefault(key, (topic, payload, retain))
    home = replace(afternoon().home, exports={"homeassistant": "ha"})
    for topic, payload in discoveries(home, HomeState({"stove": 3_600_000})).items():
        found[topic] = topic, payload, True
    link = status.link_payload(True, "2026-01-05T12:00:00.000+01:00")
    found["link"] = "hn1/h1/link", link, True
    return {
        f"{topic} {nth}": (payload, retain) for nth, (topic, payload, retain) in enumerate(found.values())
    }


def fields(body: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field of a message, however deep."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, value in inner:
        yield (*path, name), value
        yield from fields(value, (*path, name))


def changed(body: Any) -> Iterator[tuple[str, Any]]:
    """The message with one thing wrong, and what."""
    for path, value in [((), body), *fields(body)]:
        name = next((one for one in reversed(path) if isinstance(one, str)), "")
        if isinstance(value, dict) and name not in ("thresholds", "versions", "result"):
            yield f"{path} with one more", put(body, (*path, "more"), 1)
        if not path:
            continue
        needed = name not in MAY_LACK or (name == "at" and "evidence" not in path)
        if isinstance(path[-1], str) and needed:
            yield f"{path} gone", put(body, path, None, gone=True)
        if name == "value" and value is not None:
            yield f"{path} nothing", put(body, path, None)
        for wrong in WRONG:
            as_good = isinstance(wrong, str) and isinstance(value, str) and name in ANY_TEXT
            as_good = as_good and path[:2] != ("device", "name")  # it names the topic
            same = type(wrong) is type(value) and not isinstance(wrong, str | dict | list)
            same = same or (isinstance(wrong, float) and type(value) is int and name == "value")
            empty = wrong in ([], {}) and type(wrong) is type(value)
            never = wrong is None and name == "valid_until"
            told = name == "result" and isinstance(wrong, dict)
            if not (as_good or same or empty or never or told) and wrong != value:
                yield f"{path} {wrong!r}", put(body, path, wrong)


def put(body: Any, path: Path, value: Any, *, gone: bool = False) -> Any:
    """A copy with one field changed."""
    made = copy.deepcopy(body)
    at = made
    for step in path[:-1]:
        at = at[step]
    if gone:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return made


MESSAGES = messages()


@pytest.mark.parametrize("which", list(MESSAGES))
def test_a_message_with_one_thing_wrong_is_refused(which: str) -> None:
    payload, retain = MESSAGES[which]
    topic = which.rpartition(" ")[0]
    let_through = [
        what
        for what, body in changed(json.loads(payload))
        if not CONTRACT.why_not(topic, json.dumps(body).encode(), retain=retain)
    ]
    assert not let_through, payload


@pytest.mark.parametrize("which", list(MESSAGES))
def test_a_message_in_another_place_or_way_is_refused(which: str) -> None:
    payload, retain = MESSAGES[which]
    topic = which.rpartition(" ")[0]
    assert CONTRACT.why_not(topic, payload, retain=not retain)
    assert CONTRACT.why_not(topic, payload, retain=retain, qos=0)
    for here, there in (("hn1/", "hn2/"), ("ha/care/", "ha/resident/"), ("ha/property/", "ha/care/")):
        if topic.startswith(here):
            assert CONTRACT.why_not(topic.replace(here, there), payload, retain=retain)
    assert CONTRACT.why_not(f"{topic}/more", payload, retain=retain)


def test_the_messages_are_of_every_kind() -> None:
    told = {json.loads(payload).get("type") for payload, _ in MESSAGES.values()}
    wanted = {"notified", "acknowledged", "resolved", "fault", "recovered"}
    assert told >= {f"hn1.alert.{word}" for word in wanted}
    for what in ("/status", "/reply", "/link", "/readings/"):
        assert [which for which in MESSAGES if what in which], what


GOOD: dict[str, dict[str, object]] = {
    "acknowledge": {"alert": "a"}, "mode": {"mode": "away", "for": "2 d"},
    "switch": {"point": "hall.light", "to": True}, "video": {"session": "s", "end": True},
    "pair": {"for": "2 min", "radio": "zigbee"}, "report": {"heartbeat": "30 s"},
    "update": {"version": "1", "url": "https://office/1.raucb", "sha256": "0" * 64},
    "configure": {"jws": "{}"},
}  # fmt: skip


@pytest.mark.parametrize("do", list(ARGS))
def test_a_command_with_one_thing_wrong_fits_no_schema_and_is_not_done(do: str) -> None:
    party = MAY[do][0]
    good = {"id": "1", "do": do, "by": "Eva", "expires": "2026-01-05T12:05:00+01:00", "args": GOOD[do]}
    topic = f"hn1/h1/{party}/command"
    assert not CONTRACT.why_not(topic, json.dumps(good).encode(), retain=False)
    assert isinstance(parse_command(json.dumps(good).encode(), party, NOON), Command)
    for what, body in changed(good):
        payload = json.dumps(body).encode()
        assert CONTRACT.why_not(topic, payload, retain=False), what
        assert not isinstance(parse_command(payload, party, NOON), Command), what
