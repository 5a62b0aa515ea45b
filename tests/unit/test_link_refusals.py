"""What a broker doesn't take is tried again, ever less often; what it has for nobody waits for a while."""

from __future__ import annotations

from homenode.link.refusals import Refusals, Told


def test_nothing_is_held_and_nothing_told_at_first() -> None:
    refusals = Refusals()
    assert not refusals
    assert refusals.due(0.0) == []
    assert not refusals.holds("a", 0.0)
    assert refusals.told() == Told({}, ())


def test_what_is_denied_is_tried_ever_less_often() -> None:
    refusals, now, pauses = Refusals(), 100.0, []
    for _ in range(8):
        refusals.denied("a", "not authorized", now)
        refusals.denied("a", "not authorized", now + 0.1)  # another one of the same batch
        assert refusals.holds("a", now)
        assert refusals.due(now) == []
        pause = next(second for second in range(2000) if refusals.due(now + second) == ["a"])
        assert not refusals.holds("a", now + pause)
        assert refusals.holds("a", now + pause - 0.5)
        pauses.append(pause)
        now += pause
    assert pauses == [30, 60, 120, 240, 480, 600, 600, 600]
    assert refusals.told() == Told({"a": "not authorized"}, ())


def test_the_reason_told_is_the_last_one() -> None:
    refusals = Refusals()
    refusals.denied("a", "quota exceeded", 0.0)
    refusals.denied("a", "not authorized", 1.0)
    assert refusals.told().denied == {"a": "not authorized"}


def test_what_is_taken_again_is_forgotten_and_begins_anew() -> None:
    refusals = Refusals()
    refusals.denied("a", "x", 0.0)
    refusals.denied("a", "x", 30.0)
    assert refusals
    refusals.taken("a")
    assert not refusals
    refusals.denied("a", "x", 1000.0)
    assert refusals.due(1029.9) == []
    assert refusals.due(1030.0) == ["a"]


def test_where_nobody_ever_listened_an_alert_waits_a_little_and_the_next_not_at_all() -> None:
    refusals = Refusals()
    assert refusals.unheard("a", 0.0)
    assert refusals.due(4.9) == []
    assert refusals.due(5.0) == ["a"]
    assert refusals.unheard("a", 19.9)
    assert not refusals.unheard("a", 20.0)
    assert refusals.told() == Told({}, ("a",))
    assert refusals
    assert not refusals.unheard("a", 21.0)
    assert refusals.due(1e9) == []


def test_where_somebody_listened_before_it_waits_until_they_are_back() -> None:
    refusals = Refusals()
    refusals.taken("a")
    assert refusals.unheard("a", 10.0)
    assert refusals.unheard("a", 189.9)
    assert not refusals.unheard("a", 190.0)
    refusals.taken("a")
    assert not refusals
    assert refusals.unheard("a", 1000.0)


def test_topics_are_told_apart() -> None:
    refusals = Refusals()
    refusals.denied("a", "x", 0.0)
    refusals.unheard("b", 0.0)
    assert not refusals.holds("b", 0.0)
    assert refusals.due(30.0) == ["a", "b"]
    refusals.taken("a")
    assert refusals.due(30.0) == ["b"]
