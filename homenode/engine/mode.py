"""The mode of the home: how it is set, and how it ends (decision 8).

At one instant first what was decided at the instant before, then commands: a person has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from homenode.config.model import Mode
from homenode.engine.network import Network, Node
from homenode.engine.timers import Timer
from homenode.engine.truth import FALSE, TRUE
from homenode.reading import Instant

HOME = "home"
"""The mode at first start, and after every other mode that ends."""

COMMAND, STEP, ENDED = "command", "step", "ended"
"""Why the home is in its mode: somebody said so, a rule did, the one before it had lasted its longest."""

MODE_STEP = "mode"
"""The word of the step that sets the mode."""


class ModeState(Timer):
    """The mode of the home, which is `home` again when its longest duration is over.

    Attributes:
        mode: Its name.
        why: `COMMAND` …
        ends: Instant at which it is over by itself; None if never.
        coming: What is to be set at the next instant, as (mode, why), by the instant for which it waits.
        atoms: Nodes that ask for it.
    """

    __slots__ = ("_modes", "_network", "atoms", "coming", "ends", "mode", "why")

    def __init__(self, modes: Mapping[str, Mode], network: Network) -> None:
        super().__init__()
        self._modes, self._network = modes, network
        self.mode, self.why = HOME, ""
        self.ends: Instant | None = None
        self.coming: tuple[Instant, list[tuple[str, str]]] | None = None
        self.atoms: list[Node] = []

    def command(self, mode: str, at: Instant, longest_ms: int | None = None, why: str = COMMAND) -> None:
        """Somebody sets it: it holds on [at, at + longest), whatever else would have set it at `at`."""
        self.coming = None
        self._set(mode, at, why, longest_ms)
        self._book()

    def step(self, mode: str, at: Instant) -> None:
        """A step that ran at `at` sets it from the next instant on."""
        self._at_next(at, mode, STEP)

    def expire(self, at: Instant) -> None:
        """A deadline of it has come."""
        if self.ends is not None and self.ends <= at:
            self._set(HOME, at, ENDED)
        if self.coming is not None and self.coming[0] <= at:
            sets, self.coming = self.coming[1], None
            for mode, why in sets:
                self._set(mode, at, why)
        self._book()

    def _at_next(self, at: Instant, mode: str, why: str) -> None:
        if self.coming is None:
            self.coming = at + 1, []
        self.coming[1].append((mode, why))
        self._book()

    def _set(self, mode: str, at: Instant, why: str, longest_ms: int | None = None) -> None:
        self.mode, self.why = mode, why
        if longest_ms is None and mode in self._modes:
            longest_ms = self._modes[mode].longest_ms
        self.ends = None if longest_ms is None or mode == HOME else at + longest_ms
        for atom in self.atoms:
            self._network.stir(atom)

    def _book(self) -> None:
        dues = [due for due in (self.ends, self.coming[0] if self.coming else None) if due is not None]
        self.due = min(dues, default=None)
        self._network.timers.book(self)

    def shift(self, by_ms: int) -> None:
        """Move what it remembers in time (a downtime turned out longer than believed)."""
        if self.ends is not None:
            self.ends += by_ms
        if self.coming is not None:
            self.coming = self.coming[0] + by_ms, self.coming[1]
        self._book()

    def dump(self) -> list[Any]:
        """As JSON-able data."""
        return [self.mode, self.ends, self.why, self.coming]

    def restore(self, data: Sequence[Any]) -> None:
        """Take over what `dump` wrote; the first version wrote only the mode and when it ends."""
        self.mode, self.ends = data[0], data[1]
        if len(data) > 2:
            self.why, coming = data[2:4]
            self.coming = (coming[0], [(mode, why) for mode, why in coming[1]]) if coming else None
        self._book()


class ModeNode(Node):
    """The home is in a mode."""

    __slots__ = ("_mode", "_state")

    def __init__(self, state: ModeState, mode: str) -> None:
        super().__init__()
        self._state, self._mode = state, mode
        state.atoms.append(self)

    def settle(self, at: Instant) -> int:
        return TRUE if self._state.mode == self._mode else FALSE
