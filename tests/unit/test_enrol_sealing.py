"""Who signs is root's to keep: a hijacked gateway, which is another user, tries what it can."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homenode.configure import place
from homenode.configure.signatures import Key, make_pair, read_key
from homenode.configure.succession import followed, successor
from homenode.enrol.boot import boot
from homenode.enrol.places import FILE, Places

pytest.importorskip("joserfc", reason="the extra keys is not installed")
NODE = 12_345
"""Number of the node's user."""


def hijacked(places: Places) -> None:
    """All that the node's user may try on who is trusted."""
    trust, mine = places.sealed, places.config / "mine"
    mine.mkdir()
    (mine / "link").symlink_to("/tmp")
    for attempt in (
        lambda: (trust / "care.pem").write_text("evil"),
        lambda: (trust / "operator.pem").write_text("evil"),
        lambda: trust.rename(places.config / "aside"),
        lambda: places.machine.rename(places.config / "aside"),
        lambda: (mine / "link").replace(trust),
        lambda: (trust / "operator.pem").unlink(),
        lambda: trust.chmod(0o777),
        lambda: shutil.rmtree(trust),
        lambda: (places.config / "trust").mkdir(),
        lambda: (places.config / "trust" / "care.pem").write_text(make_pair()[1]),
    ):
        with contextlib.suppress(OSError):
            attempt()
    places.home.write_text("home: mine")  # what it may do


def as_the_nodes_user(work: Callable[[Places], None], places: Places) -> int:
    """In a process of its own; exit status."""
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setgroups([])
            os.setgid(NODE)
            os.setuid(NODE)
            work(places)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def places() -> Iterator[Places]:
    """Of a box that was just enrolled: all is the node's user's."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made = Places(*(folder / one for one in ("config", "data", "boot", "trust", "machine", "spare.json")))
        for one in (made.config, made.data, made.boot, made.folder, made.config / "trust"):
            one.mkdir()
        made.home.write_text("home: h")
        yield made


def keys() -> tuple[Key, str]:
    """A private key, and its public one (PEM)."""
    private, public = make_pair()
    return read_key(private, "test", private=True), public


def given(places: Places, **pems: str) -> None:
    for party, pem in pems.items():
        (places.config / "trust" / f"{party}.pem").write_text(pem)
    (places.config / "trust").chmod(0o770)
    if os.geteuid() == 0:
        for path in (places.data, *places.data.rglob("*"), *places.config.rglob("*")):
            os.chown(path, NODE, NODE)
        os.chown(places.config, 0, NODE)
        places.config.chmod(0o770)


def look(places: Places) -> dict[str, str]:
    """Root's part, and who is trusted then."""
    boot(places, run=places.boot.parent / "run", lamps=())
    return {path.stem: path.read_text() for path in places.signers.glob("*.pem")}


def test_a_key_is_followed_to_the_one_that_it_signed_and_to_no_other() -> None:
    (first, one), (second, two), (_, three) = keys(), keys(), keys()
    chain = [successor("care", first, two, "2026-01-05"), successor("care", second, three, "2026-01-06")]
    assert followed("care", one, chain) == three
    assert followed("care", two, chain) == three  # of what was followed before, nothing leads back
    assert followed("care", three, chain) == three
    assert followed("care", one, chain[1:]) == one
    assert followed("operator", one, chain) == one
    assert followed("care", one, ["", "{}", "x", chain[0].replace("eyJ", "eyK")]) == one
    assert followed("care", one, [successor("care", first, "no key", "2026-01-05")]) == one
    assert followed("care", "no key", chain) == "no key"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_nothing_that_runs_as_the_nodes_user_names_who_signs(places: Places) -> None:
    _, operator = keys()
    given(places, operator=operator)
    places.office.write_text("{}")
    assert look(places) == {"operator": operator}
    assert as_the_nodes_user(hijacked, places) == 0
    assert places.home.read_text() == "home: mine"
    assert look(places) == {"operator": operator}, "care had no key, and gets none"
    places.home.unlink()
    assert look(places) == {"operator": operator}


def test_a_node_by_hand_is_waited_for_until_it_has_signers(places: Places) -> None:
    _, care = keys()
    given(places)
    assert look(places) == {}
    assert not places.sealed.exists()
    given(places, care=care)
    assert look(places) == {"care": care}
    assert places.signers == places.sealed
    assert not (places.config / "trust").exists()


def test_a_node_looks_for_who_signs_where_root_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "HERE", tmp_path / "etc")
    monkeypatch.setattr(place, "SEALED", tmp_path / "sealed")
    assert place.signers(tmp_path / "etc") == tmp_path / "etc" / "trust"
    (tmp_path / "sealed").mkdir()
    assert place.signers(tmp_path / "etc") == tmp_path / "sealed"
    assert place.signers(tmp_path / "home") == tmp_path / "home" / "trust"
    usual = Places()
    monkeypatch.undo()
    assert (usual.config, usual.sealed) == (place.HERE, place.SEALED)


def test_root_reads_keys_and_nothing_else_on_its_way(places: Places) -> None:
    _, operator = keys()
    given(places, operator=operator)
    secret = places.boot.parent / "secret"
    secret.write_text("-----BEGIN PUBLIC KEY-----\nsecret")
    (places.config / "trust" / "care.pem").symlink_to(secret)
    assert look(places) == {"operator": operator}


def test_a_signer_is_followed_by_the_one_that_it_named(places: Places) -> None:
    (first, one), (second, two), (thief, _) = keys(), keys(), keys()
    given(places, care=one)
    assert look(places) == {"care": one}
    for said, now in (
        ([successor("care", thief, two, "2026-01-05")], one),
        ([successor("care", first, two, "2026-01-05")], two),
        ([successor("care", first, one, "2026-01-05")], two),
        ("odd", two),
    ):
        places.successors.write_text(json.dumps({"said": said}))
        assert look(places) == {"care": now}
    assert second.kid != first.kid


def test_signers_come_anew_only_by_the_card_of_a_box_without_a_home(places: Places) -> None:
    _, care = keys()
    given(places, care=care)
    look(places)
    (places.boot / FILE).write_text("code: ABCD-EFGH\n")
    assert look(places) == {"care": care}
    places.home.unlink()
    assert look(places) == {"care": care}
    (places.boot / FILE).write_text("code: ABCD-EFGH\n")
    assert look(places) == {}


def test_a_power_cut_on_the_way_leaves_who_signs(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    _, care = keys()
    given(places, care=care)
    remove = shutil.rmtree
    for nth in range(3):
        calls = iter(range(10))

        def cut(*args: Any, nth: int = nth, calls: Iterator[int] = calls, **more: Any) -> None:
            if next(calls) == nth:
                raise KeyboardInterrupt
            remove(*args, **more)

        monkeypatch.setattr(shutil, "rmtree", cut)
        with contextlib.suppress(KeyboardInterrupt):
            look(places)
        monkeypatch.setattr(shutil, "rmtree", remove)
        assert look(places) == {"care": care}
