"""The words of a plan, in Swedish and English."""

from __future__ import annotations

from collections.abc import Mapping

from homenode.wiring.circuits import Said

WORDS: Mapping[str, Said] = {
    "plan": {"sv": "Kopplingsplan", "en": "Wiring plan"},
    "header": {
        "sv": "Stiftlisten, sedd uppifrån; stift 1 har en fyrkantig löddyna",
        "en": "The header from above; pin 1 is square",
    },
    "node_box": {"sv": "I nodens dosa", "en": "In the node's box"},
    "cable": {"sv": "Kabel", "en": "Cable"},
    "sensor_box": {"sv": "I givarens dosa", "en": "In the sensor's box"},
    "contact": {"sv": "kontakt", "en": "contact"},
    "wire": {"sv": "{colour} ledare", "en": "{colour} wire"},
    "terminal": {"sv": "Nodens plint", "en": "Node's terminal"},
    "in": {"sv": "Vid noden", "en": "At the node"},
    "colour": {"sv": "Ledare", "en": "Wire"},
    "out": {"sv": "Vid givaren", "en": "At the sensor"},
    "to": {"sv": "Givarens plint", "en": "Sensor's terminal"},
    "pin": {"sv": "stift", "en": "pin"},
    "between": {"sv": "mellan", "en": "between"},
    "and": {"sv": "och", "en": "and"},
    "node_side": {"sv": "vid noden", "en": "at the node"},
    "sensor_side": {"sv": "i givarens dosa", "en": "in the sensor's box"},
    "middle": {
        "sv": "M är mitten av 3V3; en för alla tänger på en omvandlare",
        "en": "M is the middle of 3V3; one for all clamps of a converter",
    },
    "rails": {
        "sv": "3V3, 5V och GND dras till varsin skena av kopplingsklämmor; varje GND på stiftlisten är "
        "densamma.",
        "en": "Lead 3V3, 5V and GND to a rail of connectors each; every GND of the header is the same.",
    },
    "chips": {"sv": "Omvandlare", "en": "Converters"},
    "free": {"sv": "fri", "en": "free"},
    "parts": {"sv": "Delar", "en": "Parts"},
    "sum": {"sv": "Summa", "en": "Sum"},
    "price": {
        "sv": "SEK med moms; vår uppskattning {date}, ingen offert",
        "en": "SEK with VAT; our estimate of {date}, no offer",
    },
    "power": {"sv": "Ström, mest på en gång", "en": "Power, most at once"},
    "own": {"sv": "kortet självt", "en": "the board itself"},
    "parts_5v": {"sv": "delar på 5 V", "en": "parts on 5 V"},
    "rail_3v3": {"sv": "delar på 3V3", "en": "parts on 3V3"},
    "on_pins": {"sv": "ur alla GPIO", "en": "out of all GPIOs"},
    "on_one": {"sv": "ur en GPIO", "en": "out of one GPIO"},
    "supply": {"sv": "av nätdelen", "en": "of the supply"},
    "of": {"sv": "av", "en": "of"},
    "too_much": {
        "sv": "FÖR MYCKET: sätt delarna på en egen nätdel",
        "en": "TOO MUCH: give the parts a supply of their own",
    },
    "ups": {
        "sv": "En UPS på 20 Wh räcker ungefär {hours:.0f} h",
        "en": "A UPS of 20 Wh lasts about {hours:.0f} h",
    },
    "clock": {
        "sv": "Kortet har ingen klocka: med en DS3231 (hats: [i2c1]) stämmer tiden efter ett "
        "strömavbrott utan nät",
        "en": "The board has no clock: with a DS3231 (hats: [i2c1]) the time is right after a power "
        "cut offline",
    },
    "own_clock": {
        "sv": "Kortets egen klocka behöver en cell på kontakten J5",
        "en": "The board's own clock needs a cell on its connector J5",
    },
    "blind": {"sv": "Vad ingen märker", "en": "What nobody notices"},
    "try": {
        "sv": "Prova varje kabel: dra ur den och läs `homenode status`. På en övervakad slinga ska det "
        "stå okänt.",
        "en": "Try each cable: pull it out and read `homenode status`. On a supervised loop it must "
        "say unknown.",
    },
    "mains": {
        "sv": "230 V är elektrikerns arbete. Inget som lämnar dosan är anslutet till nätet.",
        "en": "230 V is an electrician's work. Nothing that leaves the box is connected to the mains.",
    },
    "unwired": {"sv": "Utan kabel", "en": "Without a cable"},
    "unknown": {
        "sv": "Koppling okänd, se drivrutinens sida",
        "en": "Circuit not known, see the driver's page",
    },
    "nothing": {"sv": "Inget är kopplat till stiftlisten.", "en": "Nothing is wired to the header."},
    "board_assumed": {
        "sv": "home.yaml nämner inget kort (board:)",
        "en": "home.yaml names no board (board:)",
    },
}


def word(key: str, language: str, **values: object) -> str:
    """A word or sentence."""
    text = WORDS[key][language]
    return text.format(**values) if values else text
