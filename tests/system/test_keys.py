"""A party with a key: whoever runs the broker reads nothing of what it is sent, live or retained."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_node import a_home
from tests.system.test_taken_back import READING, SHARED, change, kept, shown

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
pytestmark = [needs_mosquitto, needs_openssl]

WORDS = (b"front_door.contact", b"door", b"hall", b"notified", b"resolved", b"open", b"alarm", b"value")
"""What stands in plain messages."""


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Of care."""
    return a_key(tmp_path, "care")


def a_key(folder: Path, name: str) -> Path:
    """A pair, made as the README says; the public one beside it."""
    made = folder / f"{name}.pem"
    for words in (
        ["openssl", "genpkey", "-algorithm", "X25519", "-out", str(made)],
        ["openssl", "pkey", "-in", str(made), "-pubout", "-out", str(folder / f"{name}-public.pem")],
    ):
        subprocess.run(words, check=True, capture_output=True)
    return made


def everything(broker: Mosquitto, topic: str, count: int) -> list[bytes]:
    """Lines of topic and payload, as mosquitto_sub gets them."""
    words = ["mosquitto_sub", "-p", str(broker.port), "-t", topic, "-v", "-C", str(count), "-W", "30"]
    return subprocess.run(words, capture_output=True, check=False, timeout=60).stdout.splitlines()


def opened(key: Path, lines: list[bytes]) -> list[str]:
    """The same through `homenode open`."""
    words = [sys.executable, "-m", "homenode.cli", "open", "--key", str(key)]
    done = subprocess.run(words, input=b"\n".join(lines), capture_output=True, check=True, timeout=60)
    return done.stdout.decode().splitlines()


def test_an_alert_is_sent_sealed_and_opened_by_its_party(
    tmp_path: Path, broker: Mosquitto, key: Path
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True), (2.0, False)])
    change(home, SHARED, f"{SHARED}\nkeys: {{care: care-public.pem}}")
    with (
        Receiver(broker.port, "hn1/test-1/#", name="everything") as all_of_it,
        NodeProcess(home, tmp_path / "data") as node,
    ):
        node.until("link up")
        all_of_it.until(lambda seen: len(seen.alerts()) == 2, "raised and resolved")
        command = {"id": "1", "do": "mode", "by": "Eva", "expires": "2000-01-01T00:00:00Z", "args": {}}
        all_of_it.send("hn1/test-1/care/command", command)
        all_of_it.until(lambda seen: [m for m in seen.messages if m[0].endswith("reply")], "the reply")
        node.stop()
    mine = [(topic, body) for topic, body, _ in all_of_it.messages if "/care/" in topic]
    mine = [(topic, body) for topic, body in mine if not topic.endswith("/command")]
    lines = [f"{topic} {json.dumps(body)}".encode() for topic, body in mine]
    assert {topic.split("/")[3] for topic, _ in mine} == {"alerts", "status", "readings", "reply"}
    for line in lines:
        payload = line.partition(b" ")[2]
        assert not [word for word in WORDS if b'"' + word in payload or word + b'"' in payload], payload
    plain = [line.partition(" ") for line in opened(key, lines)]
    told = [json.loads(payload) for topic, _, payload in plain if topic.endswith("/alerts")]
    assert [one["data"]["event"] for one in told] == ["notified", "resolved"]
    assert [one["sequence"] for one in told] == [alert["sequence"] for alert in all_of_it.alerts()]
    assert [json.loads(p)["value"] for topic, _, p in plain if topic == READING] == [True, False]
    (reply,) = (json.loads(payload) for topic, _, payload in plain if topic.endswith("/reply"))
    assert "expired" in reply["error"]["code"]


@pytest.mark.parametrize("by", ["reload", "restart"])
def test_what_stood_there_in_plain_is_gone_once_there_is_a_key(
    tmp_path: Path, broker: Mosquitto, key: Path, by: str
) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    with NodeProcess(home, tmp_path / "data") as node:
        shown(node, broker)
        assert b"value" in kept(broker)
        change(home, SHARED, f"{SHARED}\nkeys: {{care: care-public.pem}}")
        if by == "reload":
            assert node.ask("reload").returncode == 0
            node.until("taken back")
        else:
            node.stop()
    if by == "restart":
        with NodeProcess(home, tmp_path / "data") as node:
            node.until("taken back")
            node.stop()
    for line in everything(broker, "hn1/test-1/care/#", 2 if by == "restart" else 1):
        assert b"jwe" in line, line
    (status,) = (line for line in opened(key, everything(broker, "hn1/test-1/care/status", 1)))
    assert json.loads(status.partition(" ")[2])["home"] == "test-1"


def test_a_start_with_a_key_that_is_gone_stays_sealed(tmp_path: Path, broker: Mosquitto, key: Path) -> None:
    home = a_home(tmp_path, broker.port, [(0.0, True)])
    change(home, SHARED, f"{SHARED}\nkeys: {{care: care-public.pem}}")
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("link up")
        node.stop()
    (tmp_path / "care-public.pem").unlink()
    with Receiver(broker.port, "hn1/test-1/care/#", name="later") as care:
        with NodeProcess(home, tmp_path / "data") as node:
            node.until("link up")
            care.until(lambda seen: len(seen.messages) > 3, "messages")
            assert "care-public.pem" in node.log
            node.stop()
        assert all("jwe" in body or body.get("datacontenttype") for _, body, _ in care.messages)
