"""The words of a plan, in Swedish and English."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "plan": ("Kopplingsplan", "Wiring plan"),
    "header": (
        "Stiftlisten, sedd uppifrån; stift 1 har en fyrkantig löddyna",
        "The header from above; pin 1 is square",
    ),
    "node_box": ("I nodens dosa", "In the node's box"),
    "cable": ("Kabel", "Cable"),
    "sensor_box": ("I givarens dosa", "In the sensor's box"),
    "contact": ("kontakt", "contact"),
    "wire": ("{colour} ledare", "{colour} wire"),
    "terminal": ("Nodens plint", "Node's terminal"),
    "in": ("Vid noden", "At the node"),
    "colour": ("Ledare", "Wire"),
    "out": ("Vid givaren", "At the sensor"),
    "to": ("Givarens plint", "Sensor's terminal"),
    "pin": ("stift", "pin"),
    "between": ("mellan", "between"),
    "and": ("och", "and"),
    "node_side": ("vid noden", "at the node"),
    "sensor_side": ("i givarens dosa", "in the sensor's box"),
    "middle": (
        "M är mitten av 3V3; en för alla tänger på en omvandlare",
        "M is the middle of 3V3; one for all clamps of a converter",
    ),
    "rails": (
        "3V3, 5V och GND dras till varsin skena av kopplingsklämmor; varje GND på stiftlisten är densamma.",
        "Lead 3V3, 5V and GND to a rail of connectors each; every GND of the header is the same.",
    ),
    "chips": ("Omvandlare", "Converters"),
    "free": ("fri", "free"),
    "parts": ("Delar", "Parts"),
    "sum": ("Summa", "Sum"),
    "price": (
        "SEK med moms; vår uppskattning {date}, ingen offert",
        "SEK with VAT; our estimate of {date}, no offer",
    ),
    "power": ("Ström, mest på en gång", "Power, most at once"),
    "own": ("kortet självt", "the board itself"),
    "parts_5v": ("delar på 5 V", "parts on 5 V"),
    "rail_3v3": ("delar på 3V3", "parts on 3V3"),
    "on_pins": ("ur alla GPIO", "out of all GPIOs"),
    "on_one": ("ur en GPIO", "out of one GPIO"),
    "supply": ("av nätdelen", "of the supply"),
    "of": ("av", "of"),
    "too_much": (
        "FÖR MYCKET: sätt delarna på en egen nätdel",
        "TOO MUCH: give the parts a supply of their own",
    ),
    "ups": ("En UPS på 20 Wh räcker ungefär {hours:.0f} h", "A UPS of 20 Wh lasts about {hours:.0f} h"),
    "clock": (
        "Kortet har ingen klocka: med en DS3231 (hats: [i2c1]) stämmer tiden efter ett strömavbrott utan nät",
        "The board has no clock: with a DS3231 (hats: [i2c1]) the time is right after a power cut offline",
    ),
    "own_clock": (
        "Kortets egen klocka behöver en cell på kontakten J5",
        "The board's own clock needs a cell on its connector J5",
    ),
    "blind": ("Vad ingen märker", "What nobody notices"),
    "try": (
        "Prova varje kabel: dra ur den och läs `homenode status`. På en övervakad slinga ska det stå okänt.",
        "Try each cable: pull it out and read `homenode status`. On a supervised loop it must say unknown.",
    ),
    "mains": (
        "230 V är elektrikerns arbete. Inget som lämnar dosan är anslutet till nätet.",
        "230 V is an electrician's work. Nothing that leaves the box is connected to the mains.",
    ),
    "unwired": ("Utan kabel", "Without a cable"),
    "unknown": ("Koppling okänd, se drivrutinens sida", "Circuit not known, see the driver's page"),
    "nothing": ("Inget är kopplat till stiftlisten.", "Nothing is wired to the header."),
    "board_assumed": ("home.yaml nämner inget kort (board:)", "home.yaml names no board (board:)"),
}


def word(key: str, language: str, **values: object) -> str:
    """A word or sentence."""
    text = WORDS[key][language != "sv"]
    return text.format(**values) if values else text
