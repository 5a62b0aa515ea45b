"""What one rule does in a home, in words that a care planner reads: made from the rule itself (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from homenode.config import durations
from homenode.config.model import NEVER
from homenode.kinds import KINDS
from homenode.language.applied import Applied
from homenode.language.binding import DEFAULT_GRACE_MS
from homenode.language.bound import DEFAULT_BRIDGE_MS
from homenode.language.possible import Possible
from homenode.language.rule_file import Role, Setting, Step
from homenode.language.sentences import Sentences
from homenode.language.states import QUALITIES
from homenode.language.syntax import Ask, Constant, Counted, Daytime, Syntax, walk
from homenode.language.values import truth
from homenode.language.words import LANGUAGES


def explain(applied: Applied, language: str, limits_ms: Mapping[str, int] | None = None) -> str:
    """The whole text.

    Args:
        applied: The rule, in a home or alone.
        language: ``sv`` or ``en``.
        limits_ms: Device or point to how long it may be silent (`homenode.home.silence_limits`); None
            without a home.
    """
    return "\n".join(_Explainer(applied, language, limits_ms or {}).lines()) + "\n"


class _Explainer:
    def __init__(self, applied: Applied, language: str, limits_ms: Mapping[str, int]) -> None:
        self._applied, self._rule, self._limits_ms = applied, applied.rule, limits_ms
        self._language, self._words = language, LANGUAGES[language]
        self._sentences = Sentences(applied, self._words)

    def lines(self) -> list[str]:
        """Part after part."""
        parts = (
            self._head(),
            self._raised(),
            self._ends(),
            self._steps(),
            self._acknowledged(),
            self._silence(),
            self._cut(),
            self._sensors(),
            self._values(),
        )
        return [line for part in parts if part for line in (*part, "")][:-1]

    def _say(self, sentence: str, **values: object) -> str:
        return self._words.say(sentence, **values)

    def _part(self, head: str, lines: Sequence[str]) -> list[str]:
        return [f"{self._words.sentences[head]}:", *(f"- {line}" for line in lines)]

    def _parties(self, parties: Sequence[str]) -> str:
        return self._words.listed([self._words.parties[party] for party in parties])

    def _ms(self, constant: Constant | None, otherwise_ms: int) -> str:
        return durations.words(otherwise_ms) if constant is None else self._applied.shown(constant)

    # -- parts

    def _head(self) -> list[str]:
        rule, words = self._rule, self._words
        severity = words.severities[rule.severity]
        head = self._say("head", severity=severity, parties=self._parties(rule.to))
        lines = [self._applied.name, head if rule.to else self._say("head home", severity=severity)]
        says = self._applied.filled(rule.says, self._language)
        lines += [f'"{says}"'] if says else []
        return lines if self._applied.home else [*lines, words.sentences["no home"]]

    def _listed(self, head: str, expr: Syntax) -> list[str]:
        said, words = self._sentences.said(expr), self._words.sentences
        if said.text not in (words["all of"], words["one of"]):
            return [f"{words[head]}:", *said.lines()]
        return [f"{words[head]} {said.text}:", *(line for part in said.parts for line in part.lines())]

    def _raised(self) -> list[str]:
        return self._listed("raised", self._rule.when.expr)

    def _ends(self) -> list[str]:
        held = " held" if self._rule.hold else ""
        if self._rule.clear is None:
            return [self._words.sentences[f"ends itself{held}"]]
        return [*self._listed(f"ends{held}", self._rule.clear.expr), self._words.sentences["stays"]]

    def _steps(self) -> list[str]:
        told = [(self._order(step), self._step(step)) for step in self._rule.steps]
        if self._rule.to and not any(step.do == "notify" for step in self._rule.steps):
            told.append(((False, 0, 0), f"{self._say('at once')}: {self._tells(self._rule.to, 'tell')}"))
        lines = [line for _, line in sorted(told)]
        return self._part("steps", lines or [self._words.sentences["nothing"]])

    def _acknowledged(self) -> list[str]:
        rule = self._rule
        if not rule.tells:
            return []
        lines = [self._say("ack quiet")]
        if rule.again is None:
            lines.append(self._say("ack for good"))
        else:
            lines.append(self._say("ack again", again=self._applied.shown(rule.again)))
        return self._part("ack", [*lines, self._say("ack held")] if rule.hold else lines)

    def _silence(self) -> list[str]:
        points = (point for part in walk(self._rule.when.expr) for point in self._read(part))
        reads = {self._sentences.name(point): point for point in points}
        lines = [line for name, point in reads.items() for line in self._silent(name, point)]
        grace = self._ms(self._rule.grace, DEFAULT_GRACE_MS)
        parties = self._parties([*self._rule.to, "operator"])
        if reads:
            lines.append(self._say("blind", grace=grace, parties=parties))
        if any(isinstance(part, Daytime) for part in walk(self._rule.when.expr)):
            lines.append(self._say("blind clock"))
        if reads:
            lines.append(self._say("silent ends" if self._ends_by_silence() else "silent end"))
        return self._part("silence", lines) if lines else []

    def _cut(self) -> list[str]:
        bridge = self._ms(self._rule.bridge, DEFAULT_BRIDGE_MS)
        if self._rule.bridge is not None and self._applied.ms(self._rule.bridge) == 0:
            return self._part("cut", [self._say("no bridge")])
        return self._part("cut", [self._say("bridged", bridge=bridge), self._say("longer")])

    def _sensors(self) -> list[str]:
        if self._applied.home is None:
            roles = self._rule.roles.values()
            lines = [f"{role.name}: {self._role(role)}" for role in roles]
        else:
            lines = [
                f"{role}: {', '.join(map(self._point, points)) or self._words.sentences['not bound']}"
                for role, points in self._applied.roles.items()
            ]
        return self._part("sensors", lines) if lines else []

    def _values(self) -> list[str]:
        lines = [f"{name}: {self._value(setting)}" for name, setting in self._rule.parameters.items()]
        return self._part("values", lines) if lines else []

    # -- lines of the parts

    def _order(self, step: Step) -> tuple[bool, int, int]:
        after_ms = 0 if step.after is None else self._applied.ms(step.after)
        return step.after is None, after_ms, step.number

    def _left_out(self, step: Step) -> bool:
        return bool(step.role) and not self._applied.roles[step.role]

    def _step(self, step: Step) -> str:
        what = self._does(step)
        if step.every is not None and step.times is not None:
            every, times = self._applied.shown(step.every), self._applied.shown(step.times)
            what = self._say("again and again", what=what, every=every, times=times)
        if self._left_out(step):
            what = self._say("left out", step=what, role=step.role)
        if step.after is None:
            return f"{self._say('at end')}: {what}"
        after = self._applied.shown(step.after)
        when = self._say("after", window=after) if self._applied.ms(step.after) else self._say("at once")
        return f"{when}: {what}"

    def _does(self, step: Step) -> str:
        match step.do:
            case "say":
                return self._say("say", text=self._applied.filled(step.text, self._language))
            case "notify":
                sentence = "tell" if step.after is not None else "tell end"
                return self._tells(self._rule.parties(step), sentence)
            case "offer_video":
                return self._say("video", camera=self._output(step))
            case "mode":
                return self._say("set mode", mode=self._sentences.mode(step.mode))
        words = self._words.kinds[step.do]
        turn = words.on if truth(step.turn, KINDS[step.do]) else words.off
        return f"{self._output(step)} {turn}"

    def _output(self, step: Step) -> str:
        """What it turns, by the role if that isn't bound."""
        if self._left_out(step):
            return step.role
        point = self._applied.roles[step.role][0]
        return point if step.do == "offer_video" else self._sentences.name(point)

    def _role(self, role: Role) -> str:
        kinds = self._words.listed(role.kinds, "or")
        how = "many" if role.many else "may stay unbound" if role.optional else ""
        return self._say(how, kinds=kinds) if how else kinds

    def _tells(self, parties: Sequence[str], sentence: str) -> str:
        if not parties:
            return self._say("tell nobody")
        return self._say(sentence + (" many" if len(parties) > 1 else ""), parties=self._parties(parties))

    def _read(self, part: Syntax) -> tuple[str, ...]:
        return self._applied.roles[part.role] if isinstance(part, Ask | Counted) else ()

    def _silent(self, name: str, point: str) -> list[str]:
        """When it counts as silent, and whether the rule can be raised without it."""
        alike = [p for ps in self._applied.roles.values() for p in ps if self._sentences.name(p) == name]
        can = {quality: self._can_raise(dict.fromkeys(alike, quality)) for quality in QUALITIES}
        limit_ms = self._limits_ms.get(point, self._limits_ms.get(point.partition(".")[0]))
        lines = []
        if limit_ms == NEVER:
            can["stale"] = can["unknown"]
            lines.append(self._say("no limit", name=name))
        elif limit_ms is not None:
            lines.append(self._say("limit", name=name, limit=durations.words(limit_ms)))
        if can["stale"] is can["unknown"]:
            how = "silent fine" if can["stale"] else "silent blind"
        else:
            how = "silent stale" if can["stale"] else "silent unknown"
        return [*lines, self._say(how, name=name)]

    def _can_raise(self, silent: Mapping[str, str]) -> bool:
        return Possible(self._applied, silent).can(self._rule.when.expr, True)

    def _ends_by_silence(self) -> bool:
        """Whether it can end while all that it reads is silent, or all is faulty."""
        clear = self._rule.clear
        expr, positive = (clear.expr, True) if clear else (self._rule.when.expr, False)
        reads = [point for part in walk(expr) for point in self._read(part)]
        silent = ({point: quality for point in reads} for quality in QUALITIES)
        return any(Possible(self._applied, points).can(expr, positive) for points in silent)

    def _point(self, point: str) -> str:
        home = self._applied.home
        device = home.devices.get(point.partition(".")[0]) if home else None
        return f"{point} ({device.room})" if device else point

    def _value(self, setting: Setting) -> str:
        value = self._applied.text(setting.name)
        if setting.low_text and setting.high_text:
            told = self._say("range", value=value, low=setting.low_text, high=setting.high_text)
        elif setting.low_text or setting.high_text:
            end = "least" if setting.low_text else "most"
            told = self._say(end, value=value, low=setting.low_text, high=setting.high_text)
        else:
            told = value
        return told if value == setting.text else self._say("default", value=told, default=setting.text)
