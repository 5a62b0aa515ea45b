"""The pages about stoves and a camera: what they show works, and what they cost is what the list says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homenode.config.check import check_home, look_closer
from homenode.config.load import load_home
from homenode.wiring.plan import plan
from homenode.wiring.power import data

FOLDER = Path(__file__).parents[2] / "hardware"
PAGES = sorted(FOLDER.glob("stove-*.md"))
BEDROOM = FOLDER / "bedroom-camera.md"
DRIVERS = FOLDER.parent / "drivers" / "README.md"
CLAIMS = ("EN 50134", "SCAIP", "we are certified", "is a stove guard", "is a smoke alarm")


def test_there_are_four() -> None:
    assert [page.stem for page in PAGES] == [
        "stove-burner-contact",
        "stove-clamps",
        "stove-guard-output",
        "stove-plug",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_home_that_a_page_shows_has_no_mistake_and_a_plan(page: Path, tmp_path: Path) -> None:
    (home,) = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    file = tmp_path / "home.yaml"
    file.write_text(home, encoding="utf-8")
    report = look_closer(check_home(file), str(file), tmp_path / "no such file")
    assert not report.mistakes
    assert len(report.rules) == 1
    assert [warning.field for warning in report.warnings] in ([], ["broker"])
    assert not plan(load_home(file)).unknown


def test_the_bedroom_that_a_page_shows_has_no_mistake_and_both_lights_in_its_plan(tmp_path: Path) -> None:
    (home,) = re.findall(r"```yaml\n(.*?)```", BEDROOM.read_text(encoding="utf-8"), re.S)
    file = tmp_path / "home.yaml"
    file.write_text(home, encoding="utf-8")
    report = look_closer(check_home(file), str(file), tmp_path / "no such file")
    assert not report.mistakes
    drawn = plan(load_home(file))
    assert not drawn.unknown
    assert "mosfet" in str(drawn)


@pytest.mark.parametrize("page", [*PAGES, BEDROOM], ids=lambda page: page.stem)
def test_what_a_page_costs_is_the_sum_of_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lists = re.findall(r"<!-- parts: (.*?) -->", text)
    costs = re.findall(r"\| cost \| (\d+)–(\d+) SEK", text)
    assert len(lists) == len(costs) > 0
    for parts, cost in zip(lists, costs, strict=True):
        low = high = 0
        for said in parts.split(", "):
            count, _, word = said.rpartition(" ")
            one, most, _ = data()["parts"][word]["price"]
            low, high = low + int(count or 1) * one, high + int(count or 1) * most
        assert (str(low), str(high)) == cost


@pytest.mark.parametrize("page", [*PAGES, BEDROOM], ids=lambda page: page.stem)
def test_each_page_says_what_it_is_blind_to_and_who_may_wire_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("**Blind to**") == text.count("| who |") == text.count("| cost |")


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.stem)
def test_no_page_claims_what_we_are_not(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not [claim for claim in CLAIMS if claim in text]


def test_the_wired_devices_of_the_drivers_page_have_no_mistake(tmp_path: Path) -> None:
    about_gpio = DRIVERS.read_text(encoding="utf-8").partition("\n## gpio\n")[2]
    devices = re.findall(r"```yaml\n(.*?)```", about_gpio, re.S)[0]
    file = tmp_path / "home.yaml"
    file.write_text(f"home: try-1\ntimezone: Europe/Stockholm\n{devices}", encoding="utf-8")
    report = look_closer(check_home(file), str(file), tmp_path / "no such file")
    assert not report.mistakes
    assert not plan(load_home(file)).unknown
