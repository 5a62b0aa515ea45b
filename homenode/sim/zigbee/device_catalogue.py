"""The models of the simulated apartment, read from ``catalogue/*.yaml``: one file each, data only."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from homenode.config.notes import nearest
from homenode.errors import SetupError
from homenode.kinds import KINDS, kind_of
from homenode.sim.zigbee.air import Role
from homenode.sim.zigbee.device_attributes import attribute, client_cluster, server_cluster
from homenode.sim.zigbee.device_spec import AttributeSpec, DeviceSpec, EndpointSpec, Press
from homenode.sim.zigbee.zcl import Data

FOLDER = Path(__file__).parent / "catalogue"

_POWERS: dict[str, tuple[Role, int]] = {
    "battery": (Role.END_DEVICE, 0x80),
    "mains": (Role.ROUTER, 0x8E),
    "mains end device": (Role.END_DEVICE, 0x8C),
}
"""Word for ``power:`` to role and MAC capability flags (R22, table 2-32)."""
_HOME_AUTOMATION, _GREEN_POWER, _GREEN_POWER_ENDPOINT = 0x0104, 0xA1E0, 242
_PLAIN = (
    "enrolment",
    "zone_bit",
    "test_bits",
    "check_in_s",
    "check_in",
    "long_poll_s",
    "reports_unbound",
    "never_clears",
    "clears_s",
    "buffer_size",
    "server_mask",
)
"""Keys of a row that are fields of `DeviceSpec` as they are."""


_MANDATORY = ("is", "manufacturer", "model", "code", "power", "endpoints", "source")
_ENDPOINTS = "such as {1: {type: 0x0402, in: [0, 1, 3, 0x0500], out: [0x19]}}"


@functools.cache
def models() -> Mapping[str, DeviceSpec]:
    """All models of the catalogue by name (the file's). Raises SetupError for a row that can't be read."""
    return {path.stem: read_model(path) for path in sorted(FOLDER.glob("*.yaml"))}


def model(name: str) -> DeviceSpec:
    """The model of a name. Raises SetupError with the names there are."""
    found = models().get(name)
    if found is None:
        raise SetupError(f"no virtual device is called {name!r}", do=f"one of {', '.join(models())}")
    return found


def read_model(path: Path) -> DeviceSpec:
    """The model of a catalogue file, ours or one's own. Raises SetupError."""
    import yaml  # here: building devices from dumps needs no YAML

    do = "compare it with homenode/sim/zigbee/catalogue"
    try:
        row = yaml.safe_load(path.read_text(encoding="utf-8"))
        for found, accepted in _wrong(row):
            raise SetupError(f"found {found}", where=str(path), do=f"accepted: {accepted}")
        return _spec(path.stem, row)
    except OSError as error:
        raise SetupError(f"can't be read: {error.strerror}", where=str(path)) from error
    except yaml.YAMLError as error:
        raise SetupError(f"is no YAML: {' '.join(str(error).split())}", where=str(path), do=do) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SetupError(f"is no device: {error}", where=str(path), do=do) from error


def _wrong(row: Any) -> Iterator[tuple[str, str]]:
    """What is found and what is accepted, for each mistake."""
    if not isinstance(row, Mapping):
        yield "no keys", ", ".join(_MANDATORY)
        return
    known = (*_MANDATORY, *_PLAIN, "values", "presses")
    for key in row:
        if key not in known:
            near = nearest(str(key), known)
            yield f"the unknown key {key}", near or ", ".join(known)
    for key in _MANDATORY:
        if not row.get(key):
            yield f"no {key}", f"{key}: what homenode/sim/zigbee/README.md says of it"
    if kind_of(str(row["is"])) is None:
        yield f"is: {row['is']}", f"a kind of point, such as {nearest(str(row['is']), KINDS) or 'contact'}"
    if row["power"] not in _POWERS:
        yield f"power: {row['power']}", ", ".join(_POWERS)
    if not isinstance(row["code"], int):
        yield f"code: {row['code']}", "a number such as 0x1037"
    if not isinstance(row["endpoints"], Mapping):
        yield "endpoints: that are none", _ENDPOINTS
        return
    for number, one in row["endpoints"].items():
        for key in one.keys() - {"type", "in", "out", "profile"}:
            yield f"endpoints: the unknown key {key}", _ENDPOINTS
        numbers = [number, one.get("type"), *one.get("in", ()), *one.get("out", ())]
        for wrong in (it for it in numbers if not isinstance(it, int)):
            yield f"endpoints: {wrong}, which is no number", _ENDPOINTS


def _spec(name: str, row: Mapping[str, Any]) -> DeviceSpec:
    role, capability = _POWERS[row["power"]]
    values = _values(row.get("values", {}))
    battery = row["power"] == "battery"
    endpoints = tuple(
        _endpoint(number, one, values, row["manufacturer"], row["model"], battery)
        for number, one in row["endpoints"].items()
    )
    return DeviceSpec(
        name=name,
        manufacturer=row["manufacturer"],
        model=row["model"],
        code=row["code"],
        role=role,
        capability=capability,
        endpoints=endpoints,
        thing=row["is"],
        presses={way: tuple(map(_press, sent)) for way, sent in row.get("presses", {}).items()},
        source=row["source"],
        **{key: row[key] for key in _PLAIN if key in row},
    )


def _values(rows: Mapping[str, Data]) -> dict[tuple[int, int], dict[int, AttributeSpec]]:
    """``ENDPOINT/CLUSTER/ATTRIBUTE: value``, typed by the ZCL; ``@CODE`` behind: the manufacturer's own."""
    found: dict[tuple[int, int], dict[int, AttributeSpec]] = {}
    for place, value in rows.items():
        standard, _, code = place.partition("@")
        endpoint, cluster, id_ = (int(part, 0) for part in standard.split("/"))
        row = attribute(cluster, id_, value, manufacturer=int(code, 0) if code else 0)
        found.setdefault((endpoint, cluster), {})[id_] = row
    return found


def _endpoint(
    number: int,
    row: Mapping[str, Any],
    values: Mapping[tuple[int, int], dict[int, AttributeSpec]],
    manufacturer: str,
    model: str,
    battery: bool,
) -> EndpointSpec:
    profile = _GREEN_POWER if number == _GREEN_POWER_ENDPOINT else _HOME_AUTOMATION
    return EndpointSpec(
        number,
        row.get("profile", profile),
        row["type"],
        tuple(
            server_cluster(
                id_, values.get((number, id_), {}), manufacturer=manufacturer, model=model, battery=battery
            )
            for id_ in row.get("in", ())
        ),
        tuple(client_cluster(id_, values.get((number, id_), {})) for id_ in row.get("out", ())),
    )


def _press(row: Mapping[str, Any]) -> Press:
    return Press(
        endpoint=row.get("endpoint", 1),
        cluster=row["cluster"],
        command=row.get("command", 0),
        payload=bytes.fromhex(str(row.get("payload", ""))),
        attribute=row.get("attribute"),
        value=row.get("value", 0),
        manufacturer=row.get("manufacturer", 0),
    )
