"""Where the panel may be reached: in a network namespace with a cable and a tunnel, as in homes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.nodes import PATIENCE_S
from tests.system.panels import Panel, homenode_panel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
CABLE, TUNNEL = ("192.168.77.20", "fd77::20"), ("10.77.0.2", "fd78::2")

ASK = """
import http.client, sys
link = http.client.HTTPConnection(sys.argv[1], 80, timeout=30)
link.request("GET", "/words", headers={"Host": sys.argv[2]})
print(link.getresponse().status)
"""


@pytest.fixture(scope="module")
def within() -> Iterator[tuple[str, ...]]:
    """A command that executes another in that network."""
    name = f"panel-{os.getpid()}"
    inside = ("ip", "netns", "exec", name)
    try:
        for words in (
            ("ip", "netns", "add", name),
            (*inside, "ip", "link", "set", "lo", "up"),
            (*inside, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "router"),
            (*inside, "ip", "tuntap", "add", "dev", "tun0", "mode", "tun"),
            (*inside, "ip", "address", "add", "192.168.77.1/24", "dev", "eth0"),  # ours is its second
            *((*inside, "ip", "address", "add", f"{one}/24", "dev", "eth0") for one in CABLE[:1]),
            (*inside, "ip", "address", "add", f"{CABLE[1]}/64", "dev", "eth0", "nodad"),
            (*inside, "ip", "address", "add", TUNNEL[0], "peer", "10.77.0.1", "dev", "tun0"),
            (*inside, "ip", "address", "add", f"{TUNNEL[1]}/64", "dev", "tun0", "nodad"),
            *((*inside, "ip", "link", "set", one, "up") for one in ("eth0", "router", "tun0")),
        ):
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
        yield inside
    finally:
        subprocess.run(("ip", "netns", "delete", name), capture_output=True, check=False)


@pytest.mark.parametrize("address", CABLE)
def test_it_is_reached_in_the_apartments_own_network_by_that_address_alone(
    tmp_path: Path, within: tuple[str, ...], address: str
) -> None:
    host = f"[{address}]" if ":" in address else address

    def asked(name: str) -> str:
        words = (*within, sys.executable, "-c", ASK, address, name)
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    with Panel(tmp_path, listen=f"{host}:80", within=within):  # port 80, which browsers leave out
        assert asked(host) == asked(f"{host}:80") == "200"
        assert asked("evil.example") == asked(f"evil.example.{host}") == asked("localhost") == "421"


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        (TUNNEL[0], "that of tun0, a modem or a tunnel out of the home"),
        (f"[{TUNNEL[1]}]", "that of tun0, a modem or a tunnel out of the home"),
        ("0.0.0.0", "every network that the node is in"),
        ("[::]", "every network that the node is in"),
        ("8.8.8.8:80", "a public address"),
        ("[2001:db8::1]", "a public address"),
        ("[fe80::1%eth0]", "a link address"),
        ("192.168.77.99", "can't be used"),
    ],
)
def test_an_address_that_leads_out_is_refused_and_says_why(
    tmp_path: Path, within: tuple[str, ...], listen: str, why: str
) -> None:
    answer = homenode_panel(tmp_path, "--listen", listen, within=within)
    assert answer.returncode == 1
    assert "--listen" in answer.stderr
    assert why in answer.stderr
