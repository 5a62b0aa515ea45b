"""Why a look was refused or ended, for a caregiver, in Swedish and English (pure).

A home says a word of the contract and an English sentence; the word is what is kept and shown in words.
"""

from __future__ import annotations

from collections.abc import Mapping

from homenode.errors import Refused, Unanswered
from homenode.listen.event import Reply
from homenode.session.words import WHYS as HOMES

_NODE = ("Ring den som sköter noden.", "Telephone whoever looks after the node.")
_AGAIN = ("Försök igen om en stund.", "Try again in a while.")
_GO = ("Ring, eller gå dit.", "Telephone, or go there.")
_LIMIT = ("Tiden är ute. Titta igen om det behövs.", "Time is up. Look again if it is needed.")
_NOT_UNDERSTOOD = (
    "Hemmet förstod inte frågan: hem och konsol är kanske av olika version. Ring den som sköter konsolen.",
    "The home did not understand: home and console may be of different versions. "
    "Telephone whoever runs the console.",
)


def _and(sv: str, en: str, do: tuple[str, str]) -> tuple[str, str]:
    return f"{sv} {do[0]}", f"{en} {do[1]}"


_CAMERA = _and("Kameran är fel inställd i hemmet.", "The camera is set up wrongly in the home.", _NODE)
_RESTARTED = _and("Hemmets nod stannade eller startade om.", "The home's node stopped or restarted.", _AGAIN)

WHYS: Mapping[str, tuple[str, str]] = {
    # the console's own
    "no_answer": _and("Hemmet svarar inte.", "The home does not answer.", _GO),
    "ended": ("Slut", "Ended"),
    "lost": (
        "Slut; hur är inte känt: den som tittade försvann.",
        "Ended, how is not known: whoever looked was gone.",
    ),
    # what ended it: homenode.session.sessions.Why
    "refused": _and("Den boende sa nej.", "The resident said no.", _GO),
    "unanswered": _and("Den boende svarade inte.", "The resident did not answer.", _GO),
    "stopped": (
        "Den boende avslutade titten. Fråga innan du tittar igen.",
        "The resident ended the look. Ask before you look again.",
    ),
    "viewer": ("Titten avslutades härifrån.", "The look was ended from here."),
    "lease": (
        "Titten slutade: hemmet hörde inget mer från webbläsaren.",
        "The look ended: the home heard no more of the browser.",
    ),
    "limit": _LIMIT,
    "decision": (
        "Beslutet tillåter det inte längre: en annan tid, ett annat läge i hemmet eller ett ändrat beslut.",
        "The decision no longer allows it: another hour, another mode of the home, or it was changed.",
    ),
    "link": _and("Hemmet tappade förbindelsen.", "The home lost its connection.", _AGAIN),
    "capture": _and(
        "Kameran slutade fungera. Försök igen; går det inte:",
        "The camera failed. Try again; if that doesn't help:",
        _NODE,
    ),
    "indicator": _and(
        "Lampan som visar att någon tittar lyser inte, och då får ingen titta.",
        "The light that tells of a look isn't lit, and then nobody may look.",
        _NODE,
    ),
    "storage": _and(
        "Hemmet kan inte skriva ned vem som tittar, och då får ingen titta.",
        "The home can't write down who looks, and then nobody may.",
        _NODE,
    ),
    "node": _RESTARTED,
    "over": ("Titten är slut.", "The look is over."),
    "no_session": ("Titten är slut; hemmet säger inte hur.", "The look is over; the home doesn't say how."),
    # what no decision allows
    "no_camera": ("Den kameran finns inte i hemmet.", "There is no such camera in the home."),
    "no_decision": (
        "Inget beslut låter hemtjänsten titta genom den kameran.",
        "No decision lets care look through that camera.",
    ),
    "not_now": (
        "Inte nu: beslutet gäller andra dagar, andra tider eller ett annat läge i hemmet.",
        "Not now: the decision is for other days, other hours or another mode of the home.",
    ),
    "view": (
        "Den vyn tillåter beslutet inte. Välj en annan.",
        "The decision doesn't allow that view. Choose another.",
    ),
    "busy": _and(
        "Någon tittar redan, eller så är hemmet upptaget.",
        "Somebody looks already, or the home is busy.",
        _AGAIN,
    ),
    # the camera and the browser: homenode.video.words
    "setup": _CAMERA,
    "source": _CAMERA,
    "missing": _and(
        "Noden saknar programvara för kameran.", "The node lacks software for the camera.", _NODE
    ),
    "absent": _and(
        "Kameran hittas inte: den är kanske urdragen eller utan ström.",
        "The camera isn't found: it may be unplugged, or without power.",
        _NODE,
    ),
    "held": _and("Ett annat program använder kameran.", "Another program is using the camera.", _AGAIN),
    "denied": _and("Kameran släpper inte in noden.", "The camera doesn't let the node in.", _NODE),
    "unplugged": _and("Kameran försvann medan du tittade.", "The camera went away while you looked.", _NODE),
    "sdp": (
        "Hemmet förstod inte webbläsaren. Ladda om sidan, eller använd en annan webbläsare.",
        "The home did not understand the browser. Reload the page, or use another browser.",
    ),
    "codec": (
        "Webbläsaren kan inte visa kamerans film. Använd en annan webbläsare.",
        "The browser can't show the camera's film. Use another browser.",
    ),
    "candidates": (
        "Hemmet får inte sända till nätet här. Ring den som sköter konsolen.",
        "The home may not send to this network. Telephone whoever runs the console.",
    ),
    "unreached": (
        "Bilden kommer inte fram hit. Försök igen; går det inte: ring den som sköter konsolen.",
        "The picture doesn't get here. Try again; if that doesn't help, telephone whoever runs the console.",
    ),
    "end": ("Titten avslutades.", "The look was ended."),
    "until": _LIMIT,
    "gateway": _RESTARTED,
    # any command: homenode.contract.command
    "clock": _and(
        "Nodens klocka är inte ställd, och då får ingen titta.",
        "The node's clock is not set, and then nobody may look.",
        _NODE,
    ),
    "expired": _and("Frågan kom för sent till hemmet.", "The home got the question too late.", _AGAIN),
    "not_allowed": ("Hemmet låter inte hemtjänsten titta.", "The home doesn't let care look."),
    "failed": _and("Något gick fel i hemmets nod.", "Something went wrong in the home's node.", _NODE),
    "malformed": _NOT_UNDERSTOOD,
    "nested": _NOT_UNDERSTOOD,
    "retained": _NOT_UNDERSTOOD,
    "unknown_command": _NOT_UNDERSTOOD,
}
_SHARED = (Refused.code, Unanswered.code)
"""Said of anything that has no word of its own, and so of the resident only with that sentence."""


def why_of(reply: Reply | None) -> str:
    """What is kept: the word, or the home's own sentence if the word says nothing here."""
    if reply is None:
        return "no_answer"
    of_resident = reply.code not in _SHARED or reply.why == HOMES[reply.code]
    known = reply.code in WHYS and of_resident
    return reply.code if known else reply.why or "over"


def in_words(why: str, language: str) -> str:
    """What was kept, for a person; a sentence stays as it is."""
    sv, en = WHYS.get(why, (why, why))
    return sv if language == "sv" else en
