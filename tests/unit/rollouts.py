"""Homes that get an update ring by ring, the tool that orders it, and the time between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homenode.fleet.board import Board
from homenode.fleet.plan import At, Plan, Ring, Step
from homenode.fleet.rings import UNWATCHED_MS, Rollout
from tests.unit.fleets import NOW, UTC, link, status

MIN = 60_000
HOUR = 60 * MIN
LOOK_MS = UNWATCHED_MS - MIN
"""Between two looks that are remembered to the minute."""
PLAN = Plan(
    (Ring("pilot", ("p-*",)), Ring("rest", ("*",))), soak_ms=HOUR, settle_ms=5 * MIN, patience_ms=24 * HOUR
)
WELL = {"radios": {"zigbee": True}, "silent": 0, "blind": 0}


class World:
    """As the tool sees it."""

    def __init__(self, *names: str, plan: Plan = PLAN) -> None:
        self.board, self.now = Board(), NOW
        self.rollout = Rollout(plan, "2.0", "key")
        self.version: dict[str, str] = {}
        self.figures: dict[str, Mapping[str, Any]] = {}
        self.update: dict[str, Mapping[str, Any]] = {}
        self.away: set[str] = set()
        self.mute: set[str] = set()
        self.news: list[str] = []
        self.ordered: list[str] = []
        self.cancelled: list[str] = []
        for name in names:
            self.home(name)

    def home(self, name: str, version: str = "1.0", **figures: Any) -> None:
        self.version[name] = version
        self.figures[name] = {**WELL, **figures}

    def step(self, later: int = 0, *, watched: bool = True) -> Step:
        """So many ms later: every home that is there beats, and the tool looks.

        Args:
            watched: Until then it looks now and then, and finds all as it was; else it is stopped.
        """
        then = self.now + later
        steps = []
        while watched and self.now + LOOK_MS < then:
            self.now += LOOK_MS
            for home in self.board.homes.values():
                if home.online:
                    home.beat_ms = home.heard_ms = self.now
            steps.append(self.rollout.step(self.board.homes, self.now))
        self.now = then
        for name, version in self.version.items():
            is_away = name in self.away
            link(self.board, name, online=not is_away, at=self.now, retained=False)
            if not is_away and name not in self.mute:
                more = {"update": self.update[name]} if name in self.update else {}
                status(self.board, name, at=self.now, version=version, **self.figures[name], **more)
        step = Step()
        for one in (*steps, self.rollout.step(self.board.homes, self.now)):
            step.order += one.order
            step.cancel += one.cancel
            step.news += one.news
        self.news += step.news
        self.ordered += step.order
        self.cancelled += step.cancel
        return step

    def takes(self, *names: str) -> None:
        """They take the order."""
        for name in names:
            body = {"id": self.rollout.id_of(name), "ok": True, "result": {"state": "ordered"}}
            self.news += self.rollout.replied(name, body, self.now)

    def says(self, name: str, state: str, **why: str) -> None:
        """Its updater has a word."""
        self.update[name] = {"version": "2.0", "state": state, "at": UTC.text(self.now), "why": why}
        if state == "good":
            self.version[name] = "2.0"

    def become_good(self, *names: str) -> None:
        self.takes(*names)
        for name in names:
            self.says(name, "good")

    def at(self, name: str) -> At:
        return self.rollout.courses[name].at
