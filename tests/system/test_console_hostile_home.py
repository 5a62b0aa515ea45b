"""A home that says what no home says: it is shown as it is or not at all, and breaks nobody's page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.receivers import AT, Homes

pytest.importorskip("jinja2", reason="the extra console is not installed")

from tests.system.consoles import Client, Console

pytestmark = needs_mosquitto
ODD: tuple[Any, ...] = (
    None, True, -1, 1e308, float("inf"), float("nan"), 10**400, "", [], {}, [[]], [{}], {"sv": 1}, {"en": []},
    "x" * 20_000, "\u202e\x00\x1b[31m\r\nSet-Cookie: x", "9999-12-31T23:59:59.999+23:59", {"a": {"b": [1]}},
    "0001-01-01T00:00:00.000-23:59",
)  # fmt: skip
DATA = (
    "rule", "severity", "event", "at", "room", "text", "evidence", "test", "raised", "answered", "why",
    "thresholds", "faults", "because", "by", "reason",
)  # fmt: skip
POINT = {"point": "stove.power", "value": 1420, "unit": "W", "quality": "good", "at": AT, "since": AT}
STATUS = {
    "open": [{"event": "fault", "text": {"en": "The radio is gone"}}], "health": {"state": "good"},
    "versions": {"homenode": "1"}, "mode": "home", "home": "x", "at": AT, "looks": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


class Hostile:
    """Says anything on a topic of its own."""

    def __init__(self, homes: Homes) -> None:
        self._homes, self.said, self.homes = homes, 0, list[str]()

    def say(self, word: str, body: Mapping[str, Any]) -> None:
        """Each time as another home."""
        self.said += 1
        self._homes.send(f"hn1/odd-{self.said}/{word}", body, retain="alerts" not in word)

    def alert(self, data: dict[str, Any], **body: Any) -> None:
        known = {"alert": f"a{self.said}", "rule": "r", "severity": "alarm", "event": "notified", "at": AT}
        words = {"room": "hall", "text": {"sv": "a", "en": "b"}, "evidence": [POINT], "test": False}
        event = {"id": f"odd.{self.said}", "type": "hn1.alert.notified", "subject": "r", "time": AT}
        self.say("care/alerts", {**event, "data": known | words | data, **body})


def test_no_value_of_any_field_breaks_a_page_or_ends_the_console(tmp_path: Path, broker: Mosquitto) -> None:
    with Console(tmp_path, broker.port) as console, Homes(broker.port) as homes:
        hostile = Hostile(homes)
        for odd in ODD:
            for field in DATA:
                hostile.alert({field: odd})
            for field in POINT:
                hostile.alert({"evidence": [POINT, POINT | {field: odd}]})
            for field in ("type", "subject", "time", "sequence", "epoch"):
                hostile.alert({}, **{field: odd})
            for field in STATUS:
                hostile.say("care/status", STATUS | {field: odd})
                hostile.homes.append(f"/home/odd-{hostile.said}")
            hostile.say("link", {"online": odd})
        hostile.alert({"deep": json.loads("[" * 900 + "]" * 900)})
        homes.alert("good-1")
        homes.until_acknowledged()
        eva = Client(console).sign_in("eva")
        console.until(lambda: "good-1" in eva.get("/").text, "the alert of another home", 60)
        eva = Client(console).sign_in("eva")
        page = eva.get("/")
        assert page.status == 200
        assert len(page.text) < 2_000 * page.text.count("<tr ")  # a sentence of 20,000 letters is cut
        assert not re.search(r"[\x00-\x08\x0e-\x1f\u202e]", page.text)
        for path in ("/homes", "/log", "/duty", "/rounds", "/views", "/home/good-1"):
            assert eva.get(path).status == 200, path
        for path in hostile.homes:
            assert eva.get(path).status in (200, 404), path  # as far as its status could be read
        keys = eva.worklist()
        assert len(keys) > 300
        for nth, key in enumerate(keys):
            if nth % 400 == 0:
                eva = Client(console).sign_in("eva")  # so many pages are a flood
            assert eva.get(f"/alert/{key}").status == 200
        assert "Exception in callback" not in console.log


def test_a_home_can_not_speak_for_another_or_close_what_is_anothers(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with Console(tmp_path, broker.port) as console, Homes(broker.port) as homes:
        homes.alert("good-1", name="door:1")
        homes.until_acknowledged()
        hostile = Hostile(homes)
        for told in ("resolved", "acknowledged"):  # the broker lets it write under its own name only
            hostile.alert({"alert": "door:1", "event": told, "by": "Eva Lind"}, type=f"hn1.alert.{told}")
            hostile.alert({"alert": "door:1", "event": told}, type=f"hn1.alert.{told}", source="hn1/good-1")
        hostile.alert({})
        eva = Client(console).sign_in("eva")
        console.until(lambda: len(eva.worklist()) >= 2, "both")
        row = re.search(r"<tr [^>]*>(?:(?!</tr>).)*>good-1<.*?</tr>", eva.get("/").text, re.S)
        assert row is not None
        assert "open in the home" in row[0]
