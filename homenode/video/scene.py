"""A test scene: somebody walks through a room, by day or in the dark.

Its lowest rows say when each picture was made, for who measures: 32 fields, light or dark, of CLOCK_BOOTTIME
in milliseconds, highest bit first.
"""

from __future__ import annotations

import numpy as np

from homenode.video.picture import Picture, empty

BITS = 32
FIELD_ROWS = 16
_LIGHT, _DARK = 235, 16


class Scene:
    """Args:
    night: As a sensor sees it in the dark: few photons, and the noise of reading them.
    """

    def __init__(self, width: int, height: int, *, night: bool = False) -> None:
        self.width, self.height = width, height
        self._dark = Dark() if night else None
        across, down = np.meshgrid(np.arange(width), np.arange(height))
        room = 70 + 60 * across / width + 20 * np.sin(across / 23) * np.sin(down / 31)
        room[int(height * 0.7) :] += 40  # the floor
        room[int(height * 0.35) : int(height * 0.7), int(width * 0.6) : int(width * 0.95)] = 190  # a bed
        self._room = room.clip(16, 235).astype(np.uint8)

    def at(self, at_ms: int) -> Picture:
        """The scene at an instant."""
        picture = empty(self.width, self.height)
        luma = picture[: self.height]
        luma[:] = self._room
        self._person(luma, at_ms)
        if self._dark is not None:
            luma[:] = self._dark.of(luma)
        self._say(luma, at_ms)
        return picture

    def _person(self, luma: Picture, at_ms: int) -> None:
        """Head and body, there and back in 8 s."""
        there = abs(at_ms % 8000 - 4000) / 4000
        middle, top = int(self.width * (0.15 + 0.6 * there)), int(self.height * 0.3)
        head, tall = self.height // 14, self.height // 2
        luma[top + 2 * head : top + tall, middle - head * 3 // 2 : middle + head * 3 // 2] = 45
        down, across = np.ogrid[-head:head, -head:head]
        luma[top : top + 2 * head, middle - head : middle + head][down**2 + across**2 < head**2] = 150

    def _say(self, luma: Picture, at_ms: int) -> None:
        bits = [(at_ms >> bit) & 1 for bit in range(BITS - 1, -1, -1)]
        levels = np.array([_LIGHT if bit else _DARK for bit in bits], np.uint8)
        wide = self.width // BITS
        luma[-FIELD_ROWS:, : wide * BITS] = np.repeat(levels, wide)


def in_the_dark(luma: Picture, noise: np.random.Generator, photons: float = 12, read: float = 1.5) -> Picture:
    """A bright picture as a sensor of 8 bits sees it in the dark.

    Args:
        luma: Brightness, 0..255.
        noise: Where chance comes from.
        photons: Caught by a white point; their number varies by its root (Poisson).
        read: Electrons of noise that reading a point adds (a small CMOS sensor: 1 to 3).
    """
    caught = noise.poisson(luma.astype(np.float32) * (photons / 255)) + noise.normal(0, read, luma.shape)
    gain = 40 / photons  # a white point is at 40 of 255: what the sensor's own gain reaches
    dark: Picture = (16 + caught * gain).clip(0, 255).astype(np.uint8)
    return dark


class Dark:
    """`in_the_dark` for what is filmed live: drawn once for each brightness, it costs a tenth."""

    _DRAWN, _KEPT = 512, 256

    def __init__(self, photons: float = 12) -> None:
        self._chance = np.random.default_rng(1)
        levels = np.arange(256, dtype=np.uint8).repeat(self._DRAWN).reshape(256, self._DRAWN)
        each = self._DRAWN // self._KEPT
        self._seen = np.sort(in_the_dark(levels, self._chance, photons), axis=1)[:, each // 2 :: each].ravel()
        self._dice = self._chance.integers(0, self._KEPT, 1 << 20, np.uint8)

    def of(self, luma: Picture) -> Picture:
        """A bright picture, as a sensor sees it in the dark."""
        begun = int(self._chance.integers(self._dice.size - luma.size))
        dice = self._dice[begun : begun + luma.size].reshape(luma.shape)
        dark: Picture = self._seen.take(luma.astype(np.intp) * self._KEPT + dice)
        return dark
