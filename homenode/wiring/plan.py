"""The plan of a flat: which terminal of the node goes to which of a sensor, through what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from homenode.boards import Board, Boards, Bus, boards
from homenode.config.header import SERIAL
from homenode.config.model import Device, Home
from homenode.wiring.circuits import Across, Circuit, Circuits, Wire, circuits
from homenode.wiring.power import Budget, Part, budget, data, parts_of

SERIAL_PLACES = ("uart", "usb")
NO_BUS = Bus("", "", {})
_PORT = re.compile(rf"{SERIAL.pattern}$|/dev/(?:serial/by-id/|serial/by-path/|ttyUSB|ttyACM)")
USUAL_BOARD = "zero2w"
"""Drawn where home.yaml names none: the header is the same on all."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a wire begins at the node. `physical`: pin of the header, 0 for what is beside it."""

    label: str
    physical: int = 0


@dataclass(frozen=True, slots=True)
class Strip:
    """One sensor or output, or one phase of it, with its wires; `terminals` are in their order.

    Attributes:
        what: Its place at the node, such as ``GPIO 17``.
        contact: ``NC`` or ``NO``, for what has a contact.
    """

    device: Device
    label: str
    kind: str
    circuit: Circuit
    what: str
    wires: tuple[Wire, ...]
    terminals: tuple[Terminal, ...]
    across: tuple[Across, ...]
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A converter. `wires`: its terminal to that of the header."""

    label: str
    wires: tuple[tuple[str, Terminal], ...]
    used: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a technician needs.

    Attributes:
        uses: Physical pin to what is on it.
        unwired: Devices that are heard by radio or network.
        unknown: Wired devices of which no circuit is known.
    """

    home: Home
    board: Board
    known: Boards
    strips: tuple[Strip, ...]
    chips: tuple[Chip, ...]
    uses: Mapping[int, str]
    parts: tuple[Part, ...]
    budget: Budget
    unwired: tuple[Device, ...]
    unknown: tuple[Device, ...]


def plan(home: Home) -> Plan:
    """The plan of a home.yaml without mistakes."""
    known, drawn = boards(), circuits()
    board = known.boards[home.board or USUAL_BOARD]
    strips: list[Strip] = []
    unknown: list[Device] = []
    once: set[str] = set()
    ports: set[str] = set()
    for device in home.devices.values():
        on, kind, bus = _place(device, home, board, ports)
        if not on:
            continue
        circuit = drawn.of(on, kind)
        if circuit is None or bus is None:
            unknown.append(device)
        elif on in SERIAL_PLACES:
            strips.append(_serial(device, circuit, bus, known))
        else:
            strips += _strips(device, circuit, known, drawn, once)
            once.add(circuit.word)
    chips = tuple(_chips(home, known, drawn))
    wired = {strip.device.name for strip in strips} | {device.name for device in unknown}
    parts = parts_of(home, board, [(strip.device, strip.circuit) for strip in strips], drawn)
    return Plan(
        home,
        board,
        known,
        tuple(strips),
        chips,
        _uses(home, strips, chips, known),
        parts,
        budget(board, known.limits, parts, [strip.circuit for strip in strips], _converters(home, drawn)),
        tuple(device for device in home.devices.values() if device.name not in wired),
        tuple(unknown),
    )


def _place(device: Device, home: Home, board: Board, ports: set[str]) -> tuple[str, str, Bus | None]:
    """Where a device is wired, its kind or its driver, and its serial port; "" if it is wired nowhere.

    Args:
        ports: Serial ports that are drawn already; several devices may be behind one.
    """
    for place in "pin", "adc", "sensor":
        if device.options.get(place) is not None:
            return place, str(device.options.get("kind")), NO_BUS
    options = home.radios[device.via].options if device.via else device.options
    port = next((str(value) for value in options.values() if _PORT.match(str(value))), "")
    if not port or port in ports or device.driver in data()["radios"]:
        return "", "", None
    ports.add(port)
    if not SERIAL.fullmatch(port):
        return "usb", device.driver, NO_BUS
    bus = board.serial.get(port)
    return "uart", device.driver, bus if bus and bus.pins else None


def _serial(device: Device, circuit: Circuit, bus: Bus, known: Boards) -> Strip:
    pins = {role: Terminal(f"GPIO {pin}", known.physical(pin)) for pin, role in bus.pins.items()}
    signal = pins.get("RXD", Terminal("USB"))
    own = {"signal": signal, "USB": signal, "TXD": pins.get("TXD", signal)}
    terminals = tuple(own.get(wire.start) or _terminal(wire.start, signal, known) for wire in circuit.wires)
    kind = next(iter(device.kinds or ()), "")
    return Strip(device, device.name, kind, circuit, signal.label, circuit.wires, terminals, circuit.across)


def _strips(
    device: Device, circuit: Circuit, known: Boards, drawn: Circuits, once: set[str]
) -> Iterator[Strip]:
    options = device.options
    phases = int(options.get("phases") or 1)
    active = options.get("active") or ("high" if str(options["kind"]) in circuit.closed else "low")
    contact = ("NC" if active == "high" else "NO") if _has_contact(circuit) else ""
    wires = tuple(replace(wire, to=wire.to.format(contact=contact)) for wire in circuit.wires)
    across = tuple(part for part in circuit.across if not (part.once and circuit.word in once))
    for phase in range(phases):
        signal = _signal(device, phase, known, drawn)
        terminals = tuple(_terminal(wire.start, signal, known) for wire in circuit.wires)
        label = f"{device.name} L{phase + 1}" if phases > 1 else device.name
        kind = str(options["kind"]) + (f"_{phase + 1}" if phase else "")
        yield Strip(device, label, kind, circuit, signal.label, wires, terminals, across, contact)


def _has_contact(circuit: Circuit) -> bool:
    return "{contact}" in "".join((*(wire.to for wire in circuit.wires), *circuit.ends.values()))


def _signal(device: Device, phase: int, known: Boards, drawn: Circuits) -> Terminal:
    options = device.options
    if options.get("adc"):
        converter = drawn.converters[options["adc"]]
        number = int(options.get("chip") or 0)
        return Terminal(f"{converter.name} {number} · {converter.channels[int(options['channel']) + phase]}")
    pin = 4 if options.get("sensor") else int(options["pin"])
    return Terminal(f"GPIO {pin}", known.physical(pin))


def _terminal(start: str, signal: Terminal, known: Boards) -> Terminal:
    if start in ("signal", "DATA"):
        return signal
    return Terminal("M", 0) if start == "MID" else _rail(start, signal.physical, known)


def _rail(name: str, near: int, known: Boards) -> Terminal:
    """The nearest pin of a rail."""
    pins = [number for number, what in known.header.items() if what == name]
    return Terminal(name, min(pins, key=lambda number: abs(number - near)))


def _chips(home: Home, known: Boards, drawn: Circuits) -> Iterator[Chip]:
    used: dict[tuple[str, int], dict[str, str]] = {}
    for device in home.devices.values():
        options = device.options
        if options.get("adc"):
            channels = drawn.converters[options["adc"]].channels
            place = used.setdefault((options["adc"], int(options.get("chip") or 0)), {})
            for phase in range(int(options.get("phases") or 1)):
                place[channels[int(options["channel"]) + phase]] = device.name
    roles = {role: pin for bus in known.buses.values() for pin, role in bus.pins.items()}
    for (word, number), channels_used in sorted(used.items()):
        converter = drawn.converters[word]
        address = converter.addresses[number] if converter.addresses else ""
        wires: list[tuple[str, Terminal]] = []
        for terminal, said in converter.terminals.items():
            goal = said.format(chip=number, address=address)
            if goal in roles:
                wires.append((terminal, Terminal(f"GPIO {roles[goal]} {goal}", known.physical(roles[goal]))))
            else:
                wires.append((terminal, _rail(goal, 1 if goal == "3V3" else 25, known)))
        yield Chip(f"{converter.name} {number}", tuple(wires), channels_used)


def _several(names: Sequence[str]) -> str:
    """``MCP3008 0, MCP3008 1`` is ``MCP3008 0+1``."""
    numbers: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        word, _, number = name.partition(" ")
        numbers.setdefault(word, []).append(number)
    return ", ".join(" ".join(filter(None, (word, "+".join(of)))) for word, of in numbers.items())


def _converters(home: Home, drawn: Circuits) -> list[float]:
    """mA of 3V3 of each converter."""
    chips = {(o["adc"], o.get("chip") or 0) for d in home.devices.values() if (o := d.options).get("adc")}
    return [drawn.converters[adc].rail_3v3_ma for adc, _ in chips]


def _uses(home: Home, strips: list[Strip], chips: tuple[Chip, ...], known: Boards) -> dict[int, str]:
    buses: dict[int, tuple[str, list[str]]] = {}
    for hat in home.hats:
        for pin, role in known.buses[hat].pins.items():
            buses[known.physical(pin)] = role, ["HAT"]
    for chip in chips:
        for _, at in chip.wires:
            role = at.label.rpartition(" ")[2]
            if at.label.startswith("GPIO"):
                buses.setdefault(at.physical, (role, []))[1].append(chip.label)
    uses = {physical: f"{role}: {_several(on)}" for physical, (role, on) in buses.items()}
    for strip in strips:
        for place in strip.terminals:
            if place.physical and place.label.startswith("GPIO"):
                uses[place.physical] = "1-Wire" if strip.circuit.on == "sensor" else strip.device.name
    return uses
