"""Nothing frozen is green: node, server, network or tablet stop, and the panel turns grey by itself."""

from __future__ import annotations

import signal
from typing import Any

from tests.system.brokers import needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.npm import needs_npm
from tests.system.panel.eyes import PICTURED, shot, wrong_with
from tests.system.panels import Flat, Panel, now_s, shows, tablet

pytestmark = [needs_mosquitto, needs_chromium]
OLDEST_S = 10.0


def grey_within(page: Any, since_s: float) -> None:
    """All is grey at the latest so long after the last good news."""
    page.locator("body.old").wait_for()
    assert now_s() - since_s < OLDEST_S + 3
    assert page.locator(".head.unknown").inner_text().startswith("Ingen kontakt")
    assert set(page.locator(".tile .word").all_text_contents()) == {"vet inte"}
    assert page.locator(".off, .on").count() == 0
    assert page.get_by_role("button", name="Jag går ut").count() == 0


@needs_npm
def test_a_node_or_a_server_that_hangs_is_shown_as_grey(home: Flat, panel: Panel, browser: Any) -> None:
    with (
        Panel(home.data) as other,
        tablet(browser, panel, bypass_csp=True, **PICTURED) as page,
        tablet(browser, other) as second,
    ):
        shows(page, "off", "Allt är av och stängt")
        shows(second, "off", "Allt är av och stängt")
        other.process.send_signal(signal.SIGSTOP)
        home.node.process.send_signal(signal.SIGSTOP)
        since = now_s()
        page.wait_for_timeout(2_000)
        assert page.locator(".head.off").count() == 1  # 2 s are no reason to frighten anybody
        grey_within(page, since)
        grey_within(second, since)
        assert wrong_with(page) == []
        shot(page, "no-contact")
        home.node.process.send_signal(signal.SIGCONT)
        other.process.send_signal(signal.SIGCONT)
        shows(page, "off", "Allt är av och stängt")
        shows(second, "off", "Allt är av och stängt")


def test_a_node_or_a_server_that_is_killed_is_shown_as_grey(home: Flat, panel: Panel, browser: Any) -> None:
    with Panel(home.data) as other, tablet(browser, panel) as page, tablet(browser, other) as second:
        shows(page, "off", "Allt är av och stängt")
        shows(second, "off", "Allt är av och stängt")
        other.process.kill()
        home.node.kill()
        since = now_s()
        home.sim.do("open window")
        grey_within(page, since)
        grey_within(second, since)
        home.start()
        shows(page, "on", "Fönstret: öppet")


def test_a_tablet_that_slept_or_lost_its_network_shows_grey(home: Flat, panel: Panel, browser: Any) -> None:
    with tablet(browser, panel) as page:
        page.clock.install()
        page.reload()
        shows(page, "off", "Allt är av och stängt")
        page.context.set_offline(True)
        page.clock.fast_forward(OLDEST_S * 1000 + 600)  # timers and clocks, as after a sleep
        page.locator("body.old").wait_for(timeout=2_000)
        page.context.set_offline(False)
        page.clock.run_for(2_000)
        shows(page, "off", "Allt är av och stängt")
        page.context.set_offline(True)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # it goes dark: no waiting
        assert page.locator("body.old").count() == 1
        assert page.locator(".off, .on").count() == 0


HOLDS = """
const real = window.fetch;
window.held = [];
window.fetch = async (...all) => {
  const answer = await real(...all);
  if (window.holds && String(all[0]).startsWith("/picture")) await new Promise((go) => window.held.push(go));
  return answer;
};
"""


def test_an_answer_that_lay_in_a_sleeping_tablet_is_not_of_now(
    home: Flat, panel: Panel, browser: Any
) -> None:
    with tablet(browser, panel, bypass_csp=True) as page:
        page.add_init_script(HOLDS)
        page.clock.install()
        page.reload()
        shows(page, "off", "Allt är av och stängt")
        page.evaluate("window.holds = true")
        page.wait_for_function("window.held.length")
        page.clock.fast_forward(60_000)
        page.evaluate("window.held.shift()()")  # what the node said a minute ago
        page.locator("body.old").wait_for()
        page.evaluate("new Promise((go) => requestAnimationFrame(go))")
        assert page.locator(".off, .on").count() == 0
