"""A driver in its own process: what it does to itself is a fault of its devices, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from homenode.apart import own_process, parent
from homenode.errors import Refused
from homenode.gateway.node import Node
from tests.system.node_inside import node_inside, panel, until

APART = replace(panel(lambda host: None, "panel"), open=own_process("tests.system.apart_driver:make"))  # type: ignore[arg-type, return-value]  # replaced at once


def play(folder: Path, scene: Callable[[Node], Awaitable[None]]) -> None:
    async def body() -> None:
        async with node_inside(folder, APART) as node:
            await until(lambda: value(node, "door.contact") is True, "the first reading")
            await scene(node)

    asyncio.run(asyncio.wait_for(body(), 60))


def value(node: Node, point: str) -> object:
    known = node.judge.engine.home.points.get(point)
    return None if known is None else known.value


def tell(folder: Path, what: str) -> None:
    (folder / "data/panel/new").write_text(what)
    (folder / "data/panel/new").rename(folder / "data/panel/told")


def pid(folder: Path) -> int:
    return int((folder / "data/panel/pid").read_text())


def gone(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_it_says_what_a_driver_says_and_does_what_it_is_asked(tmp_path: Path) -> None:
    async def scene(node: Node) -> None:
        driver = node.crew.drivers["panel"]
        assert pid(tmp_path) != os.getpid()
        await until(lambda: node.joined, "who joined")
        assert node.joined["00:01"].kinds == ("contact",)
        await driver.ask(lambda it: it.switch("lamp", "light", True))
        await until(lambda: value(node, "lamp.light") is True, "the lamp")
        with pytest.raises(Refused, match=r"it has no siren \(buy one\)"):
            await driver.ask(lambda it: it.switch("lamp", "siren", True))
        await driver.pair(7)
        assert (tmp_path / "data/panel/open").read_text() == "7"
        tell(tmp_path, "close")
        await until(lambda: value(node, "door.contact") is False, "the door")
        assert "meter silent" not in node.judge.troubled

    play(tmp_path, scene)
    assert (tmp_path / "data/panel/released").exists()
    assert gone(pid(tmp_path))


def test_a_crash_is_told_with_its_signal_and_it_knows_what_was_before(tmp_path: Path) -> None:
    async def scene(node: Node) -> None:
        tell(tmp_path, "close")
        await until(lambda: value(node, "door.contact") is False, "the door")
        first = pid(tmp_path)
        tell(tmp_path, "crash")
        await until(lambda: "panel" in node.judge.troubled, "the fault")
        assert "killed by SIGSEGV" in node.judge.troubled["panel"][1]["en"]
        await until(lambda: pid(tmp_path) != first, "the next process")
        await until(lambda: "panel" not in node.judge.troubled, "the end of the fault")
        assert value(node, "door.contact") is False

    play(tmp_path, scene)


def test_one_that_hangs_is_killed_and_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "BEAT_S", 0.1)
    monkeypatch.setattr(parent, "HANGS_AFTER_S", 1.0)

    async def scene(node: Node) -> None:
        first = pid(tmp_path)
        tell(tmp_path, "hang")
        await until(lambda: "panel" in node.judge.troubled, "the fault")
        assert "hangs" in node.judge.troubled["panel"][1]["en"]
        await until(lambda: pid(tmp_path) != first, "the next process")
        assert gone(first)

    play(tmp_path, scene)


def test_what_a_person_must_do_is_told_in_its_words(tmp_path: Path) -> None:
    async def scene(node: Node) -> None:
        tell(tmp_path, "ask")
        await until(lambda: "panel" in node.judge.troubled, "the fault")
        assert "the meter wants a token (write it into home.yaml)" in node.judge.troubled["panel"][1]["en"]

    play(tmp_path, scene)


def test_what_it_prints_and_wrong_values_stop_nothing(tmp_path: Path) -> None:
    async def scene(node: Node) -> None:
        tell(tmp_path, "noise")
        await until(lambda: "door.contact value" in node.judge.troubled, "the fault")
        tell(tmp_path, "close")
        await until(lambda: value(node, "door.contact") is False, "the door")

    play(tmp_path, scene)


def test_without_its_node_it_ends(tmp_path: Path) -> None:
    """Also one that hangs: it holds a port that the next node wants."""
    code = (
        "import asyncio, pathlib, sys, threading\n"
        "from tests.system.test_apart import APART\n"
        "from tests.system.node_inside import node_inside\n"
        "async def body():\n"
        "    async with node_inside(pathlib.Path(sys.argv[1]), APART):\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(body())\n"
    )

    async def scene() -> None:
        import sys

        node = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path))
        await until((tmp_path / "data/panel/pid").exists, "the driver")
        child = pid(tmp_path)
        tell(tmp_path, "hang")
        await until(lambda: not (tmp_path / "data/panel/told").exists(), "the hang")
        node.send_signal(signal.SIGKILL)
        await node.wait()
        await until(lambda: gone(child), "its end")

    asyncio.run(asyncio.wait_for(scene(), 60))
