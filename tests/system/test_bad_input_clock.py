"""A clock in 1970, as a Pi without a battery has at boot: what needs the time rests and says so.

The node's clock is set by a library loaded before libc's (`clocks`), so that the machine keeps its time.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from homenode.contract.times import wall_ms
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.clocks import NodeClock
from tests.system.nodes import NodeProcess, Receiver
from tests.system.test_bad_input_storage import fault_known, fault_over, stops_in_time
from tests.system.test_node import RULE, a_home

pytestmark = needs_mosquitto

NIGHT = RULE.replace("rule: door", "rule: door_at_night").replace(
    "when: door == open for $open_for", "grace: 2 s\nwhen: door == open and between 00:00 and 23:59"
)


@pytest.fixture
def clock(tmp_path: Path) -> NodeClock:
    return NodeClock(tmp_path)


def home_that_must_learn_the_time(folder: Path, broker: Mosquitto, tape: list[tuple[float, bool]]) -> Path:
    """The door with a rule that needs no clock, and one that does."""
    home = a_home(folder, broker.port, tape)
    (folder / "rules" / "door_at_night.yaml").write_text(NIGHT)
    text = home.read_text().replace("clock: {trust: always}\n", "")
    home.write_text(
        text.replace("\nshare:", "\n  - {use: door_at_night, bind: {door: front_door.contact}}\nshare:")
    )
    return home


def test_rules_without_times_run_in_1970_the_others_are_blind_until_the_clock_is_set(
    tmp_path: Path, broker: Mosquitto, clock: NodeClock
) -> None:
    home = home_that_must_learn_the_time(tmp_path, broker, [(0.0, False), (1.0, True)])
    clock.in_1970()
    with (
        Receiver(broker.port, "hn1/test-1/#") as all_of_it,
        NodeProcess(home, tmp_path / "data", env=clock.env) as node,
    ):
        alert = all_of_it.until(lambda seen: seen.alerts("notified"), "the alert that needs no clock")[0]
        assert (alert["subject"], alert["data"]["at"][:4]) == ("door", "1970")
        fault_known(node, "klockan är inte ställd")
        fault_known(node, "blind: clock")
        assert node.status()["clock"] == "not set"
        assert "clock not set" in node.ask("status").stdout
        clock.right()
        fault_over(node, "klockan är inte ställd")
        night = all_of_it.until(
            lambda seen: [a for a in seen.alerts("notified") if a["subject"] == "door_at_night"], "the night"
        )
        assert int(night[0]["data"]["at"][:4]) >= 2026
        fault_over(node, "blind: clock")
        assert node.status()["clock"] == "trusted"
        stops_in_time(node)


def test_a_timer_goes_on_over_a_reboot_into_1970_once_the_clock_is_set(
    tmp_path: Path, broker: Mosquitto, clock: NodeClock
) -> None:
    home = home_that_must_learn_the_time(tmp_path, broker, [(0.0, True)])
    (tmp_path / "rules" / "door.yaml").write_text(RULE.replace("default: 1 s", "default: 14 s"))
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it:
        with NodeProcess(home, tmp_path / "data", env=clock.env) as node:
            opened = all_of_it.until(lambda seen: seen.readings("front_door.contact"), "the door")[0]["at"]
            node.status()
            stops_in_time(node)
        (tmp_path / "tape.jsonl").write_text("")
        clock.boots("second")
        clock.in_1970()
        with NodeProcess(home, tmp_path / "data", env=clock.env) as node:
            fault_known(node, "klockan är inte ställd")
            assert node.status()["rules"][0]["blind"] == ["front_door.contact"]
            restored(all_of_it, None, "unknown")
            assert node.status()["points"][0]["quality"] == "unknown"
            clock.right()
            fault_over(node, "klockan är inte ställd")
            assert node.status()["rules"][0]["blind"] == []
            restored(all_of_it, True, "good")
            assert node.status()["points"][0]["shown"] == "open"
            of_door = lambda seen: [a for a in seen.alerts("notified") if a["subject"] == "door"]  # noqa: E731 - short
            alert = all_of_it.until(of_door, "the alert")[0]
            late_ms = wall_ms(alert["data"]["at"]) - wall_ms(opened) - 14_000
            assert abs(late_ms) < 100, late_ms
            stops_in_time(node)


def restored(all_of_it: Receiver, value: bool | None, quality: str) -> None:
    """Wait until care is told this of the door, after a start."""
    said = {"value": value, "quality": quality, "how": "restored"}
    told = lambda seen: [r for r in seen.readings("front_door.contact") if said.items() <= r.items()]  # noqa: E731 - short
    all_of_it.until(told, f"the door, {quality}")


def test_a_reboot_into_1970_that_took_hours_is_told_when_the_clock_is_set(
    tmp_path: Path, broker: Mosquitto, clock: NodeClock
) -> None:
    home = home_that_must_learn_the_time(tmp_path, broker, [(0.0, False)])
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it:
        with NodeProcess(home, tmp_path / "data", env=clock.env) as node:
            all_of_it.until(lambda seen: seen.readings("front_door.contact"), "the door")
            node.status()
            stops_in_time(node)
        (tmp_path / "tape.jsonl").write_text("")
        clock.boots("second")
        clock.in_1970()
        with NodeProcess(home, tmp_path / "data", env=clock.env) as node:
            fault_known(node, "klockan är inte ställd")
            assert "startade om" not in node.ask("status").stdout
            clock._say(2 * 3600, 1)
            fault_known(node, "startade om efter 120 min, ännu inte hörda: front_door")
            assert node.status()["points"][0]["quality"] == "unknown"
            stops_in_time(node)


def test_after_two_boots_of_which_the_first_knew_no_time_the_second_jumps_by_no_years(
    tmp_path: Path, broker: Mosquitto, clock: NodeClock
) -> None:
    home = home_that_must_learn_the_time(tmp_path, broker, [(0.0, False)])
    with Receiver(broker.port, "hn1/test-1/#") as all_of_it:
        clock.in_1970()
        with NodeProcess(home, tmp_path / "data", env=clock.env) as node:
            all_of_it.until(lambda seen: seen.readings("front_door.contact"), "the door")
            stops_in_time(node)
        (tmp_path / "tape.jsonl").write_text("")
        clock.boots("second")
        clock.right()
        with NodeProcess(home, tmp_path / "data", env=clock.env) as node:
            restored(all_of_it, None, "unknown")
            assert node.status()["points"][0]["age_ms"] < 3_600_000
            stops_in_time(node)


def test_a_clock_that_jumps_by_hours_moves_no_timer(
    tmp_path: Path, broker: Mosquitto, clock: NodeClock
) -> None:
    home = home_that_must_learn_the_time(tmp_path, broker, [(0.0, True)])
    (tmp_path / "rules" / "door.yaml").write_text(RULE.replace("default: 1 s", "default: 8 s"))
    with (
        Receiver(broker.port, "hn1/test-1/#") as all_of_it,
        NodeProcess(home, tmp_path / "data", env=clock.env) as node,
    ):
        all_of_it.until(lambda seen: seen.readings("front_door.contact"), "the door")
        began = time.monotonic()  # noqa: TID251 - measures the process under test
        clock._say(5 * 3600, 1)
        of_door = lambda seen: [a for a in seen.alerts("notified") if a["subject"] == "door"]  # noqa: E731 - short
        all_of_it.until(of_door, "the alert")
        assert 4 < time.monotonic() - began < 20  # noqa: TID251 - likewise
        stops_in_time(node)
