"""A home gone mad and browsers that are stuck: the panel stays right and small, and no rule waits for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.processes import cpu_s, own_mb
from tests.system.brokers import needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.panel.eyes import shot
from tests.system.panels import Flat, Panel, care, flat, now_s, shows, tablet

pytestmark = [needs_mosquitto, needs_chromium]
DOORS, READINGS = 100, 300_000
STUCK = 40
MOST_MB, MOST_CPU, NEWS_S, RULE_S = 6.0, 0.5, 8.0, 3.0
"""Where it was written 1 MB, 0.2 of a core, 2 s (page and server each ask once a second), 0.2 s."""


@pytest.fixture
def mad(tmp_path: Path) -> Iterator[Flat]:
    """A home whose hundred doors stand open, and whose meters report as fast as the node takes it."""
    with flat(tmp_path) as home:
        at = '"at": "2026-01-05T06:00:00+01:00"'
        lines = [f'{{{at}, "point": "d{nth}", "value": true}}' for nth in range(DOORS)]
        lines += [f'{{{at}, "point": "m{nth % 5}", "value": {nth % 2000}}}' for nth in range(READINGS)]
        (tmp_path / "mad.jsonl").write_text("\n".join(lines))
        devices = [
            f"d{nth}: {{via: tape, sensor: d{nth}, kind: contact, room: hall}}" for nth in range(DOORS)
        ]
        devices += [f"m{nth}: {{via: tape, sensor: m{nth}, kind: power, room: hall}}" for nth in range(5)]
        radio = "radios:\n  tape: {driver: recording, file: mad.jsonl, pace: fast}"
        shown = "panel:\n  front_door.contact:\n  window.contact:\n"
        rules = [
            f"  - {{use: balcony, as: door_{nth}, bind: {{door: d{nth}.contact}}}}\n" for nth in range(DOORS)
        ]
        home.change(more="\n  ".join([*devices, ""]) + "\n" + radio, panel="".join(rules) + shown)
        yield home


@contextmanager
def stuck(panel: Panel) -> Iterator[None]:
    """Browsers on another machine that ask for one picture after the other and never take any."""
    host, _, port = panel.host.partition(":")
    asked = f"GET /picture HTTP/1.1\r\nHost: {panel.host}\r\nCookie: {panel.paired()}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(STUCK):
            link = socket.create_connection((host, int(port)), source_address=("127.0.0.2", 0))
            stack.enter_context(link)
            link.sendall(asked * 200)
        yield


def test_a_flood_and_stuck_browsers_leave_the_panel_right_and_small_and_no_rule_late(
    mad: Flat, browser: Any
) -> None:
    with (
        Panel(mad.data) as panel,
        care(mad) as heard,
        tablet(browser, panel) as page,
    ):
        shows(page, "on", "Se efter")
        page.wait_for_function(f"document.querySelectorAll('.alert').length >= {DOORS}")
        assert page.locator(".alerts .big").bounding_box()["y"] < 600  # without rolling
        shot(page, "flood")
        pid = panel.process.pid
        before_mb, before_s, since_s = own_mb(pid), cpu_s(pid), now_s()
        with stuck(panel):
            for do, word in (("open window", "öppet"), ("close window", "stängt"), ("open window", "öppet")):
                asked_s = now_s()
                mad.sim.do(do)
                page.locator(".tile .word", has_text=word).wait_for()
                assert now_s() - asked_s < NEWS_S
            asked_s = now_s()
            mad.sim.do("trip smoke")
            heard.until(lambda seen: seen.alerts("notified"), "the alarm")
            assert now_s() - asked_s < RULE_S
            grown_mb, used = own_mb(pid) - before_mb, (cpu_s(pid) - before_s) / (now_s() - since_s)
            playing = f"played {READINGS + DOORS} readings" not in mad.node.log
        assert playing, "the flood was over too soon"
        assert grown_mb < MOST_MB
        assert used < MOST_CPU
