"""What is told of the machine, to whom, and to Prometheus."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from homenode.contract.command import Command, Refusal, parse_command
from homenode.contract.figures import taken
from homenode.delivery import Delivery
from homenode.health.coarse import SETTLED
from homenode.health.machine import Card
from homenode.health.prometheus import Sampled, text
from homenode.health.record import Record
from tests.unit.contract_examples import FIGURES as WELL
from tests.unit.health_seen import SEEN, UTC, told


def test_prometheus_own_parser_reads_what_is_told_and_unknown_has_no_sample() -> None:
    homes = [
        Sampled("h1", "1.0", True, taken(WELL), "good", 2),
        Sampled('q"\\', "", None, {}, "", None),
        Sampled("h2", "1.1", False, {}, "", None),
    ]
    read = {family.name: family for family in text_string_to_metric_families(text(homes, True))}
    one = {
        name: {sample.labels["home"]: sample.value for sample in family.samples if "home" in sample.labels}
        for name, family in read.items()
    }
    assert one["homenode_up"] == {"h1": 1, "h2": 0}
    assert one["homenode_card_worn_percent"] == {"h1": 10}
    assert one["homenode_certificate_not_after_seconds"] == {"h1": 1_796_126_400}
    assert one["homenode_clock_state"] == {"h1": 3}
    assert "homenode_undervoltage" not in one
    assert one["homenode_faults"] == {"h1": 2}
    states = {s.labels["state"]: s.value for s in read["homenode_update_state"].samples}
    assert [state for state, value in states.items() if value] == ["good"]
    assert [(s.labels, s.value) for s in read["homenode_radio_up"].samples] == [
        ({"home": "h1", "name": "zigbee"}, 1)
    ]
    assert read["homenode_fleet_connected"].samples[0].value == 1
    assert all(family.documentation and family.type == "gauge" for family in read.values())


def test_figures_of_a_day_to_the_letter() -> None:
    record = Record()
    seen = replace(SEEN, temperature_c=53.0, memory_free=0.64, disk_free=0.83, card=Card("sda", 40, 3, 1, 2))
    for nth in range(SETTLED):
        record.add(seen, nth)
    assert told(record, seen) == {
        "slot": "A",
        "model": "Raspberry Pi 4",
        "kernel": "6.12",
        "restarts": 0,
        "card_worn_pct": 40,
        "card_worn_by": "device",
        "card_spare": "urgent",
        "card_errors": 2,
        "temperature_c": 55,
        "undervoltage": "never",
        "clock": "synchronised",
        "clock_by": "chrony",
        "clock_error_ms": 10,
        "certificate_until": None,
        "memory_free_pct": 60,
        "disk_free_pct": 85,
    }
    assert told(record, replace(seen, memory_free=None, disk_free=None))["disk_free_pct"] is None


@pytest.mark.parametrize(("free", "said"), [(0.83, 85), (0.02, 0), (1.0, 100), (0.0, 0)])
def test_room_is_told_in_steps(free: float, said: int) -> None:
    assert told(Record(), replace(SEEN, disk_free=free))["disk_free_pct"] == said


def test_a_number_with_parts_keeps_them_for_prometheus() -> None:
    started = taken({"started": "2026-01-01T00:00:00.250+00:00"})
    assert 'homenode_start_time_seconds{home="h"} 1767225600.25\n' in text([Sampled("h", figures=started)])


def test_figures_are_the_operators_alone_and_stay_in_every_status_of_it() -> None:
    delivery = Delivery("h", UTC, {}, {}, {"homenode": "0"})
    message = delivery.figures({"silent": 3}, 5)
    assert (message.party, message.topic, message.retain) == ("operator", "hn1/h/operator/status", True)
    for one in (message, *delivery.statuses(6)):
        health = json.loads(one.payload)["health"]
        assert health == ({"state": "good", "silent": 3} if one.party == "operator" else {"state": "good"})


@pytest.mark.parametrize(
    ("do", "args", "is_taken"),
    [
        ("report", {}, True),
        ("report", {"diagnose": True}, True),
        ("report", {"heartbeat": "30 s"}, False),
        ("report", {"diagnose": True, "heartbeat": "30 s"}, False),
        ("report", [], False),
        ("update", {"cancel": True}, False),
    ],
)
def test_a_node_whose_clock_is_not_set_says_how_it_is_and_has_nothing_set(
    do: str, args: object, is_taken: bool
) -> None:
    body = {"id": "1", "do": do, "by": "me", "expires": "2020-01-01T00:00:00Z", "args": args}
    asked = parse_command(json.dumps(body).encode(), "operator", None)
    assert isinstance(asked, Command) is is_taken
    assert is_taken or (isinstance(asked, Refusal) and asked.code == "clock")
