"""Signing in by a provider that nobody here wrote (oidc-provider), and what is not to be believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import Mosquitto, free_port, needs_mosquitto
from tests.system.flats import CHROMIUM, needs_chromium
from tests.system.npm import needs_npm, node

pytest.importorskip("jinja2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import PEOPLE, Client, Console  # noqa: E402 - it needs the extra

pytestmark = [needs_mosquitto, needs_chromium, needs_npm]
PATIENCE_MS = 30_000


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    port = free_port()
    (tmp_path / "oidc.secret").write_text("s3cret: +/\n")
    lines = f"""\
roster: false
oidc:
  issuer: http://127.0.0.1:{port}
  client_id: console
  client_secret_file: oidc.secret
  scope: openid profile groups
  roles: {{night: [night], far: [landlord]}}
"""
    with Mosquitto(tmp_path / "broker") as broker:
        made = Console(tmp_path, broker.port, lines, people=PEOPLE)
        provider = node(Path(__file__).with_name("oidc_provider.cjs"), str(port), f"{made.url}/sign-in/back")
        assert provider.stdout is not None
        while "listening" not in (line := provider.stdout.readline()):
            assert line, provider.communicate()
        try:
            with made:
                yield made
        finally:
            provider.kill()
            provider.communicate()


@pytest.fixture
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        browser.close()


def sign_in_there(page: Any, console: Console, name: str) -> None:
    page.goto(f"{console.url}/sign-in")
    page.get_by_role("link", name="Sign in with OpenID").click()
    page.locator("[name=login]").fill(name)
    page.locator("[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_who_is_in_a_group_signs_in_with_its_roles(console: Console, page: Any) -> None:
    sign_in_there(page, console, "night-eva")
    page.locator("nav .name", has_text="Fru night-eva").wait_for()
    assert page.url == f"{console.url}/"
    page.get_by_role("link", name="Log").click()
    page.locator("tr", has_text="Fru night-eva").filter(has_text="signed in").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()


def test_who_signs_out_is_told_that_the_provider_still_knows_them(console: Console, page: Any) -> None:
    sign_in_there(page, console, "night-eva")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("signed out here, but not at OpenID").wait_for()
    page.get_by_role("link", name="Sign out there, too").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.get_by_text("Sign-out Success").wait_for()
    page.goto(f"{console.url}/sign-in")
    page.get_by_role("link", name="Sign in with OpenID").click()
    page.locator("[name=login]").wait_for()


def test_who_is_in_no_group_of_ours_is_not_let_in(console: Console, page: Any) -> None:
    sign_in_there(page, console, "kitchen-ole")
    page.get_by_text("have no role in the console").wait_for()
    assert "groups: kitchen: no_role" in console.log
    page.goto(console.url)
    page.get_by_role("heading", name="Sign in").wait_for()


def test_a_code_is_good_once_and_only_in_the_browser_that_asked(console: Console, page: Any) -> None:
    used: list[str] = []
    page.on("request", lambda asked: used.append(asked.url) if "/sign-in/back?" in asked.url else None)
    sign_in_there(page, console, "night-eva")
    page.locator("nav .name").wait_for()
    [url] = used
    path = url.removeprefix(console.url)
    stranger = Client(console)
    assert stranger.get(path).status == 403  # no flow of theirs
    stranger.get("/sign-in/elsewhere")
    assert stranger.get(path).status == 403  # a flow, and another's code in it
    assert "console" not in stranger.cookies
    page.goto(url)
    page.get_by_text("The sign-in took too long").wait_for()


def test_what_the_browser_brings_back_is_not_believed(console: Console) -> None:
    client = Client(console)
    to = client.get("/sign-in/elsewhere").to
    state = to.partition("state=")[2].partition("&")[0]
    assert {"code_challenge_method=S256", "response_type=code"} <= set(to.partition("?")[2].split("&"))
    for path in (
        f"/sign-in/back?code=made-up&state={state}",
        f"/sign-in/back?code=made-up&state={state}",  # the flow is used up
        "/sign-in/back?code=made-up",
        "/sign-in/back",
    ):
        assert client.get(path).status == 403
    to = client.get("/sign-in/elsewhere").to
    state = to.partition("state=")[2].partition("&")[0]
    assert client.get(f"/sign-in/back?code=x&state={state}&iss=http://evil.example").status == 403
    to = client.get("/sign-in/elsewhere").to
    state = to.partition("state=")[2].partition("&")[0]
    assert client.get(f"/sign-in/back?error=access_denied&state={state}").status == 403
    assert "console" not in client.cookies
