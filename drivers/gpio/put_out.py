"""`python -I -S put_out.py WHERE PIN=LEVEL …`: sets pins when standard input ends without a word.

Whoever started it was killed then, and an IR lamp must not stay lit. It is there as long as the lamp is, so
nothing is loaded that isn't needed at once. WHERE is ``/dev/gpiochipN``, or ``HOST:PORT`` of a pigpiod.
"""

import fcntl
import os
import signal
import struct
import sys
import time

AGAIN_S, TRIES = 0.02, 250
"""For five seconds: the kernel is still letting go of a killed process's pins, or the daemon starts."""
_GET_LINE = 0xC250B407
_LINE = struct.Struct("=I252x32sQI20xI4xQQ216xII20xi")
"""linux/gpio.h: GPIO_V2_GET_LINE_IOCTL and struct gpio_v2_line_request, for one line with one attribute."""
_OUTPUT, _VALUES = 1 << 3, 2
_WRITE = 4
"""pigpio's PI_CMD_WRITE: four numbers either way, the last of the answer is an error if negative."""


def by_kernel(chip: str, pin: int, level: int) -> None:
    """Raises OSError: somebody has the pin. It is ours until this process ends."""
    fd = os.open(chip, os.O_RDWR | os.O_CLOEXEC)
    try:
        asked = _LINE.pack(pin, b"homenode", _OUTPUT, 1, _VALUES, level, 1, 1, 0, 0)
        fcntl.ioctl(fd, _GET_LINE, asked)
    finally:
        os.close(fd)


def by_daemon(address: str, pin: int, level: int) -> None:
    """Raises OSError: it doesn't answer, or refuses."""
    import socket

    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), 1.0) as daemon:
        daemon.sendall(struct.pack("=4I", _WRITE, pin, level, 0))
        answer = daemon.recv(16, socket.MSG_WAITALL)
    if len(answer) < 16 or struct.unpack("=4i", answer)[3] < 0:
        raise OSError(f"pigpiod answered {answer!r}")


def put_out(where: str, pins: list[str]) -> None:
    """Until all are, or for long enough."""
    way = by_kernel if where.startswith("/") else by_daemon
    for _ in range(TRIES):
        for one in tuple(pins):
            pin, _, level = one.partition("=")
            try:
                way(where, int(pin), int(level))
                pins.remove(one)
            except OSError:
                pass
        if not pins:
            return
        time.sleep(AGAIN_S)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):  # who stops the node in order says a word here
        signal.signal(number, signal.SIG_IGN)
    if not os.read(0, 1):
        put_out(sys.argv[1], sys.argv[2:])
