"""A broker inside the process, for the demo and for tests on machines without mosquitto. Not for homes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from types import TracebackType
from typing import Any, Self

from homenode.errors import SetupError

_HANGING_S, _MOST_HANGING = 0.5, 20
"""amqtt 0.12 waits for ever for the session of a client that left; asked again it goes on to the next."""


class EmbeddedBroker:
    """amqtt on 127.0.0.1, without accounts; it forgets everything when it stops.

    Args:
        port: 0 for a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._broker: Any = None

    @property
    def url(self) -> str:
        """For ``broker.url``."""
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> Self:
        """Listen.

        Raises:
            SetupError: amqtt is not installed, or the port is taken.
        """
        try:
            from amqtt.broker import Broker
            from amqtt.errors import AMQTTError
        except ImportError as error:
            raise SetupError("amqtt is not installed", do="pip install 'homenode[demo]'") from error
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # it logs a dropped client as an error
        self.port = self.port or _free_port()
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
        self._broker = Broker(config)
        try:
            await self._broker.start()
        except (AMQTTError, OSError) as error:
            self._broker = None
            raise SetupError(
                f"port {self.port} is taken", where="demo broker", do="choose another"
            ) from error
        return self

    async def stop(self) -> None:
        """Close every connection and the port."""
        broker, self._broker = self._broker, None
        for _ in range(_MOST_HANGING):
            if broker is None:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HANGING_S):
                    await broker.shutdown()
                    return

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.stop()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
