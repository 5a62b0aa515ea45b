"""What stands at the broker is taken back at each of them, once it is no longer shared."""

from __future__ import annotations

import json

from homenode.contract import topics
from homenode.delivery.sharing import names
from homenode.message import Class, Message
from homenode.outbox import Outbox
from homenode.shown import Shown

ONE, OTHER = "hn1/h1/care/readings/eye/motion", "hn1/h1/care/readings/eye/battery"


def nothing(_topic: str) -> str | None:
    return None


def all_of_it(_topic: str) -> str | None:
    return ""


def again(shown: Shown) -> Shown:
    """After a restart."""
    loaded = Shown()
    loaded.load(json.loads(json.dumps(shown.dump())))
    return loaded


def test_a_topic_is_gone_when_every_broker_has_emptied_it() -> None:
    shown = Shown()
    shown.add(ONE)
    assert shown.unwanted(nothing, "a") == [ONE]
    assert shown.taken_back(ONE, nothing, "a", ["a", "b"]) == []
    shown = again(shown)
    assert shown.unwanted(nothing, "a") == []
    assert shown.unwanted(nothing, "b") == [ONE]
    assert shown.taken_back(ONE, nothing, "b", ["a", "b"]) == [(ONE, "")]
    assert again(shown).places == set()


def test_what_is_shared_is_left_alone_and_what_was_never_shown_needs_nothing() -> None:
    shown = Shown()
    shown.add(ONE)
    shown.add(OTHER)
    assert shown.unwanted(lambda topic: "" if topic == ONE else None, "a") == [OTHER]
    assert shown.current(all_of_it) == {ONE, OTHER}
    assert shown.taken_back("hn1/h1/care/status", nothing, "a", ["a"]) == []
    assert shown.taken_back(ONE, all_of_it, "a", ["a"]) == []


def test_what_is_shown_again_is_to_be_emptied_again() -> None:
    shown = Shown()
    shown.add(ONE)
    shown.taken_back(ONE, nothing, "a", ["a", "b"])
    assert shown.current(all_of_it) == set(), "it may be gone at the one"
    shown.add(ONE)
    assert shown.current(all_of_it) == {ONE}
    assert shown.unwanted(nothing, "a") == [ONE]
    assert shown.taken_back(ONE, nothing, "b", ["a", "b"]) == []


def test_what_was_shown_in_plain_is_taken_back_when_the_party_has_a_key() -> None:
    shown = Shown()
    shown.add(ONE)
    assert shown.unwanted(lambda topic: "key", "a") == [ONE]
    shown.add(ONE, "key")
    assert shown.current(lambda topic: "key") == {ONE}
    assert again(shown).unwanted(lambda topic: "key", "a") == [ONE]
    assert shown.taken_back(ONE, lambda topic: "key", "a", ["a"]) == [(ONE, "")]
    assert shown.unwanted(lambda topic: "key", "a") == []


def test_a_reading_of_the_past_goes_only_where_it_would_have_gone_then() -> None:
    shown = Shown()
    assert shown.shared_from({"care": ("*.battery",)}, 10)
    assert shown.shared_at(5) == [], "what the first start finds was shared by nobody else"
    assert not shown.shared_from({"care": ("*.battery",)}, 20)
    assert shown.shared_from({"care": ("*.*",)}, 30)
    assert again(shown).shared_at(30) == [{"care": ("*.battery",)}]
    assert shown.shared_at(31) == []
    shown.sent_up_to(29)
    assert shown.shared_at(30)
    shown.sent_up_to(30)
    assert not shown.shared_at(30)


def test_a_topic_of_readings_names_its_party_and_point() -> None:
    for party, point in (("care", "eye.motion"), ("property", "cooker.current_2")):
        assert topics.party_and_point("h1", topics.reading("h1", party, point)) == (party, point)
    for other in ("hn1/h2/care/readings/a/b", "hn1/h1/care/status", "hn1/h1/press/readings/a/b", ""):
        assert topics.party_and_point("h1", other) == ("", "")


def test_nothing_is_shared_with_the_operator() -> None:
    share = {"care": ("eye.*",), "operator": ("*.*",)}
    assert names(share, "care", "eye.motion")
    assert not names(share, "care", "door.contact")
    assert not names(share, "operator", "eye.motion")


def _reading(topic: str, at: int) -> Message:
    return Message("", "care", topic, b'{"how":"live"}', Class.READING, at, "", True, at, "")


def test_readings_that_wait_or_come_back_are_not_sent_when_no_longer_shared() -> None:
    outbox = Outbox("e")
    outbox.link_up()
    outbox.add(_reading(ONE, 1))
    assert outbox.next() is not None
    for at, topic in enumerate((ONE, OTHER, ONE, OTHER), 2):
        outbox.add(_reading(topic, at))
    outbox.keep_readings(lambda topic: topic == OTHER)
    outbox.link_lost()
    outbox.link_up()
    sent = []
    while (handed := outbox.next()) is not None:
        sent.append(handed.topic)
        gone = outbox.acknowledged(handed.key)
        assert gone is not None
        assert gone.topic == handed.topic
    assert sent == [OTHER, OTHER]
