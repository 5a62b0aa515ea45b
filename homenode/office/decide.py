"""Who gets a certificate: given what the office knows of a box and what it showed, what to do (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from homenode.enrol.steps import short

SERIAL = r"[A-Za-z0-9._-]{4,64}"
"""`/proc/device-tree/serial-number` of a Pi is 16 hexadecimal digits, a machine id 32."""
RETRY_S = 60
"""Until a box asks again: an operator who approves it waits for it at the door."""


class State(Enum):
    """Of a box, as the office sees it."""

    EXPECTED = "expected"
    """Known, and not heard of yet."""
    ASKING = "asking"
    """It came, and somebody has to decide."""
    ENROLLED = "enrolled"
    LEAVING = "leaving"
    """Its certificate counts for nothing but the proof that it erased the tenancy."""
    SWAPPED = "swapped"
    """Likewise, and another box has the home by now."""
    GONE = "gone"


class How(Enum):
    """By what a box says who it is."""

    NOTHING = "nothing"
    CODE = "code"
    FACTORY = "factory certificate"


@dataclass(frozen=True, slots=True)
class Box:
    """One box.

    Attributes:
        home: What it is for; "" if nothing yet.
        key: SHA-256 of the public key that was certified; "" before.
        asked: Of the key that it last asked for, if somebody may have to approve it.
        approved: Of the key that the operator said yes to.
        enrolled_ms: When `key` was first certified; a code made since may let in another one.
    """

    serial: str
    state: State = State.EXPECTED
    home: str = ""
    key: str = ""
    asked: str = ""
    approved: str = ""
    enrolled_ms: int = 0
    seen_ms: int = 0

    @property
    def to_approve(self) -> str:
        """Key that somebody has to say yes or no to; "" if none."""
        return self.asked if self.asked != self.approved else ""

    @property
    def has_to_erase(self) -> bool:
        """Its home isn't its own any more, and the proof that it erased that isn't here."""
        return self.state in (State.LEAVING, State.SWAPPED)

    @property
    def waits_for_home(self) -> bool:
        """It is let in, and has no home."""
        return self.state is State.ASKING and not self.home and not self.to_approve


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code as it is kept: by its hash.

    Attributes:
        serial: Of the box that it is for; "" for whichever comes first.
        home: That the box is for, if the code says so.
        used_by: Public key that it was used for; "" if not yet.
    """

    hash: str
    made_ms: int
    until_ms: int
    serial: str = ""
    home: str = ""
    used_by: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """A certificate for this home.

    Attributes:
        revoke: The box's former ones count no more, as it begins anew.
        leaving: It counts for the order to erase, and the proof: those before ended meanwhile.
    """

    home: str
    revoke: bool = False
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again later (202); `clash` and `because`: as of `Refuse`."""

    why: str
    clash: bool = False
    because: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """No; `clash`: two boxes say that they are one; `because`: of `enrol.steps.BECAUSE`, for the panel."""

    why: str
    status: int = 403
    clash: bool = False
    because: str = ""


Verdict = Issue | Wait | Refuse


def enrolment(
    box: Box,
    key: str,
    how: How,
    code: Code | None,
    now_ms: int,
    *,
    lives: bool = False,
    taken: str = "",
    owner: str = "",
) -> Verdict:
    """What a box gets that asks for its first certificate, or for one with another key.

    Args:
        box: As the office knows it; a new one if it doesn't.
        key: SHA-256 of the public key that it wants certified.
        code: That it gave, with `How.CODE`; None if the office knows none such.
        lives: It has called with its certificate, which is still in force: no answer was lost, and who asks
            for another one may be its copy.
        taken: Serial number of another box that has the home.
        owner: Serial number of another box to which this key was certified.
    """
    if how is How.CODE:
        if code is None:
            return Refuse("this one-time code is not known: look at the label, or have a new one made", 401)
        if wrong := _unfit(code, box, key, now_ms, lives=lives):
            return Refuse(wrong[1], 401, because=wrong[0])
    newer = code is not None and code.made_ms > box.enrolled_ms
    yes = box.approved == key or (how is How.CODE and (newer or (code is not None and code.used_by == key)))
    # one that is for whichever box comes first would do for any box that somebody names
    meant = code is None or code.serial == box.serial or code.home == box.home
    if box.state is State.ENROLLED and box.key != key and not (yes and (meant or box.approved == key)):
        return Refuse(
            f"a box with serial number {box.serial} and another key is enrolled: if this one replaces it, "
            "have the office make a new code for it, or approve this key",
            clash=True,
            because="replaces",
        )
    if owner and not yes:
        why = f"box {box.serial} has the key of box {owner}, so it is that card or a copy; to let it in: "
        return Wait(f"{why}homenode office swap HOME {box.serial}, or approve", clash=True)
    if box.has_to_erase:
        if box.key == key:
            return Issue(box.home, leaving=True)
        why = "this box has to erase a home first; if it can't, as its card is another one by now: "
        return Wait(f"{why}homenode office revoke {box.serial}")
    if (how is How.NOTHING or (how is How.FACTORY and lives)) and box.approved != key:
        return Wait(f"somebody at the office has to approve the key {short(key)} of box {box.serial}")
    home = box.home or (code.home if code is not None else "")
    if not home:
        return Wait(f"box {box.serial} is not assigned to a home yet", because="unassigned")
    if taken:
        why = f"{home} has box {taken}: homenode office swap {home} gives it another one"
        return Refuse(why, because="home_taken")
    return Issue(home, revoke=bool(box.key))


def _unfit(code: Code, box: Box, key: str, now_ms: int, *, lives: bool) -> tuple[str, str] | None:
    """`because` and `why` of what is wrong with it."""
    if code.used_by and (code.used_by != key or lives):
        why = "this one-time code was used before, by another box, for another key, or for what counts now"
        return "code_used", why
    if code.serial and code.serial != box.serial:
        return "code_of_another", f"this one-time code is for another box than {box.serial}"
    if now_ms >= code.until_ms and not code.used_by:
        return "code_old", "this one-time code is too old: have a new one made"
    if code.home and box.home and code.home != box.home:
        why = f"this one-time code is for {code.home}, but box {box.serial} is assigned to {box.home}"
        return "code_of_another", why
    return None


def renewal(box: Box, key: str, asked: str, *, revoked: str, same_subject: bool, home: str) -> Verdict:
    """What a box gets that shows its present certificate (`simplereenroll`).

    Args:
        key: Of the certificate that it shows.
        asked: Key that it wants certified.
        revoked: Why that certificate counts no more; "" if it does.
        home: That the certificate is for.
    """
    if revoked:
        why = f"this certificate was revoked ({revoked}): enrol anew, by a code or an approval"
        return Refuse(why, because="revoked")
    if box.state is not State.ENROLLED or box.key != key:
        return Refuse(f"this is not the certificate that box {box.serial} was given last", clash=True)
    if box.home != home:
        return Refuse(f"box {box.serial} is for {box.home or 'no home'} by now, no longer for {home}")
    if asked != key and box.approved != asked:
        return Refuse(
            f"renewing keeps the key: for the key {short(asked)} of box {box.serial} it takes a new code, or "
            "somebody who approves it",
            clash=True,
        )
    if not same_subject:
        return Refuse("subject and alternative names must be those of the certificate (RFC 7030, 4.2.2)", 400)
    return Issue(box.home)


def turn_fits(shown: str, last: str, before: str) -> bool:
    """Whether a box shows what it was given last, or before that if the last answer was lost.

    Of two boxes with copies of one key and certificate the second shows what is older. Where nothing is known
    to have been given, anything does: the office may be from a copy.
    """
    return not last or shown in (last, before)
