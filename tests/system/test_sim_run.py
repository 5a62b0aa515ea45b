"""The simulated apartment as a person runs it: a process, its socket, its pins, its people."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

APARTMENT = """
timezone: Europe/Stockholm
pairing: open
zigbee:
  stove: {model: plug, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen, appliance: hob}
  eye:   {model: motion_hue, ieee: "00:15:8d:00:02:aa:bb:02", room: kitchen}
  bed:   {model: bed_mat, ieee: "00:15:8d:00:02:aa:bb:03", room: bedroom}
gpio:
  front_door: {pin: 17, kind: contact, room: hall, between: [hall, outside], bounce: [2, 1]}
  hall_eye:   {pin: 27, kind: motion, room: hall}
  siren:      {pin: 22, kind: siren, room: hall}
"""

PATIENCE_S = 20


class Apartment:
    """A running apartment, from outside."""

    def __init__(self, process: subprocess.Popen[str], places: dict[str, Any]) -> None:
        self.process, self.places = process, places

    def do(self, words: str) -> Any:
        """Do something; what it answers. Fails where it is refused."""
        answer = self.ask(words)
        assert answer["ok"], answer
        return answer["result"]

    def ask(self, words: str) -> dict[str, Any]:
        with self.lines({"do": words}) as lines:
            return next(lines)

    @contextmanager
    def lines(self, said: object) -> Iterator[Iterator[dict[str, Any]]]:
        with (
            socket.create_connection(("127.0.0.1", self.places["control"]), PATIENCE_S) as connection,
            connection.makefile("rwb") as stream,
        ):
            stream.write((said if isinstance(said, bytes) else json.dumps(said).encode()) + b"\n")
            stream.flush()
            yield map(json.loads, stream)

    def until(self, events: Iterator[dict[str, Any]], device: str, value: object) -> dict[str, Any]:
        """The next event of a device with a value; the socket's timeout ends the waiting."""
        return next(event for event in events if event.get("device") == device and event["value"] == value)


@contextmanager
def apartment(folder: Path, *more: str, text: str = APARTMENT, day: str = "") -> Iterator[Apartment]:
    file = folder / "apartment.yaml"
    if day:
        (folder / "day.yaml").write_text(day)
        text += "scenario: day.yaml\n"
    file.write_text(text)
    command = [sys.executable, "-m", "homenode.cli", "sim", "run", str(file), "--control", "0", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("ready "), first
        yield Apartment(process, json.loads(first.removeprefix("ready ")))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def test_it_says_where_everything_is_and_ends_in_order(tmp_path: Path) -> None:
    with apartment(tmp_path, "--pty", str(tmp_path / "stick"), "--tcp", "0", "--gpio", "0") as sim:
        assert set(sim.places) == {"control", "stick", "stick tcp", "gpio"}
        assert os.path.exists(tmp_path / "stick")
    assert sim.process.returncode == 0
    assert not os.path.exists(tmp_path / "stick")


def test_people_and_tests_play_the_same_verbs(tmp_path: Path) -> None:
    with apartment(tmp_path, "--gpio", "0") as sim, sim.lines({"do": "watch"}) as events:
        next(events)
        sim.do("open front_door")
        sim.until(events, "front_door", True)
        sim.do("close front_door")
        sim.until(events, "front_door", False)
        sim.do("measure stove power 1400")
        sim.until(events, "stove", 1400.0)
        assert sim.do("status stove")["power"] == 1400.0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("trip fridge", "no device is called 'fridge'"),
        ("explode stove", "'explode' is no verb"),
        ("measure stove", "is used differently"),
        ("measure stove power hot", "'hot' is no number"),
        ("measure stove humidity 3", "measures no humidity"),
        ("cut stove", "is not wired"),
        ("silence front_door", "is not a Zigbee device"),
        ("press front_door", "can't be pressed"),
        ("open siren", "the node drives it"),
        ("stick melt", "can't 'melt'"),
        ("move eye stove", "is in no network"),
        ("move eye bed", "is in no network"),
        ("move eye far", "'far' is no number"),
        ("say the hob is on", "not understood"),
        ("join all", "no network is open"),
        ("scenario start", "no scenario"),
        ("", "nothing is no verb"),
    ],
)
def test_what_cant_be_done_is_refused_with_the_reason(playground: Apartment, words: str, why: str) -> None:
    answer = playground.ask(words)
    assert not answer["ok"]
    assert why in answer["error"]


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apartment]:
    with apartment(tmp_path_factory.mktemp("sim")) as sim:
        yield sim


@pytest.mark.parametrize("line", [b"rubbish", b"[]", b'{"do": 3}', b'{"do": [1]}', b"\xff\xfe"])
def test_garbage_on_the_socket_is_answered(playground: Apartment, line: bytes) -> None:
    with playground.lines(line) as answers:
        assert next(answers)["ok"] is False


def test_help_lists_every_verb(playground: Apartment) -> None:
    usages = playground.do("help")
    assert any(usage.startswith("trip DEVICE") for usage in usages)


def test_the_command_line_says_the_same(playground: Apartment) -> None:
    command = [
        sys.executable,
        "-m",
        "homenode.cli",
        "sim",
        "do",
        "--control",
        str(playground.places["control"]),
    ]
    fine = subprocess.run([*command, "status", "stove"], capture_output=True, text=True, check=False)
    assert fine.returncode == 0
    assert json.loads(fine.stdout)["model"] == "plug"
    wrong = subprocess.run([*command, "trip", "fridge"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 1
    assert "no device is called" in wrong.stderr


def test_without_an_apartment_the_command_line_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        command = [
            sys.executable,
            "-m",
            "homenode.cli",
            "sim",
            "do",
            "--control",
            str(taken.getsockname()[1]),
            "clock",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no apartment answers" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_one_clear_message(tmp_path: Path, playground: Apartment) -> None:
    file = tmp_path / "apartment.yaml"
    file.write_text(APARTMENT)
    port = str(playground.places["control"])
    command = [sys.executable, "-m", "homenode.cli", "sim", "run", str(file), "--control", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_mistakes_of_the_file_are_told_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "apartment.yaml"
    file.write_text(APARTMENT.replace("model: plug,", "model: plugg,"))
    command = [sys.executable, "-m", "homenode.cli", "sim", "run", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "apartment.yaml:5:" in done.stderr
    assert "did you mean plug?" in done.stderr


@pytest.mark.parametrize(
    ("day", "status", "why"),
    [
        ("day: [07:00 fridge on]\n", 2, "day.yaml:1:"),
        ('recording: {file: none.csv, plays: {bed: "1"}}\n', 1, "No such file"),
    ],
)
def test_a_scenario_that_cant_be_played_says_why(tmp_path: Path, day: str, status: int, why: str) -> None:
    (tmp_path / "day.yaml").write_text(day)
    file = tmp_path / "apartment.yaml"
    file.write_text(APARTMENT + "scenario: day.yaml\n")
    command = [sys.executable, "-m", "homenode.cli", "sim", "run", str(file), "--control", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == status
    assert why in done.stderr
    assert "Traceback" not in done.stderr


MORNING = """
people: [anna]
start: {anna: bed}
day:
  - 07:10 bed empty
  - 07:12 kitchen
  - 07:20 hob on
  - 07:40 hob off
  - 07:45 anna hall
  - 07:50 anna out
"""


def test_people_live_through_their_day(tmp_path: Path) -> None:
    start = ("--start", "2026-01-05T06:09", "--speed", "600")  # 07:10 is six seconds later: by then we listen
    with apartment(tmp_path, *start, "--gpio", "0", day=MORNING) as sim, sim.lines({"do": "watch"}) as events:
        next(events)
        seen = list(_until_said(events, "anna out", more=5))
    order = [(event["device"] or "said", event["value"]) for event in seen]
    assert order.index(("bed", False)) < order.index(("eye", True)) < order.index(("said", "hob on"))
    watts = [event["value"] for event in seen if event["device"] == "stove" and event["kind"] == "power"]
    assert max(watts) > 1300
    assert min(watts[watts.index(max(watts)) :]) < 1
    assert ("hall_eye", True) in order
    assert ("front_door", True) in order[order.index(("said", "anna out")) :]


def _until_said(events: Iterator[dict[str, Any]], text: str, more: int) -> Iterator[dict[str, Any]]:
    for event in events:
        yield event
        if event["value"] == text:
            break
    for _, event in zip(range(more), events, strict=False):
        yield event
        if event["device"] == "front_door":
            break


def test_a_hob_draws_nothing_while_its_plug_is_off(tmp_path: Path) -> None:
    with apartment(tmp_path) as sim:
        sim.do("say hob on")
        assert sim.do("status stove")["power"] > 1000
        sim.do("operate stove switch off")
        assert sim.do("status stove")["power"] == 0


def test_a_recorded_home_plays_as_the_apartments_devices(tmp_path: Path) -> None:
    (tmp_path / "home.csv").write_text(
        "local_time,epoch_local_as_utc,sensor_id,name,kind,state\n"
        "2008-02-26 07:10:00,0,12,Front door,entrance_door,on\n"
        "2008-02-26 07:10:30,0,12,Front door,entrance_door,off\n"
        "2008-02-26 07:10:31,0,99,Something else,door,off\n"
        "2008-02-26 07:20:00,0,28,PIR,motion,on\n"
    )
    day = 'recording: {file: home.csv, from: "2008-02-26 07:09", plays: {front_door: "12", eye: "28"}}\n'
    with (
        apartment(tmp_path, "--speed", "200", "--gpio", "0", day=day) as sim,
        sim.lines({"do": "watch"}) as events,
    ):
        next(events)
        opened = sim.until(events, "front_door", True)
        closed = sim.until(events, "front_door", False)
        sim.until(events, "eye", True)
        assert opened["at"] < closed["at"]


def test_stick_and_devices_survive_a_restart_of_the_process(tmp_path: Path) -> None:
    with apartment(tmp_path, "--gpio", "0") as sim:
        sim.do("operate stove switch off")
    with apartment(tmp_path, "--gpio", "0") as sim:
        assert json.loads((tmp_path / "apartment.stick.json").read_text())["formed"] is False
        assert "stove" in sim.do("status")["devices"]


def test_the_clock_agrees_with_every_process_of_the_same_anchor(tmp_path: Path) -> None:
    args = ("--start", "2026-01-05T07:00", "--anchor", "0", "--speed", "0.001")
    with apartment(tmp_path, *args) as one:
        first = one.do("clock")["time"]
    with apartment(tmp_path, *args) as two:
        assert two.do("clock")["time"][:17] == first[:17]
