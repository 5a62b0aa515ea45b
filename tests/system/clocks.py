"""The clock of a node's process, set by a library loaded before libc's: the machine keeps its time."""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

/* The file that CLOCK_FILE names says: seconds to add to the time, and whether it is synchronised. */
static long added(int *synchronised) {
    long seconds = 0;
    FILE *file = fopen(getenv("CLOCK_FILE"), "r");
    if (!file || fscanf(file, "%ld %d", &seconds, synchronised) != 2) abort();
    fclose(file);
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    int ignored;
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, at);
    if (clock == CLOCK_REALTIME) at->tv_sec += added(&ignored);
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

/* Which boot this is says the file that BOOT_FILE names. */
static int opened(const char *symbol, const char *path, int flags, int mode) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, symbol);
    return real(strcmp(path, "/proc/sys/kernel/random/boot_id") ? path : getenv("BOOT_FILE"), flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return opened("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    return opened("open64", path, flags, mode);
}

int adjtimex(struct timex *state) {
    int synchronised;
    added(&synchronised);
    return synchronised ? TIME_OK : TIME_ERROR;
}
"""


class NodeClock:
    """The clock of the node's process."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("no C compiler")
        source, self._library, self._file = folder / "clock.c", folder / "clock.so", folder / "clock"
        source.write_text(LIBRARY)
        command = [compiler, "-shared", "-fPIC", "-o", self._library, source, "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        self._boot = folder / "boot"
        self.boots("first")
        self.right()

    def boots(self, name: str) -> None:
        """The machine starts anew."""
        self._boot.write_text(f"{name}\n")

    def right(self) -> None:
        """The time service has set it."""
        self._say(0, 1)

    def in_1970(self) -> None:
        """A boot without a battery and without a network."""
        self._say(-int(time.time()) + 60, 0)  # noqa: TID251 - the clock of the machine that runs the tests

    def off_by(self, seconds: int) -> None:
        """Somebody or something has set it wrong, and the kernel takes it for right."""
        self._say(seconds, 1)

    def shows(self, *utc: int) -> None:
        """It is year, month, day, hour, minute and second now (UTC)."""
        self.off_by(int(datetime(*utc, tzinfo=UTC).timestamp() - time.time()))  # noqa: TID251 - as above

    def _say(self, seconds: int, synchronised: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds} {synchronised}\n")
        new.replace(self._file)

    @property
    def env(self) -> dict[str, str]:
        """For the process that is to have this clock."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_FILE": str(self._file), "BOOT_FILE": str(self._boot)}
