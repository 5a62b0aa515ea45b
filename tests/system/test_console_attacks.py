"""An outsider's, a colleague's and a relative's tries at the console, by hand: each is refused."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.flats import CHROMIUM, needs_chromium
from tests.system.receivers import Homes

pytest.importorskip("jinja2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import PASSWORD, PEOPLE, Client, Console, person  # noqa: E402 - it needs the extra

pytestmark = needs_mosquitto
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
PAGES = (
    "/",
    "/homes",
    "/home/north-1",
    "/duty",
    "/rounds",
    "/views",
    "/log",
    "/events",
    "/video?home=north-1",
)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("console")
    lines = "rounds: [{home: north-1, camera: bedroom, at: ['23:00']}]\n"
    with Console(folder, broker.port, lines, parties=("care", "property")) as running:
        with Homes(broker.port) as homes:
            for home in ("north-1", "south-1"):
                homes.alert(home)
                homes.link(home, True)
                homes.looks(home, "silhouette")
            homes.until_acknowledged()
            eva = Client(running).sign_in("eva")
            running.until(lambda: len(eva.worklist()) >= 3, "the alerts")
        yield running


def key_in(console: Console, home: str) -> str:
    """Of the case of that home."""
    text = Client(console).sign_in("eva").get("/").text
    match = re.search(rf'<a href="/alert/([0-9a-f]+)">{home}</a>', text)
    assert match is not None
    return match[1]


# --- without a sign-in


def test_nothing_is_shown_or_done_without_a_sign_in(console: Console) -> None:
    stranger, key = Client(console), key_in(console, "north-1")
    for path in (*PAGES, f"/alert/{key}"):
        answer = stranger.get(path)
        assert answer.status in (303, 401), path
        assert "north-1" not in answer.text
    for path in (f"/alert/{key}/close", "/duty", "/video/ask", "/rounds/x"):
        assert stranger.ask("POST", path, "note=x").status in (303, 401, 403), path


def test_wrong_passwords_tell_nothing_and_soon_have_to_wait(tmp_path: Path, broker: Mosquitto) -> None:
    with Console(tmp_path, broker.port) as console:
        client = Client(console)

        def tried(user: str, password: str) -> tuple[int, str]:
            answer = client.ask("POST", "/sign-in", f"user={user}&password={password}")
            return answer.status, answer.text.replace(user, "")

        assert tried("eva", "hunter2") == tried("nobody", "hunter2")
        assert tried("eva", "hunter2")[0] == 403
        for _ in range(10):
            tried("eva", "hunter2")
        assert tried("eva", PASSWORD.replace(" ", "+"))[0] == 429
        assert "hunter2" not in console.log


def test_a_session_that_somebody_planted_is_not_the_one_that_is_signed_in(console: Console) -> None:
    client = Client(console)
    client.cookies["console"] = "planted-by-somebody"
    client.sign_in("eva")
    token = client.cookies["console"]
    assert token != "planted-by-somebody"
    client.sign_in("eva")
    assert client.cookies["console"] != token
    client.cookies["console"] = token  # the one before is no longer good
    assert client.get("/").status == 303


def test_signing_out_ends_the_session_on_the_server(console: Console) -> None:
    client = Client(console).sign_in("eva")
    token = client.cookies["console"]
    assert client.post("/sign-out").status == 303
    client.cookies["console"] = token
    assert client.get("/").status == 303


def test_cookies_are_for_this_site_and_no_script(console: Console) -> None:
    answer = Client(console).ask("POST", "/sign-in", f"user=eva&password={PASSWORD.replace(' ', '+')}")
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_a_sign_in_that_has_ended_shows_nothing_and_the_open_page_says_so(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with Console(tmp_path, broker.port, "roster: false\nidle: 2 s\n") as console:
        client = Client(console).sign_in("eva")
        assert client.get("/").status == 200
        link = http.client.HTTPConnection(console.host, timeout=30)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        link.request("GET", "/events?show=list", headers={"Host": console.host, "Cookie": cookie})
        stream, said = link.getresponse(), b""
        while b'"ended"' not in said:  # what is open is no sign of a person
            said = stream.readline()
            assert said, "it ended without a word"
        assert client.get("/").to == "/sign-in"
        assert client.get("/events").status == 401


def test_what_is_sent_after_the_sign_in_ended_is_not_done_and_not_lost(console: Console) -> None:
    key, note = key_in(console, "north-1"), "Rang; <b>nobody</b> answered."
    gone = Client(console).sign_in("eva")
    csrf, token = gone.csrf(), gone.cookies["console"]
    gone.post("/sign-out")
    gone.cookies["console"] = token
    answer = gone.post(f"/alert/{key}/close", {"csrf": csrf, "note": note})
    assert answer.status == 401
    assert "It was not done: the sign-in had ended" in answer.text
    assert "Rang; &lt;b&gt;nobody&lt;/b&gt; answered." in answer.text  # to be copied
    assert "Rang;" not in Client(console).sign_in("eva").get(f"/alert/{key}").text


def test_after_signing_in_one_is_at_the_console_wherever_a_link_wanted_to_lead(console: Console) -> None:
    for more in (
        "?next=https://evil.example",
        "?back=//evil.example",
        "?url=/%5cevil.example",
        "//evil.example",
    ):
        body = f"user=eva&password={PASSWORD.replace(' ', '+')}&next=//evil.example&back=//evil.example"
        answer = Client(console).ask("POST", f"/sign-in{more}", body)
        assert answer.to in ("/", "")  # a path that is none leads nowhere
    key = key_in(console, "north-1")
    eva = Client(console).sign_in("eva")
    assert eva.post(f"/alert/{key}/note", {"note": "x", "back": "//evil.example"}).to == f"/alert/{key}"


def test_nothing_that_is_shown_stays_in_a_cache(console: Console) -> None:
    eva = Client(console).sign_in("eva")
    for path in (*PAGES, f"/alert/{key_in(console, 'north-1')}", "/nothing", "/sign-in"):
        headers = eva.get(path).headers
        assert headers["Cache-Control"] == "no-store", path
        assert headers["X-Content-Type-Options"] == "nosniff", path


# --- from another site


def test_a_form_of_another_site_does_nothing(console: Console) -> None:
    client, key = Client(console).sign_in("eva"), key_in(console, "north-1")
    path = f"/alert/{key}/take"
    evil = "http://evil.example"
    assert client.post(path, Origin=evil).status == 403
    assert client.post(path, Origin="null").status == 403
    assert client.post(path, {"csrf": ""}).status == 403
    assert client.post(path, {"csrf": Client(console).sign_in("nils").csrf()}).status == 403
    assert client.ask("POST", "/sign-in", "user=nils&password=x", Origin=evil).status == 403
    assert client.get(path).status == 404  # a link or a picture neither
    assert "Eva Lind took it" not in client.get(f"/alert/{key}").text


def test_the_page_can_not_be_framed_or_reached_by_another_name(console: Console) -> None:
    answer = Client(console).sign_in("eva").get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", answer.text)
    assert Client(console).get("/sign-in", Host="evil.example").status == 421


# --- somebody who is signed in


def test_a_colleague_reaches_no_home_that_is_not_theirs(console: Console) -> None:
    nils, south = Client(console).sign_in("nils"), key_in(console, "south-1")
    assert "south-1" not in "".join(nils.get(path).text for path in PAGES if path != "/events")
    assert nils.get(f"/alert/{south}").status == 404
    assert nils.get("/home/south-1").status == 404
    assert nils.get("/alert/0000000000").status == 404  # as if it was not there
    for what in ("take", "acknowledge", "escalate", "close", "note", "reopen"):
        assert nils.post(f"/alert/{south}/{what}", {"note": "x"}).status == 404
    asked = json.dumps(
        {"home": "south-1", "camera": "bedroom", "view": "silhouette", "reason": "x", "sdp": "v=0"}
    )
    assert nils.ask("POST", "/video/ask", asked, X_CSRF=nils.csrf()).status == 404
    eva = Client(console).sign_in("eva")
    assert "Nils" not in eva.get(f"/alert/{south}").text
    assert "tried to reach what isn" in eva.get("/log").text


def test_the_landlord_sees_nothing_of_care_and_a_relative_no_case(console: Console) -> None:
    lars, dora, key = (
        Client(console).sign_in("lars"),
        Client(console).sign_in("dora"),
        key_in(console, "north-1"),
    )
    menu = lars.get("/").text.partition("</header>")[0]
    assert ("/log" in menu, "/rounds" in menu, "/views" in menu) == (True, False, False)
    for somebody in (lars, dora):
        assert somebody.get(f"/alert/{key}").status == 404
        assert somebody.post(f"/alert/{key}/close", {"note": "x"}).status == 404
        assert "The door is open" not in somebody.get("/").text
        assert somebody.get("/video?home=north-1&camera=bedroom").status == 404
    for path in ("/homes", "/duty", "/rounds", "/views", "/log", "/home/south-1"):
        assert dora.get(path).status == 404, path
    assert dora.post("/duty", {"party": "care", "who": "dora"}).status == 404
    picture = dora.get("/home/north-1").text
    assert "We don&#39;t know right now" in picture or "Care has received an alert" in picture
    assert "hall" not in picture


def test_deeds_that_there_are_not_and_paths_that_lead_out(console: Console) -> None:
    eva, key = Client(console).sign_in("eva"), key_in(console, "north-1")
    for path in (
        "/../console.yaml", "/page/../../console.yaml", "/%2e%2e/console.yaml", "/console.css/../console.py",
        "/home/..%2f..%2fetc", "/home/*", f"/alert/{key}/../..", "/alert/",
        "/base.html", "/_row.html", "/.git/config", "/home/" + "a" * 5_000,
    ):  # fmt: skip
        answer = eva.get(path)
        assert answer.status == 404, path
        assert "argon2" not in answer.text
    assert eva.post(f"/alert/{key}/delete").status == 404
    unwritten = eva.post(f"/alert/{key}/close", {"note": " "})
    assert unwritten.status == 409
    assert f'href="/alert/{key}">Back<' in unwritten.text
    assert eva.get("//evil.example/").to == ""
    for method in ("PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"):
        assert eva.ask(method, "/").status == 405
    answer = eva.get("/?language=sv%0d%0aSet-Cookie:%20console=planted")
    assert answer.status == 200
    assert "planted" not in str(answer.headers)


def test_shifts_that_are_none_are_refused(console: Console) -> None:
    eva = Client(console).sign_in("eva")
    good = {"party": "care", "who": "eva", "begin": "2026-01-05T08:00", "end": "2026-01-05T16:00"}
    for wrong, status in (
        ({"party": "property"}, 404), ({"party": "resident"}, 404), ({"who": "nobody"}, 404),
        ({"who": "dora"}, 404),
        ({"end": "2026-01-05T08:00"}, 409), ({"end": "2027-01-05T08:00"}, 409), ({"begin": "x"}, 409),
        ({"begin": "0001-01-01T00:00"}, 409), ({"end": "9999-12-31T23:59"}, 409),
    ):  # fmt: skip
        assert eva.post("/duty", good | wrong).status == status, wrong
    assert eva.post("/duty/made-up/off").status == 404
    assert eva.post("/duty/made-up/hand-over", {"who": "eva"}).status == 404


def test_a_flood_is_slowed_down_and_hurts_nobody_else(tmp_path: Path, broker: Mosquitto) -> None:
    with Console(tmp_path, broker.port) as console:
        nils, eva = Client(console).sign_in("nils"), Client(console).sign_in("eva")
        assert 429 in {nils.get("/").status for _ in range(700)}
        assert eva.get("/").status == 200
        sockets = [socket.create_connection(tuple(console.host.split(":"))) for _ in range(50)]  # slow loris
        for one in sockets:
            one.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert eva.get("/").status == 200
        assert eva.ask("POST", "/sign-in", "x" * 70_000).status == 413
        for one in sockets:
            one.close()


# --- scripts in every field that somebody else may write


@needs_chromium
def test_scripts_in_names_rooms_texts_and_notes_are_only_text(tmp_path: Path, broker: Mosquitto) -> None:
    name = SCRIPT.replace('"', "'")[:60]
    with (
        Console(tmp_path, broker.port, people=PEOPLE.replace("Eva Lind", '"' + name + '"')) as console,
        Homes(broker.port) as homes,
        playwright.sync_playwright() as engine,
    ):
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        texts = {"sv": SCRIPT, "en": SCRIPT}
        evidence: list[Any] = [
            {"point": f"{SCRIPT}.power", "value": SCRIPT, "unit": SCRIPT, "quality": "good", "at": SCRIPT},
            {"point": SCRIPT, "value": None, "quality": SCRIPT, "since": SCRIPT},
        ]
        more = {"rule": SCRIPT, "severity": SCRIPT, "thresholds": {SCRIPT: SCRIPT}, "why": texts}
        homes.alert("north-1", room=SCRIPT, text=texts, evidence=evidence, name=SCRIPT[:100], **more)
        homes.alert("north-1", "resolved", reason=SCRIPT, name=SCRIPT[:100])
        homes.alert("north-2", room=SCRIPT, name="two", **more)
        homes.alert("north-2", "acknowledged", by=SCRIPT, name="two")
        with person(browser, console, "eva") as page:
            page.locator("#rows tr", has_text="document.title").first.wait_for()
            page.locator("#rows tr a").first.click()
            page.get_by_label("What was done?").fill(SCRIPT)
            page.get_by_role("button", name="Save the note").click()
            page.locator(".history li", has_text="noted").wait_for()
            for path in (*PAGES, "/sign-in"):
                if path != "/events":
                    page.goto(console.url + path)
                    time.sleep(0.1)
                    assert "owned" not in page.title(), path
                    assert page.locator("main script, main img").count() == 0
        browser.close()
