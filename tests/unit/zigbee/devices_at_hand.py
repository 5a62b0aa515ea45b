"""Signatures and facts for tests: written by hand, or read from dumps of real devices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drivers.zigbee.plan import Endpoint, Facts, Plan, Signature, make_plan
from drivers.zigbee.rows import NO_ROW, Place, Row, row_for
from drivers.zigbee.standard import ATTRIBUTES, FACTS, PROFILES
from homenode.sim.zigbee.device_dump import spec_from_dump
from homenode.sim.zigbee.device_spec import DeviceSpec

DUMPS = Path(__file__).parents[4] / "shared/data/zigbee-devices"


def index() -> list[dict[str, Any]]:
    """What each dump is, by its index; the test is skipped where the recordings are not at hand."""
    file = DUMPS / "index.json"
    if not file.exists():
        pytest.skip("the dumps of real devices are not beside the repository")
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return entries


def spec_of(file: Path) -> DeviceSpec:
    """The device of a dump."""
    return spec_from_dump(json.loads(file.read_text(encoding="utf-8")))


def dumped(file: str) -> tuple[Signature, Facts]:
    """A device as its dump has it: what it answered is a fact."""
    return _found_out(spec_of(DUMPS / file))


def _found_out(spec: DeviceSpec) -> tuple[Signature, Facts]:
    facts = Facts(constant=True, complete=True)
    endpoints = {}
    for endpoint in spec.endpoints:
        if endpoint.profile not in PROFILES:
            continue
        endpoints[endpoint.number] = Endpoint(
            endpoint.profile,
            endpoint.device_type,
            frozenset(cluster.id for cluster in endpoint.servers),
            frozenset(cluster.id for cluster in endpoint.clients),
        )
        for cluster in endpoint.servers:
            for attribute in cluster.attributes:
                if isinstance(attribute.value, int) and not attribute.manufacturer:
                    facts.values[Place(endpoint.number, cluster.id, attribute.id)] = attribute.value
            has = {attribute.id for attribute in cluster.attributes} - cluster.unsupported
            facts.absent |= {
                Place(endpoint.number, cluster.id, one.attribute)
                for one in ATTRIBUTES
                if one.cluster == cluster.id and one.attribute not in has
            }
    _refuse_the_rest(facts, endpoints)
    return Signature(spec.manufacturer.strip(), spec.model.strip(), spec.sleepy, endpoints), facts


def _refuse_the_rest(facts: Facts, endpoints: dict[int, Endpoint]) -> None:
    """What a device that has answered everything did not tell it doesn't have."""
    for number, endpoint in endpoints.items():
        for cluster, attributes in FACTS:
            if cluster in endpoint.inputs:
                places = {Place(number, cluster, attribute) for attribute in attributes}
                facts.absent |= places - facts.values.keys()


def planned(file: str) -> Plan:
    """What the frames of a dumped device mean, with its row."""
    return plan_of(DUMPS / file)


def plan_of(file: Path) -> Plan:
    """The same of a dump anywhere."""
    signature, facts = _found_out(spec_of(file))
    return make_plan(signature, facts, row_for(signature.manufacturer, signature.model))


def one(
    inputs: set[int],
    outputs: set[int] = frozenset(),  # type: ignore[assignment] # an empty set that nobody changes
    *,
    device_type: int = 0x0402,
    sleepy: bool = True,
    values: dict[tuple[int, int], int] | None = None,
    absent: set[tuple[int, int]] | None = None,
    owed: set[tuple[int, int]] | None = None,
    row: Row = NO_ROW,
) -> Plan:
    """The plan of a device with one endpoint."""
    signature = Signature(
        "Maker", "Model", sleepy, {1: Endpoint(0x0104, device_type, frozenset(inputs), frozenset(outputs))}
    )
    facts = Facts(
        values={Place(1, *where): value for where, value in (values or {}).items()},
        absent={Place(1, *where) for where in absent or ()},
        constant=True,
        complete=True,
    )
    _refuse_the_rest(facts, dict(signature.endpoints))
    facts.absent -= {Place(1, *where) for where in owed or ()}
    return make_plan(signature, facts, row)
