"""Whoever guards somebody is heard every four hours, or is not relied on."""

from __future__ import annotations

import pytest

from drivers.zigbee.supervision import GUARDS, LONGEST_S, Use, believed, judged

NEVER, LATE, SOON = None, LONGEST_S + 1, LONGEST_S


@pytest.mark.parametrize("kind", GUARDS)
@pytest.mark.parametrize(("heard_s", "refused"), [(NEVER, True), (LATE, True), (SOON, False)])
def test_a_detector_that_is_not_heard_each_four_hours_is_refused(
    kind: str, heard_s: int | None, refused: bool
) -> None:
    finding = judged(Use(), [kind, "battery"], heard_s=heard_s, documented_s=None, awake=False)
    assert finding.refused is refused
    assert (finding.note is not None and kind in finding.note.text()) is refused


def test_what_is_documented_of_a_model_counts_as_what_it_promised() -> None:
    assert not judged(Use(), ["water"], heard_s=NEVER, documented_s=SOON, awake=False).refused
    assert judged(Use(), ["water"], heard_s=NEVER, documented_s=LATE, awake=False).refused


def test_who_is_awake_is_asked_and_never_refused() -> None:
    assert not judged(Use(stove=True), ["power", "smoke"], heard_s=NEVER, documented_s=None, awake=True).note


def test_an_installer_who_insists_is_told_all_the_same() -> None:
    finding = judged(Use(insisted=True), ["smoke"], heard_s=NEVER, documented_s=None, awake=False)
    assert not finding.refused
    assert finding.note is not None
    assert "accepted" in finding.note.text()


def test_a_door_is_told_and_not_refused() -> None:
    finding = judged(Use(), ["contact_2"], heard_s=6 * 3600, documented_s=None, awake=False)
    assert not finding.refused
    assert finding.note is not None
    assert "up to 6 h" in finding.note.text()
    assert "upp till 6 h" in finding.note.text("sv")


def test_a_sleeping_meter_is_refused_at_the_stove_and_nowhere_else() -> None:
    how = {"heard_s": NEVER, "documented_s": None, "awake": False}
    assert judged(Use(stove=True), ["power"], **how).refused  # type: ignore[arg-type]  # the same three
    assert not judged(Use(), ["power"], **how).note  # type: ignore[arg-type]  # as above
    assert not judged(Use(), ["motion", "button", "temperature"], **how).note  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("kind", GUARDS)
def test_of_a_refused_detector_an_alarm_is_believed_and_never_that_there_is_none(kind: str) -> None:
    assert believed(kind, True) is True
    assert believed(kind, False) is None
    assert believed(f"{kind}_2", False) is None
    assert believed("battery", 80) == 80
    assert believed("power", 3.0) is None
    assert believed("contact", False) is False
