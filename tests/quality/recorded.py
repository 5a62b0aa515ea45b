"""A recorded home as its node would have heard it: the recording, outages, and what sensors say at a start.

- The recorder was the node of these homes. Where no sensor said anything for `OUTAGE_MS` and nobody is
  annotated to be out, it was down: a living person at home touches something in that time, and nobody died.
- A sensor tells its state when the node starts; what it was, the next edge tells: the opposite of it.
- A motion or bed sensor isn't there yet before its first edge (people move every day); a home's time begins
  when the last of them has come, and ends when the recorder was down for more than half of what is left.
- What isn't in the recording (water, smoke, power …) is quiet: dry, cool, off; plugs report every 10 minutes.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from homenode.config.load import load_home
from homenode.config.model import Home
from homenode.engine.events import Event, NodeDown, NodeUp, Reading
from homenode.errors import FileMistakes
from homenode.importing.gather import Gathered, Imported
from homenode.importing.points import Mapped, OfHome
from homenode.kinds import Shape, kind_of
from homenode.language.bound import BoundRule
from homenode.language.checking import check_rules
from homenode.reading import Instant, Value
from tests.quality.annotation import Annotation, read_annotation

HERE = Path(__file__).parent
OUTAGE_MS = 16 * 3_600_000
REPORT_MS = 600_000
"""How often a plug says what it draws, when that doesn't change."""

QUIET: dict[str, Value] = {
    "temperature": 20.5,
    "battery": 90,
    "mains": True,
    "humidity": 40,
    "illuminance": 5,
}
"""What an added sensor says when nothing is the matter; other numbers 0, booleans false."""


@dataclass(slots=True)
class RecordedHome:
    """One home.

    Attributes:
        readings: Of the recording, in order; after `outages` and at the start also what sensors tell then.
        outages: [down, up).
        start, end: Of what is measured.
    """

    name: str
    home: Home
    rules: tuple[BoundRule, ...]
    annotation: Annotation
    readings: list[Imported]
    outages: list[tuple[Instant, Instant]]
    start: Instant
    end: Instant
    zone: ZoneInfo
    added: list[str] = field(default_factory=list)

    @property
    def up_ms(self) -> int:
        """How long the node was up."""
        return self.end - self.start - sum(up - down for down, up in self.outages)

    def is_up(self, start: Instant, end: Instant) -> bool:
        """Whether the node was up all the time from `start` to `end`, both in the recording."""
        apart = all(end < down or start >= up for down, up in self.outages)
        return self.start <= start and end <= self.end and apart

    def events(self, readings: list[Imported] | None = None) -> list[Event]:
        """What the engine is fed; with other readings in place of the recorded ones."""
        said: list[tuple[Instant, int, Event]] = [
            (at, 1, Reading(point, value, at)) for at, point, value in readings or self.readings
        ]
        for down, up in self.outages:
            said += [(down, 2, NodeDown(down)), (up, 0, NodeUp(up))]
        said.sort(key=lambda item: item[:2])
        return [event for _, _, event in said]


def load(file: Path) -> RecordedHome:
    """The home that `file` describes, with its recording and the annotation beside that.

    Raises:
        FileMistakes: One of them is wrong.
    """
    home = load_home(file, files=False)
    rules, mistakes = check_rules(home)
    if mistakes:
        raise FileMistakes(mistakes)
    zone = ZoneInfo(home.timezone)
    tape = Path(home.radios["tape"].options["file"]).resolve()
    annotation = read_annotation(Path(str(tape).replace(".events.csv.gz", ".activities.csv")), zone)
    gathered = Gathered(OfHome(home, Mapped(())), zone)
    gathered.read(tape)
    recorded = list(gathered.readings())
    assert gathered.span is not None
    end = gathered.span[1]
    begun = {reading.point: reading.at for reading in reversed(recorded)}
    seen = [at for point, at in begun.items() if point.endswith((".motion", ".occupancy"))]
    start = max(seen, default=gathered.span[0])
    outages = [
        gap for gap in gathered.silences(OUTAGE_MS) if gap[0] >= start and not annotation.at("away", *gap)
    ]
    for n, (down, _) in enumerate(outages):
        if sum(up - begun_down for begun_down, up in outages[n:]) > (end - down) / 2:
            outages, end = outages[:n], down
            break
    added = [
        f"{device.name}.{device.options['kind']}" for device in home.devices.values() if device.via == "added"
    ]
    told = [*_states(recorded, start, outages), *_quiet(added, start, end, outages)]
    heard = [reading for reading in recorded if start <= reading.at <= end]
    readings = sorted([*told, *heard], key=lambda reading: reading.at)
    return RecordedHome(file.stem, home, rules, annotation, readings, outages, start, end, zone, added)


def homes() -> list[Path]:
    """The files of all recorded homes."""
    return sorted((HERE / "homes").glob("?.yaml"))


def _states(
    recorded: list[Imported], start: Instant, outages: list[tuple[Instant, Instant]]
) -> list[Imported]:
    """What each recorded sensor tells when the node starts."""
    edges: dict[str, list[Imported]] = {}
    for reading in recorded:
        edges.setdefault(reading.point, []).append(reading)
    told = []
    for at in (start, *(up for _, up in outages)):
        for point, own in edges.items():
            n = bisect_right(own, at - 1, key=lambda reading: reading.at)
            told.append(Imported(at, point, not own[n].value if n < len(own) else own[-1].value))
    return told


def _quiet(
    points: list[str], start: Instant, end: Instant, outages: list[tuple[Instant, Instant]]
) -> list[Imported]:
    """What added sensors say when nothing is the matter."""
    told = []
    for point in points:
        kind = kind_of(point)
        assert kind is not None
        calm = QUIET.get(kind.name, 0 if kind.shape is Shape.NUMBER else False)
        often = range(start, end, REPORT_MS) if kind.name in ("power", "current") else (start,)
        told += [Imported(at, point, calm) for at in (*often, *(up for _, up in outages))]
    return [reading for reading in told if not any(down <= reading.at < up for down, up in outages)]
