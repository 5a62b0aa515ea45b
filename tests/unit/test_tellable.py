"""What of a node's log its operator may read: what is listed, and of that what looks as it should."""

from __future__ import annotations

import ast
import gzip
import json
import logging
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.errors import Refused
from homenode.fleet.diagnose import LARGEST_B, unpacked, write
from homenode.gateway.diagnosis import LONGEST_B, STATES, _packed
from homenode.gateway.logbook import KEPT, Logbook, of_error
from homenode.health.tellable import EVENTS, FIELDS, LEFT_OUT, tellable
from homenode.update.course import Course, Stage, shown
from homenode.update.order import Order

ROOT = Path(__file__).parents[2]
OF_A_LIFE = (
    "say", "not said", "switch", "look", "picture", "command refused", "done as it woke", "fell asleep",
    "interviewed", "malformed frame", "not used: a message that can't be read", "says", "nobody listens",
    "not on the disk, acted on all the same",
)  # fmt: skip
"""Logged where somebody moved, spoke, looked or was looked at, or where an alert went out."""


def logged() -> dict[str, set[str]]:
    """Every event that the code logs, with its fields, read from the code."""
    found: dict[str, set[str]] = {}
    for file in [*ROOT.glob("homenode/**/*.py"), *ROOT.glob("drivers/**/*.py")]:
        source = file.read_text()
        for node in ast.walk(ast.parse(source)) if "log." in source else ():
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
            if not is_call or node.func.attr not in ("info", "warning", "error", "debug"):
                continue
            event = node.args[0]
            events = [
                one.value
                for one in ast.walk(event)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            for word in node.keywords:
                if word.arg == "extra":
                    fields = {one.value for one in ast.walk(word.value) if isinstance(one, ast.Constant)}
                    for one in events:
                        found.setdefault(one, set()).update(str(field) for field in fields)
            for one in events:
                found.setdefault(one, set())
    return found


def test_what_is_listed_is_logged_somewhere_and_what_tells_of_a_life_is_not_listed() -> None:
    known = logged()
    made = {"thread failed", "clean-up failed"}  # logs.py puts them together
    assert set(EVENTS) - made <= set(known)
    assert set(OF_A_LIFE) <= set(known), "a line was renamed: look whether the new one is listed"
    assert not set(OF_A_LIFE) & set(EVENTS)


@pytest.mark.parametrize("event", [*OF_A_LIFE, "", "anything new", "Ready", "ready "])
def test_what_is_not_listed_is_not_told(event: str) -> None:
    assert tellable(event, {"driver": "zigbee", "why": "x"}) is None


@pytest.mark.parametrize(
    ("event", "fields", "told"),
    [
        ("fault", {"source": "hall_eye silent", "text": "it said 1234 W"}, {"source": "hall_eye silent"}),
        ("fault", {"source": "Anna Svensson"}, {"source": "…"}),
        ("lost", {"driver": "zigbee", "source": "stove.power value", "why": "1234 W is out of range"},
         {"driver": "zigbee", "source": "stove.power value"}),
        ("link up", {"url": "mqtts://broker.example:8883"}, {"url": "mqtts://broker.example:8883"}),
        ("link up", {"url": "mqtts://anna:secret@broker"}, {"url": "…"}),
        ("no link", {"url": "mqtt://[::1]:1", "why": "no\nyes"}, {"url": "mqtt://[::1]:1", "why": "…"}),
        ("failed", {"part": "say", "task": "say Anna", "error": "ValueError", "place": "homenode/a.py:3"},
         {"part": "say", "error": "ValueError", "place": "homenode/a.py:3"}),
        ("ready", {"home": "h", "points": 12}, {"points": "12"}),
        ("ready", {"points": 1234.5678}, {"points": "…"}),
    ],
)  # fmt: skip
def test_of_a_line_only_what_is_listed_and_looks_as_it_should(
    event: str, fields: dict[str, Any], told: dict[str, str]
) -> None:
    assert tellable(event, fields) == told


@given(
    st.sampled_from(sorted(EVENTS)),
    st.dictionaries(st.sampled_from(["why", "text", "name", *FIELDS]), st.text()),
)
def test_no_field_is_told_that_is_not_listed(event: str, fields: dict[str, str]) -> None:
    told = tellable(event, fields)
    assert told is not None
    assert told.keys() <= EVENTS[event].keys()
    kinds = EVENTS[event]
    assert all(value == "…" or re.fullmatch(FIELDS[kinds[name]], value) for name, value in told.items())


def test_the_book_keeps_the_last_lines_and_nothing_of_the_others() -> None:
    book, log = Logbook(), logging.Logger("homenode.node")
    log.addHandler(book)
    for nth in range(KEPT + 10):
        log.info("ready", extra={"points": nth})
        log.info("say", extra={"text": "Anna"})
        log.debug("ready", extra={"points": -1})
    lines = book.lines()
    assert [line["points"] for line in lines] == [str(nth) for nth in range(10, KEPT + 10)]
    assert "Anna" not in json.dumps(lines)
    assert set(lines[0]) == {"at_ms", "level", "part", "event", "points"}


def test_of_an_error_its_kind_and_our_line_and_not_its_words() -> None:
    def asked(event: Any) -> None:
        tellable("ready", event)

    try:
        asked(None)
    except TypeError as error:
        told = of_error(error)
    assert told["error"] == "TypeError"
    assert told["place"].startswith("homenode/health/tellable.py:")
    assert of_error(None) == {}
    assert of_error(ValueError("Anna")) == {"error": "ValueError"}


def content(lines: int, noise: int) -> dict[str, Any]:
    log = [{"event": "no link", "why": f"{nth * 7919 % 10**9:x}" * noise} for nth in range(lines)]
    return {"home": "h", "left_out": LEFT_OUT, "log": log}


@pytest.mark.parametrize(("lines", "noise"), [(0, 1), (400, 1), (400, 300), (9_000, 30)])
def test_a_bundle_fits_its_answer_whatever_was_logged(tmp_path: Path, lines: int, noise: int) -> None:
    bundle = _packed(content(lines, noise), tmp_path)
    assert len(b64decode(bundle["data"])) <= LONGEST_B
    read = unpacked("h", {"ok": True, "result": {"bundle": bundle}})
    whole = content(lines, noise)["log"]
    assert read["log"] == whole[len(whole) - len(read["log"]) :], "the newest are kept"
    assert read.get("log_cut", False) is (len(read["log"]) < lines)


def test_of_others_files_only_what_is_listed_is_told(tmp_path: Path) -> None:
    (tmp_path / "enrol").mkdir()
    (tmp_path / "enrol/state.json").write_text(
        json.dumps({"state": "failed", "code": "SECRET", "why": {"en": "x"}})
    )
    (tmp_path / "update").mkdir()
    (tmp_path / "update/state.json").write_text("[")
    busy = {"state": "busy", "version": "2", "why": {"en": "an alert is open"}}
    (tmp_path / "update/order.json").write_text(json.dumps({"version": "2", "by": "Bo"}))
    read = unpacked("h", {"ok": True, "result": {"bundle": _packed(content(1, 1), tmp_path)}})
    assert read["states"]["enrol/state.json"] == {"state": "failed", "why": {"en": "x"}}
    assert read["states"]["update/state.json"] == "left out: no JSON"
    assert read["states"]["update/order.json"] == {"version": "2"}
    assert read["packages"]["paho-mqtt"]
    (tmp_path / "update/state.json").write_text(json.dumps(busy))
    read = unpacked("h", {"ok": True, "result": {"bundle": _packed(content(1, 1), tmp_path)}})
    assert read["states"]["update/state.json"] == {"state": "busy", "version": "2"}, "with what is not told"


def bundle_of(raw: bytes, **more: Any) -> dict[str, Any]:
    import base64
    import hashlib

    bundle = {"data": base64.b64encode(raw).decode(), "sha256": hashlib.sha256(raw).hexdigest(), **more}
    return {"ok": True, "result": {"bundle": bundle}}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "without a reason"), ({"ok": False, "error": {"text": "\x1b[2J no"}}, "�"),
        ({"ok": True}, "older"), ({"ok": True, "result": {"bundle": {}}}, "no bundle"),
        (bundle_of(b"x"), "no bundle"), (bundle_of(gzip.compress(b"[]")), "no JSON object"),
        (bundle_of(gzip.compress(b"{}"), sha256="0"), "checksum"),
        (bundle_of(gzip.compress(b"{}"), data="?"), "no bundle"),
        (bundle_of(gzip.compress(b" " * (LARGEST_B + 1))), "larger than"),
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_refused(answer: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        unpacked("h", answer)


def test_whatever_a_node_puts_into_its_bundle_is_a_file_and_steers_no_terminal(tmp_path: Path) -> None:
    odd = {"log": 5, "left_out": {"en": "\x1b]0;x\x07"}, "half": "\ud800"}
    told = write(tmp_path / "h.json", odd)
    assert told[1] == "left out: �]0;x�"
    assert "0 lines of the log" in told[0]
    assert json.loads((tmp_path / "h.json").read_text()) == {**odd, "half": "?"}


def test_what_the_bundle_has_of_an_update_is_in_its_files() -> None:
    course = Course(stage=Stage.LOADING)
    assert set(STATES["update/state.json"]) <= shown(course, "0.1.0", "A", 0.5).keys()
    assert set(STATES["update/order.json"]) <= Order.__dataclass_fields__.keys()
