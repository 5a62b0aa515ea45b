"""Answers to commands, and which were answered already: a repeated id is answered, not done again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from homenode.config.model import SIGNERS, VIEWS
from homenode.contract import shapes
from homenode.contract.command import LONGEST_TEXT, Command, Refusal

REMEMBERED = 1000
"""Answers kept; at one command a second more than a quarter of an hour. The oldest go first."""


def done(command_id: str, result: Mapping[str, Any] | None = None) -> bytes:
    """It was done."""
    return _text({"id": command_id, "ok": True, **({"result": result} if result is not None else {})})


def refused(refusal: Refusal) -> bytes:
    """It was not, and why."""
    error: dict[str, Any] = {"code": refusal.code, "text": refusal.text}
    if refusal.mistakes:
        error["mistakes"] = list(refusal.mistakes)
    return _text({"id": refusal.id, "ok": False, "error": error})


def _text(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def schema() -> shapes.Schema:
    """JSON Schema of the payload on ``reply``."""
    code: shapes.Schema = {"type": "string", "pattern": "^[a-z_]{1,40}$"}
    mistakes = shapes.several(shapes.text(LONGEST_TEXT), 1)
    error = shapes.mapping({"code": code, "text": shapes.text(LONGEST_TEXT)}, {"mistakes": mistakes})
    whose = {"id": shapes.text(80)}
    entry = shapes.mapping(
        {"n": {"type": "integer", "minimum": 1}, "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
    )
    video = {
        "session": shapes.text(80),
        "sdp": shapes.text(60_000),
        "view": shapes.one_of(VIEWS),
        "until": shapes.TIME,
        "limit": shapes.TIME,
        "warning": shapes.TEXTS,
        "entry": entry,
    }
    taken = {
        "number": {"type": "integer", "minimum": 1},
        "signed": shapes.several(shapes.one_of(SIGNERS), 1),
        "told": shapes.text(60_000),
    }
    bundle = {
        "data": {"type": "string", "contentEncoding": "base64", "maxLength": 65_536},
        "format": shapes.exactly("application/json+gzip"),
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "left_out": shapes.TEXTS,
    }
    result = {**video, **taken, "bundle": shapes.mapping(bundle)}
    return shapes.either(
        shapes.mapping(
            {**whose, "ok": shapes.exactly(True)}, {"result": {"type": "object", "properties": result}}
        ),
        shapes.mapping({**whose, "ok": shapes.exactly(False), "error": error}),
    )


class Answered:
    """What each party's commands were answered, until they expire."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], tuple[int, bytes]] = {}

    def answer_to(self, command: Command) -> bytes | None:
        """The answer given before to this id of this party, None if it is new."""
        known = self._answers.get((command.party, command.id))
        return known[1] if known else None

    def remember(self, command: Command, answer: bytes, now_wall_ms: int) -> None:
        """Keep the answer until the command expires."""
        if len(self._answers) >= REMEMBERED:
            self._answers = {key: kept for key, kept in self._answers.items() if kept[0] > now_wall_ms}
            while len(self._answers) >= REMEMBERED:
                del self._answers[next(iter(self._answers))]
        self._answers[command.party, command.id] = (command.expires_ms, answer)

    def dump(self, now_wall_ms: int) -> list[tuple[str, str, int, str]]:
        """For the journal: those that may still be asked for."""
        return [
            (party, key, expires, answer.decode())
            for (party, key), (expires, answer) in self._answers.items()
            if expires > now_wall_ms
        ]

    def restore(self, answers: Iterable[tuple[str, str, int, str]]) -> None:
        """From the journal."""
        self._answers |= {(party, key): (expires, answer.encode()) for party, key, expires, answer in answers}
