"""miIO in home.yaml and in apartment.yaml: mistakes are told where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.miio import DRIVER, GATEWAY
from homenode.config.load import load_home
from homenode.errors import FileMistakes
from homenode.gateway.load import keep, load, load_for_start
from homenode.sim.apartment import read_apartment

HOME = """\
home: miio-1
timezone: Europe/Stockholm
radios:
  hub: {{driver: miio_gateway, address: 192.168.1.21, token_file: {hub}}}
devices:
  stove: {{driver: miio, type: {type}, address: {address}, token_file: {file}, room: kitchen{more}}}
  iron:  {{driver: miio, type: cuco.plug.v2eur, address: 192.168.1.20, token_file: stove.token, room: hall}}
  sink:  {{via: hub, sid: {sid}, type: {sort}, room: kitchen}}
  bath:  {{via: hub, sid: 158d00019a0004, type: sensor_wleak.aq1, room: bathroom}}
"""
GOOD = {
    "type": "chuangmi.plug.v3",
    "address": "192.168.1.19",
    "file": "stove.token",
    "hub": "stove.token",
    "more": "",
    "sid": "158d00019a0003",
    "sort": "sensor_wleak.aq1",
}
TOKEN = "00112233445566778899aabbccddeeff"


def mistakes(folder: Path, **said: str) -> str:
    (folder / "stove.token").write_text(TOKEN)
    (folder / "empty.token").touch()
    (folder / "home.yaml").write_text(HOME.format(**GOOD | said))
    types = {"miio": DRIVER, "miio_gateway": GATEWAY}
    try:
        load(folder / "home.yaml", types)
    except FileMistakes as error:
        return str(error)
    return ""


def test_a_good_file_has_the_points_of_its_models(tmp_path: Path) -> None:
    assert mistakes(tmp_path) == ""
    home = load(tmp_path / "home.yaml", {"miio": DRIVER, "miio_gateway": GATEWAY}).home
    assert home.devices["stove"].kinds == ("switch", "power")
    assert home.devices["sink"].kinds == ("water", "battery")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"type": "chuangmi.plug.v4"}, "devices.stove.type: found 'chuangmi.plug.v4'"),
        ({"address": "plug.local"}, "an IPv4 address such as 192.168.1.20"),
        ({"address": "192.168.1.256"}, "an IPv4 address such as 192.168.1.20"),
        ({"address": "192.168.1.20"}, "the address of stove; each device has its own"),
        ({"file": "none.token"}, "the token can't be read: No such file"),
        (
            {"file": "home.yaml"},
            "home.yaml:6:84: devices.stove.token_file: found 'home.yaml' (holds no token)",
        ),
        (
            {"hub": "none.token"},
            "home.yaml:4:66: radios.hub.token_file: found 'none.token' (the token can't be read: ",
        ),
        (
            {"hub": "empty.token"},
            "radios.hub.token_file: found 'empty.token' (holds no token); accepted: a file with 32",
        ),
        ({"hub": "."}, "radios.hub.token_file: found '.' (the token can't be read: Is a directory)"),
        ({"more": ", every: 1 s"}, "every: found '1 s'; accepted: a duration"),
        ({"more": ", every: 2 min"}, "from 2 s to 1 min"),
        ({"sid": "hub"}, "an id such as 158d0001a2b3c4"),
        ({"sid": "158D00019A0004"}, "that of sink; each sensor has its own"),
        ({"sort": "sensor_wleak"}, "devices.sink.type: found 'sensor_wleak'"),
    ],
)
def test_a_mistake(tmp_path: Path, said: dict[str, str], words: str) -> None:
    assert words in mistakes(tmp_path, **said)


def test_a_replay_needs_no_token(tmp_path: Path) -> None:
    assert mistakes(tmp_path, file="none.token", hub="none.token")
    home = load_home(tmp_path / "home.yaml", drivers={"miio": DRIVER, "miio_gateway": GATEWAY}, files=False)
    assert set(home.devices) == {"stove", "iron", "sink", "bath"}


def test_a_token_that_is_gone_at_a_start_is_no_reason_not_to_start(tmp_path: Path) -> None:
    assert mistakes(tmp_path) == ""
    types = {"miio": DRIVER, "miio_gateway": GATEWAY}
    keep(tmp_path, load(tmp_path / "home.yaml", types), None)
    (tmp_path / "stove.token").unlink()
    loaded = load_for_start(tmp_path / "home.yaml", types, tmp_path)
    assert loaded.fault is not None
    assert "3 mistakes in home.yaml" in loaded.fault.text["en"]
    assert set(loaded.home.devices) == {"stove", "iron", "sink", "bath"}


def test_a_token_in_the_file_itself_is_refused_and_not_repeated(tmp_path: Path) -> None:
    told = mistakes(tmp_path, more=f", token: {TOKEN}")
    assert "token" in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{model: chuangmi.plug.v3, address: 10.0.0.1, token: T, room: hall}", "127.0.0.11"),
        (
            "{model: chuangmi.plug.m1, address: 127.0.0.1, token: T, room: hall, appliance: iron}",
            "which has no meter",
        ),
        ("{model: smoke, under: hub, sid: 158d00019a0003, room: hall}", "a gateway that stands above it"),
        ("{model: chuangmi.plug.v3, address: 127.0.0.9, token: T, room: hall}", "that of first"),
    ],
)
def test_a_mistake_in_apartment_yaml(tmp_path: Path, line: str, words: str) -> None:
    first = f'{{model: cuco.plug.v2eur, address: 127.0.0.9, token: "{TOKEN}", room: hall}}'
    text = f"timezone: UTC\nmiio:\n  first: {first}\n  thing: {line}\n".replace(
        "token: T", f'token: "{TOKEN}"'
    )
    (tmp_path / "apartment.yaml").write_text(text)
    with pytest.raises(FileMistakes, match=words):
        read_apartment(tmp_path / "apartment.yaml")
