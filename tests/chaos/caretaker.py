"""People at care and the landlord who acknowledge some alerts, and ask again until there is an answer."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from tests.chaos.parties import Brokerage, Party

NAMES = ("care@example", "property@example")
SHARE = 0.3
"""Of the alerts."""
AGAIN_S = 3.0
"""Between two tries of one command."""
VALID = timedelta(days=2)
"""The rig sets a node's clock back and forth."""


@dataclass
class Asked:
    """A command; `ok`: what the home answered, None if nothing yet; `sent`: when, and how `often`."""

    party: str
    home: str
    alert: str
    id: str
    ok: bool | None = None
    sent: float = 0.0
    often: int = 0


class Caretakers:
    """They acknowledge what their parties got, the same alerts at the same moment, beside all else.

    Args:
        got: What each party hears, by name of its certificate.
    """

    def __init__(self, broker: Brokerage, got: Mapping[str, Party], folder: Path) -> None:
        self.asked: dict[tuple[str, str, str], Asked] = {}
        self._got = {name.partition("@")[0]: got[name] for name in NAMES}
        self._calm, self._end = threading.Event(), threading.Event()
        self._replies = {
            name.partition("@")[0]: Party(
                broker.port,
                folder / f"replies-{name}.log",
                f"hn1/+/{name.partition('@')[0]}/reply",
                name=f"caretaker {name}",
                keys=broker.keys(name),
            )
            for name in NAMES
        }
        self._read, self._heard = Counter[str](), Counter[str]()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        for replies in self._replies.values():
            replies.close()

    def calm(self) -> None:
        """Begin nothing more."""
        self._calm.set()

    @property
    def answered(self) -> bool:
        """Whether everything is."""
        return all(one.ok is not None for one in list(self.asked.values()))

    def summary(self) -> str:
        """What came of it."""
        asked = list(self.asked.values())
        return (
            f"{len(asked)} acknowledgements, {sum(one.often - 1 for one in asked)} sent again, "
            f"{sum(one.ok is True for one in asked)} taken"
        )

    def _work(self) -> None:
        while not self._end.wait(0.1):
            if not self._calm.is_set():
                self._consider()
            self._hear()
            for one in self.asked.values():
                waited = time.perf_counter() - one.sent > AGAIN_S
                if one.ok is None and waited and self._replies[one.party].connected:
                    self._send(one)

    def _consider(self) -> None:
        """New alerts."""
        for party, receiver in self._got.items():
            came = list(receiver.messages[self._read[party] :])
            self._read[party] += len(came)
            for topic, body, _ in came:
                home, alert = topic.split("/")[1], body["data"]["alert"]
                chosen = random.Random(f"{home} {alert}").random() < SHARE
                if chosen and body["data"]["event"] == "notified":
                    one = Asked(party, home, alert, f"ask-{len(self.asked)}")
                    self.asked.setdefault((party, home, alert), one)

    def _hear(self) -> None:
        for party, receiver in self._replies.items():
            came = list(receiver.messages[self._heard[party] :])
            self._heard[party] += len(came)
            for topic, body, _ in came:
                told = (party, topic.split("/")[1], body["id"])
                for one in self.asked.values():
                    if (one.party, one.home, one.id) == told and one.ok is not True:
                        one.ok = body["ok"]

    def _send(self, one: Asked) -> None:
        expires = (datetime.now(UTC) + VALID).isoformat(timespec="milliseconds")  # noqa: TID251 - as care's clock says
        command = {
            "id": one.id,
            "do": "acknowledge",
            "expires": expires,
            "by": "caretaker",
            "args": {"alert": one.alert},
        }
        one.often += 1
        one.sent = time.perf_counter()
        for _ in range(1 + (one.often % 2)):  # the first goes twice at once
            self._replies[one.party].send(f"hn1/{one.home}/{one.party}/command", command)
