"""What an installer is told of a device, in his language."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from drivers.zigbee.memory import Memory
from drivers.zigbee.notes import LANGUAGES, TEXTS, Note, told
from drivers.zigbee.row import RowMistake, read_row
from drivers.zigbee.rows import row_for


@pytest.mark.parametrize("key", TEXTS)
def test_each_text_says_the_same_of_the_same_in_both_languages(key: str) -> None:
    english, swedish = (set(re.findall(r"{.*?}", text)) for text in TEXTS[key])
    assert english == swedish or key == "row"
    assert Note(key, ("water", "vatten"), "6 h").text("sv") != Note(key, ("water", "vatten"), "6 h").text(
        "en"
    )


def test_kinds_are_called_as_people_call_them_and_other_words_stay() -> None:
    assert Note("refused", ("smoke, water_2",), "6 h").text("sv").startswith("duger inte för rök, vatten: ")
    assert Note("unbound", ("1", "0x0500")).text("sv") == "endpoint 1: kluster 0x0500 går inte att binda"


def test_what_nobody_knows_is_told_apart_from_who_speaks_late() -> None:
    assert Note("late").text("sv").startswith("hur ofta den säger att den finns är inte känt: är den borta")
    assert "kan vara tyst i upp till 6 h" in Note("late", silence="6 h").text("sv")


def test_all_of_it_is_told_once() -> None:
    text = told([Note("reports", ("power",)), Note("asked"), Note("reports", ("power",))])
    assert text == {
        "en": "power: reports as it likes, it can't be told how often; being interviewed",
        "sv": "effekt: rapporterar som den vill, det går inte att säga hur ofta; tillfrågas ännu",
    }
    assert told([]) == {language: "" for language in LANGUAGES}


def test_a_row_says_it_in_both_languages_or_in_one_for_both() -> None:
    row = row_for("LUMI", "lumi.sensor_magnet")
    assert "noticed late" in row.note[0]
    assert "märks det sent" in row.note[1]
    entry = {"models": ["A/B"], "source": "its label"}
    assert read_row(entry | {"note": "loud"})[1].note == ("loud", "loud")
    assert read_row(entry)[1].note == ()
    for wrong in ({"sv": "hög"}, ["loud"], 7):
        with pytest.raises(RowMistake, match="en: a text, sv: a text"):
            read_row(entry | {"note": wrong})


def test_what_was_kept_before_there_were_languages_is_still_told(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    memory = Memory(file)
    memory.facts("a").notes.append(Note("refused", ("smoke",), "6 h"))
    memory.save()
    assert Memory(file).facts("a").notes == memory.facts("a").notes
    kept = json.loads(file.read_text())
    kept["devices"]["a"]["notes"] = ["power: reports as it likes"]
    file.write_text(json.dumps(kept))
    assert Memory(file).facts("a").notes[0].text("sv") == "power: reports as it likes"
