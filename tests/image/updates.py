"""Versions that come: a good one stays, a bad one is gone again, and the operator reads why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.image.flat import Flat, flat
from tests.image.show import Given, Result
from tests.image.versions import BAD, version

QUICK = "/run/systemd/system/homenode-update.service.d/quick.conf"
LINES = (
    r"[Service]\nExecStart=\n"
    r"ExecStart=/usr/bin/homenode update --data /var/lib/homenode --log json --rate 65536\n"
)
"""KiB/s; what is usual is for a thin link, and would be most of this show."""
PATIENT = (
    "busctl set-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager"
    " RuntimeWatchdogUSec t 120000000"
)
"""The hardware's watchdog waits 15 s; reading units anew takes a second on a board, and a dozen here."""


def good(given: Given) -> Iterator[Result]:
    """A good version stays, though the office went away while it was loaded; how long no rule judged."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.start()
        home.pair()
        plain_s = _down(home, lambda: home.ask("systemctl reboot || true"))
        home.until(home.radio_up, "radio up")
        bundle = version(given.made, "9.0.0")
        home.order_update(bundle, "9.0.0")
        home.until(lambda: home.update_of("9.0.0").get("state") == "loading", "loading")
        time.sleep(10)
        home.world.stop_office()
        time.sleep(10)
        home.world.start_office()
        loading = home.update_of("9.0.0").get("state") == "loading"
        quick(home)
        home.until(lambda: home.update_of("9.0.0").get("state") == "installing", "installing", 1200)
        update_s = _down(home, lambda: None)
        told = home.updated("9.0.0")
        yield Result("cut off while loading: it goes on", loading, "")
        yield Result("a good version is good", told["state"] == "good", f"slot {told['slot']}")
        yield Result("a door's alert by it", True, f"{home.trip():.2f} s")
        yield Result(
            "no rule judges for",
            update_s <= 2 * plain_s,
            f"{update_s:.0f} s; a plain restart {plain_s:.0f} s",
        )
        told = _ordered(home, given, "8.0.0")
        yield Result("an older version", told["state"] == "refused", told["why"]["en"])
        yield from _refused(home, given)


def _refused(home: Flat, given: Given) -> Iterator[Result]:
    """What must not get into a slot."""
    told = _ordered(home, given, "9.0.1", stranger=True)
    yield Result("signed by somebody else", told["state"] == "refused", told["why"]["en"])
    told = _ordered(home, given, "9.0.2", compatible="homenode-riscv64")
    yield Result("for another board", told["state"] == "refused", told["why"]["en"])
    told = _ordered(home, given, "9.0.3", inside="9.0.0")
    yield Result("an old one under a new number", told["state"] == "refused", told["why"]["en"])
    free_mb = int(home.ask("df -BM --output=avail /data | tail -1").strip().rstrip("M"))
    home.ask(f"fallocate -l {free_mb - 150}M /data/full")
    told = _ordered(home, given, "9.0.4")
    yield Result("no place for it", told["state"] == "failed", told["why"]["en"])
    home.ask("rm /data/full")
    yield Result("and alerts, on", True, f"{home.trip():.2f} s")


def bad(given: Given) -> Iterator[Result]:
    """Each bad version is gone again, and the operator reads why."""
    with flat(given.made, given.image, given.folder, given.seed) as home:
        home.start()
        home.pair()
        for nth, (what, change) in enumerate(BAD.items(), 1):
            started, number = time.perf_counter(), f"9.2.{nth}"
            quick(home)
            home.order_update(version(given.made, number, change), number)
            told = home.updated(number)
            home.until(home.radio_up, "radio up")
            home.ask("rm -f /data/full")
            alert_s, minutes = home.trip(), (time.perf_counter() - started) / 60
            saw = f"{told['why']['en']}; {minutes:.0f} min, then alert {alert_s:.1f} s"
            yield Result(what, told["state"] == "failed", saw)


def quick(home: Flat) -> None:
    """Until the next start a bundle comes as fast as it can."""
    home.ask(
        f"{PATIENT} && mkdir -p $(dirname {QUICK}) && printf '{LINES}' >{QUICK} && systemctl daemon-reload"
    )
    home.ask("systemctl try-restart homenode-update")


def _ordered(home: Flat, given: Given, number: str, **how: Any) -> Mapping[str, Any]:
    quick(home)
    home.order_update(version(given.made, number, **how), number)
    return home.updated(number)


def _down(home: Flat, act: Callable[[], object]) -> float:
    """Seconds from offline to online."""
    before = len(home.links())
    act()
    home.until(lambda: not home.links()[-1], "offline")
    off = time.perf_counter()
    home.until(lambda: len(home.links()) > before + 1 and home.links()[-1], "online again")
    return time.perf_counter() - off
