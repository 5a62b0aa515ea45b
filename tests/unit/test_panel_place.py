"""Where the panel may be reached, and which tablets may look."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from homenode.errors import SetupError
from homenode.gateway.clock import Clock
from homenode.panel import paired as pairing
from homenode.panel.paired import CODE_MS, MOST_PANELS, MOST_TRIES, Paired
from homenode.panel.place import PORT, place


@pytest.mark.parametrize(
    ("listen", "found"),
    [
        ("127.0.0.1", ("127.0.0.1", PORT)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:8080", ("::1", 8080)),
        ("192.168.1.20:80", ("192.168.1.20", 80)),
        ("10.1.2.3", ("10.1.2.3", PORT)),
        ("172.31.0.9", ("172.31.0.9", PORT)),
        ("[fd00::7]", ("fd00::7", PORT)),
    ],
)
def test_at_home_it_may_be_reached(listen: str, found: tuple[str, int]) -> None:
    assert place(listen) == found


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("0.0.0.0", "every network"),
        ("[::]:80", "every network"),
        ("8.8.8.8", "a public address"),
        ("[2a00:1450::1]", "a public address"),
        ("100.64.0.1", "a public address"),
        ("172.32.0.1", "a public address"),
        ("192.169.0.1", "a public address"),
        ("224.0.0.1", "a public address"),
        ("[::ffff:8.8.8.8]", "8.8.8.8 in disguise"),
        ("169.254.3.4", "a link address"),
        ("[fe80::1]", "a link address"),
        ("[fe80::1%eth0]", "a link address"),
        ("[fd00::7%eth0]", "names an interface"),
        ("[::1%lo]", "names an interface"),
        ("[::ffff:192.168.1.20]", "192.168.1.20 in disguise"),
        ("[fec0::1]", "a public address"),
        ("[64:ff9b::c0a8:114]", "a public address"),
        ("[::ffff:0.0.0.0]", "in disguise"),
        ("tablet", "no address"),
        ("127.0.0.1:99999", "no port"),
    ],
)
def test_others_than_who_is_at_home_never_reach_it(listen: str, why: str) -> None:
    with pytest.raises(SetupError, match=why):
        place(listen)


class Machine(Clock):
    """A clock that is set by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.ms, self.id = 0, "boot-1"

    def boot_ms(self, until: int) -> int:
        return self.ms

    def boot(self) -> list[str | int]:
        return [self.id, 0]


@pytest.fixture
def clock() -> Machine:
    return Machine()


@pytest.fixture
def paired(tmp_path: Path, clock: Machine) -> Paired:
    return Paired(tmp_path, clock)


def test_a_code_lets_one_in_once(tmp_path: Path, paired: Paired, clock: Machine) -> None:
    code = paired.new_code()
    token = Paired(tmp_path, clock).pair(code, "2026-01-05")  # the page's server is another process
    assert token is not None
    assert paired.pair(code, "2026-01-05") is None
    assert paired.knows(token)
    assert not paired.knows(token + "x")
    assert not paired.knows("")
    [panel] = paired.panels()
    assert panel["since"] == "2026-01-05"
    text = (tmp_path / pairing.NAME).read_text()
    assert token not in text
    assert code not in text
    assert stat.S_IMODE((tmp_path / pairing.NAME).stat().st_mode) == 0o600


def test_without_a_code_nobody_gets_in(paired: Paired) -> None:
    assert paired.pair("", "2026-01-05") is None
    assert paired.pair("000000", "2026-01-05") is None


def test_a_code_is_good_for_a_while_and_for_this_boot_only(paired: Paired, clock: Machine) -> None:
    code = paired.new_code()
    clock.ms = CODE_MS
    assert paired.pair(code, "d") is None
    code, clock.id = paired.new_code(), "boot-2"
    assert paired.pair(code, "d") is None
    code = paired.new_code()
    clock.ms += CODE_MS - 1
    assert paired.pair(code, "d") is not None


def test_a_code_that_was_guessed_at_is_worth_nothing(paired: Paired) -> None:
    code = paired.new_code()
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(MOST_TRIES):
        assert paired.pair(wrong, "d") is None
    assert paired.pair(code, "d") is None


def test_a_tablet_that_was_let_go_looks_no_more(tmp_path: Path, paired: Paired, clock: Machine) -> None:
    tokens = [Paired(tmp_path, clock).pair(paired.new_code(), "d") or "" for _ in range(2)]
    assert all(paired.knows(token) for token in tokens)
    first = paired.panels()[0]
    assert paired.revoke(first["id"]) == 1
    assert [paired.knows(token) for token in tokens] == [False, True]
    assert paired.revoke("none") == 0
    assert paired.revoke("all") == 1
    assert not paired.panels()


def test_the_oldest_tablet_makes_room(paired: Paired) -> None:
    tokens = [paired.pair(paired.new_code(), "d") or "" for _ in range(MOST_PANELS + 1)]
    assert [paired.knows(token) for token in (tokens[0], tokens[1], tokens[-1])] == [False, True, True]


def test_a_damaged_file_lets_nobody_in_and_can_be_written_anew(tmp_path: Path, paired: Paired) -> None:
    (tmp_path / pairing.NAME).write_text('{"panels"')
    assert paired.panels() == []
    assert paired.pair(paired.new_code(), "d") is not None


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, clock: Machine) -> None:
    with pytest.raises(SetupError, match="no panel can be paired"):
        Paired(tmp_path / "gone", clock).new_code()
