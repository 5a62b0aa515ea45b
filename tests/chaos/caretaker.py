"""Somebody at care who acknowledges some alerts, and asks again with the same id until there is an answer."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from tests.chaos.parties import Brokerage, Party

NAME = "care@example"
SHARE = 0.3
"""Of the alerts."""
AGAIN_S = 3.0
"""Between two tries of one command."""
VALID = timedelta(days=2)
"""The rig sets a node's clock back and forth."""


@dataclass
class Asked:
    """A command; `ok`: what the home answered, None if nothing yet; `sent`: when, and how `often`."""

    home: str
    alert: str
    id: str
    ok: bool | None = None
    sent: float = 0.0
    often: int = 0


class Caretaker:
    """Acknowledges what `care` got, beside all else."""

    def __init__(self, broker: Brokerage, care: Party, folder: Path) -> None:
        self.asked: dict[tuple[str, str], Asked] = {}
        self._care, self._calm, self._end = care, threading.Event(), threading.Event()
        self._replies = Party(
            broker.port, folder / "replies.log", "hn1/+/care/reply", name="caretaker", keys=broker.keys(NAME)
        )
        self._read = self._heard = 0
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._replies.close()

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
                if one.ok is None and time.perf_counter() - one.sent > AGAIN_S and self._replies.connected:
                    self._send(one)

    def _consider(self) -> None:
        """New alerts."""
        came = list(self._care.messages[self._read :])
        self._read += len(came)
        for topic, body, _ in came:
            home, alert = topic.split("/")[1], body["data"]["alert"]
            chosen = random.Random(f"{home} {alert}").random() < SHARE
            if chosen and body["data"]["event"] == "notified" and (home, alert) not in self.asked:
                self.asked[home, alert] = Asked(home, alert, f"ask-{len(self.asked)}")

    def _hear(self) -> None:
        came = list(self._replies.messages[self._heard :])
        self._heard += len(came)
        for topic, body, _ in came:
            for one in self.asked.values():
                if (one.home, one.id) == (topic.split("/")[1], body["id"]) and one.ok is not True:
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
            self._replies.send(f"hn1/{one.home}/care/command", command)
