"""Zigbee sensors and outputs, through a coordinator stick (zigpy with bellows).

How a frame becomes a reading: `short_path` (frames of known devices, at once) or zigpy's general path
(interviews, everything unusual) → `zcl` (bytes to attributes and commands) → `plan` (what of it is a point,
from the tables in `standard` and `rows.yaml`) → `Host.heard`.

Nothing heavy is imported before a radio is run: zigpy and bellows cost half a second and 40 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from homenode.config.fields import Field
from homenode.config.model import Device
from homenode.driver import Driver, DriverType, Host, RadioWork
from homenode.errors import Mistake

_IEEE = r"(?i)[0-9a-f]{2}(:[0-9a-f]{2}){7}"


def _open(name: str, options: Mapping[str, Any], devices: Sequence[Device], host: Host) -> Driver:
    from drivers.zigbee.adapter import adapter_of, prepare

    prepare(adapter_of(options))
    from drivers.zigbee.radio import ZigbeeRadio  # imports zigpy, so not before prepare()

    return ZigbeeRadio(name, options, devices, host)


def _stale_after_ms(model: str) -> int | None:
    from drivers.zigbee.rows import row_for

    manufacturer, _, name = model.partition("/")
    return row_for(manufacturer, name).stale_after_ms


def _own_files() -> Mapping[Path, Sequence[Mistake]]:
    from drivers.zigbee.own_rows import read_own

    return read_own()


def _command(word: str) -> Callable[[RadioWork], Sequence[str]]:
    def work(work: RadioWork) -> Sequence[str]:
        from drivers.zigbee import commands

        does = {"show": commands.show, "backup": commands.keep_copy, "restore": commands.restore}
        return does[word](work)

    return work


def _forget(folder: Path) -> int:
    from drivers.zigbee.forget import forget

    return forget(folder)


DRIVER = DriverType(
    name="zigbee",
    blind_to="A battery sensor that has left the network: noticed only by its silence (stale_after).",
    radio_fields=(
        Field(
            "port",
            "text",
            "Serial port of the stick (best its /dev/serial/by-id/ name) or socket://HOST:PORT.",
            required=True,
            shown="/dev/serial/by-id/usb-... or socket://192.168.1.5:6638",
        ),
        Field(
            "adapter",
            "word",
            "Family of the stick, by the name of its protocol.",
            default="ezsp",
            choices=("ezsp", "znp", "deconz"),
            shown="ezsp (Silicon Labs), znp (Texas Instruments CC2652 …) or deconz (ConBee, RaspBee)",
        ),
        Field(
            "baud", "whole", "Speed of the serial line; 115200, for deconz 38400.", low=9600, high=3_000_000
        ),
        Field(
            "flow_control",
            "word",
            "Flow control of the serial line, as the stick's firmware was built (software: ezsp only).",
            default="software",
            choices=("software", "hardware"),
        ),
        Field(
            "channel",
            "whole",
            "Radio channel of a network that is formed anew; without it the quietest is chosen.",
            low=11,
            high=26,
        ),
    ),
    device_fields=(
        Field(
            "ieee",
            "text",
            "Address printed on the device or shown by homenode devices.",
            required=True,
            pattern=_IEEE,
            shown="eight pairs of 0-9 and a-f, such as 00:15:8d:00:02:aa:bb:01",
        ),
        Field(
            "unsupervised",
            "word",
            "Of what guards somebody and can't be heard each 4 h: used all the same.",
            choices=("accepted",),
        ),
    ),
    kinds=lambda options: None,
    open=_open,
    extra="zigbee",
    stale_after_ms=_stale_after_ms,
    own_files=_own_files,
    forget=_forget,
    work={word: _command(word) for word in ("show", "backup", "restore")},
)
