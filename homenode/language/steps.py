"""Reads the steps of a rule file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from homenode.config.notes import listed, nearest
from homenode.config.values import WORD
from homenode.config.yaml12 import Listing, Node, Scalar, Table, is_nothing
from homenode.kinds import KINDS
from homenode.language.rule_file import CAMERA, SWITCHES, Step
from homenode.language.syntax import Constant
from homenode.language.values import Quantity, Span, truth, truth_words

if TYPE_CHECKING:
    from homenode.language.reader import RuleReader

DOES: dict[str, tuple[str, ...]] = {
    "say": ("text",),
    **{switch: ("role", "to") for switch in SWITCHES},
    "notify": ("to",),
    "offer_video": ("role",),
    "mode": ("to",),
}
"""What a step may do, and which keys it then takes beside when it runs."""

WHEN = ("after", "at", "every", "times")


def read_steps(node: Node | None, reader: RuleReader) -> tuple[Step, ...]:
    """All steps, those that can be read; what is wrong is noted."""
    if node is None or is_nothing(node):
        return ()
    if not isinstance(node, Listing):
        reader.notes.wrong(node, "steps", "a list, each step as {after: 0 s, do: notify}")
        return ()
    steps = (_step(item, number, reader) for number, item in enumerate(node.items, 1))
    return tuple(step for step in steps if step is not None)


def _step(node: Node, number: int, reader: RuleReader) -> Step | None:
    where, notes = f"steps.{number}", reader.notes
    if not isinstance(node, Table):
        notes.wrong(node, where, "{after: 0 s, do: notify}")
        return None
    do = node.get("do")
    if not isinstance(do, Scalar) or do.text not in DOES:
        near = nearest(do.text, DOES) if isinstance(do, Scalar) else ""
        found = "nothing" if do is None else None
        notes.wrong(do or node, f"{where}.do", listed(DOES), found=found, suggestion=near)
        return None
    own = DOES[do.text]
    fields = reader.fields(node, where, "", ("do", *WHEN, *own))
    for name in own:
        if name not in fields and not (do.text == "notify" and name == "to"):
            notes.wrong(node, f"{where}.{name}", f"{name}: …", found="nothing")
    after = _after(node, where, reader)
    every, times = _repeats(node, where, reader, resolving=after is None)
    step = Step(number, do.text, after, every, times)
    if do.text == "say":
        return Step(
            number, do.text, after, every, times, text=reader.texts(fields.get("text"), f"{where}.text")
        )
    if do.text == "notify":
        to = fields.get("to")
        return (
            step
            if to is None
            else Step(number, do.text, after, every, times, to=reader.parties(to, f"{where}.to"))
        )
    if do.text == "mode":
        return Step(number, do.text, after, every, times, mode=_mode(fields.get("to"), where, reader))
    role = _role(fields.get("role"), do.text, where, reader)
    turn = _turn(fields["to"], do.text, where, reader) if "to" in fields else ""
    return Step(number, do.text, after, every, times, role=role, turn=turn)


def _after(node: Table, where: str, reader: RuleReader) -> Constant | None:
    """When it runs after the raise; None at the resolve."""
    after, at = node.get("after"), node.get("at")
    if (after is None) == (at is None):
        found = "nothing" if after is None else "both after: and at:"
        reader.notes.wrong(node, f"{where}.after", "after: DURATION or at: resolve", found=found)
    if at is not None and not (isinstance(at, Scalar) and at.text == "resolve"):
        reader.notes.wrong(at, f"{where}.at", "resolve")
    return None if after is None else reader.constant(after, f"{where}.after", Span)


def _repeats(
    node: Table, where: str, reader: RuleReader, *, resolving: bool
) -> tuple[Constant | None, Constant | None]:
    every, times = node.get("every"), node.get("times")
    if every is None and times is None:
        return None, None
    if every is None or times is None:
        missing = "every" if every is None else "times"
        reader.notes.wrong(
            node, f"{where}.{missing}", "every: DURATION together with times: N", found="nothing"
        )
        return None, None
    if resolving and node.get("at") is not None:
        reader.notes.wrong(every, f"{where}.every", "after: (a step at the resolve runs once)")
    gap, count = (
        reader.constant(every, f"{where}.every", Span),
        reader.constant(times, f"{where}.times", Quantity),
    )
    if gap is not None and reader.default_of(gap) == Span(0):
        reader.notes.wrong(every, f"{where}.every", "longer than 0 s")
    if count is not None:
        value = reader.default_of(count)
        assert isinstance(value, Quantity)
        if value.unit or not isinstance(value.number, int) or value.number < 1:
            reader.notes.wrong(times, f"{where}.times", "a whole number from 1")
    return gap, count


def _role(node: Node | None, do: str, where: str, reader: RuleReader) -> str:
    if node is None:
        return ""
    name = node.text if isinstance(node, Scalar) else ""
    role = reader.roles.get(name)
    wanted = CAMERA if do == "offer_video" else do
    if role is None:
        fitting = [r.name for r in reader.roles.values() if r.kinds == (wanted,)]
        reader.notes.wrong(
            node, f"{where}.role", listed(fitting) if fitting else f"a role of kind {wanted}",
            suggestion=nearest(name, reader.roles),
        )  # fmt: skip
        return ""
    if role.kinds and role.kinds != (wanted,):
        found = f"{name}, of kind {listed(role.kinds)}"
        reader.notes.wrong(node, f"{where}.role", f"a role of kind {wanted}", found=found)
    if role.many:
        reader.notes.wrong(node, f"{where}.role", "a role bound to one point", found=f"{name}, bound to many")
    return name


def _mode(node: Node | None, where: str, reader: RuleReader) -> str:
    """Whether a home has it is known when the rule is bound."""
    if node is None:
        return ""
    if isinstance(node, Scalar) and node.text == "service":
        accepted = "a mode in which alarms stay alarms; service makes tests of them: only a person sets it"
        reader.notes.wrong(node, f"{where}.to", accepted)
        return ""
    if isinstance(node, Scalar) and re.fullmatch(WORD, node.text):
        return node.text
    reader.notes.wrong(node, f"{where}.to", "a mode, such as home or night")
    return ""


def _turn(node: Node, do: str, where: str, reader: RuleReader) -> str:

    kind = KINDS[do]
    if isinstance(node, Scalar) and truth(node.text, kind) is not None:
        return node.text
    words = truth_words([kind])
    near = nearest(node.text, words) if isinstance(node, Scalar) else ""
    reader.notes.wrong(node, f"{where}.to", listed(words), suggestion=near)
    return ""
