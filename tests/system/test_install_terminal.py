"""A flat paired, placed, tested and handed over on a terminal, against a real node on a simulated stick."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.brokers import needs_mosquitto
from tests.system.flats import APARTMENT, IEEE, Flat, Installer, flat
from tests.system.nodes import homenode
from tests.system.soak_home import until
from tests.system.test_sim_run import apartment

pytest.importorskip("bellows", reason="the extra zigbee is not installed")
pytest.importorskip("fpdf", reason="the extra install is not installed")
pytestmark = needs_mosquitto

CODE, KEY = "83FED3407A939723A5C639B26916D505C3B5", "66b6900981e1ee3ca4206b6b861c02bb"
STREAM = re.compile(rb"stream\n(x.*?)\nendstream", re.DOTALL)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Flat]:
    with flat(tmp_path) as found:
        yield found
        print(found.tells())


def pair(person: Installer, here: Flat, sensor: str, room: str, name: str = "") -> None:
    """A sensor joins, and is given its room and name."""
    person.type("1")
    person.until("network is open for 4 minutes")
    here.sim.do(f"join {sensor}")
    person.until(rf"\+ (?!new device)[^\n]*{IEEE[sensor]}")
    person.type("2")
    person.until("Which")
    person.type("1", room, name, "")
    person.until("is added")
    person.until("how it looks now")


def placed(person: Installer, *rules: str) -> None:
    person.type("d")
    for rule in rules:
        number = person.until(rf"\n +(\d) +{rule}:")[1]
        person.until("none")
        person.type(number)
        person.until("now reads")
    person.until(r"none\): |Choose")
    person.type("")
    person.until("Choose")


def test_a_flat_from_nothing_to_a_signed_report(here: Flat) -> None:
    before = here.text()
    with Installer(here) as person:
        person.until("Choose")
        pair(person, here, "a_door", "hall", "front_door")
        here.sim.do("open a_door")
        until(lambda: here.shows("front_door.contact", "open"), what="the door is heard")
        person.type_until("", r"heard [1-9]\d* times here; link 2\d\d: good link")
        placed(person)
        pair(person, here, "a_water", "kitchen")
        placed(person, "water_leak")
        assert "water: [kitchen_water.water]" in here.text()

        person.type("5")
        person.until("service mode")
        person.until("NOT TESTED +kitchen")
        here.sim.do("close a_door")
        here.sim.do("open a_door")
        person.until("front_door: tested")
        here.sim.do("trip a_water")
        person.until("kitchen_water: tested")
        person.until("water_leak -> care TEST")
        for receiver in here.receivers.values():
            (told,) = receiver.until(lambda one: one.alerts("notified"), "the test alert")
            assert told["data"]["test"] is True
        here.acknowledge()
        person.until(r"(?s)(?=.*Acknowledged care Karin)(?=.*Acknowledged property Karin)")

        person.type("c", "1")
        person.until("Comment on front_door")
        person.type("hänger lågt")
        person.type("r", "Nisse Öberg")
        person.until("water_leak is still open, and goes out as a real alert")
        person.type("n")
        here.sim.do("clear a_water")
        person.type("r", "Nisse Öberg", "y")
        folder = Path(person.until("The report is written: (.+)")[1])
        person.until("Choose")
        person.type("9")
        assert person.process.wait(30) == 0

    found = json.loads((folder / "report.json").read_text())
    assert (found["accepted"], found["by"], found["home"]) == (True, "Nisse Öberg", "flat-1203")
    assert all(device["passed"] and device["at"] for device in found["devices"])
    assert found["devices"][0]["remark"] == "hänger lågt"
    pdf = (folder / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert "hänger lågt".encode("cp1252") in b"".join(map(zlib.decompress, STREAM.findall(pdf)))
    assert here.node.status()["mode"] == "home"
    kept = [line for line in before.splitlines() if line]
    assert [line for line in here.text().splitlines() if line in kept] == kept  # all of it, in its order
    assert 'model: "IKEA of Sweden/PARASOLL Door/Window Sensor"' in here.text()
    assert (sorted((here.data / "former").iterdir())[0]).read_text() == before

    answer = homenode("install", "verify", str(folder), "--language", "en")
    assert answer.returncode == 0
    assert "Accepted" in answer.stdout
    assert shutil.which("openssl")  # anybody's tool says so, too
    subprocess.run(
        [
            *("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"),
            *("-in", "report.json", "-sigfile", "report.sig"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    text = (folder / "report.json").read_text()
    (folder / "report.json").write_text(text.replace("Nisse", "Nasse"))
    answer = homenode("install", "verify", str(folder))
    assert answer.returncode == 1
    assert "changed after it was signed" in answer.stderr


def test_what_was_tested_is_kept_when_node_and_terminal_die(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        pair(person, here, "a_door", "hall")
        placed(person)
        person.type("5")
        person.until("service mode")
        here.sim.do("open a_door")
        person.until(r"\* hall_door: open open")
        until(lambda: '"true": "20' in (here.data / "walk.json").read_text(), what="the tick is on the disk")
        person.process.kill()
    here.restart()
    with Installer(here) as person:
        person.until("Choose")
        person.type("5")
        person.until("A test of 20.* has begun")
        person.type("")
        person.until("NOT TESTED  hall")
        here.sim.do("close a_door")
        person.until("hall_door: tested")


def test_a_disk_that_takes_no_report_ends_neither_the_program_nor_the_test(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        pair(person, here, "a_water", "kitchen")
        placed(person)
        (here.data / "reports").touch()  # no folder can be made there
        person.type("5")
        person.until("service mode")
        person.until("kitchen_water.water alerts nobody: no rule uses it")
        person.type("r", "Nisse")
        person.until("Not done: The node's disk did not take it")
        person.until("Enter: how it stands")
        (here.data / "reports").unlink()
        person.type("r", "Nisse")
        person.until("The report is written")


def test_what_a_tired_installer_types_wrong_is_asked_for_again(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        person.type("12")
        person.until("A number from 1 to 9")
        person.type("1")
        person.until("network is open")
        here.sim.do("join a_door")
        person.until(rf"\+ (?!new device)[^\n]*{IEEE['a_door']}")
        person.type("2", "1", "2", "Ytterdörr", "front door")
        person.until("Not done: A name is 1 to 64 of a-z, 0-9, _ and -: ytterdorr would do")
        person.type("", "", "front_door", "")
        person.until("front_door is added")
        assert "room: kitchen, is: front door" in here.text()
        person.type("d", "")
        person.until("Choose")
        person.type("7", "1", "hall")
        person.until("front_door is now in hall")
        assert "room: hall, is: front door" in here.text()


def test_by_its_install_code_one_device_joins_and_no_other(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        person.type("8")
        person.until("Install code")
        person.type("93" + CODE[2:], IEEE["a_door"])
        person.until("Not done: The install code was not taken.*a digit is wrong")
        person.type(f"Z:{IEEE['a_door'].replace(':', '')}$I:{CODE}", "")
        person.until("for the device with that code, and no other")
        assert not here.sim.ask("join a_second_door")["ok"]
        here.sim.do(f"join a_door key {KEY}")
        person.until(rf"\+ door[^\n]*{IEEE['a_door']}")


def test_who_hangs_up_leaves_no_network_open(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        person.type("1")
        person.until("network is open")
        assert person.end() == 0
    assert not here.sim.ask("join a_door")["ok"]


def test_a_dead_sensor_is_replaced_under_its_name(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        pair(person, here, "a_door", "hall", "front_door")
        placed(person, "door_left_open")
    old = here.text()
    with Installer(here, "backdoor", command="replace") as person:
        person.until("Not done: There is no device backdoor")
        assert person.process.wait(30) == 1
    with Installer(here, "front_door", command="replace") as person:
        person.until("network is open")
        here.sim.do("join a_button")
        person.until(rf"\+ button[^\n]*{IEEE['a_button']}")
        person.type("", "1")
        person.until(r"lacks what rules read of front_door: contact \(door_left_open\)")
        person.type("n")
        here.sim.do("join a_second_door")
        person.until(rf"\+ door[^\n]*{IEEE['a_second_door']}")
        person.type("")
        person.until("Which")
        person.type("2")
        person.until("front_door has new hardware")
        person.until("how it looks now")
        here.sim.do("open a_second_door")
        until(lambda: here.shows("front_door.contact", "open"), what="the new door is heard")
        person.type("d")
        assert person.process.wait(30) == 0
    assert here.text() == old.replace(IEEE["a_door"], IEEE["a_second_door"])


def test_the_neighbours_sensor_is_sent_away(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        person.type("1")
        person.until("network is open")
        here.sim.do("join a_door")
        person.until(rf"\+ door[^\n]*{IEEE['a_door']}")
        here.sim.do("open a_door")
        person.until(rf"{IEEE['a_door']}: open")  # which one it is, before it has a name
        person.type("2", "1", "-")
        person.until(f"{IEEE['a_door']} was sent away")
        until(lambda: IEEE["a_door"] not in here.node.ask("devices").stdout, what="it is gone")
    assert IEEE["a_door"] not in here.text()


def test_of_two_radios_one_is_opened_and_what_it_heard_is_written_with_it(here: Flat, tmp_path: Path) -> None:
    folder = tmp_path / "attic"
    folder.mkdir()
    stick = folder / "stick"
    with apartment(folder, "--pty", str(stick), text=APARTMENT) as attic:
        other = f'  attic: {{driver: zigbee, port: "{stick}"}}\n'
        here.home.write_text(here.text().replace("\n\ndevices:", f"\n{other}\ndevices:"))
        assert here.node.ask("reload").returncode == 0
        here.node.until("network up radio=attic")
        with Installer(here) as person:
            person.until("Choose")
            person.type("1")
            person.until("1  zigbee\n  2  attic\nAt which radio")
            person.type("2")
            person.until("network is open")
            assert not here.sim.ask("join a_door")["ok"], "the other one is not open"
            attic.do("join a_second_door")
            person.until(rf"\+ door[^\n]*{IEEE['a_second_door']}")
            person.type("2", "1", "attic", "", "")
            person.until("attic_door is added")
        assert f'attic_door: {{via: attic, ieee: "{IEEE["a_second_door"]}"' in here.text()
        attic.do("open a_second_door")
        until(lambda: here.shows("attic_door.contact", "open"), what="the door is heard")


def test_a_second_installer_is_told_who_is_there(here: Flat) -> None:
    with Installer(here) as first:
        first.until("Choose")
        with Installer(here) as second:
            second.until(rf"somebody is installing here already \(process {first.process.pid}\)")
            assert second.process.wait(30) == 1
    with Installer(here) as third:
        third.until("Choose")


def test_a_file_that_somebody_else_changed_is_read_again_and_never_overwritten(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        here.home.write_text(here.text().replace("# by room", "# by room, as Lisa likes it"))
        person.until("changed by somebody else")
        pair(person, here, "a_door", "hall")
        assert "as Lisa likes it" in here.text()
        placed(person)
        here.home.write_text(here.text().replace("room: hall", "rom: hall"))
        person.until("home.yaml has mistakes now.*rom")


def test_a_radio_that_goes_midway_is_told_and_what_joined_is_still_there(here: Flat) -> None:
    with Installer(here) as person:
        person.until("Choose")
        person.type("1")
        person.until("network is open")
        here.sim.do("join a_door")
        person.until(rf"\+ door[^\n]*{IEEE['a_door']}")
        here.sim.do("stick unplug")
        until(lambda: "lost" in here.node.status()["drivers"]["zigbee"], what="the radio is lost")
        person.type("1")
        person.until("Not done: .*zigbee")
        here.sim.do("stick plug")
        until(lambda: here.node.status()["drivers"]["zigbee"] == "running", what="the radio is back")
        person.type("2")
        person.until("Which")
        person.type("1", "hall", "", "")
        person.until("hall_door is added")
