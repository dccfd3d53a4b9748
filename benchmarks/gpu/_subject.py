"""What is measured: a pipeline on a provider, and what its copies and its run take alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onscope.runtime import FrameSpec, Pipeline


@dataclass(frozen=True)
class Subject:
    """Frames of `size` x `size` uint16 through `pipeline` on `provider`.

    `up_ms`, `run_ms`, `down_ms`: a frame's copy there, the run and the copy of the answers back, each alone. `cores`:
    threads of the processor for engines that use some; None: as they choose.
    """

    name: str
    pipeline: Pipeline
    provider: str
    size: int
    up_ms: float
    run_ms: float
    down_ms: float
    cores: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> FrameSpec:
        return FrameSpec((self.size, self.size))

    @property
    def sum_ms(self) -> float:
        """What a frame by itself takes."""
        return self.up_ms + self.run_ms + self.down_ms

    @property
    def slowest_ms(self) -> float:
        """What a frame among many takes."""
        return max(self.up_ms, self.run_ms, self.down_ms)
