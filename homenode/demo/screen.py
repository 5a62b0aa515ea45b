"""What the demo shows: sensors, what the rules think, what arrived; live, or a line per event in a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table

from homenode.demo.receiver import Receiver
from homenode.gateway.ask import span
from homenode.kinds import kind_of

HIDDEN = ("link_quality", "battery", "tamper", "energy", "current", "voltage")
"""Points that say nothing in a demo."""
WIDE, HIGH = 100, 30
"""Columns and lines from which everything fits."""
_COLOUR = {"good": "green", "stale": "yellow", "unknown": "red"}
_VERDICT = {"TRUE": "bold red", "FALSE": "green", "UNKNOWN": "yellow"}
_EVENT = {"notified": "bold red", "resolved": "green", "acknowledged": "cyan"}


def told(body: Mapping[str, Any]) -> str:
    """One alert message in a line."""
    data = body["data"]
    at = data["at"][11:19]
    return f"{at} {data['event']:<12} {data['severity']:<7} {body['subject']}: {data['text'].get('en', '')}"


def at_home(event: Mapping[str, Any]) -> str:
    """What the node said or switched in the apartment, in a line; "" for other events."""
    at = str(event.get("at", ""))[11:19]
    if "say" in event:
        return f"{at} says: {event['say']}"
    if "switch" in event:
        return f"{at} switches {event['switch']} {'on' if event['to'] else 'off'}"
    return ""


def _is_hidden(point: str) -> bool:
    kind = kind_of(point)
    return kind is None or kind.name in HIDDEN


def picture(
    title: str, status: Mapping[str, Any], receiver: Receiver, done: Sequence[str], size: tuple[int, int]
) -> Group:
    """The whole screen, for so many columns and lines: on a small one, less, and first what arrived."""
    narrow, low = size[0] < WIDE, size[1] < HIGH
    sensors = Table(box=None, pad_edge=False, expand=True)
    for head in ("sensor", "says") if narrow else ("sensor", "says", "age", "room"):
        sensors.add_column(head, no_wrap=True)
    for point in status["points"]:
        if _is_hidden(point["point"]):
            continue
        colour = _COLOUR[point["quality"]]
        cells = (point["point"], f"[{colour}]{point['shown']}[/]", span(point["age_ms"]), point["room"])
        sensors.add_row(*cells[: 2 if narrow else None])
    rules = Table(box=None, pad_edge=False, expand=True)
    for head in ("rule", "thinks", "fires in" if narrow else "would fire in", "alert")[
        : 3 if narrow else None
    ]:
        rules.add_column(head, no_wrap=True)
    for rule in status["rules"]:
        left = span(rule["left_ms"]) if rule["verdict"] != "TRUE" else "now"
        colour = _VERDICT[rule["verdict"]]
        opened = "[bold red]open[/]" if rule["open"] else "-"
        shown = (rule["rule"], f"[{colour}]{rule['verdict']}[/]", left, opened)
        rules.add_row(*shown[: 3 if narrow else None])
    came = "\n".join(
        f"[{_EVENT.get(body['data']['event'], 'yellow')}]{told(body)}[/]" for _, body in receiver.recent
    )
    side = Table.grid(expand=True, padding=(0, 1))
    side.add_column(ratio=5)
    side.add_column(ratio=6)
    home = Panel("\n".join(done[-6:]) or "-", title="what the node says and does at home")
    right = Group(Panel(rules, title="what the rules think"), home)
    side.add_row(Panel(sensors, title="what the sensors say"), right)
    title = f"[bold]{title}[/]   {status['at'][:16].replace('T', ' ')}   link {status['link']['state']}"
    head = (
        f"what care received over MQTT: {len(receiver.alerts)} alert messages, {receiver.readings} readings"
    )
    arrived = Panel(came or "-", title=head)
    return Group(title, arrived, side) if low else Group(title, side, arrived)


class Log:
    """Where there is no terminal: each thing once, in a line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[str, str] = {}
        self._alerts = self._done = 0

    def update(self, title: str, status: Mapping[str, Any], receiver: Receiver, done: Sequence[str]) -> None:
        """Tell what is new."""
        at = status["at"][11:16]
        self._once("", title, f"--- {title}")
        for point in status["points"]:
            if not _is_hidden(point["point"]):
                self._once(point["point"], point["shown"], f"{at} sensor {point['point']} {point['shown']}")
        for rule in status["rules"]:
            pending = rule["verdict"] == "FALSE" and rule["left_ms"] is not None
            thinks = "counting" if pending else rule["verdict"]
            left = f", would fire in {span(rule['left_ms'])}" if pending else ""
            self._once(rule["rule"], thinks, f"{at} rule   {rule['rule']} {rule['verdict']}{left}")
        for line in done[self._done :]:
            self._done += 1
            self._console.print(f"{at} home   {line[9:]}", highlight=False, soft_wrap=True)
        for body in receiver.alerts[self._alerts :]:
            self._alerts += 1
            self._console.print(f"      MQTT   {told(body)}", highlight=False, soft_wrap=True)

    def _once(self, key: str, value: str, line: str) -> None:
        if self._shown.get(key) != value:
            self._shown[key] = value
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
