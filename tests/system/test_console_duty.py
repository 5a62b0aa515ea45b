"""What a console says loudly: nobody on duty, a home that fell silent, its own broker gone."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homenode.gateway.clock import Clock
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.receivers import Homes

pytest.importorskip("jinja2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import Client, Console, person  # noqa: E402 - it needs the extra

pytestmark = [needs_mosquitto, needs_chromium]


def a_pager(folder: Path) -> tuple[str, Path]:
    """Lines of listen.yaml with a pager that writes down why it was called; and where."""
    paged = folder / "paged"
    script = folder / "page.sh"
    script.write_text(f'cat > /dev/null\necho "$HOMENODE_HOME $HOMENODE_WHY" >> {paged}\n')
    lines = f"targets: {{pager: {{run: [sh, {script}]}}}}\nto: [pager]\n"
    lines += "escalate: [{after: 1 h, to: [pager]}]\n"
    return lines, paged


def local(minutes: int) -> str:
    """As a field `datetime-local` has it, so many minutes from now."""
    at = datetime.fromtimestamp(Clock().wall() / 1000 + 60 * minutes, ZoneInfo("Europe/Stockholm"))
    return at.strftime("%Y-%m-%dT%H:%M")


def test_that_nobody_is_on_duty_is_an_alarm_until_somebody_is(
    tmp_path: Path, broker: Mosquitto, browser: Any
) -> None:
    lines, paged = a_pager(tmp_path)
    with (
        Console(tmp_path, broker.port, "", listen=lines) as console,
        person(browser, console, "eva") as page,
    ):
        page.locator("#rows tr", has_text="nobody is on duty").wait_for()
        console.until(lambda: paged.exists() and paged.read_text() == "* nobody\n", "the pager")
        page.get_by_role("link", name="Duty").first.click()
        page.get_by_label("Who").select_option("nils")
        page.get_by_label("From").fill(local(-5))
        page.get_by_label("To", exact=True).fill(local(60))
        page.get_by_role("button", name="Enter").click()
        page.get_by_text("On duty: Nils Norr").wait_for()
        console.until(lambda: paged.read_text() == "* nobody\n* somebody\n", "the pager, again")
        page.goto(console.url)
        page.get_by_text("Nothing to do.").wait_for()
        console.kill()
        console.start()
        page.get_by_text("On duty: Nils Norr").wait_for()
        assert paged.read_text() == "* nobody\n* somebody\n"  # a restart tells nothing again


def test_a_shift_is_handed_over_with_what_is_in_hand(tmp_path: Path, broker: Mosquitto, browser: Any) -> None:
    with (
        Console(tmp_path, broker.port, "") as console,
        Homes(broker.port) as homes,
        person(browser, console, "eva") as page,
    ):
        eva = Client(console).sign_in("eva")
        eva.post("/duty", {"party": "care", "who": "eva", "begin": local(-5), "end": local(60)})
        homes.alert("north-1")
        row = page.locator("#rows tr", has_text="north-1")
        row.get_by_role("button", name="Take").click()
        row.get_by_text("Eva Lind has it").wait_for()
        page.get_by_role("link", name="Duty").first.click()
        page.get_by_label("Eva Lind: To").select_option("nils")
        page.get_by_label("To know").fill("Ring north-1 again at nine.")
        page.get_by_role("button", name="Hand over: Eva Lind").click()
        page.get_by_text("On duty: Nils Norr").wait_for()
        page.get_by_text("Ring north-1 again at nine.").wait_for()
        page.goto(console.url)
        page.locator("#rows tr", has_text="Nils Norr has it").wait_for()


def test_a_lost_broker_and_a_silent_home_are_said_on_every_page(
    tmp_path: Path, broker: Mosquitto, browser: Any
) -> None:
    with (
        Console(tmp_path, broker.port, listen="silent_after: 10 s\n") as console,
        Homes(broker.port) as homes,
        person(browser, console, "eva") as page,
    ):
        homes.link("north-1", True)
        page.goto(f"{console.url}/log")
        page.get_by_text("One home is silent").wait_for()
        page.goto(f"{console.url}/homes")
        row = page.locator("#rows tr", has_text="north-1")
        row.get_by_text("SILENT").wait_for()
        homes.link("north-1", True)
        page.get_by_text("One home is silent").wait_for(state="detached")
        row.get_by_text("SILENT").wait_for(state="detached")  # without a reload
        assert row.get_by_text("unknown").count() >= 2  # it has said nothing of itself
        homes.looks("north-1", "silhouette")
        row.get_by_text("good").wait_for()
        broker.kill()
        page.get_by_text("The console has no connection to the broker").wait_for()
        broker.start()
        page.get_by_text("The console has no connection to the broker").wait_for(state="detached")


def test_escalating_calls_the_next_stage_now(tmp_path: Path, broker: Mosquitto, browser: Any) -> None:
    lines, paged = a_pager(tmp_path)
    with (
        Console(tmp_path, broker.port, listen=lines) as console,
        Homes(broker.port) as homes,
        person(browser, console, "eva") as page,
    ):
        homes.alert("north-1")
        page.get_by_role("link", name="north-1").click()
        page.get_by_role("button", name="Escalate").click()
        page.get_by_text("escalated 1").wait_for()
        console.until(lambda: paged.read_text().endswith("north-1 escalated\n"), "the pager")
        page.get_by_role("button", name="Escalate").click()
        page.get_by_text("There is nobody more to call").wait_for()


def test_an_alarm_is_heard_and_notified(tmp_path: Path, broker: Mosquitto, browser: Any) -> None:
    """Chromium plays it to its end and shows it: what counts here is told by the browser, not by the page."""
    count = """
      window.tones = 0; window.notes = [];
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...at) {
        this.addEventListener("ended", () => { window.tones += 1; });
        return start.apply(this, at);
      };
      window.Notification = class extends Notification {
        constructor(text, more) {
          super(text, more);
          this.addEventListener("show", () => window.notes.push(this.title));
        }
      };
      Document.prototype.hasFocus = () => false;
    """
    with (
        Console(tmp_path, broker.port) as console,
        Homes(broker.port) as homes,
        person(browser, console, "eva", permissions=["notifications"]) as page,
    ):
        page.add_init_script(count)
        page.goto(console.url)
        assert page.get_by_role("button", name="Turn notifications on").is_hidden()
        page.get_by_role("heading", name="Worklist").click()  # a page may sound once somebody touched it
        homes.alert("north-1")
        page.locator("#rows tr", has_text="north-1").wait_for()
        console.until(lambda: page.evaluate("window.tones") >= 3, "a sound")
        console.until(lambda: page.evaluate("window.notes") == ["ALARM: north-1"], "a notification")
        page.get_by_role("button", name="Take").first.click()
        page.get_by_text("Eva Lind has it").wait_for()
        page.wait_for_timeout(5_000)
        assert page.evaluate("window.tones") == 0


def test_what_the_next_one_does_not_see_calls_for_somebody_again(tmp_path: Path, broker: Mosquitto) -> None:
    with Console(tmp_path, broker.port, "roster: false\n") as console, Homes(broker.port) as homes:
        eva = Client(console).sign_in("eva")
        eva.post("/duty", {"party": "care", "who": "eva", "begin": local(-5), "end": local(60)})
        for home in ("north-1", "south-1"):
            homes.alert(home)
        console.until(lambda: len(eva.worklist()) == 2, "both")
        for key in eva.worklist():
            eva.post(f"/alert/{key}/take")
        assert eva.get("/").text.count("Eva Lind has it") == 2
        [shift] = re.findall("/duty/([0-9a-f]+)/hand-over", eva.get("/duty").text)
        assert eva.post(f"/duty/{shift}/hand-over", {"who": "nils"}).status == 303
        text = eva.get("/").text
        assert text.count("Nils Norr has it") == 1
        assert "One alert waits for somebody" in text  # nils has nothing to do with the south
        assert eva.post(f"/duty/{shift}/hand-over", {"who": "nils"}).status == 404  # it is over
