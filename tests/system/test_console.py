"""The caregivers' console in a real Chromium, on a real broker: from an alert in a home to its end."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from homenode.gateway.clock import Clock
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.nodes import NodeProcess, Receiver
from tests.system.receivers import Homes
from tests.system.test_node import a_home

pytest.importorskip("jinja2", reason="the extra console is not installed")
pytest.importorskip("argon2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import PEOPLE, Client, Console, person  # noqa: E402 - it needs the extra

pytestmark = [needs_mosquitto, needs_chromium]
CLOCK = Clock()


def row(page: Any, text: str) -> Any:
    return page.locator("#rows tr", has_text=text)


def press(page: Any, name: str, within: Any = None) -> None:
    (within or page).get_by_role("button", name=name).first.click()


def test_an_alert_of_a_real_home_is_seen_taken_and_acknowledged_there(
    tmp_path: Path, broker: Mosquitto, browser: Any
) -> None:
    home = a_home(tmp_path / "home", broker.port, [(0, False), (1, True)])
    with (
        Receiver(broker.port, "hn1/+/care/#") as care,
        Console(tmp_path, broker.port) as console,
        person(browser, console, "eva") as page,
    ):
        page.get_by_text("Nothing to do.").wait_for()
        with NodeProcess(home, tmp_path / "node"):
            care.until(lambda r: r.alerts("notified"), "the alert")
            at = CLOCK.now()
            row(page, "test-1").wait_for()
            assert CLOCK.now() - at < 1000
            row(page, "The door was open for").get_by_role("link", name="test-1").click()
            press(page, "Take")
            page.get_by_text("Eva Lind has it").wait_for()
            assert not care.alerts("acknowledged")  # taking tells nobody but colleagues
            press(page, "Acknowledge")
            [told] = care.until(lambda r: r.alerts("acknowledged"), "the acknowledgement")
            assert told["data"]["by"] == "Eva Lind"
            page.get_by_text("acknowledged in the home by Eva Lind").wait_for()
            page.get_by_label("What was done?").fill("Rang; dörren stod öppen för katten.")
            press(page, "Close")
            page.get_by_text("Nothing to do.").wait_for()
            page.go_back()
            page.reload()
            page.get_by_text("the alert is still open in the home").wait_for()
            assert "dörren stod öppen för katten" in page.locator(".history").inner_text()


def test_what_colleagues_do_shows_at_once_and_outlives_a_kill(
    tmp_path: Path, broker: Mosquitto, browser: Any
) -> None:
    with (
        Console(tmp_path, broker.port) as console,
        Homes(broker.port) as homes,
        person(browser, console, "eva") as eva,
        person(browser, console, "nils") as nils,
    ):
        homes.alert("north-1")
        homes.alert("south-1")
        row(eva, "south-1").wait_for()
        press(eva, "Take", row(eva, "north-1"))
        row(nils, "Eva Lind has it").wait_for()
        assert row(nils, "south-1").count() == 0  # not his home
        homes.until_acknowledged()
        console.kill()
        lost = nils.get_by_text("This page has lost the console")
        lost.wait_for()
        console.start()
        lost.wait_for(state="detached")  # by itself, and he is signed in still
        row(nils, "Eva Lind has it").wait_for()
        homes.alert("north-1", "resolved")
        row(nils, "over in the home").wait_for()  # an alarm that nobody acknowledged stays


def test_a_relative_sees_what_a_real_home_shares_and_that_another_shares_nothing(
    tmp_path: Path, broker: Mosquitto, browser: Any
) -> None:
    shut = a_home(tmp_path / "shut", broker.port, [(0, False)])
    wide = a_home(tmp_path / "wide", broker.port, [(0, True)])
    people = PEOPLE.replace("homes: [north-1]}", "homes: [north-1, test-1]}")
    with (
        Homes(broker.port) as homes,
        Console(tmp_path, broker.port, people=people) as console,
        person(browser, console, "dora") as page,
    ):
        homes.looks("north-1", "silhouette")
        homes.link("north-1", True)
        page.get_by_text("The home does not share").wait_for()
        seen = page.locator(".picture", has_text="test-1")
        seen.get_by_text("We don't know right now").wait_for()
        with NodeProcess(shut, tmp_path / "node"):
            seen.get_by_text("What the home shares is off and shut").wait_for()
            assert seen.locator("li").inner_text() == "Front door (front_door): shut"
        seen.get_by_text("We don't know right now").wait_for()
        assert seen.get_by_text("shut").count() == 0
        with NodeProcess(wide, tmp_path / "node"):
            seen.get_by_text("Not everything is off and shut").wait_for()
            assert seen.locator("li").inner_text() == "Front door (front_door): open"


def test_kill_9_at_any_moment_loses_no_alert_and_nothing_that_was_done(
    tmp_path: Path, broker: Mosquitto
) -> None:
    chance = random.Random(7)
    with Console(tmp_path, broker.port) as console, Homes(broker.port) as homes:
        taken: list[str] = []
        for _ in range(3):
            for nth in range(60):
                homes.alert(f"h{chance.randrange(10)}", name=f"alert {len(homes.sent)}")
                time.sleep(chance.random() / 200)
                if nth == 40:
                    eva = Client(console).sign_in("eva")
                    key = next(key for key in eva.worklist() if key not in taken)
                    assert eva.post(f"/alert/{key}/take").status == 303
                    taken.append(key)
            console.kill()
            for _ in range(20):
                homes.alert(f"h{chance.randrange(10)}", name=f"alert {len(homes.sent)}")
            console.start()
        homes.until_acknowledged()
        eva = Client(console).sign_in("eva")

        def found() -> list[str]:
            return [key for nth in range(10) for key in eva.worklist(f"h{nth}")]

        console.until(lambda: len(found()) >= len(homes.sent), "all of them")
        assert len(found()) == len(set(found())) == len(homes.sent)
        for key in taken:
            assert eva.get(f"/alert/{key}").text.count("took it") == 1
