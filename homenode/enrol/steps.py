"""What a box does next on its way to its home: given what it has and what was answered (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
CLOCK_S = 120
"""Since the machine booted: chrony has set a clock by then, if it can at all."""
FIRST_S, LONGEST_S = 5, 15 * MINUTE_S
"""Between two tries: the first, doubled each time, up to; an installer waits at the door."""
PATIENT_S = 6 * HOUR_S
"""Longest, when the box has what it needs and only a renewal or the daily visit waits."""
BEHIND_MS = 60_000
"""A clock that is less behind is left as it is."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01T00:00Z: what is said beyond is no time."""
RETRY_S = (10, DAY_S)
"""An office that says when to come again is believed within these."""


class State(Enum):
    """As state.json says it."""

    WAITING = "waiting"
    """For a network, a clock or an office."""
    ASKING = "asking"
    APPROVAL = "approval"
    """Somebody at the office has to do something."""
    ENROLLED = "enrolled"
    FAILED = "failed"
    """Somebody at the box has to do something; it goes on trying."""


class Do(Enum):
    """The next thing."""

    AWAIT_CLOCK = "await clock"
    ENROL = "enrol"
    RENEW = "renew"
    VISIT = "visit"


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate that a box has; `serial` is that of the box that it was given to."""

    serial: str
    home: str
    from_ms: int
    until_ms: int
    fits: bool = True
    """It is of the key that is here."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a box knows when it decides.

    Attributes:
        now_ms: The wall clock, or the office's where that is known and the own one is not trusted.
        clock: Whether the wall clock is trusted.
        up_s: Since the machine booted.
        refused: The office said in this run that the certificate counts no more.
    """

    now_ms: int
    clock: bool
    up_s: float
    serial: str
    held: Held | None = None
    refused: bool = False


def next_step(known: Known) -> Do:
    """What comes next."""
    if not known.clock and known.up_s < CLOCK_S:
        return Do.AWAIT_CLOCK
    held = known.held
    if held is None or not held.fits or held.serial != known.serial or known.refused:
        return Do.ENROL
    if known.now_ms >= held.until_ms:
        return Do.ENROL
    return Do.RENEW if known.now_ms >= due_ms(held) else Do.VISIT


def due_ms(held: Held) -> int:
    """When a certificate is renewed: when the last third of its life begins."""
    return held.until_ms - (held.until_ms - held.from_ms) // 3


@dataclass(frozen=True, slots=True)
class Why:
    """Why it is as it is: a sentence of `words`, with what it tells."""

    key: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step.

    Attributes:
        done: It was done, nothing else is due.
        again_s: When the office wants to be asked again; 0 if it didn't say.
    """

    state: State
    why: Why
    done: bool = False
    again_s: int = 0


def wait_s(outcome: Outcome, failed: int, chance: float, *, settled: bool) -> float:
    """Seconds until the next try.

    Args:
        failed: How many tries before this one came to nothing, in a row.
        chance: From 0 to 1, by luck, so that a street after a power cut doesn't call at once.
        settled: The home runs on a certificate that counts.
    """
    if outcome.again_s:
        return min(max(outcome.again_s, RETRY_S[0]), RETRY_S[1]) * (1 + chance / 10)
    most = PATIENT_S if settled else LONGEST_S
    return float(min(most, FIRST_S * 2 ** min(failed, 20))) * (0.5 + chance / 2)


def clock_to_set(said: object, wall_ms: int, up_s: float, *, trusted: bool) -> int | None:
    """What the machine's clock is to show where no time service answers (ms); None: as it does.

    Forward only, and never a clock that the kernel calls right: so that certificates are in force, no more.

    Args:
        said: What the office's clock said (ms), and how long the machine had been up then (ms).
    """
    match said:
        case [int(office_ms), int(up_ms)] if not trusted and 0 <= up_ms <= up_s * 1000:
            now_ms = office_ms + int(up_s * 1000) - up_ms
            return now_ms if wall_ms + BEHIND_MS < now_ms < LATEST_MS else None
    return None


def short(key: str) -> str:
    """A fingerprint as two people compare it over the telephone."""
    head = key[:16].upper()
    return "-".join(head[at : at + 4] for at in range(0, 16, 4))


BECAUSE: Mapping[int, tuple[str, ...]] = {
    202: ("unassigned",),
    401: ("code_used", "code_of_another", "code_old"),
    403: ("replaces", "home_taken", "revoked"),
}
"""What an office of ours says besides a status and a sentence, so that a panel says it in its language."""


def of_answer(status: int, text: str, again_s: int, serial: str, key: str, *, because: str = "") -> Outcome:
    """What an office's no, or not yet, means for the box.

    Args:
        text: As the office said it.
        again_s: Its Retry-After; 0 without.
        key: Fingerprint of the box's key, as people compare it.
        because: One of `BECAUSE`, if it is an office of ours and that is known.
    """
    phrase = next((one.phrase for one in HTTPStatus if one == status), "")
    said = " ".join(text.split()).removeprefix(f"{phrase}: ")
    facts = {"text": said[:300], "serial": serial, "key": key, "status": str(status)}
    known = because if because in BECAUSE.get(status, ()) else ""
    match status:
        case 202:
            return Outcome(State.APPROVAL, Why(known or "approval", facts), again_s=again_s or 300)
        case 401:
            return Outcome(State.FAILED, Why(known or "code", facts), again_s=again_s)
        case 409:
            return Outcome(State.FAILED, Why("twin", facts), again_s=again_s or HOUR_S)
        case 403:
            return Outcome(State.FAILED, Why(known or "refused", facts), again_s=again_s)
        case 429 | 503:
            return Outcome(State.WAITING, Why("busy", facts), again_s=again_s)
        case _ if status >= 500:
            return Outcome(State.WAITING, Why("broken", facts), again_s=again_s)
    return Outcome(State.FAILED, Why("odd", facts), again_s=again_s)
