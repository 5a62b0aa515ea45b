"""Every state of the panel on three screens, as weak eyes see it.

The pictures of the documents: ``SCREENSHOTS=homenode/panel python -m pytest tests/system/panel``.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.npm import needs_npm
from tests.system.panel.eyes import PICTURED, light_of, shot, wrong_with
from tests.system.panels import Flat, Panel, shows, tablet

pytestmark = [needs_mosquitto, needs_chromium]
NIGHT_LIGHT = 0.06
"""Mean share of white light that a dark screen may give: a tenth of it is a candle's."""


@needs_npm
@pytest.mark.parametrize(
    ("screen", "language"),
    [((1280, 800), "sv"), ((800, 480), "en"), ((800, 1280), "sv")],
    ids=["tablet", "display", "upright"],
)
def test_every_state_can_be_read_by_weak_eyes(
    home: Flat, panel: Panel, browser: Any, screen: tuple[int, int], language: str
) -> None:
    tells, pictured = language == "sv", screen == (1280, 800)  # the others differ in size only
    size, how = {"width": screen[0], "height": screen[1]}, PICTURED if pictured else {}

    def fine(page: Any, name: str, *, rolls: bool = False) -> None:
        assert wrong_with(page, axe=pictured, rolls=rolls) == []
        assert page.locator(":focus-visible").count() == 0  # a finger leaves no ring behind
        shot(page, name if pictured else f"{name}-{screen[0]}x{screen[1]}")

    with tablet(browser, panel, viewport=size, bypass_csp=True, **how) as page:
        if not tells:
            page.get_by_role("button", name="English").tap()
        shows(page, "off", "Allt är av och stängt" if tells else "All is off and shut")
        assert page.locator("html").get_attribute("lang") == language
        fine(page, "off")
        page.get_by_role("button", name="Vem har tittat?" if tells else "Who looked?").tap()
        page.get_by_role("button", name="Stäng" if tells else "Close").wait_for()
        fine(page, "log", rolls=True)
        page.get_by_role("button", name="Stäng" if tells else "Close").tap()
        home.sim.do("open stove")
        home.sim.do("open window")
        page.locator(".alerts .big").wait_for()
        fine(page, "alert")
        home.ask("mode", mode="night")
        page.locator("body.night").wait_for()
        fine(page, "night")
        home.sim.do("close stove")
        home.sim.do("close window")
        shows(page, "off", "")
        fine(page, "night-off")
        assert light_of(page) < NIGHT_LIGHT
        home.ask("mode", mode="visit")  # both buttons, and a sentence
        page.get_by_text("Du har besök" if tells else "You have a visitor").wait_for()
        fine(page, "visit")
