"""The page of an installation in a real Chromium: how a thumb gets in and about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.system.flats import CHROMIUM, Flat, Installer

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PATIENCE_MS = 40_000
PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True, "locale": "en-GB"}
THUMB_PX = 44
"""Least height of what a thumb is to hit (WCAG 2.5.5, target size enhanced)."""


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser."""
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Served(Installer):
    """`homenode install --web`; each code that it prints lets one browser in."""

    def __init__(self, here: Flat, *more: str) -> None:
        super().__init__(here, "--web", "--listen", "127.0.0.1:0", *more)

    def address(self) -> str:
        """With the next code."""
        return self.until(r"Open on the phone: (\S+)")[1]


@contextmanager
def phone(browser: Any, address: str, **how: Any) -> Iterator[Any]:
    """A phone at that address; anything that its console complains of fails the test."""
    context = browser.new_context(**PHONE | how)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    page.goto(address)
    yield page
    context.close()
    assert not complaints


def tap(page: Any, name: str, within: Any = None) -> None:
    """A button, by its words."""
    (within or page).get_by_role("button", name=name, exact=True).first.tap()


def tab(page: Any, nth: int) -> None:
    """Devices, test, report."""
    page.locator("nav button").nth(nth).tap()


def card(page: Any, text: str) -> Any:
    """The card with this text."""
    return page.locator("section.card", has_text=text).first


def join(page: Any, here: Flat, sensor: str, looks: str) -> Any:
    """Its card, once a sensor has joined and was asked what it is."""
    page.get_by_role("button", name="Close the network").wait_for()
    here.sim.do(f"join {sensor}")
    found = card(page, looks)
    found.get_by_role("button", name="Name it").and_(page.locator(":enabled")).wait_for()
    return found


def in_order(page: Any) -> list[str]:
    """What a thumb or a screen reader could not use."""
    wrong: list[str] = page.evaluate(
        """(least) => [...document.querySelectorAll("button, input, a")]
          .filter((one) => one.checkVisibility()).flatMap((one) => {
            const low = one.getBoundingClientRect().height < least ? [`low: ${one.outerHTML}`] : [];
            const named = one.labels?.length || one.textContent.trim() || one.ariaLabel;
            return named ? low : [...low, `nameless: ${one.outerHTML}`];
          })""",
        THUMB_PX - 1,
    )
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wrong + ([f"{wide} px wider than the screen"] if wide > 0 else [])
