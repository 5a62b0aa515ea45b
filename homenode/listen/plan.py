"""Who is handed what, and when: what of the configuration the core decides by (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SEVERITIES = ("info", "warning", "alarm")


def whole(target: str) -> str:
    """What ``sms.2``, the second URL of a target, is a part of: each takes, and is waited for, by itself."""
    return target.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Stage:
    """Who is handed an alert that nobody acknowledged for so long."""

    after_ms: int
    to: tuple[str, ...]
    severities: tuple[str, ...] = ("warning", "alarm")


@dataclass(frozen=True, slots=True)
class Plan:
    """For all homes of a receiver.

    Attributes:
        to: Names of targets that are handed everything.
        stages: In order of `Stage.after_ms`.
        acknowledging: Target to who has an alert when all of it took it; other targets only pass it on.
    """

    party: str
    to: tuple[str, ...]
    stages: tuple[Stage, ...] = ()
    acknowledging: dict[str, str] = field(default_factory=dict)

    @property
    def targets(self) -> frozenset[str]:
        """All that may be handed something."""
        return frozenset(self.to).union(*(stage.to for stage in self.stages))

    def known(self, names: Sequence[str]) -> list[str]:
        """Those of `names` that are targets; of one that has other parts now, all of these."""
        found = [name for name in names if name in self.targets]
        changed = {whole(name) for name in names if name not in self.targets}
        return found + [name for name in sorted(self.targets) if name not in found and whole(name) in changed]
