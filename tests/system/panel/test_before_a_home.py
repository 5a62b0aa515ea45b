"""A box that nobody lives with yet: its panel says how far enrolment is, to whoever stands before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from homenode.enrol import state
from homenode.enrol.places import Places
from homenode.enrol.steps import Outcome, State, Why
from tests.system.flats import needs_chromium
from tests.system.npm import needs_npm
from tests.system.panel.eyes import wrong_with
from tests.system.panels import PATIENCE_MS, Panel

KEY, SERIAL = "3F2A-00FF-1122-3344", "10000000abcdef01"


def says(data: Path, outcome: Outcome) -> None:
    places = Places(data=data)
    places.folder.mkdir(exist_ok=True)
    state.write(places, outcome, 1_767_610_800_000, serial=SERIAL, fingerprint=KEY)


@needs_npm
@needs_chromium
def test_a_box_without_a_home_shows_what_to_read_out_at_the_telephone(tmp_path: Path, browser: Any) -> None:
    with Panel(tmp_path) as panel:
        context = browser.new_context(viewport={"width": 800, "height": 480}, bypass_csp=True)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(panel.url)
        page.get_by_text("Koppla panelen").wait_for()  # nothing is known of enrolment
        facts = {"serial": SERIAL, "key": KEY, "text": "Accepted: somebody has to approve it"}
        says(tmp_path, Outcome(State.APPROVAL, Why("approval", facts)))
        page.get_by_text("Ring kontoret").wait_for()
        assert page.locator("dd").all_text_contents() == [SERIAL, KEY]
        assert wrong_with(page) == []
        page.get_by_role("button", name="English").click()
        page.get_by_text("Call the office and read out").wait_for()
        says(tmp_path, Outcome(State.ENROLLED, Why("enrolled", {"home": "h"})))
        page.get_by_text("Pair this panel").wait_for()
        context.close()


def test_nothing_is_told_of_a_home_that_lives_and_of_damaged_news(tmp_path: Path) -> None:
    with Panel(tmp_path) as panel:
        assert panel.ask("GET", "/enrolment")[1] == {"enrolment": None}
        says(tmp_path, Outcome(State.FAILED, Why("code", {"text": "<b>x</b>"})))
        _, found, _ = panel.ask("GET", "/enrolment?language=en")
        assert found["enrolment"]["waits"] is False
        assert "<b>x</b>" in found["enrolment"]["do"]  # as text: the page makes no HTML of it
        for text in ("", "[]", "{", json.dumps({"state": "failed", "why": 7, "do": []})):
            (tmp_path / "enrol" / "state.json").write_text(text)
            status, found, _ = panel.ask("GET", "/enrolment")
            assert (status, (found["enrolment"] or {"text": ""})["text"]) == (200, "")
        says(tmp_path, Outcome(State.ENROLLED, Why("enrolled", {"home": "h"})))
        assert panel.ask("GET", "/enrolment")[1] == {"enrolment": None}
