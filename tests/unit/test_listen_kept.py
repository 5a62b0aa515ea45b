"""A receiver's homes over starts: each as it was; nothing is read that all of them were written after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homenode.listen.kept import MARK_EACH, RENEWED_MS, Kept
from tests.unit.listening import NOW, PLAN, message


def known(kept: Kept) -> dict[str, Any]:
    return {home: watch.dump() for home in kept.homes if (watch := kept.mine(home))}


def test_a_start_reads_from_where_the_oldest_home_stands_and_knows_them_all(tmp_path: Path) -> None:
    now = NOW
    with Kept.open(tmp_path) as journal:
        kept = Kept(journal, PLAN, lambda: now)
        kept.apply("quiet", lambda watch: watch.alert(message(1), now))
        kept.apply("busy", lambda watch: watch.alert(message(2), now))
        for _ in range(MARK_EACH):
            kept.apply("busy", lambda _: True)
        journal.commit().result()
        kept.renew()
        assert not journal.marks()  # the quiet one stands before all that
        now += RENEWED_MS
        kept.renew()
        kept.renew()
        journal.commit().result()
        kept.renew()
        [begin] = journal.marks().values()
        assert begin > MARK_EACH
        was = known(kept)
    with Kept.open(tmp_path) as journal:
        assert journal.marks() == {f"watches of {PLAN.party}": begin}
        again = Kept(journal, PLAN, lambda: now)
        assert known(again) == was
        assert set(was) == {"quiet", "busy"}
