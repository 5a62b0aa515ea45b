"""The local socket: a line in, a line out, whatever the line says and wherever the folder lies."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from homenode.errors import Refused, SetupError, Unanswered
from homenode.gateway.local_socket import NAME, ask, serve


async def answer(request: Mapping[str, Any]) -> Any:
    match request["do"]:
        case "echo":
            return request
        case "refuse":
            raise Refused("not today", do="come tomorrow")
        case _:
            raise ZeroDivisionError("a mistake")


async def watch() -> AsyncIterator[Mapping[str, Any]]:
    for nth in range(3):
        yield {"nth": nth}


def _all(folder: Path, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(ask(folder, request))


def told(folder: Path, *requests: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """What a node that listens in `folder` answers to each."""

    async def scene() -> list[list[dict[str, Any]]]:
        server = await serve(folder, answer, watch)
        async with server:
            return [await asyncio.to_thread(_all, folder, one) for one in requests]

    return asyncio.run(scene())


def test_a_request_is_answered(tmp_path: Path) -> None:
    assert told(tmp_path, {"do": "echo", "text": "Åsa"}) == [
        [{"ok": True, "result": {"do": "echo", "text": "Åsa"}}]
    ]


def test_a_refusal_and_a_mistake_of_ours_are_answers_too(tmp_path: Path) -> None:
    refused, mistaken, good = told(tmp_path, {"do": "refuse"}, {"do": "break"}, {"do": "echo"})
    assert refused == [{"ok": False, "error": "not today (come tomorrow)"}]
    assert "a mistake in homenode itself" in mistaken[0]["error"]
    assert good[0]["ok"] is True


def test_who_watches_gets_line_after_line(tmp_path: Path) -> None:
    assert told(tmp_path, {"do": "watch"}) == [[{"nth": 0}, {"nth": 1}, {"nth": 2}]]


def test_a_folder_with_a_long_name_has_a_socket_too(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()

    async def scene() -> int:
        async with await serve(folder, answer, watch):
            return (folder / NAME).stat().st_mode & 0o777  # Python 3.13 removes it when the server closes

    assert told(folder, {"do": "echo"})[0][0]["ok"] is True
    assert asyncio.run(scene()) == 0o660


def test_what_a_dead_node_left_is_no_node(tmp_path: Path) -> None:
    told(tmp_path, {"do": "echo"})
    with pytest.raises(SetupError, match="no node is running"):
        list(ask(tmp_path, {"do": "echo"}))
    assert told(tmp_path, {"do": "echo"})[0][0]["ok"] is True


def test_where_no_file_can_be_made_it_is_reached_all_the_same(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()  # cannot be unlinked, nor bound to
    assert told(tmp_path, {"do": "echo"})[0][0]["ok"] is True


def by_hand(folder: Path, said: bytes, read: Callable[[asyncio.StreamReader], Any]) -> Any:
    async def scene() -> Any:
        server = await serve(folder, answer, watch)
        async with server:
            reader, writer = await asyncio.open_unix_connection(str(folder / NAME), limit=1 << 20)
            writer.write(said)
            async with asyncio.timeout(10):
                found = await read(reader)
            writer.close()
            return found

    return asyncio.run(scene())


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072, 400_000])
def test_after_a_line_that_is_too_long_the_next_is_answered(tmp_path: Path, size: int) -> None:
    async def two(reader: asyncio.StreamReader) -> list[bytes]:
        return [await reader.readline(), await reader.readline()]

    first, second = by_hand(tmp_path, b"x" * size + b'\n{"do": "echo"}\n', two)
    assert b'"ok": false' in first
    assert b'"ok": true' in second


def test_who_hangs_up_in_the_middle_is_forgotten(tmp_path: Path) -> None:
    async def nothing(reader: asyncio.StreamReader) -> None:
        return None

    by_hand(tmp_path, b'{"do": "ec', nothing)


def test_a_node_that_dies_within_its_answer_did_not_answer(tmp_path: Path) -> None:
    def half(listening: socket.socket) -> None:
        talk, _ = listening.accept()
        talk.recv(1000)
        talk.sendall(b'{"ok": true, "resu')
        talk.close()

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / NAME))
        listening.listen()
        threading.Thread(target=half, args=[listening], daemon=True).start()
        with pytest.raises(Unanswered, match="hung up"):
            _all(tmp_path, {"do": "status"})


@pytest.mark.parametrize("line", [b'{"do": "echo"}\n', b"nonsense\n"])
def test_who_floods_waits_and_others_have_their_turn(tmp_path: Path, line: bytes) -> None:
    async def flood() -> None:
        reader, writer = await asyncio.open_unix_connection(tmp_path / NAME)
        try:
            writer.write(line * 1000)
            async for _ in reader:
                pass
        finally:
            writer.close()

    async def scene() -> tuple[int, float]:
        loop, answers = asyncio.get_running_loop(), [0]

        async def counting(request: Mapping[str, Any]) -> Any:
            answers[0] += 1
            return await answer(request)

        async with await serve(tmp_path, counting, watch):
            began_s = loop.time()
            floods = [asyncio.ensure_future(flood()) for _ in range(20)]
            await asyncio.sleep(0.3)
            [answered] = await asyncio.to_thread(_all, tmp_path, {"do": "echo"})
            assert answered["ok"]
            took_s = loop.time() - began_s
            for one in floods:
                one.cancel()
            await asyncio.gather(*floods, return_exceptions=True)
            return answers[0], took_s

    count, took_s = asyncio.run(scene())
    assert count <= 50 + took_s / 0.005 + 25
    assert took_s < 2.0
