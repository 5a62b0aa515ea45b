"""A look through a camera, on the real node and broker: whatever happens, nobody films after it."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homenode.journal import Journal
from homenode.journal.report import entries_of
from homenode.session.sessions import Why
from homenode.session.words import ENDED
from tests.system.brokers import needs_mosquitto
from tests.system.interruptions import INTERRUPTIONS, at_random, interrupted
from tests.system.looks import STAND_IN, Flat, accepting, flat, needs_systemd, until
from tests.system.nodes import PATIENCE_S, ImpatientNode, homenode, in_an_hour

pytest.importorskip("pigpio", reason="the extra gpio is not installed")
pytestmark = needs_mosquitto

SHOT = {"camera": "bed", "view": "silhouette", "reason": "round", "sdp": "offer"}
ASKS = "ask: yes, answer_within: 5 s, announce: light"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Flat]:
    with flat(tmp_path) as made:
        yield made


def events(home: Flat) -> list[tuple[str, str]]:
    """What the log says, each with why."""
    return [(entry["event"], entry.get("why") or entry.get("code") or "") for entry in home.entries()]


def live(home: Flat) -> None:
    until(lambda: events(home)[-1][0] == "live", PATIENCE_S, home.seen)


def test_a_granted_look_is_lit_filmed_renewed_ended_and_written_down(home: Flat) -> None:
    with home.run() as node:
        assert home.lit() == (False, False)
        look = home.look()
        assert (look["sdp"], look["view"]) == ("answer to offer", "silhouette")
        assert home.lit() == (True, True)
        (film,) = home.films()
        told = json.loads((home.folder / "captures" / f"{film}.json").read_text())
        assert told["source"] == {"kind": "file", "path": str(home.folder / "good")}
        assert (told["view"], told["ice"], told["enhance"], told["session"]) == (
            "silhouette",
            {},
            True,
            look["session"],
        )
        assert os.getpgid(film) == film, "a group of its own"
        live(home)
        assert home.refused(view="blurred") == "busy"
        assert home.asked(session=look["session"], renew=True)["result"]["until"] > look["until"]
        shown = node.ask("video")
        assert shown.stdout.startswith("live: bedroom, silhouette, until")
        assert node.ask("switch", "ir.light", "off").returncode == 1, "it is the camera's"
        ended = home.asked(session=look["session"], end=True)["result"]
        home.dark()
        assert home.asked(session=look["session"], renew=True)["error"]["code"] == "viewer"
        entries = home.entries()
        assert events(home) == [("granted", ""), ("live", ""), ("refused", "busy"), ("ended", "viewer")]
        last = entries[-1]
        assert (last["by"], last["reason"], last["view"], last["camera"]) == (
            "Eva",
            "round",
            "silhouette",
            "bed",
        )
        assert entries[1]["at"] == last["from"] < last["to"]
        assert ended["entry"] == {"n": last["n"], "hash": last["hash"]}
        assert "Eva" in node.ask("video", "log").stdout
        assert node.ask("video").stdout == "nobody looks\n"
    assert homenode("journal", "verify", "--data", str(home.folder / "data")).returncode == 0


def test_who_looks_is_told_that_the_picture_is_frozen(home: Flat) -> None:
    home.describe(mood="frozen")
    with home.run():
        look = home.look()
        assert "warning" not in look
        live(home)

        def warned() -> bool:
            told = home.asked(session=look["session"], renew=True)["result"]
            return told.get("warning") == {"sv": "fryst", "en": "frozen"}

        until(warned, PATIENCE_S, home.seen)


def test_what_no_decision_allows_is_refused_and_written_down_and_nothing_is_started(home: Flat) -> None:
    home.describe(more="ask: never, modes: [home]")
    with home.run() as node:
        assert home.refused(view="clear") == "view"
        assert home.refused(camera="bath") == "no_camera"
        assert node.ask("mode", "away").returncode == 0
        assert home.refused() == "not_now"
        assert events(home) == [("refused", "view"), ("refused", "no_camera"), ("refused", "not_now")]
        assert home.asked(session="nobody's", renew=True)["error"]["code"] == "no_session"
        home.care.send("hn1/looks-2/care/command", {"id": "x", "do": "video", "by": "Eva", "args": SHOT})
        home.care.send(
            "hn1/looks-1/property/command",
            body := {
                "id": "y",
                "do": "video",
                "by": "Ola",
                "expires": in_an_hour(),
                "args": SHOT,
            },
        )
        assert home.reply("y")["error"]["code"] == "not_allowed"
        home.care.send("hn1/looks-1/care/command", {**body, "id": "z", "expires": in_an_hour(-1)})
        assert home.reply("z")["error"]["code"] == "expired"
        assert home.care.reply("x") is None
        assert not (home.folder / "captures").exists()
        assert home.lit() == (False, False)


def test_an_id_that_comes_again_is_answered_and_nobody_looks_again_also_after_a_restart(home: Flat) -> None:
    body = {"id": "once", "do": "video", "by": "Eva", "expires": in_an_hour(), "args": SHOT}
    with home.run() as node:
        home.care.send("hn1/looks-1/care/command", body)
        session = home.reply("once")["result"]["session"]
        assert home.asked(session=session, end=True)["ok"]
        home.dark()
        node.stop()
    with home.run():
        before = len(home.care.messages)
        home.care.send("hn1/looks-1/care/command", body)
        home.care.until(
            lambda seen: any(
                told.get("id") == "once" and "ok" in told for _, told, _ in seen.messages[before:]
            ),
            "the same answer",
        )
        assert home.refused(view="clear") == "view"  # and what was asked before it has been done
        assert [event for event, _ in events(home)].count("granted") == 1
        assert home.lit() == (False, False)


@pytest.mark.parametrize(
    ("answer", "granted", "why"),
    [
        (lambda home: home.sim.do("press ok"), True, ""),
        (lambda home: home.node.ask("video", "yes"), True, ""),
        (lambda home: home.sim.do("press no"), False, "refused"),
        (lambda home: home.node.ask("video", "no"), False, "refused"),
        (lambda home: None, False, "unanswered"),
    ],
    ids=["ok button", "yes at the panel", "stop button", "no at the panel", "silence"],
)
def test_who_is_asked_decides(home: Flat, answer: Callable[[Flat], object], granted: bool, why: str) -> None:
    home.describe(more=ASKS if why == "unanswered" else ASKS.replace("5 s", "60 s"))
    with home.run():
        asked = home.ask(**SHOT)
        until(lambda: events(home) == [("asked", "")], PATIENCE_S, home.seen)
        assert not (home.folder / "captures").exists()
        assert home.lit() == (False, False)
        answer(home)
        told = home.reply(asked)
        assert told["ok"] is granted
        if granted:
            assert home.lit() == (True, True)
        else:
            assert told["error"]["code"] == why
            assert events(home)[-1] == ("ended", why)
            assert not (home.folder / "captures").exists()


def test_the_resident_stops_it_with_the_button_or_at_the_panel(home: Flat) -> None:
    with home.run() as node:
        home.look()
        home.sim.do("press no")
        home.dark(1.5)
        home.look()
        assert node.ask("video", "stop").returncode == 0
        home.dark(1.0)
        assert [why for event, why in events(home) if event == "ended"] == ["stopped", "stopped"]


def test_the_longest_that_is_allowed_ends_it(home: Flat) -> None:
    home.describe(more="ask: never, longest: 5 s, announce: light")
    with home.run():
        home.look()
        until(lambda: not home.films(), 7, home.seen)
        home.dark()
        assert events(home)[-1] == ("ended", "limit")


@pytest.mark.parametrize(
    ("mood", "code"), [("dies", ""), ("deaf", ""), ("refuses", "codec"), ("garbage", "capture")]
)
def test_whatever_the_process_does_that_films(home: Flat, mood: str, code: str) -> None:
    home.describe(mood)
    with home.run():
        if code:
            assert home.refused() == code
        else:
            look = home.look()
            if mood == "deaf":
                home.asked(session=look["session"], end=True)
        until(lambda: any(event == "ended" for event, _ in events(home)), PATIENCE_S, home.seen)
        home.dark()
        assert events(home)[-1] == ("ended", "viewer" if mood == "deaf" else "capture")
        home.describe("good")
        assert home.node.ask("reload").returncode == 0
        home.look()  # and the camera is free again


@pytest.mark.parametrize("mood", ["silent", "once"])
def test_an_offer_that_is_left_unanswered_ends_the_look_and_is_told_as_that(home: Flat, mood: str) -> None:
    home.describe(mood)
    with home.run(kind=ImpatientNode):
        if mood == "once":
            session = home.look()["session"]
            answer = home.asked(session=session, sdp="another")
        else:
            answer = home.asked(**SHOT)
        assert answer["error"] == {"code": "capture", "text": ENDED[Why.CAPTURE]}
        home.dark()
        assert events(home)[-1] == ("ended", "capture")


@needs_systemd
@pytest.mark.parametrize("mood", ["good", "dies", "deaf", "stopped"])
def test_what_systemd_starts_is_gone_within_a_second_and_dark(home: Flat, mood: str) -> None:
    """It is not the node's to kill: systemd may have started it as another user."""
    home.describe(mood if mood in ("dies", "deaf") else "good")
    with accepting(home.folder / "video", *STAND_IN.split(), "3") as path, home.run(capture=f"unix:{path}"):
        look = home.look()
        if mood != "dies":
            live(home)
            if mood == "stopped":
                os.kill(*home.films(), signal.SIGSTOP)
            home.asked(session=look["session"], end=True)
        home.dark()
        assert events(home)[-1] == ("ended", "capture" if mood == "dies" else "viewer")


@pytest.mark.parametrize("end", ["viewer", "kill -9 of the node"])
def test_what_films_and_was_stopped_is_gone_too(home: Flat, end: str) -> None:
    with home.run():
        home.look()
        live(home)
        os.kill(*home.films(), signal.SIGSTOP)
        INTERRUPTIONS[end](home)
        home.dark()


@needs_systemd
def test_a_lamp_waits_for_nobody_and_the_light_tells_as_long_as_somebody_may_film(home: Flat) -> None:
    """What hangs in a device can't be killed at all; here it is one that holds no leash."""
    home.describe("deaf")
    unleashed = (*STAND_IN.split(), "3", "unleashed")
    with accepting(home.folder / "video", *unleashed) as path, home.run(capture=f"unix:{path}") as node:
        look = home.look()
        home.asked(session=look["session"], end=True)
        until(lambda: home.lit() == (False, True), 1.0, home.seen)
        node.until("can't be killed")
        assert home.lit() == (False, True)
        assert home.refused() == "busy"
        os.kill(*home.films(), signal.SIGKILL)
        home.dark()


def test_a_decision_that_was_taken_back_ends_it(home: Flat) -> None:
    with home.run() as node:
        home.look()
        home.describe(more="ask: yes")
        assert node.ask("reload").returncode == 0
        home.dark()
        assert events(home)[-1] == ("ended", "decision")


def test_a_light_of_which_nothing_is_known_any_more_ends_it(home: Flat) -> None:
    with home.run():
        home.look()
        live(home)
        home.sim.process.kill()  # the pins' daemon
        until(lambda: not home.films(), PATIENCE_S, lambda: home.node.log)
        assert events(home)[-1] == ("ended", "indicator")


def test_a_forged_and_a_missing_entry_are_found(home: Flat) -> None:
    with home.run() as node:
        for _ in range(2):
            look = home.look()
            home.asked(session=look["session"], end=True)
            home.dark()
        node.stop()
    entries, _ = entries_of(home.folder / "data")

    def as_told(folder: str, of: list[dict[str, object]]) -> str:
        (home.folder / folder).mkdir()
        with Journal.open(home.folder / folder) as journal:
            for entry in of:
                journal.append({"t": "look", "at": 1, "entry": entry, "lit": []}, klass="alert")
        verified = homenode("journal", "verify", "--data", str(home.folder / folder))
        shown = homenode("video", "log", "--data", str(home.folder / folder))
        assert verified.returncode == shown.returncode
        return verified.stdout if verified.returncode else ""

    assert as_told("whole", entries) == ""
    assert "entry 2 was changed" in as_told(
        "changed", [entries[0], {**entries[1], "by": "nobody"}, *entries[2:]]
    )
    assert "entry 3 is missing" in as_told("missing", entries[:2] + entries[3:])


def test_the_log_goes_with_the_tenancy_and_what_it_was_is_proved(home: Flat) -> None:
    with home.run() as node:
        look = home.look()
        head = home.asked(session=look["session"], end=True)["result"]["entry"]
        home.dark()
        node.stop()
    data = home.folder / "data"
    erased = homenode("journal", "erase", "--yes", "--data", str(data))
    assert erased.returncode == 0, erased.stdout
    assert f"log of looks: {head['n']} entries, the last {head['hash']}" in erased.stdout
    assert not any(
        look["session"].encode() in path.read_bytes() for path in data.rglob("*") if path.is_file()
    )
    assert homenode("video", "log", "--data", str(data)).stdout.splitlines()[1:] == []
    with home.run():
        home.look()
        assert home.entries()[0]["n"] == 1


@pytest.mark.parametrize("count", [8, pytest.param(50, marks=pytest.mark.looks)])
def test_looks_interrupted_at_random_leave_nothing(home: Flat, count: int) -> None:
    chance = random.Random(7)
    interrupted(
        home,
        at_random(chance, count),
        lambda: home.ask(**SHOT),
        lambda: chance.choice((0.0, 0.05, 0.3)) + chance.random() / 10,
        mood=lambda: chance.choice(("good", "good", "good", "deaf", "silent")),
        capture=STAND_IN,
    )
