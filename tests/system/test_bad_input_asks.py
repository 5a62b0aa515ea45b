"""Whoever asks wrongly is told so in a line: at the socket, over MQTT, at the command line, in home.yaml."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import PATIENCE_S, NodeProcess, Receiver, homenode, in_an_hour
from tests.system.soak_home import until
from tests.system.test_bad_input_storage import stops_in_time
from tests.system.test_node import a_home

pytestmark = needs_mosquitto


@pytest.fixture
def node(tmp_path: Path, broker: Mosquitto) -> Iterator[NodeProcess]:
    home = a_home(tmp_path, broker.port, [(0.0, False)])
    with NodeProcess(home, tmp_path / "data") as running:
        running.until("link up")
        yield running


class Asker:
    """A bare connection to the node's socket."""

    def __init__(self, node: NodeProcess) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE_S)
        here = os.open(node.data, os.O_PATH)
        self._socket.connect(f"/proc/self/fd/{here}/node.sock")
        os.close(here)
        self._lines = self._socket.makefile("rb")

    def say(self, what: bytes) -> dict[str, Any]:
        self._socket.sendall(what)
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def only_say(self, what: bytes) -> None:
        self._socket.sendall(what)

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()


WRONG = [
    (b"\n", "one line of JSON"),
    (b"hello\n", "one line of JSON"),
    (b"\xff\xfe\x00\n", "one line of JSON"),
    (b"[1, 2]\n", "a JSON object"),
    (b'"status"\n', "a JSON object"),
    (b"[" * 50_000 + b"\n", "one line of JSON"),
    (b"x" * 300_000 + b"\n", "at most 65536 bytes"),
    (b"{}\n", "doesn't know the request None"),
    (b'{"do": "dance"}\n', "doesn't know the request 'dance'"),
    (b'{"do": ["status"]}\n', "doesn't know the request"),
    (b'{"do": "pair"}\n', "the request pair lacks for_s"),
    (b'{"do": "pair", "for_s": "long"}\n', "for_s is a number"),
    (b'{"do": "pair", "for_s": NaN}\n', "pairing for nan s"),
    (b'{"do": "pair", "for_s": 1e300}\n', "at most 10 min"),
    (b'{"do": "pair", "for_s": 5, "radio": "none"}\n', "there is no radio none"),
    (b'{"do": "mode"}\n', "lacks mode"),
    (b'{"do": "mode", "mode": "party"}\n', "there is no mode party"),
    (b'{"do": "mode", "mode": null}\n', "mode is a text"),
    (b'{"do": "ack", "alert": "x"}\n', "lacks party"),
    (b'{"do": "ack", "alert": "x", "party": "press"}\n', "there is no party press"),
    (b'{"do": "ack", "alert": "x", "party": "care"}\n', "x"),
    (b'{"do": "speed", "speed": 0}\n', "give a number above 0"),
    (b'{"do": "speed", "speed": NaN}\n', "give a number above 0"),
    (b'{"do": "switch", "point": "front_door.contact"}\n', "lacks to"),
    (b'{"do": "switch", "point": "front_door.contact", "to": "up"}\n', "accepted: open, closed"),
    (b'{"do": "switch", "point": "\\ud800", "to": "on"}\n', "there is no device"),
    (b'{"do": "switch", "point": "ghost.light", "to": "on"}\n', "there is no device ghost"),
    (b'{"do": "switch", "point": "' + b"a" * 5000 + b'", "to": "on"}\n', "at most 200"),
]


def test_each_wrong_request_is_answered_in_words_and_the_connection_lives(node: NodeProcess) -> None:
    with Asker(node) as asker:
        for said, told in WRONG:
            answer = asker.say(said)
            assert answer["ok"] is False, said[:60]
            assert told in answer["error"], (said[:60], answer)
            assert "mistake in homenode" not in answer["error"], said[:60]
        assert asker.say(b'{"do": "status"}\n')["ok"] is True
        assert asker.say(b'{"do": "st' + b'atus"}\n{"do": "status"}\n')["ok"] is True
    stops_in_time(node)


def test_askers_that_hang_or_go_hold_up_nobody(node: NodeProcess) -> None:
    with contextlib.ExitStack() as open_ones:
        for _ in range(20):
            asker = open_ones.enter_context(Asker(node))
            asker.only_say(b'{"do": "status"}\n' * 300)  # and reads no answer
            half = open_ones.enter_context(Asker(node))
            half.only_say(b'{"do": "stat')
        for _ in range(5):
            with Asker(node) as gone:
                gone.only_say(b'{"do": "status"}\n' * 50)
        with Asker(node) as watcher:
            watcher.only_say(b'{"do": "watch"}\n')
        assert node.status()["home"] == "test-1"
        many = [open_ones.enter_context(Asker(node)) for _ in range(30)]
        assert "too many" in many[-1].say(b"")["error"]
        stops_in_time(node)


GARBAGE: list[tuple[str, bytes, bool]] = [
    ("care", b"", False),
    ("care", b"\x00" * 100, False),
    ("property", b"{" * 60_000, False),
    ("resident", b"[" * 60_000 + b"]" * 60_000, False),
    ("operator", b"x" * 10_000_000, False),
    ("care", b'{"id": "r", "do": "mode"}', True),
    ("property", b'{"id": 7}', False),
]


def commands() -> list[tuple[str, dict[str, Any], str]]:
    """Party, what it asks, and a word of the refusal."""
    good = {"by": "Eva", "expires": in_an_hour(), "args": {}}
    return [
        ("property", {**good, "do": "mode", "args": {"mode": "away"}}, "property may not mode"),
        ("resident", {**good, "do": "update"}, "resident may not update"),
        ("care", {**good, "do": "launch"}, "do must be one of"),
        ("care", {**good, "do": "mode", "args": {"mode": "party"}}, "there is no mode party"),
        ("care", {**good, "do": "mode", "args": {"mode": "away", "for": "0.00001 s"}}, "whole number of"),
        ("care", {**good, "do": "mode", "args": {"mode": "away", "for": "99999999 d"}}, "hundred years"),
        ("care", {**good, "do": "mode", "args": {"mode": "away", "for": "9" * 30 + " d"}}, "duration"),
        ("care", {**good, "do": "mode", "args": {"mode": "away", "for": "8 d"}}, "at most 7 d"),
        ("care", {**good, "do": "mode"}, "args.mode is missing"),
        ("care", {**good, "do": "mode", "args": {"mode": "away"}, "expires": in_an_hour(-1)}, "expired"),
        ("care", {**good, "do": "mode", "args": {"mode": "away"}, "expires": in_an_hour(999)}, "7 days"),
        ("care", {**good, "do": "mode", "args": {"mode": "away"}, "expires": "soon"}, "expires must be"),
        ("care", {**good, "do": "switch", "args": {"point": "ghost.light", "to": True}}, "no device ghost"),
        (
            "care",
            {**good, "do": "switch", "args": {"point": "front_door.contact", "to": True}},
            "tape is not running",
        ),
        ("care", {**good, "do": "switch", "args": {"point": "front_door.contact", "to": 1}}, "true or false"),
        ("care", {**good, "do": "acknowledge", "args": {"alert": "nothing"}}, "nothing"),
        ("care", {**good, "do": "video", "args": {"session": "s", "end": True}}, "there is no session"),
        ("property", {**good, "do": "pair", "args": {"for": "1 d"}}, "at most 10 min"),
        ("property", {**good, "do": "pair", "args": {"radio": "none"}}, "no radio none"),
        ("operator", {**good, "do": "update", "args": {"now": "yes"}}, "args.version is missing"),
    ]


def test_garbage_on_the_command_topics_is_counted_and_logged_once_a_minute(
    node: NodeProcess, broker: Mosquitto
) -> None:
    for party, payload, retained in GARBAGE * 3:
        topic = f"hn1/test-1/{party}/command"
        publish.single(topic, payload, qos=1, retain=retained, hostname="127.0.0.1", port=broker.port)
    with Receiver(broker.port, "hn1/test-1/+/reply") as parties:
        last = {"id": "last", "do": "launch", "by": "Eva", "expires": in_an_hour(), "args": {}}
        parties.send("hn1/test-1/care/command", last)
        parties.until(lambda seen: [m for m in seen.messages if m[1]["id"] == "last"], "the last answer")
    refused = node.status()["refused_commands"]
    assert refused == {"care": 10, "property": 6, "resident": 3, "operator": 3}
    told = [line for line in node.lines if "command refused" in line]
    assert len(told) == 4, told
    assert "refused commands: 10 of care" in node.ask("status").stdout
    assert max(len(line) for line in node.lines) < 2000
    stops_in_time(node)


def test_each_command_that_may_not_be_is_answered_with_its_reason(
    node: NodeProcess, broker: Mosquitto
) -> None:
    until(lambda: node.status()["drivers"]["tape"] == "ended", what="the tape's end")
    with Receiver(broker.port, "hn1/test-1/+/reply") as parties:
        for nth, (party, body, _) in enumerate(wrong := commands()):
            parties.send(f"hn1/test-1/{party}/command", {"id": f"c{nth}", **body})
        parties.until(lambda seen: len(seen.messages) >= len(wrong), "an answer to each")
        answers = {body["id"]: (topic, body) for topic, body, _ in parties.messages}
        for nth, (party, body, told) in enumerate(wrong):
            topic, answer = answers[f"c{nth}"]
            assert topic == f"hn1/test-1/{party}/reply"
            assert answer["ok"] is False
            assert told in answer["error"]["text"], (body, answer)
            assert "mistake in homenode" not in answer["error"]["text"], (body, answer)
    assert node.status()["mode"] == "home"
    stops_in_time(node)


def test_a_bad_home_on_sighup_is_refused_and_the_node_goes_on(node: NodeProcess) -> None:
    good = node.home.read_text()
    for bad, told in (
        (good.replace("room: hall", "rom: hall"), "did you mean room?"),
        (good[: len(good) // 2], "home.yaml"),
        ("\x00\xff", "home.yaml"),
        ("[" * 100_000, "home.yaml"),
        (good.replace("home: test-1", "home: test-2"), "test-2"),
    ):
        node.home.write_text(bad)
        node.process.send_signal(signal.SIGHUP)
        assert told in node.until("reload refused")
    node.home.unlink()
    node.process.send_signal(signal.SIGHUP)
    assert "home.yaml" in node.until("reload refused")
    node.home.write_text(good)
    node.process.send_signal(signal.SIGHUP)
    node.until("reloaded")
    stops_in_time(node)


MISTAKES = """\
home: Växjö 0412
timezone: Europe/Stockholmm
language: se
clock: {trust: allways}
broker: {url: "http://127.0.0.1:99999", user: anna}
radios:
  tape: {driver: recordng, file: tape.jsonl}
  other: {driver: recording}
devices:
  front door: {via: tape, sensor: door, kind: contact, room: hall}
  back_door:  {via: tap, sensor: door, kind: contact, room: hall}
  window:     {driver: gpio, pin: 99, kind: contakt, room: hall}
  window:     {driver: gpio, pin: 17, kind: contact, room: hall}
  cellar:     {driver: gpio, pin: 27, kind: water}
  stove:      {via: other, sensor: s, kind: power, room: kitchen, stale_after: often}
rules:
  - {use: dor, bind: {door: front_door.contact}}
  - {use: stove_left_on, bind: {stove: stove.contact, presence: stove.power}, set: {alone: 3 h, hott: 5}}
  - {bind: {}}
share: {car: ["*.*"], care: ["nothing.here"]}
modes: {party: {longest: for ever}}
resident: {ok: stove.power}
extra: true
"""


def test_every_mistake_of_a_home_is_told_in_one_go_with_its_line(tmp_path: Path) -> None:
    home = tmp_path / "home.yaml"
    home.write_text(MISTAKES)
    for words in (("check", str(home)), ("run", str(home), "--data", str(tmp_path / "data"))):
        told = homenode(*words)
        said = told.stdout + told.stderr
        assert told.returncode == 2, said
        assert "Traceback" not in said
        wrong = {int(found[1]) for found in re.finditer(rf"^{home}:(\d+):", said, re.MULTILINE)}
        with_mistakes = {*range(1, 6), 7, 8, *range(10, 16), *range(17, 24)}
        assert with_mistakes - wrong == set(), said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "usage"),
        (("dance",), "invalid choice"),
        (("run",), "HOME.yaml"),
        (("run", "missing.yaml"), "missing.yaml"),
        (("run", "/"), "/"),
        (("run", "{home}", "--speed", "0"), "--speed"),
        (("run", "{home}", "--speed", "nan"), "--speed"),
        (("run", "{home}", "--speed", "fast"), "--speed"),
        (("run", "{home}", "--start", "tomorrow"), "--start"),
        (("check", "missing.yaml"), "missing.yaml"),
        (("status", "--data", "/nowhere"), "no node is running"),
        (("install", "--data", "/nowhere"), "no node is running"),
        (("install", "--web", "--data", "/nowhere"), "no node is running"),
        (("replace", "door", "--data", "/nowhere"), "no node is running"),
        (("pair", "--data", "/nowhere", "--for", "long"), "--for long"),
        (("switch", "a.light", "up"), "invalid choice"),
        (("ack",), "alert"),
        (("replay", "{home}", "missing.jsonl"), "missing.jsonl"),
        (("replay", "{home}", "{home}"), "home.yaml"),
        (("schema", "face"), "invalid choice"),
        (("journal", "verify", "--data", "/nowhere"), "/nowhere"),
        (("sim", "run", "missing.yaml"), "missing.yaml"),
        (("sim", "do", "help", "--control", "1"), "1"),
    ],
)
def test_a_wrong_command_line_is_answered_in_words(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    home = a_home(tmp_path, 1, [(0.0, False)])
    answer = homenode(*(word.format(home=home) for word in words))
    said = answer.stdout + answer.stderr
    assert answer.returncode != 0, said
    assert told in said
    assert "Traceback" not in said
    assert "mistake in homenode" not in said


def heard_by_systemd(listener: socket.socket, wanted: str) -> None:
    listener.settimeout(PATIENCE_S)
    while wanted not in listener.recv(4096).decode():
        pass


def test_systemd_hears_ready_watchdog_and_stopping_also_where_nothing_works(tmp_path: Path) -> None:
    """No broker, a port that isn't there, a journal that was hit: the node is up all the same."""
    home = a_home(
        tmp_path,
        1,
        [(0.0, False)],
        radios="  stick: {driver: zigbee, port: /dev/nowhere}",
        devices='  stove: {via: stick, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen}',
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with NodeProcess(home, tmp_path / "data", env=env) as node:
            heard_by_systemd(listener, "READY=1")
            for _ in range(3):
                heard_by_systemd(listener, "WATCHDOG=1")
            assert node.status()["link"]["state"] == "down"
            stops_in_time(node)
            heard_by_systemd(listener, "STOPPING=1")
    with NodeProcess(home, tmp_path / "data", env={"NOTIFY_SOCKET": "/nowhere/at/all"}) as node:
        node.until("node: ready")
        stops_in_time(node)
