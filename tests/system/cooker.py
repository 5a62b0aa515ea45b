"""A home that watches its cooker by the current of each phase at one meter, however that meter is read."""

from __future__ import annotations

from pathlib import Path

HOME = """
home: meter-1
timezone: Europe/Stockholm
clock: {{trust: always}}
broker: {{url: "mqtt://127.0.0.1:{port}"}}
radios:
  wire: {radio}
devices:
  meter: {{via: wire, room: hall, {device}}}
rules:
  - {{use: cooker, bind: {{current: [meter.current, meter.current_2, meter.current_3]}}, set: {{on: {on}}}}}
share: {{care: ["meter.*"]}}
"""
COOKER = """
rule: cooker
version: 1
severity: alarm
to: [care]
roles:
  current: {kind: current, many: true}
parameters:
  on: {default: 5 A, min: 1 A, max: 16 A}
when: any(current > $on) for 1 s
clear: not any(current > $on)
steps:
  - {after: 0 s, do: notify}
says: {sv: "Spisen är på", en: "The stove is on"}
"""


def cooker_home(folder: Path, port: int, *, radio: str, device: str, on: str = "5 A") -> Path:
    """Its home.yaml and rule.

    Args:
        port: Of the broker.
        radio: What the meter is read by, and `device`, more fields of it, as home.yaml says them.
        on: A phase that carries more has the cooker on it.
    """
    (folder / "rules").mkdir()
    (folder / "rules/cooker.yaml").write_text(COOKER)
    home = folder / "home.yaml"
    home.write_text(HOME.format(port=port, radio=radio, device=device, on=on))
    return home
