"""How a command ends: its exit status, and what a person is told of an error."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable

from homenode.errors import FileMistakes, HomenodeError, acted_on

_EXTRAS = {
    "zigpy": "zigbee", "bellows": "zigbee", "serialx": "zigbee", "zigpy_znp": "znp", "zigpy_deconz": "deconz",
    "gpiozero": "gpio",
    "amqtt": "demo", "rich": "demo", "PIL": "plot", "nats": "nats",
    "joserfc": "keys", "fpdf": "install", "h11": "install", "cryptography": "enrol",
    "jinja2": "console", "argon2": "console", "segno": "office", "jeepney": "update",
}  # fmt: skip
_SHARED = ("joserfc", "fpdf", "h11", "cryptography")
_PARTS = ("console", "enrol", "install", "miio", "office", "panel", "sim", "update")
"""Extras of the name of the folder that needs them, for what several need."""


def status_of(command: Callable[[], int]) -> int:
    """Run it; 0 fine, 1 failed, 2 mistakes in a file, 70 in homenode, 130 interrupted."""
    try:
        status = command()
        if sys.stdout is not None:  # closed by who started this
            sys.stdout.flush()  # what can't be written is told here, and not by the interpreter as it ends
        return status
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - nobody who uses homenode is shown a traceback
        return _told(acted_on(error))


def _told(error: BaseException) -> int:
    """What ended a command, in plain words."""
    match error:
        case FileMistakes():
            from homenode.config.excerpt import Excerpts

            for line in Excerpts().told(error.mistakes):
                print(line, file=sys.stderr)
            return 2
        case HomenodeError():
            print(f"homenode: {error}", file=sys.stderr)
            return 1
        case BrokenPipeError():
            return 1
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            what = error.filename or "what was found"
            print(f"homenode: {what} can't be written: {error.strerror}", file=sys.stderr)
            return 1
        case PermissionError() if error.filename:
            do = "run this as the user that runs homenode"
            print(f"homenode: {error.filename}: {error.strerror} ({do})", file=sys.stderr)
            return 1
        case ModuleNotFoundError() if extra := _extra(error):
            print(
                f"homenode: {error.name} is not installed (pip install 'homenode[{extra}]')", file=sys.stderr
            )
            return 1
    return _our_mistake(error)


def _extra(error: ModuleNotFoundError) -> str:
    """Which one brings what is missing; "" if none."""
    name = (error.name or "").partition(".")[0]
    if name in _SHARED:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            part = f"{frame.f_globals.get('__name__')}.".split(".")[1]
            if part in _PARTS:
                return part
    return _EXTRAS.get(name, "")


def _our_mistake(error: BaseException) -> int:
    """One line, and the whole of it for who reports it."""
    import logging

    logging.getLogger("homenode").debug("a mistake in homenode itself", exc_info=error)
    told = f"{type(error).__name__}: {error}".rstrip(": ")
    print(f"homenode: a mistake in homenode itself: {told} (please report it)", file=sys.stderr)
    return 70  # EX_SOFTWARE of sysexits.h
