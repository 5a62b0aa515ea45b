"""Log lines are events with fields, for a machine and a tired person; never personal data."""

from __future__ import annotations

import json
import logging
import sys
import threading

from homenode.gateway.logbook import LOGBOOK, of_error

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Lines(logging.Formatter):
    """``LEVEL event field=value …``, or a JSON object a line."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = repr(record.exc_info[1])
        if record.exc_info and record.levelno <= logging.DEBUG:
            fields["trace"] = self.formatException(record.exc_info)
        level, part = record.levelname.lower(), record.name.removeprefix("homenode.")
        if self._as_json:
            line = {"at": self.formatTime(record), "level": level, "part": part, "event": record.getMessage()}
            return json.dumps(line | fields, ensure_ascii=False, default=str)
        told = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())
        return (
            f"{self.formatTime(record, '%H:%M:%S')} {level:7} {part}: {record.getMessage()} {told}".rstrip()
        )


def _quoted(value: object) -> str:
    text = str(value)
    if not text.isprintable():  # a line or a terminal's command that somebody else wrote
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=') else text


def start_logging(*, as_json: bool = False, verbose: bool = False) -> None:
    """Log to standard error; libraries only from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(as_json))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log = logging.getLogger("homenode")
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    if LOGBOOK not in log.handlers:
        log.addHandler(LOGBOOK)
    threading.excepthook = lambda args: _fell(
        "thread", args.thread.name if args.thread else "", args.exc_value
    )
    sys.unraisablehook = lambda args: _fell("clean-up", repr(args.object), args.exc_value)


def _fell(what: str, name: str, fault: BaseException | None) -> None:
    """What nobody caught, as a log line and not as a traceback."""
    log = logging.getLogger("homenode")
    log.error(f"{what} failed", extra={"where": name, "why": repr(fault), **of_error(fault)})
    log.debug(f"{what} failed", exc_info=fault)
