"""All that was compared: the parity, the metrics, and what the picture shows."""

from __future__ import annotations

from dataclasses import dataclass

from ._answers import Answers
from ._errors import Errors
from ._metrics import Metric
from ._parity import Parity


@dataclass(frozen=True, eq=False)
class Proof:
    """`shown` are the answers to the example and to the first of the user's frames."""

    parity: tuple[Parity, ...]
    metrics: tuple[Metric, ...]
    shown: tuple[Answers, ...]
    errors: Errors

    @property
    def passed(self) -> bool:
        """Whether every comparison is within its limits."""
        return bool(self.parity) and all(one.passed for one in self.parity) and all(one.passed for one in self.metrics)
