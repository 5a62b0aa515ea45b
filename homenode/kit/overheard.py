"""What a driver lets slip while it runs: prints, and errors that end nothing. On a node nobody sees them."""

from __future__ import annotations

import io
import sys
import sysconfig
import threading
from asyncio import AbstractEventLoop
from pathlib import Path
from typing import Any

from homenode.kit.listener import Broken

_PYTHON = sysconfig.get_path("stdlib")
_NOT_ITS_OWN = ("/homenode/kit/", "<frozen")


class Overheard:
    """Listens to what comes from the code in `code`, a file or a folder."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._first: Broken | None = None
        self._out, self._hook = sys.stdout, threading.excepthook

    def begin(self) -> None:
        """From now on."""
        self._out, self._hook = sys.stdout, threading.excepthook
        sys.stdout, threading.excepthook = _Printed(self, self._out), self._in_a_thread

    def end(self) -> None:
        """No longer."""
        sys.stdout, threading.excepthook = self._out, self._hook

    def nothing(self) -> None:
        """Raises Broken if there was something."""
        if self._first is not None:
            raise self._first

    def in_the_loop(self, loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        """For `loop.set_exception_handler`: of callbacks, and of tasks that nobody awaits."""
        self._raised(context.get("exception"), "a callback or task that nobody awaits")

    def _in_a_thread(self, args: threading.ExceptHookArgs) -> None:
        self._raised(args.exc_value, "a thread")

    def _raised(self, error: BaseException | None, where: str) -> None:
        if error is None or self._first or not any(file.startswith(self._code) for file in _files(error)):
            return  # what libraries say of hardware that is unplugged on purpose
        do = "catch it there, or await what raises it: so it is lost, and the driver goes on without"
        self._first = Broken(f"raised {told(error)}, in {where}", do)

    def printed(self, text: str) -> bool:
        """Whether the driver's own code prints it."""
        frame = sys._getframe(2)
        file = frame.f_code.co_filename
        if not file.startswith(self._code):
            return False
        if self._first is None and text.strip():
            what = f"prints {text.strip()[:80]!r} at {Path(file).name}:{frame.f_lineno}"
            self._first = Broken(what, "logging.getLogger(__name__).warning(…), or nothing")
        return True


class _Printed(io.TextIOBase):
    def __init__(self, heard: Overheard, out: Any) -> None:
        self._heard, self._out = heard, out

    def write(self, text: str) -> int:
        return len(text) if self._heard.printed(text) else int(self._out.write(text))

    def flush(self) -> None:
        self._out.flush()


def _files(error: BaseException) -> list[str]:
    files, trace = [], error.__traceback__
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    return files


def its_own(file: str) -> bool:
    """Neither Python's, nor the kit's."""
    return not any(part in file for part in _NOT_ITS_OWN) and (
        not file.startswith(_PYTHON) or "-packages/" in file
    )


def told(error: BaseException) -> str:
    """An exception in words, with the line it came from."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if its_own(file):
            place = f" at {Path(file).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"
