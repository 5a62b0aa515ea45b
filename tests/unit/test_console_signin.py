"""How long a sign-in is good, whose roles count, and what a provider says, without a page or a net."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="the extra console is not installed")
pytest.importorskip("argon2", reason="the extra console is not installed")
pytest.importorskip("joserfc", reason="the extra console is not installed")

from argon2 import PasswordHasher

from homenode.console import signin
from homenode.console.access import Grant
from homenode.console.oidc import Elsewhere, Flow
from homenode.console.settings import Provider, read_console
from homenode.console.signin import FROM_THERE, YEAR_MS, SignIn
from homenode.errors import Refused

NOW, HOUR = 1_000_000_000, 3_600_000
HASH = PasswordHasher(time_cost=1, memory_cost=8192).hash("correct horse")
TEXT = f"""\
listen: care.yaml
session: 12 h
idle: 2 h
roles:
  night: {{sees: care, homes: all}}
  north: {{sees: care, homes: [north-1]}}
users:
  eva: {{name: Eva Lind, password: "{HASH}", roles: [night]}}
  wall: {{name: The hall, password: "{HASH}", roles: [north], screen: true}}
"""


class Desk:
    """Sign-ins under a clock that a test moves."""

    def __init__(self, folder: Path, text: str = TEXT) -> None:
        (folder / "care.yaml").write_text("party: care\nbroker: {url: mqtts://broker.example}\n")
        (folder / "console.yaml").write_text(text)
        self.now = NOW
        settings, _ = read_console(str(folder / "console.yaml"))
        self.sign = SignIn(settings, lambda: self.now)

    def tries(self, user: str, password: str, address: str = "10.0.0.1") -> bool | None:
        return asyncio.run(self.sign.password(user, password, address))

    def good(self, token: str, at: int, *, used: bool = False) -> bool:
        self.now = at
        return self.sign.known(token, used=used) is not None


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_sign_in_ends_when_nobody_does_anything_and_in_any_case(desk: Desk) -> None:
    token, _ = desk.sign.begin("eva", "Eva Lind", (), local=True)
    assert desk.good(token, NOW + 2 * HOUR - 1)
    assert not desk.good(token, NOW + 2 * HOUR)  # an open page is nobody who does something
    assert not desk.good(token, NOW)  # and it is over for good
    token, _ = desk.sign.begin("eva", "Eva Lind", (), local=True)
    for hour in range(1, 12):
        assert desk.good(token, NOW + hour * HOUR, used=True)
    assert desk.good(token, NOW + 12 * HOUR - 1)
    assert not desk.good(token, NOW + 12 * HOUR)


def test_a_screen_on_a_wall_needs_nobody_for_a_year(desk: Desk) -> None:
    token, _ = desk.sign.begin("wall", "The hall", (), local=True)
    assert YEAR_MS > 365 * 24 * HOUR
    assert desk.good(token, NOW + YEAR_MS - 1, used=True)
    session = desk.sign.known(token, used=False)
    assert session is not None
    assert desk.sign.person(session).screen
    assert not desk.good(token, NOW + YEAR_MS)
    named, _ = desk.sign.begin("wall", "Somebody", ("night",), local=False)  # a provider's wall is none
    assert not desk.good(named, desk.now + 3 * HOUR)


def test_sign_ins_outlive_a_restart_and_their_end_does_too(desk: Desk, tmp_path: Path) -> None:
    token, kept = desk.sign.begin("eva", "Eva Lind", (), local=True)
    other, also = desk.sign.begin("eva", "Eva Lind", (), local=True)
    facts: list[dict[str, Any]] = [
        {"what": "signed_in", "at": NOW, **kept},
        {"what": "signed_in", "at": NOW, **also},
        {"what": "signed_out", "at": NOW, "hash": desk.sign.end(other)},
        {"what": "did", "at": NOW},
    ]
    assert not desk.good(other, NOW)
    assert token not in str(facts), "who reads the journal can't sign in"
    again = Desk(tmp_path)
    again.now = NOW + HOUR
    again.sign.restore(facts)
    assert again.good(token, NOW + HOUR)
    assert not again.good(other, NOW + HOUR)
    assert not again.good(token, NOW + 12 * HOUR)  # counted from the sign-in, not from the start


def test_a_person_has_the_roles_of_now(desk: Desk, tmp_path: Path) -> None:
    token, _ = desk.sign.begin("eva", "Eva Lind", ("north",), local=True)
    session = desk.sign.known(token, used=True)
    assert session is not None
    assert desk.sign.person(session).grants == (Grant("care"),), "those of the file, not of the sign-in"
    gone = Desk(tmp_path, TEXT.replace("  eva:", "  eve:"))
    assert gone.sign.person(session).grants == ()
    token, _ = desk.sign.begin("https://login x", "Eva", ("north", "gone"), local=False)
    session = desk.sign.known(token, used=True)
    assert session is not None
    assert desk.sign.person(session).grants == (Grant("care", frozenset({"north-1"})),)


def test_the_oldest_sign_in_gives_way_when_there_are_too_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "MOST_SESSIONS", 2)
    tokens = [desk.sign.begin("eva", "Eva Lind", (), local=True)[0] for _ in range(3)]
    assert [desk.good(token, NOW) for token in tokens] == [False, True, True]


def test_wrong_passwords_make_one_wait_and_a_right_one_forgets_them(desk: Desk) -> None:
    for _ in range(FROM_THERE - 1):
        assert desk.tries("eva", "wrong") is False
    assert desk.tries("eva", "correct horse") is True
    for _ in range(FROM_THERE):
        assert desk.tries("eva", "wrong") is False
    assert desk.tries("eva", "correct horse") is None
    assert desk.tries("eva", "correct horse", "10.0.0.2") is True, "elsewhere she is not kept out"
    assert desk.tries("nobody", "correct horse", "10.0.0.3") is False
    desk.now += 5 * 60_000
    assert desk.tries("eva", "correct horse") is True


# --- by a provider's word

PROVIDER = Provider(
    "https://login.example", "larm", "s3cret", roles={"a": ("night", "day"), "b": ("day", "landlord")}
)


def known(**claims: Any) -> Any:
    return Elsewhere(PROVIDER)._known({"sub": "17", **claims})


def test_groups_add_up_and_only_those_of_the_file_count() -> None:
    assert known(groups=["a", "b", "kitchen"]).roles == ("night", "day", "landlord")
    assert known(groups="a").roles == ("night", "day")
    assert known(groups=["a"], name="Eva").name == "Eva"
    assert known(groups=["a"], preferred_username="eva").name == "eva"
    assert known(groups=["a"]).name == "17"
    assert known(groups=["a"]).id == "https://login.example 17"


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ({}, "no claim groups: no_role (oidc.scope or the provider leaves it out)"),
        ({"groups": []}, "no claim groups: no_role (oidc.scope or the provider leaves it out)"),
        ({"groups": {"a": 1}}, "no claim groups: no_role (oidc.scope or the provider leaves it out)"),
        ({"groups": ["x", 5]}, "groups: x, 5: no_role (oidc.roles names none of them)"),
    ],
)
def test_without_a_group_of_ours_nobody_comes_in_and_the_log_says_what_came(
    groups: dict[str, Any], told: str
) -> None:
    with pytest.raises(Refused) as why:
        known(**groups)
    assert str(why.value) == told


@pytest.mark.parametrize("said", [{"state": "s"}, {}, {"state": "other", "code": "c"}])
def test_a_flow_is_good_once_in_its_time_and_for_its_state(said: dict[str, str]) -> None:
    elsewhere = Elsewhere(PROVIDER)
    for now in (NOW - 1, NOW):
        elsewhere._flows["token"] = Flow("s", "n", "v", NOW)
        with pytest.raises(Refused) as why:
            asyncio.run(elsewhere.end("token", said, "https://larm.example/sign-in/back", now))
        fresh = now < NOW and said.get("state") == "s"
        assert why.value.what == ("oidc_failed" if fresh else "oidc_stale")
        assert not elsewhere._flows
