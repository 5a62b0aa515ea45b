"""What the registers of a meter mean, by the rows of its type (pure, but for reading their file)."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from drivers.modbus.frames import HOLDING, INPUT, MOST, Question
from homenode.errors import SetupError
from homenode.kinds import Shape, kind_of

FILE = Path(__file__).with_name("rows.yaml")
FORMS = {
    "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f",
    "float64": "d",
}  # fmt: skip
"""Letters of `struct`."""
LIVES_ON_V = (90.0, 300.0)
"""What a meter is fed from the first phase with; another voltage is no voltage but another register."""
SMALLEST = 1e-30
"""No measured number is nearer to zero: a float32 with its words in the wrong order often is."""
_FUNCTIONS = {"holding": HOLDING, "input": INPUT}
_ONES = {"function", "as", "order", "none", "scale", "low", "high"}
_TYPE = {"source", "points", "most", *_ONES}


class Implausible(ValueError):
    """What a register says can't be."""


@dataclass(frozen=True, slots=True)
class Register:
    """A row; see the head of rows.yaml."""

    kind: str
    function: int
    address: int
    form: str
    little: bool
    has_none: bool
    scale: float
    low: float
    high: float

    @property
    def size(self) -> int:
        """Registers of 16 bits."""
        return struct.calcsize(FORMS[self.form]) // 2

    def value(self, words: Sequence[int]) -> float | None:
        """What it says, in the unit of its kind; None if there is nothing to say. Raises Implausible."""
        raw = struct.pack(f">{self.size}H", *(reversed(words) if self.little else words))
        said: float = struct.unpack(f">{FORMS[self.form]}", raw)[0]
        if math.isnan(said) or (self.has_none and said == self._largest()):
            return None
        number = said * self.scale
        if not self.low <= number <= self.high or 0 < abs(said) < SMALLEST:
            raise Implausible(f"{self.kind} {number:.6g} is not between {self.low:g} and {self.high:g}")
        return round(number, 6)

    def _largest(self) -> int:
        bits = 16 * self.size - (not self.form.startswith("u"))
        return int(2**bits - 1)


def registers(options: Mapping[str, Any], *kinds: str) -> Iterator[Register]:
    """Those of a device's type for these kinds. Raises SetupError."""
    family = type_of(options)
    for kind in kinds:
        row = {**{name: family[name] for name in _ONES if name in family}, **family["points"][kind]}
        known = kind_of(kind)
        assert known is not None
        low, high = LIVES_ON_V if kind == "voltage" else (known.low, known.high)
        yield Register(
            kind,
            _FUNCTIONS[row["function"]],
            int(row["at"]),
            str(row["as"]),
            row.get("order") == "little",
            row.get("none") == "largest",
            float(row.get("scale", 1)),
            float(row.get("low", low)),
            float(row.get("high", high)),
        )


def questions(options: Mapping[str, Any], kinds: Sequence[str]) -> list[tuple[Question, list[Register]]]:
    """What to ask a device for these kinds, its voltage first, and which registers each answer has."""
    family = type_of(options)
    proof = [kind for kind in ("voltage",) if kind in family["points"]]
    wanted = sorted(set(registers(options, *proof, *kinds)), key=lambda one: (one.function, one.address))
    asked: list[tuple[Question, list[Register]]] = []
    for one in wanted:
        question, its = asked[-1] if asked else (None, [])
        if (
            question is not None
            and (question.function, question.address + question.size) == (one.function, one.address)
            and question.size + one.size <= int(family.get("most", MOST))
        ):
            asked[-1] = question._replace(size=question.size + one.size), [*its, one]
        else:
            asked.append((Question(int(options["unit"]), one.function, one.address, one.size), [one]))
    return sorted(asked, key=lambda pair: not any(one.kind in proof for one in pair[1]))


@cache
def types(file: Path = FILE) -> Mapping[str, Mapping[str, Any]]:
    """The types of a file. Raises SetupError."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"can't be read: {error.strerror}", where=str(file)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SetupError(f"is no YAML: {' '.join(str(error).split())}", where=str(file)) from error
    if not isinstance(found, dict) or not found:
        raise SetupError("is no mapping of types", where=str(file), do=_SEE)
    for name, family in found.items():
        if wrong := _wrong(family):
            raise SetupError(wrong, where=f"{file}, {name}", do=_SEE)
    return found


_SEE = "see drivers/modbus/rows.yaml"


def _wrong(family: Any) -> str:
    """What is wrong with a type; "" if nothing."""
    if not isinstance(family, dict) or not isinstance(family.get("points"), dict) or not family["points"]:
        return "has no points"
    if not family.get("source"):
        return "source is missing: name the manual or the capture that you have it from"
    if unknown := sorted(set(map(str, family)) - _TYPE):
        return f"unknown field {unknown[0]}"
    most = family.get("most", MOST)
    if not isinstance(most, int) or not 1 <= most <= MOST:
        return f"most is a number from 1 to {MOST}"
    for kind, row in family["points"].items():
        known = kind_of(str(kind))
        if known is None or known.shape is not Shape.NUMBER:
            return f"{kind!r} is no kind with a number; see homenode/kinds.py"
        if not isinstance(row, dict):
            return f"{kind}: at is missing"
        if unknown := sorted(set(map(str, row)) - _ONES - {"at"}):
            return f"{kind}: unknown field {unknown[0]}"
        if wrong := _wrong_row({**family, **row}):
            return f"{kind}: {wrong}"
    return ""


def _wrong_row(row: Mapping[str, Any]) -> str:
    at = row.get("at")
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= 0xFFFF:
        return "at is an address from 0 to 0xFFFF"
    for name, accepted in (
        ("function", tuple(_FUNCTIONS)),
        ("as", tuple(FORMS)),
        ("order", ("big", "little", None)),
        ("none", ("largest", None)),
    ):
        if row.get(name) not in accepted:
            return f"{name} is {' or '.join(one for one in accepted if one)}"
    numbers = [row.get(name, 0) for name in ("scale", "low", "high")]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        return "scale, low and high are numbers"
    return ""


def type_of(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """That of a device, from its own file or ours. Raises SetupError."""
    own = options.get("rows")
    known = {**types(), **(types(Path(own)) if own else {})}
    name = str(options.get("type"))
    if name not in known:
        raise SetupError(f"no type {name!r}", do=f"one of {', '.join(known)}")
    return known[name]
