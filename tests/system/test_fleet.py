"""The operator's tool as a process, over the example broker, with real nodes in which somebody lives."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from homenode.config.model import Broker
from homenode.fleet import ears
from homenode.fleet.board import Board
from homenode.fleet.settings import Settings
from homenode.gateway.clock import Clock
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.hostile import HostileBroker
from tests.system.nodes import NodeProcess, Program, Receiver, in_an_hour
from tests.system.test_broker_acl import Example
from tests.unit.health_seen import put, put_a_pi

pytestmark = needs_mosquitto

HOME = """\
home: {home}
timezone: Europe/Stockholm
language: sv
clock: {{trust: always}}
broker: {broker}
radios: {{tape: {{driver: recording, file: tape.jsonl}}}}
devices:
  eyemark:   {{via: tape, sensor: eye, kind: motion, room: hall}}
  stovemark: {{via: tape, sensor: stove, kind: power, room: kitchen}}
  doormark:  {{via: tape, sensor: door, kind: contact, room: hall}}
rules:
  - {{use: stoverule, bind: {{stove: stovemark.power, eye: eyemark.motion}}}}
"""
RULE = """\
rule: stoverule
to: [care]
roles: {stove: {kind: power}, eye: {kind: motion}}
when: stove > 50 W or eye == true
says: {sv: Spisen, en: The stove}
"""
MARKS = ("1234.5", "stoverule:", "careperson", "away", "1617.25")
"""Of what happened there: values, an alert's id, a person, a mode."""


class HastyNode(NodeProcess):
    """One that looks at its health all the time."""

    module = ("-m", "tests.system.hasty_node")


def written(folder: Path, home: str, broker: str, *, lived_in: bool, after_s: int = 0) -> Path:
    """A flat with its tape: every sensor is heard as often, whether somebody lives there or not; first after
    a while."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "rules/stoverule.yaml").write_text(RULE)
    (folder / "home.yaml").write_text(HOME.format(home=home, broker=broker))
    values: dict[str, list[Any]] = {
        "eye": [True, False] if lived_in else [False, False],
        "stove": [1234.5, 1617.25] if lived_in else [0, 0],
        "door": [True, False] if lived_in else [False, False],
    }
    begins = datetime.fromisoformat("2026-01-05T06:00:00+01:00")
    lines = [
        {"at": begins.isoformat(), "point": "of no device", "value": 0},
        *(
            {
                "at": (begins + timedelta(seconds=after_s, milliseconds=nth * 20)).isoformat(),
                "point": point,
                "value": both[nth % 2],
            }
            for nth in range(150)
            for point, both in values.items()
        ),
    ]
    (folder / "tape.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "home.yaml"


class Fleet:
    """`homenode fleet` with the operator's certificate."""

    def __init__(self, example: Example, folder: Path) -> None:
        self.folder, keys = folder, example.folder
        own = str(keys / "operator@example")
        self.where = ("--broker", f"mqtts://127.0.0.1:{example.port}", "--ca", str(keys / "ca.pem"),
                      "--cert", f"{own}.pem", "--key", f"{own}.key")  # fmt: skip

    def command(self, *words: str) -> list[str]:
        where = () if words[0] == "progress" else self.where
        return [sys.executable, "-m", "homenode.cli", "fleet", *words, *where]

    def __call__(self, *words: str, status: int = 0) -> str:
        ran = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=60, check=False, cwd=self.folder
        )
        assert ran.returncode == status, ran.stderr
        return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    made = Example(tmp_path_factory.mktemp("fleet"))
    with made.mosquitto:
        yield made


def receiver(example: Example, party: str, *topics: str) -> Receiver:
    name = f"{party}@example"
    keys = {"ca_certs": "ca.pem", "certfile": f"{name}.pem", "keyfile": f"{name}.key"}
    paths = {what: str(example.folder / file) for what, file in keys.items()}
    return Receiver(example.port, *topics, name=f"{party}-{len(topics)}", keys=paths)


def the_operator_may_not_ask_for_more(care: Receiver, operator: Receiver) -> None:
    """Neither on its own branch, where the node refuses, nor as care, where the broker does."""
    asks: dict[str, dict[str, Any]] = {
        "video": {"camera": "eye", "view": "clear", "reason": "x", "sdp": "v=0"},
        "switch": {"point": "stovemark.switch", "to": False},
        "mode": {"mode": "home"},
    }
    for do, args in asks.items():
        body = {"id": f"op-{do}", "do": do, "by": "me", "expires": in_an_hour(), "args": args}
        operator.send("hn1/h1/care/command", body)
        reply = operator.command("h1/operator", do, args, by="me", id=f"op-{do}")
        assert reply["error"]["code"] == "not_allowed"
    care.command("h1/care", "mode", {"mode": "away"}, by="careperson", id="last")
    assert {body["id"] for topic, body, _ in care.messages if topic.endswith("/reply")} == {"m", "last"}


def has_shown(state: str, operator: Receiver) -> bool:
    return state in [one.get("state") for one in operator.updates]


def the_rings_stop_where_a_real_node_fails(fleet: Fleet, folder: Path, operator: Receiver) -> None:
    """h1 has a second slot, h2 hasn't. What its updater would write is written here."""
    (folder / "rings.yaml").write_text(
        "rings: {pilot: {homes: [h1]}, rest: {homes: ['*']}}\nsoak: 0 s\nallow: 0\n"
    )
    words = ("update", "https://office.example/9.raucb", "--version", "9.9", "--sha256", "5e" * 32)
    with Program(*fleet.command(*words), both=True, cwd=folder) as tool:
        tool.until("h1: ordered")
        order = json.loads((folder / "h1/data/update/order.json").read_text())
        assert (order["version"], order["sha256"]) == ("9.9", "5e" * 32)
        state = folder / "h1/data/update/state.json"
        for told, why in (("busy", "an alert is open"), ("failed", "the radio was never up")):
            body = {"version": "9.9", "state": told, "slot": "A", "at_ms": 1, "why": {"sv": "x", "en": why}}
            (folder / "new").write_text(json.dumps(body))
            (folder / "new").rename(state)
            operator.until(partial(has_shown, told), told)
        halted = tool.until("HALTED")
        tool.stop()
    assert "h1 (failed: the radio was never up)" in halted
    assert not [body for _, body, _ in operator.messages if "an alert is open" in json.dumps(body)], (
        "merely busy"
    )
    assert "ring rest: 1 planned" in fleet("progress")


def test_a_fleet_is_seen_asked_and_exported_and_nothing_of_a_life_is(
    example: Example, tmp_path: Path
) -> None:
    fleet = Fleet(example, tmp_path)
    homes = {}
    (tmp_path / "h1/data/update").mkdir(parents=True)
    for name in ("h1", "h2"):
        keys = {what: str(example.folder / f"{file}") for what, file in
                (("ca", "ca.pem"), ("cert", f"{name}.pem"), ("key", f"{name}.key"))}  # fmt: skip
        broker = json.dumps({"url": f"mqtts://127.0.0.1:{example.port}", **keys})
        homes[name] = written(tmp_path / name, name, broker, lived_in=True)
    everything = ("#", "hn1/#", "hn1/+/care/#", "hn1/+/operator/#", "hn1/+/+/readings/#", "hn1/+/link")
    with (
        receiver(example, "care", "hn1/+/care/alerts", "hn1/+/care/reply") as care,
        receiver(example, "operator", *everything) as operator,
        HastyNode(homes["h1"], tmp_path / "h1/data"),
        HastyNode(homes["h2"], tmp_path / "h2/data") as second,
    ):
        care.until(lambda care: len({body["source"] for body in care.alerts("notified")}) == 2, "both alerts")
        care.command("h1/care", "mode", {"mode": "away"}, by="careperson", id="m")
        the_operator_may_not_ask_for_more(care, operator)
        operator.until(
            lambda _: (
                {topic for topic, body, _ in operator.messages if "radios" in body.get("health", {})}
                == {"hn1/h1/operator/status", "hn1/h2/operator/status"}
            ),
            "figures",
        )
        rows = {row["home"]: row for row in map(json.loads, fleet("list", "--json").splitlines())}
        assert rows.keys() == {"h1", "h2"}
        for row in rows.values():
            assert (row["online"], row["silent"], row["blind"], row["devices"]) == (True, 0, 0, 3)
            assert row["cert"] == 29
            assert row["kernel"]
        fleet("prometheus", "homes.prom", "--once")
        told = fleet("show", "h1", "--json") + (tmp_path / "homes.prom").read_text()
        assert 'homenode_up{home="h2"} 1' in told
        told += fleet("diagnose", "h1")
        bundle = json.loads((tmp_path / "h1-diagnosis.json").read_text())
        assert [line["event"] for line in bundle["log"]][:1] == ["ready"]
        assert bundle["report"]["health"]["devices"] == 3
        told += json.dumps(bundle)
        the_rings_stop_where_a_real_node_fails(fleet, tmp_path, operator)
        assert second.ask("status", "--prometheus", str(tmp_path / "node.prom")).returncode == 0
        assert 'homenode_devices{home="h2"} 3' in (tmp_path / "node.prom").read_text()
        assert second.stop() == 0
        dead = second.ask("status", "--prometheus", str(tmp_path / "node.prom"))
        assert (dead.returncode, "no node is running" in dead.stderr) == (1, True)
        told_dead = (tmp_path / "node.prom").read_text().splitlines()
        assert [line for line in told_dead if not line.startswith("#")] == ['homenode_up{home="h2"} 0']
        operator.until(lambda _: {"online": False} in [
            {"online": body.get("online")} for topic, body, _ in operator.messages if topic == "hn1/h2/link"
        ], "goodbye")  # fmt: skip
        assert "1 of 2 homes, 0 online" in fleet("list", "--filter", "not online")
        told += json.dumps(operator.messages)
        for mark in MARKS:
            assert mark not in told, mark
        assert {topic.split("/")[2] for topic, _, _ in operator.messages} == {"operator", "link"}
    strangers = [word.replace("operator@example", "stranger") for word in fleet.where]
    ran = subprocess.run(
        [*fleet.command("list")[:5], *strangers], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "the broker shows no home" in ran.stderr


def figures_of(receiver: Receiver, home: str) -> list[dict[str, Any]]:
    """What the operator was told of a home's health, each time, but for the moments of its start."""
    statuses = [body for topic, body, _ in list(receiver.messages) if topic == f"hn1/{home}/operator/status"]
    return [
        {name: value for name, value in body["health"].items() if name not in ("started", "booted")}
        for body in statuses
    ]


def is_settled(receiver: Receiver, home: str) -> bool:
    """Whether all that comes by and by is told."""
    return bool(figures_of(receiver, home)) and "memory_free_pct" in set(
        name for name, value in figures_of(receiver, home)[-1].items() if value is not None
    )


def test_health_is_the_same_of_a_flat_with_a_life_in_it_and_of_an_empty_one(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put_a_pi(root, tmp_path)
    with Mosquitto(tmp_path / "broker") as broker:
        url = f'{{url: "{broker.url}"}}'

        def flat(name: str) -> HastyNode:
            home = written(tmp_path / name, name, url, lived_in=name == "lived-in", after_s=8)
            return HastyNode(home, tmp_path / name / "data", env={"HOMENODE_ROOT": str(root)})

        with Receiver(broker.port, "hn1/+/operator/status", "hn1/+/care/#") as heard, flat("empty") as empty:
            heard.until(lambda heard: is_settled(heard, "empty"), "all figures")
            with flat("lived-in") as lived_in:
                heard.until(lambda heard: is_settled(heard, "lived-in"), "all figures")
                begun = {home: len(figures_of(heard, home)) for home in ("empty", "lived-in")}
                assert not heard.alerts(), "the life begins later"
                heard.until(lambda heard: heard.alerts("notified"), "the alert of care")
                alert = heard.alerts("notified")[0]["data"]["alert"]
                heard.command("lived-in/care", "acknowledge", {"alert": alert}, by="careperson")
                heard.command("lived-in/care", "mode", {"mode": "away"}, by="careperson")
                for node in (lived_in, empty):
                    node.until("played 450 readings")
                assert lived_in.stop() == empty.stop() == 0
            assert not [body for topic, body, _ in heard.messages if "/empty/care/alerts" in topic]
            told = {home: figures_of(heard, home) for home in begun}
        assert told["lived-in"][-1] == told["empty"][-1]
        assert {home: len(all_of_it) for home, all_of_it in told.items()} == begun, "a life is no news"


def test_a_machine_that_ails_is_a_fault_to_the_operator_alone_with_what_to_do(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        home = written(tmp_path / "h", "h", f'{{url: "{broker.url}"}}', lived_in=False)
        data, root = tmp_path / "h/data", tmp_path / "root"
        data.mkdir()
        put_a_pi(root, data)
        with (
            Receiver(broker.port, "hn1/h/#") as heard,
            HastyNode(home, data, env={"HOMENODE_ROOT": str(root)}) as node,
        ):
            heard.until(
                lambda heard: figures_of(heard, "h")[-1:] and figures_of(heard, "h")[-1].get("slot"), "slot"
            )
            told = figures_of(heard, "h")[-1]
            assert (told["slot"], told["card_worn_pct"], told["card_errors"]) == ("B", 20, 2)
            assert (told["model"], told["clock_by"]) == ("Raspberry Pi 4 Model B Rev 1.5", "chrony")
            (fault,) = (one for one in node.status()["faults"] if one["source"] == "card errors")
            assert "byt det" in fault["why"]
            put(root, "sys/fs/ext4/mmcblk0p4/errors_count", "0\n")
            node.until("fault over")
            assert not [one for one in node.status()["faults"] if one["source"] == "card errors"]
            assert node.stop() == 0
        assert not [
            topic
            for topic, body, _ in heard.messages
            if "card" in json.dumps(body) and "/operator/" not in topic
        ]


def test_a_broker_that_takes_the_tool_and_drops_it_is_called_ever_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longest: list[float] = []

    class NoPause(Random):
        def uniform(self, a: float, b: float) -> float:
            longest.append(b)
            return a

    monkeypatch.setattr(ears, "Random", NoPause)

    async def called() -> None:
        async with HostileBroker(unasked=b"\x00\x00") as broker:
            heard = ears.Ears(Settings(Broker((broker.url,))), Board(), Clock())
            running = asyncio.ensure_future(heard.run())
            await asyncio.wait_for(broker.until(lambda: broker.connections > 4), 60)
            running.cancel()

    asyncio.run(called())
    assert longest[:4] == [1.0, 2.0, 4.0, 5.0]
