"""Speaking at home: what is said next, on what, and who is told when nobody can hear it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homenode.config.recordings import length_s
from homenode.config.rows import LANGUAGES
from homenode.delivery import NodeFault
from homenode.errors import Unheard
from homenode.gateway.speaker import Speaker
from homenode.reading import Instant
from homenode.speech import Sentence, Waiting, recording_of, spoken, wav_s

if TYPE_CHECKING:
    from homenode.gateway.node import Node

log = logging.getLogger("homenode.voice")

SOURCE = "voice"
"""Of the fault."""
RETRY_S = 5.0
LOOK_S, LOOK_AGAIN_S = 3600.0, 60.0
"""How often it is looked, by a moment of silence, whether somebody could hear; while nobody can: again."""
DISK_S = 2.0
"""A card that hangs holds no sentence back; it is then synthesised."""
KEPT = 5
"""Sentences that `homenode status` shows: what was said stands there for who didn't hear it."""
_PROBE = "a"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and what became of it: heard, or why not."""

    at: Instant
    text: str
    rule: str
    why_not: str


class Voice:
    """Says one sentence after the other, alarms first; an alarm breaks into anything else.

    Attributes:
        said: The last sentences.
        trouble: Why nobody can hear it, "" if it was heard when it last spoke or looked.
        looked: Whether it did so since the start.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._speaker = Speaker()
        self._waiting = Waiting()
        self._ends: dict[Sentence, asyncio.Future[str]] = {}
        self._spoken: Sentence | None = None
        self._looks = False
        self._news = asyncio.Event()
        self._look_s = self._retry_s = 0.0  # at once
        self.said: deque[Said] = deque(maxlen=KEPT)
        self.trouble = ""
        self.looked = False

    @property
    def speaks(self) -> str:
        """What is being said."""
        return self._spoken.text if self._spoken is not None else ""

    async def say(self, sentence: Sentence) -> str:
        """Speak when it is its turn; returns "" when it was heard, else why nobody could."""
        log.info("say", extra={"text": sentence.text, "rule": sentence.rule})
        if self._node.home.voice.silent:
            self._keep(sentence, why := "this home has no loudspeaker")
            return why
        loop = asyncio.get_running_loop()
        end: asyncio.Future[str] = loop.create_future()
        self._ends[sentence] = end
        self._waiting.add(sentence)
        if self._looks or (self._spoken is not None and sentence.overtakes(self._spoken)):
            self._speaker.stop()
        self._news.set()
        return await end

    def look(self) -> None:
        """Look anew whether somebody can hear it: home.yaml changed."""
        self._look_s = 0.0
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            now_s = loop.time()
            for sentence, why in self._waiting.pointless(now_s, self._node.actions.is_open):
                self._end(sentence, why)
            turn = self._waiting.next()
            due_s = self._look_s if turn is None else self._retry_s if turn[1] else now_s
            if due_s > now_s:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(due_s - now_s):
                        await self._news.wait()
                continue
            self._look_s = math.inf
            try:
                await (self._look() if turn is None else self._speak(turn[0]))
            except Unheard as unheard:
                self._fault(unheard)
            except Exception as fault:
                log.debug("failed", exc_info=True)
                if turn is not None and turn[0] in self._ends:
                    self._waiting.failed(turn[0])
                self._fault(Unheard(dict.fromkeys(LANGUAGES, f"a mistake in homenode itself: {fault!r}")))
            self.looked = True
            self._look_s = min(self._look_s, loop.time() + (LOOK_AGAIN_S if self.trouble else LOOK_S))
            self._retry_s = loop.time() + RETRY_S

    async def _speak(self, sentence: Sentence) -> None:
        self._speaker.stopped, self._spoken = False, sentence
        try:
            await self._play(sentence)
        except Unheard as unheard:
            if self._speaker.stopped:
                return
            self._waiting.failed(sentence)
            if not sentence.alert:
                self._end(sentence, str(unheard))
            raise
        finally:
            self._spoken = None
        self._well()
        self._end(sentence, "")

    async def _play(self, sentence: Sentence) -> None:
        """The rule's own recording; if there is none, or it can't be played, a synthesised voice."""
        device, failed = self._node.home.voice.device, None
        recording = await self._recording(sentence.rule, sentence.step, sentence.language)
        if recording is not None:
            try:
                await self._speaker.play(device, *recording)
                return
            except Unheard as unheard:
                if self._speaker.stopped:
                    raise
                failed = unheard
        try:
            wav = await self._synthesised(sentence.text, sentence.language)
            await self._speaker.play(device, wav, wav_s(wav, len(wav)))
        except Unheard as unheard:
            raise failed or unheard from None
        if failed is not None:
            log.warning("recording left out", extra={"rule": sentence.rule, "why": str(failed)})

    async def _look(self) -> None:
        """Whether what the rules say could be heard now; a sentence that comes meanwhile goes first."""
        home, rules = self._node.home, self._node.judge.rules.values()
        self._speaker.stopped, self._looks = False, self.is_needed
        try:
            if self._looks:
                steps = list(spoken(rules, home.language))
                lacking = {step[2] for step in steps if await self._recording(*step) is None}
                for language in sorted(lacking):
                    await self._synthesised(_PROBE, language)
                await self._speaker.look(home.voice.device)
        except Unheard:
            if not self._speaker.stopped:
                raise
            self.look()
        else:
            self._well()
        finally:
            self._looks = False

    @property
    def is_needed(self) -> bool:
        """Whether this home has a loudspeaker and a rule that says something."""
        rules = self._node.judge.rules.values()
        return not self._node.home.voice.silent and any(spoken(rules, self._node.home.language))

    async def _synthesised(self, text: str, language: str) -> bytes:
        voice = self._node.home.voice
        return await self._speaker.synthesised(text, language, voice.rate_wpm, voice.volume_percent)

    async def _recording(self, rule: str, step: int, language: str) -> tuple[Path, float] | None:
        """A rule's own recording and how long it is; None if there is none that can be played."""
        folder = self._node.home.voice.recordings
        if folder is None or not rule:
            return None
        path = folder / recording_of(rule, step, language)
        try:
            async with asyncio.timeout(DISK_S):
                return path, await asyncio.to_thread(length_s, path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("recording left out", extra={"file": str(path), "why": str(error) or "no answer"})
            return None

    def _end(self, sentence: Sentence, why_not: str) -> None:
        self._waiting.remove(sentence)
        end = self._ends.pop(sentence)
        if not end.done():  # who asked may be gone
            end.set_result(why_not)
        self._keep(sentence, why_not)

    def _keep(self, sentence: Sentence, why_not: str) -> None:
        self.said.append(Said(self._node.clock.now(), sentence.text, sentence.rule, why_not))
        event: dict[str, Any] = {"said": sentence.text, "alert": sentence.alert, "heard": not why_not}
        self._node.watchers.event(event | ({"why": why_not} if why_not else {}))
        if why_not:
            log.warning("not said", extra={"text": sentence.text, "why": why_not})

    def _fault(self, unheard: Unheard) -> None:
        if self.trouble != str(unheard):
            log.warning("no voice", extra={"why": str(unheard)})
        self.trouble = str(unheard)
        if self.is_needed:
            told = {
                "sv": f"det som sägs i hemmet hörs inte: {unheard.text['sv']}",
                "en": f"what is said in the home can't be heard: {unheard.text['en']}",
            }
            self._node.outcomes.fault(NodeFault(SOURCE, told), said=True)

    def _well(self) -> None:
        self.trouble = ""
        self._node.outcomes.well(SOURCE)
