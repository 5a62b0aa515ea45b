"""Who may see and do what, home by home (pure).

A person sees what a *party* was sent: a landlord's role shows what came on property's branch, and there is no
filter that could let through what did not.
"""

from __future__ import annotations

from dataclasses import dataclass

from homenode.console.board import Board, Home
from homenode.console.case import Case
from homenode.listen.told import ALL

RELATIVE = "relative"
"""Sees of a home whether it is heard and whether care has something to do there, and nothing else."""
ROLES = ("care", "property", RELATIVE)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role in some homes; `homes` None: in all."""

    role: str
    homes: frozenset[str] | None = None

    def covers(self, home: str) -> bool:
        """Whether it is for this home; what a receiver says of itself is for everybody with the role."""
        return self.homes is None or home in self.homes or (home == ALL and self.role != RELATIVE)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in; a `screen` is a wall's, which only shows."""

    id: str
    name: str
    grants: tuple[Grant, ...]
    screen: bool = False

    def acts_for(self, party: str) -> bool:
        """Whether they are one of this party."""
        return party != RELATIVE and any(grant.role == party for grant in self.grants)

    def sees(self, party: str, home: str) -> bool:
        """Whether what this party was sent of that home is for them."""
        return any(grant.role == party and grant.covers(home) for grant in self.grants)

    @property
    def works(self) -> bool:
        """They see to alerts, as a relative doesn't."""
        return any(grant.role != RELATIVE for grant in self.grants)

    def related(self, home: str) -> bool:
        """Whether the small picture of that home is for them."""
        return any(grant.role == RELATIVE and grant.covers(home) for grant in self.grants)

    def cases(self, board: Board) -> list[Case]:
        """Their worklist."""
        return [case for case in board.to_do() if self.sees(case.party, case.home)]

    def case(self, board: Board, key: str) -> Case | None:
        """None if there is none, or it is not for them: who asks can't tell which."""
        case = board.cases.get(key)
        return case if case is not None and self.sees(case.party, case.home) else None

    def homes(self, board: Board) -> list[Home]:
        """Those that they work with."""
        return [one for one in board.real_homes() if self.sees(one.party, one.home)]
