"""One reading of a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reading:
    """What a GPU told at a moment (monotonic ns of the machine that it is in); None: it does not tell that.

    `reasons` are those for which it is slower than it could be: heat and power, not that it has nothing to do.
    """

    at_ns: int
    clock_mhz: float | None = None
    memory_clock_mhz: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    reasons: tuple[str, ...] = ()

    @property
    def throttled(self) -> bool:
        """Whether it is slowed down."""
        return bool(self.reasons)

    def message(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "reasons": list(self.reasons)}

    @classmethod
    def read(cls, message: Mapping[str, Any]) -> Reading:
        """What `message` wrote."""
        return cls(**{**message, "reasons": tuple(message["reasons"])})

    def __str__(self) -> str:
        told = ((self.clock_mhz, "MHz"), (self.temperature_c, "°C"), (self.power_w, "W"))
        return ", ".join(f"{value:.0f} {unit}" for value, unit in told if value is not None) or "nothing told"
