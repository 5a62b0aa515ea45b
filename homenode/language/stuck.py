"""From when on a rule takes a presence that never ends for absence: a sensor that hangs (pure).

Rules say it as ``not any(eye) or … or any(eye) for 1 h``. Where a presence is itself what the rule waits for
(``bed for 45 min``), nothing is stuck.
"""

from __future__ import annotations

from homenode.kinds import kind_of
from homenode.language.bound import Compare, Expr, For, Not, Or, parts_of, points_of

PRESENCE = frozenset(("motion", "occupancy", "vibration"))


def stuck_after(expr: Expr) -> dict[str, int]:
    """Presence point to how long it may be true before it counts as absent, in ms."""
    found: dict[str, int] = {}
    for part in parts_of(expr):
        for point, limit_ms in stuck_after(part).items():
            found[point] = min(limit_ms, found.get(point, limit_ms))
    if isinstance(expr, Or):
        absent = {point for part in expr.parts if _denies(part) for point in points_of(part)}
        for part in expr.parts:
            if isinstance(part, For) and not _denies(part.part):
                for point in absent.intersection(points_of(part)):
                    kind = kind_of(point)
                    if kind is not None and kind.name in PRESENCE:
                        found[point] = min(part.window_ms, found.get(point, part.window_ms))
    return found


def _denies(expr: Expr) -> bool:
    """``not any(eye)``, ``eye == false``."""
    return isinstance(expr, Not) or (isinstance(expr, Compare) and expr.value is False)
