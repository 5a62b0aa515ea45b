"""A session from the question to the end; what comes late, twice or for another changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.errors import NoLook
from homenode.session.sessions import LEASE_MS, NEXT, Session, Sessions, State, Step, Why
from tests.unit.session.some_decisions import NIGHTS, WISH, decision, wish

ASKS = decision(ask=True, answer_within_ms=20_000)


def granted(now: int = 1_000, longest_ms: int = 120_000) -> tuple[Sessions, Session]:
    home = Sessions()
    (one,) = home.request("s", WISH, decision(longest_ms=longest_ms), now)
    return home, one


def states(moved: list[Session]) -> list[State]:
    return [one.state for one in moved]


def still(_: Session) -> bool:
    return True


def code(of: Callable[[], object]) -> str:
    with pytest.raises(NoLook) as no:
        of()
    return no.value.code


def test_unasked_it_is_granted_at_once_with_a_lease_and_a_limit() -> None:
    _, one = granted()
    assert (one.id, one.wish, one.state, one.since, one.seen) == ("s", WISH, State.GRANTED, 1_000, None)
    assert (one.due, one.limit) == (1_000 + LEASE_MS, 121_000)


def test_a_lease_is_never_longer_than_the_limit() -> None:
    home, one = granted(longest_ms=10_000)
    assert one.due == one.limit == 11_000
    assert home.renew("s", "care", 5_000).due == 11_000


def test_the_first_picture_is_live_once() -> None:
    home, one = granted()
    assert states(home.shown("s", 1_500)) == [State.LIVE]
    assert one.seen == 1_500
    assert home.shown("s", 1_600) == []
    assert home.shown("other", 1_600) == []
    assert one.seen == 1_500


def test_asked_and_allowed_its_time_begins_with_the_answer() -> None:
    home = Sessions()
    (one,) = home.request("s", WISH, ASKS, 0)
    assert (one.state, one.due, one.limit) == (State.ASKED, 20_000, 0)
    assert home.shown("s", 1) == []
    assert states(home.answer(True, 5_000)) == [State.GRANTED]
    assert (one.due, one.limit) == (5_000 + LEASE_MS, 125_000)
    assert home.answer(True, 6_000) == []
    assert home.answer(False, 6_000) == []
    assert one.state is State.GRANTED


def test_a_no_ends_it() -> None:
    home = Sessions()
    (one,) = home.request("s", WISH, ASKS, 0)
    assert states(home.answer(False, 5_000)) == [State.ENDED]
    assert (one.why, one.due) == (Why.REFUSED, 5_000)
    assert home.answer(True, 6_000) == []


@pytest.mark.parametrize(
    ("counts_as", "state", "why"), [("grant", State.GRANTED, None), ("refuse", State.ENDED, Why.UNANSWERED)]
)
def test_no_answer_counts_as_the_decision_says(counts_as: str, state: State, why: Why | None) -> None:
    home = Sessions()
    (one,) = home.request("s", WISH, decision(ask=True, no_answer=counts_as, answer_within_ms=20_000), 0)
    assert home.advance(19_999, still) == []
    assert states(home.advance(20_000, still)) == [state]
    assert one.why is why


def test_the_stop_button_says_no_and_ends_what_is_seen() -> None:
    home, live = granted()
    home.shown("s", 1_100)
    (asked,) = home.request("t", wish(camera="hall"), ASKS, 1_200)
    assert home.stop(1_300) == [asked, live]
    assert (asked.why, live.why) == (Why.REFUSED, Why.STOPPED)
    assert home.stop(1_400) == []


def test_a_viewer_who_is_not_heard_of_is_gone_when_the_lease_is() -> None:
    home, one = granted()
    assert home.renew("s", "care", 20_000) is one
    assert one.due == 20_000 + LEASE_MS
    assert home.advance(20_000 + LEASE_MS - 1, still) == []
    assert states(home.advance(20_000 + LEASE_MS, still)) == [State.ENDED]
    assert one.why is Why.LEASE


def test_the_longest_ends_it_however_often_it_is_renewed() -> None:
    home, one = granted(now=0, longest_ms=60_000)
    for now in range(0, 60_000, 10_000):
        home.renew("s", "care", now)
    assert home.advance(59_999, still) == []
    home.advance(60_000, still)
    assert one.why is Why.LIMIT


def test_a_decision_that_no_longer_holds_ends_it_asked_or_granted() -> None:
    home, one = granted()
    (asked,) = home.request("t", wish(camera="hall"), ASKS, 1_000)
    assert home.advance(1_001, lambda session: session is not one) == [one]
    assert home.advance(1_002, lambda session: False) == [asked]
    assert (one.why, asked.why) == (Why.DECISION, Why.DECISION)
    assert home.advance(1_003, lambda session: False) == []


def test_there_is_one_viewer_a_camera_until_nothing_of_it_is_left() -> None:
    home, _ = granted()
    assert code(lambda: home.request("t", WISH, NIGHTS, 1_100)) == "busy"
    assert states(home.request("u", wish(camera="hall"), NIGHTS, 1_100)) == [State.GRANTED]
    home.gone("s")  # it isn't over
    assert not home.ending("bed")
    assert code(lambda: home.request("t", WISH, NIGHTS, 1_100)) == "busy"
    home.end("s", Why.VIEWER, 1_200)
    assert code(lambda: home.request("t", WISH, NIGHTS, 1_300)) == "busy"
    assert (home.ending("bed"), home.ending("hall")) == (True, False)
    home.gone("s")
    assert not home.ending("bed")
    home.gone("s")
    assert states(home.request("t", WISH, NIGHTS, 1_400)) == [State.GRANTED]
    assert [one.id for one in home] == ["u", "t"]


def test_only_whose_it_is_renews_it_and_only_while_it_lasts() -> None:
    home, _ = granted()
    assert code(lambda: home.renew("t", "care", 1_001)) == "no_session"
    assert code(lambda: home.renew("s", "property", 1_001)) == "no_session"
    assert home.running("s", "care", 1_000 + LEASE_MS - 1).id == "s"
    assert code(lambda: home.renew("s", "care", 1_000 + LEASE_MS)) == "lease"
    home.end("s", Why.LINK, 1_002)
    assert code(lambda: home.renew("s", "care", 1_003)) == "link"
    (asked,) = home.request("t", wish(camera="hall"), ASKS, 1_000)
    assert code(lambda: home.renew(asked.id, "care", 1_001)) == "no_session"


def test_why_a_look_is_over_is_told_when_nothing_is_left_of_it() -> None:
    home = Sessions()
    for nth in range(40):
        home.request(f"s{nth}", WISH, NIGHTS, 1_000)
        home.end_all(Why.STOPPED, 1_001)
        home.gone(f"s{nth}")
    assert code(lambda: home.renew("s39", "care", 1_002)) == "stopped"
    assert code(lambda: home.renew("s39", "property", 1_002)) == "no_session"
    assert code(lambda: home.renew("s0", "care", 1_002)) == "no_session", "not for ever"


def test_the_same_viewer_comes_back_for_a_view_that_the_decision_allows() -> None:
    home, one = granted()
    home.shown("s", 1_100)
    assert home.again("s", "care", "", 5_000) == (one, False)
    assert one.due == 5_000 + LEASE_MS
    assert home.again("s", "care", "silhouette", 5_000) == (one, False)
    assert home.again("s", "care", "blurred", 6_000) == (one, True)
    assert (one.wish.view, one.wish.by, one.state) == ("blurred", "Eva", State.LIVE)
    assert code(lambda: home.again("s", "care", "clear", 7_000)) == "view"
    assert one.wish.view == "blurred"
    assert code(lambda: home.again("s", "operator", "blurred", 7_000)) == "no_session"


def test_the_first_end_counts() -> None:
    home, one = granted()
    assert home.end("t", Why.VIEWER, 1_100) == []
    assert home.end("s", Why.CAPTURE, 1_100) == [one]
    assert home.end("s", Why.VIEWER, 1_200) == []
    assert home.end_all(Why.NODE, 1_300) == []
    assert home.shown("s", 1_400) == []
    assert home.advance(10**9, still) == []
    assert (one.why, one.due, one.seen) == (Why.CAPTURE, 1_100, None)


def test_all_are_ended_together() -> None:
    home, one = granted()
    (asked,) = home.request("t", wish(camera="hall"), ASKS, 1_000)
    assert home.end_all(Why.LINK, 2_000) == [one, asked]
    assert {session.why for session in home} == {Why.LINK}


DEEDS: dict[str, Callable[[Sessions, int], list[Session]]] = {
    "yes": lambda home, now: home.answer(True, now),
    "no": lambda home, now: home.answer(False, now),
    "stop": lambda home, now: home.stop(now),
    "shown": lambda home, now: home.shown("s", now),
    "end": lambda home, now: home.end("s", Why.VIEWER, now),
    "link": lambda home, now: home.end_all(Why.LINK, now),
    "time": lambda home, now: home.advance(now, still),
    "other": lambda home, now: home.shown("t", now) + home.end("t", Why.VIEWER, now),
}


@given(
    st.booleans(), st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 40_000)), max_size=12)
)
def test_whatever_comes_it_goes_forward_by_the_table_and_ends_within_its_limit(
    ask: bool, deeds: list[tuple[str, int]]
) -> None:
    home, now = Sessions(), 0
    (one,) = home.request("s", WISH, ASKS if ask else NIGHTS, now)
    for deed, wait in deeds:
        now, before = now + wait, one.state
        moved = DEEDS[deed](home, now)
        assert (one.state is before) == (moved == [])
        assert one.state is before or (before, one.state) in {(old, new) for (old, _), new in NEXT.items()}
        assert (one.state is State.ENDED) == (one.why is not None)
    home.advance(now + 20_000 + 120_000, still)
    assert one.state is State.ENDED


def test_nothing_leads_out_of_the_end() -> None:
    assert {old for old, _ in NEXT} == set(State) - {State.ENDED}
    assert all(NEXT.get((state, Step.END)) is State.ENDED for state in set(State) - {State.ENDED})
