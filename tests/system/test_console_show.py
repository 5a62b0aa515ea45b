"""From water on the simulated apartment's floor to a closed alert, at a caregiver's and a landlord's desk.

``SCREENSHOTS=folder`` keeps what was seen.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from homenode.contract import topics
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.flats import IEEE, flat, needs_chromium
from tests.system.receivers import AT, Homes

pytest.importorskip("bellows", reason="the extra zigbee is not installed")
pytest.importorskip("jinja2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import Client, Console, person  # noqa: E402 - it needs the extra
from tests.system.test_console_duty import local  # noqa: E402 - likewise
from tests.system.test_console_pages import EVIDENCE, MORE  # noqa: E402 - likewise

pytestmark = [needs_mosquitto, needs_chromium]
SENSOR = f"""\
devices:
  sink: {{via: zigbee, ieee: "{IEEE["a_water"]}", room: kitchen}}
rules:
  - {{use: water_leak, bind: {{water: [sink.water]}}}}
"""


def test_water_in_the_apartment_is_seen_to_at_two_desks(tmp_path: Path, browser: Any) -> None:
    shots = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None

    def shot(page: Any, name: str) -> None:
        if shots:
            page.screenshot(path=shots / f"show-{name}.png")

    with flat(tmp_path) as here:
        text = here.text()
        here.home.write_text(re.sub(r"^devices:.*$", SENSOR, text, flags=re.MULTILINE))
        here.restart()
        assert here.node.ask("pair", "--for", "2min").returncode == 0
        here.sim.do("join a_water")
        here.node.until("interviewed")
        port = re.search(r"mqtt://127\.0\.0\.1:(\d+)", text)
        assert port is not None
        desks = Console(tmp_path / "console", int(port[1]), parties=("care", "property"))
        with (
            desks as console,
            person(browser, console, "eva") as eva,
            person(browser, console, "lars") as lars,
        ):
            here.sim.do("trip a_water")
            row = eva.locator("#rows tr", has_text="kitchen: Water on the floor.")
            row.wait_for()
            shot(eva, "alarm")
            row.get_by_role("button", name="Acknowledge").click()
            row.get_by_text("acknowledged in the home by Eva Lind").wait_for()
            row.get_by_role("link", name="flat-1203").click()
            eva.get_by_text("sink.water: water: yes").first.wait_for()
            shot(eva, "case")
            other = lars.locator("#rows tr", has_text="Water on the floor.")
            other.get_by_text("nobody has it").wait_for()  # his own party has not answered
            other.get_by_text("open in the home").wait_for()
            eva.get_by_label("What was done?").fill("Turned the tap off and called the caretaker.")
            eva.get_by_role("button", name="Close").click()
            eva.get_by_text("Nothing to do.").wait_for()
            other.get_by_role("link", name="flat-1203").click()
            assert "Turned the tap off" not in lars.content()  # care's note is care's
            shot(lars, "landlord")


def test_an_evening_at_the_desk_on_a_phone_and_as_a_daughter_sees_it(tmp_path: Path, browser: Any) -> None:
    """The pictures of homenode/console/README.md."""
    shots = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None

    def shot(page: Any, name: str) -> None:
        if shots:
            page.screenshot(path=shots / f"{name}.png")

    desk = {"viewport": {"width": 1180, "height": 640}}
    phone = {"viewport": {"width": 390, "height": 700}, "is_mobile": True, "has_touch": True}
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Homes(broker.port) as homes,
        Console(tmp_path / "console", broker.port, "") as console,
    ):
        status = {"open": [], "mode": "home", "health": {"state": "good"}, "versions": {"homenode": "1"}}
        for home in ("north-1", "north-2", "south-1", "south-2"):
            homes.link(home, True)
            homes.send(topics.status(home, "care"), {"home": home, "at": AT, **status})
        homes.alert("north-1", room="kitchen", evidence=EVIDENCE, name="stove", **MORE)
        homes.alert(
            "north-2", severity="warning", name="water", room="bathroom", text={"en": "Water on the floor"}
        )
        homes.alert("south-1", name="door", text={"en": "The front door has been open for 15 min"})
        homes.until_acknowledged()
        eva = Client(console).sign_in("eva")
        console.until(lambda: len(eva.worklist()) == 4, "alerts, and that nobody is on duty")
        eva.post("/duty", {"party": "care", "who": "eva", "begin": local(-60), "end": local(420)})
        console.until(lambda: len(eva.worklist()) == 3, "that somebody is")
        nils = Client(console).sign_in("nils")
        [water] = re.findall(r'<a href="/alert/(\w+)">north-2</a>', nils.get("/").text)
        nils.post(f"/alert/{water}/take")
        quiet = {"permissions": ["notifications"], **desk}
        with (
            person(browser, console, "eva", **quiet) as page,
            person(browser, console, "eva", **phone) as small,
        ):
            for one in (page, small):
                one.get_by_role("heading", name="Worklist").click()  # the sound may be on
                one.get_by_text("Nils Norr has it").wait_for()
                one.get_by_text("On duty: Eva Lind").wait_for()
                one.get_by_text("The sound is off").wait_for(state="hidden")
            shot(page, "worklist")
            shot(small, "phone")
            page.get_by_role("link", name="north-1").click()
            page.get_by_role("heading", name="What it is based on").scroll_into_view_if_needed()
            page.get_by_text("stove.power: power 1420 W").wait_for()
            shot(page, "alert")
        with person(browser, console, "dora", viewport={"width": 700, "height": 320}) as page:
            page.get_by_text("Care has received an alert").wait_for()
            assert "has been on" not in page.content()
            assert "kitchen" not in page.content()
            shot(page, "relative")
