"""Nothing is lost, nothing doubled for the receiver, alarms first: whatever the link and the power do."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from homenode.message import Class, Message
from homenode.outbox import Handed, Limits, Numbered, Outbox

SMALL = Limits(alerts=3, alarms_more=2, rest=4, readings=6)


def alert(key: str, party: str = "care", klass: Class = Class.ALERT, of: str = "") -> Message:
    payload = json.dumps({"id": key}).encode()
    return Message(key, party, f"hn1/h/{party}/alerts", payload, klass, 0, of or key)


def reading(topic: str, at: int, record: int = 0) -> Message:
    payload = json.dumps({"at": at, "how": "live"}, separators=(",", ":")).encode()
    return Message("", "care", topic, payload, Class.READING, at, "", True, record, topic)


def status(text: str, party: str = "care") -> Message:
    return Message("", party, f"hn1/h/{party}/status", text.encode(), Class.STATUS, 0, retain=True)


def give(outbox: Outbox) -> list[Handed]:
    """All that may go now."""
    outbox.written(outbox.number())
    handed = []
    while (one := outbox.next()) is not None:
        handed.append(one)
    return handed


def online(limits: Limits = SMALL) -> Outbox:
    outbox = Outbox("e", limits)
    outbox.link_up()
    return outbox


def ids(handed: list[Handed]) -> list[str]:
    return [json.loads(one.payload)["id"] for one in handed]


def test_nothing_goes_without_a_link() -> None:
    outbox = Outbox("e")
    outbox.add(alert("a"))
    outbox.add(reading("t", 1))
    assert outbox.number() == []
    assert outbox.next() is None


def test_alarms_overtake_alerts_and_alerts_overtake_all_else() -> None:
    outbox = online()
    outbox.add(reading("t", 1))
    outbox.add(status("{}"))
    outbox.add(alert("a"))
    outbox.add(alert("b", klass=Class.ALARM))
    assert [one.klass for one in give(outbox)] == [Class.ALARM, Class.ALERT, Class.STATUS, Class.READING]


def test_an_alarm_goes_though_the_broker_owes_acknowledgements_for_everything_else() -> None:
    outbox = online()
    for nth in range(20):
        outbox.add(alert(f"a{nth}"))
        outbox.add(reading("t", nth))
    give(outbox)
    outbox.add(alert("fire", klass=Class.ALARM))
    assert ids(give(outbox)) == ["fire"]


def test_an_alert_is_not_sent_before_its_number_is_on_the_disk() -> None:
    outbox = online()
    outbox.add(alert("a"))
    numbers = outbox.number()
    assert numbers == [Numbered("a", "care", 1, "e")]
    assert outbox.next() is None
    outbox.written(numbers)
    assert outbox.next() is not None


def test_a_status_does_not_tell_what_is_not_on_the_disk() -> None:
    outbox = online()
    outbox.add(alert("a"))
    outbox.add(status("{}"))
    numbers = outbox.number()
    assert outbox.next() is None
    outbox.written(numbers)
    assert [one.klass for one in give(outbox)] == [Class.ALERT, Class.STATUS]


def test_of_too_many_answers_the_newest_are_kept_also_over_a_lost_link() -> None:
    outbox = online(Limits(rest=2, replies=3))
    for nth in range(9):
        outbox.add(Message("", "care", "hn1/h/care/reply", b"%d" % nth, Class.REPLY, 0))
        assert outbox.pending().replies <= 3
    assert [one.payload for one in give(outbox)] == [b"6", b"7"]
    outbox.add(Message("", "care", "hn1/h/care/reply", b"9", Class.REPLY, 0))
    outbox.link_lost()
    outbox.link_up()
    assert [one.payload for one in give(outbox)] == [b"7", b"8"]


def test_numbers_count_per_party_and_stay_with_a_message_over_a_lost_link() -> None:
    outbox = online()
    for key, party in (("a", "care"), ("b", "property"), ("c", "care")):
        outbox.add(alert(key, party))
    first = [json.loads(one.payload) for one in give(outbox)]
    assert [(one["id"], one["sequence"], one["epoch"]) for one in first] == [
        ("a", "1", "e"),
        ("b", "1", "e"),
        ("c", "2", "e"),
    ]
    outbox.link_lost()
    outbox.link_up()
    assert [json.loads(one.payload) for one in give(outbox)] == first


def test_an_acknowledgement_of_an_earlier_connection_is_nothing() -> None:
    outbox = online()
    outbox.add(alert("a"))
    (handed,) = give(outbox)
    outbox.link_lost()
    assert outbox.acknowledged(handed.key) is None
    assert outbox.pending().alerts == 1


def test_the_same_alert_message_twice_is_one() -> None:
    outbox = online()
    outbox.add(alert("a"))
    outbox.add(alert("a"))
    assert ids(give(outbox)) == ["a"]


def test_an_answer_goes_before_status_and_readings_and_again_if_it_was_under_way() -> None:
    outbox = online()
    outbox.add(reading("t", 1))
    outbox.add(status("{}"))
    outbox.add(Message("", "care", "hn1/h/care/reply", b"answer", Class.REPLY, 0))
    assert [one.klass for one in give(outbox)] == [Class.REPLY, Class.STATUS, Class.READING]
    outbox.link_lost()
    assert outbox.pending().replies == 1
    outbox.link_up()
    assert give(outbox)[0].payload == b"answer"


def test_only_the_newest_status_goes() -> None:
    outbox = Outbox("e", SMALL)
    for text in ("1", "2", "3"):
        outbox.add(status(text))
    outbox.link_up()
    assert [one.payload for one in give(outbox)] == [b"3"]


def test_a_status_that_was_under_way_does_not_replace_a_newer_one() -> None:
    outbox = online()
    outbox.add(status("old"))
    give(outbox)
    outbox.add(status("new"))
    outbox.link_lost()
    outbox.link_up()
    assert [one.payload for one in give(outbox)] == [b"new"]


def test_while_the_link_is_up_readings_go_in_order_and_live() -> None:
    outbox = online(Limits())
    for at in range(5):
        outbox.add(reading("t", at))
    assert [one.retain for one in give(outbox)] == [True] * 5


def test_after_an_outage_the_present_goes_first_and_the_past_as_historical() -> None:
    outbox = Outbox("e", Limits())
    for at in range(3):
        outbox.add(reading("t", at))
        outbox.add(reading("u", at))
    outbox.link_up()
    told = [(one.topic, json.loads(one.payload), one.retain) for one in give(outbox)]
    assert [(t, body["at"], body["how"], kept) for t, body, kept in told] == [
        ("t", 2, "live", True),
        ("u", 2, "live", True),
        ("t", 0, "historical", False),
        ("u", 0, "historical", False),
        ("t", 1, "historical", False),
        ("u", 1, "historical", False),
    ]


def test_a_reading_older_than_what_was_sent_is_historical() -> None:
    outbox = online(Limits())
    outbox.add(reading("t", 5))
    outbox.add(reading("t", 4))
    assert [one.retain for one in give(outbox)] == [True, False]


def test_a_long_outage_is_read_again_from_the_journal_and_memory_stays_bounded() -> None:
    outbox = Outbox("e", Limits(readings=100))
    journal = [reading(f"t{nth % 7}", nth, nth) for nth in range(1, 5001)]
    for message in journal:
        outbox.add(message)
    assert outbox.pending().readings <= 100 + 7
    assert outbox.pending().in_journal
    outbox.link_up()
    sent: Counter[int] = Counter()
    while True:
        wanted = outbox.wants()
        if wanted:
            first, last = wanted
            through = min(last, first + 49)
            outbox.refill([m for m in journal if first <= m.record <= through], through)
        handed = give(outbox)
        for one in handed:
            sent[json.loads(one.payload)["at"]] += 1
            outbox.acknowledged(one.key)
        if not handed and outbox.wants() is None:
            break
    assert sent == Counter(range(1, 5001))
    assert outbox.readings_done() == 5001


def test_the_mark_of_done_readings_waits_for_the_slowest() -> None:
    outbox = online(Limits())
    for record in (10, 11, 12):
        outbox.add(reading("t", record, record))
    first, second, third = give(outbox)
    outbox.acknowledged(second.key)
    assert outbox.readings_done() == 10
    outbox.acknowledged(first.key)
    assert outbox.readings_done() == 12
    outbox.acknowledged(third.key)
    assert outbox.readings_done() == 13


def test_in_a_new_epoch_what_has_a_place_keeps_it_and_the_count_begins_anew() -> None:
    """A receiver has it perhaps: the same id must not come with another place."""
    before = online()
    for key in "ab":
        before.add(alert(key))
    give(before)
    told = json.loads(json.dumps([before.dump(), before.waiting()]))
    outbox = Outbox("f", SMALL, before="e")
    outbox.load(told[0])
    outbox.restore_waiting(told[1])
    outbox.add(alert("c"))
    outbox.restore_number(Numbered("c", "care", 3))  # as a record of before, which names no epoch
    outbox.add(alert("d"))
    outbox.link_up()
    places = [json.loads(one.payload) for one in give(outbox)]
    assert [(one["id"], one["sequence"], one["epoch"]) for one in places] == [
        ("a", "1", "e"), ("b", "2", "e"), ("c", "3", "e"),
    ]  # fmt: skip
    outbox.acknowledged(1)
    (last,) = [json.loads(one.payload) for one in give(outbox)]
    assert (last["id"], last["sequence"], last["epoch"]) == ("d", "1", "f")
    again = Outbox("f", SMALL)
    again.load(json.loads(json.dumps(outbox.dump())))
    again.restore_waiting(json.loads(json.dumps(outbox.waiting())))
    again.add(alert("x"))
    again.link_up()
    assert [(number.id, number.sequence) for number in again.number()] == []
    waiting = [json.loads(one.payload) for one in give(again)]
    assert [(one["id"], one["sequence"], one["epoch"]) for one in waiting] == [
        ("b", "2", "e"), ("c", "3", "e"), ("d", "1", "f"),
    ]  # fmt: skip


def test_so_many_alerts_are_under_way_at_once_and_alarms_have_room_beyond() -> None:
    outbox = online()
    for nth in range(9):
        outbox.add(alert(f"a{nth}"))
    assert ids(give(outbox)) == ["a0", "a1", "a2"]
    for nth in range(9):
        outbox.add(alert(f"b{nth}", klass=Class.ALARM))
    assert ids(give(outbox)) == ["b0", "b1"]
    pending = outbox.pending()
    assert (pending.alarms, pending.alerts, pending.in_flight) == (9, 9, 5)
    assert (pending.replies, pending.statuses, pending.readings, pending.in_journal) == (0, 0, 0, False)


def test_so_much_else_is_under_way_at_once() -> None:
    outbox = online()
    for nth in range(9):
        outbox.add(Message("", "care", "hn1/h/care/reply", b"%d" % nth, Class.REPLY, 0))
    first = give(outbox)
    assert len(first) == SMALL.rest
    acknowledged = outbox.acknowledged(first[0].key)
    assert acknowledged == ("", Class.REPLY, 0, "hn1/h/care/reply")
    assert [one.payload for one in give(outbox)] == [b"4"]


def test_what_the_broker_has_is_told_once_with_its_id() -> None:
    outbox = online()
    outbox.add(alert("a")._replace(at=7))
    (handed,) = give(outbox)
    assert (handed.retain, handed.topic) == (False, "hn1/h/care/alerts")
    assert outbox.acknowledged(handed.key) == ("a", Class.ALERT, 7, "")
    assert outbox.acknowledged(handed.key) is None
    outbox.add(alert("a"))
    assert ids(give(outbox)) == ["a"], "it is another one: the first is gone"


def test_what_waits_and_how_far_the_numbers_are_survives_a_restart() -> None:
    outbox = online()
    for key, party in (("a", "care"), ("b", "property")):
        outbox.add(alert(key, party))
    outbox.add(alert("c", klass=Class.ALARM))
    outbox.written(outbox.number())
    assert give(outbox)[0].klass is Class.ALARM
    outbox.add(alert("d"))
    again = Outbox("e", SMALL)
    again.load(json.loads(json.dumps(outbox.dump())))
    again.restore_waiting(json.loads(json.dumps(outbox.waiting())))
    again.restore_acknowledged(["c", "nobody"])
    again.link_up()
    told = [(one["id"], one["sequence"]) for one in map(json.loads, (h.payload for h in give(again)))]
    assert told == [("a", "2"), ("b", "1"), ("d", "3")]


def test_a_number_read_again_is_the_messages_and_the_count_goes_on_from_the_highest() -> None:
    outbox = Outbox("e", SMALL)
    for key in "abc":
        outbox.add(alert(key))
    for number in (Numbered("b", "care", 5), Numbered("gone", "care", 4)):
        outbox.restore_number(number)
    outbox.link_up()
    told = {one["id"]: one["sequence"] for one in map(json.loads, (h.payload for h in give(outbox)))}
    assert told == {"a": "6", "b": "5", "c": "7"}


def test_records_that_hold_no_shared_reading_are_done() -> None:
    outbox = online(Limits())
    assert outbox.readings_done() == 1
    assert outbox.readings_done(40) == 41
    outbox.add(reading("t", 1))
    give(outbox)
    assert outbox.readings_done(40) == 41, "one that stands in no journal holds nothing up"
    outbox.add(reading("t", 2, 30))
    assert outbox.readings_done(40) == 30
    give(outbox)
    assert outbox.readings_done(40) == 30


def test_what_a_start_finds_unsent_is_read_from_the_journal_as_historical() -> None:
    outbox = Outbox("e", SMALL)
    outbox.unsent_in_journal(5, 4)
    assert not outbox.pending().in_journal
    outbox.unsent_in_journal(5, 8)
    assert outbox.wants() is None, "not before there is a link"
    assert outbox.readings_done() == 5
    outbox.link_up()
    assert outbox.wants() == (5, 8)
    outbox.refill([reading("t", 1, 5), reading("t", 2, 6)], 6)
    assert outbox.wants() is None, "enough is in memory"
    assert [json.loads(one.payload)["how"] for one in give(outbox)] == ["historical"] * 2
    assert outbox.wants() == (7, 8)
    outbox.refill([], 8)
    assert outbox.wants() is None
    assert not outbox.pending().in_journal


def test_a_reading_that_is_in_memory_is_not_read_again_from_the_journal() -> None:
    outbox = Outbox("e", Limits(readings=3))
    for record in range(1, 9):
        outbox.add(reading(f"t{record % 2}", record, record))
    assert outbox.pending().readings <= 4
    outbox.link_up()
    sent = []
    for _ in range(9):
        if wanted := outbox.wants():
            first, last = wanted
            outbox.refill([reading(f"t{n % 2}", n, n) for n in range(first, last + 1)], last)
        for one in give(outbox):
            sent.append((json.loads(one.payload)["at"], one.retain))
            outbox.acknowledged(one.key)
    assert sorted(at for at, _ in sent) == list(range(1, 9))
    assert sorted(at for at, retain in sent if retain) == [7, 8]


def test_readings_that_stand_in_no_journal_are_bounded_too_and_the_oldest_go() -> None:
    outbox = Outbox("e", Limits(readings=3))
    for at in range(1, 9):
        outbox.add(reading("t", at))
    assert outbox.pending().readings <= 3
    outbox.link_up()
    told = [json.loads(one.payload)["at"] for one in give(outbox)]
    assert told[0] == 8
    assert not outbox.pending().in_journal


def test_a_reading_under_way_at_a_loss_goes_again_in_its_order() -> None:
    outbox = online(Limits())
    for at in (1, 2):
        outbox.add(reading(f"t{at}", at, at))
    assert len(give(outbox)) == 2
    outbox.add(reading("t1", 3, 3))
    outbox.link_lost()
    assert outbox.pending().readings == 3
    outbox.link_up()
    told = [(json.loads(one.payload)["at"], one.retain) for one in give(outbox)]
    assert told == [(2, True), (3, True), (1, False)]


def test_an_outage_that_memory_holds_needs_no_journal_and_one_reading_more_does() -> None:
    for more, in_journal in ((0, False), (1, True)):
        outbox = Outbox("e", Limits(readings=4))
        for record in range(1, 6 + more):
            outbox.add(reading("t", record, record))
            outbox.link_up()
            outbox.link_lost()
        assert outbox.pending().in_journal is in_journal
        assert outbox.readings_done() == 1


def test_many_points_are_sorted_seldom_and_none_of_the_present_is_lost() -> None:
    outbox = Outbox("e", Limits(readings=4))
    for record in range(1, 21):
        outbox.add(reading(f"t{record}", record, record))
    assert outbox.pending().readings == 20, "each is the newest of its point"
    for record in range(21, 30):
        outbox.add(reading("t1", record, record))
    assert 20 <= outbox.pending().readings <= 29
    outbox.link_up()
    sent = give(online())
    while (one := outbox.next()) is not None:
        sent.append(one)
        outbox.acknowledged(one.key)
    assert {json.loads(one.payload)["at"] for one in sent if one.retain} == {*range(2, 21), 29}


def test_a_reading_still_in_memory_is_sent_once_and_what_the_journal_holds_too() -> None:
    outbox = Outbox("e", Limits(readings=2))
    for record in (1, 2, 3, 4, 5):
        outbox.add(reading(f"t{record % 2}", record, record))
    outbox.link_up()
    told = [json.loads(one.payload) for one in give(outbox)]
    assert [(body["at"], body["how"]) for body in told[:2]] == [(4, "live"), (5, "live")]
    wanted = outbox.wants()
    assert wanted is not None
    first, last = wanted
    outbox.refill([reading(f"t{n % 2}", n, n) for n in range(first, last + 1)], last)
    told += [json.loads(one.payload) for one in give(outbox)]
    assert sorted(body["at"] for body in told) == [1, 2, 3, 4, 5]
    assert {body["how"] for body in told[2:]} == {"historical"}


def test_what_the_broker_refuses_waits_and_holds_up_no_other_party() -> None:
    outbox = online()
    for nth in range(3):
        outbox.add(alert(f"c{nth}"))
    outbox.add(alert("p0", "property"))
    first, second, third = give(outbox)
    outbox.refused(first.key)
    outbox.refused(second.key)
    outbox.refused(third.key)
    assert ids(give(outbox)) == ["p0"]
    outbox.add(alert("c3"))
    assert ids(give(outbox)) == []
    assert outbox.pending().alerts == 5
    assert outbox.held(first.topic) == 4
    assert [fields[0][1] for fields in outbox.waiting()] == ["p0", "c0", "c1", "c2", "c3"]
    outbox.release()
    outbox.release()
    assert ids(give(outbox)) == ["c0", "c1"]


def test_what_is_refused_and_no_alert_is_gone() -> None:
    outbox = online()
    outbox.add(status("s"))
    (handed,) = give(outbox)
    outbox.refused(handed.key)
    assert outbox.held(handed.topic) == 0
    outbox.release()
    assert sum(outbox.pending()) == 0


def test_a_broker_that_takes_few_at_once_gets_no_more() -> None:
    for window in range(4, 130):
        limits = Limits().within(window)
        assert limits.alerts + limits.alarms_more + limits.rest <= max(window - 1, 3)
        assert min(limits.alerts, limits.alarms_more, limits.rest) >= 1
    assert Limits().within(65_535) == Limits()
    outbox = Outbox("e")
    outbox.link_up(8)
    for nth in range(30):
        outbox.add(alert(f"a{nth}", klass=Class.ALARM if nth % 2 else Class.ALERT))
        outbox.add(reading(f"t{nth}", nth))
    assert len(give(outbox)) <= 7
    outbox.link_lost()
    outbox.link_up()
    assert len(give(outbox)) == Limits().alerts + 30


class AnyLinkAnyPower(RuleBasedStateMachine):
    """A node with a journal, a link that comes and goes, and a broker that acknowledges in order."""

    @initialize(power_may_fail=st.booleans())
    def new(self, power_may_fail: bool) -> None:
        self.power_may_fail = power_may_fail
        self.journal: list[tuple[str, Any]] = []
        self.readings: list[Message] = []
        self.outbox = Outbox("e", SMALL)
        self.wire: list[Handed] = []
        self.received: list[tuple[str, int, str]] = []
        self.heard: Counter[tuple[str, int]] = Counter()
        self.retained: dict[str, int] = {}
        self.raised: dict[str, list[str]] = {}
        self.excused: Counter[tuple[str, int]] = Counter()
        self.restarted = False
        self.refusing: set[str] = set()
        self.at = 0

    @rule(
        klass=st.sampled_from([Class.ALARM, Class.ALERT]),
        party=st.sampled_from(["care", "property"]),
        of=st.integers(0, 3),
    )
    def alert_told(self, klass: Class, party: str, of: int) -> None:
        name = f"{klass.value}{of}{party}"
        key = f"{name}.{len(self.raised.setdefault(name, []))}"
        self.raised[name].append(key)
        message = alert(key, party, klass, name)
        self.journal.append(("message", message))
        self.outbox.add(message)

    @rule(topic=st.sampled_from("tuv"), repeat=st.integers(1, 4))
    def point_heard(self, topic: str, repeat: int) -> None:
        for _ in range(repeat):
            self.at += 1
            message = reading(topic, self.at, self.at)
            self.readings.append(message)
            self.outbox.add(message)

    @rule()
    def numbers_reach_the_disk(self) -> None:
        numbers = self.outbox.number()
        self.journal += [("number", number) for number in numbers]
        self.outbox.written(numbers)

    @rule()
    @precondition(lambda self: self.power_may_fail)
    def power_fails_before_numbers_reach_the_disk(self) -> None:
        self.outbox.number()
        self.restart()

    @rule(most=st.integers(1, 6))
    def link_publishes(self, most: int) -> None:
        for _ in range(most):
            handed = self.outbox.next()
            if handed is None:
                break
            self.wire.append(handed)

    @rule(most=st.integers(1, 6), told=st.booleans(), marked=st.booleans())
    def broker_takes(self, most: int, told: bool, marked: bool) -> None:
        """`told`: its PUBACK arrives; else it is lost with the link. `marked`: the journal learns of it."""
        for handed in self.wire[:most]:
            if handed.topic in self.refusing:
                self.outbox.refused(handed.key)
                continue
            self.receive(handed)
            if not told:
                self.excuse(handed)
            else:
                gone = self.outbox.acknowledged(handed.key)
                assert gone is not None
                if gone.id and marked:
                    self.journal.append(("gone", gone.id))
        del self.wire[:most]
        if not told:
            self.link_lost()

    @rule(refuses=st.lists(st.booleans(), min_size=1, max_size=6))
    def broker_takes_some_and_refuses_others(self, refuses: list[bool]) -> None:
        """By its access list, per topic, and in order. Only alerts are refused: all else is gone then."""
        for handed, refused in zip(self.wire[: len(refuses)], refuses, strict=False):
            if handed.topic.endswith("care/alerts") and (refused or handed.topic in self.refusing):
                self.refusing.add(handed.topic)
                self.outbox.refused(handed.key)
            else:
                self.receive(handed)
                self.outbox.acknowledged(handed.key)
        del self.wire[: len(refuses)]

    @rule()
    def refused_ones_are_tried_again(self) -> None:
        if not any(handed.topic in self.refusing for handed in self.wire):
            self.refusing.clear()
            self.outbox.release()

    def receive(self, handed: Handed) -> None:
        body = json.loads(handed.payload)
        if handed.klass is Class.READING:
            self.heard[handed.topic, body["at"]] += 1
            if handed.retain:
                self.retained[handed.topic] = body["at"]
        else:
            self.received.append((body["id"], int(body["sequence"]), handed.topic))

    @rule()
    def link_lost(self) -> None:
        if self.outbox.online:
            for handed in self.wire:
                self.excuse(handed)
            self.wire.clear()
            self.outbox.link_lost()

    def excuse(self, handed: Handed) -> None:
        """It was under way when the link was lost, so it may come twice."""
        if handed.klass is Class.READING:
            self.excused[handed.topic, json.loads(handed.payload)["at"]] += 1

    @rule()
    def link_up(self) -> None:
        if not self.outbox.online:
            self.outbox.link_up()

    @rule(most=st.integers(1, 9))
    def journal_is_read_again(self, most: int) -> None:
        if wanted := self.outbox.wants():
            first, last = wanted
            through = min(last, first + most - 1)
            self.outbox.refill([m for m in self.readings if first <= m.record <= through], through)

    @rule(checkpoint=st.booleans())
    @precondition(lambda self: self.power_may_fail)
    def power_fails(self, checkpoint: bool) -> None:
        if checkpoint:
            told = json.loads(json.dumps([self.outbox.dump(), self.outbox.waiting()]))
            self.journal = [("state", told[0]), ("part", told[1][:2]), ("part", told[1][2:])]
        self.restart()

    def restart(self) -> None:
        self.restarted = True
        done = self.outbox.readings_done()
        self.wire.clear()
        self.refusing.clear()
        self.outbox = Outbox("e", SMALL)
        for what, record in self.journal:
            if what == "state":
                self.outbox.load(record)
            elif what == "part":
                self.outbox.restore_waiting(record)
            elif what == "message":
                self.outbox.add(record)
            elif what == "number":
                self.outbox.restore_number(record)
            else:
                self.outbox.restore_acknowledged([record])
        self.outbox.unsent_in_journal(done, self.at)

    @invariant()
    def one_id_has_one_place(self) -> None:
        if hasattr(self, "received"):
            places = {(topic, sequence): key for key, sequence, topic in self.received}
            assert all(places[topic, sequence] == key for key, sequence, topic in self.received)
            numbers = {key: sequence for key, sequence, _ in self.received}
            assert all(numbers[key] == sequence for key, sequence, _ in self.received)

    @invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, "outbox"):
            assert self.outbox.pending().readings <= 3 * SMALL.readings + SMALL.rest

    def teardown(self) -> None:
        if not hasattr(self, "outbox"):
            return
        self.link_up()
        for _ in range(1000):
            self.numbers_reach_the_disk()
            self.journal_is_read_again(5)
            self.link_publishes(5)
            if not self.wire and self.outbox.wants() is None:
                if not sum(self.outbox.pending()):
                    break
                self.refused_ones_are_tried_again()
            self.broker_takes(9, True, False)
        assert sum(self.outbox.pending()) == 0
        for keys in self.raised.values():
            first_seen = list(dict.fromkeys(key for key, _, _ in self.received if key in keys))
            assert first_seen == keys, "each alert once after duplicates are removed, in order"
        for topic in {topic for _, _, topic in self.received}:
            places = {sequence for _, sequence, where in self.received if where == topic}
            assert places == set(range(1, len(places) + 1)), "no holes"
        everything = {(m.topic, m.at) for m in self.readings}
        assert set(self.heard) == everything, "no reading lost"
        if self.restarted:  # then the newest may have come from the journal, as historical
            return
        for topic, at in self.retained.items():
            assert at == max(a for t, a in everything if t == topic), "the newest is the retained one"
        for which, times in self.heard.items():
            assert times <= 1 + self.excused[which], "doubled only what was under way at a loss"


AnyLinkAnyPower.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
test_whatever_the_link_and_the_power_do = AnyLinkAnyPower.TestCase
