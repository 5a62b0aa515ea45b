"""The office as a process: told anew while somebody talks to it, and begun again from its copy."""

from __future__ import annotations

import http.client
import shutil
import ssl
from pathlib import Path

from homenode.enrol.client import Office
from tests.system.offices import Box, OfficeProcess
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
