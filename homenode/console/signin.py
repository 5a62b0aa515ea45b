"""Who is signed in: sessions, passwords, and how often one may try."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from homenode.console.access import Person
from homenode.console.settings import Console
from homenode.tries import Tries

FROM_THERE, ADDRESS, USER = 10, 50, 100
"""Wrong passwords in five minutes after which one has to wait: of one user from one address, from one address
whoever it is, of one user from anywhere: who guesses must not easily keep a caregiver out at night."""
MOST_SESSIONS = 2_000
YEAR_MS = 366 * 86_400_000
"""So long a wall's screen stays signed in: nobody comes by with a keyboard."""
AT_ONCE = 2
"""Passwords that are checked at the same time: one takes 64 MB for some 50 ms."""

_NOBODY = PasswordHasher().hash(secrets.token_hex())
"""Checked where there is no such user, so that the time tells nothing."""


@dataclass(slots=True)
class Session:
    """One sign-in of one browser.

    Attributes:
        roles: Names of roles, of who signed in elsewhere.
        until, idle: When it ends, whatever happens; when it ends if nobody does anything (ms).
    """

    who: str
    name: str
    local: bool
    roles: tuple[str, ...]
    until: int
    idle: int


class SignIn:
    """All sessions.

    Args:
        now: ms.
    """

    def __init__(self, settings: Console, now: Callable[[], int]) -> None:
        self._settings, self._now = settings, now
        self._sessions: dict[str, Session] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._hasher = PasswordHasher()
        self._tries = Tries(FROM_THERE), Tries(ADDRESS), Tries(USER)

    async def password(self, user: str, password: str, address: str) -> bool | None:
        """Whether it is theirs; None: who tries must wait, however many they try at once."""
        known, keys = self._settings.users.get(user), (f"{user} {address}", address, user)
        pairs = list(zip(self._tries, keys, strict=True))
        async with self._slots:
            if any(tries.blocked(key, self._now()) for tries, key in pairs):
                return None
            right = await asyncio.to_thread(self._right, known.password if known else _NOBODY, password)
            if right and known is not None:
                self._tries[0].good(keys[0])
                return True
            for tries, key in pairs:
                tries.failed(key, self._now())
            return False

    def _right(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError):
            return False

    def begin(
        self, who: str, name: str, roles: tuple[str, ...], *, local: bool
    ) -> tuple[str, dict[str, Any]]:
        """A new token, never what the browser brought; and what is to be kept of the session."""
        token = secrets.token_urlsafe(32)
        kept = {"who": who, "by": name, "local": local, "roles": roles, "hash": _hash(token)}
        self._begin(kept, self._now())
        return token, kept

    def restore(self, facts: Iterable[Mapping[str, Any]]) -> None:
        """Sessions of an earlier run: who is signed in at night stays so over a restart."""
        for fact in facts:
            if fact["what"] == "signed_in":
                self._begin(fact, fact["at"])
            elif fact["what"] == "signed_out":
                self._sessions.pop(fact["hash"], None)

    def _begin(self, kept: Mapping[str, Any], at: int) -> None:
        name = kept["who"], kept["by"]
        screen = kept["local"] and self._screen(kept["who"])
        until = at + (YEAR_MS if screen else self._settings.session_ms)
        idle = until if screen else self._now() + self._settings.idle_ms
        self._sessions[kept["hash"]] = Session(*name, kept["local"], tuple(kept["roles"]), until, idle)
        while len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]

    def known(self, token: str, *, used: bool) -> Session | None:
        """The session, if it is good still; `used`: a person did something with it."""
        found, now = _hash(token), self._now()
        session = self._sessions.get(found)
        if session is None:
            return None
        if now >= session.until or now >= session.idle:
            del self._sessions[found]
            return None
        if used:
            session.idle = max(session.idle, now + self._settings.idle_ms)
        return session

    def end(self, token: str) -> str:
        """Sign out; what was kept of the token."""
        self._sessions.pop(_hash(token), None)
        return _hash(token)

    def person(self, session: Session) -> Person:
        """Whom it is of, with what they may now."""
        roles = session.roles
        if session.local:
            user = self._settings.users.get(session.who)
            roles = user.roles if user else ()
        screen = session.local and self._screen(session.who)
        return Person(session.who, session.name, self._settings.grants(roles), screen)

    def _screen(self, who: str) -> bool:
        user = self._settings.users.get(who)
        return user is not None and user.screen


def csrf_of(token: str) -> str:
    """What a form must carry that belongs to a session: only our own pages can know it."""
    return _hash(f"csrf {token}")


def _hash(token: str) -> str:
    """What is kept of a token: who reads the memory can't sign in with it."""
    return hashlib.blake2b(token.encode(), digest_size=16).hexdigest()
