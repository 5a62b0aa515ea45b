"""What stands at the broker for whoever comes later, and since when what is shared (pure).

A reading is retained: taken out of ``share``, it would stay readable for ever. So the node remembers under
which topics it has shown readings, and takes back what is no longer shared, at each of its brokers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Share = Mapping[str, Sequence[str]]


class Shown:
    """Readings that the broker keeps.

    Attributes:
        topics: Where readings may stand.
        share: In force; None before the first start.
        before: What was shared before, each up to a record of the journal that may still have to be sent.
    """

    def __init__(self) -> None:
        self.topics: set[str] = set()
        self.share: Share | None = None
        self.before: list[tuple[int, Share]] = []
        self._taken_back: dict[str, set[str]] = {}

    def add(self, topic: str) -> None:
        """A reading is about to go there."""
        self.topics.add(topic)
        self._taken_back.pop(topic, None)

    def unwanted(self, wanted: Callable[[str], bool], url: str) -> list[str]:
        """Topics to be emptied at the broker of this url."""
        return sorted(
            topic for topic in self.topics if not wanted(topic) and url not in self._taken_back.get(topic, ())
        )

    def taken_back(self, topic: str, url: str, urls: Sequence[str]) -> bool:
        """The broker of this url has emptied a topic. Returns whether none of `urls` keeps it any more."""
        if topic not in self.topics:
            return False
        done = self._taken_back.setdefault(topic, set())
        done.add(url)
        if not done >= set(urls):
            return False
        self.gone(topic)
        return True

    def gone(self, topic: str) -> None:
        """Nothing stands there."""
        self.topics.discard(topic)
        self._taken_back.pop(topic, None)

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
            "topics": sorted(self.topics),
            "share": self.share,
            "before": self.before,
            "taken_back": {topic: sorted(urls) for topic, urls in self._taken_back.items()},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """What `dump` gave."""
        self.topics = set(state["topics"])
        self.share = _share(state["share"])
        self.before = [(int(last), _share(share) or {}) for last, share in state["before"]]
        self._taken_back = {topic: set(urls) for topic, urls in state["taken_back"].items()}


def _share(told: Mapping[str, Sequence[str]] | None) -> Share | None:
    return None if told is None else {party: tuple(patterns) for party, patterns in told.items()}
