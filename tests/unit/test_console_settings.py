"""console.yaml: all mistakes in one go, each with its line; nothing half open."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="the extra console is not installed")

from homenode.config.excerpt import Excerpts
from homenode.console.access import Grant
from homenode.console.rounds import Round
from homenode.console.settings import Console, read_console
from homenode.errors import FileMistakes

HASH = "$argon2id$v=19$m=65536,t=3,p=4$" + "a" * 60
GOOD = f"""\
listen: care.yaml
roles:
  night: {{sees: care, homes: all}}
  daughter: {{sees: relative, homes: [north-1]}}
users:
  eva: {{name: Eva Lind, password: "{HASH}", roles: [night]}}
"""


def read(folder: Path, text: str) -> Console:
    (folder / "care.yaml").write_text("party: care\nbroker: {url: mqtts://broker.example}\n")
    (folder / "property.yaml").write_text("party: property\nbroker: {url: mqtts://broker.example}\n")
    (folder / "resident.yaml").write_text("party: resident\nbroker: {url: mqtts://broker.example}\n")
    (folder / "nats.yaml").write_text("party: care\nnats: tls://broker.example\n")
    (folder / "secret").write_text("s3cret\n")
    (folder / "console.yaml").write_text(text)
    settings, _ = read_console(str(folder / "console.yaml"))
    return settings


def mistakes(folder: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(FileMistakes) as error:
        read(folder, text)
    return [(one.line, one.field) for one in error.value.mistakes]


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    assert (settings.host, settings.port, settings.roster, settings.tls) == ("127.0.0.1", 8700, True, None)
    assert settings.grants(("night", "gone")) == (Grant("care", None),)
    assert settings.roles["daughter"] == Grant("relative", frozenset({"north-1"}))
    assert [one.party for one in settings.listen] == ["care"]


def test_everything_can_be_said(tmp_path: Path) -> None:
    more = """\
oidc: {issuer: "https://login.example/", client_id: c, client_secret_file: secret, roles: {staff: night}}
rounds: [{home: north-1, camera: bed, at: ["23:00"]}]
ice: {urls: ["turn:turn.example:3478"], username: care, password_file: secret}
address: "[::1]:443"
url: https://Larm.Example:443/
session: 8 h
"""
    settings = read(tmp_path, GOOD.replace("care.yaml", "[care.yaml, property.yaml]") + more)
    assert settings.provider is not None
    assert (settings.provider.issuer, settings.provider.secret) == ("https://login.example", "s3cret")
    assert settings.provider.roles == {"staff": ("night",)}
    assert settings.rounds == (Round("north-1", "bed", (23 * 60,)),)
    assert settings.relays == (
        {"urls": "turn:turn.example:3478", "username": "care", "credential": "s3cret"},
    )
    assert (settings.host, settings.port, settings.url) == ("::1", 443, "https://larm.example")
    assert "s3cret" not in repr(settings)
    assert HASH not in repr(settings)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("listen: resident.yaml", "listen"),
        ("listen: nats.yaml", "listen"),
        ("listen: [care.yaml, care.yaml]", "listen"),
        ("listen: {a: b}", "listen"),
        ("roles: {night: {sees: care}}", "roles.night.homes"),
        ("roles: {night: {sees: care, homes: []}}", "roles.night.homes"),
        ("roles: {night: {sees: care, homes: [UPPER]}}", "roles.night.homes"),
        ("roles: {night: {sees: relative, homes: all}}", "roles.night.homes"),  # nobody is related to all
        ("roles: {night: {sees: operator, homes: all}}", "roles.night.sees"),
        ("roles: {'a b': {sees: care, homes: all}}", "roles"),
        ("roles: all", "roles"),
        (f"users: {{eva: {{name: Eva, password: '{HASH}', roles: [nigth]}}}}", "users.eva.roles"),
        ("users: {eva: {name: Eva, password: plain, roles: [night]}}", "users.eva.password"),
        ("users: {}", "users"),
        ("address: 8700", "address"),
        ("address: localhost:http", "address"),
        ("url: larm.example", "url"),
        ("address: 0.0.0.0:8700", "url"),  # nobody's browser calls it so
        ("url: https://larm.example/path", "url"),
        ("cert: care.yaml", "cert"),
        ("timezone: Europe/Vaxjo", "timezone"),
        ("sesion: 8 h", "sesion"),
        ("session: 1 s", "session"),
        ("rounds: {home: a}", "rounds"),
        ("rounds: [{home: a, camera: bed, at: [noon]}]", "rounds.1.at"),
        ("rounds: [{home: a, camera: bed, at: '23:00'}]", "rounds.1.at"),
        ("rounds: [{home: a, camera: bed}]", "rounds.1.at"),
        ("ice: {urls: ['http://relay']}", "ice.urls"),
        ("ice: {urls: ['turn:relay'], password_file: gone}", "ice.password_file"),
        ("oidc: {issuer: x, client_id: c, client_secret_file: secret, roles: {s: night}}", "oidc.issuer"),
        ("oidc: {issuer: 'https://x', client_id: c, client_secret_file: gone, roles: {s: night}}",
         "oidc.client_secret_file"),
        ("oidc: {issuer: 'https://x', client_id: c, client_secret_file: secret}", "oidc.roles"),
        ("oidc: {issuer: 'https://x', client_id: c, client_secret_file: secret, roles: {s: day}}",
         "oidc.roles.s"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, line: str, field: str) -> None:
    """The key of `line` is given in place of the one in `GOOD`."""
    key = line.partition(":")[0]
    kept, skipping = [], False
    for old in GOOD.splitlines():
        skipping = old.startswith(f"{key}:") or (skipping and old.startswith(" "))
        kept += [] if skipping else [old]
    found = mistakes(tmp_path, "\n".join([*kept, line, ""]))
    assert field in [name for _, name in found]


@pytest.mark.parametrize(
    ("given", "found", "suggestion"),
    [("7.45", "7.45", "07:45"), ("24:00", "'24:00'", ""), ("{a: 1}", "a mapping", "")],
)
def test_a_time_of_a_round_that_is_wrong_is_named(
    tmp_path: Path, given: str, found: str, suggestion: str
) -> None:
    with pytest.raises(FileMistakes) as error:
        read(tmp_path, GOOD + f'rounds: [{{home: a, camera: bed, at: ["23:00", {given}]}}]\n')
    (mistake,) = error.value.mistakes
    assert (mistake.field, mistake.found, mistake.suggestion) == ("rounds.1.at", found, suggestion)
    assert mistake.accepted == 'times of day, such as ["23:00", "03:00"]'


def test_all_mistakes_are_told_in_one_run(tmp_path: Path) -> None:
    text = "listen: resident.yaml\nroles: {n: {sees: care}}\nusers: {e: {name: E}}\nadress: x\n"
    found = mistakes(tmp_path, text)
    assert {line for line, _ in found} == {1, 2, 3, 4}


@pytest.mark.parametrize(
    "user",
    [
        "{name: Eva, password: hemligt, roles: [night]}",
        "{name: Eva, password: [hemligt], roles: [night]}",
        '{name: Eva, "password": hemligt, rols: [night]}',
        "{name: Eva, pasword: hemligt, roles: [night]}",
        "\n    name: Eva\n    roles: [night]\n    password:\n      hemligt",
    ],
)
def test_a_password_is_told_nowhere(tmp_path: Path, user: str) -> None:
    with pytest.raises(FileMistakes) as error:
        read(tmp_path, GOOD.partition("users:")[0] + f"users:\n  eva: {user}\n")
    told = "\n".join(Excerpts().told(error.value.mistakes))
    assert "users.eva.password" in told
    assert "hemligt" not in told


def test_a_file_that_is_no_console_is_told_so(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "- a\n") == [(1, "file")]
