"""What a user asks for: how long results may take, and what gives way when they take longer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import PipelineError
from ._steps import FORMS, Step, parse_step

WINDOW = 40
DWELL_S = 2.0


@dataclass(frozen=True, slots=True)
class Budget:
    """The 95th percentile of `latency_ms` may be `ms`, of the last `window` results; `steps` are taken in their order.

    Steps are texts, see `parse_step`. No two changes are closer than `dwell_s` seconds. Raises PipelineError.
    """

    ms: float
    steps: tuple[Step, ...]
    window: int
    dwell_s: float

    def __init__(
        self, ms: float, steps: Sequence[str | Step], *, window: int = WINDOW, dwell_s: float = DWELL_S
    ) -> None:
        if not (math.isfinite(ms) and ms > 0) or not 5 <= window <= 100_000 or not 0.1 <= dwell_s <= 3600:
            raise PipelineError(
                f"found a budget of {ms} ms over {window} results with changes {dwell_s} s apart, expected more than "
                "0 ms, 5 to 100,000 results and 0.1 to 3,600 s: correct it"
            )
        if isinstance(steps, str) or not steps:
            raise PipelineError(f"found the steps {steps!r} to degrade by, expected a list of {FORMS}: name one")
        object.__setattr__(self, "ms", float(ms))
        object.__setattr__(self, "steps", tuple(each if isinstance(each, Step) else parse_step(each) for each in steps))
        object.__setattr__(self, "window", window)
        object.__setattr__(self, "dwell_s", dwell_s)

    def described(self) -> dict[str, Any]:
        """As plain values, for a recording."""
        steps = [str(step) for step in self.steps]
        return {"ms": self.ms, "steps": steps, "window": self.window, "dwell_s": self.dwell_s}
