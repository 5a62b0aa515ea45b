"""How a process that hangs ends with its session: the kernel kills it when the gateway lets go of it."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket


def hold_on_to(gateway: socket.socket) -> None:
    """Wait for a pipe's end of the gateway's, which keeps the other one as long as the session lasts.

    With that one closed a stopped process is killed, too, whoever's it is (fcntl(2), F_SETSIG).

    Raises:
        SystemExit: There is no session.
    """
    _, ends, _, _ = socket.recv_fds(gateway, 1, 1)
    if not ends:
        raise SystemExit("the gateway is gone, or gave no leash")
    fcntl.fcntl(ends[0], fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(ends[0], fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(ends[0], fcntl.F_SETFL, os.O_ASYNC)
    if select.select(ends, [], [], 0)[0]:
        raise SystemExit("the session was over before")
