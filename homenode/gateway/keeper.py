"""Switches the lights of a look off when the gateway is killed: drivers' programs that wait for just that."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable, Sequence
from typing import Self

from homenode.gateway.roster import Post


class Keeper:
    """The programs, from the gateway's side; use `start`."""

    def __init__(self) -> None:
        self._programs: list[Process] = []

    @classmethod
    async def start(cls, posts: Iterable[Post], lights: Sequence[str]) -> Self:
        """Keep these points of what runs, where their drivers can. Raises OSError."""
        keeper, names = cls(), {point.partition(".")[0] for point in lights}
        for post in posts:
            kept = [device for device in post.devices if device.name in names]
            if kept and post.type.put_out is not None:
                command = post.type.put_out(kept)
                keeper._programs.append(
                    await asyncio.create_subprocess_exec(*command, stdin=PIPE, start_new_session=True)
                )
        return keeper

    def dark(self) -> None:
        """They are off: the programs may go, which nobody waits for."""
        for program in self._programs:
            assert program.stdin is not None
            program.stdin.write(b".")
            program.stdin.close()
