"""From water on the simulated apartment's floor to a closed alert, at a caregiver's and a landlord's desk.

``SCREENSHOTS=folder`` keeps what was seen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.flats import CHROMIUM, IEEE, flat, needs_chromium

pytest.importorskip("bellows", reason="the extra zigbee is not installed")
pytest.importorskip("jinja2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import Console, person  # noqa: E402 - it needs the extra

pytestmark = [needs_mosquitto, needs_chromium]
SENSOR = f"""\
devices:
  sink: {{via: zigbee, ieee: "{IEEE["a_water"]}", room: kitchen}}
rules:
  - {{use: water_leak, bind: {{water: [sink.water]}}}}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


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
