"""JSON from outside, of the kind that no two readers understand differently (RFC 7493)."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """What it says.

    Raises:
        ValueError: It is no JSON, repeats a key, or has NaN or half a surrogate pair, which is none either.
        RecursionError: It is nested deeper than anybody means.
    """
    body = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair can't be written again
    return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")
