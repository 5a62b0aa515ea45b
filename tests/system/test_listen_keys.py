"""`homenode listen` for a party with a key, and a real node that seals what it sends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver, homenode
from tests.system.receivers import Listener, Nats, needs_nats
from tests.system.test_keys import a_key, needs_openssl
from tests.system.test_node import a_home
from tests.system.test_taken_back import SHARED, change

pytestmark = [needs_mosquitto, needs_openssl]


def a_sealing_home(folder: Path, port: int) -> Path:
    """A node whose alerts only `care.pem` opens."""
    home = a_home(folder, port, [(0.0, False), (1.0, True)])
    a_key(folder, "care")
    change(home, SHARED, f"{SHARED}\nkeys: {{care: care-public.pem}}")
    return home


PAGER = (
    "targets: {pager: {run: [sh, -c, 'cat > got.$HOMENODE_EVENT; echo Eva'], acknowledges: true}}\n"
    "to: [print, pager]\n"
)


@pytest.mark.parametrize("over", ["mqtt", pytest.param("nats", marks=needs_nats)])
def test_sealed_alerts_are_read_handed_over_and_acknowledged(
    tmp_path: Path, broker: Mosquitto, over: str
) -> None:
    got, where = tmp_path / "got", f"broker: {{url: {broker.url}}}"
    with Nats(tmp_path / "nats", 1 if over == "nats" else 0) as nats:
        if over == "nats":
            where = f"nats: [{', '.join(nats.url)}]"
        home = a_sealing_home(tmp_path / "home", nats.mqtt[0] if over == "nats" else broker.port)
        (tmp_path / "listen.yaml").write_text(
            f"party: care\nkeys: home/care.pem\n{where}\n" + PAGER.replace("got.", f"{got}.")
        )
        with Listener(tmp_path, str(tmp_path / "listen.yaml"), "--json") as desk:
            with NodeProcess(home, tmp_path / "node") as node:
                desk.until(lambda: len(desk.lines) >= 2, "the alert and who has it")
                node.stop()
            told, taken = (json.loads(line) for line in desk.lines[:2])
            assert told["data"]["event"] == "notified"
            assert json.loads(got.with_suffix(".notified").read_text()) == told
            assert (taken["data"]["event"], taken["data"]["by"]) == ("acknowledged", "Eva")
            assert "can't be read" not in desk.log


def test_what_no_key_opens_is_handed_over_and_can_be_opened_later(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_sealing_home(tmp_path / "home", broker.port)
    a_key(tmp_path, "other")
    words = ["--broker", broker.url, "--data", str(tmp_path / "d"), "--json"]
    words += ["--key", str(tmp_path / "other.pem")]
    with Listener(tmp_path, *words) as desk, NodeProcess(home, tmp_path / "node"):
        desk.until(lambda: desk.lines, "the alert that can't be opened")
        told = json.loads(desk.lines[0])
        assert told["type"] == "hn1.alert.sealed"
        assert desk.log.count("an alert can't be read") == 1
        assert "doesn't open it" in desk.log
    key = str(tmp_path / "home" / "care.pem")
    opened = homenode("open", "--key", key, said=told["data"]["jwe"])
    assert json.loads(opened.stdout)["data"]["event"] == "notified"


def test_somebody_at_the_desk_takes_a_sealed_alert(tmp_path: Path, broker: Mosquitto) -> None:
    home = a_sealing_home(tmp_path / "home", broker.port)
    words, key = ["--broker", broker.url, "--by", "Eva"], ["--key", str(tmp_path / "home" / "care.pem")]
    with (
        Listener(tmp_path, "--broker", broker.url, "--data", str(tmp_path / "d"), "--json", *key) as desk,
        Receiver(broker.port, "hn1/+/care/#") as care,
        NodeProcess(home, tmp_path / "node"),
    ):
        desk.until(lambda: desk.lines, "the alert")
        care.until(lambda r: len([t for t, _, _ in r.messages if t.endswith("/status")]) > 1, "the status")
        name = json.loads(desk.lines[0])["data"]["alert"]
        locked = homenode("listen", "ack", name, *words)
        assert "homes whose status no key given opens: 1" in locked.stderr, locked.stderr
        taken = homenode("listen", "ack", name, *words, *key)
        assert taken.stdout == f"test-1: {name} is taken by Eva\n", taken.stderr
        desk.until(lambda: '"acknowledged"' in desk.lines[-1], "the acknowledgement")
