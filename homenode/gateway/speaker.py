"""espeak-ng and aplay, each in a process of its own with a limit: a stuck sound card holds up nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from homenode.errors import Unheard
from homenode.speech import silence, wav_s

SYNTHESISER, PLAYER = "espeak-ng", "aplay"
_PACKAGES = {SYNTHESISER: "espeak-ng", PLAYER: "alsa-utils"}
"""Debian's."""

SYNTHESIS_S = 10.0
"""A sentence is there in 20 ms on a PC, in 0.3 s on a Pi Zero 2 W; what takes longer hangs."""
MARGIN_S = 5.0
"""Opening a sound device, and what of the sound it still holds at the end."""
_GONE_S = 1.0
"""A killed process is gone at once, unless it waits for a device in the kernel."""
_LOOK_S = 0.1
"""Of silence, to see whether the device takes sound."""


class Speaker:
    """Does one thing at a time.

    Attributes:
        stopped: It was told to; set to False before the next thing.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._running: dict[str, Process] = {}

    async def synthesised(self, text: str, language: str, rate_wpm: int, volume_percent: int) -> bytes:
        """The text as a WAV file.

        Raises:
            Unheard: There is no synthesiser, it can't, or it hangs.
        """
        voice = ("-v", language, "-s", str(rate_wpm), "-a", str(2 * volume_percent))
        wav, why = await self._run(SYNTHESISER, (*voice, "--stdin", "--stdout"), text.encode(), SYNTHESIS_S)
        if why is None:
            try:
                wav_s(wav, len(wav))
            except ValueError:
                why = "no sound"
            else:
                if wav[44:].strip(b"\0"):
                    return wav
                why = "silence"
        raise Unheard(
            {"sv": f"{SYNTHESISER} kan inte säga det på {language}: {why}",
             "en": f"{SYNTHESISER} can't say it in {language}: {why}"},
        )  # fmt: skip

    async def play(self, device: str, sound: bytes | Path, length_s: float) -> None:
        """Play a WAV file, whole.

        Raises:
            Unheard: There is no such device, or it doesn't take the sound.
        """
        named = (f"--device={device}", "--quiet")
        limit_s = length_s + MARGIN_S
        if isinstance(sound, Path):
            _, why = await self._run(PLAYER, (*named, "--", str(sound)), b"", limit_s)
        else:
            _, why = await self._run(PLAYER, (*named, "-"), sound, limit_s)
        if why is not None:
            raise Unheard(
                {"sv": f"ljudenheten {device} tar inte emot ljud: {why}",
                 "en": f"sound device {device} takes no sound: {why}"},
                do="`aplay -L` lists devices; a home without a loudspeaker says voice: {device: none}",
            )  # fmt: skip

    async def look(self, device: str) -> None:
        """Play a moment of silence.

        Raises:
            Unheard: As `play`.
        """
        await self.play(device, silence(_LOOK_S), _LOOK_S)

    def stop(self) -> None:
        """Break off what is going on; it then ends as if it had failed."""
        self.stopped = True
        for process in self._running.values():
            _kill(process)

    async def _run(
        self, program: str, arguments: Sequence[str], given: bytes, limit_s: float
    ) -> tuple[bytes, str | None]:
        """What a program printed, and why it failed if it did.

        Raises:
            Unheard: It isn't installed, or an earlier one can't be killed.
        """
        found = shutil.which(program)
        if found is None:
            raise Unheard(
                {"sv": f"{program} är inte installerat", "en": f"{program} is not installed"},
                do=f"apt install {_PACKAGES[program]}",
            )
        earlier = self._running.get(program)
        if earlier is not None and earlier.returncode is None:
            return b"", f"{program} hangs in the kernel"
        try:
            process = await asyncio.create_subprocess_exec(
                found, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_environment()
            )
        except OSError as error:
            return b"", str(error)
        self._running[program] = process
        if self.stopped:
            _kill(process)
        try:
            async with asyncio.timeout(limit_s):
                printed, said = await process.communicate(given)
        except TimeoutError:
            return b"", f"{program} hangs"
        finally:
            await _end(process)
        return printed, _why(program, said) if process.returncode else None


def _kill(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def _end(process: Process) -> None:
    if process.returncode is None:
        _kill(process)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GONE_S):
                await process.wait()


def _environment() -> Mapping[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def _why(program: str, said: bytes) -> str:
    """The program's own last word: ``audio open error: No such file or directory``."""
    lines = said.decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), f"{program} failed")
    return re.sub(r"^aplay: \w+:\d+: ", "", last)
