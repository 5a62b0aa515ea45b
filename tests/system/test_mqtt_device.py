"""Devices that speak MQTT, at a real mosquitto: documented messages, what is no news, outputs; and a node."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from homenode.errors import Refused
from homenode.kit.listener import Listener
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.mqtt_devices import Sender, device, play, sender
from tests.system.nodes import NodeProcess, Receiver
from tests.system.peers import Zigbee2Mqtt, install_or_skip
from tests.system.sticks import Sticks

pytestmark = needs_mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker", persistent=False) as broker:
        yield broker


MESSAGES = yaml.safe_load(Path(__file__).parents[1].joinpath("unit", "mqtt_messages.yaml").read_text())
FIRST = {said["family"]: said for said in reversed(MESSAGES) if "last_" not in said["says"]}
"""Without a time in it: it would be of another day."""


@pytest.mark.parametrize("message", FIRST.values(), ids=FIRST)
def test_a_message_of_each_family_comes_through(
    tmp_path: Path, broker: Mosquitto, message: dict[str, Any]
) -> None:
    wanted = message["means"]

    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        it.say(message["at"], message["says"])
        await host.until(lambda host: len(host.said) >= len(wanted), "the points")

    it = device("it", message["family"], message["topic"], *wanted, entity=message.get("entity", ""))
    host = play(tmp_path, broker, scene, it)
    assert {said.kind: said.value for said in host.said} == wanted
    assert not host.troubles


SMOKE = device("smoke", "zigbee2mqtt", "zigbee2mqtt/smoke", "smoke", "battery")
STOVE = device("stove", "tasmota", "stove", "switch", "power")


def test_what_the_broker_kept_is_no_news_and_an_alarm_in_it_no_all_clear(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with sender(broker) as before:
        before.say("zigbee2mqtt/smoke", {"smoke": True, "battery": 80}, retain=True)

    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        await host.until(lambda host: "smoke.smoke value" in host.troubles, "the fault")
        assert not host.said
        assert "keeps smoke: true from before" in host.troubles["smoke.smoke value"]
        it.say(
            "zigbee2mqtt/smoke", {"smoke": False, "battery": 80}, retain=True
        )  # now it comes as it is said
        await host.until(lambda host: len(host.said) == 2, "the news")
        assert host.last("smoke", "smoke") is False
        assert not host.troubles

    play(tmp_path, broker, scene, SMOKE)


def test_a_kept_value_that_says_when_it_was_heard_is_news_only_if_it_is_new(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """Also what zigbee2mqtt says again at its own start, not retained, from its cache."""

    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        wall_ms = host.now() + host.clock.wall_offset_ms()
        it.say("zigbee2mqtt/smoke", {"smoke": True, "last_seen": wall_ms - 7 * 86_400_000})
        await host.until(lambda host: "smoke.smoke value" in host.troubles, "the fault")
        assert not host.said
        it.say("zigbee2mqtt/smoke", {"smoke": True, "last_seen": wall_ms - 1000})
        await host.until(lambda host: host.said, "the news")
        assert host.said[0].value is True
        assert not host.troubles

    play(tmp_path, broker, scene, SMOKE)


def test_a_device_whose_last_will_comes_is_unknown_until_it_is_there_again(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async def scene(host: Listener, it: Sender, driver: Any) -> None:
        it.say("tele/stove/LWT", "Online", retain=True)
        it.say("tele/stove/SENSOR", {"ENERGY": {"Power": 1800}})
        await host.until(lambda host: host.said, "the power")
        it.say("tele/stove/LWT", "Offline", retain=True)
        await host.until(lambda host: "stove answers" in host.troubles, "the fault")
        await host.until(lambda host: host.last("stove", "power") is None, "unknown")
        with pytest.raises(Refused, match="is not there"):
            await driver.switch("stove", "switch", False)
        it.follows("cmnd/stove/TelePeriod", "tele/stove/SENSOR", lambda _: {"ENERGY": {"Power": 1700}})
        it.say("tele/stove/LWT", "Online", retain=True)
        await host.until(lambda host: host.last("stove", "power") == 1700, "it is asked")
        assert not host.troubles

    play(tmp_path, broker, scene, STOVE)


def test_a_button_that_says_its_last_press_again_was_pressed_once(tmp_path: Path, broker: Mosquitto) -> None:
    """The first generation of Shelly says it with each status, and when asked: it counts."""
    topic = "shellies/shellyix3-1/input_event/0"
    presses = [{"event": "S", "event_cnt": n} for n in (41, 41, 42, 42)]

    async def scene(host: Listener, it: Sender, driver: Any) -> None:
        for press in presses:
            it.say(topic, press)
        await host.until(lambda host: host.said, "the press")
        await asyncio.sleep(0.3)
        assert len(host.said) == 1, "the first answered our question"
        await asyncio.sleep(3)
        it.say("shellies/shellybutton1-2/input_event/0", presses[0])
        await host.until(lambda host: len(host.said) == 2, "a press of the one that slept until now")

    bells = [
        device("bell", "shelly_gen1", "shellyix3-1", "button"),
        device("help", "shelly_gen1_battery", "shellybutton1-2", "button"),
    ]
    play(tmp_path, broker, scene, *bells)


def test_an_output_is_switched_and_must_say_so(tmp_path: Path, broker: Mosquitto) -> None:
    async def scene(host: Listener, it: Sender, driver: Any) -> None:
        it.follows("cmnd/stove/POWER", "stat/stove/POWER", lambda said: said or None)
        await asyncio.sleep(0.2)
        await driver.switch("stove", "switch", True)
        assert host.last("stove", "switch") is True
        it.follows("cmnd/stove/POWER", "stat/stove/POWER", lambda said: "ON")  # it hangs
        with pytest.raises(Refused, match="didn't say that it followed"):
            await driver.switch("stove", "switch", False)
        assert host.last("stove", "switch") is True
        with pytest.raises(Refused, match="is no output"):
            await driver.switch("stove", "power", True)

    play(tmp_path, broker, scene, STOVE)


def test_a_value_of_the_wrong_type_is_a_fault_and_never_a_value(tmp_path: Path, broker: Mosquitto) -> None:
    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        it.say("zigbee2mqtt/smoke", {"smoke": False, "battery": 80})
        await host.until(lambda host: len(host.said) == 2, "both")
        it.say("zigbee2mqtt/smoke", {"smoke": "false", "battery": 800})
        await host.until(lambda host: len(host.said) == 4, "both unknown")
        assert [host.last("smoke", kind) for kind in ("smoke", "battery")] == [None, None]
        assert set(host.troubles) == {"smoke.smoke value", "smoke.battery value"}

    play(tmp_path, broker, scene, SMOKE)


def test_a_number_that_changes_all_the_time_is_told_so_often_and_its_last_in_the_end(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        it.burst("tele/stove/SENSOR", [{"ENERGY": {"Power": n}} for n in range(2000)])
        await host.until(lambda host: host.said and host.last("stove", "power") == 1999, "the last")
        assert len(host.said) < 20

    calm = device("stove", "tasmota", "stove", "power", at_most_every=500)
    play(tmp_path, broker, scene, calm)


HOME = """
home: local-1
timezone: Europe/Stockholm
clock: {{trust: always}}
broker: {{url: "mqtt://127.0.0.1:{port}"}}
radios:
  z2m: {{driver: mqtt_device, broker: "mqtt://127.0.0.1:{local}"}}
devices:
  sink: {{via: z2m, family: zigbee2mqtt, topic: "zigbee2mqtt/{name}", points: [water], room: kitchen}}
rules:
  - {{use: water_leak, bind: {{water: [sink.water]}}}}
"""


@pytest.mark.peers
def test_a_leak_that_zigbee2mqtt_hears_becomes_an_alert(tmp_path: Path) -> None:
    """Unmodified zigbee2mqtt on the simulated stick, at a broker of its own."""
    install_or_skip()
    with (
        Mosquitto(tmp_path / "outside") as outside,
        Mosquitto(tmp_path / "local", persistent=False) as local,
        Sticks(tmp_path, version=14) as sticks,
        Zigbee2Mqtt(tmp_path / "peer", str(sticks.port), local.port) as peer,
        Receiver(outside.port, "hn1/#") as receiver,
    ):
        peer.permit()
        water = sticks.add("water", 0x00158D0002AA0001)
        assert sticks.do(water.join)
        peer.wait(
            lambda topic, said: topic == "bridge/event" and said["data"].get("status") == "successful",
            within_s=90,
        )
        home = HOME.format(port=outside.port, local=local.port, name=f"0x{water.ieee:016x}")
        (tmp_path / "home.yaml").write_text(home)
        with NodeProcess(tmp_path / "home.yaml", tmp_path / "data") as node:
            node.until("listens to")
            sticks.do(water.trip)
            alert = receiver.until(lambda r: r.alerts("notified"), "the alert")[0]
            assert "sink" in json.dumps(alert)
            sticks.do(water.trip, False)
            node.stop()
