"""The simulated pigpio daemon as python's own pigpio sees it, and as garbage finds it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from homenode.sim.gpio.board import Board
from homenode.sim.gpio.daemon import LONGEST_EXTENT, PigpioDaemon

pigpio = pytest.importorskip("pigpio", reason="the extra gpio is not installed")


def _with_daemon(play: Callable[[int], Any]) -> Any:
    """Run `play(port)` in a thread beside a daemon."""

    async def run() -> Any:
        loop = asyncio.get_running_loop()
        daemon = PigpioDaemon(Board(lambda seconds, call: loop.call_later(seconds, call).cancel))
        port = await daemon.start()
        try:
            return await asyncio.to_thread(play, port)
        finally:
            await daemon.stop()

    return asyncio.run(run())


def _with_client(play: Callable[[Any], Any]) -> Any:
    def connected(port: int) -> Any:
        client = pigpio.pi("127.0.0.1", port)
        assert client.connected
        try:
            return play(client)
        finally:
            client.stop()

    return _with_daemon(connected)


def test_it_says_what_a_daemon_on_a_zero_2_w_says() -> None:
    said = _with_client(lambda client: (client.get_pigpio_version(), client.get_hardware_revision()))
    assert said == (79, 0x902120)


def test_pins_remember_mode_level_and_pwm() -> None:
    def play(client: Any) -> None:
        client.set_mode(22, pigpio.OUTPUT)
        client.write(22, 1)
        assert client.get_mode(22) == pigpio.OUTPUT
        assert client.read(22) == 1
        assert client.read_bank_1() >> 22 & 1
        client.clear_bank_1(1 << 22)
        assert client.read(22) == 0
        client.set_PWM_range(22, 1000)
        client.set_PWM_frequency(22, 400)
        client.set_PWM_dutycycle(22, 250)
        assert client.get_PWM_dutycycle(22) == 250
        assert client.get_PWM_range(22) == client.get_PWM_real_range(22) == 1000
        assert client.get_PWM_frequency(22) == 400
        client.set_pull_up_down(17, pigpio.PUD_UP)
        assert client.read(17) == 1

    _with_client(play)


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda client: client.set_mode(60, 0), "GPIO not 0-53"),
        (lambda client: client.set_mode(17, 9), "mode not 0-7"),
        (lambda client: client.set_pull_up_down(17, 7), "pud not 0-2"),
        (lambda client: client.write(17, 2), "level not 0-1"),
        (lambda client: client.set_glitch_filter(17, 300_001), "bad filter parameter"),
        (lambda client: client.set_PWM_dutycycle(40, 1), "GPIO not 0-31"),
        (lambda client: client.set_PWM_dutycycle(17, 256), "dutycycle not 0-range"),
        (lambda client: client.set_PWM_range(17, 3), "dutycycle range not 25-40000"),
        (lambda client: client.get_PWM_dutycycle(17), "GPIO is not in use for PWM"),
        (lambda client: client.notify_begin(7, 1), "unknown handle"),
        (lambda client: client.serial_open("/dev/ttyAMA0", 9600), "unknown command"),
        (lambda client: client.spi_open(2, 50_000), "bad SPI channel"),
        (lambda client: client.spi_open(0, 5), "bad SPI speed"),
        (lambda client: client.i2c_open(0, 0x48), "bad I2C bus"),
        (lambda client: client.i2c_open(1, 0x80), "bad I2C address"),
        (lambda client: client.i2c_write_device(client.i2c_open(1, 0x4B), b"\x01"), "I2C write failed"),
    ],
)
def test_what_cant_be_done_is_answered_with_pigpios_own_error(ask: Callable[[Any], Any], why: str) -> None:
    def play(client: Any) -> None:
        with pytest.raises(pigpio.error, match=why):
            ask(client)
        assert client.get_pigpio_version() == 79  # the stream is still in step

    _with_client(play)


def test_a_byte_at_a_time_is_a_request_all_the_same() -> None:
    def play(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in struct.pack("<IIII", 26, 0, 0, 0):
                connection.sendall(bytes([byte]))
            return connection.recv(16)

    assert struct.unpack("<IIII", _with_daemon(play))[3] == 79


def test_a_length_that_no_request_has_ends_the_connection() -> None:
    def play(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(struct.pack("<IIII", 3, 0, 0, LONGEST_EXTENT + 1))
            try:
                return connection.recv(16)
            except ConnectionResetError:
                return b""

    assert _with_daemon(play) == b""
