"""A board and its pigpio daemon in a process of their own; says what happens, does what it reads.

drive PIN 0|1|open [BOUNCE_MS…] · stick PIN 0|1|open · wait MS · wedge
pulse PIN COUNT MS · chip ADC CHIP gone|there
loop ADC CHIP CHANNEL closed|open|cut|short|OHM · clamp ADC CHIP CHANNEL AMPERES|out
"""

from __future__ import annotations

import asyncio
import sys

from homenode.sim.gpio.adc import ENDLESS_OHM, Clamp, Converters, Loop
from homenode.sim.gpio.board import Board
from homenode.sim.gpio.daemon import PigpioDaemon

LEVELS = {"0": False, "1": True, "open": None}


def say(*words: object) -> None:
    print(*words, flush=True)


async def main() -> None:
    loop = asyncio.get_running_loop()
    board = Board(lambda seconds, call: loop.call_later(seconds, call).cancel)
    converters = Converters(loop.time)
    daemon = PigpioDaemon(board, converters)
    gone: dict[str, object] = {}
    port = await daemon.start()
    say("port", port)
    board.watch(lambda pin, level: say("level", pin, int(level)))
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        match line.decode().split():
            case ["drive", pin, level, *bounce]:
                board.drive(int(pin), LEVELS[level], [float(ms) for ms in bounce])
            case ["stick", pin, level]:
                board.stick(int(pin), LEVELS[level])
            case ["loop", adc, chip, channel, what]:
                ohm = {"closed": 0.0, "open": ENDLESS_OHM, "cut": ENDLESS_OHM, "short": 0.0}
                cable_ohm = ENDLESS_OHM if what == "cut" else 2.0
                contact_ohm = ohm[what] if what in ohm else float(what)
                circuit = Loop(contact_ohm, cable_ohm, what == "short")
                converters.connect(adc, int(chip), int(channel), circuit)
            case ["clamp", adc, chip, channel, what]:
                clamp = Clamp(plugged=False) if what == "out" else Clamp(float(what), turn=int(channel) / 3)
                converters.connect(adc, int(chip), int(channel), clamp)
            case ["chip", adc, chip, "gone"]:
                chips: dict[int, object] = converters.spi if adc == "mcp3008" else converters.i2c  # type: ignore[assignment]  # either
                gone[adc + chip] = chips.pop(int(chip) + (0x48 if adc == "ads1115" else 0))
            case ["chip", adc, chip, "there"]:
                chips = converters.spi if adc == "mcp3008" else converters.i2c  # type: ignore[assignment]  # either
                chips[int(chip) + (0x48 if adc == "ads1115" else 0)] = gone[adc + chip]
            case ["pulse", pin, count, ms]:
                for _ in range(int(count)):
                    board.drive(int(pin), False)
                    await asyncio.sleep(int(ms) / 1000)
                    board.drive(int(pin), None)
                    await asyncio.sleep(int(ms) / 1000)
                say("pulsed", pin)
            case ["wait", ms]:
                await asyncio.sleep(int(ms) / 1000)
            case ["wedge"]:
                daemon.wedge(True)


asyncio.run(main())
