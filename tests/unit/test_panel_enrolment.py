"""What the panel shows before there is a home."""

from __future__ import annotations

from homenode.panel.enrolment import shown

STATE = {
    "state": "approval", "why": {"sv": "Vänta.", "en": "Wait."}, "do": {"sv": "Ring.", "en": "Call."},
    "serial": "1234", "fingerprint": "AAAA", "home": "h",
}  # fmt: skip


def test_it_says_why_and_what_to_do_and_what_to_read_out() -> None:
    assert shown(STATE, "sv") == {
        "title": "Dosan har inget hem än", "text": "Vänta.", "do": "Ring.", "waits": True,
        "rows": [("Serienummer", "1234"), ("Nyckel", "AAAA")],
    }  # fmt: skip
    assert shown({**STATE, "state": "failed", "serial": ""}, "en") == {
        "title": "The box has no home yet", "text": "Wait.", "do": "Call.", "waits": False,
        "rows": [("Key", "AAAA")],
    }  # fmt: skip


def test_of_a_box_with_a_home_it_says_nothing() -> None:
    assert shown({**STATE, "state": "enrolled"}, "sv") is None
    assert shown({}, "sv") is None


def test_a_long_text_fits_the_screen() -> None:
    found = shown({**STATE, "why": {"sv": "x" * 1000}}, "sv")
    assert found is not None
    assert len(found["text"]) == 500
