"""A forgotten hob at the speed of life: said, switched off, told, whenever the node is killed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from homenode.contract.times import wall_ms
from homenode.errors import HomenodeError
from homenode.gateway.local_socket import ask
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.loudspeakers import Loudspeaker, needs_voice
from tests.system.node_inside import written
from tests.system.nodes import NodeProcess, Receiver
from tests.system.soak_home import until
from tests.system.test_node import alert_expiry
from tests.system.test_sim_run import Apartment, apartment
from tests.system.test_voice import by_espeak

pytest.importorskip("bellows", reason="the extra zigbee is not installed")
pytestmark = [needs_mosquitto, needs_voice]

APARTMENT = """
timezone: Europe/Stockholm
pairing: open
zigbee:
  stove: {model: plug, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen, appliance: hob}
  eye:   {model: motion, ieee: "00:15:8d:00:02:aa:bb:02", room: kitchen}
"""
HOME = """
home: live-1
timezone: Europe/Stockholm
language: sv
clock: {{trust: always}}
broker: {{url: "mqtt://127.0.0.1:{port}"}}
radios:
  zigbee: {{driver: zigbee, port: "{stick}", adapter: ezsp}}
devices:
  stove: {{via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen}}
  eye:   {{via: zigbee, ieee: "00:15:8d:00:02:aa:bb:02", room: kitchen}}
rules:
  - {{use: hob, bind: {{stove: stove.power, presence: [eye.motion], guard: stove.switch}}}}
  - {{use: tick, bind: {{stove: stove.power, presence: [eye.motion]}}}}
share: {{care: [stove.power]}}
"""
SAID = "Spisen är på."
HOB = """
rule: hob
version: 1
severity: alarm
to: [care]
roles:
  stove:    {{kind: power}}
  presence: {{kind: motion, many: true}}
  guard:    {{kind: switch}}
when: (stove > 50 W within 8 min) for {alone} s and not any(presence) within {alone} s
clear: any(presence)
steps:
  - {{after: 0 s, do: say, text: {{sv: "{said}", en: "The stove is on."}}}}
  - {{after: {switch} s, do: switch, role: guard, to: off}}
  - {{after: {notify} s, do: notify, every: {every} s, times: 99}}
says: {{sv: "Spisen glömdes på", en: "The stove was forgotten"}}
"""
TICK = """
# Tells property that time passes.
rule: tick
version: 1
severity: info
to: [property]
roles:
  stove:    {{kind: power}}
  presence: {{kind: motion, many: true}}
when: stove > 50 W
clear: any(presence)
steps:
  - {{after: {every} s, do: notify, every: {every} s, times: 999}}
says: {{sv: "Tiden går", en: "Time passes"}}
"""


@dataclass(frozen=True)
class Pace:
    """Seconds: alone until the alert; from it until the switch, until the first message; between messages."""

    alone: int
    switch: int
    notify: int
    every: int


BRISK = Pace(alone=4, switch=3, notify=6, every=2)
REAL = Pace(alone=120, switch=60, notify=120, every=30)
MOMENTS = ("before the raise", "between voice and switch", "between switch and message", "before the answer")


class Kitchen:
    """A node in the simulated apartment, its loudspeaker, its broker, and everybody who hears of it."""

    def __init__(self, folder: Path, sim: Apartment, receiver: Receiver, speaker: Loudspeaker) -> None:
        self.folder, self.sim, self.receiver, self.speaker = folder, sim, receiver, speaker
        self._data = folder / "data"
        self.node = self._start()

    def _start(self) -> NodeProcess:
        return NodeProcess(self.folder / "home.yaml", self._data, env=self.speaker.env)

    def kill(self) -> None:
        """kill -9, and what systemd does then."""
        self.node.kill()
        self.node = self._start()

    def ask(self, do: str) -> Any:
        """What the node answers; nothing while it isn't up."""
        try:
            return next(ask(self._data, {"do": do}, timeout_s=10.0)).get("result") or {}
        except (HomenodeError, StopIteration):
            return {}

    def pair(self) -> None:
        self.node.until("ready")
        assert self.node.ask("pair", "--for", "1min").returncode == 0
        known = {"stove.power": "good", "eye.motion": "good", "stove.switch": "good"}
        until(
            lambda: (
                known.items()
                <= {one["point"]: one["quality"] for one in self.ask("status")["points"]}.items()
            ),
            60,
            "all points",
        )

    def alerts(self, subject: str, told: str = "") -> list[dict[str, Any]]:
        """Messages about a rule, each once, however often it was sent."""
        found = {one["id"]: one for one in self.receiver.alerts(told) if one["subject"] == subject}
        return list(found.values())


@contextmanager
def kitchen(folder: Path, pace: Pace) -> Iterator[Kitchen]:
    with (
        apartment(folder, "--pty", str(folder / "stick"), text=APARTMENT) as sim,
        Mosquitto(folder / "broker") as broker,
        Receiver(broker.port, "hn1/live-1/#") as receiver,
    ):
        (folder / "home.yaml").write_text(HOME.format(port=broker.port, stick=folder / "stick"))
        (folder / "rules").mkdir()
        for name, text in (("hob", HOB), ("tick", TICK)):
            (folder / "rules" / f"{name}.yaml").write_text(text.format(said=SAID, **vars(pace)))
        it = Kitchen(folder, sim, receiver, Loudspeaker(folder / "speaker"))
        try:
            it.pair()
            yield it
        finally:
            it.node.__exit__()


def forgotten(home: Kitchen, killed: tuple[str, ...]) -> None:
    """Somebody forgets the hob; care answers; somebody comes back. The node is killed at some moments."""

    def moment(name: str) -> None:
        if name in killed:
            home.kill()

    care = home.receiver
    home.sim.do("say hob on")
    care.until(lambda it: any(one["value"] > 50 for one in it.readings("stove.power")), "the hob")
    moment("before the raise")
    until(
        lambda: [one for one in home.ask("status").get("voice", {}).get("said", ()) if one["heard"]],
        200,
        "the voice",
    )
    assert home.sim.do("status stove")["switch"], "the voice comes first"
    moment("between voice and switch")
    until(lambda: not home.sim.do("status stove")["switch"], 100, "the switch")
    moment("between switch and message")
    care.until(lambda _: home.alerts("hob"), "the message", 100)
    moment("before the answer")
    alert = home.alerts("hob")[0]["data"]["alert"]
    answer = {"id": "c1", "do": "acknowledge", "by": "Eva", "args": {"alert": alert}}
    care.send("hn1/live-1/care/command", {**answer, "expires": alert_expiry(care)})
    care.until(lambda _: home.alerts("hob", "acknowledged"), "the acknowledgement")
    ticks = len(home.alerts("tick"))
    care.until(lambda _: len(home.alerts("tick")) >= ticks + 3, "three more ticks", 200)
    home.sim.do("trip eye")
    care.until(lambda _: home.alerts("hob", "resolved"), "the end")


def on_time(journal: list[dict[str, Any]], due: int) -> int:
    """When something due then is to happen: then, or when the node is up again."""
    downs = [record["at"] for record in journal if record["t"] == "down"]
    ups = [record["at"] for record in journal if record["t"] == "up"]
    return next((up for down, up in zip(downs, ups, strict=True) if down <= due < up), due)


def judge(home: Kitchen, pace: Pace) -> None:
    """Everything happened at its exact instant, in order, once."""
    journal = written(home.folder, "r", "tr", "down", "up")
    began = next(r["at"] for r in journal if r["t"] == "r" and r["p"] == "stove.power" and r["v"] > 50)
    told = [r for r in journal if r["t"] == "tr" and r["rule"] == "hob"]
    raised = on_time(journal, began + 1000 * pace.alone)
    answered = next(r["at"] for r in told if r["event"] == "acknowledged")
    repeats = range(raised + 1000 * pace.notify, answered, 1000 * pace.every)
    notified = dict.fromkeys(on_time(journal, due) for due in repeats)  # those due in one downtime are one
    assert [(r["event"], r.get("do", ""), r["at"]) for r in told[:-1]] == [
        ("raised", "", raised),
        ("step", "say", raised),
        ("step", "switch", on_time(journal, raised + 1000 * pace.switch)),
        *(("step", "notify", at) for at in notified),
        ("acknowledged", "", answered),
    ]
    assert told[-1]["event"] == "resolved"

    (sound,) = home.speaker.heard()
    assert sound.samples.startswith(by_espeak(SAID, "sv"))
    messages = home.alerts("hob")
    kinds = ["notified"] * len(notified) + ["acknowledged", "resolved"]
    assert [one["data"]["event"] for one in messages] == kinds
    assert [int(one["sequence"]) for one in messages] == list(range(1, len(messages) + 1))
    assert [wall_ms(one["data"]["at"]) - wall_ms(messages[0]["data"]["raised"]) for one in messages][
        : len(notified)
    ] == [at - raised for at in notified]


@pytest.mark.parametrize("killed", [(), MOMENTS], ids=["undisturbed", "killed at every moment"])
def test_a_forgotten_hob_is_said_then_switched_off_then_told_until_somebody_answers(
    tmp_path: Path, killed: tuple[str, ...]
) -> None:
    with kitchen(tmp_path, BRISK) as home:
        forgotten(home, killed)
        assert home.node.stop() == 0
        judge(home, BRISK)


@pytest.mark.soak
@pytest.mark.parametrize("killed", [(), *((one,) for one in MOMENTS), MOMENTS], ids=str)
def test_in_real_time_it_is_the_same(tmp_path: Path, killed: tuple[str, ...]) -> None:
    """Two minutes alone with the hob; five in all."""
    with kitchen(tmp_path, REAL) as home:
        forgotten(home, killed)
        assert home.node.stop() == 0
        judge(home, REAL)
