"""What is fuzzed: each takes the bytes of a file, and may refuse them in plain words, nothing else."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from homenode.config.check import check_home
from homenode.config.rule_files import shipped_folder
from homenode.errors import FileMistakes
from homenode.replay import replay

FOLDER = Path(tempfile.mkdtemp(prefix="homenode-fuzz-"))
"""In memory where the machine has /tmp there; holds the one file that is read."""

HOME = """\
home: fuzz
timezone: Europe/Stockholm
broker: {url: "mqtt://broker.example"}
radios: {zigbee: {driver: zigbee, port: /dev/null, adapter: ezsp}}
devices:
  stove: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen, is: stove}
  eye: {via: zigbee, ieee: "00:15:8d:00:02:aa:bb:02", room: kitchen}
  door: {driver: gpio, pin: 17, kind: contact, room: hall}
  help: {driver: gpio, pin: 27, kind: button, room: hall, pull: up, active: low, debounce: 0.05 s}
  box: {driver: gpio, pin: 22, kind: light, room: hall, stale_after: 2 h}
rules:
  - {use: stove_left_on, bind: {stove: stove.power, presence: [eye.motion]}, set: {alone: 15 min}}
  - {use: door_open_at_night, bind: {door: door.contact}}
  - {use: help_button, bind: {button: help.button}}
  - use: own
    as: mine
    bind: {a: door.contact, b: help.button, n: stove.power, many: [door.contact, eye.motion], lamp: box.light}
modes: {away: {longest: 2 d}, night: {from: 22:00, to: 06:00}, guest: {}}
share: {property: ["*.battery", door.contact]}
resident: {ok: help.button}
cameras: {bed: {room: bedroom, source: "/dev/video0"}}
clock: {trust: always}
"""
RULE = """\
rule: own
version: 2
severity: warning
to: [care, property]
roles:
  a: {kind: [contact, motion]}
  b: {kind: button}
  n: {kind: power}
  many: {kind: [contact, motion], many: true}
  lamp: {kind: light, optional: true}
parameters:
  hot: {default: 50 W, min: 10 W, max: 500 W}
  long: {default: 20 min, min: 1 s, max: 2 h}
  from: {default: 22:00}
when: >-
  ((n > $hot within 8 min) for $long and not any(many) within $long) or count(a, 1 h) >= 3
  or (a since b) and between $from and 06:00 or mode == away and n is stale or all(many changes)
clear: (not a) for 1 min 30 s and not (n is unknown)
bridge: 15 min
grace: 10 min
again: $long
hold: acknowledged
steps:
  - {after: 0 s, do: say, text: {sv: "Hej {long}", en: "Hello"}}
  - {after: 2 min, do: light, role: lamp, to: on}
  - {after: 3 min, do: notify, every: 1 h, times: 3, to: [care]}
  - {at: resolve, do: light, role: lamp, to: off}
says: {sv: "Något {hot}", en: "Something {hot}"}
"""
TRACE = """\
{"at": "2026-03-29T01:59:03.250+01:00", "point": "stove.power", "value": 1420}
{"at": "2026-03-29T03:00:00+02:00", "point": "eye.motion", "value": true}
{"at": "2026-03-29T03:00:00+02:00", "point": "help.button", "value": true}
{"at": "2026-03-29T03:10:00+02:00", "node": "down"}
{"at": "2026-03-29T03:12:00+02:00", "node": "up"}
{"at": "2026-03-29T03:13:00Z", "mode": "away"}
{"at": "2026-03-29T03:14:00Z", "ack": "mine"}
{"at": "2026-03-29T03:15:00Z", "point": "door.contact", "value": null}
{"at": "2026-03-29T23:15:00Z", "end": true}
"""
WORDS = """\
for within since and or not any( all( count( between mode== is stale unknown changes $long $hot 22:00 24:00
1min 9999999999d -1s 0s NaN 1e999 true null on >- | &a *a <<:*a !!python/object { } [ ] : - at point value
node down end +25:00 0000-01-01 9999-12-31T23:59:60Z"""
"""What libFuzzer puts in."""


def rule(data: bytes) -> None:
    """A rule file beside home.yaml, in the home that uses it."""
    _check(FOLDER / "rules" / "own.yaml", data)


def home(data: bytes) -> None:
    """home.yaml."""
    _check(FOLDER / "home.yaml", data)


def trace(data: bytes) -> None:
    """A recording for replay."""
    path = FOLDER / "trace.jsonl"
    path.write_bytes(data)
    for as_json in (True, False):
        out, err = io.StringIO(), io.StringIO()
        try:
            replay(FOLDER / "home.yaml", str(path), out, err, as_json)
        except FileMistakes:
            assert not out.getvalue(), "what is refused has printed nothing"


def _check(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    report = check_home(FOLDER / "home.yaml", files=False)
    assert all(mistake.line >= 0 and str(mistake) for mistake in report.mistakes)
    assert report.mistakes or report.home is not None


TARGETS: dict[str, Callable[[bytes], None]] = {"rule": rule, "home": home, "trace": trace}


def prepare() -> None:
    """The files that are not fuzzed."""
    (FOLDER / "rules").mkdir(exist_ok=True)
    (FOLDER / "home.yaml").write_text(HOME)
    (FOLDER / "rules" / "own.yaml").write_text(RULE)


def seeds(name: str) -> Iterator[bytes]:
    """What fuzzing begins with."""
    if name == "home":
        yield HOME.encode()
    elif name == "trace":
        yield TRACE.encode()
    else:
        yield RULE.encode()
        for path in sorted(shipped_folder().glob("*.yaml")):
            yield path.read_bytes()
