"""Who gets a certificate, and who doesn't."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.enrol.steps import short
from homenode.office.decide import (
    Box,
    Code,
    How,
    Issue,
    Refuse,
    State,
    Verdict,
    Wait,
    enrolment,
    renewal,
    turn_fits,
)

NEW = Box("1234")
LIVES = Box("1234", State.ENROLLED, "h", key="k", enrolled_ms=100)
CODE = Code("x", made_ms=10, until_ms=1_000)


def code(box: Box, given: Code | None, key: str = "k", now_ms: int = 500) -> Verdict:
    return enrolment(box, key, How.CODE, given, now_ms)


def test_a_code_lets_in_the_box_that_it_is_for() -> None:
    assert code(replace(NEW, home="h"), CODE) == Issue("h")
    assert code(NEW, replace(CODE, home="h", serial="1234")) == Issue("h")


def test_a_box_without_a_home_waits_for_one() -> None:
    waits = code(NEW, CODE), enrolment(replace(NEW, approved="k"), "k", How.NOTHING, None, 500)
    assert [one.because for one in waits if isinstance(one, Wait)] == ["unassigned"] * 2
    unknown = enrolment(NEW, "k", How.NOTHING, None, 500)
    assert isinstance(unknown, Wait)
    assert not unknown.because


def test_what_is_approved_is_not_to_be_approved() -> None:
    asks = replace(NEW, state=State.ASKING, asked="k")
    assert (asks.to_approve, asks.waits_for_home) == ("k", False)
    yes = replace(asks, approved="k")
    assert (yes.to_approve, yes.waits_for_home) == ("", True)
    assert not replace(yes, home="h").waits_for_home
    assert replace(yes, asked="other").to_approve == "other"
    assert not NEW.waits_for_home  # it never came


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        (None, ""),
        (replace(CODE, home="h", used_by="other"), "code_used"),
        (replace(CODE, home="h", serial="5678"), "code_of_another"),
        (replace(CODE, home="h", until_ms=500), "code_old"),
    ],
)
def test_a_code_that_is_not_this_boxs_is_worth_nothing(wrong: Code | None, because: str) -> None:
    verdict = code(NEW, wrong)
    assert isinstance(verdict, Refuse)
    assert (verdict.status, verdict.because) == (401, because)


def test_a_code_for_another_home_is_told() -> None:
    verdict = code(replace(NEW, home="other"), replace(CODE, home="h"))
    assert isinstance(verdict, Refuse)
    assert "other" in verdict.why


def test_a_code_counts_again_for_the_key_that_used_it() -> None:
    assert code(NEW, replace(CODE, home="h", used_by="k", until_ms=0)) == Issue("h")


@pytest.mark.parametrize("how", How)
def test_a_second_key_for_one_box_is_refused_and_reported(how: How) -> None:
    verdict = enrolment(LIVES, "other", how, CODE if how is How.CODE else None, 500)
    assert isinstance(verdict, Refuse)
    assert verdict.clash


def test_a_new_code_or_an_approval_lets_a_box_begin_anew() -> None:
    assert code(LIVES, replace(CODE, made_ms=101, serial="1234"), "new") == Issue("h", revoke=True)
    assert code(LIVES, replace(CODE, made_ms=101, home="h"), "new") == Issue("h", revoke=True)
    assert isinstance(code(LIVES, replace(CODE, made_ms=100, home="h"), "new"), Refuse)
    assert enrolment(replace(LIVES, approved="new"), "new", How.NOTHING, None, 500) == Issue("h", revoke=True)


def test_a_code_for_whichever_box_comes_first_gives_nobody_the_home_of_another() -> None:
    anybodys = replace(CODE, made_ms=101)
    verdict = code(LIVES, anybodys, "thief")
    assert isinstance(verdict, Refuse)
    assert verdict.clash
    assert code(replace(LIVES, approved="new"), anybodys, "new") == Issue("h", revoke=True)
    assert code(LIVES, anybodys) == Issue("h", revoke=True)  # its own key


def test_without_anything_to_show_somebody_approves_that_key() -> None:
    asks = replace(NEW, home="h", state=State.ASKING)
    assert isinstance(enrolment(asks, "k", How.NOTHING, None, 500), Wait)
    assert isinstance(enrolment(replace(asks, approved="other"), "k", How.NOTHING, None, 500), Wait)
    assert enrolment(replace(asks, approved="k"), "k", How.NOTHING, None, 500) == Issue("h")


def test_a_factory_certificate_needs_no_code_but_a_home() -> None:
    assert enrolment(replace(NEW, home="h"), "k", How.FACTORY, None, 500) == Issue("h")
    assert isinstance(enrolment(NEW, "k", How.FACTORY, None, 500), Wait)


def test_neither_factory_nor_used_code_gives_a_copy_what_its_twin_lives_on() -> None:
    used = replace(CODE, home="h", used_by="k")
    assert enrolment(LIVES, "k", How.FACTORY, None, 500) == Issue("h", revoke=True)
    assert isinstance(enrolment(LIVES, "k", How.FACTORY, None, 500, lives=True), Wait)
    assert code(LIVES, used) == Issue("h", revoke=True)  # the answer was lost
    again = enrolment(LIVES, "k", How.CODE, used, 500, lives=True)
    assert isinstance(again, Refuse)
    assert again.status == 401
    new = replace(CODE, made_ms=101)
    assert enrolment(LIVES, "k", How.CODE, new, 500, lives=True) == Issue("h", revoke=True)


def test_a_box_that_leaves_gets_what_it_brings_its_proof_with_and_nothing_else() -> None:
    leaves = replace(LIVES, state=State.LEAVING)
    assert enrolment(leaves, "k", How.NOTHING, None, 500) == Issue("h", leaving=True)
    assert isinstance(enrolment(leaves, "other", How.NOTHING, None, 500), Wait)
    assert isinstance(enrolment(replace(leaves, approved="other"), "other", How.NOTHING, None, 500), Wait)


def test_a_home_that_has_a_box_gets_no_second_one() -> None:
    verdict = enrolment(NEW, "k", How.CODE, replace(CODE, home="h"), 500, taken="5678")
    assert isinstance(verdict, Refuse)
    assert "5678" in verdict.why


@given(
    how=st.sampled_from(How), state=st.sampled_from(State), key=st.sampled_from(["", "k", "other"]),
    approved=st.sampled_from(["", "k", "other"]), home=st.sampled_from(["", "h"]),
)  # fmt: skip
def test_who_shows_nothing_gets_nothing_that_nobody_approved(
    how: How, state: State, key: str, approved: str, home: str
) -> None:
    box = Box("1234", state, home, key=key, approved=approved, enrolled_ms=100)
    verdict = enrolment(box, "mine", how, None, 500)
    if how is not How.FACTORY or not home or state is State.LEAVING or (state is State.ENROLLED):
        assert not isinstance(verdict, Issue)


def test_a_renewal_is_for_the_certificate_given_last_with_the_same_names() -> None:
    good: dict[str, Any] = {"revoked": "", "same_subject": True, "home": "h"}
    assert renewal(LIVES, "k", "k", **good) == Issue("h")
    for change, status in (
        ({"revoked": "stolen"}, 403),
        ({"same_subject": False}, 400),
        ({"home": "g"}, 403),
    ):
        verdict = renewal(LIVES, "k", "k", **{**good, **change})
        assert isinstance(verdict, Refuse)
        assert verdict.status == status
    for box, key in ((LIVES, "other"), (replace(LIVES, state=State.LEAVING), "k")):
        assert isinstance(renewal(box, key, key, **good), Refuse)


def test_a_renewal_for_another_key_takes_somebody_who_approves_it() -> None:
    good: dict[str, Any] = {"revoked": "", "same_subject": True, "home": "h"}
    verdict = renewal(LIVES, "k", "thief", **good)
    assert isinstance(verdict, Refuse)
    assert verdict.clash
    assert renewal(replace(LIVES, approved="new"), "k", "new", **good) == Issue("h")


def test_of_two_copies_one_shows_what_is_older() -> None:
    assert turn_fits("", "", "")
    assert turn_fits("b", "b", "a")
    assert turn_fits("a", "b", "a")  # the answer with b was lost
    assert turn_fits("", "a", "")  # the very first answer was lost
    assert turn_fits("c", "", "")  # the office is from a copy
    assert not turn_fits("", "b", "a")
    assert not turn_fits("z", "b", "a")


def test_a_fingerprint_is_read_out_in_four_groups() -> None:
    assert short("3f2a00ff1122334455") == "3F2A-00FF-1122-3344"


def test_a_card_in_another_box_waits_and_is_told_until_that_box_is_to_take_its_place() -> None:
    verdict = enrolment(NEW, "k", How.NOTHING, None, 500, owner="5678")
    assert isinstance(verdict, Wait)
    assert verdict.clash
    assert "the key of box 5678" in verdict.why
    assert enrolment(NEW, "k", How.CODE, replace(CODE, home="h"), 500, owner="5678") == Issue("h")
