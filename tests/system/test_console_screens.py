"""A phone, a desk and a wall with no, one and many open alerts: what matters is in sight.

``SCREENSHOTS=folder`` keeps what was seen, of 300.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.receivers import Homes

pytest.importorskip("jinja2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import HASH, PEOPLE, Client, Console, person  # noqa: E402 - it needs the extra
from tests.system.test_console_pages import violations, wide  # noqa: E402 - likewise

pytestmark = [needs_mosquitto, needs_chromium]
WALL = f'  wall: {{name: The hall, password: "{HASH}", roles: [night], screen: true}}\n'
SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
    "desk": {"viewport": {"width": 1366, "height": 768}},
    "wall": {"viewport": {"width": 1920, "height": 1080}},
    "wall-4k": {"viewport": {"width": 3840, "height": 2160}},
}
LONG = {
    "sv": "Spisen har varit på i 20 min utan att någon setts i köket",
    "en": "The stove has been on for 20 min and nobody was seen in the kitchen",
}
FALL = {"sv": "Någon har fallit", "en": "Somebody has fallen"}


def in_sight(page: Any, row: Any) -> bool:
    """The whole of it, without anybody scrolling."""
    box = row.bounding_box()
    return box is not None and bool(box["y"] + box["height"] <= page.viewport_size["height"])


def test_what_matters_is_in_sight_on_every_screen(tmp_path: Path, browser: Any) -> None:
    shots = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None
    many = 300 if shots else 50
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Homes(broker.port) as homes,
        Console(tmp_path, broker.port, people=PEOPLE + WALL) as console,
    ):
        eva = Client(console).sign_in("eva")

        def seen(number: int, *names: str) -> None:
            for name, screen in SCREENS.items():
                if name not in names and not shots:
                    continue
                who = "wall" if name.startswith("wall") else "eva"
                with person(browser, console, who, bypass_csp=True, **screen) as page:
                    if shots:
                        page.screenshot(path=shots / f"{number}-{name}.png")
                    assert wide(page) <= 0, (name, number)
                    assert violations(page) == [], (name, number)
                    check(page, name, number)

        def check(page: Any, name: str, number: int) -> None:
            if number == 0:
                assert in_sight(page, page.get_by_text("Nothing to do.")), name
                return
            assert in_sight(page, page.locator("#rows tr").first), (name, number)
            if number == 1:
                return
            calm = page.locator("#rows tr", has_text="calm-1")
            more = page.get_by_text("more of this home")
            if name == "phone":
                assert page.locator("#rows tr").count() < 10
                return
            assert in_sight(page, calm), name
            assert in_sight(page, more), name
            if name.startswith("wall"):
                words = calm.locator(".said").evaluate(
                    "(cell) => parseFloat(getComputedStyle(cell).fontSize)"
                )
                assert words >= 0.022 * page.viewport_size["width"], "a capital is 1.5 % of the width"
                cut = "(rows) => rows.every((row) => row.getBoundingClientRect().bottom <= innerHeight)"
                assert page.locator("#rows tr:visible").evaluate_all(cut)

        seen(0, "wall")
        homes.alert("mad-1", name="stove", room="kitchen", text=LONG)
        homes.until_acknowledged()
        console.until(lambda: len(eva.worklist()) == 1, "one alert")
        seen(1, "phone")
        for nth in range(many - 2):
            homes.alert("mad-1", name=f"door {nth}")
        homes.alert("calm-1", name="fall", room="bathroom", text=FALL)
        homes.until_acknowledged()
        console.until(lambda: f"and {many - 6} more of this home" in eva.get("/").text, "all alerts", 60)
        seen(many, *SCREENS)


def test_a_screen_on_a_wall_stays_signed_in_and_does_nothing(tmp_path: Path) -> None:
    lines = "roster: false\nidle: 1 s\nsession: 1 min\n"
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Homes(broker.port) as homes,
        Console(tmp_path, broker.port, lines, people=PEOPLE + WALL) as console,
    ):
        homes.alert("north-1")
        homes.until_acknowledged()
        wall, eva = Client(console).sign_in("wall"), Client(console).sign_in("eva")
        console.until(lambda: wall.worklist(), "an alert")
        [key] = wall.worklist()
        for what in ("take", "acknowledge", "close"):
            answer = wall.post(f"/alert/{key}/{what}", {"note": "x"})
            assert (answer.status, "only shows" in answer.text) == (403, True)
        assert "The hall" not in wall.get(f"/alert/{key}").text.partition("</header>")[2]
        time.sleep(1.1)
        assert eva.get("/").to == "/sign-in", "who does nothing is signed out"
        assert wall.worklist() == [key]
        console.kill()
        console.start()
        assert wall.worklist() == [key]
        assert wall.post("/sign-out").status == 303
        assert wall.worklist() == []
