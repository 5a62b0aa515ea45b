"""What the demo starts: a broker, the simulated apartment and the node. All of it on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from homenode.demo.broker import EmbeddedBroker
from homenode.errors import SetupError

START = "2026-01-05T06:50"
READY_S = 30.0
STOP_S = 5.0
_NO_ENV: Mapping[str, str] = {}


class Stage:
    """Everything that runs.

    Attributes:
        folder: Holds home.yaml, the node's data and both logs.
        port: Of the broker.
        control: Port of the simulated apartment's control socket.
    """

    def __init__(self, folder: Path, port: int, control: int) -> None:
        self.folder, self.port, self.control = folder, port, control

    async def node(self, **request: Any) -> Any:
        """Ask the node over its local socket; None while it doesn't answer."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.folder / "data" / "node.sock"))
        except OSError:
            return None
        return await _ask(reader, writer, request)

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """What the node does, as it does it."""
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "data" / "node.sock"))
        try:
            writer.write(b'{"do": "watch"}\n')
            while line := await reader.readline():
                yield json.loads(line)
        finally:
            writer.close()

    async def apartment(self, words: str) -> Any:
        """Tell the simulated apartment something."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.control)
        return await _ask(reader, writer, {"do": words})

    async def speed(self, speed: float) -> None:
        """Let the time of both run so many times as fast."""
        await self.apartment(f"speed {speed:g}")
        await self.node(do="speed", speed=speed)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: dict[str, Any]) -> Any:
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        line = await reader.readline()
    finally:
        writer.close()
    answer = json.loads(line) if line else {}
    return answer.get("result") if answer.get("ok") else None


@asynccontextmanager
async def stage(folder: Path, home: Path | None = None) -> AsyncIterator[Stage]:
    """Everything started, and stopped again at the end.

    Raises:
        SetupError: Something didn't start; says what and where its log is.
    """
    async with AsyncExitStack() as closing:
        broker = await closing.enter_async_context(EmbeddedBroker())
        shipped = closing.enter_context(as_file(files("homenode.demo")))
        for name in ("apartment.yaml", "day.yaml"):
            shutil.copy(shipped / name, folder)
        text = (home or shipped / "home.yaml").read_text(encoding="utf-8")
        (folder / "home.yaml").write_text(text.replace("127.0.0.1:18830", f"127.0.0.1:{broker.port}"))
        control, pins = _free_port(), _free_port()
        where = ("--pty", "stick", "--gpio", str(pins), "--control", str(control), "--state", "stick.json")
        apartment = ("sim", "run", "apartment.yaml", *where, "--start", START)
        hardware = await _start(closing, folder, "apartment", apartment)
        await _until(lambda: _open(control), hardware, "apartment", folder)
        pigpio = {"GPIOZERO_PIN_FACTORY": "pigpio", "PIGPIO_ADDR": "127.0.0.1", "PIGPIO_PORT": str(pins)}
        node = ("run", "home.yaml", "--data", "data", "--start", START)
        gateway = await _start(closing, folder, "node", node, pigpio)
        await _until((folder / "data" / "node.sock").exists, gateway, "node", folder)
        yield Stage(folder, broker.port, control)


async def _start(
    closing: AsyncExitStack, folder: Path, name: str, words: tuple[str, ...], env: Mapping[str, str] = _NO_ENV
) -> Process:
    log = closing.enter_context((folder / f"{name}.log").open("wb"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "homenode.cli", *words,
        cwd=folder, env={**os.environ, **env}, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    closing.push_async_callback(_stop, process)
    return process


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _until(ready: Callable[[], bool], process: Process, name: str, folder: Path) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            while not ready() and process.returncode is None:  # noqa: ASYNC110 - another process gets ready
                await asyncio.sleep(0.05)
    if not ready():
        log = (folder / f"{name}.log").read_text(errors="replace").strip()
        raise SetupError(f"the {name} did not start: {log[-400:] or 'it said nothing'}")


def _open(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
