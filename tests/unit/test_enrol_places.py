"""Where enrolment finds things."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.enrol.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(config=tmp_path / "etc", data=tmp_path / "var", partition=tmp_path / "partition")


@pytest.mark.parametrize(
    ("said", "forgets"),
    [
        ("readonly 7000\n", True),
        ("lost 0\n", True),
        ("good 7000\n", False),
        ("repaired 7000\n", False),
        ("å", False),
    ],
)
def test_a_card_forgets_if_the_image_says_that_its_data_are_damaged(
    places: Places, said: str, forgets: bool
) -> None:
    places.partition.write_text(said)
    assert places.forgets is forgets


def test_a_node_that_is_no_image_forgets_nothing(places: Places) -> None:
    assert not places.forgets


def test_the_factorys_certificate_from_the_card_counts_else_the_one_beside_home_yaml(places: Places) -> None:
    assert places.factory == (places.config / "factory.pem", places.config / "factory.key")
    places.folder.mkdir(parents=True)
    (places.folder / "factory.pem").touch()
    assert places.factory == (places.folder / "factory.pem", places.folder / "factory.key")
