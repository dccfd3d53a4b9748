"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Copies there, runs and copies back of so many milliseconds, for frames of `size` x `size` uint16."""

    up_ms: float
    run_ms: float
    down_ms: float
    size: int = 512

    @property
    def provider(self) -> str:
        """The engine that takes them."""
        return f"staged:{self.up_ms:g}+{self.run_ms:g}+{self.down_ms:g}"

    @property
    def sum_ms(self) -> float:
        """What a frame by itself takes."""
        return self.up_ms + self.run_ms + self.down_ms

    @property
    def slowest_ms(self) -> float:
        """What a frame among many takes."""
        return max(self.up_ms, self.run_ms, self.down_ms)

    def __str__(self) -> str:
        return f"{self.up_ms:g} + {self.run_ms:g} + {self.down_ms:g} ms, {self.size}x{self.size}"


@dataclass(frozen=True)
class Plan:
    """`frames` one by one for latencies, `rounds` of `burst` frames for throughput."""

    cases: tuple[Case, ...] = (Case(1, 3, 1), Case(2, 8, 2), Case(5, 5, 5), Case(2, 8, 2, 2048))
    frames: int = 1000
    rounds: int = 6
    burst: int = 200


FULL = Plan()
QUICK = Plan((Case(2, 8, 2),), 200, 3, 100)
TINY = Plan((Case(1, 2, 1, 64),), 20, 1, 20)
