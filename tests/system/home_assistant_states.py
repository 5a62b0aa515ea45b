"""A Home Assistant core whose only integration is MQTT; prints each state as a line of JSON.

Run by the Python of its own environment: ``python home_assistant_states.py FOLDER PORT PREFIX``.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any

from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.const import EVENT_STATE_CHANGED, __version__
from homeassistant.helpers import device_registry
from homeassistant.setup import async_setup_component


def tell(**what: Any) -> None:
    print(json.dumps(what, default=str), flush=True)


def shown(hass: core.HomeAssistant, event: core.Event[Any]) -> None:
    state = event.data["new_state"]
    if state is not None:
        tell(entity=state.entity_id, state=state.state, attributes=dict(state.attributes))
    else:
        tell(entity=event.data["entity_id"], state="removed", attributes={})


def configured(folder: Path, port: int, prefix: str) -> None:
    """As its dialogue writes it, in the oldest form, which all versions bring up to their own."""
    entry = {
        "entry_id": "1", "version": 1, "domain": "mqtt", "title": "mqtt", "source": "user", "unique_id": None,
        "options": {}, "data": {"broker": "127.0.0.1", "port": port, "discovery_prefix": prefix},
        "disabled_by": None, "pref_disable_new_entities": False, "pref_disable_polling": False,
    }  # fmt: skip
    stored = {"version": 1, "key": "core.config_entries", "data": {"entries": [entry]}}
    (folder / ".storage").mkdir(exist_ok=True)
    (folder / ".storage/core.config_entries").write_text(json.dumps(stored))
    (folder / "configuration.yaml").write_text("")


async def main(folder: str, port: str, prefix: str) -> None:
    hass = core.HomeAssistant(folder)
    hass.config.config_dir, hass.config.skip_pip = folder, True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    configured(Path(folder), int(port), prefix)
    await hass.config_entries.async_initialize()
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth_manager_from_config(hass, [{"type": "homeassistant"}], [])
    hass.bus.async_listen(EVENT_STATE_CHANGED, core.callback(lambda event: shown(hass, event)))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        web = {"server_host": ["127.0.0.1"], "server_port": sock.getsockname()[1]}
    ready = await async_setup_component(hass, "http", {"http": web})
    ready = ready and await async_setup_component(hass, "mqtt", {})
    await hass.async_start()
    await hass.async_block_till_done()
    tell(ready=ready, version=__version__)
    while await asyncio.to_thread(sys.stdin.readline):
        devices = device_registry.async_get(hass).devices.values()
        tell(
            devices=[
                {"name": one.name, "area": one.suggested_area, "ids": sorted(map(list, one.identifiers))}
                for one in devices
            ]
        )
    await hass.async_stop(force=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
