"""What a sensor is called and looks like, and what it may be good for, by the points it has (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from homenode.config.model import Home
from homenode.kinds import KINDS, Shape, kind_of
from homenode.language.rule_file import RuleFile
from homenode.reading import Value

Text = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """How a sort of device is shown.

    Attributes:
        picture: Name of its picture.
        called: Language to what it is called.
        name: What its name in home.yaml ends in.
    """

    picture: str
    called: Text
    name: str


def _look(picture: str, sv: str, en: str, name: str) -> Look:
    return Look(picture, {"sv": sv, "en": en}, name)


LOOKS: Mapping[str, Look] = {
    "smoke": _look("smoke", "brandvarnare", "smoke alarm", "smoke"),
    "co": _look("smoke", "kolmonoxidvarnare", "carbon monoxide alarm", "co"),
    "gas": _look("smoke", "gasvarnare", "gas alarm", "gas"),
    "heat": _look("smoke", "värmevarnare", "heat alarm", "heat"),
    "water": _look("water", "vattenläckagevarnare", "water leak sensor", "water"),
    "lock": _look("lock", "dörrlås", "door lock", "lock"),
    "contact": _look("contact", "dörr- eller fönsterkontakt", "door or window contact", "door"),
    "motion": _look("motion", "rörelsevakt", "motion sensor", "eye"),
    "occupancy": _look("occupancy", "närvarogivare (säng, stol)", "occupancy sensor (bed, chair)", "bed"),
    "button": _look("button", "knapp", "button", "button"),
    "valve": _look("valve", "ventil", "valve", "valve"),
    "siren": _look("siren", "siren", "siren", "siren"),
    "vibration": _look("vibration", "vibrationsgivare", "vibration sensor", "vibration"),
    "plug": _look("plug", "kontakt som mäter effekt", "plug that measures power", "plug"),
    "current": _look("plug", "strömgivare", "current sensor", "current"),
    "power": _look("plug", "effektmätare", "power meter", "power"),
    "light": _look("light", "lampa", "lamp", "lamp"),
    "switch": _look("plug", "brytare", "switch", "switch"),
    "mains": _look("plug", "nätspänningsvakt", "mains supervision", "mains"),
    "flow_volume": _look("water", "vattenmätare", "water meter", "flow"),
    "temperature": _look("temperature", "termometer", "thermometer", "climate"),
    "humidity": _look("temperature", "fuktgivare", "humidity sensor", "humidity"),
    "illuminance": _look("light", "ljusgivare", "light sensor", "daylight"),
    "energy": _look("plug", "energimätare", "energy meter", "energy"),
    "voltage": _look("plug", "spänningsgivare", "voltage sensor", "voltage"),
    "tamper": _look("contact", "sabotagekontakt", "tamper contact", "tamper"),
}
"""In the order in which a point tells what its device is."""
UNKNOWN = _look("unknown", "ny enhet, tillfrågas ännu", "new device, still being asked", "sensor")
BESIDE = frozenset({"battery", "link_quality", "tamper", "voltage"})
"""Kinds that say how a device is, not what it is for."""
ROOMS: Mapping[str, Sequence[str]] = {
    "sv": ("hall", "kök", "vardagsrum", "sovrum", "badrum", "toalett", "balkong"),
    "en": ("hall", "kitchen", "living room", "bedroom", "bathroom", "toilet", "balcony"),
}
"""What rooms are usually called; the home's own come first."""


def usual_rooms(language: str) -> Sequence[str]:
    """What rooms are called where this language is spoken."""
    return ROOMS.get(language, ROOMS["en"])


def main_kind(kinds: Iterable[str]) -> str:
    """The kind that tells what a device is; "" if nothing is known of it yet."""
    have = {kind.name for name in kinds if (kind := kind_of(name))}
    return next((name for name in LOOKS if name in have), "")


def look(kinds: Iterable[str]) -> Look:
    """How a device with these points is shown."""
    have = set(kinds)
    if have >= {"power", "switch"} and not have & {"smoke", "water", "contact", "motion"}:
        return LOOKS["plug"]
    return LOOKS.get(main_kind(have), UNKNOWN)


_LETTERS = str.maketrans("åäöéüæø", "aaoeuao")


def spelled(text: str) -> str:
    """A text in the letters that home.yaml takes for a name: ``Kök 2`` is ``kok_2``."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower().translate(_LETTERS)).strip("_")


def suggested_name(room: str, kinds: Iterable[str], taken: Iterable[str]) -> str:
    """A name that home.yaml takes and that nobody has: ``hall_door``, ``hall_door_2``."""
    name = "_".join(part for part in (spelled(room), look(kinds).name) if part)[:60]
    used, nth = set(taken), 1
    while (found := f"{name}_{nth}" if nth > 1 else name) in used:
        nth += 1
    return found


@dataclass(frozen=True, slots=True)
class Fit:
    """A rule that a device could serve.

    Attributes:
        rule: Name of the rule, or of its use in this home.
        role: The role it would play.
        point: Its point.
        nth: Which use of home.yaml gets it, from 0; None: a new use.
        says: Language to what the rule says.
    """

    rule: str
    role: str
    point: str
    nth: int | None
    says: Text


def _says(rule: RuleFile) -> Text:
    """What it says, with its parameters as they are unless the home sets others."""
    parts = {name: setting.text for name, setting in rule.parameters.items()}
    return {language: text.format_map(parts) for language, text in rule.says.items()}


def fits(name: str, kinds: Iterable[str], home: Home, rules: Mapping[str, RuleFile]) -> list[Fit]:
    """Rules that would work with this device: uses that take one more, and rules that it can serve alone.

    Args:
        rules: Rule files by the name that ``use:`` has.
    """
    own = [kind for kind in kinds if (known := kind_of(kind)) and known.name not in BESIDE - {"tamper"}]
    found: list[Fit] = []
    for nth, use in enumerate(home.rules):
        rule = rules.get(use.use)
        for role in rule.roles.values() if rule else ():
            if role.many and role.name in use.bind:
                points = [f"{name}.{kind}" for kind in own if _plays(kind, role.kinds)]
                found += [
                    Fit(use.name, role.name, point, nth, _says(rule) if rule else {})
                    for point in points
                    if point not in use.bind[role.name]
                ][:1]
    used = {use.use for use in home.rules}
    for word, rule in sorted(rules.items()):
        wanted = [role for role in rule.roles.values() if not role.optional]
        if word in used or len(wanted) != 1:
            continue
        point = next((f"{name}.{kind}" for kind in own if _plays(kind, wanted[0].kinds)), "")
        if point:
            found.append(Fit(word, wanted[0].name, point, None, _says(rule)))
    return found


def _plays(kind: str, kinds: Sequence[str]) -> bool:
    known = kind_of(kind)
    return known is not None and known.name in kinds


GOOD_LQI, FAIR_LQI = 200, 120
"""At 200 about 80 % of frames arrive whole at an EmberZNet stick (Silicon Labs), the rest is sent again. The
standard gives no scale and other sticks count otherwise, so the second is a word of ours."""


def link_verdict(lqi: float | None) -> tuple[str, Text]:
    """(``good``, ``fair``, ``weak`` or ``unknown``; what that means for the installer)."""
    if lqi is None:
        return "unknown", {
            "sv": "inte hörd än: utlös den, eller tryck på dess knapp",
            "en": "not heard yet: trip it, or press its button",
        }
    if lqi >= GOOD_LQI:
        return "good", {"sv": "bra förbindelse: sätt upp den här", "en": "good link: mount it here"}
    if lqi >= FAIR_LQI:
        return "fair", {
            "sv": "går an: bättre lite närmare noden eller en nätansluten enhet",
            "en": "will do: better a little closer to the node or to a device on mains",
        }
    return "weak", {
        "sv": "för svag: flytta den, eller sätt en kontakt eller lampa emellan",
        "en": "too weak: move it, or put a plug or lamp in between",
    }


def value_in_words(kind: str, value: Value, language: str) -> str:
    """A point and its value for a person: ``öppen``, ``rörelse: nej``, ``effekt 20 W``; ``?`` if unknown."""
    known = kind_of(kind)
    if known is None or value is None:
        return f"{kind_called(kind, language)} ?"
    if isinstance(value, bool):
        word = known.true_word if value else known.false_word
        if known.shape is Shape.MOMENTARY:
            word = "pressed" if value else "not pressed"
        if word:
            return STATES[word][language == "en"]
        yes, no = ("ja", "nej") if language == "sv" else ("yes", "no")
        return f"{kind_called(kind, language)}: {yes if value else no}"
    return f"{kind_called(kind, language)} {value:g} {known.unit or ''}".rstrip()


STATES: Mapping[str, tuple[str, str]] = {
    "open": ("öppen", "open"),
    "closed": ("stängd", "closed"),
    "locked": ("låst", "locked"),
    "unlocked": ("olåst", "unlocked"),
    "on": ("på", "on"),
    "off": ("av", "off"),
    "pressed": ("tryckt", "pressed"),
    "not pressed": ("inte tryckt", "not pressed"),
}
"""The words of steps and rules for a state, in Swedish and English."""


def kind_called(kind: str, language: str) -> str:
    """A kind in the words of a person."""
    known = kind_of(kind)
    return known.called(language) if known else kind


assert set(LOOKS) - {"plug"} | BESIDE == set(KINDS), "a kind without a look"
