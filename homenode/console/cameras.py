"""What may be looked at in a home, as the home itself says it in its status (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from homenode.config.model import VIEWS, Decision
from homenode.console.board import Board
from homenode.session.decision import Moment, holds, of_terms, when

CARE = "care"


@dataclass(frozen=True, slots=True)
class Camera:
    """One through which some decision lets care look.

    Attributes:
        views: That may be asked for now, the least first; none: not now.
        asks: The resident is asked each time.
        when: When each of its decisions holds.
    """

    home: str
    camera: str
    room: str
    views: tuple[str, ...]
    asks: bool
    when: tuple[str, ...]


def of_home(board: Board, home: str, timezone: str, now: int) -> dict[str, Camera]:
    """By name. Only the home's own word counts in the end, and it alone has its clock.

    Args:
        timezone: Where the homes are.
    """
    known = board.homes.get((CARE, home))
    status = known.status if known is not None else None
    if status is None:
        return {}
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(timezone))
    moment = Moment(local.date(), local.hour * 60 + local.minute, str(status.get("mode", "")))
    rooms: dict[str, str] = {}
    decisions: dict[str, list[Decision]] = {}
    for told, decision in _decisions(status):
        for one in told["cameras"]:
            rooms[str(one["camera"])] = str(one.get("room", ""))
        for name in decision.cameras:
            decisions.setdefault(name, []).append(decision)
    return {name: _camera(home, name, rooms[name], of, moment) for name, of in decisions.items()}


def offered(cameras: Mapping[str, Camera], offers: object) -> list[Camera]:
    """Those that an alert offers, of what the home knows."""
    names = [name for name in offers if isinstance(name, str)] if isinstance(offers, list) else []
    return [cameras[name] for name in dict.fromkeys(names) if name in cameras]


def _decisions(status: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Decision]]:
    """Those of care that can be read: a home may be newer than we are."""
    told = status.get("looks")
    for one in told if isinstance(told, list) else ():
        with suppress(ValueError):
            decision = of_terms(one)
            if decision.party == CARE:
                yield one, decision


def _camera(home: str, name: str, room: str, decisions: list[Decision], moment: Moment) -> Camera:
    now = [one for one in decisions if holds(one, moment)]
    views = tuple(view for view in VIEWS if any(view in one.views for one in now))
    return Camera(home, name, room, views, any(one.ask for one in now), tuple(map(when, decisions)))
