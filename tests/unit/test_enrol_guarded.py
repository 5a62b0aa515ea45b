"""What a box bears: offices that never end, files of a hijacked gateway under root's hands."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homenode.enrol import assignment, blink, boot, client, leaving, radios, state
from homenode.enrol.client import Office, Unreachable, certificates_of
from homenode.enrol.places import FILE, TOLD, Places
from homenode.errors import Refused
from tests.system.openssl import self_signed
from tests.unit.test_enrol_hostile import CA, answer
from tests.unit.test_provision_file import mistakes


@contextlib.contextmanager
def dripping(first: bytes, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that says so much, then one byte each 0.05 s, and never comes to an end; its port."""
    over = threading.Event()

    def drip(listening: socket.socket) -> None:
        link = listening.accept()[0]
        with contextlib.suppress(OSError), tls.wrap_socket(link, server_side=True) if tls else link as talk:
            talk.sendall(first)
            while not over.wait(0.05):
                talk.sendall(b"0")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        over.set()
        thread.join(5)


def test_an_office_that_never_ends_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_S", 0.3)
    first = b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xf0\x03\x03"  # of a handshake
    with dripping(first) as port, pytest.raises(Unreachable):
        Office(f"https://127.0.0.1:{port}", CA.decode()).cacerts()


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: ",
], ids=["closes", "stays", "length unknown", "no head"])  # fmt: skip
def test_an_answer_that_never_ends_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(client, "MOST_S", 0.5)
    monkeypatch.setattr(client, "MOST_BYTES", 100)  # else one that isn't hung up on runs for ever
    self_signed(tmp_path, "office")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "office.pem", tmp_path / "office.key")
    with dripping(head, tls) as port, pytest.raises(Unreachable, match="not done"):
        Office(f"https://127.0.0.1:{port}", None).cacerts()


def test_certificates_that_are_none_are_refused() -> None:
    for body in (b"MAA=", b"AAAA", b"\x30\x80\xff\xff"):
        with pytest.raises(Refused, match="no certificates"):
            certificates_of(answer(body))


def test_only_what_an_alert_says_of_the_certificate_disowns_a_box() -> None:
    import re

    for reason in ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_BAD_CERTIFICATE", "TLSV1_ALERT_UNKNOWN_CA",
                   "TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_ACCESS_DENIED"):  # fmt: skip
        assert re.search(client._NOT_ACCEPTED, reason), reason
    for reason in ("TLSV1_ALERT_INTERNAL_ERROR", "SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_DECODE_ERROR"):
        assert not re.search(client._NOT_ACCEPTED, reason), reason


class NoMore(Office):
    """It sends the alert of TLS that the box's certificate ended."""

    def told(self, what: str, text: str, **more: Any) -> client.Answer:
        raise client.Disowned("certificate expired")


def test_a_proof_that_tls_kept_from_the_office_is_not_delivered(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    for folder in (places.config, places.folder):
        folder.mkdir()
    places.erase.write_text('{"proof": "signed"}')
    with pytest.raises(client.Disowned):
        leaving.bring(places, NoMore("https://o", CA.decode()))
    assert state.read(places.erase) == {"proof": "signed"}


def test_root_follows_no_link_and_waits_at_no_pipe_of_the_nodes_user(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"password": "x"}')
    (tmp_path / "link.json").symlink_to(tmp_path / "secret.json")
    assert state.read(tmp_path / "link.json") == {}
    os.mkfifo(tmp_path / "pipe.json")
    found = threading.Thread(target=state.read, args=(tmp_path / "pipe.json",), daemon=True)
    found.start()
    found.join(5)
    assert not found.is_alive()
    (tmp_path / "deep.json").write_text("[" * 90_000)
    assert state.read(tmp_path / "deep.json") == {}


def places_in(folder: Path) -> Places:
    places = Places(*(folder / name for name in ("config", "data", "boot", "trust", "machine", "spare.json")))
    places.boot.mkdir(parents=True)
    places.data.mkdir()
    return places


def test_mistakes_in_a_file_are_told_once_and_not_at_each_look(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    (places.boot / FILE).write_text("offise: x\n")
    boot.boot(places, run=tmp_path / "run", lamps=())
    first = places.state.stat().st_ino, places.state.read_text()
    boot.boot(places, run=tmp_path / "run", lamps=())
    assert (places.state.stat().st_ino, places.state.read_text()) == first


def test_a_card_that_takes_nothing_is_told_on_the_card_and_by_the_lamp(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    places.folder.write_text("in the way")
    (places.boot / FILE).write_text("code: ABCD-EFGH\n")
    lamp = tmp_path / "lamp"
    lamp.mkdir()
    for name, text in (("trigger", "none timer pattern"), ("pattern", "")):
        (lamp / name).write_text(text)
    assert boot.boot(places, run=tmp_path / "run", lamps=(str(lamp),)) == 0
    assert "The card can't be written" in (places.boot / TOLD).read_text()
    assert (lamp / "pattern").read_text() == blink.pattern(5)
    assert (places.boot / FILE).exists()


def test_a_rule_of_a_try_that_was_cut_short_stands_before_no_shipped_one(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    rules = places.config / "rules"
    rules.mkdir(parents=True)
    (rules / "water_leak.yaml").write_text("rule: mine\n")
    text = "home: h\ntimezone: Europe/Stockholm\ndevices: {}\n"
    assignment.take(places, {"home.yaml": text}, "h")
    assert list(rules.iterdir()) == []
    assert places.home.read_text() == text


def test_a_backup_of_a_hijacked_box_takes_the_place_of_nothing_but_radios(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    for name in ("enrol", "meter", "stick/backups"):
        (places.data / name).mkdir(parents=True)
    names = ("enrol", "meter", "stick", "journal", "update", "lock", "before", "former", "reports", "new")
    given = radios.put(places, {name: {"extended_pan_id": "aa"} for name in names}, 0)
    assert given == ["stick", "new"]
    assert {path.name for path in places.data.iterdir()} == {"enrol", "meter", "stick", "stick.former", "new"}
    assert len(radios.put(places, {f"x{nth}": {} for nth in range(1000)}, 0)) == radios.MOST


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody")
def test_root_gives_nothing_away_that_was_put_in_the_place_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, precious = places_in(tmp_path), tmp_path / "etc"
    precious.mkdir()
    os.chown(places.data, 12_345, 12_345)
    make = Path.mkdir

    def raced(self: Path, *args: Any, **more: Any) -> None:
        make(self, *args, **more)
        if self == places.folder:
            self.rmdir()
            self.symlink_to(precious)

    monkeypatch.setattr(Path, "mkdir", raced)
    (places.boot / FILE).write_text("code: ABCD-EFGH\n")
    with contextlib.suppress(OSError):
        boot.boot(places, run=tmp_path / "run", lamps=())
    assert precious.stat().st_uid == 0


@pytest.mark.parametrize("text", [
    'network: {wifi: {ssid: "a\\n  psk=x", password: "12345678"}}',
    'network: {address: "fe80::1%e\\nDNS=1/64"}',
    'network: {address: 192.168.1.2/24, gateway: "fe80::1%e"}',
])  # fmt: skip
def test_no_field_brings_a_second_line_into_a_file_of_the_machine(text: str) -> None:
    assert mistakes(text)
