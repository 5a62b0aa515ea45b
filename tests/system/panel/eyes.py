"""What weak eyes, a stiff finger or a screen reader make of the panel, measured; and pictures of it.

``SCREENSHOTS=folder`` keeps what was seen; beside a README.md only the pictures that are there are made anew.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from tests.system.npm import FOLDER

SHOTS = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None
PICTURED = {"device_scale_factor": 0.75}
"""A tablet whose picture, 960 pixels wide, is as small as documents want it."""
CONTRAST = 7.0
TOUCH_PX = 60


def shot(page: Any, name: str) -> None:
    """A picture, as large as the screen is in pixels of its own."""
    if SHOTS and (not (SHOTS / "README.md").exists() or (SHOTS / f"{name}.png").exists()):
        page.wait_for_timeout(400)  # colours fade for 0.3 s
        page.screenshot(path=SHOTS / f"{name}.png")


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


def wrong_with(page: Any, *, axe: bool = True, rolls: bool = False) -> list[str]:
    """What weak eyes, a stiff finger or a screen reader could not use.

    Args:
        axe: Whether to ask axe-core, which takes a second.
        rolls: It may be higher than the screen.
    """
    page.wait_for_timeout(350)  # colours fade for 0.3 s
    found = [*page.evaluate(LOW_CONTRAST, CONTRAST), *page.evaluate(SMALL, TOUCH_PX)]
    found += violations(page) if axe else []
    for size, name in (("Width", "wider"), *([] if rolls else [("Height", "higher")])):
        over = page.evaluate(f"document.documentElement.scroll{size} - document.documentElement.client{size}")
        found += [f"{over} px {name} than the screen"] if over > 0 else []
    return found


def light_of(page: Any) -> float:
    """Mean share of white light that the screen gives."""
    image = pytest.importorskip("PIL.Image")
    grey = image.open(io.BytesIO(page.screenshot())).convert("L").resize((160, 100))
    values = [(one / 255) ** 2.2 for one in grey.tobytes()]
    return sum(values) / len(values)
