"""`homenode enrol clock`, as root: the machine's clock, where no time service answers."""

from __future__ import annotations

import logging
import time

from homenode.enrol.places import Places
from homenode.enrol.state import now
from homenode.enrol.steps import clock_to_set
from homenode.errors import SetupError
from homenode.gateway.clock import Clock
from homenode.journal.wall_time import text_of

log = logging.getLogger("homenode.enrol")


def set_clock(places: Places) -> int:
    """Set it, if it is to be set; exit status.

    Raises:
        SetupError: This user may not.
    """
    clock = Clock()
    to_ms = clock_to_set(now(places).get("clock"), clock.wall(), clock.up_s(), trusted=clock.trusted())
    if to_ms is None:
        return 0
    try:
        time.clock_settime(time.CLOCK_REALTIME, to_ms / 1000)
    except OSError as error:
        raise SetupError(f"the clock can't be set: {error.strerror}", do="run this as root") from error
    log.warning("clock set as the office's", extra={"at": text_of(to_ms)})
    return 0
