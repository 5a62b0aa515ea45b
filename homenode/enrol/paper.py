"""homenode-READ-ME.txt on the boot partition: what an installer reads on a laptop (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.enrol import blink
from homenode.enrol.places import FILE

MOST_MISTAKES = 50


def written(state: Mapping[str, Any], mistakes: Sequence[str], file: str = FILE) -> str:
    """The file, for any editor of any machine.

    Args:
        state: As in state.json.
        mistakes: In what the installer put on the card, a line each.
        file: Which that is.
    """
    lines = []
    for at, language in enumerate(("sv", "en")):
        lines += _told(state, language, _HEADS[language])
        if mistakes:
            lines += ["", _HEADS[language]["mistakes"].format(file=file), *mistakes[:MOST_MISTAKES]]
        flashes = blink.code(str(state.get("state", "")), str(state.get("key", "")))
        lines += ["", _HEADS[language]["lamp"]]
        for number, meaning in blink.MEANINGS.items():
            lines.append(f"  {number}  {meaning[at]}{'   <--' if number == flashes else ''}")
        lines += ["", "-" * 60, ""] if language == "sv" else []
    return "\r\n".join(lines) + "\r\n"


def _told(state: Mapping[str, Any], language: str, heads: Mapping[str, str]) -> list[str]:
    why, do = (_text(state.get(name), language) for name in ("why", "do"))
    lines = [heads["title"], "", why or heads["not_yet"], *([do] if do else []), ""]
    for name in ("serial", "fingerprint", "home"):
        if state.get(name):
            lines.append(f"{heads[name]:<16}{state[name]}")
    return lines


def _text(found: object, language: str) -> str:
    return str(found.get(language, "")) if isinstance(found, dict) else ""


_HEADS: Mapping[str, Mapping[str, str]] = {
    "sv": {
        "title": "HEMNOD",
        "not_yet": f"Dosan har inte startat med det här kortet än. Lägg {FILE} här, om kontoret gav dig en.",
        "serial": "Serienummer",
        "fingerprint": "Nyckel",
        "home": "Hem",
        "mistakes": "Fel i {file}:",
        "lamp": "Den gröna lampan blinkar så här många gånger och gör sedan en paus:",
    },
    "en": {
        "title": "HOME NODE",
        "not_yet": f"The box has not started with this card yet. Put {FILE} here if the office gave you one.",
        "serial": "Serial number",
        "fingerprint": "Key",
        "home": "Home",
        "mistakes": "Mistakes in {file}:",
        "lamp": "The green lamp flashes so many times, and pauses:",
    },
}
