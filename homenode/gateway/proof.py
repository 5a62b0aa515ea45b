"""What the updater asks (``{"do": "proof"}``): does this version do its work, what would a restart cut?

Names and states only: no reading leaves the gateway by this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homenode.config.model import NEVER
from homenode.gateway.outcomes import CONFIGURATION, JOURNAL, STORAGE
from homenode.link.address import address

if TYPE_CHECKING:
    from homenode.gateway.node import Node

_MIGRATION = (f"{JOURNAL} aside", f"{JOURNAL} state", f"{JOURNAL} record")
"""Faults of what this version could not read of the one before."""


def proof(node: Node) -> dict[str, Any]:
    """As JSON types; durations in ms."""
    judge, broker = node.judge, node.home.broker
    trouble = [str(node.journal.trouble)] if node.journal.trouble else []
    trouble += [source for source in (*_MIGRATION, STORAGE) if source in judge.troubled]
    data = {"journal": node.journal.schema, "trouble": "; ".join(trouble)}
    return {
        "start": str(node.time.up),
        "up_ms": node.clock.now() - node.time.up,
        "files": node.files,
        "configuration": CONFIGURATION not in judge.troubled,
        "rules": list(judge.rules),
        "radios": {name: _up(node, name) for name in node.home.radios},
        "broker": None if broker is None else node.uplink.acknowledged,
        "link": _link(node),
        "brokers": [] if broker is None else [list(address(url)[1:3]) for url in broker.urls],
        "devices": {name: _device(node, name) for name in node.home.devices},
        "open_alerts": sum(not alert.fault for alert in judge.engine.open_alerts()),
        "sessions": len(node.looks.shown()["sessions"]),
        "walk": judge.engine.mode == "service" or _pairs(node),
        "data": data,
    }


def _up(node: Node, radio: str) -> bool:
    driver = node.crew.drivers.get(radio)
    return driver is not None and driver.shown == "running"


def _link(node: Node) -> str:
    """``up``, ``away`` if nobody answers where the broker should be, else ``down``."""
    link = node.uplink.link
    if link is None:
        return "down"
    return "up" if link.state.online else "away" if link.state.away else "down"


def _pairs(node: Node) -> bool:
    """Somebody lets new devices join."""
    now = node.clock.now()
    return any(driver.open_until > now for driver in node.crew.drivers.values())


def _device(node: Node, name: str) -> dict[str, Any]:
    home, now = node.judge.engine.home, node.clock.now()
    state = home.devices.get(name)
    heard = state.heard if state is not None else None
    limit_ms = state.stale_after_ms if state is not None else NEVER
    wired = node.crew.is_wired(node.home.devices[name].driver)
    sleeps = not wired and (state is None or state.sleeps or f"{name}.battery" in home.points)
    return {
        "power": "battery" if sleeps else "mains",
        "wired": wired,
        "heard_ms_ago": None if heard is None else now - heard,
        "since_start": heard is not None and heard >= node.time.up,
        "stale_after_ms": None if limit_ms == NEVER else limit_ms,
    }
