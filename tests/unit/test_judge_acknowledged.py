"""Acknowledgements: of faults, and of alerts by several parties; none is lost beside what falls due then."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.test_judge import FAULT, HOME, LIMITS_MS, MIN, OPEN, RULE, a_judge, data_of, opened


def test_a_party_takes_care_of_a_fault_that_was_told_to_it() -> None:
    judge = a_judge()
    judge.fault(FAULT, 1000)
    (told,) = [m for m in judge.advance(5 * MIN).messages if m.topic == "hn1/h1/operator/alerts"]
    alert = data_of(told)["data"]["alert"]
    taken = judge.acknowledge("operator", alert, "Bo", 6 * MIN)
    assert taken.records[0] == {"t": "fack", "at": 6 * MIN, "party": "operator", "alert": alert, "by": "Bo"}
    assert taken.messages
    assert not judge.acknowledge("care", alert, "Anna", 7 * MIN).records


def test_two_parties_that_acknowledge_in_one_instant_or_the_next_both_do() -> None:
    for later in (0, 1):
        rule = replace(RULE, when=OPEN, to=("care", "property"), steps=())
        judge = a_judge()
        judge.reload(HOME, [rule], LIMITS_MS, 500)
        opened(judge)
        judge.advance(2000)
        (alert,) = judge.engine.open_alerts()
        taken = [
            judge.acknowledge("care", alert.alert, "Anna", 3000),
            judge.acknowledge("property", alert.alert, "Bo", 3000 + later),
            judge.advance(4000),
        ]
        told = [change for decided in taken for change in decided.transitions]
        assert [(change.parties, change.reason) for change in told] == [
            (("care",), "Anna"),
            (("property",), "Bo"),
        ]
        asked = [record for decided in taken for record in decided.records if record["t"] == "ack"]
        assert [record["parties"] for record in asked] == [["care"], ["property"]]
