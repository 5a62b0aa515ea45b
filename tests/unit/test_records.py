"""What the journal says is what was meant: each record reads back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from homenode import records
from homenode.delivery import Action, NodeFault, OfferVideo, Say, Switch
from homenode.engine.events import Acknowledge, ClockSet, Event, Heard, ModeSet, NodeDown, NodeUp, StaleAfter
from homenode.engine.transition import Happening, Transition
from homenode.reading import How, Reading

FAULT = NodeFault("zigbee", {"sv": "Radion borta", "en": "Radio gone"}, ("eye",), to_property=True)


@pytest.mark.parametrize(
    "event",
    [
        Reading("door.contact", None, 5),
        Reading("stove.power", 12.5, 5, How.RESTORED),
        Heard("eye", 5),
        ModeSet("away", 5, 1000),
        ModeSet("away", 5),
        Acknowledge("ajar", 5, ("care",), "Anna"),
        NodeDown(5),
        NodeUp(5, False),
        ClockSet(5, 7, False, 9),
        ClockSet(5),
        StaleAfter("eye", 5, -1),
    ],
)
def test_what_the_journal_holds_reads_back(event: Event) -> None:
    assert records.to_event(json.loads(json.dumps(records.of_event(event)))) == event


def test_a_historical_reading_goes_to_no_rule() -> None:
    record = records.of_reading(Reading("door.contact", True, 5, How.HISTORICAL))
    assert record["h"] == "historical"
    assert records.to_event(record) is None
    assert "h" not in records.of_reading(Reading("door.contact", True, 5))


def test_a_fault_reads_back_and_other_records_are_nobodys_input() -> None:
    assert records.to_fault(json.loads(json.dumps(records.of_fault(FAULT, 5)))) == FAULT
    assert records.to_event({"t": "beat", "at": 5}) is None


def test_a_transition_is_written_with_what_it_says_and_nothing_else() -> None:
    bare = Transition(5, "ajar", "ajar:1", Happening.RESOLVED)
    assert records.of_transition(bare) == {
        "t": "tr",
        "at": 5,
        "rule": "ajar",
        "alert": "ajar:1",
        "event": "resolved",
    }
    step = replace(bare, event=Happening.STEP, step=2, do="notify", run=1, parties=("care",))
    assert (
        records.of_transition(step).items() >= {"step": 2, "do": "notify", "run": 1, "event": "step"}.items()
    )
    assert records.of_transition(step)["parties"] == ["care"]
    told = records.of_transition(replace(bare, because=("eye.motion",), reason="rule changed"))
    assert (told["because"], told["reason"]) == (["eye.motion"], "rule changed")
    assert "step" not in told
    assert records.transition_key(records.of_transition(step)) != records.transition_key(told)


def test_the_records_of_what_was_done_and_got_say_what() -> None:
    assert records.of_done("a", 1, 2, 5) == {"t": "did", "at": 5, "alert": "a", "step": 1, "run": 2}
    assert records.of_got(("a", "b"), 5) == {"t": "got", "at": 5, "ids": ["a", "b"]}


def test_each_run_of_a_step_is_a_transition_of_its_own() -> None:
    first = records.of_transition(Transition(5, "r", "r:1", Happening.STEP, 1, "say", 1))
    for other in ({"at": 6}, {"step": 2}, {"run": 2}, {"alert": "r:2"}, {"event": "raised"}):
        assert records.transition_key({**first, **other}) != records.transition_key(first)
    assert records.transition_key({"alert": "a", "event": "raised", "at": 5}) == ("a", "raised", 5, 0, 0)


@pytest.mark.parametrize(
    "action",
    [
        Say({"sv": "Hej", "en": "Hello"}, "a", 1, 0),
        Switch("lamp.light", True, "a", 2, 1),
        OfferVideo("bedroom", "a", 3, 0),
    ],
)
def test_an_action_that_is_not_done_is_read_as_it_was_written(action: Action) -> None:
    assert records.to_action(json.loads(json.dumps(records.of_action(action)))) == action


def test_an_entry_of_the_log_of_looks_is_written_with_what_is_lit() -> None:
    entry = {"event": "granted", "session": "s"}
    look = records.of_look(entry, ("sign.light", "ir.light"), 7)
    assert look == {"t": "look", "at": 7, "entry": entry, "lit": ["sign.light", "ir.light"]}
    assert records.of_dark("s", 8) == {"t": "dark", "at": 8, "session": "s"}
    assert records.to_event(look) is None
