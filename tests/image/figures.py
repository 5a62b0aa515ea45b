"""What the whole system takes: time to start, memory, writing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from deploy.image import card
from tests.image.flat import Flat, flat
from tests.image.show import Given, Result
from tests.image.versions import EPOCH, changed

MANY = 40
STARTS = 3
"""Cold ones, of which the median counts: each of them by itself is one in ten off."""
ASLEEP_S = 4000
"""Who falls asleep while it is interviewed, as all of this takes its time here, is back within the hour."""
DAY_MIN = 1440
TELLS = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo up $(cut -d" " -f1 /proc/uptime) >/dev/console'
ExecStart=systemctl --no-block poweroff
"""


def figures(given: Given) -> Iterator[Result]:
    """With 40 devices. The hour of writing is given in minutes, and scaled to a day."""
    bare = _bare(given)
    bare_s = median(bare)
    with flat(given.made, given.image, given.folder, devices=MANY) as home:
        home.start()
        home.pair()
        home.until(lambda: _interviewed(home) >= MANY, "all interviewed", ASLEEP_S)
        armed = []
        for _ in range(STARTS):
            home.ask("systemctl --no-block poweroff")
            home.machine.until_off()
            home.come_back()
            armed.append(_armed(home))
        armed_s = median(armed)
        yield Result(
            "power on to rules armed", armed_s <= 1.3 * bare_s,
            f"{armed_s:.1f} s after the kernel ({_list(armed)}); nothing of ours {bare_s:.1f} s"
            f" ({_list(bare)}): {armed_s / bare_s:.2f}",
        )  # fmt: skip
        time.sleep(120)
        used = _used(home)
        yield Result(f"memory, {MANY} devices", used <= 220, f"{used} MB used")
        before = home.machine.card.written_b, _written_kb(home)
        time.sleep(given.minutes * 60)
        card_b, kernel_kb = home.machine.card.written_b - before[0], _written_kb(home) - before[1]
        day_mb = card_b / 1e6 * DAY_MIN / given.minutes
        yield Result(
            "written in an idle day", day_mb <= 30,
            f"{day_mb:.1f} MB, of {card_b / 1e3:.0f} kB in {given.minutes:g} min (diskstats {kernel_kb} kB)",
        )  # fmt: skip


def _list(seconds: Iterable[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in seconds)


def _bare(given: Given) -> list[float]:
    """Seconds from the kernel's start to multi-user without ours, in the same flat, but for the first."""
    made = given.made

    def off(root: Path) -> None:
        units = root / "etc/systemd/system"
        for unit in (root / "usr/lib/systemd/system").glob("homenode*"):
            mask = units / unit.name
            mask.unlink(missing_ok=True)
            mask.symlink_to("/dev/null")
        (units / "told.service").write_text(TELLS)
        wants = units / "multi-user.target.wants"
        (wants / "told.service").symlink_to("../told.service")

    given.folder.mkdir(parents=True, exist_ok=True)
    with changed(made, off):
        image = card.card(made.work / "boot.fat", card.slot(made, EPOCH), given.folder / "bare.img")
    with flat(made, image, given.folder / "bare", given.seed, devices=MANY) as home:
        found = []
        for _ in range(1 + STARTS):
            home.machine.start()
            home.machine.until_said(r"up \d+\.\d+\s", 300)
            found.append(float(re.findall(r"up (\d+\.\d+)\s", home.machine.said())[-1]))
            home.machine.until_off()
    return found[1:]


def _armed(home: Flat) -> float:
    """Seconds from the kernel's start until the gateway said that it judges."""
    stated = home.ask("systemctl show -P ActiveEnterTimestampMonotonic homenode.service")
    return int(stated) / 1e6


def _interviewed(home: Flat) -> int:
    return home.ask("journalctl -b -u homenode -o cat --no-pager").count('"interviewed"')


def _used(home: Flat) -> int:
    return int(home.ask("free -m").splitlines()[1].split()[2])


def _written_kb(home: Flat) -> int:
    """By the kernel's count: sectors of 512 bytes."""
    line = next(line for line in home.ask("cat /proc/diskstats").splitlines() if " vda " in line)
    return int(line.split()[9]) // 2
