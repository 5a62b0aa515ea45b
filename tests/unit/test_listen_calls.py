"""A receiver's view of one home: who is called next, and what the home is told of who has an alert."""

from __future__ import annotations

import pytest

from homenode.listen.event import Reply
from homenode.listen.plan import Plan
from homenode.listen.told import Kind
from homenode.listen.watch import COMMAND_MS, Watch
from tests.unit.listening import ESCALATING, MIN, NOW, PLAN, again, called, handed, message


def test_an_alert_that_nobody_acknowledges_is_handed_to_each_stage_in_time() -> None:
    watch = Watch("a", Plan("care", ("desk",), ESCALATING.stages))
    watch.alert(message(1), NOW)
    assert called(watch, NOW) == [(Kind.ALERT, "desk")]
    assert watch.next_due() == NOW + 5 * MIN
    assert called(watch, NOW + 5 * MIN - 1) == []
    watch = again(watch)
    assert called(watch, NOW + 5 * MIN) == [(Kind.ESCALATED, "nurse")]
    assert called(watch, NOW + 15 * MIN) == [(Kind.ESCALATED, "duty"), (Kind.ESCALATED, "desk")]
    assert watch.next_due() is None


def test_a_clock_that_was_set_back_puts_nothing_off() -> None:
    watch = Watch("a", Plan("care", ("desk",), ESCALATING.stages))
    watch.alert(message(1), NOW)
    watch.alert(message(3, told="fault", alert="x", severity="info"), NOW)
    watch.not_after(NOW - 60 * MIN)
    assert watch.next_due() == NOW - 59 * MIN  # the hole, then the first stage
    watch.due(NOW - 59 * MIN)
    assert watch.next_due() == NOW - 55 * MIN
    watch.not_after(NOW)
    assert watch.next_due() == NOW - 55 * MIN


def test_stages_that_fell_due_while_we_were_away_are_all_called() -> None:
    watch = Watch("a", Plan("care", ("desk",), ESCALATING.stages))
    watch.alert(message(1), NOW)
    handed(watch)
    watch.due(NOW + 60 * MIN)
    assert [(task.stage, task.left) for task in watch.tasks] == [(1, ["nurse"]), (2, ["duty", "desk"])]


@pytest.mark.parametrize("told", ["acknowledged", "resolved", "recovered"])
def test_an_alert_that_somebody_has_or_that_is_over_calls_nobody(told: str) -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    watch.alert(message(2, told, by="Eva"), NOW + MIN)
    handed(watch)
    assert called(watch, NOW + 60 * MIN) == []


def test_what_another_party_acknowledged_is_not_taken_by_ours() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    watch.alert(message(2, "acknowledged", by="property, resident"), NOW + MIN)
    handed(watch)
    assert called(watch, NOW + 5 * MIN) == [(Kind.ESCALATED, "nurse")]


def test_what_ours_and_another_party_acknowledged_is_taken() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    watch.alert(message(2, "acknowledged", by="Eva, property"), NOW + MIN)
    assert watch.next_due() is None


def test_a_notification_that_comes_after_its_end_calls_nobody() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(2, "resolved"), NOW)
    watch.alert(message(1), NOW)
    assert watch.next_due() is None


def test_what_ended_an_alert_last_counts_and_not_what_came_last() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(4, "acknowledged", by="Eva"), NOW)
    watch.alert(message(2, "acknowledged", by="Eva"), NOW)
    watch.alert(message(3), NOW)  # before the fourth
    handed(watch)
    assert watch.next_due() is None


def test_an_old_acknowledgement_that_comes_late_does_not_stop_a_new_call() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(3), NOW)  # after it lapsed
    watch.alert(message(2, "acknowledged", by="Eva"), NOW)
    handed(watch)
    assert called(again(watch), NOW + 5 * MIN) == [(Kind.ESCALATED, "nurse")]
    watch.alert(message(4, "acknowledged", by="Eva"), NOW)
    assert watch.next_due() is None


def test_the_soonest_of_two_alerts_is_due_first() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    watch.alert(message(2, alert="other"), NOW + MIN)
    assert watch.next_due() == NOW + 5 * MIN


def test_each_stage_carries_its_number() -> None:
    watch = Watch("a", Plan("care", ("desk",), ESCALATING.stages))
    watch.alert(message(1), NOW)
    assert [task.stage for task in watch.tasks] == [0]
    handed(watch)
    watch.due(NOW + 5 * MIN)
    assert [task.stage for task in watch.tasks] == [1]


def test_an_acknowledgement_that_lapsed_calls_again() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    watch.alert(message(2, "acknowledged", by="Eva"), NOW)
    watch.alert(message(3), NOW + MIN)
    assert watch.next_due() == NOW + 6 * MIN


def test_a_repeated_notification_does_not_put_the_next_stage_off() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    watch.alert(message(2), NOW + 4 * MIN)
    assert watch.next_due() == NOW + 5 * MIN


@pytest.mark.parametrize(("severity", "test"), [("info", False), ("alarm", True)])
def test_neither_news_nor_exercises_escalate(severity: str, test: bool) -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1, severity=severity, test=test), NOW)
    assert watch.next_due() is None


def test_a_stage_for_alarms_is_not_called_for_a_warning() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1, severity="warning"), NOW)
    handed(watch)
    watch.due(NOW + 60 * MIN)
    assert [task.left for task in watch.tasks] == [["nurse"]]


def taken_by_the_nurse() -> Watch:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    called(watch, NOW + 5 * MIN)
    return watch


def test_who_took_an_alert_has_it_and_the_home_is_told() -> None:
    watch = taken_by_the_nurse()
    [command] = again(watch).commands.values()
    assert (command.alert, command.by) == ("stove:1", "the nurse")
    assert COMMAND_MS == 24 * 60 * MIN
    assert watch.next_due() == NOW + 5 * MIN + COMMAND_MS  # and no further stage
    assert watch.replied(Reply(command.id, True), NOW)
    assert not watch.commands
    assert handed(watch) == []


def test_an_alert_handed_over_twice_is_acknowledged_with_one_id() -> None:
    once, twice = taken_by_the_nurse(), taken_by_the_nurse()
    assert list(once.commands) == list(twice.commands)


def test_a_refused_acknowledgement_is_told() -> None:
    watch = taken_by_the_nurse()
    [command] = watch.commands.values()
    assert watch.replied(Reply(command.id, False, "no such alert"), NOW)
    [task] = watch.tasks
    assert (task.kind, task.left) == (Kind.REFUSED, ["desk"])
    assert "no such alert" in task.body["data"]["text"]["en"]


def test_a_refusal_because_the_alert_is_over_is_no_news() -> None:
    watch = taken_by_the_nurse()
    watch.alert(message(2, "resolved"), NOW)
    handed(watch)
    [command] = watch.commands.values()
    assert watch.replied(Reply(command.id, False, "no such alert"), NOW)
    assert handed(watch) == []


def test_an_acknowledgement_that_no_home_answers_is_told_when_it_expires() -> None:
    watch = taken_by_the_nurse()
    assert called(watch, NOW + 5 * MIN + COMMAND_MS - 1) == []
    assert called(watch, NOW + 5 * MIN + COMMAND_MS) == [(Kind.REFUSED, "desk")]
    assert not watch.commands


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    assert not Watch("a", PLAN).replied(Reply("x", True), NOW)


def test_a_resolution_that_was_handed_over_is_not_acknowledged() -> None:
    watch = Watch("a", Plan("care", ("nurse",), (), {"nurse": "nurse"}))
    watch.alert(message(1, "resolved"), NOW)
    handed(watch)
    assert not watch.commands


def test_who_has_several_urls_has_an_alert_when_all_of_them_took_it() -> None:
    watch = Watch("a", Plan("care", ("sms.1", "sms.2"), (), {"sms": "the nurse"}))
    watch.alert(message(1), NOW)
    [task] = watch.tasks
    watch.taken(task.number, "sms.2", NOW)
    assert not watch.commands
    watch.taken(task.number, "sms.1", NOW)
    assert [command.by for command in watch.commands.values()] == ["the nurse"]


# --- targets that change


@pytest.mark.parametrize(
    ("left", "now", "then"),
    [
        (["desk", "sms"], ("sms", "desk"), ["desk", "sms"]),
        (["desk", "sms"], ("desk", "sms.1", "sms.2"), ["desk", "sms.1", "sms.2"]),
        (["sms.2"], ("desk", "sms.1", "sms.2", "sms.3"), ["sms.2"]),
        (["sms.2"], ("desk", "sms"), ["sms"]),
        (["sms.2", "sms.3"], ("desk", "sms.1", "sms.2"), ["sms.2", "sms.1"]),
        (["sms"], ("desk", "mail"), ["desk", "mail"]),
        (["sms", "mail"], ("desk", "mail"), ["mail"]),
    ],
)
def test_what_waits_goes_to_what_its_target_has_now(
    left: list[str], now: tuple[str, ...], then: list[str]
) -> None:
    watch = Watch("a", Plan("care", tuple(left)))
    watch.alert(message(1), NOW)
    [task] = Watch.restore("a", Plan("care", now), watch.dump()).tasks
    assert task.left == then


# --- what a person asks for


def test_a_person_calls_the_next_stage_before_its_time_and_also_after_an_acknowledgement() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    handed(watch)
    body = message(1).body
    assert watch.escalate("stove:1", "alarm", body, NOW + 1)
    assert handed(watch, NOW + 1) == [(Kind.ESCALATED, "nurse")]  # who, by the plan, has it now
    assert called(watch, NOW + 15 * MIN) == []
    assert watch.escalate("stove:1", "alarm", body, NOW + 16 * MIN)
    assert handed(watch, NOW + 16 * MIN) == [(Kind.ESCALATED, "nurse")]
    assert not Watch("a", PLAN).escalate("stove:1", "alarm", body, NOW)


def test_a_person_who_has_an_alert_ends_its_escalation_and_the_home_is_told() -> None:
    watch = Watch("a", ESCALATING)
    watch.alert(message(1), NOW)
    handed(watch)
    assert watch.answered(message(1).body, "Eva", NOW + 1)
    assert called(watch, NOW + 20 * MIN) == []
    [command] = watch.commands.values()
    assert (command.alert, command.by) == ("stove:1", "Eva")
    assert again(watch).commands == watch.commands
