"""The recordings with which a home speaks, as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from homenode.config.model import Home
from homenode.config.notes import nearest
from homenode.errors import Mistake
from homenode.language.bound import BoundRule
from homenode.speech import HEAD, LONGEST_S, recording_of, recording_s


def length_s(path: Path) -> float:
    """How long a recording sounds.

    Raises:
        OSError: It can't be read.
        ValueError: It can't be played.
    """
    with path.open("rb") as file:
        return recording_s(file.read(HEAD), path.stat().st_size)


def unheard(home: Home, rules: Iterable[BoundRule], file: str) -> list[Mistake]:
    """Recordings that nobody will hear: of no step that says anything, or such as can't be played.

    Args:
        file: home.yaml, as it is shown.
    """
    folder = home.voice.recordings
    if folder is None or not folder.is_dir():
        return []
    said = [
        (rule.name, step.number, language) for rule in rules for step in rule.steps for language in step.text
    ]
    wanted = [recording_of(*one) for one in said]
    told = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == ".wav" and path.name not in wanted:
            accepted = "RULE.STEP.LANGUAGE.wav of a step that says something"
            hint = nearest(path.name, wanted)
            told.append(Mistake(file, 0, "voice.recordings", path.name, accepted, hint))
        elif path.name in wanted:
            try:
                length_s(path)
            except (OSError, ValueError) as error:
                found = f"{path.name}: {error}"
                told.append(
                    Mistake(file, 0, "voice.recordings", found, f"WAV files of at most {LONGEST_S:.0f} s")
                )
    return told
