"""From a pressed help button to a closed alert, all of it real: node, what films, broker, console, browser.

``SCREENSHOTS=homenode/console/pictures`` makes the pictures of `homenode/console/README.md` anew.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.net import Cable
from tests.system.brokers import needs_mosquitto
from tests.system.interruptions import at_random, interrupted
from tests.system.looks import until
from tests.system.nodes import PATIENCE_S
from tests.system.relays import Relay, needs_turn

pytest.importorskip("aiortc", reason="the extra video is not installed")
pytest.importorskip("pigpio", reason="the extra gpio is not installed")
pytest.importorskip("jinja2", reason="the extra console is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.system.consoles import Client, Console, person
from tests.system.filming import Cabled, needs_a_viewer
from tests.system.seen import CAPTURE, Seen, desk, seen, shots
from tests.system.viewers import Viewer

UNIT = Path(__file__).parents[1] / "unit"
pytestmark = [needs_mosquitto, *needs_a_viewer]
BARE = re.sub(r"a=candidate:.*\n", "", (UNIT / "video" / "chromium.sdp").read_text())
SCREEN = {"viewport": {"width": 1100, "height": 760}}
KEPT = """window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...how) { super(...how); window.looked = this; }
}"""
KINDS = """async () => {
  const stats = [...(await looked.getStats()).values()];
  const used = stats.find((one) => one.type === "transport").selectedCandidatePairId;
  const pair = stats.find((one) => one.id === used);
  return stats.filter((one) => [pair.localCandidateId, pair.remoteCandidateId].includes(one.id))
    .map((one) => one.candidateType);
}"""
LIVE = "Live. The resident can tell"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Seen]:
    with seen(tmp_path) as made:
        yield made


def frames(page: Any) -> int:
    return int(page.locator("video").get_attribute("data-frames") or 0)


def looks(console: Console, page: Any, count: int = 15) -> None:
    state = page.locator(".look [role=status]")
    console.until(lambda: state.inner_text() not in ("", "The home is asked …"), "an answer")
    assert state.inner_text().startswith(LIVE)
    console.until(lambda: frames(page) >= count, f"{count} pictures")


def test_a_call_is_taken_looked_into_and_closed(home: Seen, cabled: Cabled) -> None:
    shot, whole = shots(), 60 if "SCREENSHOTS" in os.environ else 15
    with (
        desk(home.folder / "console", cabled, home.broker) as console,
        home.run(capture=CAPTURE),
        person(cabled.browser, console, "eva", **SCREEN) as eva,
    ):
        home.sim.do("press wrist")
        row = eva.locator("#rows tr", has_text="The help button was pressed.")
        row.wait_for()
        shot(eva, "1-worklist")
        row.get_by_role("link", name="looks-1").click()
        eva.get_by_role("button", name="I take it").click()
        eva.get_by_text("Eva Lind has it").wait_for()
        tap = eva.get_by_role("button", name="Look now")
        tap.wait_for()
        shot(eva, "2-alert")
        assert (home.films(), home.lit()) == ({}, (False, False)), "nothing is filmed before the tap"
        tap.click()
        looks(console, eva, whole)
        assert home.lit() == (True, True)
        assert list(home.films().values()) != [0]
        shot(eva, "3-silhouette")
        eva.get_by_label("Clear").check()
        console.until(lambda: frames(eva) < 15, "the other view")
        looks(console, eva, whole)
        shot(eva, "4-clear")
        assert len(home.films()) == 1, "the same process"
        eva.get_by_role("button", name="Stop looking").click()
        home.dark(1.5)
        tap.click()
        looks(console, eva)
        home.sim.do("press no")
        home.dark(1.5)
        eva.get_by_text("The resident ended the look.").wait_for()
        assert eva.locator("video").is_hidden()
        eva.get_by_role("button", name="Acknowledge").click()
        eva.get_by_text("over in the home", exact=True).wait_for()
        eva.get_by_label("What was done?").fill("She sat up in bed and wanted water. Went there.")
        shot(eva, "5-note")
        eva.get_by_role("button", name="Close").click()
        eva.get_by_text("Nothing to do.").wait_for()
        eva.get_by_role("link", name="Views").click()
        eva.get_by_text("Silhouette, Clear").wait_for()
        eva.get_by_text("The resident ended the look.").wait_for()
        shot(eva, "6-views")
        told = [(one["event"], one["view"], one["by"]) for one in home.entries()]
        assert told == [
            ("granted", "silhouette", "Eva Lind"),
            ("live", "silhouette", "Eva Lind"),
            ("view", "clear", "Eva Lind"),
            ("ended", "clear", "Eva Lind"),
            ("granted", "clear", "Eva Lind"),
            ("live", "clear", "Eva Lind"),
            ("ended", "clear", "Eva Lind"),
        ]
        until(lambda: not home.care.alerts("fault"), PATIENCE_S, home.seen)


@needs_turn
def test_through_a_relay_only_over_a_poor_link_pictures_keep_coming(
    home: Seen, cabled: Cabled, tmp_path: Path
) -> None:
    """What films is on another cable than the browser, with no way between: 150 kbit/s, 5 % lost each way."""
    with Cable(6) as far, Relay(tmp_path, far.here, cabled.here) as relay:
        (tmp_path / "turn.secret").write_text(relay.secret)
        ice = 'ice: {{urls: ["{url}"], username: {user}, password_file: "{folder}/turn.secret"}}\n'
        told = partial(ice.format, user=relay.user, folder=tmp_path)
        home.sections = told(url=relay.url(far.here))
        home.describe()
        film = " ".join((*far.within, CAPTURE))
        with (
            desk(tmp_path / "console", cabled, home.broker, told(url=relay.url(cabled.here))) as console,
            home.run(capture=film),
            person(cabled.browser, console, "eva") as eva,
        ):
            console.until(lambda: "looks-1" in Client(console).sign_in("eva").get("/homes").text, "the home")
            eva.add_init_script(KEPT)
            eva.goto(f"{console.url}/video?home=looks-1&camera=bed")
            eva.get_by_label("Why").fill("asked for")
            eva.get_by_label("Clear").check()
            eva.get_by_role("button", name="Look now").click()
            looks(console, eva)
            assert "relay" in eva.evaluate(KINDS)
            far.slow(150)
            far.lose(5)
            time.sleep(4)  # what the link carries is found out
            before = frames(eva)
            time.sleep(4)
            assert (frames(eva) - before) / 4 >= 5
            eva.get_by_text(LIVE).wait_for()


def test_offers_that_can_not_be_served_are_refused_in_words_and_leave_nothing(home: Seen) -> None:
    foreign = BARE + "a=candidate:1 1 udp 2113937151 8.8.8.8 40000 typ host\r\n"
    named = BARE + "a=candidate:1 1 udp 2113937151 0f2b8a10-1b1e.local 40000 typ host\r\n"
    unread = BARE.replace("H264", "H265").replace("VP8", "VP7")
    with home.run(capture=CAPTURE) as node:
        for code, sdp in (("candidates", foreign), ("codec", unread), ("sdp", "v=0")):
            assert home.refused(sdp=sdp) == code
            home.dark(1.5)
        both = [home.ask(camera="bed", view="silhouette", reason="round", sdp=named) for _ in range(2)]
        answers = [home.reply(one) for one in both]
        assert sorted(one["ok"] for one in answers) == [False, True], "one viewer a camera"
        assert next(one["error"]["code"] for one in answers if not one["ok"]) == "busy"
        (granted,) = (one["result"]["session"] for one in answers if one["ok"])
        assert len(home.films()) == 1
        text = (home.folder / "home.yaml").read_text()
        (home.folder / "home.yaml").write_text(text.replace("2099-12-31", "2020-01-02"))
        assert node.ask("reload").returncode == 0
        home.dark(1.5)
        assert home.asked(session=granted, sdp=named)["error"]["code"] == "decision"
        assert home.refused(sdp=named) == "not_now"
        assert home.films() == {}


def _interrupted(home: Seen, hows: list[str], chance: random.Random) -> None:
    """By a viewer that connects, from before anything is there until after the first pictures."""
    with Viewer() as viewer:

        def ask() -> None:
            asked = home.ask(camera="bed", view="silhouette", reason="round", sdp=viewer.offer())
            if chance.random() < 0.6 and home.node.process.poll() is None:
                viewer.take(home.reply(asked)["result"]["sdp"])

        interrupted(home, hows, ask, lambda: chance.random() * 1.5, capture=CAPTURE)


def test_what_really_films_is_gone_within_a_second_however_it_is_interrupted(home: Seen) -> None:
    ways = ["kill -9 of what films", "link cut", "stopped, and the viewer", "kill -9 of the node"]
    _interrupted(home, ways, random.Random(2))


@pytest.mark.looks
def test_fifty_real_looks_interrupted_at_random_leave_nothing(home: Seen) -> None:
    seed = int(os.environ.get("SEED", "7"))
    chance = random.Random(seed)
    _interrupted(home, at_random(chance, 50), chance)
