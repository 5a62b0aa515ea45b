"""Puts a rule file into a home: parameters get their values, roles their points."""

from __future__ import annotations

import re
from collections.abc import Mapping

from homenode.config.model import Home, RuleUse
from homenode.config.notes import listed, nearest
from homenode.errors import Mistake
from homenode.kinds import KINDS, kind_of
from homenode.language.bound import (
    DEFAULT_BRIDGE_MS,
    And,
    Between,
    BoundRule,
    BoundStep,
    Changes,
    Compare,
    Count,
    Expr,
    For,
    HasQuality,
    ModeIs,
    Not,
    Or,
    Since,
    Within,
)
from homenode.language.rule_file import CAMERA, Role, RuleFile, Setting, Step, value_of
from homenode.language.syntax import (
    Ask,
    Bare,
    Comparison,
    Constant,
    Counted,
    Daytime,
    Ever,
    InMode,
    Is,
    Joined,
    Negation,
    Syntax,
    Timed,
    inside,
)
from homenode.language.values import (
    SORTS,
    Quantity,
    Span,
    TimeOfDay,
    Value,
    Word,
    alike,
    meant,
    meant_time,
    out_of_range,
    parse_value,
    truth,
    wanted,
    written,
)

DEFAULT_GRACE_MS = 10 * 60_000

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def bind(rule: RuleFile, use: RuleUse, home: Home) -> tuple[BoundRule | None, list[Mistake]]:
    """One use of a rule in a home; None if something is wrong with it."""
    binding = _Binding(rule, use, home)
    bound = binding.rule_in_home()
    return (None if binding.mistakes else bound), binding.mistakes


class _Binding:
    def __init__(self, rule: RuleFile, use: RuleUse, home: Home) -> None:
        self._rule, self._use, self._home = rule, use, home
        self.mistakes: list[Mistake] = []
        self._given: dict[str, Value] = {}
        self._texts = {name: setting.text for name, setting in rule.parameters.items()}
        self._set()
        self._bind()
        self._modes(rule.when.expr)
        if rule.clear:
            self._modes(rule.clear.expr)
        for step in rule.steps:
            if step.mode:
                self._mode(step.mode, f"step {step.number} to: {step.mode}")

    def _wrong(self, field: str, found: str, accepted: str, suggestion: str = "", *, value: str = "") -> None:
        """`value`: of the field, which it stands at."""
        places = self._use.places
        here = places.get(field, (self._use.line, self._use.column))
        line, column = places.get(f"{field}.{value}", here)
        where = f"rules.{self._use.name}" + (f".{field}" if field else "")
        self.mistakes.append(Mistake(str(self._home.path), line, where, found, accepted, suggestion, column))

    # -- what the home gives

    def _set(self) -> None:
        settings = self._rule.parameters
        for name, text in self._use.set.items():
            setting = settings.get(name)
            field = f"set.{name}"
            if setting is None:
                self._wrong(field, "an unknown parameter", listed(settings), nearest(name, settings))
                continue
            try:
                value = parse_value(text)
            except ValueError as error:
                sort = type(setting.default)
                likely = meant_time(text) if sort is TimeOfDay else meant(text)
                self._wrong(field, repr(text), wanted(error, sort), likely, value=text)
                continue
            if not alike(value, setting.default):
                accepted = f"{SORTS[type(setting.default)]} such as {setting.text}"
                bare = isinstance(value, Quantity) and not value.unit
                likely = meant(f"{text}{setting.text.lstrip('0123456789. ')}") if bare else ""
                if isinstance(setting.default, TimeOfDay):
                    likely = meant_time(text)
                self._wrong(field, repr(text), accepted, likely, value=text)
            elif why := self._out_of_range(value, setting):
                self._wrong(field, repr(text), why, value=text)
            else:
                self._given[name] = value
                self._texts[name] = written(text, value, setting.default)

    @staticmethod
    def _out_of_range(value: Value, setting: Setting) -> str:
        return out_of_range(value, setting.low, setting.high, setting.low_text, setting.high_text)

    def _bind(self) -> None:
        roles = self._rule.roles
        for name in self._use.bind:
            if name not in roles:
                self._wrong(f"bind.{name}", "an unknown role", listed(roles), nearest(name, roles))
        for name, role in roles.items():
            points = self._use.bind.get(name)
            if points is None:
                if not role.optional:
                    shown = "[DEVICE.KIND, …]" if role.many else "DEVICE.KIND"
                    self._wrong("", f"no {name}", f"bind: {{{name}: {shown}}}, of kind {listed(role.kinds)}")
                continue
            self._bound(role, points)

    def _bound(self, role: Role, points: tuple[str, ...]) -> None:
        field = f"bind.{role.name}"
        if role.many and not points:
            self._wrong(field, "an empty list", "a list of at least one point")
        if not role.many and (len(points) != 1 or role.name in self._use.lists):
            self._wrong(field, f"a list of {len(points)}", "one point")
            return
        for point in points:
            if CAMERA in role.kinds:
                if point not in self._home.cameras:
                    cameras = self._home.cameras
                    accepted = f"a name under cameras: {listed(cameras)}"
                    self._wrong(field, point, accepted, nearest(point, cameras), value=point)
                continue
            kind = kind_of(point)
            if kind is None or kind.name not in role.kinds:
                accepted = f"a point of kind {listed(role.kinds)}"
                self._wrong(field, point, accepted, self._fitting(role, point), value=point)

    def _fitting(self, role: Role, point: str) -> str:
        """What was probably meant: the device's point of that kind, else the only one home.yaml names."""
        device = self._home.devices.get(point.partition(".")[0])
        wanted = role.kinds[0] if len(role.kinds) == 1 else ""
        if device is not None and wanted and (device.kinds is None or wanted in device.kinds):
            return f"{device.name}.{wanted}"
        kinds = ((name, kind) for name, other in self._home.devices.items() for kind in other.kinds or ())
        known = [f"{name}.{kind}" for name, kind in kinds if kind in role.kinds]
        return known[0] if len(known) == 1 else ""

    def _modes(self, expr: Syntax) -> None:
        if isinstance(expr, InMode):
            self._mode(expr.mode, f"mode == {expr.mode}")
        for part in inside(expr):
            self._modes(part)

    def _mode(self, mode: str, found: str) -> None:
        modes = {"home", *self._home.modes}
        if mode not in modes:
            accepted = f"a mode of this home: {listed(sorted(modes))}"
            self._wrong("use", found, accepted, nearest(mode, modes))

    # -- what it makes of the rule

    def rule_in_home(self) -> BoundRule | None:
        """The rule, None if roles or parameters are wrong."""
        if self.mistakes:
            return None
        rule = self._rule
        when = self._expr(rule.when.expr)
        clear = self._expr(rule.clear.expr) if rule.clear else Not(when)
        again_ms = None if rule.again is None else self._ms(rule.again)
        if again_ms == 0:
            self._wrong("", "again: 0 s", "longer than 0 s")
        return BoundRule(
            name=self._use.name,
            rule=rule.rule,
            version=rule.version,
            severity=rule.severity,
            to=rule.to,
            when=when,
            clear=clear,
            steps=tuple(bound for step in rule.steps if (bound := self._step(step)) is not None),
            says=self._filled(rule.says),
            bridge_ms=DEFAULT_BRIDGE_MS if rule.bridge is None else self._ms(rule.bridge),
            grace_ms=DEFAULT_GRACE_MS if rule.grace is None else self._ms(rule.grace),
            again_ms=again_ms,
            hold=rule.hold,
            roles=dict(self._use.bind),
            parameters=self._texts,
            file=rule.file,
        )

    def _value(self, constant: Constant) -> Value:
        value = value_of(constant, self._rule.parameters, self._given)
        assert value is not None  # the reader refused parameters that don't exist
        return value

    def _ms(self, constant: Constant) -> int:
        value = self._value(constant)
        assert isinstance(value, Span)
        return value.ms

    def _whole(self, constant: Constant, field: str) -> int:
        value = self._value(constant)
        assert isinstance(value, Quantity)
        if not isinstance(value.number, int):
            self._wrong(field, f"{value.number:g}", "a whole number")
        return int(value.number)

    def _expr(self, expr: Syntax) -> Expr:
        match expr:
            case Ask(each, role, _, _):
                tests = tuple(self._ask(expr, point) for point in self._use.bind[role])
                if len(tests) == 1:
                    return tests[0]
                return Or(tests) if each == "any" else And(tests)
            case Counted(role, window, op, number, _):
                count = self._whole(number, "set")
                return Count(self._use.bind[role][0], self._ms(window), op, count)
            case Daytime(start, end, _):
                return self._daytime(start, end)
            case InMode(mode, _):
                return ModeIs(mode)
            case Negation(part, _):
                return Not(self._expr(part))
            case Joined(word, parts, _):
                bound = tuple(self._expr(part) for part in parts)
                return Or(bound) if word == "or" else And(bound)
            case Timed(word, part, window, _):
                made = For if word == "for" else Within
                return made(self._expr(part), self._ms(window))
            case Ever(part, anchor, _):
                return Since(self._expr(part), self._expr(anchor))

    def _ask(self, ask: Ask, point: str) -> Expr:
        match ask.test:
            case Bare():
                return Compare(point, "==", True)
            case Comparison(op, constant):
                return Compare(point, op, self._constant(constant, point))
            case Is(quality):
                return HasQuality(point, quality)
            case _:
                return Changes(point)

    def _constant(self, constant: Constant, point: str) -> bool | int | float:
        value = self._value(constant)
        if isinstance(value, Quantity):
            return value.number
        kind = kind_of(point)
        assert isinstance(value, Word)
        assert kind is not None
        meant = truth(value.text, kind)
        if meant is None:
            self._wrong("set", repr(value.text), f"a word that suits {point}")
        return bool(meant)

    def _daytime(self, start: Constant, end: Constant) -> Expr:
        first, last = self._value(start), self._value(end)
        assert isinstance(first, TimeOfDay)
        assert isinstance(last, TimeOfDay)
        if first == last:
            self._wrong("set", "between A and A", "two different times")
        return Between(first.minutes, last.minutes)

    def _step(self, step: Step) -> BoundStep | None:
        points = self._use.bind.get(step.role, ())
        if step.role and not points:
            return None
        every_ms = 0 if step.every is None else self._ms(step.every)
        times = 1 if step.times is None else self._whole(step.times, "set")
        if step.every is not None and (every_ms == 0 or times < 1):
            self._wrong("set", f"every {every_ms} ms, {times} times", "longer than 0 s, at least once")
        to = self._rule.to if step.to is None else step.to
        return BoundStep(
            number=step.number,
            do=step.do,
            after_ms=None if step.after is None else self._ms(step.after),
            every_ms=every_ms,
            times=times,
            point=points[0] if step.turn else "",
            turn=bool(step.turn and truth(step.turn, KINDS[step.do])),
            text=self._filled(step.text),
            parties=to if step.do == "notify" else (),
            camera=points[0] if step.do == "offer_video" else "",
            mode=step.mode,
        )

    def _filled(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {
            language: _PLACEHOLDER.sub(lambda name: self._texts[name[1]], text)
            for language, text in texts.items()
        }
