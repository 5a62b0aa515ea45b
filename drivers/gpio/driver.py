"""Tells each change of a wired input, and drives the outputs."""

from __future__ import annotations

import asyncio
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from drivers.gpio.analog import Analog
from drivers.gpio.counting import Meter, Meters
from drivers.gpio.kinds import COUNTED, DEBOUNCE_MS, WIRINGS
from drivers.gpio.one_wire import Thermometers
from drivers.gpio.pins import drop, open_factory, place
from homenode.config.model import Device
from homenode.driver import Host
from homenode.errors import DriverLost, HomenodeError, Refused, acted_on

CHECK_S = 0.5
"""How often levels are read beside the edges: finds a dead daemon, and an edge that got lost."""

PULLS = {"up": True, "down": False, "none": None}
"""gpiozero's words for them."""


class _Line:
    """One pin and the device on it.

    Attributes:
        pin: The gpiozero device, once opened.
        told: Value last told.
        doubted: The line was seen at another level than told at the last check.
    """

    def __init__(self, device: Device) -> None:
        options = device.options
        self.name, self.kind, self.number = device.name, str(options["kind"]), int(options["pin"])
        wiring = WIRINGS[self.kind]
        self.output = wiring.output
        self.pull = options.get("pull") or wiring.pull
        self.high = (options.get("active") or wiring.active) == "high"
        self.debounce_s = (50 if options.get("debounce") is None else options["debounce"]) / 1000
        # gpiozero calls a pulled-up input active when it is low; here the point's meaning decides
        self.inverted = not self.output and (self.pull == "up") == self.high
        self.pin: Any = None
        self.told: bool | None = None
        self.doubted = False

    def value(self) -> bool:
        return bool(self.pin.value) != self.inverted

    def close(self) -> None:
        """Let go of the pin."""
        pin, self.pin, self.told = self.pin, None, None
        if pin is not None:
            pin.close()


class _MeterPin:
    """The pin of a meter: each time its contact closes is a pulse."""

    def __init__(self, device: Device, meter: Meter) -> None:
        options = device.options
        self.number, self.pull = int(options["pin"]), str(options.get("pull") or "up")
        self._low = (options.get("active") or "low") == "low"
        debounce_ms = options.get("debounce")
        self._debounce_s = (DEBOUNCE_MS[meter.kind] if debounce_ms is None else debounce_ms) / 1000
        self._meter = meter
        self._pin: Any = None

    def open(self, factory: Any) -> None:
        """Count from now on."""
        from gpiozero import DigitalInputDevice

        pull = PULLS[self.pull]
        self._pin = DigitalInputDevice(
            self.number,
            pull_up=pull,
            active_state=not self._low if pull is None else None,
            bounce_time=self._debounce_s or None,
            pin_factory=factory,
        )
        if pull is None or pull == self._low:
            self._pin.when_activated = self._meter.pulse
        else:
            self._pin.when_deactivated = self._meter.pulse

    def close(self) -> None:
        """Let go of the pin."""
        pin, self._pin = self._pin, None
        if pin is not None:
            pin.close()


def put_out(devices: Sequence[Device]) -> list[str]:
    """The command that switches these outputs off once its standard input ends."""
    off = [f"{line.number}={0 if line.high else 1}" for line in map(_Line, devices)]
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("put_out.py")), place(), *off]


class GpioDriver:
    """All wired devices of a home."""

    def __init__(self, devices: Sequence[Device], host: Host) -> None:
        on_adc = [device for device in devices if device.options.get("adc")]
        on_bus = [device for device in devices if device.options.get("sensor")]
        meters = [device for device in devices if device.options["kind"] in COUNTED]
        pins = [device for device in devices if device not in (*on_adc, *on_bus, *meters)]
        self._lines = {device.name: _Line(device) for device in pins}
        self._analog = Analog(on_adc, host) if on_adc else None
        self._thermometers = Thermometers(on_bus, host) if on_bus else None
        self._meters = Meters(meters, host) if meters else None
        self._meter_pins = [
            _MeterPin(device, self._meters.meters[device.name]) for device in meters if self._meters
        ]
        self._host = host
        self._factory: Any = None
        self._telling = threading.Lock()

    async def run(self) -> None:
        """See `Driver.run`."""
        try:
            if self._lines or self._meter_pins or self._analog:
                self._open_pins()
            async with asyncio.TaskGroup() as group:
                if self._factory is not None:
                    group.create_task(self._look_after(), name="pins")
                if self._analog is not None:
                    group.create_task(self._read_analog(self._analog), name="adc")
                if self._thermometers is not None:
                    group.create_task(self._thermometers.run(), name="1-wire")
                if self._meters is not None:
                    group.create_task(self._meters.run(), name="meters")
        except BaseExceptionGroup as several:
            raise acted_on(several) from several
        finally:
            self._release()

    def _open_pins(self) -> None:
        inputs: list[_Line | _MeterPin] = [line for line in self._lines.values() if not line.output]
        inputs += self._meter_pins
        self._factory = open_factory(
            {line.number: "floating" if line.pull == "none" else line.pull for line in inputs}
        )
        with self._library():
            for line in self._lines.values():
                self._open(line)
            for pin in self._meter_pins:
                pin.open(self._factory)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            with self._library():
                self._factory.ticks()
                for line in self._lines.values():
                    self._check(line)

    async def _read_analog(self, analog: Analog) -> None:
        with self._library():
            await analog.run(self._factory)

    async def switch(self, device: str, kind: str, to: bool) -> None:
        """See `Driver.switch`; afterwards the line is read back."""
        line = self._lines.get(device)
        if line is None or not line.output or line.kind != kind:
            raise Refused("is no output", where=f"{device}.{kind}", do="name a switch, siren, light or valve")
        if line.pin is None:
            raise DriverLost("pins are not open", where=f"{device}.{kind}")
        with self._library():
            line.pin.value = to
            self._tell(line, line.value)
        if line.told is not to:
            raise Refused(
                f"pin {line.number} doesn't follow", where=f"{device}.{kind}", do="look for a short circuit"
            )

    async def pair(self, seconds: float) -> None:
        """See `Driver.pair`."""
        raise Refused("wired devices are not paired", do="add them to home.yaml with their pin")

    def _open(self, line: _Line) -> None:
        from gpiozero import DigitalInputDevice, DigitalOutputDevice

        if line.output:
            line.pin = DigitalOutputDevice(line.number, active_high=line.high, pin_factory=self._factory)
            self._tell(line, line.value)
            return
        pull = PULLS[line.pull]
        line.pin = DigitalInputDevice(
            line.number,
            pull_up=pull,
            active_state=True if pull is None else None,
            bounce_time=line.debounce_s or None,
            pin_factory=self._factory,
        )
        line.pin.when_activated = lambda: self._tell(line, lambda: not line.inverted)
        line.pin.when_deactivated = lambda: self._tell(line, lambda: line.inverted)
        self._tell(line, line.value, starting=True)

    def _tell(self, line: _Line, value: Callable[[], bool], *, starting: bool = False) -> None:
        """Edges come on the library's thread: the value is taken and told in one step, so the order holds."""
        with self._telling:
            line.told, line.doubted = value(), False
            pressed_before = starting and line.kind == "button"  # held down at start is not pressed now
            self._host.heard(line.name, line.kind, line.told and not pressed_before)

    def _check(self, line: _Line) -> None:
        """A level that contradicts what was told at two checks in a row is an edge that got lost."""
        if line.value() == line.told:
            line.doubted = False
        elif line.doubted:
            self._tell(line, line.value)
        else:
            line.doubted = True

    @contextmanager
    def _library(self) -> Iterator[None]:
        try:
            yield
        except HomenodeError:
            raise
        except Exception as error:  # each pin library raises its own
            drop(self._factory)
            # pigpio unpacks what it read of a connection that was closed
            why = "the daemon hung up" if isinstance(error, struct.error) else error or type(error).__name__
            raise DriverLost(
                f"the pins don't answer ({why})",
                where="gpio",
                do="see that pigpiod runs"
                if hasattr(self._factory, "connection")
                else "check the wiring; it is tried again",
            ) from error

    def _release(self) -> None:
        """Let go of every pin; a daemon that doesn't answer costs one time-out, not one a pin."""
        if self._analog is not None:
            self._analog.close()
        parts: list[_Line | _MeterPin] = [*self._lines.values(), *self._meter_pins]
        for part in parts:
            try:
                part.close()
            except Exception:  # noqa: BLE001 - each pin library raises its own; the pin is gone either way
                drop(self._factory)
        if self._meters is not None:
            self._meters.store(ahead=False)
            self._meters.tell()
        if self._factory is not None:
            with suppress(Exception):
                self._factory.close()
            drop(self._factory)
            self._factory = None
