"""A broker that refuses is told once in plain words, in the log and in `homenode status`; alerts wait."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.brokers import Mosquitto, free_port, made_keys, needs_mosquitto
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_bad_input_storage import status_says, stops_in_time
from tests.system.test_node import a_home

pytestmark = needs_mosquitto


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """See `made_keys`."""
    return made_keys(tmp_path / "keys")


def home_with(folder: Path, broker: str) -> Path:
    """A home whose door opens at once, with this `broker:`."""
    home = a_home(folder, 1, [(0.0, True)])
    home.write_text(home.read_text().replace('{url: "mqtt://127.0.0.1:1"}', broker))
    return home


def refuses(home: Path, data: Path, *told: str) -> None:
    """The reason stands in the log once, and in status; the rule is judged; the node stops in time."""
    with NodeProcess(home, data, watched=False) as node:
        line = node.until("no link")
        status = node.status()
        assert status["link"]["state"] == "down"
        for words in told:
            assert words in line, line
            assert words in status["link"]["why"]
            assert words in node.ask("status").stdout
        status_says(node, lambda known: known["alerts"], "the alert")
        assert node.status()["outbox"]["alerts"] >= 1
        assert len([line for line in node.lines if "no link" in line]) == 1, node.log
        stops_in_time(node)


def test_a_wrong_password_and_what_waits_goes_when_it_is_right(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    port = free_port()
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "node", "right"], check=True)
    passwords.chmod(0o600)
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    broker = f'{{url: "mqtt://127.0.0.1:{port}", username: node, password_file: secret}}'
    home = home_with(tmp_path, broker)
    lines = ("allow_anonymous false", f"password_file {passwords}")
    with Mosquitto(tmp_path / "broker", *lines, port=port):
        refuses(home, tmp_path / "data", "refuses this node", "password_file")
        secret.write_text("right\n")
        desk = ("mosquitto_sub", "-E", "-c", "-i", "desk", "-q", "1", "-t", "hn1/#", "-p", str(port))
        subprocess.run([*desk, "-u", "node", "-P", "right"], check=True)  # so that somebody listens
        with NodeProcess(home, tmp_path / "data") as node:
            node.until("link up")
            status_says(node, lambda known: not known["outbox"]["alerts"], "an empty outbox")
            stops_in_time(node)


def test_a_password_file_that_is_not_there(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        url = f'{{url: "{broker.url}", username: node, password_file: secret}}'
        secret = tmp_path / "secret"
        secret.write_text("x")
        home = home_with(tmp_path, url)
        with NodeProcess(home, tmp_path / "data") as node:
            node.until("link up")
            stops_in_time(node)
        secret.unlink()
        with NodeProcess(home, tmp_path / "other") as node:
            assert "secret" in node.until("secret")
            assert node.process.poll() in (None, 2)


@pytest.fixture
def tls(tmp_path: Path, keys: Path) -> Iterator[Mosquitto]:
    """A broker that speaks TLS only, with the first authority's certificate."""
    lines = (f"certfile {keys}/broker.pem", f"keyfile {keys}/broker.key")
    with Mosquitto(tmp_path / "broker", *lines) as running:
        yield running


def test_an_authority_that_did_not_sign_the_broker(tmp_path: Path, keys: Path, tls: Mosquitto) -> None:
    home = home_with(tmp_path, f'{{url: "mqtts://127.0.0.1:{tls.port}", ca: keys/other.pem}}')
    refuses(home, tmp_path / "data", "certificate is not accepted", "broker.ca")


def test_a_name_that_the_certificate_does_not_have(tmp_path: Path, keys: Path, tls: Mosquitto) -> None:
    home = home_with(tmp_path, f'{{url: "mqtts://localhost:{tls.port}", ca: keys/ca.pem}}')
    refuses(home, tmp_path / "data", "certificate is not accepted", "the name in broker.url")


def test_a_file_that_is_no_certificate(tmp_path: Path, keys: Path, tls: Mosquitto) -> None:
    (keys / "bad.pem").write_text("nothing")
    home = home_with(tmp_path, f'{{url: "mqtts://127.0.0.1:{tls.port}", ca: keys/bad.pem}}')
    refuses(home, tmp_path / "data", "bad.pem", "check broker.ca")


def test_the_right_authority(tmp_path: Path, keys: Path, tls: Mosquitto) -> None:
    home = home_with(tmp_path, f'{{url: "mqtts://127.0.0.1:{tls.port}", ca: keys/ca.pem}}')
    with NodeProcess(home, tmp_path / "data") as node:
        node.until("link up")
        stops_in_time(node)


def test_tls_to_a_port_without_tls(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as plain:
        home = home_with(tmp_path, f'{{url: "mqtts://127.0.0.1:{plain.port}"}}')
        refuses(home, tmp_path / "data", "the broker closed the connection", "perhaps there is no TLS")


def test_no_tls_to_a_port_with_tls(tmp_path: Path, tls: Mosquitto) -> None:
    refuses(
        home_with(tmp_path, f'{{url: "{tls.url}"}}'),
        tmp_path / "data",
        "the broker closed the connection",
        "mqtts",
    )


def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    home = home_with(tmp_path, f'{{url: "mqtt://127.0.0.1:{free_port()}"}}')
    refuses(home, tmp_path / "data", "nothing listens there")


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    home = home_with(tmp_path, '{url: "mqtt://broker.invalid"}')
    refuses(home, tmp_path / "data", "name", "DNS")


def answering(reply: bytes) -> Callable[[], int]:
    """A server on a port of its own that answers anything with `reply`."""

    def start() -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                    connection.recv(4096)
                    connection.sendall(reply)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return int(listener.getsockname()[1])

    return start


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "host and port"),
        (b"\x20\x02\x00\x02", "client id"),
        (b"\xff" * 50, "MQTT"),
    ],
)
def test_something_else_listens_there(tmp_path: Path, reply: bytes, told: str) -> None:
    home = home_with(tmp_path, f'{{url: "mqtt://127.0.0.1:{answering(reply)()}"}}')
    refuses(home, tmp_path / "data", told)


def test_two_nodes_of_one_home_take_each_other_the_link_and_say_why(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker, Receiver(broker.port, "hn1/test-1/#") as all_of_it:
        home = a_home(tmp_path, broker.port, [(0.0, True)])
        with NodeProcess(home, tmp_path / "one") as one, NodeProcess(home, tmp_path / "two") as two:
            one.until("link up")
            two.until("link up")
            lost = one.until("link lost")
            assert "closed the connection" in lost
            assert "another node of this home" in lost
            all_of_it.until(lambda seen: seen.alerts("notified"), "the alert")
            stops_in_time(one)
            stops_in_time(two)
