"""An office's authority over its years: power cuts between its files, a successor, lists for brokers."""

from __future__ import annotations

import itertools
import os
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from homenode.gateway.clock import Clock
from homenode.office import authority
from homenode.office.authority import Authority, finish, found, pem, roll
from homenode.office.desk import Desk
from homenode.office.settings import read_settings
from homenode.office.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


class Cut(BaseException):
    """Nothing catches it, as nothing catches a power cut."""


def cut(nth: int, work: Callable[[], object]) -> bool:
    """Whether the power went before the nth change of a name, before it was through."""
    steps = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("replace", "unlink"):
            call = getattr(os, name)

            def step(*args: Any, call: Callable[..., Any] = call, **more: Any) -> Any:
                if next(steps) == nth:
                    raise Cut
                return call(*args, **more)

            patch.setattr(os, name, step)
        try:
            work()
        except Cut:
            return True
    return False


def test_a_roll_over_that_is_cut_short_leaves_the_old_or_the_new_authority(tmp_path: Path) -> None:
    for nth in itertools.count():
        folder = tmp_path / str(nth)
        folder.mkdir()
        old = found(folder, "homes", NOW)
        was_cut = cut(nth, partial(roll, folder, NOW))
        now = Authority(folder)
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        now.issue(key, "1234", "h", NOW, YEAR).verify_directly_issued_by(now.certificate)
        assert old.certificate in now.roots()
        if now.certificate == old.certificate:
            now = roll(folder, NOW)  # it is begun anew
        assert now.former == [old.certificate]
        if not was_cut:
            break
    assert nth > 5


def test_the_roll_over_after_one_that_was_cut_short_loses_no_key(tmp_path: Path) -> None:
    old = found(tmp_path, "homes", NOW)
    write = authority.replace

    def last(path: Path, data: bytes, mode: int | None = None) -> None:
        if path.name == "ca.key" and Authority(tmp_path).certificate != old.certificate:
            raise Cut
        write(path, data, mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(authority, "replace", last)
        with pytest.raises(Cut):
            roll(tmp_path, NOW)
    finish(tmp_path)
    second = Authority(tmp_path)
    assert second.certificate != old.certificate
    for nth in itertools.count():
        was_cut = cut(nth, lambda: roll(tmp_path, NOW))
        if not was_cut or Authority(tmp_path).certificate != second.certificate:
            break
    assert nth > 3


def test_a_new_certificate_of_the_server_is_there_with_its_key_whenever_the_power_goes(
    tmp_path: Path,
) -> None:
    ours = found(tmp_path, "homes", NOW)
    ours.server(["localhost"], NOW)
    for nth in itertools.count():
        was_cut = cut(nth, partial(ours.server, [f"name-{nth}"], NOW))
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "server.pem")
        ours.server(["localhost"], NOW)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "server.pem")
        if not was_cut:
            break


def test_a_certificate_of_the_server_that_a_clock_ahead_made_gives_way_when_that_is_right(
    tmp_path: Path,
) -> None:
    ours, path = found(tmp_path, "homes", NOW), tmp_path / "server.pem"
    ours.server(["localhost"], NOW + timedelta(days=2))
    ahead = path.read_bytes()
    ours.server(["localhost"], NOW)
    made = path.read_bytes()
    assert made != ahead
    ours.server(["localhost"], NOW + timedelta(days=2))
    assert path.read_bytes() == made


class Said(Clock):
    """It shows what it is told."""

    at = NOW

    def wall(self) -> int:
        return int(self.at.timestamp() * 1000)


def test_a_list_that_a_clock_ahead_made_gives_way_when_that_is_right(tmp_path: Path) -> None:
    """A broker takes nobody by a list that isn't in force yet."""
    (tmp_path / "office.yaml").write_text("names: [localhost]\n")
    clock, store = Said(), Store(tmp_path)
    desk = Desk(read_settings(tmp_path), store, found(tmp_path, "homes", NOW), clock)
    clock.at = NOW + timedelta(days=2)
    assert desk.revocations()[0].last_update_utc > NOW
    clock.at = NOW
    assert desk.revocations()[0].last_update_utc <= NOW
    store.close()


def test_a_broker_that_wants_lists_takes_boxes_of_both_authorities_and_none_that_was_revoked(
    tmp_path: Path,
) -> None:
    old = found(tmp_path, "homes", NOW)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    made = {"before": old.issue(key, "1234", "h", NOW, YEAR), "lost": old.issue(key, "5", "g", NOW, YEAR)}
    now = roll(tmp_path, NOW)
    made["after"] = now.issue(key, "1234", "h", NOW, YEAR)
    (tmp_path / "both.pem").write_bytes(pem(now.certificate) + pem(old.certificate))
    lists = now.revocations([(made["lost"].serial_number, NOW)], 7, NOW)
    (tmp_path / "crl.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in lists))
    accepted = {}
    for name, certificate in made.items():
        (tmp_path / f"{name}.pem").write_bytes(pem(certificate))
        command = ["openssl", "verify", "-crl_check_all", "-attime", str(int(NOW.timestamp())),
                   "-CAfile", "both.pem", "-CRLfile", "crl.pem", f"{name}.pem"]  # fmt: skip
        accepted[name] = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode
    assert accepted == {"before": 0, "after": 0, "lost": 2}
