"""What an installer is told of a device, in English and Swedish: every text of it stands here (pure).

A note is a key and what is to stand in its text, so that it can be kept in a file and told to each person in
his own language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from homenode.kinds import kind_of

LANGUAGES = ("en", "sv")
TEXTS: Mapping[str, tuple[str, str]] = {
    "asked": ("being interviewed", "tillfrågas ännu"),
    "asked_again": (
        "it doesn't answer, and is asked again: keep it awake by its button, close to the stick",
        "den svarar inte och tillfrågas igen: håll den vaken med dess knapp, nära radiostickan",
    ),
    "answers_nothing": (
        "it doesn't answer: wake it by its button, close to the stick, and pair again",
        "den svarar inte: väck den med dess knapp, nära radiostickan, och parkoppla igen",
    ),
    "says_nothing": (
        "it doesn't say what it measures: wake it by its button, close to the stick, and pair again",
        "den säger inte vad den mäter: väck den med dess knapp, nära radiostickan, och parkoppla igen",
    ),
    "deaf": (
        "it could not be told to say what it does: wake it by its button, close to the stick, and pair again",
        "det gick inte att be den säga vad den gör: väck den med dess knapp, nära radiostickan, och "
        "parkoppla igen",
    ),
    "code_wrong": (
        "it asked to join and could not read the answer: its install code is probably another one. Read code "
        "and address from the device again (8 and B, 0 and D look alike), reset it, and pair again",
        "den bad att få ansluta och kunde inte läsa svaret: dess installationskod är troligen en annan. Läs "
        "kod och adress på enheten igen (8 och B, 0 och D är lika), nollställ den och parkoppla igen",
    ),
    "code_unheard": (
        "nothing with this address asked to join in time: reset it, and wake it close to the stick while the "
        "network is open. If it still doesn't come, compare code and address with the device: either may be "
        "wrong",
        "ingenting med den adressen bad att få ansluta i tid: nollställ den och väck den nära radiostickan "
        "medan nätet är öppet. Kommer den ändå inte, jämför kod och adress med enheten: någon kan vara fel",
    ),
    "row": ("{0}", "{1}"),
    "no_row": (
        "nothing else of it is understood, and it feeds no rule: drivers/zigbee/README.md",
        "inget mer av den förstås, och ingen regel kan läsa den: drivers/zigbee/README.md",
    ),
    "left_out": (
        "left out, as it doesn't say what they mean: {0}; pair it again, close to the stick",
        "utelämnat, eftersom den inte säger vad det betyder: {0}; parkoppla den igen, nära radiostickan",
    ),
    "doubt_zone": (
        "it says that it is a {0} sensor by its model, and another by its zone type: {doubt}",
        "den säger sig vara en givare för {0} enligt sin modell, och en annan enligt sin zontyp: {doubt}",
    ),
    "doubt_motion": (
        "it says that it is a {0} sensor by its model, and sees motion: {doubt}",
        "den säger sig vara en givare för {0} enligt sin modell, och ser rörelse: {doubt}",
    ),
    "doubt_switches": (
        "it says that it is a {0} sensor by its model, and is a plug or a lamp: {doubt}",
        "den säger sig vara en givare för {0} enligt sin modell, och är en kontakt eller lampa: {doubt}",
    ),
    "reports": (
        "{0}: reports as it likes, it can't be told how often",
        "{0}: rapporterar som den vill, det går inte att säga hur ofta",
    ),
    "unbound": ("endpoint {0}: cluster {1} can't be bound", "endpoint {0}: kluster {1} går inte att binda"),
    "late": (
        "{silence}: when it is gone, that is noticed late",
        "{silence}: är den borta så märks det sent",
    ),
    "refused": (
        "refused for {0}: {silence}, so an empty battery looks as if all were well; take another model, "
        "or write unsupervised: accepted at it in home.yaml",
        "duger inte för {0}: {silence}, så ett tomt batteri ser ut som om allt vore väl; ta en annan "
        "modell, eller skriv unsupervised: accepted vid den i home.yaml",
    ),
    "insisted": (
        "{silence}, so an empty battery looks as if all were well (accepted in home.yaml)",
        "{silence}, så ett tomt batteri ser ut som om allt vore väl (godtaget i home.yaml)",
    ),
}
_DOUBT = (
    "it is shown as what its clusters say; if that is wrong, replace it",
    "den visas som det dess kluster säger; om det är fel, byt ut den",
)
_SILENCE = (
    ("how often it says that it is there isn't known", "it says nothing for up to {}"),
    ("hur ofta den säger att den finns är inte känt", "den kan vara tyst i upp till {}"),
)


class Note(NamedTuple):
    """One remark.

    Attributes:
        key: Of its text.
        args: What stands in it: kinds with commas between them, numbers, texts.
        silence: How long the device may say nothing, such as ``6 h``; "" if nobody knows.
    """

    key: str
    args: tuple[str, ...] = ()
    silence: str = ""

    def text(self, language: str = "en") -> str:
        """For a person."""
        which = LANGUAGES.index(language)
        args = [_in_words(arg, language) for arg in self.args]
        silence = _SILENCE[which][bool(self.silence)].format(self.silence)
        return TEXTS[self.key][which].format(*args, doubt=_DOUBT[which], silence=silence)


def told(notes: Iterable[Note]) -> dict[str, str]:
    """All of them, each once, by language."""
    each = dict.fromkeys(notes)
    return {language: "; ".join(note.text(language) for note in each) for language in LANGUAGES}


def _in_words(arg: str, language: str) -> str:
    if language == "en":
        return arg
    kinds = [kind_of(kind) for kind in arg.split(", ")]
    return ", ".join(kind.sv for kind in kinds if kind) if all(kinds) else arg
