"""What stands at the broker for whoever comes later, and since when what is shared (pure).

A reading is retained: taken out of ``share``, it would stay readable for ever. So the node remembers under
which topics it has shown readings, and takes back what is no longer shared, or was shown before the party
had a key, at each of its brokers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Share = Mapping[str, Sequence[str]]
Place = tuple[str, str]
Wanted = Callable[[str], str | None]
"""The key under which readings of a topic are to go out; None if they are not shared."""


class Shown:
    """Readings that the broker keeps.

    Attributes:
        places: Topic and the key (its id, "" for none) under which readings may stand there.
        share: In force; None before the first start.
        before: What was shared before, each up to a record of the journal that may still have to be sent.
    """

    def __init__(self) -> None:
        self.places: set[Place] = set()
        self.share: Share | None = None
        self.before: list[tuple[int, Share]] = []
        self._taken_back: dict[Place, set[str]] = {}

    def add(self, topic: str, key: str = "") -> None:
        """A reading is about to go there."""
        self.places.add((topic, key))
        self._taken_back.pop((topic, key), None)

    def current(self, wanted: Wanted) -> set[str]:
        """Topics under which readings stand as they should."""
        return {place[0] for place in self.places - self._taken_back.keys() if _fits(place, wanted)}

    def unwanted(self, wanted: Wanted, url: str) -> list[str]:
        """Topics to be emptied at the broker of this url."""
        return sorted(
            {
                place[0]
                for place in self.places
                if not _fits(place, wanted) and url not in self._taken_back.get(place, ())
            }
        )

    def taken_back(self, topic: str, wanted: Wanted, url: str, urls: Sequence[str]) -> list[Place]:
        """The broker of this url has emptied a topic. Returns what none of `urls` keeps any more."""
        gone = []
        for place in [place for place in self.places if place[0] == topic and not _fits(place, wanted)]:
            done = self._taken_back.setdefault(place, set())
            done.add(url)
            if done >= set(urls):
                self.gone(*place)
                gone.append(place)
        return gone

    def gone(self, topic: str, key: str = "") -> None:
        """Nothing stands there."""
        self.places.discard((topic, key))
        self._taken_back.pop((topic, key), None)

    def shared_from(self, share: Share, last: int) -> bool:
        """This is shared from now on, the journal's last record being `last`; returns whether it is new."""
        if self.share == share:
            return False
        if self.share is not None:
            self.before.append((last, self.share))
        self.share = share
        return True

    def sent_up_to(self, record: int) -> None:
        """Every shared reading of the journal up to this record is with the broker."""
        self.before = [(last, share) for last, share in self.before if last > record]

    def shared_at(self, record: int) -> list[Share]:
        """What must have named a point, beside what is in force, for its reading of this record to be sent.

        Who is told of it from today on was not told of yesterday.
        """
        return [share for last, share in self.before if record <= last]

    def dump(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "places": sorted(self.places),
            "share": self.share,
            "before": self.before,
            "taken_back": [[*place, sorted(urls)] for place, urls in self._taken_back.items()],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """What `dump` gave."""
        self.places = {(topic, key) for topic, key in state["places"]}
        self.share = _share(state["share"])
        self.before = [(int(last), _share(share) or {}) for last, share in state["before"]]
        self._taken_back = {(topic, key): set(urls) for topic, key, urls in state["taken_back"]}


def _fits(place: Place, wanted: Wanted) -> bool:
    return wanted(place[0]) == place[1]


def _share(told: Mapping[str, Sequence[str]] | None) -> Share | None:
    return None if told is None else {party: tuple(patterns) for party, patterns in told.items()}
