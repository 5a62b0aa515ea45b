"""Home Assistant core in a process and an environment of its own, driven in its own event loop.

``python -m tests.benchmarks.rules_homeassistant WAY RULES EVENTS`` prints JSON. A stove-like rule is an
automation: the power above a limit for so long, or no motion for so long, triggers; both together are the
condition. Readings come as fast as it takes them, so that no deadline of it comes meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import json
import sys
import tempfile
import time
import tracemalloc
from typing import Any

from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.setup import async_setup_component

from tests.benchmarks.rules_kitchens import Event, StoveRule, prepared, resident_mb

PROBE = StoveRule("probe", -1, alone_s=0.2)


def _sensor(point: str) -> str:
    device, kind = point.split(".")
    return ("sensor." if kind == "power" else "binary_sensor.") + device.replace("-", "_")


def _automation(rule: StoveRule) -> dict[str, Any]:
    power, motion = _sensor(rule.power), _sensor(rule.motion)
    alone = {"for": {"seconds": rule.alone_s}}
    hot = {"entity_id": power, "above": rule.hot_w}
    still = {"entity_id": motion, **alone}
    return {
        "id": rule.name,
        "alias": rule.name,
        "max_exceeded": "silent",
        "trigger": [
            {"platform": "numeric_state", **hot, **alone},
            {"platform": "state", **still, "to": "off"},
        ],
        "condition": [
            {"condition": "numeric_state", **hot},
            {"condition": "state", **still, "state": "off"},
        ],
        "action": [{"event": "alert", "event_data": {"rule": rule.name}}],
    }


def _state(value: float | bool) -> str:
    return str(value) if isinstance(value, float) else "on" if value else "off"


async def _started(rules: list[StoveRule]) -> core.HomeAssistant:
    folder = tempfile.mkdtemp()
    hass = core.HomeAssistant(folder)
    hass.config.config_dir = folder
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    for rule in rules:
        hass.states.async_set(_sensor(rule.power), "0.0")
        hass.states.async_set(_sensor(rule.motion), "on")
    automations = {"automation": [_automation(rule) for rule in rules]}
    if not await async_setup_component(hass, "automation", automations):
        sys.exit("Home Assistant did not take the automations")
    await hass.async_start()
    await hass.async_block_till_done()
    return hass


async def _works(hass: core.HomeAssistant) -> None:
    """An automation that never fires would look fast."""
    fired = asyncio.Event()
    hass.bus.async_listen("alert", core.callback(lambda event: fired.set()))
    hass.states.async_set(_sensor(PROBE.motion), "off")
    hass.states.async_set(_sensor(PROBE.power), "1400.0")
    await asyncio.wait_for(fired.wait(), 10)
    hass.states.async_set(_sensor(PROBE.power), "0.0")


async def _feed(hass: core.HomeAssistant, events: list[Event]) -> None:
    fed = [(_sensor(point), _state(value)) for _, point, value in events]
    before = time.process_time()
    for entity, state in fed:
        hass.states.async_set(entity, state)
        await asyncio.sleep(0)  # each comes in a turn of the loop of its own, as from an integration
    await hass.async_block_till_done()
    us = (time.process_time() - before) / len(fed) * 1e6
    print(json.dumps({"us": us}))


async def _main() -> None:
    rules, warm, events = prepared(sys.argv)
    hass = await _started([*rules, PROBE])
    await _works(hass)
    gc.collect()
    if not events:
        traced_mb = tracemalloc.get_traced_memory()[0] / 1e6
        print(json.dumps({"resident_mb": resident_mb(), "traced_mb": traced_mb}))
        return
    for _, point, value in warm:
        hass.states.async_set(_sensor(point), _state(value))
    await hass.async_block_till_done()
    gc.freeze()
    await _feed(hass, events)
    await hass.async_stop(force=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["version"]:
        print(importlib.metadata.version("homeassistant"))
    else:
        asyncio.run(_main())
