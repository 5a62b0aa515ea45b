"""The office as a process: told anew while somebody talks to it, and begun again from its copy."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import shutil
import sqlite3
import ssl
from pathlib import Path

import pytest

from homenode.enrol.client import Office
from homenode.enrol.steps import State
from homenode.office import serve
from homenode.office.settings import read_settings
from homenode.office.store import Store
from tests.system.disks import fill, memory
from tests.system.node_inside import until as until_inside
from tests.system.offices import Box, OfficeProcess
from tests.system.soak_home import until
from tests.system.test_enrolment import enrolled


def test_told_anew_it_serves_at_once_and_hangs_up_on_who_talks_to_what_it_was(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office") as office:
        trusted = ssl.create_default_context(cafile=str(office.folder / "ca.pem"))
        talk = http.client.HTTPSConnection("localhost", office.port, context=trusted, timeout=20)
        talk.request("GET", "/.well-known/est/cacerts")
        assert talk.getresponse().read()
        office.reload()
        assert Office(office.url, office.ca).cacerts().status == 200
        talk.request("GET", "/homenode/v1/crl")
        answer = talk.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (503, "close")


def test_what_a_mac_put_beside_a_homes_rules_goes_to_no_box(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "office") as office:
        rules = office.folder / "homes" / "mac-1" / "rules"
        rules.mkdir(parents=True)
        (rules / "._own.yaml").write_bytes(b"\0\5\x16\7\xff")
        assert enrolled(office, tmp_path / "box", "mac-1", "10000000dddd0002").places.home.exists()


def test_an_office_from_its_copy_takes_boxes_that_called_since_and_then_no_copy_of_one(
    tmp_path: Path,
) -> None:
    copy = tmp_path / "copy"
    office = OfficeProcess(tmp_path / "office")
    with office:
        box = enrolled(office, tmp_path / "box", "kept-1", "10000000dddd0001")
    shutil.copytree(office.folder, copy)
    with office:
        for _ in range(2):
            assert box.once().done
    shutil.rmtree(office.folder)
    copy.rename(office.folder)
    with office:
        assert box.once().why.key == "twin"
        assert "may call again" in office.says("restored")
        shutil.copytree(tmp_path / "box", tmp_path / "twin")
        for _ in range(2):
            assert box.once().why.key == "enrolled"
        assert Box(tmp_path / "twin", box.serial).once().why.key == "twin"


def test_an_office_serves_what_it_can_on_a_full_disk_and_all_of_it_afterwards(tmp_path: Path) -> None:
    with memory(tmp_path / "office") as disk:
        office = OfficeProcess(disk)
        with office:
            office.describe("full-1")
            code = office.code("box", "add", "--home", "full-1")
            box = Box(tmp_path / "box", "10000000dddd0003").provisioned(office, code)
            other = fill(disk)
            office.reload()
            until(lambda: "see that it has room" in office.log.read_text())
            assert Office(office.url, office.ca).cacerts().status == 200
        with office:  # begun anew
            assert Office(office.url, office.ca).cacerts().status == 200
            assert box.once().state is not State.ENROLLED
            other.unlink()
            assert box.once().state is State.ENROLLED


def test_what_a_full_disk_did_not_take_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = OfficeProcess(tmp_path / "office").folder
    (folder / serve.LIST).unlink()
    next_list, left = Store.next_list, 2

    def full(self: Store) -> int:
        nonlocal left
        left -= 1
        if left >= 0:
            raise sqlite3.OperationalError("database or disk is full")
        return next_list(self)

    monkeypatch.setattr(Store, "next_list", full)
    monkeypatch.setattr(serve, "AGAIN_S", 0.05)

    async def scene() -> None:
        again = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(serve.office(folder, read_settings(folder), store, again, asyncio.Event()))
            await until_inside((folder / serve.LIST).exists, "the list")
            again.set()

    with contextlib.closing(Store(folder)) as store:
        asyncio.run(scene())
