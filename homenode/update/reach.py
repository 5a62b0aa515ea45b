"""Whether a broker is away, or only the gateway of a new version can't reach it: this process tries, too."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

PATIENCE_S = 5.0
MOST = 4
"""Brokers that are tried; home.yaml lists a few at most."""


def looked_at(proof: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the gateway says; where it says that nobody answers and somebody does, the link is ``down``."""
    if proof["link"] != "away" or not any(_answers(*one) for one in proof["brokers"][:MOST]):
        return proof
    return {**proof, "link": "down"}


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except (OSError, UnicodeError):  # the second: no name can be like that
        return False
    return True
