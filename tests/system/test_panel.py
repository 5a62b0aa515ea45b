"""The panel by the door in a real browser: every state, and grey instead of green when nobody knows.

``SCREENSHOTS=folder`` keeps what was seen; those of the documents are made so (homenode/panel/README.md).
"""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.npm import FOLDER, needs_npm
from tests.system.pages import chromium
from tests.system.panels import Flat, Panel, care, flat, shows, tablet
from tests.system.test_bad_input_asks import in_an_hour

pytestmark = [needs_mosquitto, needs_chromium]
SHOTS = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None
OLDEST_S = 10.0
CONTRAST = 7.0
TOUCH_PX = 60
NIGHT_LIGHT = 0.06
"""Mean share of white light that a dark screen may give: a tenth of it is a candle's."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flat]:
    with flat(tmp_path_factory.mktemp("panel")) as made:
        yield made


@pytest.fixture(scope="module")
def panel(home: Flat) -> Iterator[Panel]:
    with Panel(home.data) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(autouse=True)
def shut(home: Flat) -> Iterator[None]:
    """Each test begins and ends with a home that is off and shut."""
    yield
    home.node.process.send_signal(signal.SIGCONT)  # of a test that failed
    home.shut()
    home.node.ask("mode", "home")
    home.status(lambda known: not known["alerts"] and known["link"]["state"] == "up")


def tile(page: Any, name: str) -> Any:
    return page.locator(".tile", has_text=name)


def shot(page: Any, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(400)
        page.screenshot(path=SHOTS / f"{name}.png")


# --- what can be measured of a page

LOW_CONTRAST = """(least) => {
  const light = (rgb) => rgb.slice(0, 3).map((one) => one / 255)
    .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, nth) => sum + one * [0.2126, 0.7152, 0.0722][nth], 0);
  const rgba = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = rgba(getComputedStyle(at).backgroundColor);
      if (found[3] === undefined || found[3] === 1) return found;
      if (found[3] !== 0) throw new Error(`half transparent: ${at.outerHTML}`);
    }
    return [255, 255, 255];
  };
  const seen = [...document.querySelectorAll("body *")].filter((node) => node.checkVisibility()
    && (node.matches("svg") || [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim())));
  if (seen.length < 3) throw new Error("there is nothing to see");
  return seen.flatMap((node) => {
    const style = getComputedStyle(node);
    const [one, other] = [light(rgba(node.matches("svg") ? style.stroke : style.color)), light(behind(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const fine = ratio >= least && style.opacity === "1";
    return fine ? [] : [`${ratio.toFixed(2)}: ${node.outerHTML.slice(0, 90)}`];
  });
}"""
SMALL = """(least) => [...document.querySelectorAll("button")].filter((one) => one.checkVisibility())
  .filter((one) => !one.matches(".plain"))
  .filter((one) => one.getBoundingClientRect().height < least).map((one) => one.outerHTML)"""


def violations(page: Any) -> list[str]:
    """What axe-core finds, at its strictest that WCAG asks for."""
    page.evaluate((FOLDER / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate(
        """async () => {
          const runOnly = ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21aa", "wcag22aa", "best-practice"];
          const { violations } = await axe.run(document, { runOnly });
          return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html}`));
        }"""
    )
    return [str(one) for one in found]


def wrong_with(page: Any, *, axe: bool = True) -> list[str]:
    """What weak eyes, a stiff finger or a screen reader could not use; the latter takes axe a second."""
    page.wait_for_timeout(350)  # colours fade for 0.3 s
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = [*page.evaluate(LOW_CONTRAST, CONTRAST), *page.evaluate(SMALL, TOUCH_PX)]
    found += violations(page) if axe else []
    return found + ([f"{wide} px wider than the screen"] if wide > 0 else [])


def light_of(page: Any) -> float:
    """Mean share of white light that the screen gives."""
    image = pytest.importorskip("PIL.Image")
    grey = image.open(io.BytesIO(page.screenshot())).convert("L").resize((160, 100))
    values = [(one / 255) ** 2.2 for one in grey.tobytes()]
    return sum(values) / len(values)


# --- states


@needs_npm
@pytest.mark.parametrize(
    ("screen", "language"),
    [((1280, 800), "sv"), ((800, 480), "en"), ((800, 1280), "sv")],
    ids=["tablet", "display", "upright"],
)
def test_every_state_can_be_read_by_weak_eyes(
    home: Flat, panel: Panel, browser: Any, screen: tuple[int, int], language: str
) -> None:
    axe = screen == (1280, 800)  # the others differ in size only
    size = {"width": screen[0], "height": screen[1]}
    with tablet(browser, panel, viewport=size, bypass_csp=True) as page:
        if language == "en":
            page.get_by_role("button", name="English").tap()
        shows(page, "off", "Allt är av och stängt" if language == "sv" else "All is off and shut")
        assert page.locator("html").get_attribute("lang") == language
        name = f"{screen[0]}x{screen[1]}"
        assert wrong_with(page, axe=axe) == []
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        shot(page, f"off-{name}")
        page.get_by_role("button", name="Vem har tittat?" if language == "sv" else "Who looked?").tap()
        assert wrong_with(page, axe=axe) == []
        shot(page, f"log-{name}")
        page.keyboard.press("Escape")
        home.sim.do("open stove")
        home.sim.do("open window")
        page.locator(".alerts .big").wait_for()
        assert wrong_with(page, axe=axe) == []
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        shot(page, f"alert-{name}")
        home.node.ask("mode", "night")
        page.locator("body.night").wait_for()
        assert wrong_with(page, axe=axe) == []
        shot(page, f"night-{name}")
        home.sim.do("close stove")
        home.sim.do("close window")
        shows(page, "off", "")
        assert wrong_with(page, axe=axe) == []
        assert light_of(page) < NIGHT_LIGHT
        shot(page, f"night-off-{name}")


def test_each_thing_takes_the_green_away_and_gives_it_back(home: Flat, panel: Panel, browser: Any) -> None:
    with tablet(browser, panel) as page:
        shows(page, "off", "Allt är av och stängt")
        for do, undo, name, word in (
            ("open front_door", "close front_door", "Ytterdörren", "öppen"),
            ("open window", "close window", "Fönstret", "öppet"),
            ("clear front_lock", "trip front_lock", "Låset", "olåst"),
            ("trip sink", "clear sink", "Golvet", "blött"),
        ):
            home.sim.do(do)
            shows(page, "on", f"{name}: {word}")
            assert tile(page, name).get_by_text(word, exact=True).is_visible()
            home.sim.do(undo)
            shows(page, "off", "Allt är av och stängt")
        for plug, name in (("iron", "Strykjärnet"), ("coffee_maker", "Kaffebryggaren")):
            home.node.ask("switch", f"{plug}.switch", "on")
            shows(page, "on", f"{name}: på")
            home.node.ask("switch", f"{plug}.switch", "off")
            shows(page, "off", "Allt är av och stängt")


def test_what_was_never_heard_is_grey_and_says_so(home: Flat, panel: Panel, browser: Any) -> None:
    (home.folder / "empty.jsonl").write_text(
        '{"at": "2026-01-05T06:00:00+01:00", "point": "x", "value": true}\n'
    )
    radio = 'back_door: {via: tape, sensor: y, kind: contact, room: "<b>tvättstuga</b>"}\nradios:\n  tape: '
    with tablet(browser, panel) as page:
        home.change(more=radio + "{driver: recording, file: empty.jsonl}")
        shows(page, "unknown", "Vet inte allt")
        assert "unknown" in str(tile(page, "tvättstuga").get_attribute("class"))
        assert tile(page, "tvättstuga").locator("b").count() == 0
        assert tile(page, "tvättstuga").get_by_text("vet inte").is_visible()
        shot(page, "unknown")
        home.change()
        shows(page, "off", "Allt är av och stängt")


def test_home_yaml_orders_renames_and_cannot_inject(home: Flat, panel: Panel, browser: Any) -> None:
    shown = (
        "panel:\n  window.contact: {name: '<img src=x onerror=alert(1)>'}\n"
        "  stove.contact: {name: Häll, symbol: coffee}\n"
    )
    with tablet(browser, panel) as page:
        home.change(panel=shown)
        page.locator(".tile", has_text="Häll").wait_for()
        names = page.locator(".tile .name").all_text_contents()
        assert names == ["<img src=x onerror=alert(1)>", "Häll"]
        assert page.locator("img").count() == 0
        home.change()
        tile(page, "Golvet").wait_for()


# --- nothing frozen is green


def grey_within(page: Any, since_s: float) -> None:
    """All is grey at the latest so long after the last good news."""
    page.locator("body.old").wait_for()
    assert time.clock_gettime(time.CLOCK_BOOTTIME) - since_s < OLDEST_S + 3
    assert page.locator(".head.unknown").inner_text().startswith("Ingen kontakt")
    assert set(page.locator(".tile .word").all_text_contents()) == {"vet inte"}
    assert page.locator(".off, .on").count() == 0
    assert page.get_by_role("button", name="Jag går ut").count() == 0


def now_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@needs_npm
def test_a_node_or_a_server_that_hangs_is_shown_as_grey(home: Flat, panel: Panel, browser: Any) -> None:
    with (
        Panel(home.data) as other,
        tablet(browser, panel, bypass_csp=True) as page,
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


def test_it_works_without_a_link_and_says_that_care_cannot_be_reached(
    home: Flat, panel: Panel, browser: Any
) -> None:
    with tablet(browser, panel) as page:
        shows(page, "off", "Allt är av och stängt")
        home.broker.kill()
        page.get_by_text("Just nu når hemmet inte hemtjänsten.").wait_for()
        home.sim.do("open window")
        shows(page, "on", "Fönstret: öppet")
        home.sim.do("open balcony_door")
        page.get_by_role("button", name="Jag mår bra").tap()
        page.get_by_text("Du har svarat.").wait_for()
        shot(page, "no-link")
        home.broker.start()
        page.get_by_text("Just nu når hemmet inte hemtjänsten.").wait_for(state="detached")


# --- the resident answers, leaves, comes home


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
    answered = {one["rule"]: one["acknowledged"] for one in home.node.status()["alerts"]}
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
        command = {"id": "smoke-1", "do": "acknowledge", "by": "Eva", "expires": in_an_hour()}
        heard.send("hn1/panel-1/care/command", command | {"args": {"alert": told["data"]["alert"]}})
        assert heard.until(lambda seen: seen.reply("smoke-1"), "the answer")["ok"]
        alert(page, "Brandvarnaren").get_by_text("Någon tar hand om det.").wait_for()
        home.sim.do("clear smoke")
        alert(page, "Brandvarnaren").wait_for(state="detached")


def test_an_answer_is_only_to_what_was_shown(home: Flat, panel: Panel) -> None:
    cookie = panel.paired()
    home.sim.do("open balcony_door")
    home.status(lambda known: known["alerts"])
    status, found, _ = panel.ask("POST", "/do", {"do": "ok", "seen": "0" * 16}, Cookie=cookie)
    assert (status, found) == (409, {"error": "Något nytt har hänt: läs en gång till."})
    assert not any(one["acknowledged"] for one in home.node.status()["alerts"])


def test_who_leaves_sees_what_is_on_and_the_mode_is_set(home: Flat, panel: Panel, browser: Any) -> None:
    with tablet(browser, panel) as page:
        home.node.ask("switch", "coffee_maker.switch", "on")
        shows(page, "on", "Kaffebryggaren: på")
        page.get_by_role("button", name="Jag går ut").tap()
        shows(page, "on", "Innan du går")
        page.get_by_text("Du är ute").wait_for()
        assert home.node.status()["mode"] == "away"
        shot(page, "leaving")
        page.get_by_role("button", name="Jag är hemma").tap()
        page.get_by_role("button", name="Jag går ut").wait_for()
        assert home.node.status()["mode"] == "home"


def test_all_of_it_goes_by_keyboard(home: Flat, panel: Panel, browser: Any) -> None:
    with tablet(browser, panel) as page:
        shows(page, "off", "Allt är av och stängt")

        def tab_to(text: str) -> None:
            for _ in range(12):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement.textContent.trim()") == text:
                    assert page.evaluate("document.activeElement.matches(':focus-visible')")
                    return
            raise AssertionError(f"Tab never reaches {text}")

        tab_to("Kameran är av Vem har tittat?")
        page.keyboard.press("Enter")
        page.get_by_text("Ingen har tittat.").wait_for()
        page.keyboard.press("Escape")
        tab_to("Jag går ut")
        home.sim.do("open window")  # what changes meanwhile takes nobody out of where they are
        shows(page, "on", "Fönstret: öppet")
        assert page.evaluate("document.activeElement.textContent.trim()") == "Jag går ut"
        page.keyboard.press("Enter")
        page.get_by_text("Du är ute").wait_for()


# --- the camera


@needs_npm
def test_who_looks_is_shown_asked_stopped_and_remembered(home: Flat, panel: Panel, browser: Any) -> None:
    home.change(ask="ask: yes, answer_within: 60 s")
    with tablet(browser, panel, bypass_csp=True) as page, care(home) as heard:

        def look(id: str, reason: str) -> None:
            args = {"camera": "bed", "view": "silhouette", "reason": reason, "sdp": "offer"}
            wish = {"id": id, "do": "video", "by": "Eva Lind", "expires": in_an_hour(), "args": args}
            heard.send("hn1/panel-1/care/command", wish)

        page.get_by_text("Kameran är av").wait_for()
        look("look-1", "hör dig inte")
        page.get_by_text("Får Eva Lind, hemtjänsten titta: sovrum?").wait_for()
        assert page.get_by_text("Varför: hör dig inte").is_visible()
        assert wrong_with(page) == []
        shot(page, "camera-asks")
        page.get_by_role("button", name="Nej").tap()
        assert not heard.until(lambda seen: seen.reply("look-1"), "the answer")["ok"]
        page.get_by_text("Får Eva Lind").wait_for(state="detached")
        page.get_by_text("Kameran är av").wait_for()

        look("look-2", "<script>alert(1)</script>")
        page.get_by_role("button", name="Ja", exact=True).tap()
        assert heard.until(lambda seen: seen.reply("look-2"), "the answer")["ok"]
        page.get_by_text("Eva Lind, hemtjänsten tittar nu: sovrum").wait_for()
        page.get_by_text("Kameran är på").wait_for()
        assert wrong_with(page) == []
        shot(page, "camera-on")
        page.get_by_role("button", name="Sluta titta").tap()
        page.get_by_text("Kameran är av").wait_for()
        page.get_by_role("button", name="Vem har tittat?").tap()
        rows = page.locator(".log li").all_inner_texts()
        assert "Du sa stopp." in rows[0]
        assert "<script>alert(1)</script>" in rows[0]
        assert "såg ingenting" in rows[1]
        assert "Du sa nej." in rows[1]
        shot(page, "who-looked")
    home.change()


def test_a_yes_is_only_to_who_was_shown(home: Flat, panel: Panel) -> None:
    status, _, _ = panel.ask("POST", "/do", {"do": "yes", "seen": "another"}, Cookie=panel.paired())
    assert status == 409


# --- a panel that fails touches nothing


def test_a_panel_that_hangs_or_is_gone_delays_no_rule(home: Flat, browser: Any) -> None:
    with Panel(home.data) as other, tablet(browser, other), care(home) as heard:
        other.process.send_signal(signal.SIGSTOP)
        home.sim.do("trip smoke")
        since = now_s()
        heard.until(lambda seen: seen.alerts("notified"), "the alarm")
        assert now_s() - since < 1.5
        home.sim.do("clear smoke")
        assert home.node.ask("ack", "smoke_alarm").returncode == 0


def test_the_page_needs_little_memory(home: Flat, panel: Panel) -> None:
    process = Path(f"/proc/{panel.process.pid}")
    rollup = (process / "smaps_rollup").read_text()
    own_kb = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Anon:"))
    assert own_kb < 14_000, rollup  # 12,100 where it was written, 2,500 of them Python's own
    maps = (process / "maps").read_text()
    assert not [name for name in ("libssl", "libcrypto", "yaml", "_ctypes", "_decimal") if name in maps]
