"""A second reading of what rules mean agrees with `homenode replay`, in cases by hand and random homes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.__main__ import compared, shown
from tests.oracle.case import Both, Case
from tests.oracle.life import Line
from tests.oracle.reader import load

CASES = load(Path(__file__).parents[1] / "oracle/cases.yaml")
POINTS = {
    "door": "d.contact", "door_eye": "d.motion", "bell": "f.button", "eye": "f.motion", "hob": "e.power",
}  # fmt: skip
ROLES = {
    "door": {"kind": "contact"}, "bell": {"kind": "button"}, "hob": {"kind": "power"},
    "eyes": {"kind": "motion", "many": "true"},
}  # fmt: skip
BIND = {"door": "d.contact", "bell": "f.button", "hob": "e.power", "eyes": ["f.motion"]}


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with Both() as both:
        yield both


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["it"])
def test_both_readers_say_what_was_worked_out_by_hand(both: Both, case: dict[str, Any]) -> None:
    begin = datetime.fromisoformat(case.get("begin", "2026-01-05T06:00:00+01:00"))
    home = {
        "home": "by-hand", "timezone": "Europe/Stockholm",
        "modes": {"away": {"longest": "20 s"}} | case.get("modes", {}),
        "radios": {"zigbee": {"driver": "zigbee", "port": "/dev/null"}},
        "devices": {
            name: {"via": "zigbee", "ieee": f"00:15:8d:00:02:aa:bb:{name}0", "room": "a", "stale_after": most}
            for name, most in (("d", "10 s"), ("e", "1 h"), ("f", "never"))
        },
        "rules": [{"use": "rule", "bind": BIND}],
    }  # fmt: skip
    rule = {"rule": "rule", "roles": ROLES, "grace": "1 d"} | case["rule"]
    lines = [_line(entry, begin) for entry in case["story"].split("; ")]
    meant, said = both.compare(Case(home, {"rule": rule}, lines), Counter())
    assert "; ".join(_told(line, begin) for line in meant) == case.get("told", "")
    assert "; ".join(_told(line, begin) for line in said) == case.get("told", "")


def _line(entry: str, begin: datetime) -> str:
    seconds, what, *value = entry.split()
    happens = {
        "ack": '"ack": "rule"', "end": '"end": true', "node": f'"node": "{"".join(value)}"',
        "mode": f'"mode": "{"".join(value)}"',
    }.get(what) or f'"point": "{POINTS[what]}", "value": {value[0]}'  # fmt: skip
    return f'{{"at": "{(begin + timedelta(seconds=float(seconds))).isoformat()}", {happens}}}'


def _told(line: Line, begin: datetime) -> str:
    after = (datetime.fromisoformat(line["at"]) - begin).total_seconds()
    return " ".join(
        [f"{after:g} {line['event']}", *(str(line[key]) for key in ("step", "do", "because") if key in line)]
    )


def test_in_random_homes_both_readers_say_the_same(both: Both) -> None:
    for seed in range(60):
        case = compared(both, seed, Counter())
        assert case is None, f"seed {seed}\n{shown(both, case)}"
