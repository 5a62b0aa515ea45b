"""A look through a camera from the console's page, in a real Chromium: offer and answer over a real broker.

The home is a peer of WebRTC that nobody here wrote (aiortc), behind the contract's command `video`.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt import client as mqtt

from homenode.contract.command import Command, parse_command
from homenode.gateway.clock import Clock
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.flats import needs_chromium
from tests.system.nodes import PATIENCE_S
from tests.system.receivers import Homes

aiortc = pytest.importorskip("aiortc", reason="aiortc is not installed")
pytest.importorskip("jinja2", reason="the extra console is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from aiortc.mediastreams import VideoStreamTrack  # noqa: E402 - it needs the extra

from tests.system.consoles import Client, Console, person  # noqa: E402 - it needs the extra

pytestmark = [needs_mosquitto, needs_chromium]
CAMERAS = """\
roster: false
rounds:
  - {home: north-1, camera: bedroom, at: ["00:00", "06:00", "12:00", "18:00"]}
"""


LOOK = "/video?home=north-1&camera=bedroom"
OFFER = (Path(__file__).parents[1] / "unit" / "video" / "chromium.sdp").read_text()
ASKED = {"home": "north-1", "camera": "bedroom", "view": "clear", "reason": "x", "sdp": OFFER}


class Filming:
    """A home that lets everybody look: one green picture after the other, until the lease ends."""

    def __init__(self, port: int) -> None:
        self.commands: list[Command] = []
        self.mood, self.until = "lets", "2099-12-31T00:00:00Z"
        self.warning: dict[str, Any] = {}
        self.error = {"code": "refused", "text": "the resident said no"}
        self._loop = asyncio.new_event_loop()
        self._peer: Any = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _client, _data, message: self._came(message)
        self._client.on_connect = lambda client, *_: client.subscribe("hn1/north-1/care/command", 1)
        self._client.connect("127.0.0.1", port)

    def _came(self, message: mqtt.MQTTMessage) -> None:
        command = parse_command(message.payload, "care", Clock().wall())
        assert isinstance(command, Command), command
        self.commands.append(command)
        asyncio.run_coroutine_threadsafe(self._do(command), self._loop)

    async def _do(self, command: Command) -> None:
        answer: dict[str, Any] = {"id": command.id, "ok": True, "result": {}}
        if self.mood == "refuses":
            answer = {
                "id": command.id,
                "ok": False,
                "error": self.error,
            }
        elif "sdp" in command.args:
            self._peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
            self._peer.addTrack(VideoStreamTrack())
            await self._peer.setRemoteDescription(aiortc.RTCSessionDescription(command.args["sdp"], "offer"))
            await self._peer.setLocalDescription(await self._peer.createAnswer())
            answer["result"] = {"session": "s1", "sdp": self._peer.localDescription.sdp, "until": self.until}
        elif self.mood == "stopped" and "renew" in command.args:
            error = {"code": "stopped", "text": "the resident stopped it"}
            answer = {"id": command.id, "ok": False, "error": error}
        elif "renew" in command.args:
            answer["result"] = {"session": "s1", "until": self.until, **self.warning}
        elif "end" in command.args:
            await self.stop()
        if self.mood != "silent":
            self._client.publish("hn1/north-1/care/reply", json.dumps(answer), 1)

    async def stop(self) -> None:
        """No more pictures."""
        if self._peer is not None:
            await self._peer.close()
            self._peer = None

    def asked(self, word: str) -> list[Command]:
        """Commands whose arguments have this."""
        return [command for command in self.commands if word in command.args]

    def __enter__(self) -> Self:
        self._thread.start()
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.stop(), self._loop).result(PATIENCE_S)
        self._client.disconnect()
        self._client.loop_stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)


@pytest.fixture
def homes(broker: Mosquitto) -> Iterator[Homes]:
    with Homes(broker.port) as sending:
        sending.looks("north-1", "silhouette", "clear")
        yield sending


@pytest.fixture
def both(tmp_path: Path, broker: Mosquitto, homes: Homes) -> Iterator[tuple[Console, Filming]]:
    with Console(tmp_path, broker.port, CAMERAS) as console, Filming(broker.port) as home:
        yield console, home


def test_a_round_is_looked_at_renewed_ended_and_written_down(both: Any, browser: Any) -> None:
    console, home = both
    with person(browser, console, "eva") as page:
        page.goto(f"{console.url}/rounds")
        page.get_by_role("link", name="Next: north-1").click()
        assert not home.commands  # nothing is asked before the button
        page.get_by_role("button", name="Look now").click()
        page.get_by_text("Live.").wait_for()
        console.until(lambda: int(page.locator("video").get_attribute("data-frames")) > 20, "a second of it")
        [asked] = home.asked("sdp")
        assert (asked.by, asked.args["camera"], asked.args["view"]) == ("Eva Lind", "bedroom", "silhouette")
        assert asked.args["reason"].startswith("Round ")
        home.warning = {"warning": {"sv": "Bilden står still.", "en": "The picture is frozen."}}
        page.get_by_role("alert").filter(
            has_text="The picture is frozen."
        ).wait_for()  # with the lease's renewal
        page.get_by_role("button", name="Stop looking").click()
        console.until(lambda: home.asked("end"), "the end")
        page.get_by_role("button", name="Seen to").click()
        page.get_by_text("Nothing to look in on now.").wait_for()
        page.get_by_role("link", name="Views").click()
        shown = page.locator("tbody tr").first.inner_text()
        assert "Eva Lind" in shown
        assert "Silhouette" in shown
        assert "Ended" in shown


def test_a_press_on_a_slow_line_is_a_look(both: Any, browser: Any) -> None:
    console, home = both
    with person(browser, console, "eva") as page:
        page.route("**/video.js", lambda route: (page.wait_for_timeout(1000), route.continue_()))
        page.goto(f"{console.url}{LOOK}", wait_until="commit")
        page.get_by_label("Why").fill("asked for by her daughter")
        page.get_by_role("button", name="Look now").click()
        page.get_by_text("Live.").wait_for()
    assert home.asked("sdp")


def test_a_page_that_is_left_ends_its_look(both: Any, browser: Any) -> None:
    console, home = both
    with person(browser, console, "eva") as page:
        page.goto(f"{console.url}{LOOK}")
        page.get_by_label("Why").fill("asked for by her daughter")
        page.get_by_label("Clear").check()
        page.get_by_role("button", name="Look now").click()
        page.get_by_text("Live.").wait_for()
        page.goto(console.url)
        console.until(lambda: home.asked("end"), "the end")
    assert home.asked("sdp")[0].args["view"] == "clear"


def test_a_refusal_is_told_in_the_readers_language_and_written_down(both: Any, browser: Any) -> None:
    console, home = both
    home.mood = "refuses"
    with person(browser, console, "eva", locale="sv-SE") as page:
        page.goto(f"{console.url}{LOOK}")
        page.get_by_label("Varför").fill("rond")
        page.get_by_role("button", name="Titta nu").click()
        page.get_by_text("Den boende sa nej. Ring, eller gå dit.").wait_for()
        home.error = {"code": "of_a_newer_home", "text": "the moon is full"}
        page.get_by_role("button", name="Titta nu").and_(page.locator(":enabled")).click()
        page.get_by_text("the moon is full").wait_for()
        for path in ("/views", "/log"):
            page.goto(f"{console.url}{path}")
            page.get_by_text("Den boende sa nej. Ring, eller gå dit.").wait_for()
            page.get_by_text("the moon is full").wait_for()
        page.goto(f"{console.url}/views?language=en")
        page.get_by_text("The resident said no. Telephone, or go there.").wait_for()


def test_why_a_look_ended_is_told_and_nothing_is_called_live_meanwhile(both: Any, browser: Any) -> None:
    console, home = both
    with person(browser, console, "eva", viewport={"width": 360, "height": 740}) as page:
        page.goto(f"{console.url}{LOOK}")
        page.get_by_label("Why").fill("round")
        page.get_by_role("button", name="Look now").click()
        page.get_by_text("Live.").wait_for()
        box = page.locator("video").bounding_box()
        assert box["width"] == page.locator(".seen").bounding_box()["width"]
        assert box["height"] == pytest.approx(box["width"] * 480 / 640, abs=2), "no black above and below"
        asyncio.run_coroutine_threadsafe(_hold(home), home._loop).result(PATIENCE_S)
        page.get_by_text("The picture does not move").wait_for()
        assert page.get_by_text("Live. The resident").count() == 0
        home.mood = "stopped"
        page.get_by_text("The resident ended the look.").wait_for()
        assert page.get_by_text("The picture does not move").count() == 0
        page.goto(f"{console.url}/views")
        page.get_by_text("The resident ended the look.").wait_for()
        for cell in page.locator("td").all():
            box = cell.bounding_box()
            assert box["x"] + box["width"] <= 360, cell.inner_text()


def test_a_console_that_is_gone_says_so_in_words(both: Any, browser: Any) -> None:
    console, _ = both
    with person(browser, console, "eva") as page:
        page.goto(f"{console.url}{LOOK}")
        page.get_by_label("Why").fill("round")
        console.kill()
        page.get_by_role("button", name="Look now").click()
        page.get_by_text("The console doesn't answer").wait_for()


def test_a_look_that_the_console_did_not_live_to_hear_of_is_in_its_log(both: Any) -> None:
    console, home = both
    home.mood = "silent"
    eva = Client(console).sign_in("eva")
    asked = json.dumps({**ASKED, "reason": "she fell"})
    asking = threading.Thread(target=_until_cut_off, args=(eva, asked, eva.csrf()))
    asking.start()
    console.until(lambda: home.asked("sdp"), "the question")
    console.kill()
    asking.join(PATIENCE_S)
    console.start()
    assert "she fell" in eva.get("/views").text
    assert "asked to look" in eva.get("/log").text


def _until_cut_off(client: Client, body: str, csrf: str) -> None:
    with suppress(OSError, http.client.HTTPException):
        client.ask("POST", "/video/ask", body, X_CSRF=csrf)


async def _hold(home: Filming) -> None:
    for sender in home._peer.getSenders():
        sender.replaceTrack(None)


def test_an_offer_comes_to_an_open_alert_and_one_tap_looks(both: Any, homes: Homes, browser: Any) -> None:
    console, home = both
    homes.alert("north-1", name="fall")
    with person(browser, console, "eva") as page:
        page.get_by_role("link", name="north-1").click()
        page.get_by_role("heading", name="What happened").wait_for()
        page.evaluate("window.loaded = 'once'")
        assert page.get_by_text("The home offers a look").count() == 0
        homes.alert("north-1", name="fall", offers=["bedroom"])  # as its node tells of the step offer_video
        page.get_by_text("The home offers a look").wait_for()
        assert not home.commands  # nothing before the tap
        page.get_by_role("button", name="Look now").click()
        page.get_by_text("Live.").wait_for()
        page.get_by_text("the node's clock").wait_for()
        [asked] = home.asked("sdp")
        assert (asked.args["view"], asked.args["reason"]) == ("silhouette", "Alert: The door is open")
        page.get_by_role("button", name="Stop looking").click()
        page.get_by_role("button", name="Look now").and_(page.locator(":enabled")).wait_for()
        eva, key = Client(console).sign_in("eva"), page.url.rpartition("/")[2]
        assert 'value="Alert: The door is open"' in eva.get(f"{LOOK}&for={key}").text
        eva.post(f"/alert/{key}/close", {"note": "a false alarm"})
        page.get_by_text("The home offers a look").wait_for(state="detached")
        assert "The home offers a look" not in eva.get(f"/alert/{key}").text
        assert 'value="Alert: The door is open"' not in eva.get(f"{LOOK}&for={key}").text
        assert page.evaluate("window.loaded") == "once"


def test_a_look_whose_browser_died_is_over_when_its_lease_is(both: Any) -> None:
    console, home = both
    eva = Client(console).sign_in("eva")
    looked = eva.ask("POST", "/video/ask", json.dumps(ASKED), X_CSRF=eva.csrf())
    assert looked.status == 200
    renewal = json.dumps({"session": json.loads(looked.text)["session"]})
    console.kill()
    console.start()
    assert "how is not known" not in eva.get("/views").text  # it may go on
    home.until = "2026-01-05T06:12:03.250+01:00"
    assert eva.ask("POST", "/video/renew", renewal, X_CSRF=eva.csrf()).status == 200
    console.until(lambda: "how is not known" in eva.get("/views").text, "its end")
    assert "at the latest" in eva.get("/views").text
    log = eva.get("/log")  # where nobody did it
    assert log.status == 200
    assert "how is not known" in log.text
    assert eva.ask("POST", "/video/renew", renewal, X_CSRF=eva.csrf()).status == 404


def test_only_the_one_who_looks_may_renew_or_end(both: Any) -> None:
    console, home = both
    eva, nils = Client(console).sign_in("eva"), Client(console).sign_in("nils")

    def send(client: Client, path: str, **body: Any) -> int:
        return client.ask("POST", path, json.dumps(body), X_CSRF=client.csrf()).status

    home.mood = "refuses"
    assert send(eva, "/video/ask", **ASKED) == 409
    assert send(eva, "/video/ask", **ASKED | {"view": "infrared"}) == 409
    assert send(eva, "/video/ask", **ASKED | {"reason": ""}) == 409
    assert send(eva, "/video/ask", **ASKED | {"sdp": "v" * 61_000}) == 409
    assert send(eva, "/video/ask", **ASKED | {"camera": "bath"}) == 404
    assert len(home.commands) == 1
    home.mood = "lets"
    looked = eva.ask("POST", "/video/ask", json.dumps(ASKED), X_CSRF=eva.csrf())
    session = json.loads(looked.text)["session"]
    for path in ("/video/renew", "/video/end"):
        assert send(nils, path, session=session) == 404
        assert send(eva, path, session=session) == 200
    assert send(eva, "/video/renew", session=session) == 404
