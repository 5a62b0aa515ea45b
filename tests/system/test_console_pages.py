"""Every page of the console: by keyboard, for screen readers (axe-core), in both languages, on each screen.

``SCREENSHOTS=folder`` keeps what was seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.npm import FOLDER, needs_npm
from tests.system.receivers import AT, Homes

pytest.importorskip("jinja2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import Client, Console, person  # noqa: E402 - it needs the extra

pytestmark = [needs_mosquitto, needs_chromium]
PAGES = {
    "worklist": "/", "homes": "/homes", "home": "/home/north-1", "duty": "/duty", "rounds": "/rounds",
    "views": "/views", "log": "/log", "video": "/video?home=north-1&camera=bedroom", "refused": "/nothing",
}  # fmt: skip
SCREENS = {
    "phone": {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True},
    "desk": {"viewport": {"width": 1366, "height": 768}},
    "wall": {"viewport": {"width": 2560, "height": 1440}},
}
EVIDENCE = [
    {"point": "stove.power", "value": 1420, "unit": "W", "quality": "good", "at": AT,
     "since": "2026-01-05T05:52:03.250+01:00"},
    {"point": "kitchen_eye.motion", "value": False, "unit": None, "quality": "good",
     "at": "2026-01-05T05:58:40.000+01:00", "since": "2026-01-05T05:58:40.000+01:00"},
    {"point": "bed.occupancy", "value": None, "unit": None, "quality": "stale"},
]  # fmt: skip
MORE = {
    "raised": "2026-01-05T06:09:03.250+01:00",
    "thresholds": {"alone": "20 min"},
    "why": {"sv": "Spisen (kök) drar 1420 W.", "en": "The stove (kitchen) draws 1420 W."},
    "text": {
        "sv": "Spisen har varit på i 20 min utan att någon setts i köket",
        "en": "The stove has been on for 20 min and nobody was seen in the kitchen",
    },
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A busy evening."""
    folder = tmp_path_factory.mktemp("console")
    lines = """\
rounds:
  - home: north-1
    camera: bedroom
    at: ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]
"""
    with (
        Mosquitto(folder / "broker") as broker,
        Homes(broker.port) as homes,
        Console(folder, broker.port, lines, listen="silent_after: 10 s\n") as running,
    ):
        homes.alert("north-1", room="kök", evidence=EVIDENCE, name="stove", **MORE)
        homes.alert("north-2", severity="warning", name="water", room="badrum")
        homes.alert("south-1", name="one", test=True)
        homes.alert("south-2", severity="info", name="two")
        for home in ("north-1", "north-2", "south-1"):
            homes.link(home, home != "south-1")
        homes.looks("north-1", "silhouette", "clear")
        homes.until_acknowledged()
        eva = Client(running).sign_in("eva")
        running.until(lambda: len(eva.worklist()) >= 5, "alerts, and that nobody is on duty")
        eva.post(
            "/duty", {"party": "care", "who": "nils", "begin": "2026-01-05T08:00", "end": "2026-01-05T16:00"}
        )
        yield running


def violations(page: Any) -> list[str]:
    """What axe-core finds, at its strictest that WCAG asks for."""
    page.evaluate((FOLDER / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate(
        """async () => {
          const runOnly = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
          const { violations } = await axe.run(document, { runOnly });
          return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html}`));
        }"""
    )
    return [str(one) for one in found]


def wide(page: Any) -> int:
    """Pixels that a page, with its style, is wider than its screen."""
    page.wait_for_load_state()
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@needs_npm
@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_is_in_the_way_of_anybody(console: Console, browser: Any, screen: str, language: str) -> None:
    shots = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None
    how = SCREENS[screen] | {"locale": f"{language}-SE", "bypass_csp": True}
    with person(browser, console, "eva", **how) as page:
        key = Client(console).sign_in("eva").worklist()[1]
        for name, path in {**PAGES, "alert": f"/alert/{key}"}.items():
            page.goto(console.url + path)
            assert page.locator("html").get_attribute("lang") == language
            assert violations(page) == [], (name, screen)
            assert wide(page) <= 0, (name, screen)
            if shots:
                page.screenshot(path=shots / f"{name}-{screen}-{language}.png", full_page=screen == "phone")
    context = browser.new_context(**how)
    page = context.new_page()
    page.goto(console.url)
    assert violations(page) == []
    context.close()
    with person(browser, console, "dora", **how) as page:
        assert violations(page) == []
        if shots:
            page.screenshot(path=shots / f"relative-{screen}-{language}.png")


@needs_npm
def test_dark_screens_have_enough_contrast(console: Console, browser: Any) -> None:
    with person(browser, console, "eva", color_scheme="dark", bypass_csp=True) as page:
        key = Client(console).sign_in("eva").worklist()[1]
        for path in (*PAGES.values(), f"/alert/{key}"):
            page.goto(console.url + path)
            assert violations(page) == [], path


def test_an_alert_is_taken_and_closed_by_keyboard_alone(console: Console, browser: Any) -> None:
    with person(browser, console, "eva") as page:

        def tab_to(text: str) -> None:
            for _ in range(80):
                page.keyboard.press("Tab")
                found = page.evaluate(
                    "(document.activeElement.ariaLabel ?? document.activeElement.textContent).trim()"
                )
                if found.startswith(text) and page.evaluate(
                    "document.activeElement.matches(':focus-visible')"
                ):
                    return
            raise AssertionError(f"Tab never reaches {text}")

        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # past the menu
        tab_to("kök: The stove has been on")
        page.keyboard.press("Enter")
        page.wait_for_url("**/alert/*")
        tab_to("I take it")
        page.keyboard.press("Enter")
        page.get_by_text("Eva Lind has it").wait_for()
        page.locator("#note").focus()
        page.keyboard.type("Stove is off.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Worklist").wait_for()
        assert page.get_by_text("The stove has been on").count() == 0


def test_a_row_that_changes_keeps_the_focus_of_who_is_in_it(console: Console, browser: Any) -> None:
    with person(browser, console, "eva") as page:
        row = page.locator("#rows tr", has_text="badrum")
        row.get_by_role("link", name="north-2").focus()
        nils = Client(console).sign_in("nils")
        nils.post(f"/alert/{row.get_attribute('id').removeprefix('c-')}/take")
        row.get_by_text("Nils Norr has it").wait_for()
        assert page.evaluate("document.activeElement.textContent.trim()") == "north-2"


def test_a_filter_holds_while_rows_come(console: Console, browser: Any) -> None:
    with person(browser, console, "eva") as page:
        page.get_by_label("Search").fill("badrum")
        page.get_by_text("1 of ").wait_for()
        page.get_by_label("Show").select_option("mine")
        page.get_by_text("0 of ").wait_for()
        nils = Client(console).sign_in("nils")
        key = page.locator("#rows tr", has_text="badrum").get_attribute("id").removeprefix("c-")
        nils.post(f"/alert/{key}/note", {"note": "x"})
        Client(console).sign_in("eva").post(f"/alert/{key}/take")
        page.get_by_text("1 of ").wait_for()
