"""A home, its rules and an installation in it, without a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homenode.config.check import CheckReport, check_home
from homenode.config.rule_files import find_rule
from homenode.install.steps import Ask, Installation, Note, Order, Report, Write
from homenode.install.wishes import orders
from homenode.language.reader import read_rule

AT = "2026-11-27T10:00:00.000+01:00"
HOME = """\
home: flat-1203
timezone: Europe/Stockholm
devices:
  door:  {driver: gpio, pin: 17, kind: contact, room: hall}
  sink:  {driver: gpio, pin: 27, kind: water, room: kitchen}
  lamp:  {driver: gpio, pin: 22, kind: light, room: hall}
  help:  {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: bedroom}
radios:
  zigbee: {driver: zigbee, port: /dev/null, adapter: ezsp}
rules:
  - {use: water_leak, bind: {water: [sink.water], lamp: lamp.light}}
  - {use: help_button, bind: {button: [help.button]}}
  - {use: door_left_open, bind: {door: door.contact}}
share: {}
"""
NEW = "00:15:8d:00:02:aa:bb:09"


def checked(folder: Path, text: str = HOME) -> CheckReport:
    file = folder / "home.yaml"
    file.write_text(text)
    report = check_home(file, files=False)
    assert not report.mistakes, report.mistakes
    return report


def installation(folder: Path, text: str = HOME) -> Installation:
    """With what the node of the home answers."""
    report = checked(folder, text)
    assert report.home is not None
    found = Installation(report.home, report.rules)
    for name in ("water_leak", "help_button", "smoke_alarm", "door_left_open", "stove_left_on", "tamper"):
        file = find_rule(name, folder)
        assert file is not None
        found.rule_files = {**found.rule_files, name: read_rule(file.read_text(), str(file))}
    found.saw(status(), devices())
    return found


def status(**more: Any) -> dict[str, Any]:
    known = {"home": "flat-1203", "mode": "home", "at": AT, "points": [], "alerts": [], "faults": []}
    return {**known, "clock": "trusted", "drivers": {"zigbee": "running"}, "link": {"state": "up"}, **more}


def joined(address: str, name: str = "", *kinds: str, model: str = "PARASOLL", **more: Any) -> dict[str, Any]:
    about = {"address": address, "name": name, "kinds": list(kinds), "manufacturer": "IKEA", "model": model}
    return {**about, "note": "", "radio": "zigbee", **more}


def devices(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [joined("00:15:8d:00:02:aa:bb:01", "help", "button", "battery", "link_quality"), *more]


def do(steps: Installation, what: str, **fields: Any) -> list[Order]:
    """A wish, its notes taken; the other orders are for the node and the disk."""
    found = orders(steps, {"do": what, **fields}, 0, AT)
    for order in found:
        if isinstance(order, Note):
            order.change()
    return [order for order in found if not isinstance(order, Note)]


__all__ = ["AT", "HOME", "NEW", "Ask", "Report", "Write", "devices", "do", "installation", "joined", "status"]
