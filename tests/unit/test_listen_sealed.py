"""A party with a key: what is sealed is opened, and what can't be opened is handed over as an alarm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519

from homenode.contract import topics
from homenode.errors import FileMistakes, SetupError
from homenode.listen.bounds import size
from homenode.listen.event import Event, Reply
from homenode.listen.opening import Opening
from homenode.listen.plan import Plan, Stage
from homenode.listen.settings import read_settings
from homenode.listen.told import Kind
from homenode.listen.watch import Watch
from homenode.listen.words import line
from homenode.sealing import keys as key_files
from homenode.sealing.seals import Seals
from tests.unit.listening import MIN, NOW, again, message
from tests.unit.test_sealing import OTHERS, PRIVATE, PUBLIC, SEALS, STATUS, an_alert, pair

ALERTS, REPLY = topics.alerts("h1", "care"), topics.reply("h1", "care")
SENT = SEALS.seal(ALERTS, an_alert())
STRANGER = pair(x25519.X25519PrivateKey.generate())[0]
CARE = Opening("care", [PRIVATE])


def read(payload: bytes, *keys: str) -> Event:
    event = Opening("care", keys).alert("h1", payload, NOW)
    assert isinstance(event, Event)
    return event


@pytest.mark.parametrize("keys", [(PRIVATE,), (STRANGER, PRIVATE), (PRIVATE, STRANGER)])
def test_what_is_sealed_is_read_with_any_of_the_keys(keys: tuple[str, ...]) -> None:
    event = read(SENT, *keys)
    assert event.body == json.loads(an_alert())
    assert (event.told, event.place) == ("notified", ("e1", 7))


def test_what_is_not_sealed_is_read_with_and_without_a_key() -> None:
    assert read(an_alert(), PRIVATE) == read(an_alert()) == read(SENT, PRIVATE)
    assert CARE.reply("h1", b'{"id": "1", "ok": true}') == Reply("1", True)
    assert CARE.plain(STATUS, b'{"open":[]}') == b'{"open":[]}'


def test_answers_are_opened_too() -> None:
    told = b'{"id": "1", "ok": true}'
    assert CARE.reply("h1", SEALS.seal(REPLY, told)) == Reply("1", True)
    assert Opening("care", ()).reply("h1", SEALS.seal(REPLY, told)) is None
    assert CARE.reply("h1", SEALS.seal(STATUS, told)) is None, "passed off under another topic"


@pytest.mark.parametrize(
    ("keys", "why"),
    [((), "no key is given"), ((STRANGER,), "this key doesn't open it"), ((STRANGER, STRANGER), "doesn't")],
)
def test_what_can_not_be_opened_comes_as_an_alarm_with_all_of_it(keys: tuple[str, ...], why: str) -> None:
    event = read(SENT, *keys)
    assert (event.told, event.severity, event.test) == ("sealed", "alarm", False)
    assert (event.id, event.alert, event.place) == ("e1.care.7", "e1.care.7", ("e1", 7))
    data = event.body["data"]
    assert why in data["why"]
    assert (data["event"], data["severity"]) == ("sealed", "alarm")
    assert data["jwe"] == json.loads(SENT)["data"]
    assert event.body["type"] == "hn1.alert.sealed"
    assert (event.body["sequence"], event.body["epoch"]) == ("7", "e1")
    shown = line("h1", Kind.ALERT, event.body, "sv")
    assert shown == f"{data['at'][:19].replace('T', ' ')}  LARM  h1  {data['text']['sv']}"
    opened = Opening("care", [PRIVATE]).alert("h1", json.dumps({"jwe": data["jwe"]}).encode(), NOW)
    assert isinstance(opened, Event)
    assert opened.told == "notified", "who has the key can still read it"


def test_a_message_that_was_passed_off_as_anothers_is_not_believed() -> None:
    foreign = Seals("h2", {"care": PUBLIC}).seal(topics.alerts("h2", "care"), an_alert())
    event = read(foreign, PRIVATE)
    assert event.told == "sealed"
    assert (
        event.body["data"]["why"] == "it was sent under hn1/h2/care/alerts and came under hn1/h1/care/alerts"
    )


@pytest.mark.parametrize("name", [None, 7, "", "x" * 301])
def test_an_envelope_that_is_odd_loses_nothing(name: object) -> None:
    odd = json.loads(SENT) | {"id": name, "sequence": 7, "epoch": None}
    event = read(json.dumps(odd).encode())
    assert event.id.startswith("sealed.")
    assert event.place is None
    assert not {"sequence", "epoch"} & event.body.keys()
    assert event.id == read(json.dumps(odd).encode()).id != read(SEALS.seal(ALERTS, an_alert())).id


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b'{"jwe": 1}',
        b'{"jwe": ""}',
        b'["jwe"]',
        b'{"jwe": "\\ud800"}',
        b'{"jwe":' + b"[" * 50_000,
        b'{"jwe": "' + b"x" * 70_000 + b'"}',
    ],
)
def test_what_is_no_message_is_told_as_such(payload: bytes) -> None:
    assert isinstance(CARE.alert("h1", payload, NOW), str)


def test_sealed_garbage_is_garbage() -> None:
    nothing = SEALS.seal(ALERTS, b'{"source": "hn1/h1", "epoch": "e", "sequence": "1"}')
    assert "no id" in str(CARE.alert("h1", nothing, NOW))


def test_what_can_not_be_opened_is_escalated_and_nobody_acknowledges_what_he_could_not_read() -> None:
    plan = Plan("care", ("desk",), (Stage(5 * MIN, ("nurse",), ("alarm",)),), {"nurse": "Eva"})
    watch = Watch("h1", plan)
    assert watch.alert(read(SENT), NOW)
    assert not watch.alert(read(SENT), NOW), "sent again"
    watch = again(watch)
    assert watch.due(NOW + 5 * MIN)
    assert [(task.kind, task.left) for task in watch.tasks] == [
        (Kind.ALERT, ["desk"]),
        (Kind.ESCALATED, ["nurse"]),
    ]
    assert watch.taken(2, "nurse", NOW)
    assert not watch.commands
    assert not watch.dump()["open"]
    assert watch.alert(read(SENT, PRIVATE), NOW), "once there is a key it is another message"


def test_numbers_of_what_can_not_be_opened_are_counted() -> None:
    watch = Watch("h1", Plan("care", ("desk",)))
    watch.alert(read(SENT), NOW)
    watch.alert(message(9, epoch="e1"), NOW)
    watch.due(NOW + MIN)
    assert [(task.body["data"]["first"], task.body["data"]["last"]) for task in watch.tasks[2:]] == [(8, 8)]


def test_what_waits_for_long_stays_sealed_and_whole() -> None:
    watch = Watch("h1", Plan("care", ("desk",)))
    watch.alert(read(SENT), NOW)
    for number in range(1, 60):
        watch.alert(message(number, evidence=["x" * 10_000]), NOW)
    body = watch.tasks[0].body
    assert body["shortened"] is True
    assert body["data"]["jwe"] == json.loads(SENT)["data"]
    watch.alert(read(json.dumps({"jwe": "x" * 60_000}).encode()), NOW)
    for number in range(60, 120):
        watch.alert(message(number, evidence=["x" * 10_000]), NOW)
    assert size(watch.dump()) < 300_000


TEXT = "party: care\nbroker: {url: mqtt://a}\nkeys: KEYS\n"


def settings(folder: Path, keys: str) -> tuple[str, ...] | list[str]:
    (folder / "listen.yaml").write_text(TEXT.replace("KEYS", keys))
    try:
        found, _ = read_settings(str(folder / "listen.yaml"))
    except FileMistakes as wrong:
        return [str(mistake) for mistake in wrong.mistakes]
    assert "PRIVATE KEY" not in repr(found)
    return found.keys


def test_keys_stand_in_listen_yaml_and_all_mistakes_are_told(tmp_path: Path) -> None:
    (tmp_path / "mine.pem").write_text(PRIVATE)
    (tmp_path / "new.pem").write_text(STRANGER)
    (tmp_path / "public.pem").write_text(PUBLIC)
    (tmp_path / "rsa.pem").write_text(pair(OTHERS["RSA"])[0])
    (tmp_path / "bytes.pem").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()
    assert settings(tmp_path, "") == ()
    assert settings(tmp_path, "mine.pem") == (PRIVATE,)
    assert settings(tmp_path, "[new.pem, mine.pem]") == (STRANGER, PRIVATE)
    told = settings(tmp_path, "[none.pem, public.pem, rsa.pem, folder, bytes.pem, {a: b}, mine.pem]")
    words = ("no such file", "a public key", "RSA", "a folder", "not UTF-8", "a file, relative to this one")
    for text, word in zip(told, words, strict=True):
        assert word in text
        assert ":3:" in text
        assert "X25519" in text or "relative" in text
    assert not any("PRIVATE" in text for text in told)


def test_without_the_extra_listen_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise SetupError("keys: needs a library that is not installed", do="pip install 'homenode[keys]'")

    (tmp_path / "mine.pem").write_text(PRIVATE)
    monkeypatch.setattr(key_files, "_library", missing)
    assert "pip install 'homenode[keys]'" in settings(tmp_path, "mine.pem")[0]
    assert read(SENT).told == "sealed", "without a key it runs, and needs no library"
