"""The log of looks: each entry carries the hash of the one before, so that none can be changed or left out.

Who can write to the disk could still write all of it anew; so the place and hash of an entry go out with each
answer, and whoever has one can tell (`homenode video log --json` gives all of them).
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homenode.session.decision import Wish
from homenode.session.sessions import Session, State, Why

Entry = dict[str, Any]

FIRST = "0" * 64
"""What stands for the hash before the first entry."""
SHOWN = 20
"""Entries that the panel shows; all are in the journal."""
KEPT_MS = 730 * 86_400_000
"""An entry younger than this is never left out by the journal (`homenode.journal.retention`)."""


def hash_of(entry: Mapping[str, Any]) -> str:
    """Of all its fields but `hash`."""
    said = {name: value for name, value in entry.items() if name != "hash"}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Log:
    """The end of the chain, to which entries are added.

    Attributes:
        last: The newest entries, the oldest first.
        open: Session to its last entry and the lights that it lit, until it is known that they are dark.
    """

    def __init__(self) -> None:
        self._n, self._hash, self._wall_ms = 0, FIRST, 0
        self.last: deque[Entry] = deque(maxlen=SHOWN)
        self.open: dict[str, tuple[Entry, tuple[str, ...]]] = {}

    @property
    def head(self) -> dict[str, Any]:
        """Place and hash of the newest entry."""
        return {"n": self._n, "hash": self._hash}

    def add(self, said: Mapping[str, Any], wall_ms: int, lit: Sequence[str] = ()) -> Entry:
        """The entry that says this, chained to the one before.

        Args:
            lit: Lights of the session.
        """
        place = {"n": self._n + 1, "wall_ms": wall_ms, "before": self._hash, "before_ms": self._wall_ms}
        entry = {**said, **place}
        entry["hash"] = hash_of(entry)
        self.take(entry, lit)
        return entry

    def take(self, entry: Entry, lit: Sequence[str]) -> None:
        """From the journal: it was added before."""
        self._n, self._hash, self._wall_ms = entry["n"], entry["hash"], entry["wall_ms"]
        self.last.append(entry)
        if lit:
            self.open[entry["session"]] = entry, tuple(lit)

    def dark(self, session: str) -> None:
        """Its lights are off."""
        self.open.pop(session, None)

    def dump(self) -> dict[str, Any]:
        """As JSON types, with the `head`."""
        return {**self.head, "wall_ms": self._wall_ms, "last": list(self.last), "open": self.open}

    def load(self, state: Mapping[str, Any]) -> None:
        """What `dump` gave."""
        self._n, self._hash, self._wall_ms = state["n"], state["hash"], state["wall_ms"]
        self.last.extend(state["last"])
        self.open = {session: (entry, tuple(lit)) for session, (entry, lit) in state["open"].items()}


def refused(wish: Wish, code: str, why: str) -> Entry:
    """A request that came to nothing."""
    return {"event": "refused", "session": "", "decision": "", "code": code, "text": why, **_who(wish)}


def of(session: Session, said: Mapping[str, Any]) -> Entry:
    """A session moved on. `said`: what goes with that."""
    why = {"why": session.why.value} if session.why is not None else {}
    about = {"event": session.state.value, "session": session.id, "decision": session.decision.id}
    return {**about, **why, **said, **_who(session.wish)}


def _who(wish: Wish) -> Entry:
    return {
        "party": wish.party,
        "by": wish.by,
        "reason": wish.reason,
        "camera": wish.camera,
        "view": wish.view,
    }


def restarted(entry: Mapping[str, Any], said: Mapping[str, Any]) -> Entry:
    """The end of a session that was open when the node stopped, given its last entry."""
    kept = ("session", "decision", "party", "by", "reason", "camera", "view")
    about = {name: entry[name] for name in kept}
    return {"event": State.ENDED.value, "why": Why.NODE.value, **said, **about}


def wrongs(entries: Iterable[Mapping[str, Any]], heads: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    """What is wrong with a chain, in plain words; empty if nothing is.

    Args:
        entries: As they stand in the journal.
        heads: Ends of the chain as they were known at some time.
    """
    told: list[str] = []
    n, before, known = 0, FIRST, {0: FIRST}
    rows = list(entries)
    newest_ms = max((row["wall_ms"] for row in rows), default=0)
    for row in rows:
        if row["n"] > n + 1:
            aged_out = n == 0 and newest_ms - row["before_ms"] > KEPT_MS
            told += [] if aged_out else [_missing(n + 1, row["n"] - 1)]
        elif row["n"] <= n:
            told.append(f"entry {row['n']} stands there again")
        elif row["before"] != before:
            told.append(f"entry {n} is not the one that entry {row['n']} was written after")
        if hash_of(row) != row["hash"]:
            told.append(f"entry {row['n']} was changed")
        n, before = row["n"], row["hash"]
        known[n] = before
    for head in heads:
        if head["n"] > n:
            told.append(_missing(n + 1, head["n"]))
            n = head["n"]
        elif known.get(head["n"], head["hash"]) != head["hash"]:
            told.append(f"entry {head['n']} is not the one that was written")
    return told


def _missing(first: int, last: int) -> str:
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
