"""What a caregiver reads of a look that was refused or ended: every word that a home says is known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import homenode
from homenode.console.whys import WHYS, in_words, why_of
from homenode.listen.event import Reply
from homenode.session.sessions import Why
from homenode.session.words import ENDED
from homenode.video.words import WORDS

HOME = Path(homenode.__file__).parent
RAISED = re.compile(r'\b(?:NoLook|Unfit)\("([a-z_]+)"|\brefuse\("([a-z_]+)"|\bRefusal\(\S+, "([a-z_]+)"')
WARNINGS = {"black", "frozen", "garbage", "silent"}
NO_ID = {"too_long", "not_json"}
"""Said of what has no id that could be answered."""


def test_every_word_that_a_home_says_is_told_in_words() -> None:
    raised = {
        word
        for folder in ("contract", "gateway", "session", "video")
        for path in (HOME / folder).glob("*.py")
        for found in RAISED.findall(path.read_text())
        for word in found
        if word
    }
    assert {"clock", "not_now", "absent", "setup"} < raised
    assert (raised | {why.value for why in Why} | WORDS.keys()) - WARNINGS - NO_ID <= WHYS.keys()


def test_they_are_short_and_whole_in_both_languages() -> None:
    for why, texts in WHYS.items():
        for text in texts:
            assert len(text) < 160, why
            assert text == text.strip(), why
        assert texts[0] != texts[1], why


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (None, "no_answer"),
        (Reply("1", False, "the resident said no", code="refused"), "refused"),
        (Reply("1", False, "the disk is full", code="refused"), "the disk is full"),
        (Reply("1", False, "", code="unanswered"), "over"),
        (Reply("1", False, "it is Sunday", code="sunday"), "it is Sunday"),
        (Reply("1", False, "The camera is not there: /dev/video0.", code="absent"), "absent"),
    ],
)
def test_the_word_is_kept_and_a_sentence_only_without_one(reply: Reply | None, kept: str) -> None:
    assert why_of(reply) == kept


def test_what_ended_it_is_kept_by_its_word_as_the_home_says_it_now() -> None:
    assert [why_of(Reply("1", False, text, code=why.value)) for why, text in ENDED.items()] == [
        why.value for why in ENDED
    ]


def test_an_entry_of_before_reads_as_it_was_written() -> None:
    assert in_words("there is no session 's1'", "sv") == "there is no session 's1'"
    assert in_words("stopped", "sv").startswith("Den boende avslutade")
    assert in_words("stopped", "en").startswith("The resident ended")
