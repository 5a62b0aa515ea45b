"""Which slot starts next: two records, and a power cut in any of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.image import boot_state
from deploy.image.boot_state import AT_B, GOOD, LOST, NEW, RECORD_B, TRIAL
from homenode.update.updater import FAST_DEADLINE_S


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "card"
    with path.open("wb") as stream:
        stream.truncate(8 << 20)
        for at in AT_B:
            stream.seek(at)
            stream.write(boot_state.encode(NEW))
    return path


def test_a_new_card_starts_a_and_makes_its_data(card: Path) -> None:
    state, _ = boot_state.read(card)
    assert (boot_state.primary(state), state["hn_data"]) == ("A", "new")


def test_an_update_is_on_trial_until_it_is_good(card: Path) -> None:
    state, place = boot_state.read(card)
    boot_state.write(card, boot_state.with_primary(state, "B"), place)
    state, place = boot_state.read(card)
    assert (boot_state.primary(state), boot_state.left(state, "B")) == ("B", TRIAL)
    boot_state.write(card, boot_state.with_state(state, "B", True), place)
    assert boot_state.left(boot_state.read(card)[0], "B") == GOOD


def test_a_good_slot_that_is_first_again_keeps_its_starts() -> None:
    state = boot_state.with_primary({**NEW, "hn_left_A": "7", "hn_order": "B A"}, "A")
    assert (boot_state.primary(state), boot_state.left(state, "A")) == ("A", 7)
    assert boot_state.left(boot_state.with_primary({**NEW, "hn_left_A": "1"}, "A"), "A") == TRIAL


def test_without_a_memory_the_counter_tells_who_is_on_trial() -> None:
    """As deploy/homenode-trial reads it; boot.cmd has counted this start already."""
    new = boot_state.with_primary(NEW, "B")
    for left in (2, 1, 0):
        text = boot_state.on_trial({**new, "hn_left_B": f"{left}"}, "B")
        assert text.splitlines() == ["slot=B", "old=A", f"deadline_s={FAST_DEADLINE_S}"]
    good = boot_state.with_state(new, "B", True)
    assert boot_state.on_trial({**good, "hn_left_B": "8"}, "B") == ""
    assert boot_state.on_trial(new, "A") == "", "the old one is back"
    first = {**NEW, "hn_left_A": "1"}
    assert boot_state.on_trial(first, "A") == "", "nothing else could be started"


def test_a_bad_slot_is_not_started(card: Path) -> None:
    state, place = boot_state.read(card)
    state = boot_state.with_primary(state, "B")
    boot_state.write(card, boot_state.with_state(state, "B", False), place)
    assert boot_state.primary(boot_state.read(card)[0]) == "A"


@given(st.integers(0, RECORD_B - 1), st.binary(min_size=1, max_size=64))
def test_a_torn_write_leaves_what_was(at: int, rubbish: bytes) -> None:
    before = {**NEW, "hn_seq": "1f"}
    torn = bytearray(boot_state.encode({**NEW, "hn_seq": "20", "hn_order": "B A"}))
    torn[at : at + len(rubbish)] = rubbish[: RECORD_B - at]
    whole = bytes(torn) == boot_state.encode({**NEW, "hn_seq": "20", "hn_order": "B A"})
    for records in ([bytes(torn), boot_state.encode(before)], [boot_state.encode(before), bytes(torn)]):
        state, place = boot_state.newest(records)
        assert whole or (state == before and records[place] == bytes(torn))


def test_a_state_that_is_lost_tries_all_and_makes_nothing_anew() -> None:
    state, _ = boot_state.newest([b"\0" * RECORD_B, b"\xff" * RECORD_B])
    assert state == LOST
    assert state["hn_data"] == "made"
    assert min(boot_state.left(state, slot) for slot in "AB") > 0


@pytest.mark.parametrize("order", ["", "C", "A A", "B"])
def test_both_slots_are_in_the_order_whatever_stands_there(order: str) -> None:
    assert sorted(boot_state.order({**NEW, "hn_order": order})) == ["A", "B"]
