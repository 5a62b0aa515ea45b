"""Analogue-to-digital converters: MCP3008 on SPI through gpiozero, ADS1115 on I²C."""

from __future__ import annotations

import os
import threading
import time
import warnings
from typing import Any, Protocol

from homenode.errors import SetupError

I2C_BUS = 1
"""The one on pins 2 and 3 of every board's header."""
FIRST_ADDRESS = 0x48
"""ADS1115 with ADDR at GND; VDD, SDA and SCL make 1, 2 and 3 more (data sheet, 8.5.1.1)."""
SUPPLY_V = 3.3


class ChipLost(Exception):
    """The chip doesn't answer; the pins may be fine."""


class Chip(Protocol):
    """A converter; may be read by several threads."""

    def share(self, channel: int) -> float:
        """What a channel has, as a share of the supply, 0 to 1. Raises what the library raises."""
        ...

    def close(self) -> None:
        """Let go of the bus."""
        ...


class Mcp3008:
    """10 bits, of its reference, which is the supply. `chip`: the chip select, CE0 or CE1."""

    def __init__(self, factory: Any, chip: int) -> None:
        self._factory, self._chip = factory, chip
        self._channels: dict[int, Any] = {}
        self._one_at_a_time = threading.Lock()

    def _open(self, channel: int) -> Any:
        from gpiozero import MCP3008
        from gpiozero.exc import SPISoftwareFallback

        with warnings.catch_warnings():
            warnings.simplefilter("error", SPISoftwareFallback)
            try:
                opened = MCP3008(channel=channel, device=self._chip, pin_factory=self._factory)
            except SPISoftwareFallback as error:
                raise SetupError(
                    f"the SPI bus can't be used ({error})",
                    where=f"mcp3008 on CE{self._chip}",
                    do="raspi-config, Interfaces, SPI: on (dtparam=spi=on), then restart",
                ) from error
        self._channels[channel] = opened
        return opened

    def share(self, channel: int) -> float:
        """See `Chip.share`."""
        with self._one_at_a_time:
            return int((self._channels.get(channel) or self._open(channel)).raw_value) / 1023

    def close(self) -> None:
        """See `Chip.close`."""
        for one in self._channels.values():
            one.close()


class Ads1115:
    """16 bits, in volts. One conversion at a time: 860 a second, ±4.096 V, one channel against GND."""

    CONVERSION, CONFIG = 0, 1
    ONE_OF_CHANNEL = 0xC3
    """OS = start, MUX = AIN0 against GND (a channel more is 0x10), PGA = ±4.096 V, MODE = single."""
    FAST_NO_COMPARATOR = 0xE3
    DONE = 0x80
    VOLT = 4.096 / 32768
    CONVERTS_S = 0.0013
    """1/860 s and the 10 % that its clock may be off (data sheet, 6.5)."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._one_at_a_time = threading.Lock()

    def share(self, channel: int) -> float:
        """See `Chip.share`."""
        with self._one_at_a_time:
            self._bus.write(
                bytes([self.CONFIG, self.ONE_OF_CHANNEL + (channel << 4), self.FAST_NO_COMPARATOR])
            )
            for _ in range(5):
                time.sleep(self.CONVERTS_S)
                if self._bus.read(2)[0] & self.DONE:
                    break
            else:
                raise ChipLost("the converter doesn't finish")
            self._bus.write(bytes([self.CONVERSION]))
            raw = int.from_bytes(self._bus.read(2), "big", signed=True)
        return min(max(raw * self.VOLT / SUPPLY_V, 0.0), 1.0)

    def close(self) -> None:
        """See `Chip.close`."""
        self._bus.close()


class Bus(Protocol):
    """One address on I²C."""

    def write(self, data: bytes) -> None: ...
    def read(self, count: int) -> bytes: ...
    def close(self) -> None: ...


class PigpioBus:
    """Through the pigpio daemon."""

    def __init__(self, connection: Any, address: int) -> None:
        self._pi, self._handle = connection, connection.i2c_open(I2C_BUS, address)

    def write(self, data: bytes) -> None:
        self._pi.i2c_write_device(self._handle, data)

    def read(self, count: int) -> bytes:
        got, data = self._pi.i2c_read_device(self._handle, count)
        if got != count:
            raise ChipLost(f"{got} bytes instead of {count}")
        return bytes(data)

    def close(self) -> None:
        self._pi.i2c_close(self._handle)


class KernelBus:
    """Through the kernel's /dev/i2c-1."""

    SLAVE = 0x0703
    """ioctl I2C_SLAVE of linux/i2c-dev.h."""

    def __init__(self, address: int) -> None:
        import fcntl

        path = f"/dev/i2c-{I2C_BUS}"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise SetupError(
                f"the I²C bus can't be opened ({error.strerror})",
                where=path,
                do="raspi-config, Interfaces, I2C: on (dtparam=i2c_arm=on), and the node's user in group i2c",
            ) from error
        fcntl.ioctl(self._file, self.SLAVE, address)

    def write(self, data: bytes) -> None:
        os.write(self._file, data)

    def read(self, count: int) -> bytes:
        data = os.read(self._file, count)
        if len(data) != count:
            raise ChipLost(f"{len(data)} bytes instead of {count}")
        return data

    def close(self) -> None:
        os.close(self._file)


def open_chip(adc: str, chip: int, factory: Any) -> Chip:
    """A converter, by its word in home.yaml and its number.

    Raises:
        SetupError: The bus is not there.
    """
    if adc == "mcp3008":
        return Mcp3008(factory, chip)
    address = FIRST_ADDRESS + chip
    connection = getattr(factory, "connection", None)
    return Ads1115(KernelBus(address) if connection is None else PigpioBus(connection, address))


def is_the_chips(error: Exception, factory: Any) -> bool:
    """Whether only the converter is gone, or the way to all pins."""
    if isinstance(error, ChipLost | SetupError) or getattr(factory, "connection", None) is None:
        return True
    import pigpio

    return isinstance(error, pigpio.error)
