"""listen.yaml: what it says, and what is told of mistakes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.errors import FileMistakes
from homenode.listen.plan import Stage
from homenode.listen.settings import PRINT, Settings, read_settings

LEAST = "party: care\nbroker: {url: mqtts://b}\n"


def read(folder: Path, text: str) -> Settings:
    path = folder / "listen.yaml"
    path.write_text(text)
    return read_settings(str(path))[0]


def told(folder: Path, text: str) -> str:
    with pytest.raises(FileMistakes) as wrong:
        read(folder, text)
    return str(wrong.value)


def test_a_party_and_a_broker_are_enough(tmp_path: Path) -> None:
    settings = read(tmp_path, LEAST)
    assert settings.broker is not None
    assert settings.broker.urls == ("mqtts://b",)
    assert (settings.to, settings.homes, settings.silent_after_ms) == ((PRINT,), (), 180_000)
    assert settings.plan().stages == ()


def test_all_of_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    settings = read(
        tmp_path,
        """\
party: property
language: en
nats: {url: [tls://a, "tls://b:4222"], ca: ca.pem}
group: night
homes: [a, b-1]
silent_after: 5 min
targets:
  pager: {run: [page, --loud], acknowledges: true, by: the nurse, timeout: 5 s}
  sms: {apprise: ["sms://x"], acknowledges: true}
to: print
escalate:
  - {after: 15 min, to: [sms], severity: [alarm]}
  - {after: 5 min, to: [pager, print]}
""",
    )
    assert settings.nats is not None
    assert (settings.nats.urls, settings.nats.ca) == (("tls://a", "tls://b:4222"), tmp_path / "ca.pem")
    assert (settings.homes, settings.group, settings.to) == (("a", "b-1"), "night", ("print",))
    assert settings.targets["pager"].run == ("page", "--loud")
    assert settings.targets["pager"].timeout_ms == 5_000
    plan = settings.plan()
    assert plan.acknowledging == {"pager": "the nurse", "sms": "sms"}
    assert plan.stages == (
        Stage(300_000, ("pager", "print")),
        Stage(900_000, ("sms",), ("alarm",)),
    )


def test_each_of_several_urls_takes_by_itself(tmp_path: Path) -> None:
    targets = 'targets:\n  sms: {apprise: ["sms://x", "sms://y"]}\n  mail: {apprise: ["mailto://z"]}\n'
    stage = "escalate: [{after: 5 min, to: [sms, print]}]\n"
    plan = read(tmp_path, f"{LEAST}{targets}to: [mail, sms]\n{stage}").plan()
    assert plan.to == ("mail", "sms.1", "sms.2")
    assert plan.stages == (Stage(300_000, ("sms.1", "sms.2", "print")),)


@pytest.mark.parametrize("nats", ["nats://a", "[nats://a]", "{url: nats://a}"])
def test_one_server_may_stand_in_three_ways(tmp_path: Path, nats: str) -> None:
    settings = read(tmp_path, f"party: care\nnats: {nats}\n")
    assert settings.nats is not None
    assert settings.nats.urls == ("nats://a",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "file: found an empty list; accepted: a mapping with party:"),
        ("party: care\n", "broker: found nothing; accepted: {url: mqtts://HOST}, or nats:"),
        (f"{LEAST}nats: nats://a\n", "nats: found both; accepted: either broker: or nats:"),
        ("party: care\nnats: mqtt://a\n", "nats.url: found 'mqtt://a'; accepted: tls://HOST"),
        ("party: care\nnats: []\n", "nats.url: found an empty list"),
        ("party: care\nnats: {ca: no.pem, url: tls://a}\n", "nats.ca: found 'no.pem', which isn't there"),
        ("broker: {url: mqtts://b}\n", "party: found nothing"),
        (f"{LEAST}silent_after: 1 s\n", "silent_after: found '1 s'; accepted: a duration"),
        (f"{LEAST}homes: [A B]\n", "homes: found 'A B'; accepted: all, or a list of ids"),
        (f"{LEAST}homes: []\n", "homes: found an empty list; accepted: all, or a list of ids"),
        (f"{LEAST}targets: [x]\n", "targets: found a list of 1"),
        (f"{LEAST}targets: {{print: {{run: [x]}}}}\n", "targets.print: found 'print'; accepted: a name of"),
        (f"{LEAST}targets: {{x: {{by: y}}}}\n", "targets.x: found neither; accepted: run: [COMMAND, …]"),
        (f"{LEAST}targets: {{x: {{rum: [y]}}}}\n", "did you mean run?"),
        (f"{LEAST}to: []\n", "to: found an empty list; accepted: at least one of print"),
        (f"{LEAST}to: [{{}}]\n", "to: found an empty mapping; accepted: print"),
        (f"{LEAST}escalate: 5 min\n", "escalate: found '5 min'; accepted: a list"),
        (f"{LEAST}escalate: [{{after: 5 min}}]\n", "escalate.1.to: found nothing"),
        (f"{LEAST}escalate: [{{after: 5 min, to: []}}]\n", "escalate.1.to: found an empty list"),
    ],
)
def test_each_mistake_is_told_with_what_is_accepted(tmp_path: Path, text: str, words: str) -> None:
    assert words in told(tmp_path, text)


def test_a_command_that_can_not_be_run_is_told_before_the_first_alert(tmp_path: Path) -> None:
    path = tmp_path / "listen.yaml"
    path.write_text(f"{LEAST}targets:\n  here: {{run: [sh]}}\n  pager: {{run: [/no/page, --loud]}}\n")
    [warning] = read_settings(str(path))[1].warnings
    assert "listen.yaml:5" in str(warning)
    assert "targets.pager.run: found '/no/page', which can't" in str(warning)


def test_a_password_in_a_url_is_not_shown(tmp_path: Path) -> None:
    assert "secret" not in told(tmp_path, "party: care\nnats: nats://eva:secret@a\n")


def test_all_mistakes_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = told(tmp_path, "party: cair\nlanguage: se\nsilent_after: x\n").splitlines()
    assert [line.partition("listen.yaml")[2].partition(":")[2].partition(":")[0] for line in lines] == [
        "1", "1", "2", "3",
    ]  # fmt: skip


def test_the_file_of_a_home_is_told_as_that_and_not_key_by_key(tmp_path: Path) -> None:
    words = told(tmp_path, "home: h1\ndevices: {}\nrules: []\n")
    assert "found the file of a home" in words
    assert "unknown key" not in words
