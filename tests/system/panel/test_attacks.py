"""Who isn't at home, and who isn't paired, learns nothing from the panel and changes nothing."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.looks import until
from tests.system.nodes import PATIENCE_S
from tests.system.panels import PATIENCE_MS, Flat, Panel, homenode_panel, shows, tablet

pytestmark = needs_mosquitto
FREE_MS = 2_000
"""A key that can't be pressed within is covered: what is said stays for 10 s."""


@pytest.fixture
def panel(home: Flat) -> Iterator[Panel]:
    """One for each test, as it remembers who guessed."""
    with Panel(home.data) as running:
        yield running


def seen(panel: Panel, cookie: str) -> dict[str, Any]:
    """What a tablet is shown."""
    status, found, _ = panel.ask("GET", "/picture?language=en", Cookie=cookie)
    assert status == 200
    return found


def pictured(panel: Panel, cookie: str) -> dict[str, Any]:
    """Its picture; a panel that just began has none."""
    until(lambda: seen(panel, cookie)["picture"], PATIENCE_S, lambda: panel.log)
    return dict(seen(panel, cookie)["picture"])


def test_without_a_code_nothing_is_told_or_done(panel: Panel) -> None:
    for method, path in (
        ("GET", "/picture"),
        ("POST", "/do"),
        ("GET", "/panel.json"),
        ("GET", "/../panel.json"),
    ):
        for cookie in ("", "panel=", "panel=wrong", "panel=" + "x" * 4000):
            status, found, _ = panel.ask(method, path, {"do": "leave"}, Cookie=cookie)
            assert status == 401, (path, found)
    status, found, cookie = panel.ask("GET", "/words")
    assert (status, found["paired"], cookie) == (200, False, "")


def test_a_code_is_asked_for_once_and_the_cookie_cannot_be_read_by_scripts(panel: Panel) -> None:
    connection = http.client.HTTPConnection(panel.host, timeout=PATIENCE_S)
    connection.request("POST", "/pair", json.dumps({"code": panel.code()}), {"Origin": panel.url})
    cookie = connection.getresponse().getheader("Set-Cookie") or ""
    connection.close()
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert pictured(panel, cookie.partition(";")[0])["language"] == "en"


def test_who_guesses_codes_must_wait(panel: Panel) -> None:
    code = panel.code()
    wrong = [f"{(int(code) + nth) % 1_000_000:06}" for nth in range(1, 13)]
    answers = [panel.ask("POST", "/pair", {"code": one})[:2] for one in wrong]
    assert [status for status, _ in answers] == [403] * 10 + [429] * 2
    told = [found["error"].partition(".")[0] for _, found in answers[:10]]
    assert told == ["Fel kod, eller för gammal"] * 4 + ["Koden gäller inte längre"] * 6
    status, answer, _ = panel.ask("POST", "/pair", {"code": panel.code()})  # the right one waits, too
    assert (status, answer["error"]) == (429, "För många försök: vänta fem minuter")


def test_a_code_that_is_none_is_wrong(panel: Panel) -> None:
    panel.code()
    wrong: tuple[Any, ...] = (None, 5, [], {}, "", "5" * 1000, "\u0000", True)
    for code in wrong:
        assert panel.ask("POST", "/pair", {"code": code})[0] == 403, code


def test_another_page_cannot_press_a_button(home: Flat, panel: Panel) -> None:
    cookie = panel.paired()
    for origin in ("http://evil.example", "null", "", f"https://{panel.host}.evil.example"):
        status, _, _ = panel.ask("POST", "/do", {"do": "leave"}, Cookie=cookie, Origin=origin)
        assert status == 403
        assert panel.ask("POST", "/pair", {"code": panel.code()}, Origin=origin)[0] == 403
    assert home.ask("status")["mode"] == "home"


def test_another_name_for_it_is_not_answered(panel: Panel) -> None:
    cookie = panel.paired()
    for host in ("evil.example", f"evil.example:{panel.host.partition(':')[2]}", "127.0.0.1", ""):
        for path in ("/", "/words", "/picture"):
            assert panel.ask("GET", path, Cookie=cookie, Host=host)[0] == 421
    assert panel.ask("GET", "/", Host=panel.host.replace("127.0.0.1", "localhost"))[0] == 200


def test_what_is_no_wish_is_not_done(home: Flat, panel: Panel) -> None:
    cookie = panel.paired()
    none = (b"", b"[]", b"{", b"null", b'"leave"', b"[" * 5000)
    for body in (*none, {"do": "reload"}, {"do": ["leave"]}, {"do": "mode"}):
        assert panel.ask("POST", "/do", body, Cookie=cookie)[0] == 404, body
    assert home.ask("status")["mode"] == "home"


def test_who_presses_without_end_must_wait(home: Flat, panel: Panel) -> None:
    cookie = panel.paired()
    answers = [panel.ask("POST", "/do", {"do": "back"}, Cookie=cookie)[0] for _ in range(32)]
    assert answers == [200] * 30 + [429] * 2


def test_too_much_is_not_read(panel: Panel) -> None:
    assert panel.ask("POST", "/pair", b"x" * 70_000)[0] == 413


def test_a_page_has_no_way_out(panel: Panel) -> None:
    connection = http.client.HTTPConnection(panel.host, timeout=PATIENCE_S)
    connection.request("GET", "/")
    answer = connection.getresponse()
    policy = answer.getheader("Content-Security-Policy") or ""
    connection.close()
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@needs_chromium
def test_a_tablet_is_paired_by_touch_outlives_restarts_and_can_be_let_go(
    home: Flat, panel: Panel, browser: Any
) -> None:
    context = browser.new_context(viewport={"width": 800, "height": 480}, has_touch=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(panel.url)
    page.get_by_text("Koppla panelen").wait_for()

    def type_code(code: str) -> None:
        for digit in code:
            page.get_by_role("button", name=digit, exact=True).tap()
        page.get_by_role("button", name="OK").tap()

    shown = homenode_panel(home.data, "pair").stdout.split()
    code = shown[shown.index("code") + 1].rstrip(":")
    keys = page.locator("main button")
    before = [key.bounding_box() for key in keys.all()]
    type_code("000000" if code != "000000" else "111111")
    page.get_by_text("Fel kod, eller för gammal").wait_for()
    assert [key.bounding_box() for key in keys.all()] == before, "a key moved from under the finger"
    context.set_default_timeout(FREE_MS)
    type_code(code)
    context.set_default_timeout(PATIENCE_MS)
    shows(page, "off", "Allt är av och stängt")
    page.reload()
    shows(page, "off", "Allt är av och stängt")
    listed = homenode_panel(home.data, "panels").stdout.splitlines()
    assert homenode_panel(home.data, "revoke", listed[-1].split()[0]).returncode == 0
    page.get_by_text("Koppla panelen").wait_for()
    assert page.locator(".tile").count() == 0
    assert homenode_panel(home.data, "revoke", "nobody").returncode == 1
    context.close()


@needs_chromium
def test_a_code_is_typed_and_sent_by_keyboard_and_who_needs_a_new_one_is_told(
    panel: Panel, browser: Any
) -> None:
    context = browser.new_context(viewport={"width": 800, "height": 480})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(panel.url)
    page.get_by_text("Koppla panelen").wait_for()
    known = panel.code()

    def send(code: str, status: int) -> None:
        page.keyboard.type(code[:5])
        page.keyboard.press("Enter")  # too short to be sent
        page.keyboard.type(code[5:])
        with page.expect_response("**/pair*") as answer:
            page.keyboard.press("Enter")
        assert answer.value.status == status
        page.locator("output", has_text="······").wait_for()
        page.locator("main button:enabled").first.wait_for()

    for nth in range(1, 6):
        send(f"{(int(known) + nth) % 1_000_000:06}", 403)
    page.get_by_text("Koden gäller inte längre. Ta fram en ny: ”homenode panel pair”").wait_for()
    over = page.evaluate("document.documentElement.scrollHeight - innerHeight")
    assert over <= 0, "all of it is on the screen"
    send(known, 403)
    page.get_by_text("Koden gäller inte längre").wait_for()
    page.keyboard.type("1")
    page.get_by_role("button", name="Sudda").press("Enter")  # erases, and sends nothing
    page.locator("output", has_text="······").wait_for()
    page.keyboard.type(panel.code())
    page.get_by_role("button", name="5").press("Enter")  # where a finger left the focus
    shows(page, "off", "Allt är av och stängt")
    context.close()


@needs_chromium
def test_a_second_server_on_the_same_home_knows_the_same_tablets(
    home: Flat, panel: Panel, browser: Any
) -> None:
    with Panel(home.data) as other, tablet(browser, other) as page:
        shows(page, "off", "")
        assert pictured(panel, panel.paired())["headline"]["state"] == "off"


def test_without_a_node_it_says_so_and_serves_all_the_same(tmp_path: Path) -> None:
    with Panel(tmp_path) as alone:
        found = seen(alone, alone.paired())
        assert found["picture"] is None
        status, answer, _ = alone.ask("POST", "/do", {"do": "leave"}, Cookie=alone.paired())
        assert (status, answer) == (409, {"error": "Det gick inte: försök igen"})
        assert "no node is running on this folder" in alone.log


def test_it_ends_when_it_is_told_to(panel: Panel) -> None:
    panel.process.send_signal(signal.SIGTERM)
    assert panel.process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
