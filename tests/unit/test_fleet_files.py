"""rings.yaml and what an update has come to, as files; and the figures' file."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from homenode.configure.signatures import make_pair, read_key, sign
from homenode.contract.command import why_not_args
from homenode.errors import FileMistakes, Refused, SetupError, StorageError, acted_on
from homenode.fleet import kept
from homenode.fleet import update as fleet_update
from homenode.fleet.ears import Ears
from homenode.fleet.plan import Plan, Ring
from homenode.fleet.ring_file import read_rings
from homenode.fleet.rings import Rollout
from homenode.fleet.settings import settings_of
from homenode.fleet.update import _order
from homenode.health.text_file import put
from homenode.link.words import NoLink
from homenode.update import exception

HOUR = 3_600_000


def written(folder: Path, text: str) -> str:
    (folder / "rings.yaml").write_text(text)
    return str(folder / "rings.yaml")


def test_rings_as_they_are_written(tmp_path: Path) -> None:
    text = """
rings:
  pilot: {homes: vaxjo-0412}
  early: {homes: ["*", "test-?"], share: 12.5, at_once: 20}
soak: 2 h
settle: 5 min
patience: 1 d
allow: 0
window: 22:00-05:00
"""
    rings = (Ring("pilot", ("vaxjo-0412",)), Ring("early", ("*", "test-?"), 0.125, 20))
    assert read_rings(written(tmp_path, text)) == (
        Plan(rings, 2 * HOUR, HOUR // 12, 24 * HOUR, 0.0),
        "22:00-05:00",
    )


def test_what_is_not_said_is_cautious(tmp_path: Path) -> None:
    plan, window = read_rings(written(tmp_path, "rings: {all: {homes: ['*']}}"))
    assert plan == Plan((Ring("all", ("*",)),))
    assert (plan.soak_ms, plan.settle_ms, plan.patience_ms, plan.allow) == (
        24 * HOUR,
        HOUR // 4,
        72 * HOUR,
        0.02,
    )
    assert window == ""


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {"file"}),
        ("[]", {"file"}),
        ("soak: 1 h", {"rings"}),
        ("rings: {}", {"rings"}),
        ("rings: [a]", {"rings"}),
        ("rings: {A b: {homes: [x]}}", {"rings.A b"}),
        ("rings: {a: [x]}", {"rings.a"}),
        ("rings: {a: {}}", {"rings.a.homes"}),
        ("rings: {a: {homes: []}}", {"rings.a.homes"}),
        ("rings: {a: {homes: [Ä]}}", {"rings.a.homes"}),
        ("rings: {a: {homes: x, share: 0}}", {"rings.a.share"}),
        ("rings: {a: {homes: x, at_once: -1}}", {"rings.a.at_once"}),
        ("rings: {a: {homes: x, shar: 1}}", {"rings.a.shar"}),
        (
            "rings: {a: {homes: x}}\nsoak: long\nallow: 101\nwindow: night\nsok: 1 h",
            {"soak", "allow", "window", "sok"},
        ),
    ],
)
def test_every_mistake_of_rings_is_told_in_one_run(tmp_path: Path, text: str, fields: set[str]) -> None:
    with pytest.raises(FileMistakes) as told:
        read_rings(written(tmp_path, text))
    assert {mistake.field for mistake in told.value.mistakes} == fields


def test_an_update_is_kept_whole_or_refused(tmp_path: Path) -> None:
    assert kept.read(tmp_path) is None
    rollout = Rollout(Plan((Ring("all", ("*",)),)), "2.0", "key")
    kept.write(tmp_path, kept.Kept(rollout, {"version": "2.0"}, "Bo"))
    read = kept.read(tmp_path)
    assert read is not None
    assert (read.rollout.dump(), read.args, read.by) == (rollout.dump(), {"version": "2.0"}, "Bo")
    file = tmp_path / kept.STATE
    for damaged in ("", "{}", "[]", file.read_text()[:-9], json.dumps({"rollout": {}, "args": {}, "by": ""})):
        file.write_text(damaged)
        with pytest.raises(SetupError, match="move it away"):
            kept.read(tmp_path)


def test_a_wish_is_heard_once_and_nonsense_is_none(tmp_path: Path) -> None:
    assert kept.take_wish(tmp_path) == ""
    kept.wish(tmp_path, "halt")
    assert [kept.take_wish(tmp_path), kept.take_wish(tmp_path)] == ["halt", ""]
    kept.wish(tmp_path, "explode")
    assert kept.take_wish(tmp_path) == ""


def test_a_wish_that_comes_while_another_is_taken_is_heard_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_text(file: Path) -> str:
        text = file.read_bytes().decode()
        monkeypatch.undo()
        kept.wish(tmp_path, "cancel")
        return text

    kept.wish(tmp_path, "halt")
    monkeypatch.setattr(Path, "read_text", read_text)
    assert [kept.take_wish(tmp_path), kept.take_wish(tmp_path)] == ["halt", "cancel"]


class Deaf:
    """A connection that is lost at first, and then shows no home; ends the tool at last."""

    def __init__(self, *_: object, **__: object) -> None:
        self.up, self.looks = asyncio.Event(), 0
        self.up.set()

    async def connect(self) -> None: ...

    async def run(self) -> None: ...

    async def all_heard(self) -> None:
        self.looks += 1
        if self.looks == 1:
            raise NoLink("lost")
        if self.looks == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    async def drained(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_update, "Ears", Deaf)
    monkeypatch.setattr(fleet_update, "TICK_S", 0.01)


ARGS = {"broker": "mqtt://127.0.0.1", "ca": None, "cert": None, "key": None, "config": ""}


@pytest.mark.usefixtures("deaf")
def test_a_halt_whose_link_is_lost_is_done_when_it_is_back(tmp_path: Path) -> None:
    rollout = Rollout(Plan((Ring("all", ("*",)),)), "2.0", "key")
    kept.write(tmp_path, kept.Kept(rollout, {"version": "2.0"}, "Bo"))
    assert fleet_update.wish(argparse.Namespace(data=str(tmp_path), verb="halt", **ARGS)) == 0
    read = kept.read(tmp_path)
    assert read is not None
    assert read.rollout.halted == "by hand"


@pytest.mark.usefixtures("deaf")
def test_a_halt_of_what_is_halted_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rollout = Rollout(Plan((Ring("all", ("*",)),)), "2.0", "key")
    rollout.halt("a is worse", 0)
    kept.write(tmp_path, kept.Kept(rollout, {"version": "2.0"}, "Bo"))
    assert fleet_update.wish(argparse.Namespace(data=str(tmp_path), verb="halt", **ARGS)) == 0
    assert "2.0 by Bo: HALTED: a is worse (homenode fleet resume" in capsys.readouterr().out


def begun(folder: Path, **given: object) -> int:
    """`homenode fleet update` for all homes."""
    order = {"url": "https://office/b", "version": "2.0", "sha256": "0" * 64, "size": 0, "window": "",
             "not_before": "", "exception": None, "by": "", "ring": ""}  # fmt: skip
    rings = written(folder, "rings: {pilot: {homes: [p]}, all: {homes: ['*']}}\nwindow: 22:00-05:00")
    return fleet_update.update(
        argparse.Namespace(**{"data": str(folder), "rings": rings, **order, **ARGS, **given})
    )


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"url": "https://office/c"}, "url"),
        ({"sha256": "1" * 64}, "sha256"),
        ({"version": "2.1"}, "version"),
        ({"window": "01:00-02:00", "size": 7}, "size, window"),
        ({"not_before": "2036-12-01T01:00:00+01:00"}, "not-before"),
        ({"ring": "pilot"}, "--rings or --ring"),
        ({"by": "Eva"}, "--by"),
    ],
)
def test_an_update_goes_on_by_the_same_words_and_by_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: dict[str, object], named: str
) -> None:
    assert begun(tmp_path, by="Bo") == 1, "there is no home"
    state = (tmp_path / kept.STATE).read_text()
    capsys.readouterr()
    with pytest.raises(Refused, match=rf"2\.0 is still on its way, with another {named} \(.*cancel"):
        begun(tmp_path, **other)
    assert capsys.readouterr().out == ""
    assert begun(tmp_path) == 1
    assert "2.0 by Bo: HALTED: ring pilot: there is no home in it" in capsys.readouterr().out
    assert (tmp_path / kept.STATE).read_text() == state


def test_an_update_that_reached_no_broker_is_none(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as told:
        begun(tmp_path, broker="mqtt://127.0.0.1:1")
    assert isinstance(acted_on(told.value), NoLink)
    assert kept.read(tmp_path) is None


@pytest.mark.usefixtures("deaf")
def test_a_wish_that_nobody_heard_is_none_of_the_next_update(tmp_path: Path) -> None:
    kept.wish(tmp_path, "cancel")
    begun(tmp_path)
    read = kept.read(tmp_path)
    assert read is not None
    assert read.rollout.ended == ""


@pytest.mark.parametrize("args", [ARGS | {"broker": ""}, ARGS | {"broker": "mqtt://127.0.0.1:1"}])
def test_a_cancel_that_was_refused_leaves_no_wish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: dict[str, object]
) -> None:
    monkeypatch.chdir(tmp_path)
    rollout = Rollout(Plan((Ring("all", ("*",)),)), "2.0", "key")
    rollout.halt("a is worse", 0)
    kept.write(tmp_path, kept.Kept(rollout, {"version": "2.0"}, "Bo"))
    with pytest.raises((SetupError, ExceptionGroup)):
        fleet_update.wish(argparse.Namespace(data=str(tmp_path), verb="cancel", **args))
    assert not (tmp_path / kept.WISH).exists()


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize("word", ["cancel", "halt"])
def test_an_update_that_goes_on_is_not_called_off_by_an_old_wish_but_halts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    begun(tmp_path)
    read = kept.read(tmp_path)
    assert read is not None
    read.rollout.resume()
    kept.write(tmp_path, read)
    kept.wish(tmp_path, word)
    with monkeypatch.context() as away:
        away.setattr(fleet_update, "Ears", Ears)
        with pytest.raises(ExceptionGroup):
            begun(tmp_path, broker="mqtt://127.0.0.1:1")
    assert begun(tmp_path) == 1
    after = kept.read(tmp_path)
    assert after is not None
    assert (after.rollout.ended, after.rollout.halted) == ("", "by hand")


@pytest.mark.usefixtures("deaf")
def test_what_is_asked_now_is_not_undone_by_an_old_wish(tmp_path: Path) -> None:
    begun(tmp_path)
    kept.wish(tmp_path, "cancel")
    fleet_update.wish(argparse.Namespace(data=str(tmp_path), verb="resume", **ARGS))
    read = kept.read(tmp_path)
    assert read is not None
    assert read.rollout.ended == ""


@pytest.mark.usefixtures("deaf")
def test_a_cancel_without_a_tool_that_runs_is_done_here(tmp_path: Path) -> None:
    begun(tmp_path)
    assert fleet_update.wish(argparse.Namespace(data=str(tmp_path), verb="cancel", **ARGS)) == 0
    read = kept.read(tmp_path)
    assert read is not None
    assert read.rollout.ended == "cancelled"


def test_files_that_cant_be_written_are_told_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        kept.wish(tmp_path / "gone", "halt")
    with pytest.raises(StorageError):
        put(tmp_path / "gone/x.prom", "x\n")
    (tmp_path / "x.prom").mkdir()
    with pytest.raises(StorageError):
        put(tmp_path / "x.prom", "x\n")
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]


def test_the_file_for_node_exporter_is_readable_by_it(tmp_path: Path) -> None:
    put(tmp_path / "x.prom", "a 1\n")
    put(tmp_path / "x.prom", "a 2\n")
    assert (tmp_path / "x.prom").read_text() == "a 2\n"
    assert (tmp_path / "x.prom").stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]


def asked(**given: object) -> argparse.Namespace:
    return argparse.Namespace(**{"config": "", "broker": "", "ca": None, "cert": None, "key": None, **given})


def test_where_the_homes_are_is_said_by_options_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match="where the homes are is not said"):
        settings_of(asked())
    by_options = settings_of(
        asked(broker="mqtts://b", ca=Path("ca.pem"), cert=Path("c"), key=Path("k"))
    ).broker
    assert (by_options.urls, by_options.ca, by_options.cert) == (("mqtts://b",), Path("ca.pem"), Path("c"))
    for wrong in ({"broker": "http://b"}, {"broker": "mqtt://b", "cert": Path("c")}):
        with pytest.raises(SetupError):
            settings_of(asked(**wrong))
    (tmp_path / "fleet.yaml").write_text('party: operator\nbroker: {url: "mqtt://here"}\nhomes: [h1]\n')
    read = settings_of(asked())
    assert (read.broker.urls, read.homes) == (("mqtt://here",), ("h1",))
    for text in ('party: care\nbroker: {url: "mqtt://b"}\n', 'party: operator\nnats: {url: "nats://n"}\n'):
        (tmp_path / "other.yaml").write_text(text)
        with pytest.raises(SetupError, match="party: operator"):
            settings_of(asked(config=str(tmp_path / "other.yaml")))
    (tmp_path / "other.yaml").write_text("party: operator\nbroker: {urk: x}\n")
    with pytest.raises(FileMistakes):
        settings_of(asked(config=str(tmp_path / "other.yaml")))


def ordered(**given: object) -> dict[str, object]:
    args = {
        "url": "https://o.example/2.raucb",
        "version": "2.0",
        "sha256": "5e" * 32,
        "size": 0,
        "window": "",
        "not_before": "",
        "exception": None,
        **given,
    }
    return _order(argparse.Namespace(**args))


def test_an_order_that_no_node_would_take_is_never_sent(tmp_path: Path) -> None:
    key = read_key(make_pair()[0], "key", private=True)
    leave = exception.sign("2.0", "*", "2126-01-01T00:00:00+01:00", key)
    (tmp_path / "leave").write_text(f"{leave}\n")
    (tmp_path / "of another version").write_text(exception.sign("1.9", "*", "2126-01-01T00:00:00+01:00", key))
    (tmp_path / "of a home").write_text(exception.sign("2.0", "h-1", "2126-01-01T00:00:00+01:00", key))
    (tmp_path / "a configuration").write_text(sign(b"{}", key))
    (tmp_path / "a text").write_text("eyJ..\n")
    (tmp_path / "cut").write_text(leave[20:])
    whole = {"size": 5, "window": "01:00-05:00", "not_before": "2026-12-01T01:00:00+01:00"}
    order = ordered(**whole, exception=tmp_path / "leave")
    assert order == {
        "url": "https://o.example/2.raucb",
        "version": "2.0",
        "sha256": "5e" * 32,
        **whole,
        "exception": leave,
    }
    assert ordered(exception=tmp_path / "of a home")
    assert not why_not_args("update", order)
    wrongs: list[dict[str, object]] = [
        {"sha256": "5E" * 32},
        {"sha256": "x"},
        {"url": "ftp://x"},
        {"window": "night"},
        {"window": "02:00-02:00"},
        {"window": "25:00-26:00"},
        {"version": ""},
        {"exception": tmp_path / "gone"},
        {"exception": tmp_path},
        {"exception": tmp_path / "of another version"},
        {"exception": tmp_path / "a configuration"},
        {"exception": tmp_path / "a text"},
        {"exception": tmp_path / "cut"},
        {"not_before": "imorgon"},
        {"not_before": "2026-12-01"},
    ]
    for wrong in wrongs:
        with pytest.raises(SetupError):
            ordered(**wrong)
    for given, told in (
        ({"url": "office.example/2.raucb"}, "give https://HOST/NAME"),
        ({"url": "https://office.example"}, "give https://HOST/NAME"),
        ({"exception": tmp_path / "gone"}, f"{tmp_path}/gone: can't be read: No such file or directory$"),
    ):
        with pytest.raises(SetupError, match=told):
            ordered(**given)
