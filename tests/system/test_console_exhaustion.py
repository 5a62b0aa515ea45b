"""Who wants to keep others out of the console: too many of anything, too slowly, under many names."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from homenode.console.control_room import MOST_STREAMS
from homenode.console.server import MOST_EACH, MOST_OPEN
from tests.system.brokers import Mosquitto, made_keys, needs_mosquitto

pytest.importorskip("jinja2", reason="the extra console is not installed")

from tests.system.consoles import PASSWORD, Client, Console

pytestmark = needs_mosquitto


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


def callers(console: Console, number: int, source: str) -> list[socket.socket]:
    """So many connections of one address; nothing is said on them."""
    to = ("127.0.0.1", int(console.host.rpartition(":")[2]))
    return [socket.create_connection(to, source_address=(source, 0)) for _ in range(number)]


def closed(sockets: list[socket.socket]) -> int:
    """How many of them the other end has closed."""
    gone = 0
    for one in sockets:
        one.settimeout(0.02)
        try:
            gone += one.recv(1) == b""
        except TimeoutError:
            pass
        except ConnectionError:
            gone += 1
    return gone


def test_connections_that_say_nothing_take_only_the_places_of_their_own_address(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with Console(tmp_path, broker.port) as console:
        silent = callers(console, MOST_EACH + 20, "127.0.0.9")
        for one in silent[:MOST_EACH]:
            one.sendall(b"GET / HTTP/1.1\r\nHost: ")  # and the rest of it never
        eva = Client(console).sign_in("eva")  # from another address
        assert eva.get("/").status == 200
        console.until(lambda: closed(silent[MOST_EACH:]) == 20, "those that are too many")
        assert closed(silent[:5]) == 0
        for one in silent:
            one.close()


def test_who_never_ends_the_handshake_is_counted_too(tmp_path: Path, broker: Mosquitto) -> None:
    made_keys(tmp_path / "keys")
    lines = "roster: false\ncert: keys/broker.pem\nkey: keys/broker.key\n"
    with Console(tmp_path, broker.port, lines) as console:
        silent = callers(console, MOST_EACH + 20, "127.0.0.9")
        console.until(lambda: closed(silent[MOST_EACH:]) == 20, "those that are too many")
        context = ssl._create_unverified_context()
        link = http.client.HTTPSConnection(console.host, context=context, timeout=30)
        link.request("GET", "/sign-in")
        answer = link.getresponse()
        assert answer.status == 200
        assert answer.headers["Strict-Transport-Security"]
        body = answer.read().decode()
        assert "Sign in" in body
        link.request(
            "POST",
            "/sign-in",
            f"user=eva&password={PASSWORD.replace(' ', '+')}",
            {"Origin": f"https://{console.host}"},
        )
        cookie = link.getresponse().headers["Set-Cookie"]
        assert cookie.startswith("__Host-console=")
        assert "; Secure" in cookie
        for one in silent:
            one.close()


def test_open_pages_without_end_end_the_oldest_of_the_same_person(tmp_path: Path, broker: Mosquitto) -> None:
    with Console(tmp_path, broker.port) as console:
        eva, nils = Client(console).sign_in("eva"), Client(console).sign_in("nils")

        def page(who: Client) -> http.client.HTTPResponse:
            link = http.client.HTTPConnection(console.host, timeout=30)
            cookie = "; ".join(f"{name}={value}" for name, value in who.cookies.items())
            link.request("GET", "/events", headers={"Cookie": cookie})
            answer = link.getresponse()
            assert answer.status == 200
            assert answer.readline().startswith(b"data: ")
            return answer

        other, first = page(nils), page(eva)
        pages = [page(eva) for _ in range(MOST_STREAMS - 1)]
        assert MOST_STREAMS < MOST_EACH < MOST_OPEN
        pages.append(page(eva))  # one too many
        while first.readline():
            pass  # it ends
        assert all(one.readline() for one in (other, *pages))  # the others go on


def test_another_name_in_x_forwarded_for_is_no_new_caller(tmp_path: Path, broker: Mosquitto) -> None:
    def tried(console: Console, said: str, password: str = "hunter2") -> int:
        body = f"user=eva&password={password.replace(' ', '+')}"
        return Client(console).ask("POST", "/sign-in", body, X_Forwarded_For=said).status

    with Console(tmp_path / "direct", broker.port) as console:
        for nth in range(10):
            assert tried(console, f"10.0.0.{nth}") == 403
        assert tried(console, "10.0.1.1") == 429  # nobody forwards anything here
    with Console(tmp_path / "behind", broker.port, "roster: false\nproxy: true\n") as console:
        for nth in range(10):  # a proxy adds whom it sees, behind what was there
            assert tried(console, f"10.0.0.{nth}, 192.0.2.7") == 403
        assert tried(console, "10.0.1.1, 192.0.2.7", PASSWORD) == 429
        assert tried(console, "192.0.2.7, 192.0.2.8", PASSWORD) == 303
        for nth in range(10):  # one machine has a whole /64
            assert tried(console, f"2001:db8:0:7::{nth:x}") == 403
        assert tried(console, "2001:db8:0:7:ffff::1", PASSWORD) == 429
        assert tried(console, "2001:db8:0:8::1", PASSWORD) == 303


def test_what_a_stranger_writes_is_no_line_of_the_log(tmp_path: Path, broker: Mosquitto) -> None:
    with Console(tmp_path, broker.port, "roster: false\nproxy: true\n") as console:
        stranger = Client(console)
        forged = "x%0a12%3a00%3a00%20info%20%20%20%20console%3a%20signed%20in%1b%5b2J"
        stranger.ask("POST", "/sign-in", f"user={forged}&password={forged}", X_Forwarded_For="\x1b[2J")
        stranger.get(f"/{forged}")
        stranger.get(f"/sign-in/back?error={forged}&state=x&iss={forged}")
        eva = Client(console).sign_in("eva")
        eva.get(f"/alert/{forged}")
        assert "\x1b" not in console.log
        assert not any("signed in" in line for line in console.log.splitlines())
        assert "\x1b" not in eva.get("/log").text
