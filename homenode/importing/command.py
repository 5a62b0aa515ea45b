"""`homenode import`: reads recordings to their end, and only then prints the first reading."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homenode.config.durations import milliseconds
from homenode.config.load import load_home
from homenode.contract.times import Zone
from homenode.errors import FileMistakes, Mistake
from homenode.importing.gather import Counted, Gathered
from homenode.importing.points import Guessed, Mapped, OfHome, Points
from homenode.importing.skeleton import write_home

_Option = TypeVar("_Option")

SHOWN = 10
"""Sources without a point that are named; of more, only how many."""


def command(args: Namespace, out: TextIO, err: TextIO) -> int:
    """Print readings that `homenode replay` takes; returns the exit status.

    Nothing is printed of a recording that breaks off, however late; the last line says ``"end": true``.

    Args:
        args: ``files``, ``home``, ``map``, ``timezone``, ``outage``, ``write_home`` of the command line.
        out: Where the readings go.
        err: Where wrong, repeated, disordered and skipped lines are counted.

    Raises:
        FileMistakes: A recording, home.yaml or an option is wrong.
        SetupError: A recording can't be opened, or ``--write-home`` can't be written.
    """
    if args.write_home and (args.home or args.map):
        accepted = "neither --home nor --map: it is made of what the recording tells"
        raise FileMistakes([Mistake("--write-home", 0, "option", repr(args.write_home), accepted)])
    guessed, mapped = Guessed(), Mapped(args.map)
    points, timezone = _points(args, guessed, mapped)
    outage_ms = _option("--outage", milliseconds, args.outage) if args.outage else None
    gathered = Gathered(points, _option("--timezone", _zone, timezone))
    for file in args.files:
        gathered.read(Path(file))
    lines = list(_lines(gathered, Zone(timezone), outage_ms))
    if not any(counted.readings for counted in gathered.files):
        names = ", ".join(str(counted.file) for counted in gathered.files)
        accepted = "at least one of a source that feeds a point (--map, --home)"
        for counted in gathered.files:
            tell(err, counted)
        raise FileMistakes([Mistake(names, 0, "recording", "no reading", accepted)])
    if args.write_home:
        write_home(Path(args.write_home), guessed.found, timezone)
    out.writelines(lines)
    for counted in gathered.files:
        tell(err, counted)
    for source in mapped.unheard:
        print(f"--map: no line is of {_shown(source)}", file=err)
    return 0


def _points(args: Namespace, guessed: Guessed, mapped: Mapped) -> tuple[Points, str]:
    """What sources feed, and the time zone."""
    if args.home:
        home = load_home(args.home, files=False)
        return OfHome(home, mapped), args.timezone or home.timezone
    return (mapped if args.map else guessed), args.timezone or "UTC"


def _lines(gathered: Gathered, zone: Zone, outage_ms: int | None) -> Iterator[str]:
    silences = iter(gathered.silences(outage_ms) if outage_ms else ())
    silence = next(silences, None)
    for at, point, value in gathered.readings():
        while silence is not None and at >= silence[1]:
            yield _line({"at": zone.text(silence[0]), "node": "down"})
            yield _line({"at": zone.text(silence[1]), "node": "up"})
            silence = next(silences, None)
        yield _line({"at": zone.text(at), "point": point, "value": value})
    if span := gathered.span:
        yield _line({"at": zone.text(span[1]), "end": True})


def _line(said: dict[str, object]) -> str:
    return json.dumps(said, ensure_ascii=False) + "\n"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("a time zone such as Europe/Stockholm") from None


def _option(name: str, read: Callable[[str], _Option], text: str) -> _Option:
    try:
        return read(text)
    except ValueError as error:
        raise FileMistakes([Mistake(name, 0, "option", repr(text), str(error))]) from error


def _shown(source: str) -> str:
    return source if source.isprintable() else ascii(source)


def tell(err: TextIO, counted: Counted) -> None:
    """What became of a file's lines."""
    parts = [f"{counted.readings} reading{'' if counted.readings == 1 else 's'}"]
    if counted.wrong:
        parts.append(f"{counted.wrong} wrong")
    if counted.repeated:
        parts.append(f"{counted.repeated} repeated (first: line {counted.first_repeated})")
    if counted.disordered:
        parts.append(f"{counted.disordered} put in order (first: line {counted.first_disordered})")
    print(f"{counted.file}: {', '.join(parts)}", file=err)
    for mistake in counted.mistakes:
        print(f"  {mistake}", file=err)
    if counted.skipped:
        named = [f"{_shown(source)} ({times})" for source, times in counted.skipped.most_common(SHOWN)]
        rest = len(counted.skipped) - len(named)
        more = f" and {rest} other{'' if rest == 1 else 's'}" if rest else ""
        print(f"  lines that feed no point: {', '.join(named)}{more}", file=err)
