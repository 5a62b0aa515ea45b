"""Checks what a condition means: roles, kinds, units and sorts of values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from homenode.config.notes import listed, nearest
from homenode.kinds import Kind, Shape
from homenode.language.rule_file import CAMERA, Role, Setting, value_of
from homenode.language.syntax import (
    Ask,
    Bare,
    Comparison,
    Constant,
    Counted,
    Daytime,
    Ever,
    Is,
    Parameter,
    Syntax,
    Timed,
    Turning,
    inside,
)
from homenode.language.values import SORTS, Quantity, Span, TimeOfDay, Value, Word, truth, truth_words

Tell = Callable[[int, str, str, str], None]
"""Takes a mistake: place in the text, found, accepted, suggestion."""


class Meaning:
    """Checks conditions of one rule file.

    Args:
        roles: Its roles.
        settings: Its parameters.
        tell: Gets every mistake.
        unread: Parameters whose mistake is told already.
    """

    def __init__(
        self,
        roles: Mapping[str, Role],
        settings: Mapping[str, Setting],
        tell: Tell,
        unread: Collection[str] = (),
    ) -> None:
        self._roles, self._settings, self._tell, self._unread = roles, settings, tell, unread

    def check(self, expr: Syntax) -> None:
        """Everything in `expr`."""
        match expr:
            case Ask():
                self._ask(expr)
            case Counted():
                self._counted(expr)
            case Daytime(start, end, at):
                first, last = self.constant(start, TimeOfDay), self.constant(end, TimeOfDay)
                if first is not None and first == last:
                    self._tell(at, "between A and A", "two different times", "")
            case Timed(_, part, window):
                self.check(part)
                self.constant(window, Span)
            case Ever(part, anchor):
                self.check(part)
                self.check(anchor)
            case _:
                for part in inside(expr):
                    self.check(part)

    def constant(self, constant: Constant, sort: type[Value]) -> Value | None:
        """Its default value, if it is of the wanted sort; otherwise a mistake is told."""
        value = value_of(constant, self._settings, {})
        if value is None:
            assert isinstance(constant.value, Parameter)
            name = constant.value.name
            if name in self._unread:
                return None
            near = nearest(name, self._settings)
            known = listed(f"${setting}" for setting in self._settings)
            self._tell(constant.at, f"${name}, which is no parameter", known, f"${near}" if near else "")
        elif not isinstance(value, sort):
            self._tell(constant.at, SORTS[type(value)], SORTS[sort], "")
            value = None
        return value

    def _role(self, name: str, at: int) -> Role | None:
        role = self._roles.get(name)
        if role is None:
            self._tell(at, f"{name!r}, which is no role", listed(self._roles), nearest(name, self._roles))
        elif role.optional:
            accepted = "roles that are always bound (optional ones are for steps)"
            self._tell(at, f"the optional role {name!r}", accepted, "")
            return None
        elif CAMERA in role.kinds:
            self._tell(at, f"the camera {name!r}", "roles of sensors (a camera is for offer_video)", "")
            return None
        return role

    def _ask(self, ask: Ask) -> None:
        role = self._role(ask.role, ask.at)
        if role is None:
            return
        if role.many and not ask.each:
            accepted = f"any({role.name} …) or all({role.name} …)"
            self._tell(ask.at, f"{role.name}, which is bound to many points", accepted, "")
        if ask.each and not role.many:
            self._tell(ask.at, f"{ask.each}({role.name})", f"{role.name} alone, or many: true", "")
        kinds = role.point_kinds
        if isinstance(ask.test, Comparison):
            self._comparison(role, ask.test)
        elif isinstance(ask.test, Bare | Turning) and any(kind.shape is Shape.NUMBER for kind in kinds):
            what = "changes, of a number" if isinstance(ask.test, Turning) else f"{role.name} alone"
            units = listed(sorted({kind.unit or "no unit" for kind in kinds}))
            self._tell(ask.at, what, f"a comparison such as {role.name} > 10 ({units})", "")
        else:
            assert isinstance(ask.test, Bare | Turning | Is)

    def _comparison(self, role: Role, test: Comparison) -> None:
        kinds, constant = role.point_kinds, test.value
        shapes = {kind.shape is Shape.NUMBER for kind in kinds}
        if len(shapes) > 1:
            accepted = "kinds that compare alike"
            self._tell(constant.at, f"a comparison of {listed(role.kinds)}", accepted, "")
        elif shapes == {True}:
            value = self.constant(constant, Quantity)
            if isinstance(value, Quantity):
                self._unit(value, constant, kinds)
        elif shapes:
            value = self.constant(constant, Word)
            if isinstance(value, Word):
                self._word(value, constant, kinds)
            if test.op not in ("==", "!="):
                self._tell(constant.at, f"{test.op} of {listed(role.kinds)}", "== or !=", "==")

    def _unit(self, value: Quantity, constant: Constant, kinds: tuple[Kind, ...]) -> None:
        for kind in kinds:
            if value.unit and value.unit != kind.unit:
                unit = kind.unit or "no unit"
                accepted = f"{unit}, the unit of {kind.name}"
                self._tell(constant.at, f"{value.number:g} {value.unit}", accepted, kind.unit or "")
                return

    def _word(self, value: Word, constant: Constant, kinds: tuple[Kind, ...]) -> None:
        if any(truth(value.text, kind) is None for kind in kinds):
            words = truth_words(kinds)
            self._tell(constant.at, repr(value.text), listed(words), nearest(value.text, words))

    def _counted(self, counted: Counted) -> None:
        role = self._role(counted.role, counted.at)
        self.constant(counted.window, Span)
        number = self.constant(counted.number, Quantity)
        if isinstance(number, Quantity) and (number.unit or not isinstance(number.number, int)):
            self._tell(counted.number.at, f"{number.number:g} {number.unit}".strip(), "a whole number", "")
        if role is None:
            return
        if role.many:
            self._tell(counted.at, f"count({role.name})", "a role bound to one point", "")
        if any(kind.shape is Shape.NUMBER for kind in role.point_kinds):
            accepted = "count of a role that is true or false, or a button"
            self._tell(counted.at, f"count({role.name}), a number", accepted, "")
