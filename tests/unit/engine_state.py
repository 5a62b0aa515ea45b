"""Rules and readings of `engine_state_1.json`, the memory of an engine as homenode 0.1.0 wrote it."""

from __future__ import annotations

from homenode.engine.events import Acknowledge, Event, ModeSet, Reading
from homenode.language.bound import (
    And,
    Between,
    BoundRule,
    BoundStep,
    Changes,
    Compare,
    Count,
    Expr,
    For,
    HasQuality,
    ModeIs,
    Not,
    Since,
    Within,
)

SEC, MIN = 1000, 60_000
STOVE, EYE = Compare("stove.power", ">", 50), Compare("eye.motion", "==", True)
DOOR, HELP = Compare("door.contact", "==", True), Compare("help.button", "==", True)


def rules() -> list[BoundRule]:
    """One of each kind of condition and step."""
    return [
        _rule(
            "stove",
            And((For(Within(STOVE, 8 * MIN), 20 * MIN), Not(Within(EYE, 20 * MIN)))),
            again_ms=5 * MIN,
        ),
        _rule("door", For(DOOR, 5 * MIN), clear=For(Not(DOOR), MIN), bridge_ms=MIN, again_ms=4 * MIN),
        _rule("help", HELP, hold=True, again_ms=2 * MIN),
        _rule("used", Not(Since(Not(EYE), Changes("door.contact")))),
        _rule("often", And((Count("door.contact", 30 * MIN, ">=", 2), Not(ModeIs("away"))))),
        _rule("night", And((Between(120, 180), HasQuality("eye.motion", "stale")))),
    ]


def first() -> list[Event]:
    """What the engine that wrote the file was told."""
    return [
        Reading("stove.power", 0, 0),
        Reading("eye.motion", True, 0),
        Reading("door.contact", False, 0),
        Reading("help.button", False, 0),
        Reading("eye.motion", False, MIN),
        Reading("stove.power", 900, 2 * MIN),
        Reading("door.contact", True, 3 * MIN),
        Reading("help.button", True, 4 * MIN),
        Acknowledge("help", 5 * MIN, ("care",)),
        Acknowledge("door", 9 * MIN, ("care",)),
        Reading("stove.power", 20, 9 * MIN),
        ModeSet("away", 10 * MIN, 20 * MIN),
        Reading("door.contact", False, 10 * MIN),
    ]


def rest() -> list[Event]:
    """What comes after it."""
    return [
        Reading("door.contact", True, 12 * MIN),
        Reading("stove.power", 900, 14 * MIN),
        Acknowledge("stove", 24 * MIN),
        Reading("help.button", True, 26 * MIN),
        Reading("stove.power", 0, 40 * MIN),
        Reading("door.contact", False, 41 * MIN),
        Reading("eye.motion", True, 50 * MIN),
    ]


def _rule(name: str, when: Expr, *, clear: Expr | None = None, **more: object) -> BoundRule:
    steps = (
        BoundStep(1, "say", 0, text={"sv": "Hej", "en": "Hello"}),
        BoundStep(2, "notify", 2 * MIN, 3 * MIN, 4, parties=("care",)),
        BoundStep(3, "light", None, point="lamp.light"),
    )
    return BoundRule(name, name, 1, "alarm", ("care",), when, clear or Not(when), steps, **more)  # type: ignore[arg-type]  # fields by name
