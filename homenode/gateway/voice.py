"""Speaking at home: espeak-ng in a process of its own, so that a stuck sound card holds up nothing."""

from __future__ import annotations

import asyncio
import logging
import shutil

log = logging.getLogger("homenode.voice")

LONGEST_S = 30.0
"""No sentence takes longer; a process that does hangs."""


class Voice:
    """Says one sentence after the other."""

    def __init__(self) -> None:
        self._program = shutil.which("espeak-ng")
        self._one_at_a_time = asyncio.Lock()
        if self._program is None:
            log.warning(
                "no voice", extra={"do": "install espeak-ng; until then what would be said is only logged"}
            )

    async def say(self, text: str, language: str) -> bool:
        """Speak; False if nobody could hear it. `language` is the text's: ``sv`` or ``en``."""
        log.info("say", extra={"text": text})
        if self._program is None:
            return False
        async with self._one_at_a_time:
            speaking = await asyncio.create_subprocess_exec(
                self._program,
                "-v",
                language,
                "--",
                text,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                return await asyncio.wait_for(speaking.wait(), LONGEST_S) == 0
            except TimeoutError:
                speaking.kill()
                return False
