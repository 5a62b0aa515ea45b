"""Telling systemd that the node is ready, alive or stopping (sd_notify(3)); nothing without systemd."""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger("homenode.systemd")


def notify(message: str) -> None:
    """Send one state, such as ``READY=1``."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)  # a systemd that is busy holds up no rule; the next beat will reach it
        try:
            sender.connect(address)
            sender.sendall(message.encode())
        except OSError as error:
            log.debug("systemd not told", extra={"state": message, "why": str(error)})


def watchdog_s() -> float | None:
    """How often systemd is to hear from us: half of its limit, as sd_watchdog_enabled(3) advises."""
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not usec.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 2_000_000
