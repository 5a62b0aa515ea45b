"""Who drips holds nobody for ever: a time-out of a socket is of silence only."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def hung_up_after(seconds: float, link: socket.socket) -> Iterator[None]:
    """What is done inside lasts so long at most: then `link` is shut down under it, whatever came.

    Raises:
        TimeoutError: It was; who reads may take that for the end of what was sent.
    """
    over = threading.Event()

    def hang_up() -> None:
        over.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(link, socket.SHUT_RDWR)  # past TLS, which is in use by who waits

    ends = threading.Timer(seconds, hang_up)
    ends.daemon = True
    ends.start()
    try:
        yield
    finally:
        ends.cancel()
    if over.is_set():
        raise TimeoutError(f"not done after {seconds:g} s")
