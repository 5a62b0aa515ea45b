"""The example configuration of mosquitto, as it stands in deploy/: who may see what, tried from outside."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from homenode.config.model import Broker
from homenode.link import LinkState
from tests.system.brokers import MOSQUITTO, Mosquitto, free_port, needs_mosquitto
from tests.system.openssl import issued, openssl, self_signed
from tests.system.test_link import Node, running

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
NAMES = (
    "h1",
    "h2",
    "care@example",
    "property@example",
    "operator@example",
    "emptying@office",
    "stranger",
    "vaxjo-0412",
    "resident@vaxjo-0412",
)

pytestmark = [
    needs_mosquitto,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]


def authority(folder: Path, *words: str) -> None:
    """`openssl ca`, as the README has it."""
    openssl(folder, "ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", *words)


class AsDeployed:
    """The broker of deploy/, for whose keys are in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        shutil.copy(DEPLOY / "acl", folder)
        text = (DEPLOY / "mosquitto.conf").read_text()
        text = text.replace("/etc/mosquitto/homenode", str(folder)).replace("/var/lib/mosquitto", str(folder))
        text = text.replace("listener 8883", f"listener {self.port} 127.0.0.1")
        self.mosquitto = Mosquitto.as_configured(folder, text, self.port)

    def broker(self, name: str, **more: object) -> Broker:
        """How a node of this name reaches it."""
        keys = {
            "ca": self.folder / "ca.pem",
            "cert": self.folder / f"{name}.pem",
            "key": self.folder / f"{name}.key",
        }
        return Broker((f"mqtts://127.0.0.1:{self.port}",), **{**keys, **more})  # type: ignore[arg-type]  # paths

    def client(self, tool: str, name: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        """mosquitto_pub or mosquitto_sub with a name's keys; none for ""."""
        keys = ["--cafile", "ca.pem"]
        keys += ["--cert", f"{name}.pem", "--key", f"{name}.key"] if name else []
        return subprocess.run(
            [tool, "-h", "localhost", "-p", str(self.port), *keys, *words],
            cwd=self.folder,
            capture_output=True,
            timeout=30,
            check=False,
        )

    def retained(self, name: str, topic: str = "#") -> set[str]:
        """Topics whose retained message this client gets."""
        got = self.client("mosquitto_sub", name, "-t", topic, "-F", "%t", "-W", "1").stdout
        return set(got.decode().split())

    def publish(self, name: str, topic: str) -> None:
        self.client("mosquitto_pub", name, "-t", topic, "-m", "x", "-r", "-q", "1")


class Example(AsDeployed):
    """With an authority of its own, and everybody's keys."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self_signed(folder, "ca")
        shutil.copy(DEPLOY / "ca.cnf", folder)
        (folder / "index.txt").touch()
        authority(folder, "-gencrl", "-out", "crl.pem")
        issued(folder, "broker", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        for name in NAMES:
            issued(folder, name)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    assert MOSQUITTO is not None
    made = Example(tmp_path_factory.mktemp("acl"))
    with made.mosquitto:
        for home in ("h1", "h2"):
            for party in ("care", "property", "operator"):
                made.publish(home, f"hn1/{home}/{party}/status")
            made.publish(home, f"hn1/{home}/link")
        yield made


@pytest.mark.parametrize("party", ["care", "property", "operator"])
def test_a_party_reads_its_branch_and_the_link_and_nothing_else(example: Example, party: str) -> None:
    seen = example.retained(f"{party}@example")
    assert seen == {f"hn1/{home}/{branch}" for home in ("h1", "h2") for branch in (f"{party}/status", "link")}


def test_a_node_reads_nothing_but_commands_to_its_own_home(example: Example) -> None:
    for party, home in (("care", "h1"), ("care", "h2")):
        example.publish(f"{party}@example", f"hn1/{home}/{party}/command")
    assert example.retained("h1") == {"hn1/h1/care/command"}


def test_a_node_can_not_speak_for_another_home(example: Example) -> None:
    example.publish("h1", "hn1/h2/care/readings/forged/power")
    example.publish("h1", "hn1/h1/care/readings/own/power")
    assert example.retained("care@example", "hn1/+/care/readings/#") == {"hn1/h1/care/readings/own/power"}


def test_property_can_not_command_as_care(example: Example) -> None:
    example.publish("property@example", "hn1/h2/care/command")
    example.publish("property@example", "hn1/h2/property/command")
    assert "hn1/h2/property/command" in example.retained("h2")


def test_who_empties_reads_only_who_is_online_and_neither_alarms_nor_commands(example: Example) -> None:
    assert example.retained("emptying@office") == {"hn1/h1/link", "hn1/h2/link"}
    for topic in ("hn1/h2/care/alerts", "hn1/h2/operator/command", "hn1/h2/care/reply", "elsewhere"):
        example.publish("emptying@office", topic)
    assert "hn1/h2/operator/command" not in example.retained("h2")
    assert "hn1/h2/care/alerts" not in example.retained("care@example")
    assert "hn1/h2/care/reply" not in example.retained("care@example")


def test_a_stranger_and_an_anonymous_client_get_nothing(example: Example) -> None:
    assert example.retained("stranger") == set()
    assert example.retained("") == set()
    assert example.client("mosquitto_sub", "", "-t", "#", "-W", "1").returncode != 0


def test_the_link_works_with_the_nodes_own_certificate(example: Example) -> None:
    session = ("-E", "-c", "-i", "desk", "-q", "1", "-t", "hn1/+/care/alerts")
    assert example.client("mosquitto_sub", "care@example", *session).returncode == 0

    async def scene() -> None:
        async with running(example.broker("h1")) as node:
            await node.online()
            node.alert("a")
            node.readings(200)
            await node.until(lambda: len(node.gone) == 201)

    asyncio.run(asyncio.wait_for(scene(), 50))


def _first_state(broker: Broker) -> LinkState:
    async def scene() -> LinkState:
        async with running(broker) as node:
            await node.until(lambda: bool(node.states))
            return _of(node)

    return asyncio.run(asyncio.wait_for(scene(), 30))


def _of(node: Node) -> LinkState:
    return node.states[0]


def test_a_wrong_ca_is_said_in_plain_words(example: Example, tmp_path: Path) -> None:
    self_signed(tmp_path, "other")
    state = _first_state(example.broker("h1", ca=tmp_path / "other.pem"))
    assert "certificate is not accepted" in state.why
    assert "broker.ca" in state.do


def test_a_node_certificate_of_another_ca_is_said_in_plain_words(example: Example, tmp_path: Path) -> None:
    self_signed(tmp_path, "ca")
    issued(tmp_path, "h1")
    state = _first_state(example.broker("h1", cert=tmp_path / "h1.pem", key=tmp_path / "h1.key"))
    assert "TLS failed" in state.why
    assert "broker.cert" in state.do


def test_a_missing_key_file_is_said_with_its_path(example: Example, tmp_path: Path) -> None:
    state = _first_state(example.broker("h1", ca=tmp_path / "gone.pem"))
    assert state.url == str(tmp_path / "gone.pem")
    assert state.do
