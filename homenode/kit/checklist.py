"""`homenode driver test`: the contract as a list that a person reads."""

from __future__ import annotations

import asyncio
import io
import logging
import tempfile
from pathlib import Path
from typing import TextIO

from homenode import dropped
from homenode.config.folder import SIMULATED
from homenode.kit.bench import Bench
from homenode.kit.contract import PROMISES, kept
from homenode.kit.found import Found, find
from homenode.kit.listener import Broken
from homenode.kit.stage import Stuck

DESCRIBED = ("light", "blind", "fields")
"""What needs no device."""


def test(named: str, simulated: str, out: TextIO) -> int:
    """Prints what each driver of `named` keeps; 0 if that is everything, else 1. Raises SetupError."""
    logging.disable(logging.WARNING)  # what libraries say of hardware that is unplugged on purpose
    broken = sum(_test(found, out) for found in find(named, simulated))
    return 1 if broken else 0


def test_package() -> None:
    """For the test of a package, run in its folder: all is well."""
    said = io.StringIO()
    assert test(".", "", said) == 0, said.getvalue()


def _test(found: Found, out: TextIO) -> int:
    print(f"driver {found.driver.name} ({found.how})", file=out)
    try:
        _ = _bench(found).devices
    except Broken as error:
        _tell("✗", error.what, error.do, out)
        return 1
    broken = 0
    for promise in PROMISES:
        bench = _bench(found)
        mark, seen, do, over = "✓", "", "", False
        if promise.name in bench.spared:
            mark, seen = "–", bench.spared[promise.name]
        elif found.bench is None and promise.name not in DESCRIBED:
            mark, seen = "✗", "not tried: it has no simulated device"
            module = found.driver.kinds.__module__.removeprefix(f"{dropped.__name__}.")
            do = f"write {module}{SIMULATED}.py beside it; homenode driver new shows one"
        else:
            try:
                with tempfile.TemporaryDirectory() as folder:
                    seen = asyncio.run(kept(promise, bench, Path(folder)))
            except Broken as error:
                mark, seen, do = "✗", error.what, error.do
                over = isinstance(error, Stuck) or promise.name == "starts"
        broken += mark == "✗"
        if over:
            do = "; ".join([*filter(None, [do]), "the rest is tried when this is mended"])
        _tell(mark, f"{promise.text}{f': {seen}' if seen else ''}", do, out)
        if over:
            return broken
    total = len(PROMISES)
    print("all is well" if not broken else f"{broken} of {total} are not as they must be", file=out)
    return broken


def _tell(mark: str, text: str, do: str, out: TextIO) -> None:
    print(f"{mark} {text}", file=out)
    if do:
        print(f"  → {do}", file=out)
    out.flush()


def _bench(found: Found) -> Bench:
    bench = found.bench() if found.bench is not None else Bench()
    bench.driver = found.driver
    if found.bench is None:
        bench.devices = ()
    return bench
