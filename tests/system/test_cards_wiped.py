"""What stood on the card, and may be read by whoever finds it, is overwritten."""

from __future__ import annotations

import os
from pathlib import Path

from homenode.enrol.boot import boot
from homenode.enrol.places import FACTORY, FILE
from tests.system.offices import Box


def test_a_file_that_is_replaced_by_one_with_the_home_in_it_is_overwritten_too(tmp_path: Path) -> None:
    """Both names are of one file: it is what a laptop would find in the blocks that are free again."""
    box = Box(tmp_path)
    file, home, found = box.places.boot / FILE, box.places.boot / "home.yaml", tmp_path / "blocks"
    file.write_text("office: https://o\ncode: ABCD-EFGH-JKMN-PQRS\n")
    home.write_text("home: h\n")
    os.link(file, found)
    boot(box.places, run=tmp_path / "run", lamps=())
    assert not file.exists()
    assert not home.exists()
    assert set(found.read_bytes()) == {0}


def test_a_factorys_key_that_was_taken_stays_on_no_card_whenever_the_power_goes(tmp_path: Path) -> None:
    for nth in range(2):
        box = Box(tmp_path / str(nth))
        pem, key = (box.places.boot / name for name in FACTORY)
        pem.write_text("certificate")
        key.write_text("key")
        box.cut_while_wiping(nth, tmp_path / "run")
        assert key.exists() == (nth == 0)
        boot(box.places, run=tmp_path / "run", lamps=())
        assert not [*box.places.boot.glob("factory*")]
        key.write_text("key")  # as an earlier version left it
        boot(box.places, run=tmp_path / "run", lamps=())
        assert not key.exists()
        key.write_text("another")  # its certificate is yet to come
        boot(box.places, run=tmp_path / "run", lamps=())
        assert key.read_text() == "another"
