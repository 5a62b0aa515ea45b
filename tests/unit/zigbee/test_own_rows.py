"""Rows of one's own, beside home.yaml: what is wrong in them is told by `homenode check` with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.zigbee import DRIVER
from drivers.zigbee.rows import row_for
from homenode.config.check import check_home
from homenode.config.registry import driver_types

HOME = """home: t
timezone: UTC
drivers: own
radios: {stick: {driver: zigbee, port: /dev/ttyUSB0}}
devices: {sink: {via: stick, ieee: "00:15:8d:00:02:aa:bb:01", room: kitchen}}
"""
ROW = """\
# A leak detector.
- models: [Drip Ltd/W1]
  source: data sheet W1 of 2026, page 4
  stale_after: 10 h
  zone: {water: alarm 2}
"""


def _told(folder: Path, rows: str) -> list[str]:
    own = folder / "own"
    own.mkdir(mode=0o755, exist_ok=True)
    (own / "drip.rows.yaml").write_text(rows)
    (own / "drip.rows.yaml").chmod(0o644)
    (folder / "home.yaml").write_text(HOME)
    report = check_home(folder / "home.yaml", drivers=driver_types())
    return [str(mistake).removeprefix(f"{folder}/") for mistake in report.mistakes]


def test_a_good_row_counts(tmp_path: Path) -> None:
    assert _told(tmp_path, ROW) == []
    assert row_for("Drip Ltd", "W1").stale_after_ms == 10 * 3_600_000
    assert list(DRIVER.own_files()) == [tmp_path / "own" / "drip.rows.yaml"]


SOURCE = "  source: data sheet W1 of 2026, page 4\n"
NO_LIST = "2:3: models: found no list of MANUFACTURER/MODEL; accepted: models such as"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("water", "watr", "5:3: zone: found 'watr', which is not a kind; accepted: a word of homenode/"),
        ("alarm 2", "alarm 3", "5:3: zone: found 'alarm 3' for a zone; accepted: alarm 1, alarm 2"),
        ("10 h", "10 hours", "4:3: stale_after: found '10 hours', which is no stale_after; accepted: "),
        ("stale_after", "stale_afer", "4:3: stale_afer: found the unknown field stale_afer"),
        ("[Drip Ltd/W1]", "[W1]", NO_LIST),
        ("[Drip Ltd/W1]", "Drip Ltd/W1", NO_LIST),
        (SOURCE, "", "2:3: row: found no source; accepted: source: the dump, or the clause"),
        ("{water: alarm 2}", "alarm 2", "5:3: zone: found what is no row ("),
        ("zone: {water: alarm 2}", "points: {1/6: contact}", "5:3: points: found '1/6', which is not"),
        ("  stale_after", "\tstale_after", "4:1: YAML: found what is no YAML ("),
        ("- models", "models", "3:3: YAML: found what is no YAML ("),
        (ROW, "models: [A/B]\n", "1: file: found no list; accepted: a list: - models: […]"),
        (ROW, ROW + ROW, "7:3: row: found a second row for Drip Ltd/W1; accepted: one row for each model"),
        (ROW, "- 7\n- [A/B]\n", "1:3: row: found no fields; accepted"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_changes_nothing(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert _told(tmp_path, ROW) == []
    found = _told(tmp_path, ROW.replace(old, new, 1))
    assert found
    assert found[0].startswith(f"own/drip.rows.yaml:{told}")
    assert row_for("Drip Ltd", "W1").stale_after_ms == 10 * 3_600_000
