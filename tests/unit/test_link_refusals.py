"""What a broker doesn't take is tried again, ever less often; what it has for nobody waits for a while."""

from __future__ import annotations

from homenode.link.refusals import Refusals, Told


def pauses(refusals: Refusals, topic: str, now: float, times: int) -> list[int]:
    """Seconds from each try to the next."""
    told = []
    for _ in range(times):
        assert refusals.due(now) == []
        assert not refusals.may_try(topic, now)
        pause = next(second for second in range(2000) if refusals.due(now + second) == [topic])
        assert not refusals.may_try(topic, now + pause - 0.5)
        told.append(pause)
        now += pause
        assert refusals.may_try(topic, now)
        assert not refusals.may_try(topic, now)  # one at a time
    return told


def test_nothing_is_held_and_nothing_told_at_first() -> None:
    refusals = Refusals()
    assert not refusals
    assert refusals.due(0.0) == []
    assert refusals.may_try("a", 0.0)
    assert not refusals.taken("a")
    assert refusals.told() == Told({}, ())


def test_what_is_denied_is_tried_ever_less_often() -> None:
    refusals = Refusals()
    refusals.refused("a", "not authorized", 100.0)
    refusals.refused("a", "not authorized", 100.1)  # another one of the same batch
    assert pauses(refusals, "a", 100.0, 8) == [30, 60, 120, 240, 480, 600, 600, 600]
    assert refusals.told() == Told({"a": "not authorized"}, ())


def test_the_reason_told_is_the_last_one() -> None:
    refusals = Refusals()
    refusals.refused("a", "quota exceeded", 0.0)
    refusals.refused("a", "not authorized", 1.0)
    assert refusals.told() == Told({"a": "not authorized"}, ())
    refusals.refused("a", "", 2.0)
    assert refusals.told() == Told({}, ())
    assert refusals.due(6.9) == []
    assert refusals.due(7.0) == ["a"]


def test_what_is_taken_again_is_forgotten_and_begins_anew() -> None:
    refusals = Refusals()
    refusals.refused("a", "x", 0.0)
    assert refusals.may_try("a", 30.0)
    assert refusals
    assert refusals.taken("a")
    assert not refusals
    refusals.refused("a", "x", 1000.0)
    assert refusals.due(1029.9) == []
    assert refusals.due(1030.0) == ["a"]


def test_for_nobody_it_is_tried_often_at_first_and_told_after_a_while() -> None:
    refusals = Refusals()
    refusals.refused("a", "", 0.0)
    assert pauses(refusals, "a", 0.0, 40) == [5] * 36 + [60] * 4
    refusals = Refusals()
    refusals.refused("a", "", 0.0)
    refusals.refused("a", "", 19.9)
    assert refusals.told() == Told({}, ())
    refusals.refused("a", "", 20.0)
    assert refusals.told() == Told({}, ("a",))
    assert refusals.taken("a")
    assert refusals.told() == Told({}, ())


def test_a_new_connection_tries_all_as_at_first() -> None:
    refusals = Refusals()
    refusals.refused("a", "", 0.0)
    refusals.refused("b", "x", 0.0)
    refusals.refused("a", "", 1000.0)
    assert refusals.may_try("b", 1000.0)
    refusals.connected(1001.0)
    assert refusals.due(1001.0) == ["a", "b"]
    assert refusals.told() == Told({"b": "x"}, ("a",))
    assert refusals.may_try("a", 1001.0)
    assert refusals.may_try("b", 1001.0)
    assert refusals.due(1006.0) == ["a"]
    assert refusals.due(1031.0) == ["a", "b"]


def test_topics_are_told_apart() -> None:
    refusals = Refusals()
    refusals.refused("a", "x", 0.0)
    refusals.refused("b", "", 0.0)
    assert refusals.may_try("c", 0.0)
    assert refusals.due(30.0) == ["a", "b"]
    assert refusals.taken("a")
    assert refusals.due(30.0) == ["b"]
