"""Figures as Prometheus reads them, in its text format 0.0.4 (pure).

A figure that is not known has no sample: an alert on it is Prometheus' absent(), and no number lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from homenode.contract import shapes
from homenode.contract.figures import FIGURES, Figure
from homenode.contract.status import UPDATE_STATES
from homenode.contract.times import wall_ms


@dataclass(frozen=True, slots=True)
class Sampled:
    """One home.

    Attributes:
        online: None if that is not known, or for the node itself.
        figures: As `homenode.contract.figures` lists them.
        update: State of its last update.
        faults: Open ones; None if not known.
    """

    home: str
    version: str = ""
    online: bool | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    update: str = ""
    faults: int | None = None


def text(homes: Iterable[Sampled], connected: bool | None = None) -> str:
    """All samples, each name once with its HELP and TYPE; ends with a line feed, as the format asks.

    Args:
        connected: Whether who asks the homes is at the broker; None for a node.
    """
    homes = list(homes)
    lines: list[str] = []
    if connected is not None:
        lines += _metric("fleet_connected", "1 while homenode fleet is at the broker.", [("", connected)])
    own: list[tuple[str, str, list[tuple[str, float]]]] = [
        ("up", "1 while the node is at the broker.", [
            (_labels(home=one.home), one.online) for one in homes if one.online is not None
        ]),
        ("info", "Its version, slot, board and kernel.", [
            (_labels(home=one.home, version=one.version, **_words(one.figures)), 1)
            for one in homes if one.version
        ]),
        ("faults", "Open faults.", [
            (_labels(home=one.home), one.faults) for one in homes if one.faults is not None
        ]),
        ("update_state", "1 for the state of the last update.", [
            (_labels(home=one.home, state=state), one.update == state)
            for one in homes if one.update in UPDATE_STATES for state in UPDATE_STATES
        ]),
    ]  # fmt: skip
    for name, about, samples in own:
        lines += _metric(name, about, samples)
    for figure in FIGURES:
        if figure.metric:
            samples = [sample for one in homes for sample in _samples(one, figure)]
            lines += _metric(figure.metric, f"{figure.about}{_meaning(figure)}", samples)
    return "".join(f"{line}\n" for line in lines)


def _metric(name: str, about: str, samples: Iterable[tuple[str, float]]) -> list[str]:
    found = [f"homenode_{name}{labels} {_number(value)}" for labels, value in samples]
    escaped = about.replace("\\", "\\\\").replace("\n", "\\n")
    return [f"# HELP homenode_{name} {escaped}", f"# TYPE homenode_{name} gauge", *found] if found else []


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _words(figures: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(figures[name]) for name in ("slot", "model", "kernel") if figures.get(name) is not None}


def _meaning(figure: Figure) -> str:
    return f" {', '.join(f'{n} {word}' for word, n in figure.words.items())}." if figure.words else ""


def _samples(one: Sampled, figure: Figure) -> list[tuple[str, float]]:
    value = one.figures.get(figure.name)
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(_labels(home=one.home, name=name), works) for name, works in value.items()]
    if figure.words is not None:
        value = figure.words[value]
    elif figure.form is shapes.TIME:
        value = wall_ms(value) / 1000
    return [(_labels(home=one.home), value)]


def _labels(**labels: str) -> str:
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for name, value in labels.items()
    )
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped) + "}"
