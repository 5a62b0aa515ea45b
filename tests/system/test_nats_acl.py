"""The example configuration of NATS as it stands in deploy/, on three servers: who may see what."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, KeyValueConfig

from homenode.config.model import Broker
from homenode.gateway.clock import Clock
from homenode.listen.streams import connect
from homenode.office.emptying import at
from homenode.office.store import Emptying
from tests.system.brokers import free_port, needs_mosquitto
from tests.system.nodes import PATIENCE_S, NodeProcess, homenode
from tests.system.openssl import issued, self_signed
from tests.system.receivers import NATS, Listener, needs_nats
from tests.system.test_keys import needs_openssl
from tests.system.test_node import a_home
from tests.system.test_taken_back import change

DEPLOY = Path(__file__).parents[2] / "deploy" / "nats"
HOMES = ("h1", "h2", "test-1", "vaxjo-0412")
NAMES = (
    *HOMES,
    *("care@example", "property@example", "operator@example", "resident@vaxjo-0412", "stranger"),
    *("emptying@office", "setup@example", "desk.care@example", "desk.property@example"),
)
SERVERS = 3

pytestmark = [needs_nats, needs_mosquitto, needs_openssl]


class Example:
    """Three servers with everybody's keys, and a consumer for each party's receivers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clients, self.mqtt, routes = ([free_port() for _ in range(SERVERS)] for _ in range(3))
        self._servers: list[subprocess.Popen[bytes]] = []
        self_signed(folder, "ca")
        issued(folder, "server", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        for name in NAMES:
            issued(folder, name)
        for name in ("home.conf", "parties.conf", "users.sh"):
            shutil.copy(DEPLOY / name, folder)
        self.users(*HOMES)
        for nth in range(SERVERS):
            text = (DEPLOY / "nats.conf").read_text()
            for there, here in (
                ("/etc/nats", str(folder)),
                ("/var/lib/nats", f"{folder}/data-{nth}"),
                ("server_name: n1", f"server_name: n{nth + 1}"),
                ("0.0.0.0:4222", f"127.0.0.1:{self.clients[nth]}"),
                ("0.0.0.0:8883", f"127.0.0.1:{self.mqtt[nth]}"),
                ("0.0.0.0:6222", f"127.0.0.1:{routes[nth]}"),
                *((f"n{n + 1}.example:6222", f"127.0.0.1:{routes[n]}") for n in range(SERVERS)),
            ):
                assert there in text
                text = text.replace(there, here)
            (folder / f"{nth}.conf").write_text(text)

    def users(self, *homes: str) -> None:
        """Who may connect, from the next start or reload."""
        said = "".join(f"{home}\n" for home in homes).encode()
        made = subprocess.run(["sh", self.folder / "users.sh"], input=said, capture_output=True, check=True)
        (self.folder / "users.conf").write_bytes(made.stdout)
        for server in self._servers:
            server.send_signal(signal.SIGHUP)

    def desk(self, name: str, party: str, *, api: bool = True, text: str = "") -> str:
        """listen.yaml of somebody."""
        urls = json.dumps([f"tls://127.0.0.1:{port}" for port in self.clients])
        keys = f"ca: ca.pem, cert: {name}.pem, key: {name}.key{', api: homes' if api else ''}"
        path = self.folder / f"{name}.{party}.yaml"
        path.write_text(f"party: {party}\nnats: {{url: {urls}, {keys}}}\n{text}")
        return str(path)

    def words(self, name: str, topics: Sequence[str]) -> list[str]:
        """For mosquitto_pub or mosquitto_sub with a name's keys; none for ""."""
        keys = ["--cert", f"{name}.pem", "--key", f"{name}.key"] if name else []
        where = ["-h", "127.0.0.1", "-p", str(self.mqtt[0]), "--cafile", "ca.pem", "-q", "1"]
        return [*where, *keys, *(word for topic in topics for word in ("-t", topic))]

    def ear(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """mosquitto_sub, beside what follows."""
        command = ["mosquitto_sub", *self.words(name, ()), *words]
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def client(self, tool: str, name: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        """One of them to its end."""
        command = [tool, *self.words(name, ()), *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, timeout=30, check=False)

    def publish(self, name: str, topic: str, body: str = "x", *more: str) -> int:
        return self.client("mosquitto_pub", name, "-t", topic, "-m", body, *more).returncode

    def retained(self, name: str, *topics: str) -> set[str]:
        """Topics whose retained message this client gets; each asked for by itself."""
        seen: set[str] = set()
        for topic in topics:
            got = self.client("mosquitto_sub", name, "-t", topic, "-F", "%t", "-W", "2").stdout
            seen |= set(got.decode().split())
        return seen

    def __enter__(self) -> Self:
        assert NATS is not None
        for nth in range(SERVERS):
            with (self.folder / f"{nth}.log").open("ab") as log:
                words = [NATS, "-c", str(self.folder / f"{nth}.conf")]
                self._servers.append(subprocess.Popen(words, stderr=log))
        try:
            self._until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _until_ready(self) -> None:
        clock = Clock()
        deadline = clock.now() + 2_000 * PATIENCE_S
        for party in ("care", "property"):
            file = self.desk("setup@example", party, api=False)
            while (made := homenode("listen", "prepare", file)).returncode:  # until they listen
                assert clock.now() < deadline, made.stderr + (self.folder / "0.log").read_text()
                time.sleep(0.2)
            assert made.stdout == f"homenode_{party}_desk is there\n"
        while self.publish("h1", "hn1/h1/link"):  # until they have agreed on what MQTT needs
            assert clock.now() < deadline, (self.folder / "0.log").read_text()

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    with Example(tmp_path_factory.mktemp("nats")) as made:
        for home in ("h1", "h2", "vaxjo-0412"):
            for party in ("care", "property", "operator", "resident"):
                assert made.publish(home, f"hn1/{home}/{party}/status", "x", "-r") == 0
            made.publish(home, f"hn1/{home}/care/readings/eye/motion", "x", "-r")
            made.publish(home, f"hn1/{home}/link", "x", "-r")
        yield made


def test_a_party_reads_its_branch_and_the_link_and_nothing_else(example: Example) -> None:
    homes = ("h1", "h2", "vaxjo-0412")
    wanted = ("hn1/+/link", "hn1/+/property/status", "hn1/+/property/readings/#")
    assert example.retained("property@example", *wanted) == {
        f"hn1/{home}/{word}" for home in homes for word in ("link", "property/status")
    }
    more = ("#", "hn1/#", "hn1/+/+/status", "hn1/+/care/status", "hn1/h1/care/readings/#", "hn1/+/+/alerts")
    assert example.retained("property@example", *more, "$MQTT/#", "$MQTT/sub/#", "$JS/#", "$SYS/#") == set()
    assert example.retained("resident@vaxjo-0412", "hn1/+/resident/status", "hn1/+/link") == set()
    assert example.retained("resident@vaxjo-0412", "hn1/vaxjo-0412/resident/status") != set()


def test_a_node_reads_nothing_but_commands_to_its_own_home(example: Example) -> None:
    for home in ("h1", "h2"):
        example.publish("care@example", f"hn1/{home}/care/command", "x", "-r")
    assert example.retained("h1", "hn1/h1/+/command") == {"hn1/h1/care/command"}
    assert example.retained("h1", "hn1/+/+/command", "hn1/h2/+/command", "hn1/h1/care/status", "#") == set()


def test_a_node_can_not_speak_for_another_home_though_it_is_told_yes(example: Example) -> None:
    assert example.publish("h1", "hn1/h2/care/readings/forged/power", "x", "-r") == 0, "PUBACK says nothing"
    example.publish("h1", "hn1/h1/care/readings/own/power", "x", "-r")
    seen = example.retained("care@example", "hn1/+/care/readings/#")
    assert {topic for topic in seen if topic.endswith("power")} == {"hn1/h1/care/readings/own/power"}


def test_property_can_not_command_as_care(example: Example) -> None:
    example.publish("property@example", "hn1/vaxjo-0412/care/command", "x", "-r", "-q", "1")
    example.publish("property@example", "hn1/vaxjo-0412/property/command", "x", "-r", "-q", "1")
    assert example.retained("vaxjo-0412", "hn1/vaxjo-0412/+/command") == {"hn1/vaxjo-0412/property/command"}


def test_the_office_empties_what_a_home_left_and_reads_nothing_of_it(example: Example) -> None:
    left = ("hn1/test-1/care/status", "hn1/test-1/care/readings/eye/motion", "hn1/test-1/link")
    for topic in left:
        example.publish("test-1", topic, "x", "-r")
    asked = ("hn1/test-1/care/status", "hn1/test-1/care/readings/#", "hn1/test-1/link")
    assert example.retained("care@example", *asked) == {*left}
    assert example.retained("emptying@office", *asked) == {"hn1/test-1/link"}
    ca, cert, key = (
        example.folder / name for name in ("ca.pem", "emptying@office.pem", "emptying@office.key")
    )
    broker = Broker((f"mqtts://127.0.0.1:{example.mqtt[0]}",), ca=ca, cert=cert, key=key)
    one = Emptying("test-1", broker.urls[0], left, True, 0, "")
    assert [*at(broker, [one], 0)] == [(one, "")]
    assert example.retained("care@example", *asked) == set()


@pytest.mark.parametrize("name", ["stranger", "", "desk.care@example", "setup@example"])
def test_a_stranger_an_anonymous_client_and_who_is_for_nats_get_nothing_by_mqtt(
    example: Example, name: str
) -> None:
    got = example.client("mosquitto_sub", name, "-t", "hn1/+/link", "-W", "1")
    assert got.returncode not in (0, 27), got  # 27: no message came in time
    assert got.stdout == b""


@pytest.mark.parametrize("name", ["h1", "care@example", "stranger"])
def test_who_is_for_mqtt_gets_nothing_by_nats(example: Example, name: str) -> None:
    refused = homenode("listen", "prepare", example.desk(name, "care", api=False))
    assert refused.returncode == 1
    assert "can't be reached" in refused.stderr


def test_receivers_of_a_party_have_its_consumer_and_nothing_else_of_the_homes(example: Example) -> None:
    alert = alert_of("h2", "care")
    ear = example.ear("h2", "-t", "hn1/h2/+/command", "-v", "-W", "8")
    example.publish("h2", "hn1/h2/care/alerts", json.dumps(alert))
    asyncio.run(asyncio.wait_for(_greedy(example), 30))
    with Listener(example.folder, example.desk("desk.care@example", "care"), "--json", name="care") as desk:
        desk.until(lambda: alert["id"] in desk.ids, "the alert, which nobody else took")
    heard, _ = ear.communicate(timeout=20)
    assert b"mine" in heard
    assert b"forged" not in heard, heard


async def _greedy(example: Example) -> None:
    """Property's receiver, which wants care's alerts and to command as care."""
    name, nats = example.folder / "desk.property@example", Client()
    keys = Broker((), ca=example.folder / "ca.pem", cert=Path(f"{name}.pem"), key=Path(f"{name}.key"))
    await connect(nats, replace(keys, urls=tuple(f"tls://127.0.0.1:{port}" for port in example.clients)))
    for prefix in ("$JS.API", "homes"):
        pull = f"{prefix}.CONSUMER.MSG.NEXT.$MQTT_msgs.homenode_care_desk"
        await nats.publish(pull, b'{"batch": 10, "expires": 3000000000}', nats.new_inbox())
    js = nats.jetstream()
    await js.create_key_value(KeyValueConfig(bucket="mine"))
    forger = ConsumerConfig(
        name="forger",
        deliver_subject="hn1.h2.care.command",
        filter_subject="$KV.mine.>",
        ack_policy=AckPolicy.NONE,
    )
    await js.add_consumer("KV_mine", forger)
    await (await js.key_value("mine")).put("x", b"forged")
    await nats.publish("hn1.h2.care.command", b"forged")
    await nats.publish("hn1.h2.property.command", b"mine")
    for subject in ("hn1.h2.care.alerts", "$MQTT.msgs.hn1.h2.care.alerts", "hn1.h2.link"):
        await nats.publish(subject, b"forged")
    await nats.flush()
    await asyncio.sleep(2)
    await nats.close()


def test_a_receiver_by_mqtt_has_what_came_while_it_was_away(example: Example, tmp_path: Path) -> None:
    keys = "cert: {0}.pem, key: {0}.key".format(example.folder / "care@example")
    url = f"mqtts://127.0.0.1:{example.mqtt[1]}"
    file = tmp_path / "listen.yaml"
    file.write_text(f"party: care\nbroker: {{url: '{url}', ca: {example.folder}/ca.pem, {keys}}}\n")
    with Listener(tmp_path, str(file), "--json") as desk:

        def sent(number: int) -> bool:
            body = json.dumps(alert_of("h1", "care") | {"id": str(number)})
            return example.publish("h1", "hn1/h1/care/alerts", body) == 0

        desk.until(lambda: sent(1) and desk.ids == ["1"], "the alert")  # at first three servers must agree
        desk.kill()
        assert sent(2)
        desk.start()
        desk.until(lambda: desk.ids[-1] == "2", "what came meanwhile")
        assert "denies" not in desk.log


def test_a_will_is_of_its_own_home(example: Example) -> None:
    ear = example.ear("care@example", "-t", "hn1/+/link", "-R", "-v", "-W", "5")
    time.sleep(1)
    for topic in ("hn1/h2/link", "hn1/h1/link"):
        dying = example.ear("h1", "-t", "hn1/h1/+/command", "--will-topic", topic, "--will-payload", "gone")
        time.sleep(1)
        dying.kill()
        dying.communicate()
    heard, _ = ear.communicate(timeout=20)
    assert heard.splitlines()[0] == b"hn1/h1/link gone"
    assert b"hn1/h2" not in heard


def test_who_takes_the_id_of_another_gets_nothing_of_his_and_loses_him_nothing(example: Example) -> None:
    session = ["-i", "care-1", "-c", "-v"]
    mine = [*session, "-t", "hn1/+/care/alerts", "-W", "3"]
    example.ear("care@example", *mine).communicate()
    example.publish("h2", "hn1/h2/care/alerts", "before")
    thief = example.ear("h1", *session, "-t", "hn1/h1/+/command", "-R", "-W", "4")
    time.sleep(2)
    example.publish("h2", "hn1/h2/care/alerts", "meanwhile")
    stolen, _ = thief.communicate()
    assert b"hn1/h2" not in stolen
    had, _ = example.ear("care@example", *mine).communicate()
    assert had.splitlines()[:2] == [b"hn1/h2/care/alerts before", b"hn1/h2/care/alerts meanwhile"]


def test_a_stolen_node_is_cut_off_at_a_reload_and_its_successor_is_not(example: Example) -> None:
    issued(example.folder, "successor", subject="/CN=h1/OU=2")
    node = example.ear("h1", "-t", "hn1/h1/+/command", "-W", "20")
    try:
        time.sleep(1)
        example.users("h1 2", *HOMES[1:])
        assert node.wait(10) != 27, "refused when it comes again"
        assert example.publish("h1", "hn1/h1/link") != 0
        assert example.publish("successor", "hn1/h1/link") == 0
    finally:
        example.users(*HOMES)


def alert_of(home: str, party: str) -> dict[str, Any]:
    data = {"alert": "x", "severity": "alarm", "event": "notified"}
    return {"id": f"{home}-{party}", "type": "hn1.alert.notified", "source": f"hn1/{home}", "data": data}


def test_a_real_node_and_real_receivers_find_each_other(example: Example, tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", 1, [(0, False), (1, True)])
    keys = ", ".join(f"{key}: {example.folder}/{name}" for key, name in (
        ("ca", "ca.pem"), ("cert", "test-1.pem"), ("key", "test-1.key")
    ))  # fmt: skip
    urls = json.dumps([f"mqtts://127.0.0.1:{port}" for port in example.mqtt])
    change(home, 'broker: {url: "mqtt://127.0.0.1:1"}', f"broker: {{url: {urls}, {keys}}}")
    page = "targets: {pager: {run: [sh, -c, 'echo Eva'], acknowledges: true}}\nto: [print, pager]\n"
    file = example.desk("desk.care@example", "care", text=page)
    members = [Listener(tmp_path, file, "--json", name=name) for name in ("one", "two")]
    other = Listener(tmp_path, example.desk("desk.property@example", "property"), "--json", name="other")
    with members[0], members[1], other, NodeProcess(home, tmp_path / "node") as node:
        lines: list[dict[str, Any]] = []

        def told() -> list[str]:
            all_of_it = [json.loads(line) for member in members for line in member.lines]
            lines[:] = [line for line in all_of_it if line["source"] == "hn1/test-1"]
            return [line["data"]["event"] for line in lines]

        members[0].until(lambda: sorted(told()) == ["acknowledged", "notified"], "the alert and who has it")
        assert {line["data"].get("by") for line in lines} >= {"Eva"}
        example.publish("h1", "hn1/h1/property/alerts", json.dumps(alert_of("h1", "property")))
        other.until(lambda: "h1-property" in other.ids, "its own")
        node.stop()
    assert not any("h1-property" in member.ids for member in members)
