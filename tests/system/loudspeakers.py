"""A loudspeaker that writes down what it plays: ALSA's own `file` plugin under the real aplay."""

from __future__ import annotations

import array
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_voice = pytest.mark.skipif(
    not (shutil.which("espeak-ng") and shutil.which("aplay")), reason="needs espeak-ng and alsa-utils"
)

HEAD = 44
"""Bytes before the sound of a file that aplay or espeak-ng wrote."""


@dataclass(frozen=True)
class Sound:
    """What came out of the loudspeaker in one go."""

    wav: bytes

    @property
    def length_s(self) -> float:
        """aplay fills it up with silence to the next period (0.125 s)."""
        return len(self.samples) / int.from_bytes(self.wav[28:32], "little")

    @property
    def samples(self) -> bytes:
        return self.wav[HEAD:]

    @property
    def rms(self) -> float:
        """Of 16 bit samples; 0 is silence, 32,767 the loudest square wave."""
        values = array.array("h", self.samples[: len(self.samples) // 2 * 2])
        return math.sqrt(sum(value * value for value in values) / len(values))


class Loudspeaker:
    """The only sound device of a machine that runs with `env`.

    Args:
        folder: Where each sound becomes a file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._config = folder / "sounds", folder / "asound.conf"
        self._folder.mkdir(parents=True)
        self.plug_in()

    @property
    def env(self) -> Mapping[str, str]:
        """For a process that is to have it."""
        return {"ALSA_CONFIG_PATH": str(self._config)}

    def plug_in(self) -> None:
        """It is there; ALSA reads its configuration at each opening."""
        self._config.write_text(f"""\
pcm.null {{ type null }}
pcm.!default {{
  type file
  slave.pcm "null"
  format "wav"
  file "|f=$(mktemp {self._folder}/XXXXXXXX.part) && cat > $f && mv $f ${{f%%.part}}.wav"
}}
""")

    def unplug(self) -> None:
        """No sound device is left."""
        self._config.write_text("")

    def heard(self) -> list[Sound]:
        """All that was played to its end and wasn't silence, in order."""
        files = sorted(self._folder.glob("*.wav"), key=lambda file: file.stat().st_mtime_ns)
        sounds = [Sound(file.read_bytes()) for file in files]
        return [sound for sound in sounds if sound.samples.strip(b"\0")]
