"""Every state of the page of an installation: light and dark, on a narrow phone, nothing that axe-core
objects to; and all of it with a keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.flats import Flat, flat, needs_chromium
from tests.system.npm import FOLDER, needs_npm
from tests.system.pages import Served, card, in_order, join, phone, tab, tap
from tests.system.soak_home import until

pytest.importorskip("bellows", reason="the extra zigbee is not installed")
pytest.importorskip("fpdf", reason="the extra install is not installed")
pytestmark = [needs_mosquitto, needs_chromium, needs_npm]

NARROW = {"viewport": {"width": 360, "height": 640}}
AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
FAULTS = """async () => (await axe.run(document)).violations.flatMap((one) =>
  one.nodes.map((node) => `${one.id} (${one.impact}): ${node.html}: ${node.failureSummary}`))"""
CALLED = """() => { const one = document.activeElement;
  return one.ariaLabel || one.labels?.[0]?.textContent || one.textContent.trim(); }"""
SHOWS_FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return one === document.body || one.id === "main" || parseFloat(style.outlineWidth) >= 2;
}"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Flat]:
    with flat(tmp_path) as found:
        yield found
        print(found.tells())


class Looked:
    """A phone that is looked at in each state; pictures of them stay in `folder`."""

    def __init__(self, page: Any, folder: Path) -> None:
        self._page, self._folder, self.seen = page, folder, 0

    def at(self, state: str) -> None:
        """Nobody is shut out here."""
        page = self._page
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(AXE.read_text(encoding="utf-8"))
        self.seen += 1
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=self._folder / f"{self.seen:02d}-{state}-{scheme}.png", full_page=True)
            assert page.evaluate(FAULTS) == [], f"{state}, {scheme}"
        assert in_order(page) == [], state


def test_no_state_of_the_page_shuts_anybody_out(here: Flat, browser: Any, tmp_path: Path) -> None:
    with Served(here) as server, phone(browser, server.address().partition("#")[0], **NARROW) as page:
        look = Looked(page, tmp_path)
        page.get_by_label("Code from the terminal").fill("22222222")
        look.at("code")
        tap(page, "Go on")
        page.get_by_text("Wrong code").wait_for()
        look.at("wrong code")
        page.get_by_label("Code from the terminal").fill(re.findall(r"/#(\w{8})", server.said)[-1])
        tap(page, "Go on")
        page.get_by_text("None yet.").first.wait_for()
        look.at("nothing yet")
        tab(page, 1)
        look.at("no test yet")
        tab(page, 2)
        look.at("no report yet")
        tab(page, 0)
        tap(page, "Open the network for 4 minutes")
        found = join(page, here, "a_door", "door or window contact")
        here.sim.do("open a_door")
        found.get_by_text(re.compile(r"^open \d\d:")).wait_for()
        look.at("somebody new")
        tap(page, "Name it", found)
        found.get_by_label("Name of the room").fill("hal")
        found.get_by_label("Name", exact=True).fill("Dörr!")
        tap(page, "Save", found)
        page.get_by_text("1 to 64 of a-z, 0-9, _ and -").wait_for()
        look.at("a name that can't be")
        tap(page, "hall", found)
        found.get_by_label("Name", exact=True).fill("")
        tap(page, "Save", found)
        held = card(page, "hall_door")
        held.get_by_role("button", name="It is mounted").wait_for()
        look.at("held")
        for link, words in ((60, "too weak"), (150, "will do"), (230, "good link")):
            here.sim.do(f"move a_door {link}")
            here.sim.do(f"{'close' if link == 150 else 'open'} a_door")
            held.get_by_text(words).wait_for()
            look.at(words)
        tap(page, "It is mounted", held)
        tap(page, "More", held)
        look.at("more")
        held.get_by_role("button", name=re.compile("^door_left_open")).tap()
        page.get_by_text("door_left_open now reads").wait_for()
        tap(page, "Replace by a new one", held)
        page.get_by_text("Put the new device, which shall be hall_door").or_(
            page.get_by_text("put the new device, which shall be hall_door")
        ).wait_for()
        new = join(page, here, "a_button", "Third Reality")
        tap(page, "It is the new hall_door", new)
        page.get_by_text("It lacks what rules read of hall_door").wait_for()
        look.at("sure")
        tap(page, "No, back")
        tap(page, "Close the network")

        _walked(page, here, look)

        here.sim.do("stick unplug")
        page.get_by_text("The radio is gone:").wait_for()
        good = here.text()
        here.home.write_text(good.replace("room: hall", "rom: hall"))
        page.get_by_text("home.yaml has mistakes now").wait_for()
        here.node.kill()
        page.get_by_text("The node does not answer:").wait_for()
        look.at("all that can be wrong")
        here.home.write_text(good)
        tap(page, "Svenska")
        page.get_by_text("Noden svarar inte:").wait_for()
        look.at("in Swedish")
        server.process.terminate()
        page.get_by_text("Ingen kontakt med sidan").wait_for()
        look.at("nobody there")
        assert look.seen >= 24


def _mounted(page: Any, held: Any) -> None:
    """It is mounted, and its card opened: when what was above the button is gone, or a finger misses it."""
    tap(page, "It is mounted", held)
    held.get_by_role("button", name="It is mounted").wait_for(state="detached")
    tap(page, "More", held)
    held.locator(".more").wait_for()


def _walked(page: Any, here: Flat, look: Looked) -> None:
    tap(page, "Open the network for 4 minutes")
    found = join(page, here, "a_lamp", "lamp")
    tap(page, "Name it", found)
    tap(page, "hall", found)
    tap(page, "Save", found)
    tap(page, "It is mounted", card(page, "hall_lamp"))
    here.sim.do("join a_water")
    found = card(page, "water leak sensor")
    found.get_by_role("button", name="Name it").and_(page.locator(":enabled")).wait_for()
    tap(page, "Name it", found)
    tap(page, "kitchen", found)
    tap(page, "Save", found)
    held = card(page, "kitchen_water")
    _mounted(page, held)
    held.get_by_role("button", name=re.compile("^water_leak")).tap()
    page.get_by_text("water_leak now reads").wait_for()
    tab(page, 1)
    tap(page, "Begin the walk test")
    page.get_by_text("0 of 3 tested").wait_for()
    look.at("untested")
    here.sim.do("trip a_water")
    page.get_by_text("1 of 3 tested").wait_for()
    page.get_by_text("not acknowledged").first.wait_for()
    look.at("half tested")
    here.receivers["care"].until(lambda one: one.alerts("notified"), "the test alert")
    here.receivers["property"].until(lambda one: one.alerts("notified"), "the test alert")
    here.acknowledge()
    page.get_by_text("✓ Karin, larmcentralen").first.wait_for()
    row = card(page, "hall_lamp")
    row.get_by_role("button", name="Comment, hall_lamp").tap()
    look.at("comment")
    row.get_by_label("Comment", exact=True).fill("behind the wardrobe")
    tap(page, "Save", row)
    page.get_by_text("Comment: behind the wardrobe").wait_for()
    tap(page, "It didn't", row)
    page.get_by_text("Did nothing when it was tried.").wait_for()
    look.at("did nothing")
    tab(page, 2)
    page.get_by_text("What is missing:").wait_for()
    look.at("report of what is missing")
    page.get_by_label("Your name").fill("Nisse Öberg")
    tap(page, "End and write the report")
    page.get_by_text("water_leak is still open").wait_for()
    look.at("still open")
    tap(page, "No, back")
    here.sim.do("clear a_water")
    tap(page, "End and write the report")
    tap(page, "Yes, that is meant")
    page.get_by_role("link", name="Show the report (PDF)").wait_for()
    look.at("report")
    tab(page, 1)
    page.get_by_text("is paused").wait_for()
    look.at("paused")
    tab(page, 0)


class Keyboard:
    """No hand at mouse or screen."""

    def __init__(self, page: Any) -> None:
        self._page = page

    def reach(self, *names: str) -> None:
        """Tab until one of these has the focus, which must be seen all the way."""
        page = self._page
        for _ in range(80):
            page.keyboard.press("Tab")
            assert page.evaluate(SHOWS_FOCUS), page.evaluate("document.activeElement.outerHTML")
            if page.evaluate(CALLED) in names:
                return
        raise AssertionError(f"no way to {names}")

    def press(self, name: str) -> None:
        """A button."""
        self.reach(name)
        self._page.keyboard.press("Enter")

    def fill(self, label: str, text: str) -> None:
        """A field, and Enter."""
        self.reach(label)
        self._page.keyboard.type(text)


def test_all_of_it_goes_with_a_keyboard(here: Flat, browser: Any) -> None:
    with Served(here) as server, phone(browser, server.address().partition("#")[0]) as page:
        keys = Keyboard(page)
        page.get_by_label("Code from the terminal").wait_for()
        keys.fill("Code from the terminal", re.findall(r"/#(\w{8})", server.said)[-1])
        page.keyboard.press("Enter")
        page.get_by_text("None yet.").first.wait_for()
        keys.press("Open the network for 4 minutes")
        page.get_by_role("button", name="Close the network").wait_for()
        join(page, here, "a_door", "PARASOLL")
        keys.press("Name it")
        keys.press("hall")
        keys.press("Save")
        page.get_by_text("hall_door is added").wait_for()
        keys.press("It is mounted")
        keys.press("More")
        keys.reach("Try the link", "Replace by a new one")
        keys.press("Test")
        keys.press("Begin the walk test")
        page.get_by_text("0 of 1 tested").wait_for()
        keys.press("Comment, hall_door")
        keys.fill("Comment", "low")
        page.keyboard.press("Enter")
        page.get_by_text("Comment: low").wait_for()
        keys.press("Report")
        keys.fill("Your name", "Nisse")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Show the report (PDF)").wait_for()
        keys.reach("Show the report (PDF)")
    until(lambda: here.node.status()["mode"] == "home", what="service mode is over")
