"""The homes of the rig: sensors, rules of one line each, and whom each rule is for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PARTIES = ("care", "property", "resident", "operator")


@dataclass(frozen=True)
class Sensor:
    """One point, the rule on it, and who must hear of it.

    Attributes:
        device, kind: Its point.
        on, off: Values that raise and that resolve.
        when: Of its rule; the role is named ``it``.
        hold_s: How long it must be on.
        to: The parties that are told; empty: it stays in the home.
    """

    device: str
    kind: str
    on: bool | float
    off: bool | float
    when: str
    hold_s: float
    severity: str
    to: tuple[str, ...]

    @property
    def rule(self) -> str:
        """The rule's name."""
        return f"{self.device}_rule"


SENSORS = (
    Sensor("sink", "water", True, False, "it", 0, "alarm", ("care", "property")),
    Sensor("hall_smoke", "smoke", True, False, "it", 0, "alarm", ("care", "resident")),
    Sensor("front_door", "contact", True, False, "it == open for 2 s", 2, "alarm", ("care",)),
    Sensor("hob", "power", 1500.0, 0.0, "it > 50 W for 1 s", 1, "warning", ("care", "resident")),
    Sensor("cellar", "temperature", 2.0, 19.0, "it < 5 °C", 0, "warning", ("property",)),
    Sensor("mains_in", "mains", False, True, "not it", 0, "info", ("resident",)),
    Sensor("diary", "contact", True, False, "it == open", 0, "info", ()),
)
RULE = """\
rule: {rule}
version: 1
severity: {severity}
to: [{to}]
roles:
  it: {{kind: {kind}}}
when: {when}
says: {{sv: "{device} i {home}", en: "{device} in {home}"}}
"""
HOME = """\
home: {home}
timezone: Europe/Stockholm
language: en
clock: {{trust: always}}
broker: {{url: "{url}", ca: {keys}/ca.pem, cert: {keys}/{home}.pem, key: {keys}/{home}.key}}
voice: {{device: none}}
radios:
  world: {{driver: chaos, socket: "{socket}"}}
devices:
{devices}
  meter: {{via: world, kind: power, room: hall}}
  meter_of_ours: {{via: world, kind: power, room: hall}}
rules:
{rules}
share: {{care: [meter.power]}}
"""
ENTRY = "[homenode.drivers]\nchaos = tests.chaos.driver:DRIVER\n"


def write(folder: Path, *, home: str, url: str, keys: Path, socket: Path) -> Path:
    """home.yaml with its rules, and in ``folder/site`` the driver as a technician's own package."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    for one in SENSORS:
        text = RULE.format(
            rule=one.rule, severity=one.severity, to=", ".join(one.to), kind=one.kind, when=one.when,
            device=one.device, home=home,
        )  # fmt: skip
        (folder / "rules" / f"{one.rule}.yaml").write_text(text)
    package = folder / "site" / "chaos_driver-1.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: chaos-driver\nVersion: 1\n")
    (package / "entry_points.txt").write_text(ENTRY)
    devices = [f"  {one.device}: {{via: world, kind: {one.kind}, room: hall}}" for one in SENSORS]
    rules = [f"  - {{use: {one.rule}, bind: {{it: {one.device}.{one.kind}}}}}" for one in SENSORS]
    text = HOME.format(
        home=home, url=url, keys=keys, socket=socket, devices="\n".join(devices), rules="\n".join(rules)
    )
    (folder / "home.yaml").write_text(text)
    return folder / "home.yaml"
