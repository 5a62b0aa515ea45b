"""What is handed over, as a line that a person reads (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from homenode.listen.told import Kind

_SEVERITY = {
    "sv": {"alarm": "LARM", "warning": "Varning", "info": "Info"},
    "en": {"alarm": "ALARM", "warning": "Warning", "info": "Info"},
}
_TOLD = {
    "sv": {
        "acknowledged": "kvitterat av {by}", "resolved": "över", "recovered": "fungerar igen", "fault": "fel",
    },
    "en": {
        "acknowledged": "acknowledged by {by}", "resolved": "over", "recovered": "works again",
        "fault": "fault",
    },
}  # fmt: skip
_KIND = {
    "sv": {Kind.ESCALATED: "INGEN HAR KVITTERAT", Kind.SILENT: "TYST", Kind.BACK: "Åter", Kind.HOLE: "SAKNAS",
           Kind.FILLED: "Åter", Kind.REFUSED: "Kvittering", Kind.NOBODY: "INGEN I TJÄNST",
           Kind.SOMEBODY: "Åter"},
    "en": {Kind.ESCALATED: "NOBODY HAS ACKNOWLEDGED", Kind.SILENT: "SILENT", Kind.BACK: "Back",
           Kind.HOLE: "MISSING", Kind.FILLED: "Back", Kind.REFUSED: "Acknowledgement",
           Kind.NOBODY: "NOBODY ON DUTY", Kind.SOMEBODY: "Back"},
}  # fmt: skip
OWN = (Kind.SILENT, Kind.BACK, Kind.HOLE, Kind.FILLED, Kind.REFUSED, Kind.NOBODY, Kind.SOMEBODY)
_TEST = {"sv": "övning", "en": "test"}


def line(home: str, kind: Kind, body: Mapping[str, Any], language: str) -> str:
    """One line: when, how bad, where, what. Nothing in it moves a terminal, whatever a node sent."""
    data = body["data"]
    at = str(data.get("at", ""))
    if kind in OWN:  # by a clock that knows only UTC; a home writes the time on its own wall
        at = datetime.fromisoformat(at).astimezone().isoformat()
    words = [at[:19].replace("T", " ")]
    if kind in _KIND[language]:
        words.append(_KIND[language][kind])
    if severity := _SEVERITY[language].get(str(data.get("severity"))):
        words.append(severity)
    words.append(home)
    texts = data.get("text")
    text = texts.get(language) or next(iter(texts.values()), "") if isinstance(texts, dict) else ""
    room = f"{data['room']}: " if data.get("room") else ""
    said = f"{room}{text or body.get('subject', '')}"
    event = _TOLD[language].get(str(data.get("event")), "").format(by=data.get("by", "?"))
    notes = [note for note in (event, _TEST[language] if data.get("test") is True else "") if note]
    if notes:
        said += f" ({', '.join(notes)})"
    return "".join(c if c.isprintable() else "�" for c in "  ".join([*words, said]))
