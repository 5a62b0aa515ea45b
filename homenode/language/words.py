"""The words in which a rule is told to a person, in Swedish and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KindWords:
    """What is said of a point of a kind.

    Attributes:
        yes, no: After its name, of a value true or false: ``is open``.
        turns: After its name, at a change: ``is opened or closed``.
        on, off: After its name, of a step that switches it: ``is turned on``.
        noun: Before its name, of a number: ``the power of``.
    """

    yes: str = ""
    no: str = ""
    turns: str = ""
    on: str = ""
    off: str = ""
    noun: str = ""


def _number(noun: str) -> KindWords:
    return KindWords(noun=noun)


_EN = {
    "contact": KindWords("is open", "is closed", "is opened or closed"),
    "motion": KindWords("sees motion", "sees no motion", "sees motion begin or end"),
    "occupancy": KindWords("is occupied", "is empty", "notices somebody come or go"),
    "water": KindWords("is wet", "is dry"),
    "smoke": KindWords("reports smoke", "reports no smoke"),
    "co": KindWords("reports carbon monoxide", "reports no carbon monoxide"),
    "gas": KindWords("reports gas", "reports no gas"),
    "heat": KindWords("reports heat", "reports no heat"),
    "vibration": KindWords("feels vibration", "feels no vibration"),
    "tamper": KindWords("reports tampering", "reports no tampering"),
    "mains": KindWords("has mains power", "has no mains power"),
    "button": KindWords("is pressed", "is not pressed", "is pressed"),
    "lock": KindWords("is locked", "is unlocked", "is locked or unlocked"),
    "switch": KindWords("is on", "is off", "is turned on or off", "is turned on", "is turned off"),
    "valve": KindWords("is open", "is closed", "is opened or closed", "is opened", "is closed"),
    "siren": KindWords("sounds", "is silent", "starts or stops", "is started", "is stopped"),
    "light": KindWords("is on", "is off", "is turned on or off", "is turned on", "is turned off"),
    "battery": _number("the battery of"),
    "power": _number("the power of"),
    "energy": _number("the energy of"),
    "current": _number("the current through"),
    "voltage": _number("the voltage of"),
    "temperature": _number("the temperature of"),
    "humidity": _number("the humidity of"),
    "illuminance": _number("the light of"),
    "flow_volume": _number("the volume through"),
    "link_quality": _number("the link quality of"),
}
_SV = {
    "contact": KindWords("står öppen", "är stängd", "öppnas eller stängs"),
    "motion": KindWords("ser rörelse", "ser ingen rörelse", "ser rörelse börja eller sluta"),
    "occupancy": KindWords(
        "känner att någon är där", "känner ingen där", "märker att någon kommer eller går"
    ),
    "water": KindWords("är våt", "är torr"),
    "smoke": KindWords("larmar om rök", "larmar inte om rök"),
    "co": KindWords("larmar om kolmonoxid", "larmar inte om kolmonoxid"),
    "gas": KindWords("larmar om gas", "larmar inte om gas"),
    "heat": KindWords("larmar om hetta", "larmar inte om hetta"),
    "vibration": KindWords("känner vibrationer", "känner inga vibrationer"),
    "tamper": KindWords("larmar om sabotage", "larmar inte om sabotage"),
    "mains": KindWords("har ström från elnätet", "har ingen ström från elnätet"),
    "button": KindWords("trycks in", "trycks inte in", "trycks in"),
    "lock": KindWords("är låst", "är olåst", "låses eller låses upp"),
    "switch": KindWords("är på", "är av", "slås på eller av", "slås på", "slås av"),
    "valve": KindWords("är öppen", "är stängd", "öppnas eller stängs", "öppnas", "stängs"),
    "siren": KindWords("ljuder", "är tyst", "startar eller tystnar", "startas", "stängs av"),
    "light": KindWords("lyser", "är släckt", "tänds eller släcks", "tänds", "släcks"),
    "battery": _number("batteriet i"),
    "power": _number("effekten hos"),
    "energy": _number("energin hos"),
    "current": _number("strömmen genom"),
    "voltage": _number("spänningen hos"),
    "temperature": _number("temperaturen vid"),
    "humidity": _number("luftfuktigheten vid"),
    "illuminance": _number("ljuset vid"),
    "flow_volume": _number("volymen genom"),
    "link_quality": _number("signalkvaliteten hos"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """One language: the words of kinds, and sentences with places in braces."""

    kinds: Mapping[str, KindWords]
    sentences: Mapping[str, str]
    severities: Mapping[str, str]
    parties: Mapping[str, str]
    modes: Mapping[str, str] = field(default_factory=dict)

    def say(self, sentence: str, **values: object) -> str:
        """A sentence with its places filled."""
        return self.sentences[sentence].format(**values)

    def last(self, window: str) -> str:
        """``in the last 5 min``, ``in the last hour``."""
        return self.sentences.get(f"last {window}") or self.say("last", window=window)

    def listed(self, names: tuple[str, ...] | list[str], word: str = "and") -> str:
        """``a, b and c``."""
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self.sentences[word]} {names[-1]}"


ENGLISH = Words(
    _EN,
    {
        "and": "and",
        "or": "or",
        "changes yes": "changes",
        "changes no": "does not change at that moment",
        "stale yes": "has been silent too long",
        "stale no": "has not been silent too long",
        "unknown yes": "is faulty or has never been heard",
        "unknown no": "works and has been heard",
        "any": "at least one of {names}",
        "all": "each of {names}",
        "none": "none of {names}",
        "number": "{noun} {name} is {op} {value}",
        "<": "below",
        "<=": "at most",
        ">": "above",
        ">=": "at least",
        "==": "exactly",
        "!=": "anything but",
        "times <": "fewer than {n} {times}",
        "times <=": "at most {n} {times}",
        "times >": "more than {n} {times}",
        "times >=": "at least {n} {times}",
        "times ==": "exactly {n} {times}",
        "times !=": "another number of {times} than {n}",
        "once": "time",
        "often": "times",
        "count": "it has happened {times} {last} that {what}",
        "between": "the time is between {start} and {end}",
        "not between": "the time is not between {start} and {end}",
        "mode": "the home is in the mode {mode}",
        "not mode": "the home is not in the mode {mode}",
        "all of": "all of this is so",
        "one of": "at least one of these is so",
        "for": "{what} for {window} on end",
        "for lead": "for {window} on end",
        "not for lead": "not without a break {last}",
        "within": "{what} at some time {last}",
        "within lead": "at some time {last}",
        "not within lead": "at no time {last}",
        "since": "{part}, ever since the moment when {anchor}",
        "since lead": "the second has held without a break ever since the first",
        "since first": "the first",
        "since second": "the second",
        "not since": "it is not so that",
        "not since lead": "it is not so that the second has held without a break ever since the first",
        "last": "in the last {window}",
        "last 1 s": "in the last second",
        "last 1 min": "in the last minute",
        "last 1 h": "in the last hour",
        "last 1 d": "in the last day and night",
        "head": "{severity}, told to {parties}.",
        "head home": "{severity} that stays in the home.",
        "no home": "Told without a home: roles stand for sensors, and values are the defaults.",
        "raised": "It is raised when",
        "ends": "It ends when",
        "ends held": "It ends when somebody who was told has acknowledged, and",
        "ends itself": "It ends as soon as that is no longer so.",
        "ends itself held": "It ends when that is no longer so and somebody who was told has acknowledged.",
        "stays": "It stays open as long as what raised it is so.",
        "steps": "What is done while it is open",
        "at once": "at once",
        "after": "after {window}",
        "at end": "when it ends",
        "say": 'said at home: "{text}"',
        "tell": "{parties} is told, unless it is acknowledged",
        "tell many": "{parties} are told, unless it is acknowledged",
        "tell end": "{parties} is told that it is over",
        "tell end many": "{parties} are told that it is over",
        "tell nobody": "nobody is told",
        "video": "a look through the camera {camera} is offered",
        "set mode": "the home is set to the mode {mode}",
        "again and again": "{what}; again every {every}, {times} times in all",
        "left out": "{step} (left out: {role} is not bound)",
        "nothing": "nothing",
        "ack": "When it is acknowledged",
        "ack quiet": "Whoever acknowledged is told nothing more before it ends; it does not end by that.",
        "ack again": "If it is still open {again} later, all are told anew as from the beginning.",
        "ack for good": "The acknowledgement holds until the alert ends.",
        "ack held": "It never ends before it is acknowledged.",
        "silence": "When a sensor is silent or faulty",
        "limit": "{name} counts as silent after {limit} without a sign of life",
        "no limit": "{name} never counts as silent (it is wired, or home.yaml says so)",
        "silent fine": "without {name} it can still be raised",
        "silent blind": "without {name} it can't be raised in the long run",
        "silent stale": "with {name} silent it can still be raised, with {name} faulty it can't",
        "silent unknown": "with {name} faulty it can still be raised, with {name} silent it can't",
        "blind": "If for {grace} nobody can know whether to raise it, {parties} will hear that it is blind.",
        "blind clock": "It is blind also while the clock can't be trusted.",
        "silent end": "Silence alone never ends it.",
        "silent ends": "It can end also while its sensors are silent.",
        "cut": "After a power cut",
        "bridged": "If it lasted up to {bridge}: all goes on as if nothing happened; what is due is done.",
        "longer": "If it lasted longer: nothing is known of any sensor until it has been heard again.",
        "no bridge": "Nothing is known of any sensor until it has been heard again.",
        "sensors": "Sensors and outputs",
        "not bound": "not bound",
        "many": "{kinds}; one or more",
        "may stay unbound": "{kinds}; may stay unbound",
        "values": "Values",
        "range": "{value}; may be {low} to {high}",
        "least": "{value}; at least {low}",
        "most": "{value}; at most {high}",
        "default": "{value}; without a setting {default}",
    },
    {"info": "A notice", "warning": "A warning", "alarm": "An alarm"},
    {"care": "care", "property": "the landlord", "resident": "the resident", "operator": "the operator"},
)
SWEDISH = Words(
    _SV,
    {
        "and": "och",
        "or": "eller",
        "changes yes": "ändras",
        "changes no": "ändras inte just då",
        "stale yes": "har varit tyst för länge",
        "stale no": "har inte varit tyst för länge",
        "unknown yes": "är trasig eller har aldrig hörts",
        "unknown no": "fungerar och har hörts",
        "any": "minst en av {names}",
        "all": "var och en av {names}",
        "none": "ingen av {names}",
        "number": "{noun} {name} är {op} {value}",
        "<": "under",
        "<=": "högst",
        ">": "över",
        ">=": "minst",
        "==": "exakt",
        "!=": "något annat än",
        "times <": "färre än {n} {times}",
        "times <=": "högst {n} {times}",
        "times >": "fler än {n} {times}",
        "times >=": "minst {n} {times}",
        "times ==": "exakt {n} {times}",
        "times !=": "ett annat antal {times} än {n}",
        "once": "gång",
        "often": "gånger",
        "count": "det har hänt {times} {last} att {what}",
        "between": "klockan är mellan {start} och {end}",
        "not between": "klockan är inte mellan {start} och {end}",
        "mode": "hemmet är i läget {mode}",
        "not mode": "hemmet är inte i läget {mode}",
        "all of": "allt detta stämmer",
        "one of": "minst ett av detta stämmer",
        "for": "{what} i {window} i sträck",
        "for lead": "i {window} i sträck",
        "not for lead": "inte utan avbrott {last}",
        "within": "{what} någon gång {last}",
        "within lead": "någon gång {last}",
        "not within lead": "inte en enda gång {last}",
        "since": "{part}, ända sedan det ögonblick då {anchor}",
        "since lead": "det andra har gällt utan avbrott ända sedan det första",
        "since first": "det första",
        "since second": "det andra",
        "not since": "det stämmer inte att",
        "not since lead": "det stämmer inte att det andra har gällt utan avbrott ända sedan det första",
        "last": "de senaste {window}",
        "last 1 s": "den senaste sekunden",
        "last 1 min": "den senaste minuten",
        "last 1 h": "den senaste timmen",
        "last 1 d": "det senaste dygnet",
        "head": "{severity} till {parties}.",
        "head home": "{severity} som stannar i hemmet.",
        "no home": "Utan hem: roller står för sensorer, och värden är de förvalda.",
        "raised": "Regeln löser ut när",
        "ends": "Det är över när",
        "ends held": "Det är över när någon som fått veta det har kvitterat, och",
        "ends itself": "Det är över så snart det inte längre stämmer.",
        "ends itself held": "Det är över när det inte längre stämmer och någon som fått veta har kvitterat.",
        "stays": "Det är inte över så länge det som löste ut regeln stämmer.",
        "steps": "Vad som görs under tiden",
        "at once": "genast",
        "after": "efter {window}",
        "at end": "när det är över",
        "say": 'sägs i hemmet: "{text}"',
        "tell": "{parties} får veta det, om ingen har kvitterat",
        "tell many": "{parties} får veta det, om ingen har kvitterat",
        "tell end": "{parties} får veta att det är över",
        "tell end many": "{parties} får veta att det är över",
        "tell nobody": "ingen får veta det",
        "video": "en titt genom kameran {camera} erbjuds",
        "set mode": "hemmet sätts i läget {mode}",
        "again and again": "{what}; sammanlagt {times} gånger med {every} mellanrum",
        "left out": "{step} (utgår: {role} är inte kopplad)",
        "nothing": "ingenting",
        "ack": "När någon kvitterar",
        "ack quiet": "Den som kvitterat får inte veta mer förrän det är över; kvittensen avslutar ingenting.",
        "ack again": "Pågår det fortfarande {again} senare får alla veta det på nytt, som från början.",
        "ack for good": "Kvittensen gäller tills det är över.",
        "ack held": "Det är aldrig över innan någon har kvitterat.",
        "silence": "När en sensor är tyst eller trasig",
        "limit": "{name} räknas som tyst efter {limit} utan livstecken",
        "no limit": "{name} räknas aldrig som tyst (den har tråd, eller så säger home.yaml det)",
        "silent fine": "utan {name} kan regeln ändå lösa ut",
        "silent blind": "utan {name} kan regeln i längden inte lösa ut",
        "silent stale": "är {name} tyst kan regeln ändå lösa ut, är {name} trasig kan den inte det",
        "silent unknown": "är {name} trasig kan regeln ändå lösa ut, är {name} tyst kan den inte det",
        "blind": "Kan det på {grace} inte avgöras om regeln ska lösa ut får {parties} veta att den är blind.",
        "blind clock": "Regeln är blind också när klockan inte går att lita på.",
        "silent end": "Bara tystnad gör aldrig att det är över.",
        "silent ends": "Det kan vara över också medan sensorerna är tysta.",
        "cut": "Efter ett strömavbrott",
        "bridged": "Varade det högst {bridge}: allt fortsätter som om inget hänt; det som försenats görs då.",
        "longer": "Varade det längre: inget är känt om någon sensor förrän den har hörts igen.",
        "no bridge": "Inget är känt om någon sensor förrän den har hörts igen.",
        "sensors": "Sensorer och utgångar",
        "not bound": "inte kopplad",
        "many": "{kinds}; en eller flera",
        "may stay unbound": "{kinds}; får vara okopplad",
        "values": "Värden",
        "range": "{value}; får vara {low} till {high}",
        "least": "{value}; minst {low}",
        "most": "{value}; högst {high}",
        "default": "{value}; utan inställning {default}",
    },
    {"info": "Ett meddelande", "warning": "En varning", "alarm": "Ett larm"},
    {"care": "hemtjänsten", "property": "hyresvärden", "resident": "den boende", "operator": "driften"},
    {"home": "hemma", "away": "bortrest", "hospital": "sjukhus", "visit": "besök", "night": "natt",
     "service": "service"},
)  # fmt: skip
LANGUAGES = {"sv": SWEDISH, "en": ENGLISH}
