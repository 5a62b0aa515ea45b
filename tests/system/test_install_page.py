"""The page of an installation in a real Chromium, on a phone's screen: one thumb, and what goes wrong."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.flats import IEEE, Flat, flat, needs_chromium
from tests.system.pages import Served, card, in_order, join, phone, tab, tap
from tests.system.soak_home import until
from tests.system.test_install_terminal import CODE, KEY

pytest.importorskip("bellows", reason="the extra zigbee is not installed")
pytest.importorskip("fpdf", reason="the extra install is not installed")
pytestmark = [needs_mosquitto, needs_chromium]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Flat]:
    with flat(tmp_path) as found:
        yield found
        print(found.tells())


def test_a_flat_is_installed_with_a_thumb(here: Flat, browser: Any, tmp_path: Path) -> None:
    with Served(here) as server, phone(browser, server.address()) as page:
        tap(page, "Open the network for 4 minutes")
        assert "#" not in page.url  # the code is not left in the address line
        found = join(page, here, "a_door", "door or window contact")
        here.sim.do("open a_door")
        found.get_by_text(re.compile(r"^open \d\d:")).wait_for()
        tap(page, "Name it", found)
        tap(page, "hall", found)
        assert in_order(page) == []
        tap(page, "Save", found)
        page.get_by_text("hall_door is added").wait_for()

        held = card(page, "hall_door")
        here.sim.do("move a_door 60")
        here.sim.do("close a_door")
        held.get_by_text("too weak").wait_for()
        here.sim.do("move a_door 230")
        here.sim.do("open a_door")
        held.get_by_text("good link").wait_for()
        assert in_order(page) == []
        tap(page, "It is mounted", held)
        tap(page, "Close the network")

        tap(page, "Open the network for 4 minutes")
        found = join(page, here, "a_button", "Third Reality")
        tap(page, "Name it", found)
        found.get_by_label("Name of the room").fill("bedroom")
        found.get_by_label("Name", exact=True).fill("help")
        tap(page, "Save", found)
        held = card(page, "help")
        tap(page, "It is mounted", held)
        tap(page, "More", held)
        held.get_by_role("button", name="help_button").tap()
        page.get_by_text("help_button now reads help.button").wait_for()

        tab(page, 1)
        tap(page, "Begin the walk test")
        page.get_by_text("0 of 2 tested").wait_for()
        assert page.locator("section.missing").count() == 3  # two devices and the alert
        here.sim.do("close a_door")
        here.sim.do("open a_door")
        page.get_by_text("1 of 2 tested").wait_for()
        here.sim.do("press a_button")
        page.get_by_text("2 of 2 tested").wait_for()
        page.get_by_text("not acknowledged").wait_for()
        care = here.receivers["care"]
        (told,) = care.until(lambda one: one.alerts("notified"), "the test alert")
        assert told["data"]["test"] is True
        here.acknowledge()
        page.get_by_text("✓ Karin, larmcentralen").wait_for()
        assert page.locator("section.missing").count() == 0
        assert in_order(page) == []

        tab(page, 2)
        page.get_by_text("Everything is tested and acknowledged.").wait_for()
        page.get_by_label("Your name").fill("Nisse Öberg")
        tap(page, "End and write the report")
        page.get_by_role("link", name="Show the report (PDF)").wait_for()
        assert in_order(page) == []
        pdf = page.request.get(page.url + "report.pdf")
        assert pdf.body().startswith(b"%PDF")
        until(lambda: here.node.status()["mode"] == "home", what="service mode is over")
    (folder,) = (here.data / "reports").iterdir()
    assert json.loads((folder / "report.json").read_text())["accepted"] is True


def test_by_an_install_code_one_device_joins_and_its_room_is_put_right(here: Flat, browser: Any) -> None:
    with Served(here) as server, phone(browser, server.address()) as page:
        tap(page, "The device has an install code")
        assert in_order(page) == []
        page.get_by_label("The code, or the text of its square").fill("93" + CODE[2:])
        page.get_by_label("Address (IEEE)").fill(IEEE["a_door"])
        tap(page, "Open the network for it alone")
        page.get_by_text("The install code was not taken.").wait_for()
        page.get_by_label("The code, or the text of its square").fill(CODE)
        tap(page, "Open the network for it alone")
        page.get_by_text("open for the device with that code").wait_for()
        assert not here.sim.ask("join a_second_door")["ok"]
        found = join(page, here, f"a_door key {KEY}", "PARASOLL")
        tap(page, "Name it", found)
        tap(page, "kitchen", found)
        tap(page, "Save", found)
        held = card(page, "kitchen_door")
        tap(page, "It is mounted", held)
        tap(page, "More", held)
        tap(page, "Change the room", held)
        tap(page, "hall", held)
        assert in_order(page) == []
        tap(page, "Save", held)
        page.get_by_text("kitchen_door is now in hall").wait_for()
    assert "room: hall" in here.text()


def test_what_a_tired_installer_does_wrong_is_told_and_changes_nothing(here: Flat, browser: Any) -> None:
    with Served(here) as server, phone(browser, server.address()) as page:
        tap(page, "Open the network for 4 minutes")
        first = join(page, here, "a_door", "PARASOLL")
        tap(page, "Name it", first)
        tap(page, "hall", first)
        tap(page, "Save", first)
        page.get_by_text("hall_door is added").wait_for()
        tap(page, "It is mounted")
        before = here.text()

        second = join(page, here, "a_second_door", "PARASOLL")
        tap(page, "Name it", second)
        second.get_by_label("Name of the room").fill("Hal")
        tap(page, "Save", second)
        page.get_by_text("Is Hal another room?").wait_for()
        tap(page, "No, back")
        second.get_by_label("Name of the room").fill("hall")
        second.get_by_label("Name", exact=True).fill("hall_door")
        tap(page, "Save", second)
        page.get_by_text("There is a hall_door already, in hall.").wait_for()
        second.get_by_label("Name", exact=True).fill("Ytterdörr!")
        tap(page, "Save", second)
        page.get_by_text("1 to 64 of a-z, 0-9, _ and -").wait_for()
        assert here.text() == before
        assert second.get_by_label("Name", exact=True).input_value() == "Ytterdörr!"  # nothing typed is lost

        here.sim.do("stick unplug")
        page.get_by_text("The radio is gone:").wait_for()
        here.sim.do("stick plug")
        page.get_by_text("The radio is gone:").wait_for(state="detached")
        here.node.kill()
        page.get_by_text("The node does not answer:").wait_for()
        here.restart()
        page.get_by_text("The node does not answer:").wait_for(state="detached")
        second.get_by_label("Name", exact=True).fill("")
        tap(page, "Save", second)
        page.get_by_text("hall_door_2 is added").wait_for()


def test_two_phones_see_the_same_and_a_closed_browser_loses_nothing(here: Flat, browser: Any) -> None:
    with Served(here) as server:
        one_address = server.address()
        with phone(browser, one_address) as one:
            with phone(browser, server.address()) as other:
                tap(one, "Open the network for 4 minutes")
                other.get_by_role("button", name="Close the network").wait_for()
                ours = join(one, here, "a_door", "PARASOLL")
                theirs = card(other, "PARASOLL")
                tap(one, "Name it", ours)
                tap(other, "Name it", theirs)
                tap(one, "hall", ours)
                tap(other, "hall", theirs)
                tap(one, "Save", ours)
                one.get_by_text("hall_door is added").wait_for()
                other.locator("section.card", has_text="hall_door").wait_for()
                assert other.get_by_role("button", name="Save").count() == 0  # it is no longer new there
            with phone(browser, one_address) as late:  # the first code, once more
                late.get_by_text("Wrong code, or used already").wait_for()
                assert late.locator("nav button").count() == 0
        with phone(browser, server.address()) as again:
            again.locator("section.card", has_text="hall_door").wait_for()


def test_only_who_has_a_code_gets_in_and_only_by_this_address(here: Flat) -> None:
    with Served(here) as server:
        address = server.address()
        match = re.fullmatch(r"http://(127\.0\.0\.1):(\d+)/#([2-9A-Z]{8})", address)
        assert match is not None
        host, port, code = match[1], int(match[2]), match[3]

        def ask(method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
            link = http.client.HTTPConnection(host, port, timeout=20)
            own = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}"}
            named = {name.replace("_", "-"): text for name, text in headers.items()}
            link.request(method, path, json.dumps(body) if body is not None else None, {**own, **named})
            answer = link.getresponse()
            return answer.status, answer

        assert ask("GET", "/")[0] == 200
        assert "default-src 'none'" in ask("GET", "/")[1].headers["Content-Security-Policy"]
        assert ask("GET", "/", Host="evil.example")[0] == 421  # a name that was made to lead here
        assert ask("GET", "/events")[0] == 401
        assert ask("POST", "/do", {"do": "open"})[0] == 401
        assert ask("GET", "/report.pdf")[0] == 401
        assert ask("GET", "/../home.yaml")[0] in (401, 404)
        assert ask("POST", "/enter", {"code": code}, Origin="http://evil.example")[0] == 403
        assert ask("POST", "/enter", [])[0] == 400
        for _ in range(10):
            assert ask("POST", "/enter", {"code": "22222222"})[0] == 403
        server.until("Open on the phone")  # so many wrong ones use the code up
        assert ask("POST", "/enter", {"code": code})[0] == 403
        assert ask("POST", "/enter", {"code": "x" * 70_000})[0] == 413
        latest = re.findall(r"/#([2-9A-Z]{8})", server.said)[-1]
        status, answer = ask("POST", "/enter", {"code": f"{latest[:4]}-{latest[4:]}".lower()})
        assert status == 200
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly; SameSite=Strict" in cookie
        assert ask("POST", "/do", {"do": "nothing"}, Cookie=cookie.split(";")[0])[0] == 409
        assert ask("POST", "/do", [], Cookie=cookie.split(";")[0])[0] == 409


def test_the_page_ends_when_nobody_uses_it(here: Flat) -> None:
    with Served(here, "--idle", "2 s") as server:
        server.until("Nobody uses the page")
        assert server.process.wait(30) == 0


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("0.0.0.0", "every network"),
        ("[::]:8600", "every network"),
        ("kitchen", "is no address"),
        ("127.0.0.1:http", "is no port"),
        ("192.0.2.7", "can't be used"),
    ],
)
def test_an_address_that_can_not_be_meant_is_refused(here: Flat, listen: str, why: str) -> None:
    command = [sys.executable, "-m", "homenode.cli", "install", "--web", "--listen", listen]
    answer = subprocess.run(
        [*command, "--data", str(here.data)], capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 1
    assert why in answer.stderr
