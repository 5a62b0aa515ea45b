"""What an office remembers, and how much of it a stranger can make it remember."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from homenode.errors import SetupError
from homenode.office.decide import Box, State
from homenode.office.store import ALPHABET, CODE_MS, DAY_MS, MOST_EACH, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def test_a_code_is_kept_as_its_hash_and_read_as_people_type_it(store: Store, tmp_path: Path) -> None:
    code = store.new_code(100, "1234", "h")
    assert len(code.replace("-", "")) == 16
    assert set(code.replace("-", "")) <= set(ALPHABET)
    assert not any(letter in ALPHABET for letter in "01ILOU")
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert not any(code.encode() in content or code.replace("-", "").encode() in content for content in files)
    found = store.code(f" {code.lower().replace('-', ' ')} ")
    assert found is not None
    assert (found.serial, found.home, found.until_ms, found.used_by) == ("1234", "h", 100 + CODE_MS, "")
    store.use(found, "1234", "k")
    again = store.code(code)
    assert again is not None
    assert again.used_by == "k"
    assert store.code("AAAA") is None


def test_a_new_code_makes_the_former_ones_for_its_box_or_home_worthless(store: Store) -> None:
    first, other, anyones = store.new_code(1, "1234"), store.new_code(1, "5678"), store.new_code(1)
    store.new_code(2, "1234", "h")
    assert store.code(first) is None
    assert store.code(other) is not None
    assert store.code(anyones) is not None
    of_home = store.new_code(3, "", "h")
    assert store.new_code(4, "", "") != of_home
    store.new_code(5, "9999", "h")
    assert store.code(of_home) is None


def test_of_a_box_that_is_gone_nothing_counts(store: Store) -> None:
    code = store.new_code(1, "", "h")
    found = store.code(code)
    assert found is not None
    store.use(found, "1234", "k")
    store.put(Box("1234", State.ENROLLED, "h", key="k"))
    store.next_turn("1234", "")
    store.gone(Box("1234", State.ENROLLED, "h", key="k"))
    assert store.box("1234") == Box("1234", State.GONE)
    assert store.code(code) is None
    assert store.turns("1234") == ("", "")


def test_who_tells_without_end_pushes_out_its_own(store: Store) -> None:
    store.report(1, "5678", "g", "twin", "text")
    for nth in range(MOST_EACH + 5):
        store.report(2, "1234", "h", "told", str(nth))
    assert len(store.reports(MOST_EACH * 2)) == MOST_EACH + 1
    assert store.reports(home="g")[0].serial == "5678"


def test_strangers_push_out_each_other_and_nobody_else(store: Store) -> None:
    store.put(Box("expected", State.EXPECTED, seen_ms=1))
    store.put(Box("assigned", State.ASKING, "h", seen_ms=1))
    store.put(Box("approved", State.ASKING, approved="k", seen_ms=1))
    for nth in range(10):
        store.put(Box(f"stranger-{nth}", State.ASKING, seen_ms=100 + nth))
    store.forget_strangers(3)
    left = {box.serial for box in store.boxes()}
    assert left == {"expected", "assigned", "approved", "stranger-7", "stranger-8", "stranger-9"}


def test_what_is_told_again_is_told_once_a_day(store: Store) -> None:
    for at in (1, 2, DAY_MS, DAY_MS + 1, 3 * DAY_MS):
        store.report(at, "1234", "h", "twin", "text")
    store.report(5, "5678", "h", "twin", "text")
    assert [one.at_ms for one in store.reports()] == [3 * DAY_MS, DAY_MS + 1, 5]
    assert [one.serial for one in store.reports(1)] == ["1234"]
    assert len(store.reports(home="other")) == 0


def test_a_home_has_one_box(store: Store) -> None:
    store.put(Box("1234", State.ENROLLED, "h"))
    with pytest.raises(Exception, match="UNIQUE"), store.changing():
        store.put(Box("5678", State.EXPECTED, "h"))
    assert store.box("5678") is None
    store.put(Box("1234", State.GONE, ""))
    store.put(Box("5678", State.EXPECTED, "h"))
    found = store.box_of("h")
    assert found is not None
    assert found.serial == "5678"


def test_a_home_has_boxes_besides_that_were_swapped_also_in_an_office_of_before(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / "office.db") as db:
        db.execute("drop index box_of_home")
        db.execute("create unique index one_box on boxes(home) where home != '' and state != 'gone'")
    store = Store(tmp_path)
    for serial in ("1234", "5678"):
        store.put(Box(serial, State.SWAPPED, "h", key="k"))
    assert store.box_of("h") is None
    assert store.owner("k", "9999") == ""  # the card in another box is no copy of it
    store.put(Box("9999", State.EXPECTED, "h"))
    found = store.box_of("h")
    assert found is not None
    assert found.serial == "9999"
    store.close()


def test_turns_go_on_and_begin_anew(store: Store) -> None:
    store.put(Box("1234"))
    assert store.turns("1234") == ("", "")
    first = store.next_turn("1234", "")
    second = store.next_turn("1234", first)
    assert store.turns("1234") == (second, first)
    store.put(Box("1234", State.ENROLLED, "h"))  # what else is known of it doesn't touch them
    assert store.turns("1234") == (second, first)
    store.forget_turns("1234")
    assert store.turns("1234") == ("", "")
    assert store.turns("nobody") == ("", "")


def test_certificates_are_revoked_once_and_listed_while_they_would_count(store: Store) -> None:
    box = Box("1234", State.ENROLLED, "h", key="k")
    store.add_certificate(255, box, 1_000, b"one")
    store.add_certificate(256, box, 2_000, b"two")
    assert store.newest("1234") == (2_000, b"two")
    assert store.revoke("1234", 500, "stolen") == 2
    assert store.revoke("1234", 600, "again") == 0
    assert store.revoked(700) == [(255, 500), (256, 500)]
    assert store.revoked(1_500) == [(256, 500)]
    assert store.newest("1234") is None
    assert store.newest_of_key("1234", "k") == b"two"
    found = store.issued(255)
    assert found is not None
    assert (found.home, found.why) == ("h", "stolen")
    assert store.next_list() + 1 == store.next_list()


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        Store(tmp_path / "none")
