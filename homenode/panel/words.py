"""What the resident reads on the panel, in Swedish and English (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from homenode.panel.things import State

LANGUAGES = ("sv", "en")

WORDS: Mapping[str, tuple[str, str]] = {
    # things
    "stove": ("Spisen", "Stove"),
    "iron": ("Strykjärnet", "Iron"),
    "coffee": ("Kaffebryggaren", "Coffee maker"),
    "plug": ("Apparaten", "Appliance"),
    "door": ("Dörren", "Door"),
    "front_door": ("Ytterdörren", "Front door"),
    "balcony_door": ("Balkongdörren", "Balcony door"),
    "window": ("Fönstret", "Window"),
    "fridge": ("Kylskåpet", "Fridge"),
    "lock": ("Låset", "Lock"),
    "water": ("Golvet", "Floor"),
    "unknown": ("vet inte", "don't know"),
    "just": ("nyss på", "on just now"),
    # the whole
    "all_off": ("Allt är av och stängt", "All is off and shut"),
    "see_to": ("Se efter", "See to"),
    "not_sure": ("Vet inte allt", "Not sure"),
    "nothing": ("Ingenting att visa", "Nothing to show"),
    "no_contact": ("Ingen kontakt", "No contact"),
    "no_contact_more": (
        "Panelen hör inget från hemmets dator. Se efter själv.",
        "The panel hears nothing from the home's computer. Please look yourself.",
    ),
    "no_link": (
        "Just nu når hemmet inte hemtjänsten.",
        "Right now the home can't reach home care.",
    ),
    "service": ("Service pågår: larm är prov", "Service: alerts are tests"),
    "things": ("Hemmet", "The home"),
    "panel": ("Panelen", "The panel"),
    "other_language": ("English", "Svenska"),
    # alerts
    "alerts": ("Larm och påminnelser", "Alerts and reminders"),
    "ok": ("Jag mår bra", "I'm all right"),
    "answered": ("Du har svarat.", "You have answered."),
    "answered_alarm": (
        "Du har svarat. Fortsätter det får hemtjänsten veta.",
        "You have answered. If it goes on, home care is told.",
    ),
    "told": ("Hemtjänsten har fått veta.", "Home care has been told."),
    "told_property": ("Hyresvärden har fått veta.", "The landlord has been told."),
    "seen_to": ("Någon tar hand om det.", "Somebody is seeing to it."),
    "will_be_told": ("Hemtjänsten får veta.", "Home care will be told."),
    "something_new": (
        "Något nytt har hänt: läs en gång till.",
        "Something new has happened: please read again.",
    ),
    # leaving
    "leave": ("Jag går ut", "I'm leaving"),
    "back": ("Jag är hemma", "I'm home again"),
    "before_you_go": ("Innan du går", "Before you go"),
    "mode_away": ("Du är ute", "You are out"),
    "mode_hospital": ("Du är på sjukhus", "You are in hospital"),
    "mode_visit": ("Du har besök", "You have a visitor"),
    "mode_other": ("Läge: {mode}", "Mode: {mode}"),
    # camera
    "camera": ("Kameran", "The camera"),
    "camera_off": ("Kameran är av", "The camera is off"),
    "camera_ending": ("Kameran stängs av", "The camera is being switched off"),
    "camera_on": ("Kameran är på", "The camera is on"),
    "looks": ("{by} tittar nu: {room}", "{by} is looking now: {room}"),
    "may_look": ("Får {by} titta: {room}?", "May {by} look: {room}?"),
    "why": ("Varför: {reason}", "Why: {reason}"),
    "how": ("Så syns det: {view}", "As: {view}"),
    "until": ("Till {time}", "Until {time}"),
    "silhouette": ("bara en skugga", "a shadow only"),
    "blurred": ("suddigt", "blurred"),
    "clear": ("tydligt", "clearly"),
    "stop": ("Sluta titta", "Stop looking"),
    "yes": ("Ja", "Yes"),
    "no": ("Nej", "No"),
    "who_looked": ("Vem har tittat?", "Who looked?"),
    "nobody_looked": ("Ingen har tittat.", "Nobody has looked."),
    "looked": ("{by} tittade: {room}, {view}", "{by} looked: {room}, {view}"),
    "saw_nothing": ("{by} såg ingenting: {room}", "{by} saw nothing: {room}"),
    "not_allowed": ("{by} fick inte titta: {room}", "{by} was not allowed to look: {room}"),
    "you_stopped": ("Du sa stopp.", "You stopped it."),
    "you_refused": ("Du sa nej.", "You said no."),
    "no_answer": ("Du svarade inte.", "You didn't answer."),
    "close": ("Stäng", "Close"),
    "by_care": ("{by}, hemtjänsten", "{by}, home care"),
    # doing
    "not_done": ("Det gick inte: försök igen", "That didn't work: try again"),
    "not_known": (
        "Vet inte om det gick fram: se efter, och försök igen",
        "Not known whether that got through: look, and try again",
    ),
    "too_many": ("Vänta en stund", "Please wait a little"),
    # pairing
    "pair": ("Koppla panelen", "Pair this panel"),
    "pair_how": (
        "Skriv koden som ”homenode panel pair” visar vid hemmets dator.",
        "Type the code that “homenode panel pair” shows at the home's computer.",
    ),
    "code": ("Kod", "Code"),
    "erase": ("Sudda", "Erase"),
    "code_wrong": ("Fel kod, eller för gammal", "Wrong code, or too old"),
    "code_over": (
        "Koden gäller inte längre. Ta fram en ny: ”homenode panel pair” vid hemmets dator.",
        "The code is worth nothing any more. Make a new one: “homenode panel pair” at the home's computer.",
    ),
    "code_wait": ("För många försök: vänta fem minuter", "Too many tries: wait five minutes"),
    # before there is a home
    "no_home": ("Dosan har inget hem än", "The box has no home yet"),
    "serial": ("Serienummer", "Serial number"),
    "fingerprint": ("Nyckel", "Key"),
    "pair_first": ("Panelen är inte kopplad", "This panel is not paired"),
}
_IS: Mapping[str, Mapping[State, tuple[str, str]]] = {
    "door": {State.OFF: ("stängd", "shut"), State.ON: ("öppen", "open")},
    "window": {State.OFF: ("stängt", "shut"), State.ON: ("öppet", "open")},
    "fridge": {State.OFF: ("stängt", "shut"), State.ON: ("öppet", "open")},
    "lock": {State.OFF: ("låst", "locked"), State.ON: ("olåst", "unlocked")},
    "water": {State.OFF: ("torrt", "dry"), State.ON: ("blött", "wet")},
}
_APPLIANCE: Mapping[State, tuple[str, str]] = {State.OFF: ("av", "off"), State.ON: ("på", "on")}
DAYS: Mapping[str, tuple[str, ...]] = {
    "sv": ("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def say(key: str, language: str, **more: object) -> str:
    """A text in that language."""
    return WORDS[key][LANGUAGES.index(language)].format(**more)


def word_of(symbol: str, state: State, language: str) -> str:
    """What a thing is: ``öppen``, ``på``, ``vet inte``."""
    if state in (State.UNKNOWN, State.JUST):
        return say(state.value, language)
    return _IS.get(symbol, _APPLIANCE)[state][LANGUAGES.index(language)]


PAGE_WORDS = (
    "all_off", "see_to", "not_sure", "no_contact", "no_contact_more", "unknown", "things", "panel", "alerts",
    "ok", "leave", "back", "camera", "stop", "yes", "no", "who_looked", "close", "not_known", "pair",
    "pair_how", "code", "erase", "pair_first", "other_language",
)  # fmt: skip
"""Those that the page itself needs, also when it hears nothing any more."""
