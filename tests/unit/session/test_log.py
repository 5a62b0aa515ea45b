"""The log of looks: a changed, missing or repeated entry is found; what is lit is known over a restart."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.journal.retention import Limits
from homenode.session.log import FIRST, KEPT_MS, SHOWN, Log, hash_of, of, refused, restarted, wrongs
from homenode.session.sessions import Sessions, Why
from tests.unit.session.some_decisions import NIGHTS, WISH


def chain(count: int, apart_ms: int = 1_000) -> list[dict[str, Any]]:
    log = Log()
    return [log.add({"event": "refused", "by": f"Eva {nth}"}, nth * apart_ms) for nth in range(1, count + 1)]


def test_a_whole_chain_is_right_also_as_it_was_read_from_the_disk() -> None:
    entries = chain(5)
    assert (entries[0]["n"], entries[0]["before"], entries[0]["before_ms"]) == (1, FIRST, 0)
    assert (entries[4]["n"], entries[4]["before"], entries[4]["before_ms"]) == (5, entries[3]["hash"], 4_000)
    assert wrongs(json.loads(json.dumps(entries))) == []
    assert wrongs([]) == []
    heads = [{"n": 0, "hash": FIRST}, *({"n": one["n"], "hash": one["hash"]} for one in entries)]
    assert wrongs(entries, heads) == []


@given(st.data())
def test_any_field_that_is_changed_is_found(data: st.DataObject) -> None:
    entries = chain(4)
    nth = data.draw(st.integers(0, 3))
    field = data.draw(st.sampled_from([name for name in entries[nth] if name != "n"]))
    changed = copy.deepcopy(entries)
    changed[nth][field] = data.draw(st.sampled_from(["Karin", 17, None]))
    if field in ("wall_ms", "before_ms"):
        changed[nth][field] = 999_999
    assert wrongs(changed)


def test_a_hash_is_that_of_the_entry_as_anybody_can_write_it() -> None:
    entry = {"n": 1, "by": "Åsa", "event": "ended", "hash": "left out"}
    told = '{"by":"Åsa","event":"ended","n":1}'
    assert hash_of(entry) == hashlib.sha256(told.encode()).hexdigest()


def test_entries_are_kept_as_long_as_the_journal_keeps_them() -> None:
    assert Limits().age_ms["alert"] == KEPT_MS


def test_what_is_wrong_is_told_by_number() -> None:
    entries = chain(6)
    assert wrongs(entries[:2] + entries[3:]) == ["entry 3 is missing"]
    assert wrongs(entries[:1] + entries[4:]) == ["entries 2 to 4 are missing"]
    assert wrongs(entries[1:]) == ["entry 1 is missing"]
    assert wrongs([*entries, entries[2]]) == ["entry 3 stands there again"]
    entries[2] = {**entries[2], "by": "nobody"}
    assert wrongs(entries) == ["entry 3 was changed"]


def test_an_entry_written_anew_with_its_hash_does_not_fit_the_next() -> None:
    entries = chain(3)
    other = Log()
    other.add({"event": "refused", "by": "Eva 1"}, 1_000)
    forged = other.add({"event": "refused", "by": "somebody else"}, 2_000)
    assert wrongs([entries[0], forged, entries[2]]) == [
        "entry 2 is not the one that entry 3 was written after"
    ]


def test_an_end_that_was_known_and_is_cut_off_or_forged_is_found() -> None:
    entries = chain(5)
    heads = [{"n": one["n"], "hash": one["hash"]} for one in entries]
    assert wrongs(entries[:3], heads) == ["entry 4 is missing", "entry 5 is missing"]
    assert wrongs(entries[:3], heads[-1:]) == ["entries 4 to 5 are missing"]
    assert wrongs(entries, [{"n": 4, "hash": FIRST}]) == ["entry 4 is not the one that was written"]
    assert wrongs(entries[2:], heads[:1]) == ["entries 1 to 2 are missing"]


def test_what_is_older_than_the_journal_keeps_may_be_gone_and_nothing_else() -> None:
    entries = chain(4, apart_ms=KEPT_MS // 2)
    last_ms = entries[3]["wall_ms"]
    assert last_ms - entries[1]["before_ms"] > KEPT_MS
    assert wrongs(entries[1:]) == []
    assert wrongs(entries[2:]) == ["entries 1 to 2 are missing"], "exactly so old is not older"
    assert wrongs([entries[0], entries[3]]) == ["entries 2 to 3 are missing"]


def test_the_panel_shows_the_newest() -> None:
    log = Log()
    for nth in range(SHOWN + 3):
        log.add({"event": "refused"}, nth)
    assert [entry["n"] for entry in log.last] == list(range(4, SHOWN + 4))
    assert log.head == {"n": SHOWN + 3, "hash": log.last[-1]["hash"]}


def test_over_a_restart_the_chain_goes_on_and_what_is_lit_is_known() -> None:
    log = Log()
    log.add({"event": "granted", "session": "a"}, 1, ("sign.light", "ir.light"))
    log.add({"event": "granted", "session": "b"}, 2, ("sign.light",))
    log.add({"event": "asked", "session": "c"}, 3)
    log.dark("b")
    log.dark("never")
    again = Log()
    again.load(json.loads(json.dumps(log.dump())))
    assert again.head == log.head
    assert {session: lit for session, (_, lit) in again.open.items()} == {"a": ("sign.light", "ir.light")}
    assert list(again.last) == list(log.last)
    ended = again.add(
        restarted(again.open["a"][0] | {name: "x" for name in _WHO}, {"at": "t"}), 4, ("ir.light",)
    )
    assert (ended["n"], ended["before"], ended["before_ms"]) == (4, log.head["hash"], 3)
    assert again.open["a"] == (ended, ("ir.light",))
    assert wrongs([*log.last, ended]) == []


_WHO = ("decision", "party", "by", "reason", "camera", "view")


def test_entries_say_who_why_what_and_how_it_ended() -> None:
    home = Sessions()
    (one,) = home.request("s", WISH, NIGHTS, 0)
    who = {"party": "care", "by": "Eva", "reason": "round", "camera": "bed", "view": "silhouette"}
    assert of(one, {"at": "t"}) == {
        "event": "granted",
        "session": "s",
        "decision": "nights",
        "at": "t",
        **who,
    }
    home.end("s", Why.STOPPED, 1)
    ended = of(one, {"to": "t"})
    assert ended == {
        "event": "ended",
        "session": "s",
        "decision": "nights",
        "why": "stopped",
        "to": "t",
        **who,
    }
    about = {"event": "refused", "session": "", "decision": ""}
    assert refused(WISH, "view", "not that") == {**about, "code": "view", "text": "not that", **who}
    about = {"event": "ended", "why": "node", "from": None, "session": "s", "decision": "nights"}
    assert restarted(ended, {"from": None}) == {**about, **who}


@pytest.mark.parametrize("why", list(Why))
def test_each_end_is_told_in_words(why: Why) -> None:
    from homenode.session.words import ENDED, WHYS

    assert WHYS[why.value] == ENDED[why]
