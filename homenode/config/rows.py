"""The fields of home.yaml: the rows that the reader and the JSON Schema share."""

from __future__ import annotations

from homenode.config.durations import UNITS_MS
from homenode.config.fields import Field
from homenode.config.model import HOME_ID, LOOKERS, VIEWS
from homenode.config.values import WORD

_DAY_MS = UNITS_MS["d"]

LANGUAGES = ("sv", "en")
"""Those that every kind of point has a word in (`homenode.kinds`)."""

BOARDS = ("pi3", "pi4", "pi5", "zero2w")
BUSES = ("i2c1", "spi0", "w1", "uart0", "pcm")
"""Those of hardware/boards.yaml."""

TOP = (
    Field(
        "home",
        "text",
        "Id of the home; part of every topic.",
        required=True,
        pattern=HOME_ID,
        shown="1 to 40 of a-z, 0-9 and -, such as vaxjo-0412",
    ),
    Field(
        "timezone",
        "text",
        "Time zone of the home, by its IANA name.",
        required=True,
        pattern=r"[A-Za-z0-9_+/-]{1,64}",
        shown="a time zone such as Europe/Stockholm",
    ),
    Field(
        "language", "text", "Language in which the resident is spoken to.", default="sv", choices=LANGUAGES
    ),
    Field("board", "word", "The Raspberry Pi that pins and serial ports are of.", choices=BOARDS),
    Field("hats", "words", "Buses that HATs use, such as a clock or a UPS.", default=(), choices=BUSES),
    Field("drivers", "path", "Folder with drivers of one's own, a file each."),
)

SECTIONS = {
    "broker": "Where alerts go; without it they stay in the home.",
    "radios": "Radio sticks, each with its driver.",
    "devices": "The physical things, by name.",
    "rules": "The rules that are used, in order.",
    "share": "Raw readings that leave the home, by party. Nothing leaves that isn't listed.",
    "keys": "Public key of a party: what it is sent is encrypted, also for whoever runs the broker.",
    "modes": "How long each mode lasts, and what it comes by itself at; modes of one's own.",
    "clock": "Whether the machine's clock is trusted without a time service.",
    "resident": "How the resident answers.",
    "voice": "How what rules say is heard; by the first sound device, if absent.",
    "cameras": "Cameras, by name.",
    "video": "Care decisions on who may look through which camera when, by id.",
    "panel": "What the panel by the door shows, in this order; what it finds by itself, if absent.",
    "ice": "Relays for viewers outside; without it only the home's own network is used.",
    "machine": "What the machine is made of, where it can't tell by itself.",
    "export": "Other formats that shared readings are sent in; opt-in.",
}

SHORTEST_HEARTBEAT_MS, LONGEST_HEARTBEAT_MS = 5_000, 600_000
"""Link supervision at minute level is the Swedish agencies' conclusion; daily is too seldom."""
BROKER = (
    Field("username", "text", "User name at the broker.", default=""),
    Field("password_file", "path", "File that holds the password, and nothing else."),
    Field("ca", "path", "Certificate of who signed the broker's (PEM)."),
    Field("cert", "path", "This node's certificate (PEM)."),
    Field("key", "path", "Private key of the certificate (PEM)."),
    Field(
        "heartbeat",
        "duration",
        "Between two signs of life on the topic link; the operator may set it too.",
        default=60_000,
        low=SHORTEST_HEARTBEAT_MS,
        high=LONGEST_HEARTBEAT_MS,
    ),
)
INTERFACE = r"[^\s/]{1,15}"
"""As the kernel names network interfaces."""
LOST = (
    Field(
        "after",
        "duration",
        "Without a link for so long: a fault, the lamp, the voice.",
        default=120_000,
        low=10_000,
        high=_DAY_MS,
    ),
    Field(
        "lamp",
        "point",
        "Lit while there is no link.",
        shown="a lamp or socket of this home, such as hall_lamp.light",
    ),
    Field("say", "flag", "Say it once, where the home speaks; not in the mode night.", default=True),
)
LAMP_KINDS = ("light", "switch")

RADIO = (Field("driver", "word", "Driver of the radio.", required=True),)

DEVICE = (
    Field("via", "word", "Radio that it is heard through."),
    Field("driver", "word", "Driver of a wired device."),
    Field(
        "room",
        "text",
        "Room that it is in.",
        required=True,
        pattern=r".{1,60}",
        shown="a room such as kitchen, in at most 60 characters",
    ),
    Field("is", "text", "What it is, such as stove.", default="", pattern=r".{1,60}"),
    Field(
        "stale_after",
        "duration",
        "Silent longer than this, its last value is no longer believed.",
        choices=("never",),
        low=1,
    ),
    Field(
        "model",
        "text",
        "MANUFACTURER/MODEL, as pairing writes it.",
        default="",
        pattern=r"[^/]+/.+",
        shown="MANUFACTURER/MODEL, such as LUMI/lumi.sensor_magnet.aq2",
    ),
)

USE = (
    Field(
        "use",
        "word",
        "Name of the rule: rules/NAME.yaml beside home.yaml, else the shipped one.",
        required=True,
    ),
    Field("as", "word", "Name of this use; the rule's own name if not given."),
)
USE_TABLES = {
    "bind": "Role to the point, or list of points, that plays it.",
    "set": "Parameter to the value that replaces its default.",
}

MODE = (
    Field("longest", "duration", "After this the mode is home again.", low=1),
    Field("from", "time", "Begins by itself at this time, if the mode is home (night)."),
    Field("to", "time", "Ends by itself at this time (night)."),
    Field(
        "door",
        "point",
        "Comes by itself when this was used and then nobody is seen, for a day at most (away).",
        shown="the door that is used to go out, such as front_door.contact",
    ),
    Field(
        "after",
        "duration",
        "For so long nobody is seen after the door was used (away).",
        low=10 * 60_000,
        high=_DAY_MS,
    ),
)
DOOR_KINDS = ("contact", "lock")
QUIET_KINDS = ("motion", "occupancy", "vibration")
"""Kinds of `quiet`: true while somebody is seen."""
STANDARD_MODES: dict[str, int | None] = {
    "home": None,
    "away": 7 * _DAY_MS,
    "hospital": 90 * _DAY_MS,
    "visit": 12 * UNITS_MS["h"],
    "night": 14 * UNITS_MS["h"],
    "service": 2 * UNITS_MS["h"],
}
"""Mode to its longest duration in ms; None never ends."""

CLOCK = (
    Field(
        "trust",
        "word",
        "The clock is right at boot (demo, tests, a machine with an RTC).",
        choices=("always",),
    ),
)
MACHINE = (
    Field(
        "endurance_tb",
        "number",
        "Terabytes that the card takes by its data sheet (TBW), to reckon how worn it is by.",
        low=0.1,
        high=10_000,
    ),
)
RESIDENT = (
    Field(
        "ok", "point", "Button with which the resident answers.", shown="a button, such as bed_button.button"
    ),
    Field(
        "stop",
        "point",
        "Button with which the resident ends a look through a camera, or says no to one.",
        shown="a button, such as bed_button.button_3",
    ),
)
VOICE = (
    Field(
        "device",
        "text",
        "Sound device, as ALSA names it; none for a home without loudspeaker.",
        default="default",
        pattern=r"[^\s-]\S{0,99}",
        shown='a device that `aplay -L` lists, such as default or "plughw:CARD=Device,DEV=0", or none',
    ),
    Field("volume", "whole", "Loudness of the synthesised voice in %.", default=100, low=10, high=100),
    Field("rate", "whole", "Its speed in words a minute.", default=140, low=80, high=300),
    Field(
        "recordings",
        "path",
        "Folder with RULE.STEP.LANGUAGE.wav files, played instead of the synthesised voice.",
    ),
)
CAMERA = (
    Field(
        "room", "text", "Room that it sees.", required=True, pattern=r".{1,60}", shown="a room, such as hall"
    ),
    Field(
        "source",
        "text",
        "Where its picture comes from.",
        required=True,
        pattern=r"csi(:[0-3])?|/dev/\S+|rtsps?://[^@\s]+|file:\S+|scene",
        shown="csi (or csi:1), /dev/video0, rtsp://ADDRESS/… without a password, file:PATH or scene (a test)",
    ),
    Field("username", "text", "User name at a camera on the network.", default=""),
    Field("password_file", "path", "File that holds its password, and nothing else."),
    Field(
        "lamp",
        "point",
        "Lamp that it sees in the dark by, on a pin; lit during a session only.",
        default="",
        shown="a lamp on a pin of this node, such as bedroom_ir.light",
    ),
    Field(
        "indicator",
        "point",
        "Light that tells the resident that somebody may look; a decision needs it.",
        default="",
        shown="a lamp or socket of this home, such as bedroom_sign.light",
    ),
    Field("enhance", "flag", "Make a dark picture brighter.", default=True),
)
VIDEO = (
    Field("party", "word", "Who may look.", default=LOOKERS[0], choices=LOOKERS),
    Field("cameras", "words", "Cameras that it is for.", required=True, default=()),
    Field("from", "day", "First day.", required=True),
    Field("to", "day", "Last day.", required=True),
    Field("hours", "hours", "Hours of the day; always, if absent."),
    Field("modes", "words", "Modes of the home in which it holds; each, if absent.", default=()),
    Field("views", "words", "What may be seen, the least first.", required=True, default=(), choices=VIEWS),
    Field(
        "ask",
        "word",
        "Whether the resident is asked each time.",
        required=True,
        choices=("yes", "never"),
        shown="yes (each time), or never (nobody is asked or woken; the light tells)",
    ),
    Field(
        "no_answer",
        "word",
        "What it counts as if the resident doesn't answer.",
        default="refuse",
        choices=("refuse", "grant"),
    ),
    Field(
        "answer_within",
        "duration",
        "For so long the resident may answer.",
        default=30_000,
        low=5_000,
        high=300_000,
    ),
    Field(
        "announce",
        "word",
        "How it is told in the home that somebody looks; the light is always lit.",
        default="voice",
        choices=("voice", "light"),
    ),
    Field("longest", "duration", "Of one session.", default=120_000, low=5_000, high=UNITS_MS["h"]),
)
ICE = (
    Field("username", "text", "User name at the relay.", default=""),
    Field("password_file", "path", "File that holds the password, and nothing else."),
)
SYMBOLS = ("stove", "iron", "coffee", "plug", "door", "window", "fridge", "lock", "water")
PANEL_KINDS = ("contact", "lock", "water", "power", "current", "switch", "light")
PANEL = (
    Field("name", "text", "What it is called; by its symbol, if absent.", default="", pattern=r".{1,40}"),
    Field("symbol", "word", "How it is drawn; found by what the device is, if absent.", choices=SYMBOLS),
    Field("above", "number", "Power (W) or current (A) above which it is on.", low=0.0),
    Field(
        "hold",
        "duration",
        "For so long it is not known to be off after it was on: a thermostat pauses.",
        low=0,
        high=_DAY_MS,
    ),
)
ICE_URL = r"(stun|turns?):[^\s/@]+"
EXPORT = (
    Field(
        "homeassistant",
        "text",
        "Topic prefix of Home Assistant's discovery.",
        pattern=r"(?!hn1(?:/|$)|\$)(?:[^#+/\x00-\x1f]{1,60})(?:/[^#+/\x00-\x1f]{1,60}){0,3}",
        shown="a topic prefix such as homeassistant, without # and +, not hn1",
    ),
)

NAME = Field("name", "word", "A name.", pattern=WORD, shown="1 to 64 of a-z, 0-9, _ and -")
