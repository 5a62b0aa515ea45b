"""What a tired resident does at the panel, and that each press is answered honestly."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.system.brokers import needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.panel.eyes import shot
from tests.system.panels import Flat, Panel, ask_to_look, care, tablet

pytestmark = [needs_mosquitto, needs_chromium]


def alert(page: Any, text: str) -> Any:
    return page.locator(".alert", has_text=text)


def test_one_big_button_answers_a_reminder_and_delays_an_alarm(
    home: Flat, panel: Panel, browser: Any
) -> None:
    with tablet(browser, panel) as page:
        home.sim.do("open balcony_door")
        home.sim.do("open stove")
        alert(page, "Spisen är på.").wait_for()
        alert(page, "Balkongdörren").wait_for()
        page.get_by_role("button", name="Jag mår bra").tap()
        alert(page, "Spisen är på.").get_by_text("Fortsätter det får hemtjänsten veta.").wait_for()
        alert(page, "Balkongdörren").get_by_text("Du har svarat.").wait_for()
        assert page.get_by_role("button", name="Jag mår bra").count() == 0
        shot(page, "answered")
    answered = {one["rule"]: one["acknowledged"] for one in home.ask("status")["alerts"]}
    assert answered == {"balcony": True, "stove_on": False}


def test_smoke_is_never_answered_here(home: Flat, panel: Panel, browser: Any) -> None:
    with tablet(browser, panel) as page, care(home) as heard:
        home.sim.do("trip smoke")
        alert(page, "Brandvarnaren låter. Gå ut.").wait_for()
        alert(page, "Brandvarnaren").get_by_text("Hemtjänsten har fått veta.").wait_for()
        assert page.get_by_role("button", name="Jag mår bra").count() == 0
        status, _, _ = panel.ask("POST", "/do", {"do": "ok", "seen": ""}, Cookie=panel.paired())
        assert status == 409
        assert page.locator(".head.off").count() == 0
        shot(page, "smoke")
        [told] = heard.until(lambda seen: seen.alerts("notified"), "the alarm")
        assert heard.command("panel-1/care", "acknowledge", {"alert": told["data"]["alert"]})["ok"]
        alert(page, "Brandvarnaren").get_by_text("Någon tar hand om det.").wait_for()
        home.sim.do("clear smoke")
        alert(page, "Brandvarnaren").wait_for(state="detached")


def test_an_answer_is_only_to_what_was_shown(home: Flat, panel: Panel) -> None:
    cookie = panel.paired()
    home.sim.do("open balcony_door")
    home.status(lambda known: known["alerts"])
    status, found, _ = panel.ask("POST", "/do", {"do": "ok", "seen": "0" * 16}, Cookie=cookie)
    assert (status, found) == (409, {"error": "Något nytt har hänt: läs en gång till."})
    assert not any(one["acknowledged"] for one in home.ask("status")["alerts"])


# --- never "sent" when it isn't known to be

OK = "Jag mår bra"
NOT_DONE = "Det gick inte: försök igen"
NOT_KNOWN = "Vet inte om det gick fram"


@contextmanager
def hanging(home: Flat) -> Iterator[None]:
    """The node stands still."""
    home.node.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        home.node.process.send_signal(signal.SIGCONT)


def reminded(home: Flat, page: Any) -> None:
    """The balcony's door stands open, and the page says so: of this time, not of the test before."""
    home.sim.do("open balcony_door")
    home.status(lambda known: known["alerts"])
    [one] = home.ask("status")["alerts"]
    page.locator(f".alert[data-key='{one['alert']}']", has_text="Balkongdörren").wait_for()
    page.get_by_role("button", name=OK).wait_for()


def test_an_answer_to_a_node_that_hangs_is_not_known_until_it_goes_on(
    home: Flat, panel: Panel, browser: Any
) -> None:
    with tablet(browser, panel) as page:
        reminded(home, page)
        with hanging(home):
            page.get_by_role("button", name=OK).tap()
            page.get_by_text(NOT_KNOWN).wait_for()
            assert page.get_by_text("Du har svarat.").count() == 0
        alert(page, "Balkongdörren").get_by_text("Du har svarat.").wait_for()
        assert [one["acknowledged"] for one in home.ask("status")["alerts"]] == [True]


def test_an_answer_to_a_node_that_is_gone_did_not_work(home: Flat, panel: Panel, browser: Any) -> None:
    with tablet(browser, panel) as page:
        reminded(home, page)
        home.node.kill()
        try:
            page.get_by_role("button", name=OK).tap()
            page.get_by_text(NOT_DONE).wait_for()
            assert page.get_by_text("Du har svarat.").count() == 0
        finally:
            home.start()
        page.get_by_role("button", name=OK).tap()
        alert(page, "Balkongdörren").get_by_text("Du har svarat.").wait_for()


def test_an_answer_to_a_server_that_dies_is_not_known(home: Flat, browser: Any) -> None:
    with Panel(home.data) as other, tablet(browser, other) as page:
        reminded(home, page)
        other.process.kill()
        page.get_by_role("button", name=OK).tap()
        page.get_by_text(NOT_KNOWN).wait_for()
        assert not any(one["acknowledged"] for one in home.ask("status")["alerts"])


def test_an_answer_to_what_was_just_over_says_that_something_changed(
    home: Flat, panel: Panel, browser: Any
) -> None:
    def meanwhile(route: Any) -> None:
        home.sim.do("close balcony_door")
        home.status(lambda known: not known["alerts"])
        route.continue_()

    with tablet(browser, panel) as page:
        reminded(home, page)
        page.route("**/do*", meanwhile)
        page.get_by_role("button", name=OK).tap()
        page.get_by_text("Något nytt har hänt: läs en gång till.").wait_for()
        alert(page, "Balkongdörren").wait_for(state="detached")


def test_a_hand_that_shakes_presses_once(home: Flat, panel: Panel, browser: Any) -> None:
    home.change(ask="ask: yes, answer_within: 60 s")
    with tablet(browser, panel) as page, care(home) as heard:
        page.clock.install()
        page.reload()
        reminded(home, page)
        ask_to_look(heard, "look-1")
        no = page.get_by_role("button", name="Nej")
        no.wait_for()
        box = no.bounding_box()
        page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 1)
        there = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.touchscreen.tap(*there)
        page.get_by_text("Får Eva Lind").wait_for(state="detached")
        under = page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).closest('button')?.innerText", there
        )
        assert under == OK  # it came under the finger
        page.touchscreen.tap(*there)
        page.clock.run_for(400)
        page.touchscreen.tap(*there)
        assert not any(one["acknowledged"] for one in home.ask("status")["alerts"])
        page.clock.run_for(200)
        page.touchscreen.tap(*there)
        alert(page, "Balkongdörren").get_by_text("Du har svarat.").wait_for()


def test_a_stop_of_a_camera_whose_node_hangs_is_not_known_until_it_goes_on(
    home: Flat, panel: Panel, browser: Any
) -> None:
    with tablet(browser, panel) as page, care(home) as heard:
        ask_to_look(heard, "look-2")
        page.get_by_role("button", name="Sluta titta").wait_for()
        with hanging(home):
            page.get_by_role("button", name="Sluta titta").tap()
            page.get_by_text(NOT_KNOWN).wait_for()
            assert page.get_by_text("Kameran är av").count() == 0
        page.get_by_text("Kameran är av").wait_for()
