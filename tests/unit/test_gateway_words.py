"""What a person reads: log lines, values, spans; and what systemd is told."""

from __future__ import annotations

import json
import logging
import socket
import sys
from pathlib import Path

import pytest

from homenode.gateway import systemd
from homenode.gateway.ask import at_home, span, state_of, table
from homenode.gateway.logs import _Lines
from homenode.gateway.status import shown
from homenode.reading import Quality, Value


def line(
    as_json: bool = False, *, level: int = logging.WARNING, broken: bool = False, **fields: object
) -> str:
    record = logging.LogRecord("homenode.node", level, "x.py", 1, "lost", None, None)
    vars(record).update(fields)
    if broken:
        try:
            raise ValueError("secret\nof two lines")
        except ValueError:
            record.exc_info = sys.exc_info()
    return _Lines(as_json).format(record)


def test_a_log_line_is_an_event_with_fields() -> None:
    told = line(source="zigbee", why="the stick is gone", number=3, empty="")
    assert told.endswith('warning node: lost source=zigbee why="the stick is gone" number=3 empty=""')


def test_a_log_line_is_one_line_and_its_fields_can_be_told_apart() -> None:
    told = line(why='a "quoted"\nsecond line', odd="a=b")
    assert "\n" not in told
    assert 'odd="a=b"' in told
    for sly in ("\r", "\x1b[2J", "\x85", "\u2028", "\u202e", "\x7f"):  # to a terminal, or to who splits lines
        assert line(who=f"a{sly}b").isprintable()


def test_as_json_it_says_the_same() -> None:
    told = json.loads(line(as_json=True, source="zigbee", path=Path("/x")))
    assert told["event"] == "lost"
    assert told["level"] == "warning"
    assert told["part"] == "node"
    assert told["source"] == "zigbee"
    assert told["path"] == "/x"


def test_an_alert_that_one_party_acknowledged_does_not_read_as_if_nobody_had() -> None:
    assert state_of({"acknowledged": False, "by": []}) == "open"
    assert state_of({"acknowledged": False, "by": ["care"]}) == "open, acknowledged for care"
    assert state_of({"acknowledged": True, "by": ["care", "property"]}) == "acknowledged"


def test_what_nobody_can_hear_is_not_called_said() -> None:
    well, mute, none = (
        {"device": device, "trouble": trouble}
        for device, trouble in (("default", ""), ("default", "no loudspeaker"), ("none", ""))
    )
    assert at_home("Spisen är på.", well) == "said at home: Spisen är på."
    assert at_home("Spisen är på.", mute) == "can't be heard at home: Spisen är på."
    assert at_home("Spisen är på.", none) == "can't be heard at home: Spisen är på."


def test_nobody_but_who_asks_for_all_sees_a_traceback() -> None:
    assert "Traceback" not in line(broken=True)
    assert "ValueError" in line(broken=True)
    assert "Traceback" in line(level=logging.DEBUG, broken=True)
    assert "\n" not in line(level=logging.DEBUG, broken=True)


@pytest.mark.parametrize(
    ("point", "value", "quality", "text"),
    [
        ("stove.power", 1420.0, Quality.GOOD, "1420 W"),
        ("stove.power", 0, Quality.GOOD, "0 W"),
        ("door.contact", True, Quality.GOOD, "open"),
        ("door.contact", False, Quality.GOOD, "closed"),
        ("bell.button", True, Quality.GOOD, "was pressed"),
        ("bell.button", False, Quality.GOOD, "not pressed"),
        ("radio.link_quality", 200, Quality.GOOD, "200"),
        ("sink.water", False, Quality.STALE, "?"),
        ("sink.water", False, Quality.UNKNOWN, "?"),
        ("sink.water", None, Quality.GOOD, "?"),
        ("sink.magic", True, Quality.GOOD, "?"),
    ],
)
def test_a_value_is_shown_in_words_and_unknown_never_as_a_value(
    point: str, value: Value, quality: Quality, text: str
) -> None:
    assert shown(point, value, quality) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "-"),
        (0, "0 s"),
        (119_999, "120 s"),
        (120_000, "2 min"),
        (7_200_000, "2 h"),
        (172_800_000, "2 d"),
    ],
)
def test_a_span_is_said_in_its_own_unit(ms: float | None, text: str) -> None:
    assert span(ms) == text


def test_a_table_has_columns_as_wide_as_their_longest_cell() -> None:
    assert table([["a", "bb"], ["ccc", ""]], ["X", "Y"]) == "X    Y\na    bb\nccc"


def test_systemd_hears_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        systemd.notify("READY=1")
        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize("place", ["", "/nowhere/at/all", "@nobody-listens-there"])
def test_without_systemd_nothing_happens(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", place)
    systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "every_s"),
    [("20000000", "", 10.0), ("", "", None), ("soon", "", None), ("20000000", "1", None)],
)
def test_the_watchdog_is_fed_twice_in_its_time_and_only_by_whom_it_watches(
    usec: str, pid: str, every_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert systemd.watchdog_s() == every_s
