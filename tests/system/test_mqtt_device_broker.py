"""The broker of devices that speak MQTT: TLS, passwords, versions, restarts, what it kept."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from drivers.mqtt_device import DRIVER
from homenode.errors import DriverLost, SetupError
from homenode.kit.listener import Listener
from tests.system.brokers import Mosquitto, free_port, made_keys, needs_mosquitto
from tests.system.mqtt_devices import Sender, device, play, sender

pytestmark = needs_mosquitto

SMOKE = device("smoke", "zigbee2mqtt", "zigbee2mqtt/smoke", "smoke", "battery")
VERSIONS = pytest.mark.parametrize("version", ["3", "5"])


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """See `made_keys`, and a file with the right password and one with a wrong one."""
    folder = made_keys(tmp_path / "keys")
    (folder / "right").write_text("hemligt\n")
    (folder / "wrong").write_text("fel\n")
    subprocess.run(["mosquitto_passwd", "-b", "-c", folder / "users", "node", "hemligt"], check=True)
    (folder / "users").chmod(0o600)
    return folder


@pytest.fixture
def guarded(tmp_path: Path, keys: Path) -> Mosquitto:
    """A broker that speaks TLS only, and only with who has a password."""
    lines = ("allow_anonymous false", f"password_file {keys}/users")
    tls = (f"certfile {keys}/broker.pem", f"keyfile {keys}/broker.key")
    return Mosquitto(tmp_path / "broker", *lines, *tls, persistent=False)


def options(at: Mosquitto, keys: Path, **other: Any) -> dict[str, Any]:
    """Of the entry under ``radios:``."""
    right = {"broker": f"mqtts://127.0.0.1:{at.port}", "username": "node", "version": "5"}
    return {**right, "password_file": keys / "right", "ca": keys / "ca.pem", **other}


def refused(folder: Path, options: dict[str, Any]) -> SetupError | DriverLost:
    """What the driver says at its end."""

    async def body() -> None:
        await DRIVER.open("local", options, (SMOKE,), Listener(folder)).run()

    with pytest.raises((SetupError, DriverLost)) as told:
        asyncio.run(asyncio.wait_for(body(), 30))
    assert isinstance(told.value, SetupError | DriverLost)
    return told.value


@VERSIONS
def test_over_tls_with_a_password(tmp_path: Path, guarded: Mosquitto, keys: Path, version: str) -> None:
    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        it.say("zigbee2mqtt/smoke", {"smoke": False, "battery": 80})
        await host.until(lambda host: len(host.said) == 2, "both")

    who = {"user": ("node", "hemligt"), "ca": keys / "ca.pem"}
    with guarded:
        play(tmp_path, guarded, scene, SMOKE, keys=who, options=options(guarded, keys, version=version))


@VERSIONS
@pytest.mark.parametrize(
    ("change", "word", "do"),
    [
        ({"password_file": "wrong"}, "refuses this user or password", "check username and password_file"),
        ({"username": None, "password_file": None}, "refuses this user or password", "check username"),
        ({"ca": "other.pem"}, "certificate is not accepted", "name in ca: who signed it"),
        ({"ca": None}, "certificate is not accepted", "name in ca: who signed it"),
        ({"ca": "users"}, "ca can't be used", "name a PEM file"),
        ({"password_file": "nowhere"}, "can't be read", ""),
    ],
)
def test_what_is_wrong_with_the_keys_is_told(
    tmp_path: Path, guarded: Mosquitto, keys: Path, version: str, change: dict[str, Any], word: str, do: str
) -> None:
    files = {name: keys / value if name != "username" and value else value for name, value in change.items()}
    with guarded:
        told = refused(tmp_path, options(guarded, keys, version=version, **files))
    assert isinstance(told, SetupError), told
    assert word in str(told)
    assert do in str(told)


def test_a_name_that_the_certificate_does_not_have(tmp_path: Path, guarded: Mosquitto, keys: Path) -> None:
    with guarded:
        url = f"mqtts://localhost:{guarded.port}"
        assert "a name that the certificate has" in str(refused(tmp_path, options(guarded, keys, broker=url)))


def test_tls_where_there_is_none_and_the_other_way_round(
    tmp_path: Path, guarded: Mosquitto, keys: Path
) -> None:
    with guarded, Mosquitto(tmp_path / "plain", persistent=False) as plain:
        assert "its broker hangs up" in str(refused(tmp_path, options(plain, keys)))
        url = f"mqtt://127.0.0.1:{guarded.port}"
        assert "its broker hangs up" in str(refused(tmp_path, options(guarded, keys, broker=url)))


def test_a_broker_that_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    told = refused(tmp_path, {"broker": f"mqtt://127.0.0.1:{free_port()}"})
    assert isinstance(told, DriverLost)
    assert "its broker doesn't answer" in str(told)


@VERSIONS
def test_a_broker_that_restarts_changes_nothing_and_devices_are_asked_again(
    tmp_path: Path, version: str
) -> None:
    """It keeps an alarm meanwhile, which is no news, and no all-clear."""
    broker = Mosquitto(tmp_path / "broker", persistent=True)
    plug = device("stove", "tasmota", "stove", "switch")

    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        it.say("zigbee2mqtt/smoke", {"smoke": False, "battery": 80}, retain=True)
        it.say("stat/stove/POWER", "OFF")
        await host.until(lambda host: len(host.said) == 3, "all three")
        it.say("zigbee2mqtt/smoke/late", "")
        host.said.clear()
        broker.stop()
        broker.start()
        with sender(broker) as again:
            again.follows("cmnd/stove/POWER", "stat/stove/POWER", lambda _: "ON")
            await host.until(lambda host: host.said, "the answer")
            assert {said.kind: said.value for said in host.said} == {"switch": True}
            again.say("zigbee2mqtt/smoke", {"smoke": True, "battery": 80}, retain=True)
            await host.until(lambda host: len(host.said) > 1, "the alarm")
            assert host.last("smoke", "smoke") is True
        assert not host.troubles

    with broker:
        play(tmp_path, broker, scene, SMOKE, plug, options={"version": version})


def test_a_broker_that_stays_away_leaves_nothing_known(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker", persistent=False)

    async def scene(host: Listener, it: Sender, driver: Any) -> None:
        it.say("zigbee2mqtt/smoke", {"smoke": False, "battery": 80})
        await host.until(lambda host: len(host.said) == 2, "both")
        broker.kill()
        await host.until(lambda host: len(host.said) == 4, "both unknown")
        assert [host.last("smoke", kind) for kind in ("smoke", "battery")] == [None, None]

    with broker:
        play(tmp_path, broker, scene, SMOKE)


@VERSIONS
@pytest.mark.parametrize(
    ("topic", "gone", "there"),
    [
        ("zigbee2mqtt/smoke/availability", "offline", "online"),
        ("zigbee2mqtt/smoke/availability", {"state": "offline"}, {"state": "online"}),
        ("zigbee2mqtt/bridge/state", "offline", "online"),
        ("zigbee2mqtt/bridge/state", {"state": "offline"}, {"state": "online"}),
    ],
)
def test_who_was_not_there_before_we_came_is_known_from_what_the_broker_kept(
    tmp_path: Path, version: str, topic: str, gone: Any, there: Any
) -> None:
    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        await host.until(lambda host: "smoke answers" in host.troubles, "the fault")
        assert topic in host.troubles["smoke answers"]
        it.say(topic, there, retain=True)
        it.say("zigbee2mqtt/smoke", {"smoke": False})
        await host.until(lambda host: host.said, "the reading")
        assert not host.troubles
        it.say(topic, gone, retain=True)
        await host.until(lambda host: host.last("smoke", "smoke") is None, "unknown")
        assert "smoke answers" in host.troubles

    with Mosquitto(tmp_path / "broker", persistent=False) as broker:
        with sender(broker) as before:
            before.say(topic, gone, retain=True)
        play(tmp_path, broker, scene, SMOKE, options={"version": version})


@VERSIONS
@pytest.mark.parametrize("form", ["ISO_8601", "ISO_8601_local", "epoch"])
def test_last_seen_in_each_form_makes_what_was_kept_datable(tmp_path: Path, version: str, form: str) -> None:
    """Kept since the driver came or a little before is news; from an hour ago an alarm to look at."""

    def seen(host: Listener, ago: timedelta) -> Any:
        ms = host.now() + host.clock.wall_offset_ms() - ago // timedelta(milliseconds=1)
        if form == "epoch":
            return ms
        zone = UTC if form == "ISO_8601" else timezone(timedelta(hours=1))
        return (
            datetime.fromtimestamp(ms / 1000, zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )

    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        it.say("zigbee2mqtt/smoke", {"smoke": True, "last_seen": seen(host, timedelta(hours=1))})
        await host.until(lambda host: "smoke.smoke value" in host.troubles, "the doubt")
        assert not host.said
        it.say(
            "zigbee2mqtt/smoke", {"smoke": True, "last_seen": seen(host, timedelta(seconds=20))}, retain=True
        )
        await host.until(lambda host: host.said, "the news")
        assert host.said[0].value is True
        assert not host.troubles

    with Mosquitto(tmp_path / "broker", persistent=False) as broker:
        play(tmp_path, broker, scene, SMOKE, options={"version": version})


def test_without_last_seen_what_was_kept_is_no_news(tmp_path: Path) -> None:
    """Form `disable`."""

    async def scene(host: Listener, it: Sender, _driver: Any) -> None:
        await host.until(lambda host: "smoke.smoke value" in host.troubles, "the doubt")
        await asyncio.sleep(0.2)
        assert not host.said

    with Mosquitto(tmp_path / "broker", persistent=False) as broker:
        with sender(broker) as before:
            before.say("zigbee2mqtt/smoke", json.dumps({"smoke": True}), retain=True)
        play(tmp_path, broker, scene, SMOKE)
