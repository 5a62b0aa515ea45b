"""What a viewer or a caregiver reads of a session, in Swedish and English (pure)."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    # refused
    "sdp": ("Förfrågan går inte att förstå: {what}.", "The request can't be understood: {what}."),
    "codec": (
        "Webbläsaren läser varken H.264 eller VP8, som kameran sänder; använd en annan.",
        "The browser reads neither H.264 nor VP8, which the camera sends; use another one.",
    ),
    "candidates": (
        "Webbläsaren nås bara på adresser som noden inte får tala med: {what}.",
        "The browser is reachable only at addresses that the node may not speak to: {what}.",
    ),
    "source": ("Kameran är fel beskriven: {what}.", "The camera is described wrongly: {what}."),
    "missing": (
        "Noden saknar programvara: {what}. Installera homenode[video].",
        "The node lacks software: {what}. Install homenode[video].",
    ),
    # the camera
    "absent": ("Kameran finns inte: {what}.", "The camera is not there: {what}."),
    "held": ("Kameran används av ett annat program: {what}.", "Another program is using the camera: {what}."),
    "denied": ("Kameran släpper inte in noden: {what}.", "The camera doesn't let the node in: {what}."),
    "unplugged": (
        "Kameran försvann under visningen: {what}.",
        "The camera went away while it was used: {what}.",
    ),
    # warnings
    "black": (
        "Bilden är svart: lampan lyser inte, eller något täcker kameran.",
        "The picture is black: the lamp is off, or something covers the camera.",
    ),
    "frozen": (
        "Bilden står still: kameran sänder samma bild om och om igen. Lita inte på den.",
        "The picture is frozen: the camera sends the same one again and again. Don't trust it.",
    ),
    "garbage": (
        "Kameran sänder brus i stället för bilder. Lita inte på dem.",
        "The camera sends noise instead of pictures. Don't trust them.",
    ),
    "silent": ("Det kommer inga bilder från kameran.", "No pictures come from the camera."),
    # ended
    "end": ("Visningen är avslutad.", "The session was ended."),
    "until": ("Visningens tid är ute.", "The session's time is up."),
    "gateway": ("Noden startade om.", "The node restarted."),
    "viewer": ("Tittaren är borta.", "The viewer is gone."),
    "unreached": ("Tittaren nåddes inte.", "The viewer could not be reached."),
}


def text(code: str, what: str = "") -> dict[str, str]:
    """`what`: the fact, such as a device or an address."""
    swedish, english = WORDS[code]
    return {"sv": swedish.format(what=what), "en": english.format(what=what)}


class Unfit(Exception):
    """A request that is not carried out, or a session that can't go on.

    Attributes:
        code: Of `WORDS`.
        what: The fact.
    """

    def __init__(self, code: str, what: str = "") -> None:
        self.code, self.what = code, what
        super().__init__(text(code, what)["en"])
