"""What an installer wants, and the orders that carry it out (pure)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from homenode.config.values import WORD
from homenode.errors import Refused
from homenode.install import edits
from homenode.install.known import spelled, suggested_name, usual_rooms
from homenode.install.steps import Arrival, Ask, Installation, Note, NotSure, Order, Report, Write
from homenode.install.walk import OUTPUTS, Walk
from homenode.install.words import say
from homenode.kinds import kind_of
from homenode.language.bound import BoundRule

OPEN_S = 240.0
"""One opening of the network; an installer who forgets to close it has it closed by then."""
LONGEST = 200
"""Characters of what is typed; names are shorter."""


def orders(
    steps: Installation, wish: Mapping[str, Any], now_ms: int, at: str, language: str = "en"
) -> list[Order]:
    """What to do, in order, each only if the one before succeeded.

    Args:
        now_ms: Of this program's clock.
        at: What the node's clock shows.
        language: In which it is told if it can't be done.

    Raises:
        Refused: It can't be done, in words for the installer.
    """
    do = wish.get("do")
    found = _WISHES.get(do) if isinstance(do, str) else None
    if found is None:
        raise Refused(f"there is nothing called {do!r} to do", do=f"known: {', '.join(_WISHES)}")
    steps.revision += 1
    return found(_Wish(steps, wish, now_ms, at, language))


@dataclass(frozen=True, slots=True)
class _Wish:
    """One wish of one installer."""

    steps: Installation
    fields: Mapping[str, Any]
    now_ms: int
    at: str
    language: str

    def say(self, key: str, **more: object) -> str:
        return say(key, self.language, **more)

    def no(self, key: str, **more: object) -> Refused:
        """Why it can't be done."""
        return Refused(self.say(f"no_{key}", **more))

    def ask_first(self, key: str, **more: object) -> None:
        """Raises NotSure, until the installer says that it is meant so."""
        if not self.fields.get("sure"):
            raise NotSure(self.say(f"no_{key}", **more))

    def text(self, key: str) -> str:
        value = self.fields.get(key, "")
        if not isinstance(value, str) or len(value) > LONGEST:
            raise self.no("text", field=key, most=LONGEST)
        return " ".join(value.split())

    @property
    def radio(self) -> str:
        """The radio that is meant; "" for the only one."""
        radios, name = self.steps.radios, self.text("radio")
        if len(radios) > 1 and name not in radios:
            raise self.no("which_radio", radios=", ".join(radios))
        return name

    @property
    def arrival(self) -> Arrival:
        address = self.text("address")
        if (arrival := self.steps.arrivals.get(address)) is None:
            raise self.no("arrival", address=address)
        return arrival

    @property
    def device(self) -> str:
        name = self.text("device")
        if name not in self.steps.home.devices:
            close = difflib.get_close_matches(name, self.steps.home.devices, 1)
            raise self.no("device_near" if close else "device", name=name, near=close[0] if close else "")
        return name

    @property
    def walk(self) -> Walk:
        if self.steps.walk is None:
            raise self.no("walk")
        return self.steps.walk

    @property
    def output(self) -> str:
        point = self.text("point")
        device, _, kind = point.rpartition(".")
        row, known = self.walk.rows.get(device), kind_of(kind)
        if row is None or kind not in row.checks or known is None or known.name not in OUTPUTS:
            raise self.no("output", point=point)
        return point

    def active(self, active: bool) -> Note:
        def change() -> None:
            self.walk.active = active

        return Note(change)


# -- devices


def _open(wish: _Wish) -> list[Order]:
    return _opened(wish, wish.radio, wish.text("code"), wish.text("ieee"))


def _opened(wish: _Wish, radio: str, code: str = "", ieee: str = "") -> list[Order]:
    """One network at a time is open: what joins is looked for there.

    Args:
        code: Install code, as printed or scanned: only that device may join.
        ieee: Its address, unless the code is scanned and has it.
    """
    steps, until_ms = wish.steps, wish.now_ms + int(OPEN_S * 1000)
    other = wish.now_ms < steps.open_until_ms and steps.open_radio != radio
    first = _closed(steps) if other else []
    only = {"install_code": code, "ieee": ieee} if code else {}
    pair = Ask(_pair(OPEN_S, radio) | only, unless=wish.say("code_not_taken") if code else "")
    return [*first, pair, Note(lambda: steps.open_for(until_ms, radio, code=bool(code)))]


def _pair(seconds: float, radio: str) -> dict[str, Any]:
    return {"do": "pair", "for_s": seconds} | ({"radio": radio} if radio else {})


def _close(wish: _Wish) -> list[Order]:
    wish.steps.replacing = ""
    return _closed(wish.steps)


def _closed(steps: Installation) -> list[Order]:
    if len(steps.radios) > 1 and not steps.open_radio:
        return []  # none was opened from here
    return [Ask(_pair(0, steps.open_radio)), Note(lambda: steps.open_for(0))]


def _name(wish: _Wish) -> list[Order]:
    steps, arrival, room = wish.steps, wish.arrival, wish.text("room")
    if not room:
        raise wish.no("room")
    free = suggested_name(room, arrival.kinds, steps.home.devices)
    name = wish.text("name") or free
    if not re.fullmatch(WORD, name):
        raise wish.no("name_letters", name=name, near=spelled(name) or free)
    if name in steps.home.devices:
        raise wish.no("name_taken", name=name, room=steps.home.devices[name].room, free=free)
    _sure_of_room(wish, room)
    if arrival.radio not in steps.radios:
        raise wish.no("radio", address=arrival.address)
    fields = {"via": arrival.radio, "ieee": arrival.address, "room": room}
    if what := wish.text("is"):
        fields["is"] = what
    if model := arrival.model_field:
        fields["model"] = model
    return [
        Write(lambda text: edits.add_device(text, name, fields), wish.say("named", name=name)),
        Note(lambda: steps.place(name)),
    ]


def _sure_of_room(wish: _Wish, room: str) -> None:
    """Raises NotSure for a room that is nearly one of this home, or a usual one in another spelling."""
    small = {device.room.casefold(): device.room for device in wish.steps.home.devices.values()}
    usual = usual_rooms(wish.language)
    if room in small.values() or (room in usual and spelled(room) not in map(spelled, small.values())):
        return
    if close := difflib.get_close_matches(room.casefold(), small, 1, 0.75):
        wish.ask_first("room_near", room=room, near=small[close[0]])
    elif near := next((one for one in usual if spelled(one) == spelled(room)), ""):
        wish.ask_first("room_usual", room=room, near=near)


def _move(wish: _Wish) -> list[Order]:
    """It hangs in another room than was said; its name, rules and history go on."""
    name, room = wish.device, wish.text("room")
    if not room:
        raise wish.no("room")
    _sure_of_room(wish, room)
    told = wish.say("moved", name=name, room=room)
    return [Write(lambda text: edits.set_fields(text, name, {"room": room}), told)]


def _replace(wish: _Wish) -> list[Order]:
    """First open the network for the new one; then, with its address, put it in the old one's place.

    Which rules would lose what they read is told before anything is written.
    """
    steps, name = wish.steps, wish.device
    device = steps.home.devices[name]
    if "ieee" not in device.options:
        raise wish.no("wired", name=name, driver=device.driver)
    if not wish.text("address"):
        steps.replacing = name
        return _opened(wish, wish.text("radio") or (device.via if len(steps.radios) > 1 else ""))
    arrival = wish.arrival
    if not arrival.ready:
        raise wish.no("asked_yet", address=arrival.address)
    lacks: dict[str, list[str]] = {}
    for rule in steps.rules:
        for kind in {point.partition(".")[2] for point in _points(rule, name)} - set(arrival.kinds):
            lacks.setdefault(kind, []).append(rule.name)
    if lacks:
        lost = "; ".join(f"{kind} ({', '.join(rules)})" for kind, rules in sorted(lacks.items()))
        wish.ask_first("replacement", lacks=lost, name=name, has=", ".join(arrival.kinds))
    fields = {"ieee": arrival.address}
    if arrival.radio != device.via:
        fields["via"] = arrival.radio
    if model := arrival.model_field:
        fields["model"] = model
    told = "replaced" if model in ("", device.model) or not device.model else "replaced_other"

    def done() -> None:
        steps.replacing = ""
        steps.place(name)
        if steps.walk is not None and name in steps.walk.rows:
            steps.walk.rows[name].checks.clear()  # what was seen was the old one's
            steps.set_up_walk()

    return [
        Write(
            lambda text: edits.set_fields(text, name, fields),
            wish.say(told, name=name, old=device.model, new=model),
        ),
        Note(done),
    ]


def _points(rule: BoundRule, device: str) -> list[str]:
    points = (*rule.points, *(step.point for step in rule.steps))
    return [point for point in points if point.partition(".")[0] == device]


def _dismiss(wish: _Wish) -> list[Order]:
    address = wish.arrival.address
    return [Ask({"do": "dismiss", "address": address}, told=wish.say("dismissed", address=address))]


def _use(wish: _Wish) -> list[Order]:
    steps, name, rule = wish.steps, wish.device, wish.text("rule")
    fit = next((one for one in steps.fits(name) if one.rule == rule), None)
    if fit is None:
        raise wish.no("place", rule=rule, name=name)
    told = wish.say("rule_reads", rule=rule, point=fit.point)
    if fit.nth is not None:
        nth = fit.nth
        return [Write(lambda text: edits.add_point(text, nth, fit.role, fit.point), told)]
    role = steps.rule_files[rule].roles[fit.role]
    bind: dict[str, str | list[str]] = {fit.role: [fit.point] if role.many else fit.point}
    return [Write(lambda text: edits.add_to_rule(text, rule, bind), told)]


def _place(wish: _Wish) -> list[Order]:
    wish.steps.place(wish.device)
    return []


def _placed(wish: _Wish) -> list[Order]:
    wish.steps.placing.pop(wish.text("device"), None)
    return []


# -- the walk test


def _walk(wish: _Wish) -> list[Order]:
    """Begin, or go on with one that was interrupted."""
    steps = wish.steps
    if steps.walk is None or wish.fields.get("anew"):
        steps.walk = Walk(steps.home.home, wish.at, {}, {})
    steps.set_up_walk()
    for point in steps.status.get("points", ()):
        steps.walk.knew(point["point"], point["value"])
    return [Ask({"do": "mode", "mode": "service"}), wish.active(True)]


def _pause(wish: _Wish) -> list[Order]:
    _may_end(wish)
    return [Ask({"do": "mode", "mode": "home"}), wish.active(False)]


def _finish(wish: _Wish) -> list[Order]:
    by = wish.text("by")
    if not by:
        raise wish.no("by")
    _may_end(wish)
    return [Report(by), Ask({"do": "mode", "mode": "home"}), wish.active(False)]


def _may_end(wish: _Wish) -> None:
    """What was told as a test and outlives service mode is told again, in earnest."""
    status = wish.steps.status
    if wish.walk.active and status.get("mode") == "service":
        still = sorted({str(alert["rule"]) for alert in status.get("alerts", ())})
        if still:
            wish.ask_first("still_open", rules=", ".join(still))


def _try(wish: _Wish) -> list[Order]:
    point = wish.output
    kind = kind_of(point)
    words = (kind.true_word, kind.false_word) if kind else ("on", "off")
    return [Ask({"do": "switch", "point": point, "to": words[0 if wish.fields.get("on", True) else 1]})]


def _tried(wish: _Wish) -> list[Order]:
    wish.walk.tried(wish.output, bool(wish.fields.get("works")), wish.at)
    return []


def _remark(wish: _Wish) -> list[Order]:
    row = wish.walk.rows.get(wish.device)
    if row is not None:
        row.remark = wish.text("text")
    return []


_WISHES: Mapping[str, Callable[[_Wish], list[Order]]] = {
    "open": _open,
    "close": _close,
    "name": _name,
    "move": _move,
    "replace": _replace,
    "dismiss": _dismiss,
    "use": _use,
    "place": _place,
    "placed": _placed,
    "walk": _walk,
    "try": _try,
    "tried": _tried,
    "remark": _remark,
    "pause": _pause,
    "finish": _finish,
}
