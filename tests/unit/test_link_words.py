"""Where a broker is, how long to wait for it, and what a person reads when it is not there."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
from nats.aio.client import Client

from homenode.config.model import Broker
from homenode.errors import SetupError
from homenode.link.address import Address, Backoff, address
from homenode.link.words import NoLink, failed, hung_up, refused
from homenode.listen.line import Line
from homenode.listen.streams import connect

URL = "mqtts://broker.example"


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtt://10.0.0.1", "10.0.0.1", 1883, False),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_a_url_names_a_broker(url: str, host: str, port: int, tls: bool) -> None:
    assert address(url) == Address(url, host, port, tls)


@pytest.mark.parametrize(
    "url", ["broker.example", "http://broker", "mqtt://", "mqtt://h:99999", "mqtt://[::1", ""]
)
def test_what_names_no_broker_is_said(url: str) -> None:
    with pytest.raises(SetupError, match="is no broker"):
        address(url)


def test_the_first_tries_are_quick_and_none_waits_longer_than_half_a_minute() -> None:
    waits = []
    for seed in range(200):
        backoff = Backoff(Random(seed))
        waits.append([backoff.next_s() for _ in range(40)])
    assert max(one[0] for one in waits) <= 1.0
    assert max(wait for one in waits for wait in one[:20]) <= 5.0
    assert 20.0 < max(wait for one in waits for wait in one) <= 30.0
    assert min(one[30] for one in waits) < 3.0


def test_homes_do_not_come_back_all_at_once() -> None:
    first = sorted(Backoff(Random(seed)).next_s() for seed in range(1000))
    assert first[100] < 0.2
    assert first[900] > 0.8


def test_after_a_good_link_tries_are_quick_again_and_after_one_that_was_lost_at_once_they_are_not() -> None:
    backoff = Backoff(Random(1))
    waits = [backoff.next_s() for _ in range(30)]
    backoff.held(9.9)
    waits += [backoff.next_s() for _ in range(10)]
    assert max(waits[30:]) > 5.0
    backoff.held(10.0)
    assert backoff.next_s() <= 1.0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens there"),
        (ConnectionResetError(104, "Connection reset by peer"), "the broker closed the connection"),
        (TimeoutError(), "the broker does not answer"),
        (socket.gaierror(-2, "Name or service not known"), "the broker's name is not known"),
        (OSError(101, "Network is unreachable"), "network is unreachable"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "TLS failed"),
        (
            ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:2427)"),
            "TLS failed: the broker closed",
        ),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_each_failure_has_plain_words(error: Exception, words: str) -> None:
    told = failed(error, URL)
    assert told.what.startswith(words)
    assert told.where == URL


@pytest.mark.parametrize(("code", "person"), [(9, False), (10, False), (20, True)])
def test_a_certificate_that_time_mends_is_tried_again_soon(code: int, person: bool) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "certificate is not yet valid"
    told = failed(error, URL)
    assert told.person is person
    assert ("clock" in told.do) is not person


def test_only_a_broker_that_is_starting_is_worth_waiting_for() -> None:
    assert [code for code in range(1, 8) if not refused(code, URL).person] == [3]


def test_a_refusal_in_mqtt_5_is_told_as_that_of_the_same_meaning_in_3_1_1() -> None:
    reasons = {0x84: 1, 0x85: 2, 0x88: 3, 0x86: 4, 0x87: 5}  # paho tells them of either version
    assert [str(refused(one, URL)) for one in reasons] == [str(refused(one, URL)) for one in reasons.values()]


def test_a_connection_that_ends_may_be_another_node_or_another_receiver() -> None:
    do = hung_up(URL, was_up=True).do
    assert "another node of this home, or another receiver on a copy of this data" in do


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ConnectionRefusedError(111, "Connection refused"), True),
        (socket.gaierror(-2, "Name or service not known"), True),
        (TimeoutError(), True),
        (OSError(101, "Network is unreachable"), True),
        (PermissionError(1, "Operation not permitted"), False),  # the node's own firewall, or its unit
        (ConnectionResetError(104, "Connection reset by peer"), False),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), False),
    ],
)
def test_a_place_where_nobody_answers_is_told_from_one_that_refuses(error: Exception, away: bool) -> None:
    assert failed(error, URL, was_up=False).away is away
    assert not refused(5, URL).away


@pytest.mark.parametrize(
    "goes",
    [
        lambda broker: ExitStack().enter_context(Line(broker, "test", ())),
        lambda broker: asyncio.run(connect(Client(), broker)),
    ],
    ids=["mqtt", "nats"],
)
@pytest.mark.parametrize(
    ("name", "why"), [("", "Is a directory"), ("gone", "No such file"), ("latin", "'utf-8' codec")]
)
def test_a_password_that_can_not_be_read_is_said(
    tmp_path: Path, goes: Callable[[Broker], object], name: str, why: str
) -> None:
    (tmp_path / "latin").write_bytes("lösen".encode("latin-1"))
    broker = Broker(("mqtt://127.0.0.1:1",), username="anna", password_file=tmp_path / name)
    with pytest.raises(NoLink, match=f"{name} can't be read: {why}") as told:
        goes(broker)
    assert told.value.person


@pytest.mark.parametrize("module", ["fleet.ears", "listen.line", "link.dial"])
def test_who_speaks_mqtt_loads_no_resolver_of_names(module: str) -> None:
    asked = f"import sys, homenode.{module}; print('paho.mqtt.client' in sys.modules, 'dns' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout == "True False\n"
