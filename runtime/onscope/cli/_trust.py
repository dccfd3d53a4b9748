"""How far answers could be trusted over a run: counted as results come, told in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from onscope.runtime import Result
from onscope.runtime.trust import SUSPICION

SHOWN = ("bias", "removed", "disagreement")
"""Values that are told where a package says nothing of limits."""


@dataclass
class StageTrust:
    """One stage: results that were `looked` at, those that were `suspect`, how often by each value, the last values."""

    looked: int = 0
    suspect: int = 0
    by: Counter[str] = field(default_factory=Counter)
    last: dict[str, float] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """ "3 of 500 suspect (distance 3, bias 1)"; of packages without limits the last values."""
        if SUSPICION not in self.last:
            values = ", ".join(f"{name} {self.last[name]:.3g}" for name in SHOWN if name in self.last)
            return f"{self.looked} looked at, without limits: last {values}"
        if not self.suspect:
            return f"none of {self.looked} suspect"
        names = ", ".join(f"{name} {count}" for name, count in self.by.most_common())
        return f"{self.suspect} of {self.looked} suspect ({names})"


class TrustMeter:
    """All stages whose answers are looked at, by name."""

    def __init__(self) -> None:
        self.stages: dict[str, StageTrust] = {}

    def add(self, result: Result) -> None:
        """Count a result."""
        for stage, values in result.trust.items():
            one = self.stages.setdefault(stage, StageTrust())
            one.looked += 1
            one.last |= values
            suspect = result.suspect.get(stage, ())
            one.suspect += bool(suspect)
            one.by.update(suspect)

    def words(self) -> Mapping[str, str]:
        """By stage."""
        return {stage: one.words for stage, one in self.stages.items()}
