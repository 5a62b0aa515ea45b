"""What `homenode status --prometheus` writes of a node, and of none."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from homenode.errors import HomenodeError, SetupError, Unanswered
from homenode.gateway import ask, kept
from homenode.gateway.local_socket import no_node, not_yours

STATUS = {
    "home": "h-1",
    "version": "0.1.0",
    "image": "",
    "link": {"state": "up"},
    "health": {"devices": 3},
    "update": {},
    "faults": [1, 2],
}
YAML = "# ours\ntimezone: UTC\nhome: 'h-1'  # the first\n"


class Asked:
    """The command, with a node that answers so."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.file, self.says = folder, folder / "node.prom", dict[str, Any]()
        self.fails: HomenodeError | None = None
        monkeypatch.setattr(ask, "answer", self._answer)

    def _answer(self, _data: Path, _request: Mapping[str, Any]) -> Any:
        if self.fails is not None:
            raise self.fails
        return {**STATUS, **self.says}

    def samples(self) -> list[str]:
        ask.COMMANDS["status"](Namespace(prometheus=self.file), self.folder)
        return self.written()

    def written(self) -> list[str]:
        return [line for line in self.file.read_text().splitlines() if not line.startswith("#")]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(tmp_path, monkeypatch)


def test_a_node_tells_its_images_version_and_its_update_as_the_fleets_exporter_does(asked: Asked) -> None:
    assert 'homenode_info{home="h-1",version="0.1.0"} 1' in asked.samples()
    asked.says = {"image": "0.1.0+20261127.1.gabc", "update": {"state": "failed", "version": "9"}}
    told = asked.samples()
    assert 'homenode_info{home="h-1",version="0.1.0+20261127.1.gabc"} 1' in told
    assert 'homenode_update_state{home="h-1",state="failed"} 1' in told
    assert 'homenode_faults{home="h-1"} 2' in told


@pytest.mark.parametrize("error", [no_node(Path("x")), Unanswered("the node hung up")])
@pytest.mark.parametrize(
    ("texts", "home"), [({Path("/h.yaml"): YAML}, "h-1"), ({Path("/r.yaml"): "x"}, ""), ({}, "")]
)
def test_a_dead_node_is_written_as_down_and_nothing_else_of_it(
    asked: Asked, error: HomenodeError, texts: Mapping[Path, str], home: str
) -> None:
    kept.keep(asked.folder, kept.Kept(texts, None))
    assert 'homenode_up{home="h-1"} 1' in asked.samples()
    asked.fails = error
    with pytest.raises(type(error)):
        asked.samples()
    assert asked.written() == [f'homenode_up{{home="{home}"}} 0']


def test_of_a_folder_in_which_nothing_can_be_read_no_home_is_known(asked: Asked) -> None:
    asked.fails = no_node(asked.folder)
    for made in (lambda: None, lambda: (asked.folder / kept.NAME).write_text("torn")):
        made()
        with pytest.raises(SetupError):
            asked.samples()
        assert asked.written() == ['homenode_up{home=""} 0']


def test_who_may_not_ask_the_node_says_nothing_of_it(asked: Asked) -> None:
    asked.samples()
    asked.fails = not_yours(asked.folder)
    asked.fails.__cause__ = PermissionError()
    with pytest.raises(SetupError):
        asked.samples()
    assert asked.written() == []
