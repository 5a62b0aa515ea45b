"""The office as a process: told anew while somebody talks to it."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

from homenode.enrol.client import Office
from tests.system.offices import OfficeProcess


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
