"""A board and its pigpio daemon in a process of their own; says what happens, does what it reads.

drive PIN 0|1|open [BOUNCE_MS…] · stick PIN 0|1|open · wait MS · stop · start · wedge
"""

from __future__ import annotations

import asyncio
import sys

from homenode.sim.gpio.board import Board
from homenode.sim.gpio.daemon import PigpioDaemon

LEVELS = {"0": False, "1": True, "open": None}


def say(*words: object) -> None:
    print(*words, flush=True)


async def main() -> None:
    loop = asyncio.get_running_loop()
    board = Board(lambda seconds, call: loop.call_later(seconds, call).cancel)
    daemon = PigpioDaemon(board)
    port = await daemon.start()
    say("port", port)
    board.watch(lambda pin, level: say("level", pin, int(level)))
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def tell_clients() -> None:
        told = -1
        while True:
            if len(daemon.clients) != told:
                told = len(daemon.clients)
                say("clients", told)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        telling = group.create_task(tell_clients())
        async for line in reader:
            match line.decode().split():
                case ["drive", pin, level, *bounce]:
                    board.drive(int(pin), LEVELS[level], [float(ms) for ms in bounce])
                case ["stick", pin, level]:
                    board.stick(int(pin), LEVELS[level])
                case ["wait", ms]:
                    await asyncio.sleep(int(ms) / 1000)
                case ["stop"]:
                    await daemon.stop()
                case ["start"]:
                    await daemon.start(port)
                case ["wedge"]:
                    daemon.wedge(True)
        telling.cancel()


asyncio.run(main())
