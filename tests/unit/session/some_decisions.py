"""A decision, a wish by it, and when: each with some of it otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from homenode.config.model import Camera, Decision
from homenode.session.decision import Moment, Wish

CAMERAS = {name: Camera(name, "bedroom", "scene", indicator="sign.light") for name in ("bed", "hall")}
NIGHTS = Decision(
    "nights",
    ("bed",),
    date(2026, 1, 1),
    date(2026, 6, 30),
    ("silhouette", "blurred"),
    False,
    hours=(22 * 60, 6 * 60),
    longest_ms=120_000,
)
WISH = Wish("care", "Eva", "round", "bed", "silhouette")
NIGHT = Moment(date(2026, 3, 1), 23 * 60, "night")


def decision(**otherwise: Any) -> Decision:
    return replace(NIGHTS, **otherwise)


def wish(**otherwise: Any) -> Wish:
    return replace(WISH, **otherwise)


def moment(**otherwise: Any) -> Moment:
    return replace(NIGHT, **otherwise)
