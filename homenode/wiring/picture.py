"""A plan as a drawing: the header with what is on it, and each sensor's wires from terminal to terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from homenode.wiring.circuits import circuits
from homenode.wiring.plan import Chip, Plan, Strip, Terminal
from homenode.wiring.sheet import LINE, SOFT, Sheet
from homenode.wiring.table import ends, title
from homenode.wiring.words import word

WIDTH, HEIGHT = 1420, 1004
"""A4, lying: 12 px are 2.5 mm on paper."""
TOP, CAPTION, FOOT, GAP = 76, 40, 16, 34
"""Where blocks begin; the captions over the strips; what stays free below; above each block on the left."""
HEADER_X, ROW = 225, 23
USE_LETTERS = 24
"""What fits beside a pin."""
STRIPS_X = 520
WIRE_ROW, ABOVE, BETWEEN = 46, 78, 18
"""Between two wires; above the first one, where a part to a rail has its place; between two strips."""
TERMINAL_W, IN_X, TAP_X, CABLE_X = 150, 720, 790, 850
SENSOR_X, OUT_X, JOIN_X, PLUG_X, PLUG_W, BODY_X = 1050, 1100, 1150, 1176, 60, 1245

PAINT = {"3V3": "#f4a261", "5V": "#e76f51", "GND": "#52606d"}
USED, FREE = "#a7e3c2", "#f1f4f7"


Block = Callable[[Sheet, float], float]
"""Draws something from y down, and returns where it ends."""


def pictures(plan: Plan, language: str) -> list[str]:
    """The drawing, as SVG: sheets of A4, lying."""
    left: list[Block] = [lambda sheet, y: _header(sheet, plan, language, y + GAP)]
    left += [_of_chip(chip, language) for chip in plan.chips]
    if any(wire.start == "MID" for strip in plan.strips for wire in strip.wires):
        left.append(lambda sheet, y: _middle(sheet, language, y + GAP))
    left.append(lambda sheet, y: _wrapped(sheet, 30, y + GAP, word("rails", language), 50))
    right = [_of_strip(strip, language) for strip in plan.strips]
    columns = _paged(left, TOP), _paged(right, TOP + CAPTION)
    count = max(1, *(page + 1 for column in columns for page, _, _ in column))
    heading = f"{word('plan', language)} {plan.home.home} · {plan.board.name}"
    sheets = []
    for page in range(count):
        sheet = Sheet(WIDTH, HEIGHT)
        numbered = f"{heading} · {page + 1}/{count}" if count > 1 else heading
        sheet.text(30, 40, numbered, 22, bold=True)
        sheet.text(30, 64, word("mains", language), 13, SOFT)
        if any(at == page for at, _, _ in columns[1]):
            _captions(sheet, language)
        for at, y, draw in (*columns[0], *columns[1]):
            if at == page:
                draw(sheet, y)
        sheets.append(sheet.svg(numbered))
    return sheets


def _of_chip(chip: Chip, language: str) -> Block:
    return lambda sheet, y: _chip(sheet, chip, language, y + GAP)


def _of_strip(strip: Strip, language: str) -> Block:
    return lambda sheet, y: _strip(sheet, strip, language, y)


def _paged(blocks: Sequence[Block], top: float) -> list[tuple[int, float, Block]]:
    """Page and y of each: one that doesn't fit begins the next page."""
    placed, page, y = [], 0, top
    for draw in blocks:
        height = draw(Sheet(WIDTH), 0.0)
        if y > top and y + height > HEIGHT - FOOT:
            page, y = page + 1, top
        placed.append((page, y, draw))
        y += height
    return placed


def _wrapped(sheet: Sheet, x: float, y: float, text: str, letters: int, size: int = 13) -> float:
    for line in textwrap.wrap(text, letters):
        sheet.text(x, y, line, size)
        y += size + 5
    return y


def _header(sheet: Sheet, plan: Plan, language: str, y: float) -> float:
    for line in textwrap.wrap(word("header", language), 56):
        sheet.text(30, y, line, 13, bold=True)
        y += 18
    for number, what in plan.known.header.items():
        label = f"GPIO {what}" if isinstance(what, int) else what
        use = plan.uses.get(number, "")
        right = number % 2 == 0
        x, top = HEADER_X + (70 if right else 0), y + (number - 1) // 2 * ROW
        fill = PAINT.get(label, USED if use else FREE)
        dark = label == "GND"
        sheet.box(x, top, 66, ROW - 3, fill, LINE if number > 1 else "#000000")
        sheet.text(x + 33, top + 14, label, 11, "#ffffff" if dark else "#1f2933", "middle", bold=bool(use))
        beside = x + 72 if right else x - 6
        anchor = "start" if right else "end"
        sheet.text(beside, top + 14, str(number), 11, SOFT, anchor)
        if use:
            shown = use if len(use) <= USE_LETTERS else f"{use[: USE_LETTERS - 1]}…"
            sheet.text(beside + (20 if right else -20), top + 14, shown, 12, anchor=anchor, bold=True)
    return y + 20 * ROW


def _chip(sheet: Sheet, chip: Chip, language: str, y: float) -> float:
    sheet.text(30, y, chip.label, 15, bold=True)
    y += 12
    height = max(len(chip.wires), len(chip.used)) * 26 + 10
    sheet.box(225, y, 130, height, FREE)
    for row, (terminal, at) in enumerate(chip.wires):
        line_y = y + 18 + row * 26
        colour = PAINT.get(at.label, "#3a86c8")
        sheet.line(190, line_y, 225, line_y, colour)
        sheet.text(185, line_y + 4, f"{at.label} · {word('pin', language)} {at.physical}", 11, anchor="end")
        sheet.text(231, line_y + 4, terminal, 11)
    for row, (channel, device) in enumerate(chip.used.items()):
        line_y = y + 18 + row * 26
        sheet.line(355, line_y, 375, line_y)
        sheet.text(349, line_y + 4, channel, 11, anchor="end")
        sheet.text(380, line_y + 4, device, 12, bold=True)
    return y + height


def _middle(sheet: Sheet, language: str, y: float) -> float:
    """The two resistors and the capacitor that make M."""
    y = _wrapped(sheet, 30, y, word("middle", language), 46) + 16
    x = 120
    sheet.line(x - 9, y, x + 9, y)
    sheet.text(x + 16, y + 4, "3V3", 12, bold=True)
    sheet.line(x, y, x, y + 116)
    sheet.resistor(x, y + 29, "10 kΩ", upright=True)
    sheet.resistor(x, y + 87, "10 kΩ", upright=True)
    sheet.dot(x, y + 58)
    sheet.line(x, y + 58, x + 170, y + 58)
    sheet.text(x + 176, y + 62, "M", 13, bold=True)
    sheet.dot(x + 100, y + 58)
    sheet.line(x + 100, y + 58, x + 100, y + 116)
    sheet.resistor(x + 100, y + 87, "10 µF", upright=True)
    sheet.line(x, y + 116, x + 100, y + 116, PAINT["GND"])
    sheet.text(x + 50, y + 134, "GND", 12, anchor="middle", bold=True)
    return y + 134


def _captions(sheet: Sheet, language: str) -> None:
    y = TOP + 24
    sheet.text(STRIPS_X, y, word("node_box", language), 13, SOFT)
    sheet.text((CABLE_X + SENSOR_X) / 2, y, word("cable", language), 13, SOFT, "middle")
    sheet.text(SENSOR_X + 10, y, word("sensor_box", language), 13, SOFT)


def _strip(sheet: Sheet, strip: Strip, language: str, y: float) -> float:
    sheet.line(STRIPS_X, y, WIDTH - 30, y, LINE, dashed=True)
    sheet.text(STRIPS_X, y + 22, title(strip, language), 14, bold=True)
    first = y + ABOVE
    rows = [first + n * WIRE_ROW for n in range(len(strip.wires))]
    bottom = rows[-1] + 22
    sheet.line(CABLE_X, first - 26, CABLE_X, bottom, SOFT, dashed=True)
    sheet.line(SENSOR_X, first - 26, SENSOR_X, bottom, SOFT, dashed=True)
    colours = circuits().colours
    for wire, terminal, row in zip(strip.wires, strip.terminals, rows, strict=True):
        paint = colours[wire.colour]["paint"]
        sheet.line(STRIPS_X + TERMINAL_W, row, PLUG_X, row, paint)
        _terminal(sheet, terminal, row, language)
        sheet.text((CABLE_X + SENSOR_X) / 2, row - 6, colours[wire.colour][language], 12, anchor="middle")
        if wire.inner:
            sheet.resistor(IN_X, row, wire.inner)
        if wire.outer:
            sheet.resistor(OUT_X, row, wire.outer)
        sheet.box(PLUG_X, row - 12, PLUG_W, 24, FREE)
        sheet.text(PLUG_X + PLUG_W / 2, row + 5, wire.to, 12, anchor="middle", bold=True)
        sheet.line(PLUG_X + PLUG_W, row, BODY_X, row)
    sheet.box(BODY_X, first - 20, WIDTH - 30 - BODY_X, bottom - first + 20, FREE)
    middle = (first - 20 + bottom) / 2
    lines = textwrap.wrap(ends(strip, language), 18)
    for n, line in enumerate(lines):
        sheet.text(
            (BODY_X + WIDTH - 30) / 2, middle + 5 + (n - (len(lines) - 1) / 2) * 17, line, 12, anchor="middle"
        )
    _across(sheet, strip, rows)
    return bottom + BETWEEN


def _terminal(sheet: Sheet, terminal: Terminal, row: float, language: str) -> None:
    sheet.box(STRIPS_X, row - 12, TERMINAL_W, 24, PAINT.get(terminal.label, USED))
    colour = "#ffffff" if terminal.label == "GND" else "#1f2933"
    place = (
        f"{terminal.label} · {word('pin', language)} {terminal.physical}"
        if terminal.physical
        else terminal.label
    )
    sheet.text(STRIPS_X + TERMINAL_W / 2, row + 5, place, 12, colour, "middle", bold=True)


def _across(sheet: Sheet, strip: Strip, rows: list[float]) -> None:
    for part in strip.across:
        x = TAP_X if part.at == "node" else JOIN_X
        y = rows[part.line]
        sheet.dot(x, y)
        if isinstance(part.other, str):
            sheet.line(x, y, x, y - 34)
            sheet.resistor(x, y - 17, part.value, upright=True)
            sheet.line(x - 9, y - 34, x + 9, y - 34)
            sheet.text(x - 14, y - 28, part.other, 12, anchor="end", bold=True)
        else:
            other = rows[part.other]
            sheet.line(x, y, x, other)
            sheet.dot(x, other)
            sheet.resistor(x, (y + other) / 2, part.value, upright=True)
