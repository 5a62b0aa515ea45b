"""Orders and courses of updates that tests begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homenode.update.course import Course, Stage
from homenode.update.machine import Known, step
from homenode.update.order import Order
from homenode.update.proof import Verdict
from homenode.update.words import why

ORDER = Order("1", "home-1", 5, version="0.2.0", url="https://office/b.raucb", sha256="0" * 64)
NOON = 12 * 60
GOOD, BAD = Verdict(True, True, False, {}), Verdict(False, False, True, why("no_answer"))
FAST, NOT_YET = Verdict(True, False, False, why("young")), Verdict(False, False, False, why("broker"))


def known(**other: Any) -> Known:
    fields: dict[str, Any] = {"now_ms": 1000, "minute": NOON, "order": ORDER, "running": "0.1.0", "slot": "A"}
    return Known(**{**fields, **other})


def taken(**order: Any) -> Course:
    """An order that was just looked at."""
    return step(Course(highest="0.1.0"), known(order=replace(ORDER, **order))).course


def trying(**other: Any) -> Course:
    fields: dict[str, Any] = {"order": ORDER, "stage": Stage.TRYING, "slot": "B", "source_slot": "A"}
    return Course(**{**fields, "boot": "boot-1", "boots": 1, "highest": "0.1.0", **other})
