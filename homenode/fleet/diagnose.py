"""`homenode fleet diagnose HOME`: asks a node for its bundle, checks it, and writes it down."""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homenode.by_name import by_name
from homenode.errors import Refused
from homenode.fleet.board import LONGEST_TEXT, Board, no_home, word
from homenode.fleet.ears import Ears
from homenode.fleet.kept import put
from homenode.fleet.settings import Settings, settings_of
from homenode.gateway.clock import Clock

PATIENCE_S = 30.0
LARGEST_B = 8 << 20
"""Of the unpacked bundle: what a node makes is 150 kB, and a node that went mad fills no disk."""


def run(args: argparse.Namespace) -> int:
    """Ask, and write what came.

    Raises:
        HomenodeError: The home refuses or doesn't answer, or what it answers is no bundle.
    """
    answer = asyncio.run(_asked(settings_of(args), args.home, by_name(args.by)))
    content = unpacked(args.home, answer)
    print("\n".join(write(Path(args.out or f"{args.home}-diagnosis.json"), content)))
    return 0


def write(file: Path, content: Mapping[str, Any]) -> list[str]:
    """Write it down; in a few lines what it is, whatever its node put there. Raises StorageError."""
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    put(file, text.encode(errors="replace").decode())  # half a sign is text in JSON, and none in a file
    lines, left_out = content.get("log"), content.get("left_out")
    counted = len(lines) if isinstance(lines, list) else 0
    told = [f"{file}: {counted} lines of the log, {file.stat().st_size} bytes"]
    if isinstance(left_out, dict):
        told.append(f"left out: {word(left_out.get('en'), LONGEST_TEXT)}")
    return told


async def _asked(settings: Settings, home: str, by: str) -> Mapping[str, Any]:
    asked, came = "", asyncio.Event()
    answers: dict[str, Mapping[str, Any]] = {}

    def replied(name: str, body: Mapping[str, Any]) -> None:
        if name == home and body.get("id") == asked:
            answers[name] = body
            came.set()

    board = Board()
    ears = Ears(settings, board, Clock(), replied=replied)
    await ears.connect()
    async with asyncio.TaskGroup() as tasks:
        link = tasks.create_task(ears.run(), name="link")
        await ears.all_heard()
        if home not in board.homes:
            raise no_home(home)
        asked = ears.command(home, "report", {"diagnose": True}, by)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await came.wait()
        except TimeoutError:
            do = f"homenode fleet show {home} tells when it was last heard"
            raise Refused("no answer", where=home, do=do) from None
        finally:
            ears.close()
            link.cancel()
    return answers[home]


def unpacked(home: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle in an answer.

    Raises:
        Refused: The home refused, or this is none.
    """
    if answer.get("ok") is not True:
        error = answer.get("error")
        why = word(error.get("text"), LONGEST_TEXT) if isinstance(error, dict) else ""
        raise Refused(f"refuses: {why or 'without a reason'}", where=home)
    result = answer.get("result")
    bundle = result.get("bundle") if isinstance(result, dict) else None
    if not isinstance(bundle, dict):
        raise Refused("answers without a bundle", where=home, do="its homenode is older than this one")
    try:
        packed = base64.b64decode(str(bundle.get("data", "")), validate=True)
        if hashlib.sha256(packed).hexdigest() != bundle.get("sha256"):
            raise ValueError("its checksum is another")
        inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)
        text = inflating.decompress(packed, LARGEST_B)
        if inflating.unconsumed_tail:
            raise ValueError(f"it is larger than {LARGEST_B} bytes")
        content = json.loads(text)
    except (ValueError, zlib.error, RecursionError) as error:
        raise Refused(f"sends what is no bundle: {error}", where=home) from error
    if not isinstance(content, dict):
        raise Refused("sends what is no bundle: no JSON object", where=home)
    return content
