"""`homenode tune`: the counts of each value are those of a replay with it; the delay is the rule's own."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homenode.config.model import RuleUse
from homenode.engine import Engine, Happening
from homenode.engine.events import Reading
from homenode.errors import FileMistakes
from homenode.language.bound import (
    And,
    BoundRule,
    BoundStep,
    Compare,
    Count,
    Expr,
    For,
    HasQuality,
    Not,
    Or,
    Since,
    Within,
)
from homenode.language.rule_file import Setting
from homenode.language.values import parse_value
from homenode.replay import load_side, run
from homenode.trace import Trace
from homenode.tune.command import tune
from homenode.tune.delay import told_after_ms
from homenode.tune.values import tried

HOME = """home: tuned
timezone: Europe/Stockholm
language: sv
radios: {zigbee: {driver: zigbee, port: /dev/null, adapter: ezsp}}
devices:
  stove: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen, stale_after: never}
  eye:   {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:02", room: kitchen, stale_after: never}
rules:
  - {use: hob, as: stove, bind: {stove: stove.power, eye: eye.motion}SET}
"""
HOB = """rule: hob
roles: {stove: {kind: power}, eye: {kind: motion}}
parameters:
  hot: {default: 50 W, min: 10 W, max: 500 W}
  alone: {default: 20 min, min: 1 min, max: 2 h}
  from: {default: 22:00}
  state: {default: true}
when: (stove > $hot) for $alone and (eye != $state) for $alone
clear: eye == $state or stove <= $hot
steps:
  - {after: 0 s, do: say, text: {sv: "Spisen.", en: "The stove."}}
  - {after: 3 min, do: notify}
"""


def a_home(folder: Path, sets: str = "") -> Path:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "hob.yaml").write_text(HOB, encoding="utf-8")
    path = folder / f"home{len(sets)}{abs(hash(sets))}.yaml"
    path.write_text(HOME.replace("SET", f", set: {sets}" if sets else ""), encoding="utf-8")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return a_home(tmp_path)


def at(minute: int, **said: object) -> dict[str, object]:
    day, rest = divmod(minute, 24 * 60)
    return {"at": f"2026-01-{5 + day:02d}T{rest // 60:02d}:{rest % 60:02d}:00.000+01:00", **said}


def write(home: Path, *lines: dict[str, object]) -> str:
    path = home.with_name("trace.jsonl")
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def cooked(*spans: tuple[int, int, int]) -> list[dict[str, object]]:
    """The hob on from a minute for so long at so many watts, nobody there; a fortnight in all."""
    lines = [at(0, point="eye.motion", value=True), at(1, point="eye.motion", value=False)]
    for begin, minutes, watts in spans:
        lines += [
            at(begin, point="stove.power", value=watts),
            at(begin + minutes, point="stove.power", value=0),
        ]
    return [*lines, at(14 * 24 * 60, end=True)]


def asked(home: Path, source: str, *parameters: str, **more: Any) -> list[list[str]]:
    """The rows of the tables, split at their columns."""
    out = io.StringIO()
    assert tune(home, source, "stove", out, io.StringIO(), parameters=parameters, **more) == 0
    rows = [line.split("  ") for line in out.getvalue().splitlines()[2:] if "  " in line]
    return [[cell.strip() for cell in row if cell.strip()] for row in rows]


def refused(home: Path, rule: str = "stove", **more: Any) -> str:
    source, out = write(home, *cooked()), io.StringIO()
    with pytest.raises(FileMistakes) as wrong:
        tune(home, source, rule, out, io.StringIO(), **more)
    assert out.getvalue() == ""
    return str(wrong.value)


def test_longer_patience_gives_fewer_alerts_and_later_ones(home: Path) -> None:
    source = write(home, *cooked((100, 15, 1000), (300, 25, 1000), (500, 60, 1000), (800, 22, 40)))
    rows = asked(home, source, "alone", given={"alone": ["10 min", "20 min", "30min", "2 h"]})
    assert rows == [
        ["alone", "alerts", "a week", "notified", "open", "still", "later", "told after"],
        ["10 min", "3", "1.5", "3", "15 min", "2", "-10 min", "13 min"],
        ["20 min (now)", "2", "1.0", "2", "22 min 30 s", "2", "23 min"],
        ["30min", "1", "0.5", "1", "30 min", "1", "10 min", "33 min"],
        ["2 h", "0", "0.0", "0", "-", "0", "2 h 3 min"],
    ]


def test_without_a_wish_every_parameter_is_tried_over_its_range(home: Path) -> None:
    rows = asked(home, write(home, *cooked((100, 30, 100))), steps=5)
    assert [row[0] for row in rows] == [
        *("hot", "10 W", "30 W", "50 W (now)", "150 W", "500 W"),
        *("alone", "1 min", "8 min", "20 min (now)", "30 min", "2 h"),
        *("from", "20:00", "21:00", "22:00 (now)", "23:00", "00:00"),
    ]
    assert [row[1] for row in rows if row[0].endswith("W") or row[0].endswith("W (now)")] == list("11100")


def test_whoever_acknowledged_acknowledges_all_trials(home: Path) -> None:
    lines = cooked((100, 60, 1000))
    lines.insert(3, at(122, ack="stove"))
    rows = asked(home, write(home, *lines), "alone", given={"alone": ["15 min", "21 min", "25 min"]})
    assert [(row[0], row[3]) for row in rows[1:]] == [
        ("20 min (now)", "0"),
        ("15 min", "1"),  # told after 18 min, before anybody acknowledged
        ("21 min", "0"),
        ("25 min", "1"),  # raised later than the acknowledgement
    ]


def test_what_does_not_exist_or_cannot_be_is_refused_with_what_there_is(home: Path) -> None:
    assert "found stov; accepted: a rule of home.yaml: stove; did you mean stove?" in refused(home, "stov")
    listed = "a parameter of stove: hot, alone, from or state"
    assert f"found alon; accepted: {listed}; did you mean alone?" in refused(home, parameters=["alon"])
    assert listed in refused(home, given={"again": ["1 min"]})
    assert "at least 1 min and at most 2 h" in refused(home, given={"alone": ["10 min", "3 h"]})
    assert "values given by --set" in refused(home, parameters=["state"])


MINUTES = st.integers(0, 300)
SPANS = st.lists(
    st.tuples(st.integers(2, 90), st.integers(1, 70), st.sampled_from((5, 40, 60, 700))), max_size=6
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=SPANS, seen=st.lists(MINUTES, max_size=5), acks=st.lists(MINUTES, max_size=3))
def test_the_counts_are_those_of_a_replay_with_that_value(
    home: Path, gaps: list[tuple[int, int, int]], seen: list[int], acks: list[int]
) -> None:
    lines, minute = [at(0, point="eye.motion", value=False)], 0
    for gap, span, watts in gaps:
        lines.append(at(minute + gap, point="stove.power", value=watts))
        minute += gap + span
        lines.append(at(minute, point="stove.power", value=0))
    for one in seen:
        lines += [at(one, point="eye.motion", value=True), at(one + 1, point="eye.motion", value=False)]
    lines += [at(one, ack="stove") for one in acks]
    lines.sort(key=lambda line: str(line["at"]))
    source = write(home, *lines, at(8 * 24 * 60, end=True))
    values = {"alone": ["5 min", "20 min", "40 min"], "hot": ["10 W", "50 W", "100 W"]}
    for name, tried_values in values.items():
        rows = asked(home, source, name, given={name: tried_values})
        for value, row in zip(tried_values, rows[1:], strict=True):
            side = load_side(a_home(home.parent, f"{{{name}: {value}}}"))
            told = list(run(side.home, side.rules, Trace(source, side.home.devices, {"home"}, {"stove"})))
            raised = [change.alert for change in told if change.event is Happening.RAISED]
            notified = {change.alert for change in told if change.do == "notify"}
            assert (row[0].removesuffix(" (now)"), row[1], row[3]) == (
                value,
                str(len(raised)),
                str(len(notified)),
            )


# -- what is told after what


HOT, SEEN, WET = (
    Compare("stove.power", ">", 50),
    Compare("eye.motion", "==", True),
    Compare("sink.water", "==", True),
)
HAZARD = {"stove.power": (0, 900), "eye.motion": (True, False), "sink.water": (False, True)}
"""Values before and from the begin of the hazard on."""


@pytest.mark.parametrize(
    ("when", "after_ms"),
    [
        (HOT, 0),
        (For(HOT, 700), 700),
        (For(Within(HOT, 300), 700), 700),
        (Not(SEEN), 0),
        (Not(Within(SEEN, 400)), 400),
        (For(Not(Within(SEEN, 400)), 50), 450),
        (And((For(HOT, 700), For(Not(SEEN), 900))), 900),
        (Or((For(HOT, 700), And((WET, For(HOT, 20))))), 20),
        (Not(Or((SEEN, For(SEEN, 300)))), 0),
        (Since(Not(SEEN), For(WET, 90)), 90),
        (Not(Count("eye.motion", 500, ">=", 1)), 500),
        (Or((For(HOT, 250), And((HasQuality("eye.motion", "stale"), For(WET, 900))))), 250),
    ],
)
def test_a_hazard_is_told_after_exactly_what_the_rule_says(when: Expr, after_ms: int) -> None:
    notify = BoundStep(1, "notify", 30, parties=("care",))
    rule = BoundRule("rule", "rule", 1, "alarm", ("care",), when, Not(when), (notify,))
    assert told_after_ms(rule) == after_ms + 30
    begin = 10_000
    engine = Engine([rule], {}, start=0)
    for point, (before, _) in HAZARD.items():
        if point == "eye.motion":
            engine.feed(Reading(point, False, 0))
            engine.feed(Reading(point, True, begin - 1))
        else:
            engine.feed(Reading(point, before, 0))
    engine.advance(begin - 1)
    for point, (_, since) in HAZARD.items():
        engine.feed(Reading(point, since, begin))
    told = [change for change in engine.advance(begin + 5000) if change.do == "notify"]
    assert told[-1].at == begin + after_ms + 30


def test_what_must_have_been_before_does_not_delay_what_is_now() -> None:
    """Out of bed for 900 ms, in which somebody had lain for 3 s."""
    when = And((For(Not(SEEN), 900), Within(For(SEEN, 3000), 9000)))
    rule = BoundRule("rule", "rule", 1, "alarm", ("care",), when, Not(when))
    assert told_after_ms(rule) == 900
    engine = Engine([rule], {}, start=0)
    engine.feed(Reading("eye.motion", True, 0))
    engine.feed(Reading("eye.motion", False, 8000))
    assert [change.at for change in engine.advance(9000)] == [8900]


def test_what_is_told_at_once_or_only_at_the_end() -> None:
    rule = BoundRule("rule", "rule", 1, "alarm", ("care",), For(HOT, 700), Not(HOT))
    assert told_after_ms(rule) == 700
    assert told_after_ms(replace(rule, steps=(BoundStep(1, "notify", None),))) is None
    steps = (BoundStep(1, "notify", 900), BoundStep(2, "notify", 40), BoundStep(3, "say", 0))
    assert told_after_ms(replace(rule, steps=steps)) == 740


@pytest.mark.parametrize(
    ("now", "low", "high", "values"),
    [
        ("20 min", "1 min", "2 h", ["1 min", "8 min", "20 min", "30 min", "2 h"]),
        ("0 s", "0 s", "10 s", ["0 s", "1 s", "2 s", "5 s", "10 s"]),
        ("3", "1", "4", ["1", "2", "3", "4"]),
        ("50 W", "10 W", "500 W", ["10 W", "30 W", "50 W", "150 W", "500 W"]),
        ("-5.5 °C", "-20 °C", "10 °C", ["-20 °C", "-12 °C", "-5.5 °C", "2.5 °C", "10 °C"]),
        ("06:30", "05:00", "08:00", ["05:00", "06:00", "06:30", "07:00", "08:00"]),
        ("10 min", "", "", ["2 min 30 s", "8 min", "10 min", "20 min", "40 min"]),
    ],
)
def test_values_are_round_ones_within_the_range_and_the_present_one(
    now: str, low: str, high: str, values: list[str]
) -> None:
    ends = (parse_value(low) if low else None, parse_value(high) if high else None)
    assert tried(Setting("name", parse_value(now), now, *ends, low, high), now, 5) == values


def test_the_pictures_are_written_and_show_what_the_table_says(home: Path) -> None:
    from xml.etree import ElementTree

    image = pytest.importorskip("PIL.Image")
    source = write(home, *cooked((100, 30, 1000), (500, 60, 1000)))
    svg, png = home.with_name("alone.svg"), home.with_name("alone.png")
    asked(home, source, "alone", "hot", svg=svg, png=png)
    texts = [node.text for node in ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {
        "stove (alarm) in tuned",
        "alone",
        "hot",
        "now",
        "alerts a week",
        "a hazard is told after (h)",
    } <= {*texts}
    assert "2 h" in texts
    with image.open(png) as picture:
        assert picture.size[0] == 2 * 720
        assert len(picture.getcolors(1 << 20)) > 10, "not only paper"


@pytest.mark.parametrize("value", ["1 min", "20 min", "2 h"])
def test_now_stands_on_no_other_word_of_the_picture(tmp_path: Path, value: str) -> None:
    """The numbers of the axes, at 56, stand left of all values."""
    from xml.etree import ElementTree

    home = a_home(tmp_path, f"{{alone: {value}}}")
    svg = home.with_name("now.svg")
    asked(home, write(home, *cooked((100, 30, 1000))), "alone", svg=svg, given={"alone": ["1 min", "2 h"]})
    texts = list(ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text"))
    (now,) = [node for node in texts if node.text == "now"]
    others = [node for node in texts if node is not now and node.get("x") != "56.0"]
    heights = [float(node.get("y", "")) for node in others]
    assert min(abs(float(now.get("y", "")) - height) for height in heights) > 12


def test_alerts_of_some_days_are_counted_in_whole_ones(home: Path) -> None:
    from xml.etree import ElementTree

    svg = home.with_name("days.svg")
    days = [*cooked((10, 60, 1000))[:-1], at(24 * 60, end=True)]
    asked(home, write(home, *days), "alone", svg=svg)
    texts = [node.text for node in ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    above = texts[texts.index("now") + 1 : texts.index("alerts in all")]
    assert above == ["0", "1"]


def test_a_use_by_another_name_is_found_by_that(home: Path) -> None:
    assert isinstance(load_side(home).home.rules[0], RuleUse)
    assert "accepted: a rule of home.yaml: stove" in refused(home, "hob")
