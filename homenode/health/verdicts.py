"""When somebody must act, with what each limit is taken from, and what to do (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

HOUR_MS, DAY_MS = 3_600_000, 86_400_000

WORN_PCT = 90
"""Of a card's life: eMMC tells 90 to 100 % as its last step but "exceeded" (JESD84-B51, 0x0A)."""
SPARE_WARNING = 2
"""PRE_EOL_INFO: 80 % of the reserved blocks are used."""
HOT_C, COOL_C = 80.0, 75.0
"""At 80 °C a Raspberry Pi begins to slow its cores (raspberrypi.com/documentation, frequency management)."""
HOT_SAMPLES = 12
"""The median of two hours: longer than any look through a camera warms it."""
RENEWAL_FAILED = 6
"""Enrolment renews in the last third of a certificate's life; in the last sixth half of that has passed."""
UNSYNCHRONISED_MS = 2 * DAY_MS
"""A board's quartz goes wrong by up to 50 ppm: 9 s in two days, which no rule notices and no TLS."""
LEAST_MB = 512
"""Of the image's data partition: the bundle of an update with its reserve, and some weeks of journal."""
DISK_FULL = 0.05
"""Below it the journal soon drops its oldest readings; 5 % is also what ext4 keeps for root."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Somebody must act, in plain words. Other words are told anew, so none count days or single percents."""

    source: str
    text: Mapping[str, str]


SOURCES = (
    "card wear",
    "card errors",
    "card data",
    "power supply",
    "too hot",
    "certificate ends",
    "time service",
    "disk room",
)
"""Of the faults; a device's name has no blank, so none is ever taken for the other."""


def card_wear(worn_pct: int | None, spare: int | None) -> Verdict | None:
    """The card nears its end."""
    worn = worn_pct // 10 * 10 if worn_pct is not None and worn_pct >= WORN_PCT else None
    if worn is None and (spare or 0) < SPARE_WARNING:
        return None
    sv = f"minneskortet är förbrukat till minst {worn} %" if worn else "minneskortets reservblock tar slut"
    en = f"at least {worn} % of the card's life is used" if worn else "the card's spare blocks run out"
    return Verdict(
        "card wear", {"sv": f"{sv}: byt det inom en månad", "en": f"{en}: change it within a month"}
    )


def card_errors(errors: int | None) -> Verdict | None:
    """The disk or its file system has made mistakes."""
    if not errors:
        return None
    return Verdict(
        "card errors",
        {
            "sv": "minneskortet har gett läs- eller skrivfel: byt det; starta om noden en gång tills dess, "
            "då filsystemet kontrolleras",
            "en": "the card gave errors in reading or writing: change it; until then restart the node once, "
            "which checks the file system",
        },
    )


def card_data(partition: str, size_mb: int | None) -> Verdict | None:
    """The image's data partition can't be repaired, or is too small; `partition` as `machine.Seen` has it."""
    if partition in ("readonly", "lost"):
        sv = "minneskortets data är skadade" + ("" if partition == "readonly" else " och kan inte läsas")
        en = "the card's data are damaged" + ("" if partition == "readonly" else " and can't be read")
        return Verdict(
            "card data",
            {
                "sv": f"{sv}: noden går vidare, men glömmer vid nästa start det som är nytt; byt kortet",
                "en": f"{en}: the node goes on, but forgets at its next start what is new; change the card",
            },
        )
    if size_mb is None or size_mb >= LEAST_MB:
        return None
    return Verdict(
        "card data",
        {
            "sv": f"minneskortet är för litet ({size_mb} MB för data): ta ett på 8 GB eller mer",
            "en": f"the card is too small ({size_mb} MB for data): take one of 8 GB or more",
        },
    )


def power(*, undervolted: bool) -> Verdict | None:
    """`undervolted`: in the last whole day. A camera that starts may be what a weak supply fails at, so when
    exactly is not told."""
    if not undervolted:
        return None
    return Verdict(
        "power supply",
        {
            "sv": "nätdelen håller inte spänningen: byt nätdel eller kabel, eller ta bort det som matas från "
            "USB; underspänning förstör minneskort",
            "en": "the power supply doesn't hold its voltage: change it or its cable, or take away what USB "
            "feeds; under-voltage ruins cards",
        },
    )


def heat(recent_c: float | None, *, was_hot: bool) -> Verdict | None:
    """`recent_c`: the median of the last `HOT_SAMPLES`."""
    if recent_c is None or recent_c < (COOL_C if was_hot else HOT_C):
        return None
    return Verdict(
        "too hot",
        {
            "sv": "noden är för varm i timmar och saktar ner: ställ den fritt, "
            "inte i solen eller på ett element",
            "en": "the node is too hot for hours and slows down: give it air, away from sun and radiators",
        },
    )


def certificate(begins_ms: int, ends_ms: int, wall_ms: int) -> Verdict | None:
    """All in ms since 1970."""
    left_ms = ends_ms - wall_ms
    if left_ms > (ends_ms - begins_ms) / RENEWAL_FAILED:
        return None
    over = left_ms <= 0
    day = datetime.fromtimestamp(ends_ms / 1000, UTC).date()
    return Verdict(
        "certificate ends",
        {
            "sv": ("nodens certifikat har gått ut" if over else f"nodens certifikat går ut {day}")
            + " och har inte förnyats: se efter att kontoret svarar och godkänner noden (homenode enrol)",
            "en": ("the node's certificate has ended" if over else f"the node's certificate ends on {day}")
            + " and was not renewed: see that the office answers and takes the node (homenode enrol)",
        },
    )


def time_service(unsynchronised_ms: int) -> Verdict | None:
    """So long no time service has kept the clock."""
    if unsynchronised_ms < UNSYNCHRONISED_MS:
        return None
    return Verdict(
        "time service",
        {
            "sv": "ingen tidstjänst har svarat på två dygn: se efter tidsservern i nätet och brandväggen",
            "en": "no time service has answered for two days: look at the network's time server and firewall",
        },
    )


def disk_room(free: float | None) -> Verdict | None:
    """`free`: of the disk with the data, 0 to 1."""
    if free is None or free >= DISK_FULL:
        return None
    return Verdict(
        "disk room",
        {
            "sv": "disken med nodens data är nästan full: se efter vad annat som ligger där, eller byt till "
            "ett större kort",
            "en": "the disk with the node's data is nearly full: see what else lies there, or take a "
            "larger card",
        },
    )
