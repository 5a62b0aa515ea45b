"""Opens what homes seal for a party with a key. What can't be opened is an alarm: who knows what it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from homenode.contract import sealed, topics
from homenode.errors import Refused
from homenode.listen import told
from homenode.listen.event import (
    LONGEST_B,
    LONGEST_ID,
    SEALED,
    Event,
    Reply,
    parse_alert,
    parse_reading,
    parse_reply,
    parse_status,
    place_of,
)

_MARKS = (b'"jwe"', b"jose")
"""In what is sealed; a plain message is not read twice for it."""


class Opening:
    """The private keys of one party, the one in use first.

    Args:
        keys: In PEM.

    Raises:
        SetupError: The extra is not installed.
    """

    def __init__(self, party: str, keys: Iterable[str]) -> None:
        self._party, self._keys = party, []
        for pem in keys:
            from homenode.sealing.keys import private_key

            self._keys.append(private_key(pem))

    def plain(self, topic: str, payload: bytes) -> bytes:
        """The payload, opened if it is sealed.

        Raises:
            Refused: It can't be.
        """
        text = sealed.jwe_of(_read(payload))
        return self._opened(topic, text) if text else payload

    def alert(self, home: str, payload: bytes, now: int) -> Event | str:
        """A message on ``alerts``; a text says why it is none."""
        body = _read(payload)
        text = sealed.jwe_of(body)
        if not text:
            return parse_alert(home, payload)
        try:
            return parse_alert(home, self._opened(topics.alerts(home, self._party), text))
        except Refused as why:
            return _unopened(home, body, text, str(why), now)

    def reply(self, home: str, payload: bytes) -> Reply | None:
        """A message on ``reply``; None if it can't be read."""
        try:
            return parse_reply(self.plain(topics.reply(home, self._party), payload))
        except Refused:
            return None

    def status(self, home: str, payload: bytes) -> dict[str, Any] | None:
        """A message on ``status``; None if it can't be read."""
        try:
            return parse_status(self.plain(topics.status(home, self._party), payload))
        except Refused:
            return None

    def reading(self, topic: str, payload: bytes) -> dict[str, Any] | None:
        """A shared reading; None if it can't be read."""
        try:
            return parse_reading(self.plain(topic, payload))
        except Refused:
            return None

    def _opened(self, topic: str, text: str) -> bytes:
        if not self._keys:
            raise Refused("it is sealed, and no key is given")
        from homenode.sealing.seals import opened

        wrong = Refused("no key")
        for key in self._keys:
            try:
                meant, plain = opened(text, key)
            except Refused as why:
                wrong = why
                continue
            if meant != topic:
                raise Refused(f"it was sent under {meant[:LONGEST_ID]} and came under {topic}")
            return plain
        raise wrong


def _read(payload: bytes) -> Any:
    """What may be sealed; None for what surely isn't."""
    if len(payload) > LONGEST_B or not any(mark in payload for mark in _MARKS):
        return None
    try:
        body = json.loads(payload)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair can't be written again
    except (ValueError, RecursionError):
        return None
    return body


def _unopened(home: str, body: dict[str, Any], text: str, why: str, now: int) -> Event:
    """What came, as an alert that says so, with all of it: whoever has the key can still open it."""
    name = body.get("id")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_ID:
        name = f"{SEALED}.{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"
    made = told.unopened(home, now, name, why, text)
    made |= {part: body[part] for part in ("sequence", "epoch") if isinstance(body.get(part), str)}
    return Event(home, name, place_of(made), name, SEALED, "alarm", False, made)
