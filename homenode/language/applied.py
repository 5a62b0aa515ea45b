"""A rule file with what one home gives it, still as it was written: for who explains or judges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from homenode.config.model import Home, RuleUse
from homenode.kinds import KINDS, Kind, kind_of
from homenode.language.rule_file import Condition, RuleFile, value_of
from homenode.language.syntax import Constant, Parameter
from homenode.language.values import Quantity, Span, TimeOfDay, Value, parse_value, shown, written


@dataclass(frozen=True)
class Applied:
    """A rule in a home; without one, with its defaults, and with roles in place of points.

    Attributes:
        rule: The file, without mistakes.
        home: The home, None without one.
        use: Its use there, without mistakes; None without a home.
    """

    rule: RuleFile
    home: Home | None = None
    use: RuleUse | None = None

    @cached_property
    def _given(self) -> Mapping[str, Value]:
        given = self.use.set if self.use else {}
        return {name: parse_value(text) for name, text in given.items()}

    @property
    def name(self) -> str:
        """Of the use, or the rule's own."""
        return self.use.name if self.use else self.rule.rule

    @cached_property
    def roles(self) -> Mapping[str, tuple[str, ...]]:
        """Role to its points; () if it isn't bound. Without a home a role of many stands for two points."""
        if self.use is not None:
            return {name: self.use.bind.get(name, ()) for name in self.rule.roles}
        return {
            role.name: (f"{role.name}#1", f"{role.name}#2") if role.many else (role.name,)
            for role in self.rule.roles.values()
        }

    def kind(self, point: str, role: str) -> Kind:
        """The kind of a role's point; without a home the role's first."""
        kind = kind_of(point) if self.use is not None else None
        return kind or KINDS[self.rule.roles[role].kinds[0]]

    def value(self, constant: Constant) -> Value:
        """What stands there, or what the home sets in its place."""
        value = value_of(constant, self.rule.parameters, self._given)
        assert value is not None  # the reader refused parameters that don't exist
        return value

    def ms(self, constant: Constant) -> int:
        """The length of a duration."""
        value = self.value(constant)
        assert isinstance(value, Span)
        return value.ms

    def number(self, constant: Constant) -> int | float:
        """A number."""
        value = self.value(constant)
        assert isinstance(value, Quantity)
        return value.number

    def minutes(self, constant: Constant) -> int:
        """A time of day, in minutes since midnight."""
        value = self.value(constant)
        assert isinstance(value, TimeOfDay)
        return value.minutes

    def shown(self, constant: Constant) -> str:
        """What stands there, or what the home sets in its place, as it is written."""
        if isinstance(constant.value, Parameter):
            return self.text(constant.value.name)
        return shown(constant.value)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """`when`, and `clear` if there is one."""
        return (self.rule.when, *((self.rule.clear,) if self.rule.clear else ()))

    def text(self, parameter: str) -> str:
        """A parameter's value as it was written."""
        setting = self.rule.parameters[parameter]
        if self.use is None or parameter not in self.use.set:
            return setting.text
        return written(self.use.set[parameter], self._given[parameter], setting.default)

    def filled(self, texts: Mapping[str, str], language: str) -> str:
        """A text in a language, else in any, with the values of parameters; "" if there is none."""
        text = texts.get(language) or next(iter(texts.values()), "")
        for name in self.rule.parameters:
            text = text.replace(f"{{{name}}}", self.text(name))
        return text
