"""Cameras as they are in homes: on the network, encoded by themselves, and not what they should be."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("aiortc", reason="the extra video is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


from tests.system.filming import Cabled, Filmed, Viewer, needs_a_viewer
from tests.system.relays import Relay, needs_turn

PYTHON = "/usr/bin/python3"
"""Debian's, which has GStreamer's bindings."""
_PROBE = "import gi; gi.require_version('GstRtspServer', '1.0')"


def _no_rtsp_server() -> bool:
    return subprocess.run([PYTHON, "-c", _PROBE], capture_output=True, check=False).returncode != 0


needs_rtsp = pytest.mark.skipif(_no_rtsp_server(), reason="gir1.2-gst-rtsp-server-1.0 is not installed")
pytestmark = needs_a_viewer


@contextmanager
def ip_camera(*told: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Its address, and the camera, to be unplugged."""
    command = [PYTHON, str(Path(__file__).with_name("rtsp_camera.py")), "127.0.0.1", *told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as camera:
        assert camera.stdout is not None
        try:
            yield f"rtsp://127.0.0.1:{camera.stdout.readline().strip()}/bed", camera
        finally:
            camera.kill()


def _watch(filmed: Filmed, viewer: Viewer, source: dict[str, object], **more: object) -> None:
    filmed.start(viewer.offer(), source, **more)
    viewer.take(filmed.answer())
    filmed.until(did="live")
    viewer.until_frames(5)


@needs_rtsp
def test_an_ip_camera_is_passed_on_and_seen_to_move(filmed: Filmed, viewer: Viewer) -> None:
    with ip_camera("ball", "me", "se:cr/et") as (url, _):
        _watch(filmed, viewer, {"kind": "rtsp", "url": url, "username": "me", "password": "se:cr/et"})
        before = viewer.grey()
        viewer.until_frames(40)
        assert (before != viewer.grey()).any()
        used_s, at_s = filmed.cpu_s(), time.perf_counter()
        time.sleep(3)
        assert (filmed.cpu_s() - used_s) / (time.perf_counter() - at_s) < 0.15, "nothing is encoded"


@needs_rtsp
def test_a_wrong_password_is_told_as_that_and_not_told_on(filmed: Filmed, viewer: Viewer) -> None:
    with ip_camera("ball", "me", "right") as (url, _):
        filmed.start(viewer.offer(), {"kind": "rtsp", "url": url, "username": "me", "password": "secret"})
        ended = filmed.until(did="ended")
        assert ended["why"] == "denied"
        assert "secret" not in str(ended)


@needs_rtsp
def test_an_ip_camera_in_silhouette_shows_no_picture_of_its_own(filmed: Filmed, viewer: Viewer) -> None:
    with ip_camera("smpte") as (url, _):
        _watch(filmed, viewer, {"kind": "rtsp", "url": url}, view="silhouette")
        assert len(np.unique(viewer.grey()[100:] // 16)) < 14


@needs_rtsp
def test_a_camera_that_is_unplugged_is_told(filmed: Filmed, viewer: Viewer) -> None:
    with ip_camera("ball") as (url, camera):
        _watch(filmed, viewer, {"kind": "rtsp", "url": url})
        camera.kill()
        assert filmed.until(did="ended")["why"] == "unplugged"


@needs_rtsp
def test_a_camera_that_says_nothing_more_is_told(filmed: Filmed, viewer: Viewer) -> None:
    with ip_camera("ball") as (url, camera):
        _watch(filmed, viewer, {"kind": "rtsp", "url": url})
        camera.send_signal(19)  # SIGSTOP: its connection stays
        assert filmed.until(warn="silent")["text"]["en"]
        camera.send_signal(18)
        filmed.until(warn=None)


@needs_rtsp
@pytest.mark.parametrize(("pattern", "warning"), [("black", "black"), ("white", "frozen")])
def test_black_and_frozen_are_told_apart_and_the_clock_runs_on(
    filmed: Filmed, viewer: Viewer, pattern: str, warning: str
) -> None:
    with ip_camera(pattern) as (url, _):
        _watch(filmed, viewer, {"kind": "rtsp", "url": url}, view="blurred")
        assert filmed.until(warn=warning)["text"]["sv"].startswith("Bilden")
        clock = viewer.grey()[:30, :120]
        time.sleep(1.5)
        assert (clock != viewer.grey()[:30, :120]).any()


@needs_turn
def test_a_viewer_outside_the_link_is_reached_through_turn(
    filmed: Filmed, viewer: Viewer, cabled: Cabled, tmp_path: Path
) -> None:
    with Relay(tmp_path, cabled.here) as relay:
        servers = [{"urls": relay.url(cabled.here), "username": relay.user, "credential": relay.secret}]
        filmed.start(viewer.offer(servers), ice={"servers": servers, "relay": True})
        answer = filmed.answer()
        assert re.findall(r"typ (\w+)", answer) == ["relay"], "its own addresses are told nobody"
        viewer.take(answer)
        filmed.until(did="live")
        viewer.until_frames(15)
