"""The updater starts: what a restart of its own, amid a trial, may not change."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from homenode.update import machine
from homenode.update.course import Course, Stage
from homenode.update.files import reserve, write_json
from homenode.update.host import Host
from homenode.update.machine import forgotten
from homenode.update.places import Places
from homenode.update.proof import ANSWERS_MS, MINUTE_MS, Before, Verdict, judge
from homenode.update.rauc import Rauc, RaucError, Slot
from homenode.update.updater import FAST_DEADLINE_S, FULL_DEADLINE_S, Updater
from homenode.update.words import why
from tests.unit.update_course import ORDER, known, trying

HOUR = 3_600_000


def updater(folder: Path, boot: str, up: list[int] | None = None) -> Updater:
    """In slot B, where a version is on trial; `up` at last: since the machine started, ms."""
    up = up or [3 * HOUR]
    (folder / "update").mkdir(exist_ok=True)
    slots = [Slot("rootfs.0", "A", False, True), Slot("rootfs.1", "B", True, True)]
    rauc = SimpleNamespace(slots=lambda: slots, mark=lambda *_: None)
    host: Any = SimpleNamespace(
        boot=boot, version="0.2.0", up_ms=lambda: up[-1], wall_ms=lambda **_: 1, sleep=lambda _: None
    )
    return Updater(Places(folder, folder, folder, folder), cast(Rauc, rauc), cast(Host, host), 1)


def well(data: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a gateway says of itself that has nothing to prove."""
    return {
        "start": "1", "up_ms": HOUR, "configuration": True, "rules": [], "radios": {}, "devices": {},
        "broker": None, "link": "down", "brokers": [], "open_alerts": 0, "sessions": 0, "walk": False,
        "data": {"journal": 2, "trouble": "", **(data or {})},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("boot", "fast", "deadline_s"),
    [("boot-1", 1, FULL_DEADLINE_S), ("boot-1", 0, FAST_DEADLINE_S), ("boot-2", 1, FAST_DEADLINE_S)],
    ids=["after the first stage", "before it", "another start of the machine"],
)
def test_an_updater_that_starts_anew_leaves_the_watch_the_time_that_it_had(
    tmp_path: Path, boot: str, fast: int, deadline_s: int
) -> None:
    write_json(tmp_path / "course.json", trying(fast=fast).record())
    updater(tmp_path, boot).begin()
    assert (tmp_path / "trial").read_text() == f"slot=B\nold=A\ndeadline_s={deadline_s}\n"


def _link(path: Path) -> None:
    write_json(path.with_name("other"), ORDER.record())
    path.symlink_to("other")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("put", [os.mkfifo, _link, _socket, Path.mkdir])
def test_what_a_hijacked_gateway_puts_in_the_place_of_the_order_is_none(
    tmp_path: Path, put: Callable[[Path], None]
) -> None:
    write_json(tmp_path / "course.json", trying(stage=Stage.GOOD).record())
    one = updater(tmp_path, "boot-1")
    put(one._places.order)
    found: list[object] = []
    looks = threading.Thread(target=lambda: found.append(one._order()), daemon=True)
    looks.start()
    looks.join(5)
    assert found == [None]


@pytest.mark.parametrize("kept", ["{", "{}", '{"stage": "x"}', '{"highest": 1}'])
def test_an_updater_starts_though_what_it_kept_is_damaged(tmp_path: Path, kept: str) -> None:
    (tmp_path / "course.json").write_text(kept)
    assert updater(tmp_path, "boot-1").course.highest == ""


@pytest.mark.parametrize("stage", [Stage.WAITING, Stage.LOADING, Stage.GOOD, Stage.FAILED])
def test_an_order_that_is_gone_is_forgotten_and_nothing_of_the_home_is_left(
    tmp_path: Path, stage: Stage
) -> None:
    """A tenancy ended (`homenode.enrol.leaving`): the next one didn't order it."""
    course = trying(stage=stage, before=Before(mains=("stove",)), proved="B")
    write_json(tmp_path / "course.json", course.record())
    one = updater(tmp_path, "boot-1")
    one._counted = True
    assert not one.once()
    kept = (tmp_path / "course.json").read_text()
    assert "home-1" not in kept
    assert "stove" not in kept
    assert (one.course.highest, one.course.proved) == ("0.1.0", "B")
    assert json.loads((tmp_path / "update" / "state.json").read_text())["version"] == ""


def test_what_is_on_trial_is_proved_though_its_order_is_gone(tmp_path: Path) -> None:
    assert forgotten(trying()) == trying()
    lost = trying(stage=Stage.FAILED, order=replace(ORDER, id=""))
    assert forgotten(lost) == lost


def test_names_of_the_home_are_kept_for_the_proof_alone() -> None:
    course = trying(before=Before(mains=("stove",)), heard=("stove",))
    assert course.to(Stage.TRYING, {}, 1).before == course.before
    over = course.to(Stage.FAILED, {}, 1, heard=("stove",))
    assert (over.before, over.heard) == (Before(), ())


def test_an_updater_that_starts_anew_asks_a_gateway_that_is_silent_just_now_once_more(tmp_path: Path) -> None:
    write_json(tmp_path / "course.json", trying(fast=1).record())
    seen = updater(tmp_path, "boot-1")._seen
    assert not judge(Before(), seen, 3 * HOUR + ANSWERS_MS - 1).bad
    assert judge(Before(), seen, 3 * HOUR + ANSWERS_MS).bad
    assert judge(Before(), updater(tmp_path, "boot-2")._seen, ANSWERS_MS).bad


def test_when_a_version_became_good_says_nothing_of_when_the_last_sensor_was_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "course.json", trying(fast=1).record())
    up = [3 * HOUR]
    one = updater(tmp_path, "boot-1", up)
    monkeypatch.setattr("homenode.update.updater.judge", lambda *_: Verdict(True, True, False, why("waits")))
    for minute in range(1, 10):
        up.append(3 * HOUR + minute * MINUTE_MS)
        one._prove()
        assert one.course.stage is Stage.TRYING
    up.append(3 * HOUR + 10 * MINUTE_MS)
    one._prove()
    assert one.course.stage is Stage.GOOD


def test_a_version_that_fills_the_disk_leaves_room_to_say_that_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "course.json", trying().record())
    one = updater(tmp_path, "boot-1")
    reserve(one._places.reserve)
    assert one._places.reserve.stat().st_blocks * 512 >= 65_536

    def full(path: Path, *more: Any) -> None:
        if one._places.reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write_json(path, *more)

    monkeypatch.setattr("homenode.update.updater.write_json", full)
    one._keep(one.course.to(Stage.FAILED, {"sv": "nej", "en": "no"}, 1))
    assert json.loads((tmp_path / "course.json").read_text())["stage"] == "failed"
    assert json.loads((tmp_path / "update" / "state.json").read_text())["state"] == "failed"
    reserve(one._places.reserve)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(OSError, match="No space"):
        one._keep(one.course.to(Stage.WAITING, {"sv": "", "en": ""}, 1))


@pytest.mark.parametrize("room", [True, False], ids=["there is the room that was kept", "that is gone, too"])
def test_on_a_disk_that_the_new_version_fills_it_is_judged_and_falls_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    """The room is for how it ends and not for what is said on the way: what fills the disk takes the rest."""
    write_json(tmp_path / "course.json", trying(stage=Stage.REBOOTING, boots=0, boot="boot-0").record())
    one = updater(tmp_path, "boot-1", up := [MINUTE_MS])
    reserve(one._places.reserve)
    writes, marked, answer = [None] * room, [], well({"trouble": "storage"})

    def full(path: Path, *more: Any) -> None:
        if one._places.reserve.exists() or path != one._places.course or not writes:
            raise OSError(errno.ENOSPC, "No space left on device")
        writes.pop()
        write_json(path, *more)

    monkeypatch.setattr("homenode.update.updater.write_json", full)
    monkeypatch.setattr("homenode.update.places.write", full)
    monkeypatch.setattr(one._rauc, "mark", lambda *what: marked.append(what))
    monkeypatch.setattr(one, "_ask", lambda: answer)
    write_json(one._places.order, ORDER.record())
    one._host.minute = lambda *_: 0  # type: ignore[method-assign]  # a clock of the test
    one._host.restart = lambda: marked.append(("restart",))  # type: ignore[method-assign]  # no reboot here
    one._loader = cast(Any, SimpleNamespace(is_loaded=lambda _: False))
    one.begin()
    for minute in range(2, 10):
        up.append(minute * MINUTE_MS)
        if not one.once():
            break
    assert (up[-1], one.course.stage) == (6 * MINUTE_MS, Stage.FALLING)
    assert marked == [("bad", "booted"), ("active", "other"), ("restart",)]
    kept = json.loads((tmp_path / "course.json").read_text())
    assert kept["stage"] == ("falling" if room else "rebooting")


def test_what_a_full_disk_did_not_take_on_trial_is_kept_as_soon_as_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "course.json", trying().record())
    one, passed = updater(tmp_path, "boot-1"), trying(fast=1)
    one.begin()
    with monkeypatch.context() as full:
        full.setattr(one, "_write", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
        one._keep(passed)
    assert (one.course, one._kept().fast) == (passed, 0)
    one._keep(passed)
    assert one._kept() == passed
    one._places.course.unlink()
    one._keep(passed)
    assert not one._places.course.exists(), "once"


def test_a_gateway_that_is_silent_for_a_moment_brings_no_link_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = [HOUR]
    one = updater(tmp_path, "boot-1", up)
    down = {"broker": True, "link": "down", "up_ms": HOUR, "open_alerts": 0, "sessions": 0, "walk": False}
    monkeypatch.setattr(one, "_order", lambda: ORDER)
    monkeypatch.setattr(one, "_loader", SimpleNamespace(is_loaded=lambda _: False))
    monkeypatch.setattr(one._host, "minute", lambda *_: 0, raising=False)
    for said, cut_ms in ((down, HOUR), (None, 2 * HOUR), (down, 3 * HOUR), ({**down, "link": "up"}, 0)):
        up.append(up[-1] + HOUR)
        monkeypatch.setattr(one, "_ask", lambda said=said: said)
        assert one._known().cut_ms == cut_ms


@pytest.mark.parametrize("work", ["_load", "_install"])
@pytest.mark.parametrize(
    ("said", "words"),
    [
        (well() | {"up_ms": 5_000}, "the node has just started"),
        (None, "the node doesn't answer, so nobody knows whether it is busy"),
        (well() | {"broker": True}, "the link is down, so nobody could prove it"),
    ],
    ids=["just started", "silent just now", "its link is down"],
)
def test_while_something_is_loaded_or_installed_nobody_asks_the_gateway_and_that_time_says_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Any, words: str, work: str
) -> None:
    stage = Stage.LOADING if work == "_load" else Stage.REBOOTING
    write_json(tmp_path / "course.json", trying(stage=stage, source_slot="B").record())
    one = updater(tmp_path, "boot-1", up := [HOUR])
    write_json(one._places.order, ORDER.record())
    monkeypatch.setattr(one, "_loader", SimpleNamespace(is_loaded=lambda _: True))
    monkeypatch.setattr(one, work, lambda *_: up.append(up[-1] + 30 * HOUR))
    one._host.minute = lambda *_: 0  # type: ignore[method-assign]  # a clock of the test
    do = machine.Do.LOAD if work == "_load" else machine.Do.INSTALL
    assert one._done(machine.Step(one.course, do), known())
    for _ in range(2):
        monkeypatch.setattr(one, "_ask", lambda: said)
        up.append(up[-1] + MINUTE_MS)
        found = machine.step(one.course, replace(one._known(), running="0.1.0"))
        assert (found.do, found.course.why["en"]) == (machine.Do.WAIT, words)


@pytest.mark.parametrize(
    ("given", "over", "said"),
    [("", "", "is not later than"), ("a.b.c", "it expired", "it expired"), ("a.b.c", "", "")],
    ids=["none", "expired", "holds"],
)
def test_whether_an_old_version_may_come_is_asked_again_when_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, over: str, said: str
) -> None:
    one = updater(tmp_path, "boot-1")
    order = replace(ORDER, version="0.1.0", exception=given)
    one.course = Course(order=order, highest="0.2.0").to(Stage.INSTALLING, {"sv": "", "en": ""}, 1)
    monkeypatch.setattr(one, "_why_not", lambda *_: over)

    def idle() -> None:
        raise RaucError("reached")

    monkeypatch.setattr(one._rauc, "idle", idle, raising=False)
    if not said:
        with pytest.raises(RaucError, match="reached"):
            one._install(known(running="0.2.0"))
        return
    one._install(known(running="0.2.0"))
    assert one.course.stage is Stage.REFUSED
    assert said in one.course.why["en"]


@pytest.mark.parametrize(("over", "end"), [("", Stage.LOADING), ("it expired", Stage.REFUSED)])
def test_whether_an_exception_holds_is_asked_when_the_clock_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: str, end: Stage
) -> None:
    """It was ordered during a trial that failed: the old version starts before a time service answers."""
    old = replace(ORDER, id="2", version="0.0.9", exception="a.b.c")
    write_json(tmp_path / "course.json", trying(stage=Stage.FAILED).record())
    one = updater(tmp_path, "boot-1")
    write_json(one._places.order, old.record())
    now_ms: list[int | None] = [None]
    monkeypatch.setattr(one, "_ask", well)
    monkeypatch.setattr(one, "_loader", SimpleNamespace(is_loaded=lambda _: False))
    monkeypatch.setattr(one, "_load", lambda: None)
    monkeypatch.setattr(one, "_why_not", lambda _, at_ms: over if at_ms else "the clock is not set")
    one._host.wall_ms = lambda **_: now_ms[0]  # type: ignore[method-assign]  # a clock of the test
    one._host.minute = lambda *_: None  # type: ignore[method-assign]  # a clock of the test
    for _ in range(3):
        assert one.once()
        assert (one.course.order, one.course.stage) == (old, Stage.WAITING)
        assert one.course.why["en"] == "the clock is not set"
    now_ms[0] = 1
    step = machine.step(one.course, one._known())
    assert step.course.stage is end
