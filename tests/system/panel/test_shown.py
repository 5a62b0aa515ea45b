"""The panel by the door in a real browser: what it shows of things, link, mode and camera."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.system.brokers import needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.npm import needs_npm
from tests.system.panel.eyes import shot, wrong_with
from tests.system.panels import Flat, Panel, ask_to_look, care, now_s, shows, tablet

pytestmark = [needs_mosquitto, needs_chromium]


def tile(page: Any, name: str) -> Any:
    return page.locator(".tile", has_text=name)


def test_each_thing_takes_the_green_away_and_gives_it_back(home: Flat, panel: Panel, browser: Any) -> None:
    def turned(plug: str, to: str) -> Callable[[], object]:
        return lambda: home.ask("switch", point=f"{plug}.switch", to=to)

    def did(what: str) -> Callable[[], object]:
        return lambda: home.sim.do(what)

    with tablet(browser, panel) as page:
        shows(page, "off", "Allt är av och stängt")
        back = did("close window")  # as it is
        for do, undo, name, word in (
            (did("open front_door"), did("close front_door"), "Ytterdörren", "öppen"),
            (did("open window"), did("close window"), "Fönstret", "öppet"),
            (did("clear front_lock"), did("trip front_lock"), "Låset", "olåst"),
            (did("trip sink"), did("clear sink"), "Golvet", "blött"),
            (turned("iron", "on"), turned("iron", "off"), "Strykjärnet", "på"),
            (turned("coffee_maker", "on"), turned("coffee_maker", "off"), "Kaffebryggaren", "på"),
        ):
            do()
            back()
            page.locator(".head.on p").get_by_text(f"{name}: {word}", exact=True).wait_for()  # it alone
            assert tile(page, name).get_by_text(word, exact=True).is_visible()
            back = undo
        back()
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


def test_who_leaves_sees_what_is_on_and_the_mode_is_set(home: Flat, panel: Panel, browser: Any) -> None:
    with tablet(browser, panel) as page:
        home.ask("switch", point="coffee_maker.switch", to="on")
        shows(page, "on", "Kaffebryggaren: på")
        page.get_by_role("button", name="Jag går ut").tap()
        shows(page, "on", "Innan du går")
        page.get_by_text("Du är ute").wait_for()
        assert home.ask("status")["mode"] == "away"
        shot(page, "leaving")
        page.get_by_role("button", name="Jag är hemma").tap()
        page.get_by_role("button", name="Jag går ut").wait_for()
        assert home.ask("status")["mode"] == "home"


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
        page.get_by_text("Kameran är av").wait_for()
        ask_to_look(heard, "look-1")
        page.get_by_text("Får Eva Lind, hemtjänsten titta: sovrum?").wait_for()
        assert page.get_by_text("Varför: hör dig inte").is_visible()
        assert wrong_with(page) == []
        shot(page, "camera-asks")
        page.get_by_role("button", name="Nej").tap()
        assert not heard.until(lambda seen: seen.reply("look-1"), "the answer")["ok"]
        page.get_by_text("Får Eva Lind").wait_for(state="detached")
        page.get_by_text("Kameran är av").wait_for()

        ask_to_look(heard, "look-2", "<script>alert(1)</script>")
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
        home.ask("ack", party="care", alert="smoke_alarm")


def test_the_page_needs_little_memory(home: Flat, panel: Panel) -> None:
    process = Path(f"/proc/{panel.process.pid}")
    rollup = (process / "smaps_rollup").read_text()
    own_kb = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Anon:"))
    assert own_kb < 14_000, rollup  # 12,100 where it was written, 2,500 of them Python's own
    maps = (process / "maps").read_text()
    assert not [name for name in ("libssl", "libcrypto", "yaml", "_ctypes", "_decimal") if name in maps]
