"""A box's first configuration is signed, too, where somebody signs for its home."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from homenode.cli import main
from homenode.configure import place
from homenode.configure.first import first
from homenode.configure.kept import follows
from homenode.configure.payload import Configuration
from homenode.configure.taking import Old, Unsigned
from homenode.enrol import leaving
from homenode.enrol.steps import State
from tests.system.offices import HOME, Box, OfficeProcess


def configure(*words: str) -> None:
    assert main(["configure", *words]) == 0


def signing(tmp_path: Path, office: OfficeProcess, *parties: str) -> None:
    """Those sign its home as it stands; each gets a key the first time."""
    homes = office.folder / "homes"
    for party in parties:
        key = tmp_path / f"{party}.key"
        if not key.exists():
            configure("key", party, str(key), "--homes", str(homes))
    for party in parties:
        configure("sign", str(homes / HOME), "--key", str(tmp_path / f"{party}.key"))


def cut(link: Callable[[Path, str, str], None], at: str, beside: Path, name: str, target: str) -> None:
    if name == at:
        raise KeyboardInterrupt
    link(beside, name, target)


def took(box: Box, number: int) -> None:
    """It is the highest that the box took: nothing else of this number is taken, and the next one is."""
    same, following = (Configuration(HOME, one, {}, "", "") for one in (number, number + 1))
    with pytest.raises(Old):
        follows(box.places.data, box.places.config, same)
    follows(box.places.data, box.places.config, following)


def test_a_first_home_that_a_power_cut_left_half_is_taken_at_the_next_try(tmp_path: Path) -> None:
    office = OfficeProcess(tmp_path / "office")
    office.describe(HOME)
    signing(tmp_path, office, "operator", "care")
    with office:
        box = Box(tmp_path / "box")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", HOME))
        for name in ("configured", "rules", "home.yaml"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(place, "_link", functools.partial(cut, place._link, name))
                with pytest.raises(KeyboardInterrupt):
                    box.once()
            assert not box.places.home.exists()
        assert box.once().done
        assert box.places.home.read_text().startswith(f"home: {HOME}")
        took(box, 1)


def test_the_same_number_of_another_home_is_not_written_over(tmp_path: Path) -> None:
    """Somebody took home.yaml away by hand."""
    office = OfficeProcess(tmp_path / "office")
    for home in (HOME, "next-1"):
        office.describe(home)
    signing(tmp_path, office, "operator", "care")
    for party in ("operator", "care"):
        configure("sign", str(office.folder / "homes/next-1"), "--key", str(tmp_path / f"{party}.key"))
    with office:
        box = Box(tmp_path / "box")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", HOME))
        assert box.once().done
    box.places.home.unlink()
    jws = (office.folder / "homes/next-1/signed.json").read_text()
    for _ in range(2):  # also when the power went before home.yaml was there
        first(box.places.config, box.places.data, jws, "next-1")
        assert box.places.home.read_text().startswith("home: next-1")
        box.places.home.unlink()


def test_a_new_box_gets_the_newest_that_all_have_signed(tmp_path: Path) -> None:
    """What the operator changed alone since goes to it as to any other: one without a home can't compare."""
    office = OfficeProcess(tmp_path / "office")
    office.describe(HOME)
    signing(tmp_path, office, "care", "operator")
    file = office.folder / "homes" / HOME / "home.yaml"
    for pin in (22, 23):
        file.write_text(re.sub(r"pin: \d+", f"pin: {pin}", file.read_text()))
        signing(tmp_path, office, "operator")
    with office:
        box = Box(tmp_path / "box")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", HOME))
        assert box.once().done
        took(box, 1)
        signing(tmp_path, office, "care")
        new = Box(tmp_path / "new", "20000000aaaa0001")
        new.provisioned(office, office.code("swap", HOME, new.serial))
        assert new.once().done
        took(new, 3)


def test_a_box_takes_its_first_home_from_those_who_sign_for_it_and_forgets_all_of_it(tmp_path: Path) -> None:
    office = OfficeProcess(tmp_path / "office")
    homes = office.folder / "homes"
    office.describe(HOME)
    for party in ("operator", "care"):
        configure("key", party, str(tmp_path / f"{party}.key"), "--homes", str(homes))
    sign = ("sign", str(homes / HOME), "--key")
    with office:
        box = Box(tmp_path / "box")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", HOME))
        assert box.once().why.key == "no_home"  # nobody has signed: what lies there is nobody's word

        configure(*sign, str(tmp_path / "operator.key"))
        assert box.once().why.key == "no_home"  # an honest office knows that care has to sign, too
        jws = (homes / HOME / "signed.json").read_text()
        with pytest.raises(Unsigned, match="that needs the signature of care"):
            first(box.places.config, box.places.data, jws, HOME)
        assert not box.places.home.exists()

        configure(*sign, str(tmp_path / "care.key"))
        assert box.once().state is State.ENROLLED
        assert box.places.home.read_text().startswith(f"home: {HOME}")
        took(box, 1)

        (homes / "trust" / "care.pem").write_text((homes / "trust" / "operator.pem").read_text())
        before = (box.places.config / "trust" / "care.pem").read_text()
    with office:  # it says that the operator's key is care's
        assert box.once().state is State.ENROLLED
        assert (box.places.config / "trust" / "care.pem").read_text() == before
        assert office.reports()[0] == "trust"

    (box.places.data / "panel.json").write_text("{}")  # tablets of who lived there
    (box.places.data / "reports" / "2026-01-05").mkdir(parents=True)
    box.places.provision.write_text("home: {}")
    leaving.order(box.places, HOME, box.serial)
    leaving.carry_out(box.places, 0)
    assert sorted(path.name for path in box.places.config.iterdir()) == ["ca.pem", "node.key", "node.pem"]
    assert [path.name for path in box.places.data.iterdir()] == ["enrol"]
    assert not box.places.provision.exists()
