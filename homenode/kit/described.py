"""Promises about what a driver says of itself, for which nothing has to run."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from homenode import dropped
from homenode.config.fields import Field
from homenode.config.load import read_home
from homenode.config.rows import DEVICE, RADIO
from homenode.config.values import WORD, accepted
from homenode.errors import Mistake
from homenode.kinds import kind_of
from homenode.kit.bench import Bench
from homenode.kit.listener import Broken

IMPORT_MOST_S = 0.1
"""Processor time; each command of homenode that reads a home.yaml pays it."""
SHORTEST_SENTENCE = 15

_IMPORTING = """
import json, os, sys, threading, time
sys.path[:], path, module = json.loads(sys.argv[1])
import homenode.apart, homenode.driver, homenode.each, homenode.ports, homenode.dropped
homenode.dropped.__path__[:] = path
def opened():
    return [(fd, os.readlink(f"/proc/self/fd/{fd}")) for fd in os.listdir("/proc/self/fd")[:-1]]
before, files, began = set(sys.modules), opened(), time.process_time()
__import__(module)
took = time.process_time() - began
new = set(sys.modules) - before
kept = [name for fd, name in opened() if (fd, name) not in files]
print(json.dumps([took, sorted(new), kept, threading.active_count() - 1]))
"""


async def light(bench: Bench, folder: Path) -> str:
    """Importing it takes no time, opens nothing, and brings nothing along."""
    ways = json.dumps([sys.path, list(dropped.__path__), bench.module])
    shortest_s = 60.0
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _IMPORTING,
            ways,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode or not out:
            raise Broken(f"can't be imported: {err.decode().strip().rpartition(chr(10))[2]}")
        *printed, last = out.decode().splitlines()
        if printed:
            raise Broken(f"prints when it is imported: {printed[0][:80]}", "take the print() away")
        took_s, new, opened, threads = json.loads(last)
        _brings_nothing(bench, new)
        if opened or threads:
            what = opened[0] if opened else "a thread"
            raise Broken(f"opens {what} when it is imported", "open it in run()")
        shortest_s = min(shortest_s, took_s)
        if shortest_s <= IMPORT_MOST_S:
            return f"{shortest_s * 1000:.0f} ms"
    raise Broken(f"takes {shortest_s * 1000:.0f} ms to import", "import what is big in run() or open=")


def _brings_nothing(bench: Bench, new: Sequence[str]) -> None:
    own = {"homenode", "drivers", bench.module.partition(".")[0], *sys.stdlib_module_names}
    for name in sorted(new, key=lambda name: "cython" in name):
        if name.partition(".")[0] not in own or name in bench.heavy:
            raise Broken(f"imports {name} when it is imported", "import it in run() or open=")


async def blind(bench: Bench, folder: Path) -> str:
    """It says what it can't notice."""
    text = bench.driver.blind_to
    if len(text) < SHORTEST_SENTENCE or not text.endswith("."):
        raise Broken(
            f"blind_to is {text!r}", "say in a sentence what it can't notice; it ends in a full stop"
        )
    return text


async def fields(bench: Bench, folder: Path) -> str:
    """Each of its fields says what it is, and can be checked."""
    type_ = bench.driver
    for rows, common in ((type_.radio_fields, RADIO), (type_.device_fields, DEVICE)):
        names = [row.name for row in rows]
        for row in rows:
            where = f"the field {row.name!r}"
            if not re.fullmatch(WORD, row.name):
                raise Broken(f"{where} is no word", "of a-z, 0-9, _ and -")
            if names.count(row.name) > 1 or row.name in {common_row.name for common_row in common}:
                raise Broken(f"{where} is there twice, or every device has it", "give it another name")
            if not row.help.strip():
                raise Broken(f"{where} has no description", "Field(NAME, TYPE, WHAT IT IS)")
            try:
                accepted(row)
            except KeyError:
                raise Broken(f"{where} is of type {row.type!r}", "see homenode/config/fields.py") from None
    for device in bench.devices:
        for kind in type_.kinds(device.options) or ():
            if kind_of(kind) is None:
                raise Broken(f"{kind!r} is no kind of point", "use a word of homenode/kinds.py")
    names = [row.name for row in (*type_.radio_fields, *type_.device_fields)]
    return ", ".join(names) or "it has none"


async def bad_fields(bench: Bench, folder: Path) -> str:
    """What a person writes wrong is told by its field, and doesn't make the driver's own check fail."""
    found = _check(bench, folder)
    if found:
        raise Broken(
            f"its own example is refused: {found[0].field}: found {found[0].found}; {found[0].accepted}"
        )
    tried = 0
    for section, rows in (("radios", bench.driver.radio_fields), ("devices", bench.driver.device_fields)):
        for row in rows:
            for wrong in _wrong(row):
                tried += 1
                told = _check(bench, folder, section, row.name, wrong)
                if not any(mistake.field.endswith(f".{row.name}") for mistake in told):
                    shown = "nothing" if wrong is None else repr(wrong)
                    raise Broken(f"{row.name}: {shown} is accepted", "give the Field low=, high= or pattern=")
    _check(bench, folder, twice=True)
    return f"{tried} wrong values, each named"


def _wrong(row: Field) -> list[Any]:
    """Values that can't be right; None: nothing, where there must be something."""
    wrong: list[Any] = [None] if row.required else []
    if row.type == "words":
        return [*wrong, "one"]
    wrong.append([1])
    if row.type in ("number", "whole", "flag", "duration", "time", "moment", "point") or row.choices:
        wrong.append("no such thing")
    if row.type in ("number", "whole"):
        wrong += [row.low - 1] if row.low is not None else []
        wrong += [row.high + 1] if row.high is not None else []
    return wrong


def _check(
    bench: Bench, folder: Path, section: str = "", name: str = "", wrong: Any = None, *, twice: bool = False
) -> tuple[Mistake, ...]:
    """What is told of a home.yaml with the devices of the bench, and this in it."""
    type_ = bench.driver
    home: dict[str, Any] = {"home": "bench", "timezone": "UTC", "devices": {}}
    if type_.radio_fields:
        home["radios"] = {"radio": {"driver": type_.name, **_written(type_.radio_fields, bench.options)}}
    for device in bench.devices:
        way = {"via": "radio"} if type_.radio_fields else {"driver": type_.name}
        entry = {**way, "room": device.room or "hall", **_written(type_.device_fields, device.options)}
        home["devices"][device.name] = entry
        if twice:
            home["devices"][f"{device.name}_again"] = entry
    if section:
        entry = next(iter(home[section].values()))
        entry.pop(name, None)
        if wrong is not None:
            entry[name] = wrong
    file = folder / "home.yaml"
    file.write_text(json.dumps(home, ensure_ascii=False), encoding="utf-8")
    _, notes = read_home(file, drivers={type_.name: type_}, files=False)
    for mistake in notes.mistakes:
        if "whose own check fails" in mistake.found:
            raise Broken(
                f"check= or kinds= of its DriverType fails: {mistake.found}", "they get what stands there"
            )
    return tuple(notes.mistakes)


def _written(rows: Sequence[Field], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a person writes them."""
    types = {row.name: row.type for row in rows}
    written = {}
    for name, value in options.items():
        if value is None or name not in types:
            continue
        if types[name] == "duration" and isinstance(value, int):
            value = f"{value / 1000:g} s"
        elif types[name] == "time" and isinstance(value, int):
            value = f"{value // 60:02}:{value % 60:02}"
        elif isinstance(value, Path | datetime):
            value = str(value)
        written[name] = value
    return written
