"""SPI and I²C as a pigpio daemon offers them: handles, and bytes to and from the converters."""

from __future__ import annotations

from enum import IntEnum

from homenode.sim.gpio.adc import Converters


class BusCmd(IntEnum):
    """Commands answered; numbers of pigpio.h (PI_CMD_…)."""

    I2CO = 54
    I2CC = 55
    I2CRD = 56
    I2CWD = 57
    SPIO = 71
    SPIC = 72
    SPIR = 73
    SPIW = 74
    SPIX = 75


class BusBad(IntEnum):
    """Errors, as pigpio.h numbers them."""

    HANDLE = -25
    BAD_I2C_BUS = -74
    BAD_I2C_ADDR = -75
    SPI_CHANNEL = -76
    SPI_SPEED = -78
    I2C_WRITE_FAILED = -82
    I2C_READ_FAILED = -83
    SPI_COUNT = -84


MOST_BYTES = 65_536
SPEEDS = range(32_000, 125_000_001)
"""Bits a second that pigpio takes for SPI."""


class Buses:
    """The open handles of all clients.

    Attributes:
        converters: What answers; a chip that is taken out of it answers no more.
    """

    def __init__(self, converters: Converters) -> None:
        self.converters = converters
        self._i2c: dict[int, int] = {}
        self._spi: dict[int, int] = {}

    def command(self, command: BusCmd, p1: int, p2: int, data: bytes) -> tuple[int, bytes]:
        """Do one command: its result, negative for an error, and what follows it."""
        match command:
            case BusCmd.I2CO:
                if p1 != 1:
                    return BusBad.BAD_I2C_BUS, b""
                return (_opened(self._i2c, p2), b"") if p2 <= 0x7F else (BusBad.BAD_I2C_ADDR, b"")
            case BusCmd.SPIO:
                if p1 not in (0, 1):
                    return BusBad.SPI_CHANNEL, b""
                return (_opened(self._spi, p1), b"") if p2 in SPEEDS else (BusBad.SPI_SPEED, b"")
            case BusCmd.I2CC | BusCmd.SPIC:
                handles = self._i2c if command == BusCmd.I2CC else self._spi
                return (BusBad.HANDLE if handles.pop(p1, None) is None else 0), b""
            case BusCmd.I2CRD | BusCmd.I2CWD:
                return self._on_i2c(command, p1, p2, data)
        return self._on_spi(command, p1, p2, data)

    def _on_i2c(self, command: BusCmd, handle: int, count: int, data: bytes) -> tuple[int, bytes]:
        if handle not in self._i2c:
            return BusBad.HANDLE, b""
        chip, at_s = self.converters.i2c.get(self._i2c[handle]), self.converters.clock()
        if command == BusCmd.I2CWD:
            if chip is None:
                return BusBad.I2C_WRITE_FAILED, b""
            chip.write(data, at_s)
            return 0, b""
        if chip is None or not 0 < count <= MOST_BYTES:
            return BusBad.I2C_READ_FAILED, b""
        return count, chip.read(count, at_s)

    def _on_spi(self, command: BusCmd, handle: int, count: int, data: bytes) -> tuple[int, bytes]:
        if handle not in self._spi:
            return BusBad.HANDLE, b""
        chip = self.converters.spi.get(self._spi[handle])
        sent = bytes(min(count, MOST_BYTES)) if command == BusCmd.SPIR else data
        if not sent:
            return BusBad.SPI_COUNT, b""
        # nobody at the chip select: MISO floats, and the Pi's pin is pulled down
        back = chip.transfer(sent, self.converters.clock()) if chip is not None else bytes(len(sent))
        return len(back), b"" if command == BusCmd.SPIW else back


def _opened(handles: dict[int, int], what: int) -> int:
    handle = next(number for number in range(len(handles) + 1) if number not in handles)
    handles[handle] = what
    return handle
