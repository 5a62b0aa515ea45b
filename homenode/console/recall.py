"""A picture of the board among the facts, so that a start needs not read two years of them (pure).

The facts are the truth, and stay: a picture that is not whole is passed over and all of them are read. It is
many small records; each holds for its own place in the journal, so that facts may come between them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import chain
from typing import Any

from homenode.console.board import MOST_LOGGED, Board
from homenode.console.case import Case, Done
from homenode.console.duty import Shift
from homenode.console.looks import Look
from homenode.listen.told import ALL

EACH = 20_000
"""Facts after which there is a new picture: a second to read, a month of 1,000 homes."""
AT_ONCE = 50
"""Records that are drawn in one go, some ms; the largest fit in what the journal may have waiting."""

Record = dict[str, Any]
_GONE: Record = {"t": "part"}


def picture(board: Board) -> tuple[Record, list[Record], Iterator[Record]]:
    """What begins a picture, what has to follow at once, and what may come bit by bit."""
    now: list[Record] = [
        *({"home": [*key, home.silent_since]} for key, home in board.homes.items()),
        *({"shift": _dump(shift)} for shift in board.duty.shifts.values()),
        *({"look": _dump(look)} for look in board.looks.looks.values()),
        *({"round": [name, *gone]} for name, gone in board.looks.rounds.items()),
    ]
    keys, lines = board.by_age(), list(board.log)
    later = chain(
        ({"t": "part", "line": line} for line in lines),
        ({"t": "part", "case": _case(board.cases[key])} if key in board.cases else _GONE for key in keys),
    )
    head = {"t": "picture", "parts": len(now) + len(lines) + len(keys)}
    return head, [{"t": "part", **part} for part in now], later


def recalled(records: Iterable[Mapping[str, Any]]) -> tuple[Board, int, int]:
    """The board, how many parts of its picture are missing, and how many facts were read."""
    board, missing, read = Board(), 0, 0
    lines = deque[Mapping[str, Any]](maxlen=MOST_LOGGED)
    for record in records:
        match record.get("t"):
            case "console":
                board.apply(record)
                read += 1
            case "picture":
                board, missing = Board(), record["parts"]
                lines.clear()
            case "part":
                if "line" in record:
                    lines.append(record["line"])
                else:
                    _put(board, record)
                missing -= 1
    lines.extend(board.log)  # what came meanwhile is newer
    board.log = lines
    return board, missing, read


def _put(board: Board, part: Mapping[str, Any]) -> None:
    match part:
        case {"case": kept}:
            more = {"history": [Done(*done) for done in kept["history"]], "seen": dict.fromkeys(kept["seen"])}
            board.put(Case(**{**kept, **more}))
        case {"home": [party, home, silent_since]}:
            board.home(party, home).silent_since = silent_since
            if silent_since is not None and home != ALL:
                board.silent.add((party, home))
        case {"shift": kept}:
            board.duty.shifts[kept["id"]] = Shift(**kept)
        case {"look": kept}:
            board.looks.looks[kept["id"]] = Look(**kept)
        case {"round": [name, at, by, note]}:
            board.looks.rounds[name] = (at, by, note)


def _case(case: Case) -> Record:
    return _dump(case) | {"seen": list(case.seen)}


def _dump(thing: Case | Shift | Look) -> Record:
    return {one.name: getattr(thing, one.name) for one in fields(thing)}
