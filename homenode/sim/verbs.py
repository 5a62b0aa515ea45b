"""What one can tell the running apartment: a table of verbs, each with how it is used.

The same words work at `homenode sim do`, on the control socket and in tests.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from homenode.errors import Refused
from homenode.sim.hardware import Hardware
from homenode.sim.miio.things import MiioThing, PlugThing, SensorThing
from homenode.sim.scenario import read_scenario
from homenode.sim.sentences import understand
from homenode.sim.things import Thing, WiredThing, ZigbeeThing, misfit
from homenode.sim.zigbee.device import VirtualDevice

Result = object
Do = Callable[[Hardware, Sequence[str]], "Result | Awaitable[Result]"]


class Verb(NamedTuple):
    """One verb. `least` to `most` words follow it."""

    usage: str
    least: int
    most: int
    do: Do


def _thing(hardware: Hardware, name: str) -> Thing:
    thing = hardware.things.get(name)
    if thing is None:
        raise Refused(f"no device is called {name!r}", do=f"one of {', '.join(hardware.things)}")
    return thing


def _zigbee(hardware: Hardware, name: str) -> ZigbeeThing:
    thing = _thing(hardware, name)
    if not isinstance(thing, ZigbeeThing):
        raise misfit(thing, ZigbeeThing)
    return thing


def _wired(hardware: Hardware, name: str) -> WiredThing:
    thing = _thing(hardware, name)
    if not isinstance(thing, WiredThing):
        raise misfit(thing, WiredThing)
    return thing


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Refused(f"{text!r} is no number") from None


def _on(text: str) -> bool:
    if text not in ("on", "off"):
        raise Refused(f"{text!r} is neither on nor off")
    return text == "on"


def _sense(on: bool) -> Do:
    def do(hardware: Hardware, words: Sequence[str]) -> None:
        _thing(hardware, words[0]).sense(on, words[1] if len(words) > 1 else "")

    return do


def _press(hardware: Hardware, words: Sequence[str]) -> None:
    _thing(hardware, words[0]).press(words[1] if len(words) > 1 else "single")


def _measure(hardware: Hardware, words: Sequence[str]) -> None:
    _thing(hardware, words[0]).measure(words[1], _number(words[2]))


def _operate(hardware: Hardware, words: Sequence[str]) -> None:
    _thing(hardware, words[0]).operate(words[1], _on(words[2]))


def _join(hardware: Hardware, words: Sequence[str]) -> dict[str, bool]:
    key = None
    if words[1:2] == ["key"]:
        words, key = words[:1], _key(words[2:])
    things = hardware.zigbee() if words[0] == "all" else [_zigbee(hardware, name) for name in words]
    done = {thing.name: thing.device.present or thing.device.join(key) for thing in things}
    if not any(done.values()):
        raise Refused("no network is open", do="homenode pair --for 2min, then again")
    return done


def _key(words: Sequence[str]) -> bytes:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", "".join(words)):
        raise Refused("a key is 32 hexadecimal digits", do="join DEVICE key HEX")
    return bytes.fromhex("".join(words))


def _rejoin(hardware: Hardware, words: Sequence[str]) -> None:
    _zigbee(hardware, words[0]).device.rejoin()


def _leave(hardware: Hardware, words: Sequence[str]) -> None:
    _zigbee(hardware, words[0]).device.leave(silently=words[1:] == ["silently"])


def _device(name: str) -> Do:
    def do(hardware: Hardware, words: Sequence[str]) -> None:
        getattr(_afar(hardware, words[0]), name)()

    return do


def _afar(hardware: Hardware, name: str) -> VirtualDevice | MiioThing | SensorThing:
    """What is reached through the air, and may get out of reach."""
    thing = _thing(hardware, name)
    return thing if isinstance(thing, MiioThing | SensorThing) else _zigbee(hardware, name).device


def _tamper(hardware: Hardware, words: Sequence[str]) -> None:
    _zigbee(hardware, words[0]).device.tamper(_on(words[1]) if len(words) > 1 else True)


def _battery(hardware: Hardware, words: Sequence[str]) -> None:
    thing = _thing(hardware, words[0])
    cell = thing if isinstance(thing, SensorThing) else _zigbee(hardware, words[0]).device
    cell.battery(_number(words[1]))


def _move(hardware: Hardware, words: Sequence[str]) -> None:
    thing, to = _zigbee(hardware, words[0]), words[1]
    if to == "stick" or to in hardware.things:
        if not thing.device.on_network:
            raise Refused("is in no network", where=thing.name, do=f"join {thing.name}")
        parent = None if to == "stick" else _zigbee(hardware, to).device
        if parent is not None and parent.sleepy:
            raise Refused(
                "sleeps, and nothing can hang under it", where=to, do="name a lamp, a plug or stick"
            )
        hardware.stick.move(thing.device.ieee, parent.ieee if parent is not None else None)
    else:
        thing.device.move(round(_number(to)))


def _misbehave(hardware: Hardware, words: Sequence[str]) -> None:
    kind = words[1] if len(words) > 1 else ""
    _afar(hardware, words[0]).misbehave("" if kind == "no" else kind)


async def _stick(hardware: Hardware, words: Sequence[str]) -> None:
    faults = hardware.stick.faults
    match words[0]:
        case "reset":
            faults.reset()
        case "unplug":
            faults.unplug()
        case "plug":
            await faults.plug_in()
        case "wedge":
            faults.wedge(until_reset=words[1:] != ["hard"])
        case "deaf":
            faults.deafen()
        case "slow":
            faults.baud()
        case "well":
            faults.clear()
            faults.unwedge()
        case other:
            raise Refused(
                f"a stick can't {other!r}", do="reset, unplug, plug, wedge [hard], deaf, slow or well"
            )


def _frames(fault: str) -> Do:
    def do(hardware: Hardware, words: Sequence[str]) -> None:
        faults, text = hardware.stick.faults, words[0]
        number = _number(text.removesuffix("%"))
        ways = {"lose": faults.lose, "repeat": faults.repeat, "corrupt": faults.corrupt}
        if text.endswith("%"):
            ways[fault](share=number / 100)
        else:
            ways[fault](round(number))

    return do


async def _gpio(hardware: Hardware, words: Sequence[str]) -> None:
    port = hardware.pigpio.port
    match words[0]:
        case "gone":
            await hardware.pigpio.stop()
        case "back":
            await hardware.pigpio.start(port)
        case "wedge":
            hardware.pigpio.wedge(True)
        case "well":
            hardware.pigpio.wedge(False)
        case other:
            raise Refused(f"the pigpio daemon can't {other!r}", do="gone, back, wedge or well")


def _stuck(hardware: Hardware, words: Sequence[str]) -> None:
    thing = _thing(hardware, words[0])
    if isinstance(thing, PlugThing):
        thing.stuck(words[1] != "no")
        return
    levels = {"high": True, "low": False, "no": None}
    if words[1] not in levels:
        raise Refused(f"{words[1]!r} is no level", do="high, low or no")
    _wired(hardware, words[0]).stick(levels[words[1]])


def _cut(cut: bool) -> Do:
    return lambda hardware, words: _wired(hardware, words[0]).cut_wire(cut)


def _bounce(hardware: Hardware, words: Sequence[str]) -> None:
    _wired(hardware, words[0]).bounce_ms = tuple(_number(word) for word in words[1:])


def _say(hardware: Hardware, words: Sequence[str]) -> None:
    known = hardware.words()
    scenario = hardware.people.scenario
    try:
        sentence = understand(" ".join(words), known.with_people(scenario.people) if scenario else known)
    except ValueError as error:
        raise Refused(f"not understood: {' '.join(words)}", do=str(error)) from None
    hardware.people.do(sentence)


def _scenario(hardware: Hardware, words: Sequence[str]) -> None:
    if words[0] == "stop":
        hardware.people.stop()
    elif words[0] == "start":
        file = Path(words[1]) if len(words) > 1 else hardware.apartment.scenario
        if file is None:
            raise Refused("no scenario", do="scenario start FILE, or scenario: in apartment.yaml")
        hardware.people.start(read_scenario(file, hardware.words()))
    else:
        raise Refused(f"a scenario can't {words[0]!r}", do="start [FILE] or stop")


def _speed(hardware: Hardware, words: Sequence[str]) -> None:
    speed = _number(words[0])
    if not 0 < speed <= 100_000:
        raise Refused("a speed is above 0 and at most 100000")
    hardware.run_at(speed)


def _clock(hardware: Hardware, _: Sequence[str]) -> dict[str, object]:
    timeline = hardware.timeline
    return {"time": timeline.now().isoformat(timespec="milliseconds"), "speed": timeline.clock.speed}


def _status(hardware: Hardware, words: Sequence[str]) -> dict[str, object]:
    if words:
        return _thing(hardware, words[0]).status()
    stick = hardware.stick
    return {
        **_clock(hardware, words),
        "stick": {
            "ezsp": stick.version,
            "plugged": stick.plugged,
            "wedged": stick.faults.wedged,
            "network": "up" if stick.network_up else "down",
            "open": stick.permitting,
            "tcp": stick.tcp_port,
        },
        "gpio": hardware.pigpio.port,
        "people": dict(hardware.people.where),
        "devices": {name: thing.status() for name, thing in hardware.things.items()},
    }


VERBS: dict[str, Verb] = {
    "trip": Verb("trip DEVICE [KIND]           open, seen, wet, alarm, occupied", 1, 2, _sense(True)),
    "clear": Verb("clear DEVICE [KIND]          the opposite", 1, 2, _sense(False)),
    "open": Verb("open DEVICE", 1, 1, _sense(True)),
    "close": Verb("close DEVICE", 1, 1, _sense(False)),
    "press": Verb("press DEVICE [WAY]           single, double, hold …", 1, 2, _press),
    "measure": Verb("measure DEVICE KIND NUMBER   such as measure stove power 1400", 3, 3, _measure),
    "operate": Verb("operate DEVICE KIND on|off   by hand: the button on the plug", 3, 3, _operate),
    "battery": Verb("battery DEVICE PERCENT", 2, 2, _battery),
    "tamper": Verb("tamper DEVICE [on|off]       its lid", 1, 2, _tamper),
    "join": Verb(
        "join all | join DEVICE … | join DEVICE key HEX    its pairing button",
        1,
        99,
        _join,
    ),
    "rejoin": Verb("rejoin DEVICE", 1, 1, _rejoin),
    "leave": Verb("leave DEVICE [silently]", 1, 2, _leave),
    "silence": Verb("silence DEVICE               out of reach", 1, 1, _device("silence")),
    "revive": Verb("revive DEVICE                within reach again", 1, 1, _device("revive")),
    "unplug": Verb("unplug DEVICE                mains or battery away", 1, 1, _device("unplug")),
    "plug": Verb("plug DEVICE                  and back", 1, 1, _device("plug_in")),
    "move": Verb("move DEVICE 0…255|ROUTER|stick   its link quality, or what it hangs under", 2, 2, _move),
    "misbehave": Verb(
        "misbehave DEVICE FAULT|no    zigbee/device_faults.py, miio/peer.py list them", 1, 2, _misbehave
    ),
    "stick": Verb("stick reset|unplug|plug|wedge [hard]|deaf|slow|well", 1, 2, _stick),
    "lose": Verb("lose N | lose P%             serial frames", 1, 1, _frames("lose")),
    "repeat": Verb("repeat N | repeat P%", 1, 1, _frames("repeat")),
    "corrupt": Verb("corrupt N | corrupt P%", 1, 1, _frames("corrupt")),
    "gpio": Verb("gpio gone|back|wedge|well    the pigpio daemon", 1, 1, _gpio),
    "stuck": Verb("stuck DEVICE high|low|no     short its line", 2, 2, _stuck),
    "cut": Verb("cut DEVICE                   its wire", 1, 1, _cut(True)),
    "mend": Verb("mend DEVICE", 1, 1, _cut(False)),
    "bounce": Verb("bounce DEVICE [MS …]         how its contact chatters", 1, 20, _bounce),
    "say": Verb("say SENTENCE                 as in a scenario: say hob on", 1, 9, _say),
    "scenario": Verb("scenario start [FILE] | scenario stop", 1, 2, _scenario),
    "speed": Verb("speed N                      of the apartment's clock", 1, 1, _speed),
    "clock": Verb("clock", 0, 0, _clock),
    "status": Verb("status [DEVICE]", 0, 1, _status),
}
"""Verb to what it does. `watch` and `help` are the control socket's own."""


async def do(hardware: Hardware, words: Sequence[str]) -> Result:
    """Do what is said; what the verb answers, as plain JSON values.

    Raises:
        Refused: There is no such verb or device, or it can't.
    """
    verb = VERBS.get(words[0]) if words else None
    if verb is None:
        said = repr(words[0]) if words else "nothing"
        raise Refused(f"{said} is no verb", do=f"one of {', '.join(VERBS)}")
    if not verb.least <= len(words) - 1 <= verb.most:
        raise Refused(f"{words[0]} is used differently", do=verb.usage)
    answer = verb.do(hardware, words[1:])
    return await answer if isinstance(answer, Awaitable) else answer
