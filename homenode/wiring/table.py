"""A plan as text, for a terminal or a sheet of paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from homenode.kinds import kind_of
from homenode.wiring.circuits import circuits
from homenode.wiring.plan import Plan, Strip, Terminal
from homenode.wiring.power import priced
from homenode.wiring.words import word


def table(plan: Plan, language: str) -> str:
    """The whole plan."""
    return "\n".join(_lines(plan, language)) + "\n"


def _lines(plan: Plan, language: str) -> Iterator[str]:
    def say(key: str, **values: object) -> str:
        return word(key, language, **values)

    assumed = "" if plan.home.board else f" ({say('board_assumed')})"
    yield f"{say('plan')} {plan.home.home} · {plan.board.name}{assumed}"
    yield say("mains")
    yield ""
    if plan.strips or plan.chips:
        yield say("header")
        yield from header(plan)
        yield say("rails")
    else:
        yield say("nothing")
    for chip in plan.chips:
        yield ""
        yield f"{chip.label}"
        rows = [(terminal, shown(at, language)) for terminal, at in chip.wires]
        yield from columns(rows)
    for strip in plan.strips:
        yield ""
        yield from _strip(strip, language)
    if any(wire.start == "MID" for strip in plan.strips for wire in strip.wires):
        yield ""
        yield say("middle")
        yield f"  + 10 kΩ {say('between')} 3V3 {say('and')} M"
        yield f"  + 10 kΩ, 10 µF {say('between')} M {say('and')} GND"
    for key, devices in (("unwired", plan.unwired), ("unknown", plan.unknown)):
        if devices:
            yield ""
            yield f"{say(key)}: " + ", ".join(f"{device.name} ({device.room})" for device in devices)
    yield ""
    yield from _parts(plan, language)
    yield ""
    yield from _power(plan, language)
    yield ""
    yield from _blind(plan, language)
    if plan.strips:
        yield say("try")


def header(plan: Plan) -> Iterator[str]:
    """The forty pins, two a line, as they lie on the board."""
    labels = {n: f"GPIO {what}" if isinstance(what, int) else what for n, what in plan.known.header.items()}
    width = max(len(use) for use in (*plan.uses.values(), ""))
    for left in range(1, 41, 2):
        use = [plan.uses.get(left, ""), plan.uses.get(left + 1, "")]
        pins = f"{labels[left]:>7} {left:>2} │ {left + 1:<2} {labels[left + 1]:<7}"
        yield f"  {use[0]:>{width}} {pins} {use[1]}".rstrip()


def shown(terminal: Terminal, language: str) -> str:
    """A terminal as a person finds it."""
    if not terminal.physical:
        return terminal.label
    return f"{terminal.label}, {word('pin', language)} {terminal.physical}"


def title(strip: Strip, language: str) -> str:
    """Name, room, and what it is."""
    kind = kind_of(strip.kind)
    means = kind.called(language) if kind else strip.kind
    means = word("contact", language) if strip.kind == "contact" else means  # its word is that of true: open
    return f"{strip.label} · {strip.device.room} · {means} · {strip.circuit.name[language]}"


def ends(strip: Strip, language: str) -> str:
    """What stands at the far end."""
    return strip.circuit.ends[language].format(contact=strip.contact)


def across(strip: Strip, language: str) -> Iterator[str]:
    """The parts that lie between lines."""
    colours = circuits().colours

    def line(number: int, at: str) -> str:
        wire = strip.wires[number]
        return wire.to if at == "sensor" else word("wire", language, colour=colours[wire.colour][language])

    for part in strip.across:
        one = line(part.line, part.at)
        other = part.other if isinstance(part.other, str) else line(part.other, part.at)
        side = word("sensor_side" if part.at == "sensor" else "node_side", language)
        yield f"{part.value} {word('between', language)} {one} {word('and', language)} {other}, {side}"


def _strip(strip: Strip, language: str) -> Iterator[str]:
    yield f"{title(strip, language)} ({ends(strip, language)})"
    colours = circuits().colours
    rows = [tuple(word(key, language) for key in ("terminal", "in", "colour", "out", "to"))]
    for wire, terminal in zip(strip.wires, strip.terminals, strict=True):
        colour = colours[wire.colour][language]
        rows.append((shown(terminal, language), wire.inner or "–", colour, wire.outer or "–", wire.to))
    yield from columns(rows)
    for line in across(strip, language):
        yield f"  + {line}"


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows under each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _parts(plan: Plan, language: str) -> Iterator[str]:
    yield f"{word('parts', language)} ({word('price', language, date=priced().rpartition(' ')[2])})"
    rows = []
    low = high = 0
    for part in plan.parts:
        one, most = part.price_sek
        low, high = low + part.count * one, high + part.count * most
        named = f"{part.said[language]} ({part.standard})" if part.standard else part.said[language]
        rows.append((f"{part.count} ×", named, f"{part.count * one}–{part.count * most}"))
    rows.append(("", word("sum", language), f"{low}–{high}"))
    yield from columns(rows)


def _power(plan: Plan, language: str) -> Iterator[str]:
    budget = plan.budget
    yield word("power", language)
    of = word("of", language)
    limits = {
        "supply": (budget.total, budget.supply_most),
        "rail_3v3": (budget.rail_3v3, budget.rail_3v3_most),
        "on_pins": (budget.on_pins, budget.on_pins_most),
        "on_one": (budget.on_one, budget.on_one_most),
    }
    rows = [
        (f"{budget.own:g} mA", word("own", language), ""),
        (f"{budget.parts_5v:g} mA", word("parts_5v", language), ""),
    ]
    for name, (taken, most) in limits.items():
        verdict = word("too_much", language) if name in budget.too_much else ""
        rows.append((f"{taken:g} mA", f"{word(name, language)} ({of} {most} mA)", verdict))
    yield from columns(rows)
    yield f"  {word('ups', language, hours=budget.ups_h)}"
    yield f"  {word('own_clock' if plan.board.has_clock else 'clock', language)}"


def _blind(plan: Plan, language: str) -> Iterator[str]:
    told: set[str] = set()
    yield word("blind", language)
    for strip in plan.strips:
        circuit = strip.circuit
        if circuit.word not in told:
            told.add(circuit.word)
            yield f"  {circuit.name[language]}: {circuit.blind[language]}"
