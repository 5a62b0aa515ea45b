"""What is said at home of a look, and what a viewer is told of its end."""

from __future__ import annotations

from collections.abc import Mapping

from homenode.session.sessions import Why

ASKS: Mapping[str, str] = {
    "sv": "Hemtjänsten vill titta in genom kameran: {room}. Tryck på knappen för att säga ja.",
    "en": "Home care would like to look in through the camera: {room}. Press the button to say yes.",
}
LOOKS: Mapping[str, str] = {
    "sv": "Hemtjänsten tittar nu in genom kameran: {room}.",
    "en": "Home care is now looking in through the camera: {room}.",
}
ENDED: Mapping[Why, str] = {
    Why.REFUSED: "the resident said no",
    Why.UNANSWERED: "the resident did not answer",
    Why.STOPPED: "the resident stopped it",
    Why.VIEWER: "the viewer ended it",
    Why.LEASE: "nothing was heard of the viewer",
    Why.LIMIT: "it lasted the longest that the decision allows",
    Why.DECISION: "the decision no longer holds",
    Why.LINK: "the node has no link",
    Why.CAPTURE: "the camera or the process that films failed",
    Why.INDICATOR: "the light that tells of it can't be lit",
    Why.STORAGE: "the disk doesn't take the log, and nobody looks unlogged",
    Why.NODE: "the node stops",
}
WHYS: Mapping[str, str] = {why.value: text for why, text in ENDED.items()}
"""By the word of the log."""
