"""A party's key gives way to another, signed by the old one, brought by the office: nobody is at the box."""

from __future__ import annotations

from pathlib import Path

from homenode.cli import main
from homenode.enrol.boot import boot
from homenode.enrol.steps import State
from tests.system.offices import HOME, Box, OfficeProcess


def configure(*words: str) -> int:
    return main(["configure", *words])


def test_a_new_key_of_care_reaches_a_box_that_goes_on_with_no_other(tmp_path: Path) -> None:
    office = OfficeProcess(tmp_path / "office")
    homes = office.folder / "homes"
    office.describe(HOME)
    first, second, thief = (str(tmp_path / f"{name}.key") for name in ("first", "second", "thief"))
    operator = str(tmp_path / "operator.key")
    signers = (("operator", operator), ("care", first))
    for party, file in signers:
        assert configure("key", party, file, "--homes", str(homes)) == 0
    for _, file in signers:
        assert configure("sign", str(homes / HOME), "--key", file) == 0
    with office:
        box = Box(tmp_path / "box")
        box.provisioned(office, office.code("box", "add", box.serial, "--home", HOME))
        assert box.once().state is State.ENROLLED
        boot(box.places, run=tmp_path / "run", lamps=())
        trusted = box.places.signers / "care.pem"
        former = trusted.read_text()

        assert configure("key", "care", thief, "--homes", str(tmp_path)) == 0
        assert configure("key", "care", second, "--homes", str(homes), "--after", thief) == 1
        assert not Path(second).exists()
        assert configure("key", "care", second, "--homes", str(homes), "--after", first) == 0
        now = (homes / "trust" / "care.pem").read_text()
        assert now != former
        assert box.once().state is State.ENROLLED
        assert trusted.read_text() == former, "root has not looked yet"
        boot(box.places, run=tmp_path / "run", lamps=())
        assert trusted.read_text() == now
        assert office.reports() == []

        (homes / "trust" / "care.pem").write_text((tmp_path / "trust" / "care.pem").read_text())
        assert box.once().state is State.ENROLLED
        boot(box.places, run=tmp_path / "run", lamps=())
        assert trusted.read_text() == now
        assert office.reports() == ["trust"]
