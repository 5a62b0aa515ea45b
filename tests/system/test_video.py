"""The capture process and a real browser: what is seen, and that nothing is left of it afterwards."""

from __future__ import annotations

import os
import re
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiortc", reason="the extra video is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from homenode.video.clocks import now_ms
from tests.system.filming import Cabled, Filmed, PoorLink, Viewer, needs_a_viewer
from tests.system.firefox import FirefoxPage, needs_firefox

pytestmark = needs_a_viewer
GONE_WITHIN_S = 1.0
"""How long a session may outlive its end; the machine may be busy, so tests allow as much again."""


def _live(filmed: Filmed, viewer: Viewer, **more: Any) -> None:
    filmed.start(viewer.offer(), **more)
    viewer.take(filmed.answer())
    filmed.until(did="live")
    viewer.until_frames(3)


def _gone(filmed: Filmed) -> None:
    filmed.process.wait(2 * GONE_WITHIN_S)
    assert not filmed.ports()


def test_a_moving_scene_is_shown_as_it_is_made(filmed: Filmed, viewer: Viewer) -> None:
    _live(filmed, viewer)
    shown = viewer.until_frames(20)
    told = [frame["told"] for frame in shown]
    assert told == sorted(told)
    assert abs(told[-1] - now_ms()) < 5000, "the strip says when each picture was made"
    assert (shown[-1]["wide"], shown[-1]["high"]) == (640, 480)
    stats = viewer.stats()
    assert stats["jitterBufferDelay"] < stats["jitterBufferTargetDelay"] / 4, "no picture is kept back"
    filmed.say({"do": "end"})
    assert filmed.until(did="ended")["why"] == "end"
    _gone(filmed)


def test_the_gateways_death_ends_it(filmed: Filmed, viewer: Viewer) -> None:
    _live(filmed, viewer)
    filmed.hang_up()
    _gone(filmed)


def test_a_lease_that_is_not_renewed_ends_it_and_one_that_is_does_not(filmed: Filmed, viewer: Viewer) -> None:
    _live(filmed, viewer)
    for _ in range(3):
        until_ms = now_ms() + 1500
        filmed.say({"do": "renew", "until_ms": until_ms})
        time.sleep(1)
    assert filmed.until(did="ended")["why"] == "until"
    assert until_ms <= now_ms() < until_ms + 2000 * GONE_WITHIN_S
    _gone(filmed)


def test_a_process_that_hangs_past_its_lease_is_killed_by_the_kernel(filmed: Filmed, viewer: Viewer) -> None:
    _live(filmed, viewer)
    filmed.say({"do": "renew", "until_ms": now_ms() + 1500})
    time.sleep(0.5)  # it reads this, and hangs then
    os.kill(filmed.process.pid, signal.SIGSTOP)
    time.sleep(2.5)
    os.kill(filmed.process.pid, signal.SIGCONT)
    assert filmed.process.wait(2 * GONE_WITHIN_S) == -signal.SIGALRM


def test_a_process_that_hangs_is_killed_by_the_kernel_long_before_its_lease(
    filmed: Filmed, viewer: Viewer
) -> None:
    _live(filmed, viewer)
    os.kill(filmed.process.pid, signal.SIGSTOP)
    time.sleep(5.2)
    os.kill(filmed.process.pid, signal.SIGCONT)
    assert filmed.process.wait(GONE_WITHIN_S) == -signal.SIGALRM


def test_the_same_viewer_comes_back_and_may_look_otherwise(filmed: Filmed, viewer: Viewer) -> None:
    _live(filmed, viewer)
    clear = viewer.grey()
    _live(filmed, viewer, view="silhouette")
    viewer.until_frames(20)
    assert len(set(viewer.grey()[100:, :].ravel() // 8)) < len(set(clear[100:, :].ravel() // 8))
    assert filmed.process.poll() is None


def test_a_mask_is_black_in_every_view(filmed: Filmed, viewer: Viewer) -> None:
    mask = [[0.5, 0.25], [1.0, 0.25], [1.0, 0.75], [0.5, 0.75]]
    for view in ("clear", "blurred", "silhouette"):
        _live(filmed, viewer, view=view, masks=[mask], enhance=True)
        viewer.until_frames(8)
        assert viewer.grey()[130:350, 330:630].max() < 16, view


def test_a_viewer_that_never_comes_or_goes_without_a_word_ends_it(filmed: Filmed, viewer: Viewer) -> None:
    _live(filmed, viewer)
    viewer.page.evaluate("pc.close()")
    assert filmed.until(did="ended")["why"] == "viewer"
    _gone(filmed)


@pytest.mark.parametrize(("kbit_s", "least"), [(1500, 12), (150, 5)])
def test_pictures_come_over_a_poor_link(
    cabled: Cabled, viewer: Viewer, filmed: Filmed, kbit_s: int, least: int
) -> None:
    with PoorLink(cabled.here, kbit_s, 0.05) as link:
        filmed.start(viewer.offer())
        viewer.take(link.between(filmed.answer()))
        filmed.until(did="live")
        viewer.until_frames(2)
        time.sleep(8)  # what the link carries is found out
        before = len(viewer.frames())
        time.sleep(10)
        shown = viewer.frames()[before:]
    assert len(shown) / 10 >= least
    gaps = [(after["at"] - before["at"]) / 1000 for before, after in pairwise(shown)]
    assert max(gaps) < 2.0, f"it froze for {max(gaps):.1f} s"


def test_a_browser_without_h264_is_sent_vp8(filmed: Filmed, viewer: Viewer) -> None:
    filmed.start(viewer.offer().replace("H264/90000", "H999/90000"))
    viewer.take(filmed.answer())
    shown = viewer.until_frames(20)
    assert (shown[-1]["wide"], shown[-1]["high"]) == (640, 480)
    assert abs(shown[-1]["told"] - now_ms()) < 5000, "the strip says when each picture was made"


@needs_firefox
def test_firefox_is_sent_what_it_reads(filmed: Filmed, cabled: Cabled, tmp_path: Path) -> None:
    with FirefoxPage(cabled.within, tmp_path) as page:
        viewer = Viewer(page)
        _live(filmed, viewer)
        shown = viewer.until_frames(20)
    assert (shown[-1]["wide"], shown[-1]["high"]) == (640, 480)
    assert abs(shown[-1]["told"] - now_ms()) < 10_000, "the strip says when each picture was made"


def test_what_a_browser_offers_that_reads_neither_is_refused_in_words(filmed: Filmed, viewer: Viewer) -> None:
    offer = viewer.offer()
    filmed.start(re.sub("(H264|VP8)/90000", "H999/90000", offer))
    refused = filmed.hear()
    assert refused["error"] == "codec"
    assert "H.264" in refused["text"]["en"]
    assert filmed.hear()["why"] == "codec"
    _gone(filmed)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"kind": "v4l2", "device": "/dev/video99"}, "absent"),
        ({"kind": "rtsp", "url": "rtsp://127.0.0.1:9/x", "username": "u", "password": "secret"}, "absent"),
        ({"kind": "file", "path": "/nonexistent.mp4"}, "absent"),
        ({"kind": "file", "path": __file__}, "absent"),
        ({"kind": "picamera2"}, "missing"),
        ({"kind": "file", "path": "http://127.0.0.1/x.mp4"}, "absent"),
        ({"kind": "lens"}, "source"),
    ],
)
def test_a_camera_that_is_not_there_is_told_in_words(
    filmed: Filmed, viewer: Viewer, source: dict[str, str], why: str, tmp_path: Path
) -> None:
    filmed.start(viewer.offer(), source)
    ended = filmed.until(did="ended")
    assert ended["why"] == why
    assert "secret" not in str(ended)
    _gone(filmed)
